// Suite S10: a process that writes is killed, on a real file system, again and again.
//
// The parent starts this program again as a writer, lets it write for a random time of 0 to 50 ms,
// kills it with SIGKILL, opens the store, and judges it. Then the next writer goes on with the same
// store. Commit number n is a function of n, so the parent knows every state that the store may be
// in; the writer reports each commit through a pipe after the call has returned. One in four is
// killed at any time from its start, mostly while it opens; each 25th begins a new store, and is
// killed while it makes it.
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
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
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
    return chosen;
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

std::vector<native_subject> all_subjects() {
    auto all = native_file_log();
    for (auto& each : native_mmap()) all.push_back(each);
    return all;
}

/// Writes until it is killed. Falls silent after `most` commits, if that is not 0.
void write_for_ever(const native_subject& of, const std::string& path, std::uint64_t first,
                    std::uint64_t most, int pipe) {
    auto store = of.open(path, kill_options(), coffer::fs::native()).value();
    for (std::uint64_t number = first; most == 0 || number < first + most; ++number) {
        const commit changes = commit_of(number);
        if (changes.size() == 1) {
            store->put(changes[0].key, changes[0].value).value();
        } else {
            store->write(changes).value();
        }
        const note done{number, now()};
        if (::write(pipe, &done, sizeof done) != sizeof done) std::abort();
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
        const std::uint64_t word = coffer::detail::mix(number, seed ^ shown_);
        // One in four writers stops early, so that it is silent for a while when it is killed.
        const std::uint64_t most = word % 4 == 0 ? 1 + word / 4 % 200 : 0;
        // From 0 to 50 ms, and short for the most part: more happens while little is written.
        const auto lives = static_cast<int>(word / 1024 % 51 * (word / 65536 % 51) / 50);
        const bool anew = number % 25 == 24;
        if (anew) begin_anew();
        const bool early = anew || word / 4096 % 4 == 0;
        const std::uint64_t killed_at = run_writer(most, lives, early ? word >> 32 : 0);
        ++kills_;
        judge(killed_at);
    }

    void report() const {
        std::printf(
            "%s: %llu commits survived, %llu writers had not begun one; of those that had returned "
            "at most %llu, %llu bytes, %.1f ms old, were lost at once\n",
            of_->name.c_str(), static_cast<unsigned long long>(survived_ + shown_),
            static_cast<unsigned long long>(idle_), static_cast<unsigned long long>(most_commits_),
            static_cast<unsigned long long>(most_bytes_), static_cast<double>(oldest_) / 1e6);
        proof::tell("S10 killed writers", of_->name,
                    {kills_, "kills", told_.size(), watch_.seconds(), seed});
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
    /// if `early` is not 0, for a time that depends on it, and on how long the last one took.
    std::uint64_t run_writer(std::uint64_t most, int milliseconds, std::uint64_t early) {
        notes_.clear();
        const std::uint64_t begun = now();
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        const std::string line = of_->name + "\n" + path_ + "\n" + std::to_string(shown_ + 1) +
                                 "\n" + std::to_string(most) + "\n" + std::to_string(ends[1]) +
                                 "\n";
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
            const std::uint64_t deadline = begun + 20'000'000'000;
            while (notes_.empty() && now() < deadline) drain(ends[0], 20);
            opening_ = now() - begun;
            until = now() + static_cast<std::uint64_t>(milliseconds) * 1'000'000;
            while (now() < until) drain(ends[0], 1);
        }
        while (now() < until) std::this_thread::yield();
        const std::uint64_t killed_at = now();
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        drain(ends[0], 0);
        close(ends[0]);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
            complain("the writer ended by itself");
        if (notes_.empty() && early == 0) complain("the writer wrote nothing");
        idle_ += notes_.empty();
        return killed_at;
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
    std::uint64_t survived_ = 0;          // in stores before this one
    std::uint64_t idle_ = 0;              // writers that were killed before their first commit
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
    const char* const told = std::getenv("COFFER_KILL_WRITER");
    if (told == nullptr) return;
    std::vector<std::string> lines;
    for (const char* at = told; *at != '\0'; at = std::strchr(at, '\n') + 1) {
        lines.emplace_back(at, std::strchr(at, '\n'));
    }
    for (const native_subject& each : all_subjects()) {
        if (each.name != lines.at(0)) continue;
        write_for_ever(each, lines.at(1), std::stoull(lines.at(2)), std::stoull(lines.at(3)),
                       std::stoi(lines.at(4)));
    }
}

TEST_CASE("killed writers of file_log lose no more than they may", "[crash]") {
    kill_all("file_log");
}
TEST_CASE("killed writers of mmap lose no more than they may", "[crash]") {
    kill_all("mmap");
}

#endif
