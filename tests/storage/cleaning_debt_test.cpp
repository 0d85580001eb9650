// Writers wait for a cleaner that is late, for no longer than it works and than their patience lasts.
// Run under ThreadSanitizer.
#include <coffer/storage/cleaning_debt.hpp>

#include <coffer/fs/simulated.hpp>

#include "catch.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

namespace {

using coffer::fs::simulated;

/// Counts how often somebody begins to wait.
struct watched : simulated {
    template <class Condition, class Lock>
    void wait_until(Condition& condition, Lock& lock, std::uint64_t deadline) const {
        ++*waits;
        simulated::wait_until(condition, lock, deadline);
    }
    std::shared_ptr<std::atomic<std::uint64_t>> waits =
        std::make_shared<std::atomic<std::uint64_t>>(0);
};
using debt = coffer::detail::cleaning_debt<watched, coffer::threading::multi>;

/// A writer of so many bytes on a thread of its own.
class writer {
public:
    writer(debt& owed, std::uint64_t bytes)
        : thread_([this, &owed, bytes] {
              owed.pay(bytes);
              done_ = true;
          }) {}
    writer(const writer&) = delete;
    writer& operator=(const writer&) = delete;
    ~writer() { wait(); }

    [[nodiscard]] bool done() const { return done_; }
    void wait() {
        if (thread_.joinable()) thread_.join();
    }

private:
    std::atomic<bool> done_{false};
    std::thread thread_;
};

/// Returns when `count` writers have looked once more at what they wait for, or one has not.
void look_again(const watched& system, std::uint64_t count, const writer& one) {
    const std::uint64_t before = *system.waits;
    while (!one.done() && *system.waits < before + 4 * count) std::this_thread::yield();
}

}  // namespace

TEST_CASE("a writer does not wait for a cleaner that is not late", "[cleaning_debt]") {
    const watched system;
    debt owed{system};
    CHECK_FALSE(owed.is_late());
    owed.pay(1 << 20);
    owed.call();
    CHECK(owed.is_late());
    owed.forgive();
    CHECK_FALSE(owed.is_late());
    owed.pay(1 << 20);
}

TEST_CASE("a writer waits until its debt is worked off", "[cleaning_debt][threads]") {
    const watched system;
    debt owed{system};
    owed.call();
    writer waits(owed, 100);
    look_again(system, 1, waits);
    CHECK_FALSE(waits.done());
    owed.work_off(100 * debt::share - 1);
    look_again(system, 1, waits);
    CHECK_FALSE(waits.done());
    owed.work_off(1);
    waits.wait();
    CHECK(waits.done());
    CHECK(owed.is_late());
}

TEST_CASE("what is worked off ahead is not owed any more", "[cleaning_debt]") {
    const watched system;
    debt owed{system};
    owed.call();
    owed.work_off(10 * 100 * debt::share);
    for (int i = 0; i < 10; ++i) owed.pay(100);
    owed.forgive();
    owed.call();  // from nothing again
    writer waits(owed, 1);
    look_again(system, 1, waits);
    CHECK_FALSE(waits.done());
    owed.forgive();
}

TEST_CASE("D1: when the cleaner rests, all go on", "[cleaning_debt][threads]") {
    const watched system;
    debt owed{system};
    owed.call();
    {
        writer one(owed, 1000);
        writer another(owed, 1000);
        look_again(system, 2, one);
        CHECK_FALSE(one.done());
        CHECK_FALSE(another.done());
        owed.forgive();
    }
    CHECK_FALSE(owed.is_late());
}

TEST_CASE("D2: a writer's patience ends", "[cleaning_debt][threads]") {
    const watched system;
    debt owed{system};
    owed.call();
    writer waits(owed, 1000);
    look_again(system, 1, waits);
    system.advance(1'999'999);
    look_again(system, 1, waits);
    CHECK_FALSE(waits.done());
    system.advance(1);  // two milliseconds: docs/contract.md
    waits.wait();
    CHECK(owed.is_late());
}
