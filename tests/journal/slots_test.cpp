// Slots of the segment table: each is out once at a time, low ones first, and comes back.
#include <coffer/journal/slots.hpp>

#include "catch.hpp"

#include <cstdint>
#include <random>
#include <set>

using coffer::detail::slot_pool;

TEST_CASE("slots are given out from 0 and used again", "[slots]") {
    slot_pool pool;
    for (std::uint32_t slot = 0; slot < 200; ++slot) CHECK(pool.take() == slot);
    pool.give(130);
    pool.give(2);
    CHECK(pool.take() == 2);
    CHECK(pool.take() == 130);
    CHECK(pool.take() == 200);
}

TEST_CASE("a store without a free slot is told what to do", "[slots]") {
    const auto none = coffer::result<void>(slot_pool::none_free());
    CHECK(none.error().kind() == coffer::errc::no_space);
    CHECK_THAT(none.error().what(), t::ContainsSubstring("compact"));
}

TEST_CASE("a slot may be taken out of order, as an image says", "[slots]") {
    slot_pool pool;
    CHECK(pool.take(5) == 5);
    CHECK(pool.take(2) == 2);
    std::set<std::uint32_t> rest;
    for (int i = 0; i < 4; ++i) rest.insert(pool.take());
    CHECK(rest == std::set<std::uint32_t>{0, 1, 3, 4});
    CHECK(pool.take() == 6);
}

TEST_CASE("when all slots are out, take says most_slots", "[slots]") {
    constexpr std::uint32_t all = coffer::detail::most_slots;
    slot_pool pool;
    std::uint32_t out = 0;
    while (out != all && pool.take() == out) ++out;
    CHECK(out == all);
    CHECK(pool.take() == all);
    pool.give(77);
    CHECK(pool.take() == 77);
    CHECK(pool.take() == all);
}

TEST_CASE("no slot is out twice", "[slots]") {
    slot_pool pool;
    std::set<std::uint32_t> out;
    std::mt19937 random(1);
    for (int i = 0; i < 5000; ++i) {
        if (out.empty() || random() % 3 != 0) {
            const std::uint32_t slot = pool.take();
            if (!out.insert(slot).second) FAIL("slot " << slot << " is out twice");
        } else {
            auto at = out.begin();
            std::advance(at, random() % out.size());
            pool.give(*at);
            out.erase(at);
        }
    }
    CHECK(*out.rbegin() < 5000);
}
