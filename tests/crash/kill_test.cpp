// Suite S10: a process that writes is killed, on a real file system, again and again.
//
// The parent starts this program again as a writer, lets it write for a random time of 0 to 50 ms,
// kills it with SIGKILL, opens the store, and judges it. Then the next writer goes on with the same
// store. Commit number n is a function of n, so the parent knows every state that the store may be
// in; the writer reports each commit through a pipe after the call has returned. One in four is
// killed at any time from its start, mostly while it opens; each 25th begins a new store, and is
// killed while it makes it. Three in eight are in trouble before (`trouble`): stopped, and their store
// is locked meanwhile; under a limit of file size, so that a write is cut short and the next one is
// refused or the end; or forked in the midst of writes, and the child may touch nothing.
//
//   R1  what is there is the result of the first n commits, for one n: no holes, no half batches
//   R2  n is not below what the policy promises for a killed process; where a suffix may be lost, the
//       loss stays within the policy's bounds of bytes and of time
//   R3  n is not above the last commit that was begun
//   R5  what an earlier open has shown is still there
//
// COFFER_KILLS  how often each of the 16 combinations is killed; the default, 63, is for every
//               commit.
#include "catch.hpp"

#include "crash/campaign.hpp"
#include "crash/subject.hpp"

#if defined(__linux__)

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace crash;

// ---- what is written -------------------------------------------------------------------------

constexpr std::uint64_t keys = 64;

std::string key_of(std::uint64_t number) {
    return "key " + std::to_string(number % keys);
}
std::string value_of(std::uint64_t number) {
    return std::to_string(number) + std::string(40 + number % 160, 'v');
}

/// Commit `number`, from 1: mostly a put, every fifth an erase, every seventh a batch. Each one
/// leaves its number under "last".
commit commit_of(std::uint64_t number) {
    using kind = change::kind;
    if (number % 7 == 0) {
        return {{kind::put, key_of(number * 3), value_of(number)},
                {kind::erase, key_of(number * 5)},
                {kind::put, key_of(number * 7 + 1), value_of(number)},
                {kind::put, "last", value_of(number)}};
    }
    if (number % 5 == 0) {
        return {{kind::erase, key_of(number)}, {kind::put, "last", value_of(number)}};
    }
    return {{kind::put, "last", value_of(number)}};
}

std::uint64_t bytes_of(std::uint64_t number) {
    std::uint64_t sum = 0;
    for (const change& each : commit_of(number)) sum += each.key.size() + each.value.size() + 16;
    return sum;
}

coffer::options kill_options() {
    coffer::options chosen;
    chosen.segment_bytes = 256 * 1024;
    chosen.buffer_bytes = 16 * 1024;
    chosen.interval = std::chrono::milliseconds(8);
    chosen.max_bytes = 64 * 1024;
    chosen.max_delay = std::chrono::milliseconds(8);
    chosen.lock_timeout = std::chrono::seconds(2);  // the child of a killed writer may live on
    return chosen;
}

/// What a writer meets before it is killed.
enum class trouble : unsigned char {
    none,
    stopped,  // SIGSTOP; and killed then, or after it has gone on
    limited,  // RLIMIT_FSIZE: a write beyond is refused, and the writer falls silent
    ended,    // the same, but the signal that comes with it ends the writer
    forks,    // while it writes
};

trouble trouble_of(std::uint64_t word) {
    switch (word % 16) {
        case 0:
        case 1:
            return trouble::stopped;
        case 2:
            return trouble::limited;
        case 3:
            return trouble::ended;
        case 4:
        case 5:
            return sanitized() ? trouble::none : trouble::forks;
        default:
            return trouble::none;
    }
}

// ---- the writer ------------------------------------------------------------------------------

/// A commit that has returned, and when.
struct note {
    std::uint64_t number;
    std::uint64_t when;  // nanoseconds
};

std::uint64_t now() {
    timespec at{};
    clock_gettime(CLOCK_MONOTONIC, &at);
    return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(at.tv_nsec);
}

/// Lets a moment come that was drawn: no event marks it.
void pass_until(std::uint64_t moment) {
    while (now() < moment) std::this_thread::yield();
}

std::vector<native_subject> all_subjects() {
    auto all = native_file_log();
    for (auto& each : native_mmap()) all.push_back(each);
    return all;
}

/// How a writer is started, as a line of words.
struct orders {
    std::string subject;  // with a '/' for each space of its name
    std::string path;
    std::uint64_t first = 0;
    std::uint64_t most = 0;  // 0: without end
    int pipe = -1;
    int meets = 0;            // trouble
    std::uint64_t limit = 0;  // of a file's size; even: from the first open on, else after it
};

