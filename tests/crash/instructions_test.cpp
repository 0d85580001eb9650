// A process that is killed between any two instructions of a write, and what the next one goes on
// with: the index that lived in a file (journal/live_file.hpp) against the log.
//
// The parent starts a writer that opens the store and stops, and lets it carry out one write,
// instruction by instruction. After each the files are what a kill would leave, in the system's
// memory; so a copy of them is opened and judged.
//
//   Q1  the store holds what the log says: a reader that replays the log sees the same
//   Q2  that is the state before the write or the one behind it; behind it if the write returned
//   Q3  the counts are those of what is there, and each key can be written and erased afterwards
//   Q4  what was in no change of more than one entry goes on with the index, and does not make it
//       from the log
//
// COFFER_CRASH_SCALE  1: after every instruction. Less: after every 29th.
#include <coffer/index/sorted.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include "crash/campaign.hpp"

#if defined(__linux__) && defined(__x86_64__)

#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using model = std::map<std::string, std::string>;
template <class Index, class Durability>
using live_store = coffer::store<std::string, std::string, coffer::storage::mmap, Index, Durability,
                                 coffer::threading::single>;

coffer::options few_calls() {
    coffer::options chosen;
    chosen.auto_compact = false;
    chosen.interval = std::chrono::hours(1);
    chosen.buffer_bytes = 1 << 20;
    return chosen;
}

template <class S>
model content(const S& db) {
    model out;
    db.for_each([&](std::string_view key, std::string_view value) {
        out[std::string(key)] = std::string(value);
    });
    return out;
}

/// A closed store with keys enough that its index grows with every few more, and copies of it. What counts here
/// is the system's memory: a folder in memory spares the disk.
template <class S>
class scene {
public:
    scene() {
        struct stat found = {};
        folder_ =
            ::stat("/dev/shm", &found) == 0 ? "/dev/shm/coffer-step-XXXXXX" : "coffer-step-XXXXXX";
        REQUIRE(mkdtemp(folder_.data()) != nullptr);
        S db = S::open(folder_ + "/first", few_calls());
        for (int i = 0; i < 1100; ++i) db.put("key " + std::to_string(i), "value");
        db.put("there", "0");
        db.put("before", "1");
        before = content(db);
        db.close();
    }
    ~scene() { std::filesystem::remove_all(folder_); }
    scene(const scene&) = delete;
    scene& operator=(const scene&) = delete;

    void copy(const std::string& from, const std::string& to) const {
        std::filesystem::remove_all(folder_ + "/" + to);
        std::filesystem::copy(folder_ + "/" + from, folder_ + "/" + to);
        believe(folder_ + "/" + to);
    }
    [[nodiscard]] S open() const { return S::open(folder_ + "/store", few_calls()); }
    [[nodiscard]] std::string left() const { return folder_ + "/left"; }
    [[nodiscard]] ino_t index_file() const {
        struct stat found = {};
        return ::stat((left() + "/LIVE").c_str(), &found) == 0 ? found.st_ino : 0;
    }

    model before;

private:
    /// A copy of LIVE is another file, which nobody believes. A kill leaves the same one.
    static void believe(const std::string& folder) {
        using namespace coffer::detail;
        coffer::fs::native system;
        auto held = system.open_directory(folder).value();
        auto live = held.open(live_name, coffer::fs::access::write).value();
        std::byte word[8];
        REQUIRE(live.read_at(live_at::words, word).value() == sizeof word);
        if (load_le<std::uint64_t>(word) == 0) return;
        store_le(word, mix(system.boot_id(), live.identity()) | 1);
        live.write_at(live_at::words, word).value();
    }

    std::string folder_;
};

/// A process that opens the store and carries out `write`, step by step.
class stepper {
public:
    template <class S, class Write>
    stepper(const scene<S>& of, Write write) : child_(fork()) {
        if (child_ != 0) {
            able_ = waits();
            return;
        }
        S db = of.open();
        db.put("before", "1");  // the log has a segment, the memory its pages
        if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(3);
        raise(SIGSTOP);
        write(db);
        raise(SIGSTOP);
        _exit(4);
    }
    ~stepper() {
        kill(child_, SIGKILL);
        waitpid(child_, &status_, 0);
    }
    stepper(const stepper&) = delete;
    stepper& operator=(const stepper&) = delete;

    /// Carries out that many instructions, unless the write ends before.
    void step(std::uint64_t count) {
        for (std::uint64_t i = 0; i < count && able_ && !done_; ++i) {
            able_ = ptrace(PTRACE_SINGLESTEP, child_, nullptr, nullptr) == 0 && waits();
            done_ = able_ && WSTOPSIG(status_) == SIGSTOP;  // the second one
        }
    }
    [[nodiscard]] bool able() const { return able_; }
    [[nodiscard]] bool done() const { return done_; }

private:
    bool waits() { return waitpid(child_, &status_, 0) == child_ && WIFSTOPPED(status_); }

