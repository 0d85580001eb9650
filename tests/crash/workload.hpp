// tests/crash/workload.hpp: short runs of a store on a simulated disk, and every moment in them.
//
// A `run` opens a store, does a few operations of the alphabet below, closes it, and keeps a copy
// of the disk before each call that changes it and after each operation: the points at which the
// process may end or the power fail. What a point may leave is known from a history. Points are
// judged afterwards, so that judging does not disturb the run.
#ifndef COFFER_TESTS_CRASH_WORKLOAD_HPP
#define COFFER_TESTS_CRASH_WORKLOAD_HPP

#include "crash/oracle.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crash {

using coffer::fs::simulated;

enum class operation : unsigned char {
    put_small,
    put_empty,
    put_large,
    overwrite,
    erase,
    batch,
    batch_same_key,
    sync,
    flush,
    compact,
    reopen,
    fail_next_sync,
    wait,  // time passes: policies with an interval act on it
};
inline constexpr std::string_view operation_names[] = {
    "put-small", "put-empty", "put-large", "overwrite", "erase",          "batch", "batch-same-key",
    "sync",      "flush",     "compact",   "reopen",    "fail-next-sync", "wait"};
inline constexpr std::size_t alphabet = 12;  // wait stands apart

using workload = std::vector<operation>;

inline std::string told(const workload& all) {
    std::string text;
    for (const operation each : all) {
        text += text.empty() ? "" : ", ";
        text += operation_names[static_cast<unsigned>(each)];
    }
    return text;
}

inline constexpr const char* folder = "/s";

/// Where a workload runs.
struct scene {
    std::string name;
    simulated disk;                 // copied for each run
    std::vector<contents> written;  // by the store on it: what is durable, and what came after
    std::vector<contents> before;   // until then
    coffer::options chosen;
    std::size_t large;          // size of a large value
    std::uint64_t failing = 1;  // which sync fail-next-sync lets fail: 1 is the next one
    bool reverts = false;       // a failed sync takes back what it was to save: mode F4
    bool lies = false;          // a failed sync is reported as a success, the next one fails: F2
};

/// A moment at which everything may end.
struct point {
    simulated disk;
    prospects may;
    std::string where;
    std::uint64_t faults;  // that its disk had answered with
};

/// What went wrong, and all that is needed to see it again.
struct violation {
    std::string where;
    std::string what;
};

/// The keys and values of an operation; `number` is its place in the workload.
inline commit changes_of(operation is, std::size_t number, const scene& in) {
    using kind = change::kind;
    const std::string digit = std::to_string(number);
    switch (is) {
        case operation::put_small:
            return {{kind::put, "small" + digit, "value " + digit}};
        case operation::put_empty:
            return {{kind::put, "", ""}};
        case operation::put_large:
            return {{kind::put, "large", std::string(in.large, static_cast<char>('A' + number))}};
        case operation::overwrite:
            return {{kind::put, "a", "overwritten " + digit}};
        case operation::erase:
            return {{kind::erase, number % 2 == 0 ? "b" : "c"}};
        case operation::batch:
            return {{kind::put, "batched" + digit, "first"},
                    {kind::erase, "c"},
                    {kind::put, "a", "in a batch " + digit}};
        case operation::batch_same_key:
            return {{kind::put, "twice", "early " + digit}, {kind::put, "twice", "late " + digit}};
        default:
            return {};
    }
}

class run {
public:
    run(const simulated_subject& of, const scene& in)
        : of_(&of),
          scene_(&in),
          disk_(in.disk.process_killed()),
          history_(of, in.written, in.before),
          seen_(in.written.back()) {}
    run(const run&) = delete;
    run& operator=(const run&) = delete;
    ~run() { disk_.clear_step_hook(); }

    /// What each operation came to, "open" and "close" among them.
    struct event {
        std::string what;
        std::optional<coffer::errc> failure;
        std::uint64_t faults = 0;  // that the disk had answered with until then
    };

    /// Calls `f(step, disk)` before each call that changes the disk, on the thread that makes it.
    void watch_steps(std::function<void(const coffer::fs::step&, const simulated&)> f) {
        watching_steps_ = std::move(f);
    }
    /// Calls `f(disk)` whenever a write has returned.
    void watch_writes(std::function<void(const simulated&)> f) { watching_writes_ = std::move(f); }
    /// Operations may fail: the disk was told to fail some calls.
    void expect_failures() noexcept { armed_ = true; }
    /// Operations may be refused for want of space, and then change nothing.
    void expect_full_disk() noexcept { armed_ = fills_ = true; }

    /// Opens, does `all`, closes. Keeps the points from operation `from` on; 0: from the beginning.
    void play(const workload& all, std::size_t from) {
        disk_.set_step_hook([this](const coffer::fs::step& next) {
            if (watching_steps_) watching_steps_(next, disk_);
            keep(std::string("before ") + name_of(next.is) + " " + next.path + " [" +
                 std::to_string(next.offset) + ", +" + std::to_string(next.length) + ") of ");
        });
        record(from == 0);
        open();
        for (std::size_t i = 0; i < all.size() && store_; ++i) {
            record(i + 1 >= from);
            begin(std::string(operation_names[static_cast<unsigned>(all[i])]));
            perform(all[i], i);
            keep("after ");
            look();
        }
        record(true);
        begin("close");
        close();
        keep("after ");
        disk_.clear_step_hook();
    }