std::string told(const orders& given) {
    std::ostringstream line;
    line << given.subject << ' ' << given.path << ' ' << given.first << ' ' << given.most << ' '
         << given.pipe << ' ' << given.meets << ' ' << given.limit;
    return line.str();
}
orders orders_of(const char* line) {
    orders given;
    std::istringstream from(line);
    from >> given.subject >> given.path >> given.first >> given.most >> given.pipe >> given.meets >>
        given.limit;
    REQUIRE(from);
    return given;
}
std::string one_word(std::string name) {
    std::replace(name.begin(), name.end(), ' ', '/');
    return name;
}

/// A child that is made at any moment of the writer's is told so by every call, and ends.
void fork_for_ever(opened& store) {
    for (std::uint64_t round = 0;; ++round) {
        pass_until(now() + coffer::detail::mix(round, 1) % 3'000'000);
        const pid_t child = fork();
        if (child < 0) std::abort();
        if (child == 0) {
            const auto is_forked = [](const auto& answer) {
                return !answer && answer.error().kind() == coffer::errc::forked;
            };
            const bool right = is_forked(store.put("key 1", "the child's")) &&
                               is_forked(store.get("last")) && is_forked(store.sync());
            store.~opened();  // the child's copy ends, and touches no file
            _exit(right ? 0 : 1);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || status != 0) std::abort();
    }
}

void limit_files(const orders& given) {
    if (given.limit == 0) return;
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    const rlimit size{given.limit, given.limit};
    setrlimit(RLIMIT_FSIZE, &size);
    if (given.meets == static_cast<int>(trouble::limited)) signal(SIGXFSZ, SIG_IGN);
}

/// Writes until it is killed. Falls silent after its last commit, and where a limit stops it.
void write_for_ever(const native_subject& of, const orders& given) {
    const bool limited = given.meets == static_cast<int>(trouble::limited);
    const auto stops = [&](const auto& answer) {
        if (answer) return false;
        const coffer::errc kind = answer.error().kind();
        if (!limited || (kind != coffer::errc::no_space && kind != coffer::errc::poisoned)) {
            std::printf("%s\n", answer.error().what());
            std::abort();
        }
        return true;
    };
    if (given.limit % 2 == 0) limit_files(given);
    auto store = of.open(given.path, kill_options(), coffer::fs::native());
    if (!stops(store)) {
        if (given.limit % 2 != 0) limit_files(given);
        std::thread forker;
        if (given.meets == static_cast<int>(trouble::forks))
            forker = std::thread([&] { fork_for_ever(**store); });
        const std::uint64_t end = given.most == 0 ? UINT64_MAX : given.first + given.most;
        for (std::uint64_t number = given.first; number < end; ++number) {
            const commit changes = commit_of(number);
            if (stops(changes.size() == 1 ? (*store)->put(changes[0].key, changes[0].value)
                                          : (*store)->write(changes)))
                break;
            const note done{number, now()};
            if (::write(given.pipe, &done, sizeof done) != sizeof done) std::abort();
        }
        for (;;) pause();
    }
    for (;;) pause();
}

// ---- the parent ------------------------------------------------------------------------------

void remove_store(const std::string& path) {
    if (auto held = coffer::fs::native().open_directory(path)) {
        const auto names = held->list();
        for (const std::string& name : names.value()) held->remove(name).value();
    }
    ::rmdir(path.c_str());
}

class killer {
public:
    killer(const native_subject& of, std::string path) : of_(&of), path_(std::move(path)) {}

    void round(std::uint64_t number) {
        using coffer::detail::mix;
        const std::uint64_t word = mix(mix(number, seed()), seed() ^ shown_);
        // One in four writers stops early, so that it is silent for a while when it is killed.
        const std::uint64_t most = word % 4 == 0 ? 1 + word / 4 % 200 : 0;
        // From 0 to 50 ms, and short for the most part: more happens while little is written.
        const auto lives = static_cast<int>(word / 1024 % 51 * (word / 65536 % 51) / 50);
        const bool anew = number % 25 == 24;
        if (anew) begin_anew();
        const bool early = anew || word / 4096 % 4 == 0;
        const std::uint64_t killed_at = run_writer(most, lives, early ? word >> 32 : 0, word >> 20);
        ++kills_;
        judge(killed_at);
    }

