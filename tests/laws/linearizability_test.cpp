// The checker of histories accepts what may be and rejects what may not: a judge must be judged.
#include "linearizability.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "histories.hpp"
#include "model.hpp"

using namespace laws;

namespace {

using kind = event::kind;

event at(std::uint64_t called, std::uint64_t returned, event what) {
    what.called = called;
    what.returned = returned;
    return what;
}
event put(std::size_t key, std::uint32_t value) {
    return {kind::put, key, value};
}
event get(std::size_t key, std::uint32_t value) {
    return {kind::get, key, value};
}
event insert(std::size_t key, std::uint32_t value, bool did) {
    return {kind::insert, key, value, did};
}
event erase(std::size_t key, bool did) {
    return {kind::erase, key, 0, did};
}
event has(std::size_t key, bool does) {
    return {kind::has, key, 0, does};
}
event clear() {
    event out{kind::batch};
    out.clears = true;
    return out;
}
event batch(std::optional<std::uint32_t> a, std::optional<std::uint32_t> b) {
    event out{kind::batch};
    out.writes[0] = a;
    out.writes[1] = b;
    return out;
}

}  // namespace

TEST_CASE("histories: one after the other") {
    CHECK(is_linearizable({}));
    CHECK(is_linearizable(
        {at(1, 2, put(0, 7)), at(3, 4, get(0, 7)), at(5, 6, erase(0, true)), at(7, 8, get(0, 0))}));
    CHECK_FALSE(is_linearizable({at(1, 2, put(0, 7)), at(3, 4, get(0, 0))}));  // lost
    CHECK_FALSE(is_linearizable({at(1, 2, get(0, 7)), at(3, 4, put(0, 7))}));  // from the future
    CHECK_FALSE(
        is_linearizable({at(1, 2, put(0, 7)), at(3, 4, put(0, 8)), at(5, 6, get(0, 7))}));  // stale
    CHECK_FALSE(is_linearizable({at(1, 2, put(0, 7)), at(3, 4, insert(0, 8, true))}));
    CHECK_FALSE(is_linearizable({at(1, 2, erase(0, true))}));
    CHECK_FALSE(is_linearizable({at(1, 2, put(0, 7)), at(3, 4, clear()), at(5, 6, get(0, 7))}));
}

TEST_CASE("histories: what overlaps may come in either order") {
    CHECK(is_linearizable({at(1, 4, put(0, 7)), at(2, 3, get(0, 0))}));
    CHECK(is_linearizable({at(1, 4, put(0, 7)), at(2, 3, get(0, 7))}));
    CHECK(is_linearizable({at(1, 4, put(0, 1)), at(2, 3, put(0, 2)), at(5, 6, get(0, 1))}));
    CHECK(is_linearizable({at(1, 4, put(0, 1)), at(2, 3, put(0, 2)), at(5, 6, get(0, 2))}));
    // A write that would change nothing now may be needed later.
    CHECK(is_linearizable({at(1, 9, erase(0, true)), at(2, 8, batch(0, 5)), at(3, 4, put(0, 7)),
                           at(5, 6, get(0, 0)), at(10, 11, get(0, 0))},
                          {3, 0, 0, 0}));
    CHECK(is_linearizable({at(1, 9, batch(0, 5)), at(2, 3, put(0, 7)), at(10, 11, get(0, 0))}));
    // But not in both: two readers, one after the other, while one write is under way.
    CHECK(is_linearizable({at(1, 9, put(0, 7)), at(2, 3, get(0, 0)), at(4, 5, get(0, 7))}));
    CHECK_FALSE(is_linearizable({at(1, 9, put(0, 7)), at(2, 3, get(0, 7)), at(4, 5, get(0, 0))}));
}