    ::pid_t child_;
    int status_ = 0;
    bool able_ = false;
    bool done_ = false;
};

struct tally {
    std::uint64_t kills = 0;
    std::uint64_t went_on = 0;
    std::uint64_t violations = 0;
};

/// Opens what the killed process left, and judges it. Q1 to Q3; empty: all is well.
template <class S>
std::string judged(const scene<S>& of, const std::vector<model>& states, bool whole) {
    model logged;
    {
        const S reader = S::open_read_only(of.left());
        logged = content(reader);
        if (reader.size() != logged.size()) return "Q3: size of a reader";
    }
    S db = S::open(of.left(), few_calls());
    const model found = content(db);
    if (found != logged) return "Q1: the index is not what the log says";
    if (std::find(states.begin(), states.end(), found) == states.end() ||
        (whole && found != states.back())) {
        return "Q2: not a state of the store, or not the last";
    }
    if (db.size() != found.size()) return "Q3: size";
    for (const auto& [key, value] : found) {
        if (db.get(key) != value) return "Q3: " + key;
    }
    if (!db.verify().ok()) return "Q3: verify";
    for (const std::string key : {"there", "new", "key 7", "key 699"}) {
        db.put(key, "2");
        if (db.get(key) != "2") return "Q3: a put";
        if (!db.erase(key) || db.contains(key)) return "Q3: an erase";
    }
    for (int i = 0; i < 100; ++i) db.put("more " + std::to_string(i), "2");
    if (db.size() != content(db).size()) return "Q3: size afterwards";
    return {};
}

/// Judges what a kill would leave after each instruction of `writes`, one after the other.
template <class S>
tally cut_everywhere(const std::vector<std::function<void(S&)>>& writes) {
    const scene<S> of;
    const std::uint64_t stride = crash::scale() >= 1 ? 1 : 29;
    of.copy("first", "store");
    std::vector<model> states{of.before};
    {
        S db = of.open();
        for (const auto& write : writes) {
            write(db);
            states.push_back(content(db));
        }
    }
    of.copy("first", "store");
    stepper writer(of, [&](S& db) {
        for (const auto& write : writes) write(db);
    });
    tally sum;
    for (std::uint64_t steps = 0; writer.able(); steps += stride, writer.step(stride)) {
        of.copy("store", "left");
        const ino_t had = of.index_file();
        const std::string wrong = judged(of, states, writer.done());
        ++sum.kills;
        sum.went_on += of.index_file() == had;
        if (!wrong.empty()) {
            FAIL_CHECK(wrong << ", after " << steps << " instructions");
            ++sum.violations;
            return sum;
        }
        if (writer.done()) return sum;
    }
    if (std::getenv("CI") != nullptr) FAIL("this process may not trace another");
    WARN("this process may not trace another: nothing was shown");
    return sum;
}

}  // namespace

TEMPLATE_TEST_CASE("cut after every instruction of a write, a store goes on with its index",
                   "[crash][live]", (live_store<coffer::index::hash, coffer::durability::buffered>),
                   (live_store<coffer::index::sorted, coffer::durability::buffered>),
                   (live_store<coffer::index::hash, coffer::durability::sync>)) {
    using S = TestType;
    const proof::stopwatch watch;
    tally puts;
    SECTION("of a put of a new key") {
        puts = cut_everywhere<S>({[](S& db) { db.put("new", "1"); }});
    }
    SECTION("of some puts, with which the index grows") {
        std::vector<std::function<void(S&)>> some;
        for (const std::string key : {"a", "b", "c", "d", "e"}) {
            some.emplace_back([key](S& db) { db.put(key, "1"); });
        }
        puts = cut_everywhere<S>(some);
    }
    SECTION("of a put in the place of another") {
        puts = cut_everywhere<S>({[](S& db) { db.put("there", "1"); }});
    }
    SECTION("of an erase") {
        puts = cut_everywhere<S>({[](S& db) { db.erase("there"); }});
    }
    SECTION("of an erase of what is not there") {
        puts = cut_everywhere<S>({[](S& db) { db.erase("nothing"); }});
    }
    SECTION("of a batch") {
        typename S::batch all;
        all.put("new", "1");
        all.erase("there");
        all.put("new", "2");
        puts = cut_everywhere<S>({[&](S& db) { db.write(all); }});
    }
    proof::tell("S10 cut between instructions", "mmap",
                {puts.kills, "kills", puts.violations, watch.seconds(), 0});
    CHECK((puts.kills == 0 || puts.went_on > 0));
}

#endif