    [[nodiscard]] std::vector<point>& points() noexcept { return points_; }
    [[nodiscard]] const std::vector<violation>& violations() const noexcept { return violations_; }
    [[nodiscard]] bool is_opening() {
        const std::unique_lock<std::mutex> held(guard_);
        return now_ == "open";
    }
    [[nodiscard]] const std::vector<event>& events() const noexcept { return events_; }
    [[nodiscard]] const simulated& disk() const noexcept { return disk_; }

private:
    void begin(std::string what) {
        const std::unique_lock<std::mutex> held(guard_);
        now_ = std::move(what);
    }

    void record(bool points) {
        const std::unique_lock<std::mutex> held(guard_);
        recording_ = points;
    }

    /// From any thread. `when` stands before the name of what is being done.
    void keep(const std::string& when) {
        const std::unique_lock<std::mutex> held(guard_);
        note_reversion();
        if (!recording_) return;
        simulated copy = disk_;
        prospects may = history_.at([&] { copy = disk_.process_killed(); });
        points_.push_back({std::move(copy), std::move(may), when + now_, disk_.faults()});
    }

    /// What the system has thrown away is lost to a killed process too.
    void note_reversion() {
        if (!scene_->reverts || reverted_ || disk_.faults() == 0) return;
        reverted_ = true;
        history_.lost_what_was_not_synced();
    }

    void complain(const std::string& what) { violations_.push_back({now_, what}); }

    /// Where the system takes bytes away under a map, and be it that of a full segment, reading
    /// them is an error, never a wrong value.
    void complain_of(const coffer::error& cause) {
        if (armed_ && scene_->reverts && cause.kind() == coffer::errc::corruption) return;
        complain(std::string("reading everything: ") + cause.what());
    }

    void open() {
        begin("open");
        poisoned_ = false;
        auto opened = of_->open(folder, scene_->chosen, disk_);
        note(opened);
        if (!opened) return failed(opened.error());
        {
            const std::unique_lock<std::mutex> held(guard_);
            note_reversion();
        }
        auto found = (*opened)->all();
        if (!found) {
            complain_of(found.error());
        } else if (!history_.shown(*found)) {
            complain("open() shows " + told(*found) + ", expected " +
                     history_.at([] {}).after_kill->told());
        } else {
            seen_ = std::move(*found);
        }
        store_ = std::move(*opened);
    }

    void close() {
        if (!store_) return;
        const auto closed = store_->close();
        note(closed);
        store_.reset();
        if (closed) {
            history_.synced();
        } else {
            failed(closed.error());
        }
    }

    template <class Result>
    void note(const Result& done) {
        std::optional<coffer::errc> failure;
        if (!done) failure = done.error().kind();
        events_.push_back({now_, failure, disk_.faults()});
    }

    void failed(const coffer::error& cause) {
        if (armed_) return;
        complain(std::string("failed though nothing was made to fail: ") + cause.what());
    }

    void perform(operation is, std::size_t number) {
        switch (is) {
            case operation::sync: {
                auto done = store_->sync();
                note(done);
                done ? history_.synced() : failed(done.error());
                break;
            }
            case operation::flush: {
                auto done = store_->flush();
                note(done);
                done ? history_.flushed() : failed(done.error());
                break;
            }
            case operation::compact: {
                auto done = store_->compact();
                note(done);
                if (!done) failed(done.error());
                break;
            }
            case operation::reopen:
                close();
                open();
                break;
            case operation::fail_next_sync:
                armed_ = true;
                disk_.fail_call(scene_->failing, {},
                                of_->mapped ? coffer::fs::call::sync_map : coffer::fs::call::sync);
                break;
            case operation::wait:
                disk_.advance(2'000'000'000);
                break;
            case operation::erase:
                write(changes_of(is, number, *scene_), true);
                break;
            default:
                write(changes_of(is, number, *scene_), false);
                break;
        }
    }

    void write(const commit& changes, bool erases) {
        history_.begin(changes);
        coffer::result<bool> done = true;
        if (erases) {
            done = store_->erase(changes[0].key);
        } else {
            auto put = changes.size() == 1 ? store_->put(changes[0].key, changes[0].value)
                                           : store_->write(changes);
            if (!put) done = put.failure();
        }
        note(done);
        if (done && *done && watching_writes_) watching_writes_(disk_);
        if (done && erases && *done != (seen_.count(changes[0].key) != 0)) {
            complain("erase() says that the key was " + std::string(*done ? "" : "not ") + "there");
        }
        if (done && *done) {
            history_.returned();
            apply(changes, seen_);
        } else if (done || poisoned_ || !of_->hides() ||
                   (fills_ && done.error().kind() == coffer::errc::no_space)) {
            history_.had_no_effect();  // it was refused before it had a place in the log
        } else {
            history_.failed();  // also if it was under way when another thread's sync failed
        }
        poisoned_ |= !done && done.error().kind() == coffer::errc::poisoned;
        if (!done) failed(done.error());
    }

    /// The running store shows what returned, and nothing of what failed.
    void look() {
        if (!store_) return;
        auto found = store_->all();
        if (!found) {
            complain_of(found.error());
        } else if (*found != seen_) {
            complain("the running store shows " + told(*found) + ", expected " + told(seen_));
        }
    }

    const simulated_subject* of_;
    const scene* scene_;
    simulated disk_;
    history history_;
    contents seen_;
    std::unique_ptr<opened> store_;
    bool armed_ = false;
    bool fills_ = false;
    bool poisoned_ = false;
    bool reverted_ = false;
    std::mutex guard_;  // guards what the hook uses
    std::string now_;
    bool recording_ = false;
    std::vector<point> points_;
    std::vector<violation> violations_;
    std::vector<event> events_;
    std::function<void(const coffer::fs::step&, const simulated&)> watching_steps_;
    std::function<void(const simulated&)> watching_writes_;
};

}  // namespace crash

#endif
