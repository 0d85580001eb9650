// Turns: one at a time, whoever waits gets it. Run under ThreadSanitizer.
#include <coffer/journal/turn.hpp>

#include "catch.hpp"

#include <atomic>
#include <thread>
#include <vector>

namespace threading = coffer::threading;
using coffer::detail::turn;

TEST_CASE("a turn ends with the block, under every policy", "[turn]") {
    turn<threading::single> alone;
    { const auto mine = alone.take(); }
    { const auto mine = alone.take(); }
    turn<threading::multi> shared;
    { const auto mine = shared.take(); }
    { const auto mine = shared.take(); }
}

TEST_CASE("whoever has the turn works alone", "[turn][threads]") {
    turn<threading::multi> one;
    std::uint64_t plain = 0;  // guarded by the turn alone
    std::atomic<int> inside{0};
    std::atomic<int> together{0};
    constexpr int rounds = 3000;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < rounds; ++round) {
                const auto mine = one.take();
                if (inside.fetch_add(1) != 0) ++together;
                ++plain;
                inside.fetch_sub(1);
            }
        });
    }
    for (std::thread& each : threads) each.join();
    CHECK(together.load() == 0);
    CHECK(plain == 4 * rounds);
}

TEST_CASE("nobody gets the turn while another has it", "[turn][threads]") {
    turn<threading::multi> one;
    std::atomic<bool> ended{false};
    std::atomic<bool> too_early{false};
    std::thread other;
    {
        const auto mine = one.take();
        other = std::thread([&] {
            const auto theirs = one.take();
            too_early = !ended.load();
        });
        for (int i = 0; i < 1000; ++i) std::this_thread::yield();
        ended = true;
    }
    other.join();
    CHECK_FALSE(too_early.load());
}