    void report() const {
        std::printf(
            "%s: %llu commits survived, %llu writers had not begun one; %llu were stopped, %llu "
            "met "
            "a limit of file size, %llu forked; of the commits that had returned at most %llu, "
            "%llu "
            "bytes, %.1f ms old, were lost at once\n",
            of_->name.c_str(), static_cast<unsigned long long>(survived_ + shown_),
            static_cast<unsigned long long>(idle_), static_cast<unsigned long long>(stopped_),
            static_cast<unsigned long long>(limited_), static_cast<unsigned long long>(forked_),
            static_cast<unsigned long long>(most_commits_),
            static_cast<unsigned long long>(most_bytes_), static_cast<double>(oldest_) / 1e6);
        proof::tell("S10 killed writers", of_->name,
                    {kills_, "kills", told_.size(), watch_.seconds(), seed()});
    }
    [[nodiscard]] const std::vector<std::string>& violations() const noexcept { return told_; }

private:
    void begin_anew() {
        remove_store(path_);
        survived_ += shown_;
        shown_ = 0;
        state_.clear();
    }

    /// Lets a writer live for `milliseconds` after its first commit, or as long as it takes to open;
    /// if `early` is not 0, for a time that depends on it, and on how long the last one took. What
    /// else it meets depends on `word`. When it could do no more: 0 if that is not known.
    std::uint64_t run_writer(std::uint64_t most, int milliseconds, std::uint64_t early,
                             std::uint64_t word) {
        notes_.clear();
        const std::uint64_t begun = now();
        const trouble meets = trouble_of(word);
        const bool limits = meets == trouble::limited || meets == trouble::ended;
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        const std::string line =
            told(orders{one_word(of_->name), path_, shown_ + 1, most, ends[1],
                        static_cast<int>(meets), limits ? 4096 + word / 16 % (320 * 1024) : 0});
        const pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            close(ends[0]);
            setenv("COFFER_KILL_WRITER", line.c_str(), 1);
            const char* const arguments[] = {"writer", "a writer that is killed", nullptr};
            execv("/proc/self/exe", const_cast<char**>(arguments));
            _exit(127);
        }
        close(ends[1]);
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        std::uint64_t until = begun + early % (opening_ + opening_ / 8);
        if (early == 0) {
            const std::uint64_t deadline = begun + (limits ? 50'000'000 : 20'000'000'000);
            while (notes_.empty() && now() < deadline) drain(ends[0], 20);
            if (!limits) opening_ = now() - begun;
            until = now() + static_cast<std::uint64_t>(milliseconds) * 1'000'000;
            while (now() < until) drain(ends[0], 1);
        }
        pass_until(until);
        const std::uint64_t rested = meets == trouble::stopped ? stop(child, word / 16) : 0;
        const std::uint64_t killed_at = now() - rested;
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        drain(ends[0], 0);
        close(ends[0]);
        const bool may_end =
            meets == trouble::ended && WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ;
        if (!may_end && (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL))
            complain("the writer ended by itself");
        if (notes_.empty() && early == 0 && !limits) complain("the writer wrote nothing");
        idle_ += notes_.empty();
        stopped_ += meets == trouble::stopped;
        limited_ += limits;
        forked_ += meets == trouble::forks;
        return limits ? 0 : killed_at;
    }

    /// Stops a writer for a while; every second one goes on then, for some milliseconds. For how
    /// long it rested, in nanoseconds.
    std::uint64_t stop(pid_t writer, std::uint64_t word) {
        const std::uint64_t begun = now();
        kill(writer, SIGSTOP);
        int status = 0;
        if (waitpid(writer, &status, WUNTRACED) != writer || !WIFSTOPPED(status)) {
            complain("the writer cannot be stopped");
            return 0;
        }
        if (!notes_.empty()) {  // it holds the store
            coffer::options at_once = kill_options();
            at_once.lock_timeout = {};
            auto taken = of_->open(path_, at_once, coffer::fs::native());
            if (taken || taken.error().kind() != coffer::errc::locked)
                complain("the store of a stopped writer is not locked");
        }
        pass_until(now() + word % 12 * 1'000'000);
        const std::uint64_t rested = now() - begun;
        if (word / 16 % 2 == 0) return rested;
        kill(writer, SIGCONT);
        pass_until(now() + word / 32 % 5000 * 1000);
        return rested;
    }

    void drain(int pipe, int milliseconds) {
        pollfd ready{pipe, POLLIN, 0};
        if (poll(&ready, 1, milliseconds) < 0) return;
        note some[256];
        for (;;) {
            const ssize_t got = read(pipe, some, sizeof some);  // a note is never torn: it is small
            if (got <= 0) return;
            notes_.insert(notes_.end(), some, some + static_cast<std::size_t>(got) / sizeof(note));
        }
    }