TEST_CASE("histories: conditional writes are exclusive") {
    CHECK(is_linearizable(
        {at(1, 4, insert(0, 1, true)), at(2, 3, insert(0, 2, false)), at(5, 6, get(0, 1))}));
    CHECK_FALSE(
        is_linearizable({at(1, 4, insert(0, 1, true)), at(2, 3, insert(0, 2, true))}));  // both won
    CHECK_FALSE(is_linearizable(
        {at(1, 4, insert(0, 1, false)), at(2, 3, insert(0, 2, false))}));  // nobody did
    CHECK(is_linearizable(
        {at(1, 6, insert(0, 1, true)), at(2, 5, insert(0, 2, true)), at(3, 4, erase(0, true))}));
    CHECK_FALSE(
        is_linearizable({at(1, 2, put(0, 1)), at(3, 6, erase(0, true)), at(4, 5, erase(0, true))}));
}

TEST_CASE("histories: batches are seen whole") {
    CHECK(is_linearizable(
        {at(1, 8, batch(1, 2)), at(2, 3, get(0, 0)), at(4, 5, get(1, 2)), at(6, 7, get(0, 1))}));
    CHECK_FALSE(is_linearizable(
        {at(1, 8, batch(1, 2)), at(2, 3, get(0, 1)), at(4, 5, get(1, 0))}));  // half
    CHECK_FALSE(is_linearizable({at(1, 8, batch(1, 2)), at(2, 3, get(1, 2)), at(4, 5, get(0, 0))}));
    CHECK_FALSE(is_linearizable(
        {at(1, 2, put(0, 9)), at(3, 8, batch(0, 2)), at(4, 5, get(1, 2)), at(6, 7, get(0, 9))}));
    CHECK(is_linearizable({at(1, 2, put(1, 9)), at(3, 8, batch(4, std::nullopt)),
                           at(4, 5, get(0, 4)), at(6, 7, get(1, 9))}));
}

TEST_CASE("histories: they begin where the one before ended") {
    const key_values before{7, 0, 0, 0};
    CHECK(is_linearizable({at(1, 2, get(0, 7)), at(3, 4, insert(1, 8, true))}, before));
    CHECK_FALSE(is_linearizable({at(1, 2, get(0, 0))}, before));
    CHECK_FALSE(is_linearizable({at(1, 2, insert(0, 8, true))}, before));
}

TEST_CASE("histories: presence is read, too") {
    CHECK(is_linearizable({at(1, 4, put(0, 7)), at(2, 3, has(0, false)), at(5, 6, has(0, true))}));
    CHECK_FALSE(is_linearizable({at(1, 2, put(0, 7)), at(3, 4, has(0, false))}));
    CHECK_FALSE(
        is_linearizable({at(1, 9, put(0, 7)), at(2, 3, has(0, true)), at(4, 5, get(0, 0))}));
}

// Two keys that nobody changes meanwhile, and one that comes and goes.
TEST_CASE("histories: scans are reads of all they pass") {
    const key_group keys(0);
    const auto shown = [&](std::vector<std::size_t> met) {
        rows out;
        for (const std::size_t key : met)
            out.push_back({keys.names[key], text_of(static_cast<std::uint32_t>(key + 1))});
        return out;
    };
    const auto seen = [&](const rows& met) {
        history all{at(10, 11, erase(1, true)), at(20, 21, put(1, 2)), at(30, 31, erase(1, true)),
                    at(40, 41, put(1, 2))};
        const history reads = reads_in(met, keys, 0, 2, at(12, 35, get(0, 0)));
        all.insert(all.end(), reads.begin(), reads.end());
        return impossible(all, {1, 2, 3, 0});
    };
    CHECK(seen(shown({0, 1, 2})).empty());
    CHECK(seen(shown({0, 2})).empty());
    CHECK(seen(shown({0, 1, 2, 1})).empty());  // a walk in no order, and it was away in between
    CHECK(seen(shown({0, 1})).find("key 2 alone") == 0);        // misses one that stays
    CHECK(seen(shown({0, 1, 2, 2})).find("key 2 alone") == 0);  // meets it twice
    CHECK(seen(shown({})).find("key 0 alone") == 0);
    const history gone = reads_in(shown({3}), keys, 0, 3, at(12, 35, get(0, 0)));
    CHECK(impossible(gone).find("key 3 alone") == 0);  // shows one that is not there
    CHECK_THROWS_AS(reads_in({{keys.names[0], "7 but not all"}}, keys, 0, 0, {}), violation);
    CHECK_NOTHROW(expect_in_order(shown({0, 1, 3}), false));
    CHECK_NOTHROW(expect_in_order(shown({3, 1, 0}), true));
    CHECK_THROWS_AS(expect_in_order(shown({0, 2, 1}), false), violation);
    CHECK_THROWS_AS(expect_in_order(shown({2, 1, 1}), true), violation);
}

