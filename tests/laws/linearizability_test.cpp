// The checker of histories accepts what may be and rejects what may not: a judge must be judged.
#include "linearizability.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "model.hpp"

using namespace laws;

namespace {

using kind = event::kind;

event at(std::uint64_t called, std::uint64_t returned, event what) {
    what.called = called;
    what.returned = returned;
    return what;
}
event put(std::size_t key, std::uint16_t value) {
    return {kind::put, key, value};
}
event get(std::size_t key, std::uint16_t value) {
    return {kind::get, key, value};
}
event insert(std::size_t key, std::uint16_t value, bool did) {
    return {kind::insert, key, value, did};
}
event erase(std::size_t key, bool did) {
    return {kind::erase, key, 0, did};
}
event clear() {
    return {kind::clear};
}
event batch(std::optional<std::uint16_t> a, std::optional<std::uint16_t> b) {
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
            each.value = static_cast<std::uint16_t>(1 + random.below(5));
            if (each.is == kind::get) each.value = now[each.key];
            if (each.is == kind::insert) each.answer = now[each.key] == 0;
            if (each.is == kind::erase) each.answer = now[each.key] != 0;
            if (each.is == kind::batch)
                each.writes[random.below(history_keys)] =
                    static_cast<std::uint16_t>(random.below(4));
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
        if (changed.is == kind::insert || changed.is == kind::erase)
            changed.answer = !changed.answer;
        const bool asks =
            changed.is == kind::get || changed.is == kind::insert || changed.is == kind::erase;
        CHECK(is_linearizable(wrong) == !asks);
    }
}