    void judge(std::uint64_t killed_at) {
        auto opened = of_->open(path_, kill_options(), coffer::fs::native());
        if (!opened) return complain(std::string("open: ") + opened.error().what());
        auto found = (*opened)->all();
        if (!found) return complain(std::string("reading everything: ") + found.error().what());
        const auto last = found->find("last");
        const std::uint64_t shown = last == found->end() ? 0 : std::stoull(last->second);
        const std::uint64_t returned = notes_.empty() ? shown_ : notes_.back().number;
        if (shown < shown_) return complain("what an earlier open has shown is gone");
        if (shown > returned + 1) return complain("holds a commit that was never begun");
        while (shown_ < shown) crash::apply(commit_of(++shown_), state_);
        if (*found != state_) {
            return complain("is not the result of the first " + std::to_string(shown) + " commits");
        }
        if (shown < returned) measure_loss(shown, killed_at);
        auto checked = (*opened)->verify();
        if (!checked || !checked->ok()) complain("verify() finds damage");
        if (kills_ % 3 != 0) {
            if (auto closed = (*opened)->close(); !closed) complain(closed.error().what());
        } else if (auto flushed = (*opened)->flush(); !flushed) {
            complain(flushed.error().what());
        }
    }

    /// What was lost, against the promise.
    void measure_loss(std::uint64_t shown, std::uint64_t killed_at) {
        const std::uint64_t returned = notes_.back().number;
        if (of_->keeps_after_kill()) {
            complain("lost " + std::to_string(returned - shown) + " commits that had returned");
            return;
        }
        std::uint64_t lost = 0;
        for (std::uint64_t each = shown + 1; each <= returned; ++each) lost += bytes_of(each);
        std::uint64_t age = 0;
        for (const note& each : notes_) {
            if (each.number == shown + 1 && killed_at > each.when) age = killed_at - each.when;
        }
        most_commits_ = (std::max)(most_commits_, returned - shown);
        most_bytes_ = (std::max)(most_bytes_, lost);
        oldest_ = (std::max)(oldest_, age);
        const coffer::options chosen = kill_options();
        const bool buffers = of_->policy == durable::buffered;
        const std::uint64_t bytes = buffers ? chosen.buffer_bytes : chosen.max_bytes;
        const auto delay = buffers ? chosen.interval : chosen.max_delay;
        constexpr std::uint64_t slack = 100'000'000;  // for a machine that is busy
        if (lost > bytes + 4096) complain("lost " + std::to_string(lost) + " bytes");
        if (age > static_cast<std::uint64_t>(delay.count()) + slack * (sanitized() ? 10 : 1)) {
            complain("lost a commit that was " + std::to_string(age / 1000) + " us old");
        }
    }

    void complain(const std::string& what) {
        told_.push_back(of_->name + ", kill " + std::to_string(kills_) + ": " + what);
    }

    const native_subject* of_;
    std::string path_;
    std::uint64_t shown_ = 0;  // by the last open
    contents state_;           // after so many commits
    std::uint64_t kills_ = 0;
    std::uint64_t survived_ = 0;  // in stores before this one
    std::uint64_t idle_ = 0;      // writers that were killed before their first commit
    std::uint64_t stopped_ = 0, limited_ = 0, forked_ = 0;  // writers: see trouble
    std::uint64_t opening_ = 20'000'000;  // nanoseconds from a start to the first commit
    std::vector<note> notes_;
    proof::stopwatch watch_;
    std::uint64_t most_commits_ = 0;
    std::uint64_t most_bytes_ = 0;
    std::uint64_t oldest_ = 0;
    std::vector<std::string> told_;
};

void kill_all(const std::string& beginning) {
    const char* const chosen = std::getenv("COFFER_KILLS");
    const std::uint64_t kills = chosen != nullptr ? std::stoull(chosen) : sanitized() ? 5 : 63;
    for (const native_subject& each : all_subjects()) {
        if (each.name.rfind(beginning, 0) != 0) continue;
        char path[] = "coffer-kill-XXXXXX";
        REQUIRE(mkdtemp(path) != nullptr);
        killer rounds(each, std::string(path) + "/store");
        for (std::uint64_t i = 0; i < kills && rounds.violations().size() < 5; ++i) rounds.round(i);
        rounds.report();
        for (const std::string& told : rounds.violations()) UNSCOPED_INFO(told);
        CHECK(rounds.violations().empty());
        if (!rounds.violations().empty()) continue;
        remove_store(std::string(path) + "/store");
        ::rmdir(path);
    }
}

}  // namespace

TEST_CASE("a writer that is killed", "[.][.]") {
    const char* const line = std::getenv("COFFER_KILL_WRITER");
    if (line == nullptr) return;
    const orders given = orders_of(line);
    for (const native_subject& each : all_subjects()) {
        if (one_word(each.name) == given.subject) write_for_ever(each, given);
    }
}

TEST_CASE("killed writers of file_log lose no more than they may", "[crash]") {
    kill_all("file_log");
}
TEST_CASE("killed writers of mmap lose no more than they may", "[crash]") {
    kill_all("mmap");
}

#endif
