// Turns: one at a time, whoever waits gets it. Run under ThreadSanitizer.
#include <coffer/journal/turn.hpp>

#include "catch.hpp"

#include <atomic>
#include <cstdint>
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

TEST_CASE("who waits for what is done already gets no turn", "[turn]") {
    turn<threading::multi> one;
    CHECK_FALSE(one.take_unless([] { return true; }));
    const auto mine = one.take_unless([] { return false; });
    CHECK(mine);
    CHECK_FALSE(one.take_unless([] { return true; }));  // although another has it
}

TEST_CASE("one turn works for all who wait", "[turn][threads]") {
    turn<threading::multi> one;
    constexpr std::uint64_t rounds = 500, workers = 4;
    std::atomic<std::uint64_t> alive{workers};
    std::atomic<std::uint64_t> asked{0};
    std::atomic<std::uint64_t> served{0};
    std::atomic<std::uint64_t> turns{0};
    std::atomic<std::uint64_t> early{0};
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < workers; ++i) {
        threads.emplace_back([&] {
            for (std::uint64_t round = 0; round < rounds; ++round) {
                const std::uint64_t mine = asked.fetch_add(1) + 1;
                if (const auto alone = one.take_unless([&] { return served.load() >= mine; })) {
                    one.gather();
                    ++turns;
                    const std::uint64_t upto = asked.load();
                    // The work lasts until everybody else waits, for this turn or a later one.
                    while (asked.load() - served.load() < alive.load()) std::this_thread::yield();
                    served.store(upto);
                }
                early += served.load() < mine;
            }
            --alive;
        });
    }
    for (std::thread& each : threads) each.join();
    CHECK(early.load() == 0);
    CHECK(served.load() == workers * rounds);
    CHECK(turns.load() <= workers * rounds / 2 + workers);  // two turns serve everybody
}

TEST_CASE("who gathers alone does not wait for long", "[turn]") {
    turn<threading::multi> one;
    for (int i = 0; i < 3; ++i) {
        const auto mine = one.take();
        one.gather();
    }
    turn<threading::single> alone;
    const auto mine = alone.take();
    alone.gather();
}
