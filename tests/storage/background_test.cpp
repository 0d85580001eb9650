// The background thread: runs its job when due or woken, never after stop(). Run under
// ThreadSanitizer.
#include <coffer/storage/background.hpp>

#include <coffer/fs/simulated.hpp>

#include "catch.hpp"
#include "eventually.hpp"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

namespace threading = coffer::threading;
using coffer::fs::simulated;
using background = coffer::detail::background<simulated, threading::multi>;

struct counting_job {
    std::atomic<std::uint64_t> when{UINT64_MAX};
    std::atomic<std::uint64_t> asked{0};
    std::atomic<std::uint64_t> ran{0};
    std::atomic<std::uint64_t> at_once{0};  // how often it is due now, before `when` counts

    std::uint64_t due() {
        ++asked;
        if (at_once.load() != 0) return 0;
        return when.load();
    }
    void run() {
        if (at_once.load() != 0) {
            --at_once;
        } else {
            when = UINT64_MAX;
        }
        ++ran;
    }
};

}  // namespace

TEST_CASE("under single there is no thread, and the members do nothing", "[background]") {
    coffer::detail::background<simulated, threading::single> none{simulated()};
    counting_job job;
    job.at_once = 3;
    REQUIRE(none.start(job));
    none.wake();
    none.stop();
    CHECK(job.asked.load() == 0);
    CHECK(job.ran.load() == 0);
}

TEST_CASE("a job that is due now runs until it is not", "[background][threads]") {
    background thread{simulated()};
    counting_job job;
    job.at_once = 5;
    REQUIRE(thread.start(job));
    REQUIRE(t::eventually([&] { return job.ran.load() == 5; }));
    thread.stop();
    CHECK(job.ran.load() == 5);
}

TEST_CASE("a job that is not due runs when its time has come, or after a wake",
          "[background][threads]") {
    const simulated disk;
    background thread{disk};
    counting_job job;
    job.when = disk.now() + 1000;
    REQUIRE(thread.start(job));
    REQUIRE(t::eventually([&] { return job.asked.load() >= 2; }));  // it waits for the clock
    CHECK(job.ran.load() == 0);
    disk.advance(999);
    const std::uint64_t asked = job.asked.load();
    REQUIRE(t::eventually([&] { return job.asked.load() >= asked + 2; }));
    CHECK(job.ran.load() == 0);
    disk.advance(1);
    REQUIRE(t::eventually([&] { return job.ran.load() == 1; }));

    REQUIRE(t::eventually([&] { return job.asked.load() >= 3; }));
    job.at_once = 1;  // nobody has told the thread
    thread.wake();
    REQUIRE(t::eventually([&] { return job.ran.load() == 2; }));
    thread.stop();
}

TEST_CASE("no wake is lost, whenever it comes", "[background][threads]") {
    background thread{simulated()};
    counting_job job;
    REQUIRE(thread.start(job));
    for (std::uint64_t i = 1; i <= 2000; ++i) {
        job.at_once = 1;
        thread.wake();
        REQUIRE(t::eventually([&] { return job.ran.load() >= i; }));
    }
    thread.stop();
    CHECK(job.ran.load() == 2000);
}

TEST_CASE("who starts it again finds it started", "[background][threads]") {
    background thread{simulated()};
    counting_job job;
    thread.wake();  // before there is a thread
    std::atomic<int> started{0};
    std::vector<std::thread> starters;
    for (int i = 0; i < 4; ++i) {
        starters.emplace_back([&] { started += thread.start(job) ? 1 : 0; });
    }
    for (auto& each : starters) each.join();
    CHECK(started == 4);
    job.at_once = 1;
    thread.wake();
    REQUIRE(t::eventually([&] { return job.ran.load() == 1; }));
    thread.stop();
    CHECK(job.ran.load() == 1);
}

TEST_CASE("I1: the job is never run after stop", "[background][threads]") {
    for (int round = 0; round < 50; ++round) {
        background thread{simulated()};
        counting_job job;
        job.at_once = UINT64_MAX;
        REQUIRE(thread.start(job));
        thread.wake();
        thread.stop();
        const std::uint64_t ran = job.ran.load();
        thread.wake();
        thread.stop();  // twice is no harm
        if (job.ran.load() != ran) FAIL("it ran after stop");
    }
}

TEST_CASE("a thread that was never started can be stopped and destroyed", "[background]") {
    background thread{simulated()};
    thread.wake();
    thread.stop();
}

TEST_CASE("destruction stops", "[background][threads]") {
    counting_job job;
    job.at_once = UINT64_MAX;
    {
        background thread{simulated()};
        REQUIRE(thread.start(job));
        REQUIRE(t::eventually([&] { return job.ran.load() > 0; }));
    }
    const std::uint64_t ran = job.ran.load();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    CHECK(job.ran.load() == ran);
}