TEST_CASE("histories: what is wrong is told") {
    const history lost{at(1, 2, put(0, 7)), at(3, 4, get(1, 0)), at(5, 6, get(0, 0))};
    const std::string one = impossible(lost);
    CHECK(one.find("key 0 alone") == 0);
    CHECK(one.find("put 0 7") != std::string::npos);
    CHECK(one.find("get 1") == std::string::npos);
    const history half{at(1, 8, batch(1, 2)), at(2, 3, get(0, 1)), at(4, 5, get(1, 0))};
    CHECK(impossible(half).find("the keys together") == 0);
    CHECK(impossible({at(1, 2, put(0, 7)), at(3, 4, get(0, 7))}).empty());
}

// Eight threads that write and read all the time: more than one word of marks, and many orders.
TEST_CASE("histories: long ones") {
    history all;
    for (std::uint64_t i = 0; i < 40; ++i) {
        for (std::uint64_t thread = 0; thread < 8; ++thread) {
            const auto value = static_cast<std::uint32_t>(8 * i + thread + 1);
            all.push_back(at(100 * i + thread, 100 * i + 60 + thread, put(thread % 4, value)));
        }
        for (std::size_t key = 0; key < 4; ++key)
            all.push_back(at(100 * i + 70, 100 * i + 80,
                             get(key, static_cast<std::uint32_t>(8 * i + key + i % 2 * 4 + 1))));
    }
    CHECK(all.size() == 480);
    CHECK(is_linearizable(all));
    all.back().value = 7;
    CHECK_FALSE(is_linearizable(all));
    CHECK_THROWS_AS(is_linearizable(history(513)), std::length_error);
}

// Made histories: of a sequential run, widened at random, all are accepted; one changed answer in a
// run without overlap is always found.
TEST_CASE("histories: made at random") {
    random_numbers random(11);
    for (int round = 0; round < 300; ++round) {
        history made;
        key_values now{};
        for (std::uint64_t i = 0; i < 16; ++i) {
            event each;
            each.is = static_cast<kind>(random.below(6));
            each.key = random.below(history_keys);
            each.value = static_cast<std::uint32_t>(1 + random.below(5));
            if (each.is == kind::get) each.value = now[each.key];
            if (each.is == kind::insert) each.answer = now[each.key] == 0;
            if (each.is == kind::erase || each.is == kind::has) each.answer = now[each.key] != 0;
            if (each.is == kind::batch) {
                each.clears = random.one_in(2);
                each.writes[random.below(history_keys)] =
                    static_cast<std::uint32_t>(random.below(4));
            }
            REQUIRE(happens(each, now));
            made.push_back(at(100 * i + 50 - random.below(150) % (50 * (i + 1)),
                              100 * i + 60 + random.below(200), each));
        }
        CHECK(is_linearizable(made));
        history wrong = made;
        for (std::uint64_t i = 0; i < wrong.size(); ++i) wrong[i] = at(2 * i, 2 * i + 1, wrong[i]);
        CHECK(is_linearizable(wrong));
        event& changed = wrong[random.below(wrong.size())];
        if (changed.is == kind::get) ++changed.value;
        changed.answer = !changed.answer;
        const bool asks = changed.is != kind::put && changed.is != kind::batch;
        CHECK(is_linearizable(wrong) == !asks);
    }
}
