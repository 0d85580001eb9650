// Ranges in key order: bounds, both directions, writes meanwhile, and the standard's concepts.
#include <coffer/config/platform.hpp>
#include <coffer/store/ordered.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

namespace {

using coffer::detail::bound;
using coffer::detail::limits;
using coffer::fs::simulated;
using S = coffer::store<std::string, int, coffer::storage::map, coffer::index::sorted,
                        coffer::threading::single, simulated>;
using range = S::range_type;
using model = std::map<std::string, int>;

template <class Range>
std::string keys(const Range& of) {
    std::string out;
    for (const auto& each : of) out.append(each.key).push_back(' ');
    return out;
}

template <class Range>
std::string keys_backwards(const Range& of) {
    std::string out;
    for (auto at = of.end(); at != of.begin();) out.append((*--at).key).push_back(' ');
    return out;
}

using filed = coffer::store<std::string, std::string, coffer::storage::file_log,
                            coffer::index::sorted, coffer::threading::single, simulated>;

/// What fills more than a segment is read from its file.
filed opened(const simulated& disk, std::uint64_t segment_bytes) {
    coffer::options chosen;
    chosen.segment_bytes = segment_bytes;
    return filed::open("/db", chosen, disk);
}

S alphabet() {
    S db;
    for (const char* key : {"a", "ab", "abc", "b", "ba", "c", "d"}) db.put(key, 1);
    return db;
}

}  // namespace

TEST_CASE("the standard takes a range for what it is", "[ordered]") {
    static_assert(std::ranges::bidirectional_range<range>);
    static_assert(std::ranges::view<range>);
    static_assert(std::ranges::borrowed_range<range>);
    static_assert(std::ranges::common_range<range>);
    static_assert(std::bidirectional_iterator<range::iterator>);
    S db = alphabet();
    std::string out;
    for (const auto& each : db.from("b") | std::views::reverse | std::views::take(2)) {
        out += each.key;
    }
    CHECK(out == "dc");
    const auto long_key = [](const auto& each) { return each.key.size() > 1; };
    CHECK(std::ranges::count_if(db.scan("a", "c"), long_key) == 3);
    CHECK(range().begin() == range().end());
}

TEST_CASE("the bounds of every kind of range", "[ordered]") {
    const S db = alphabet();
    CHECK(keys(db) == "a ab abc b ba c d ");
    CHECK(keys(db.scan("ab", "c")) == "ab abc b ba c ");
    CHECK(keys(db.range("ab", "c")) == "ab abc b ba ");
    CHECK(keys(db.from("ba")) == "ba c d ");
    CHECK(keys(db.prefix("ab")) == "ab abc ");
    CHECK(keys(db.prefix("")) == keys(db));
    CHECK(keys(db.scan("aa", "aa")).empty());
    CHECK(keys(db.scan("c", "a")).empty());  // turned round: nothing
    CHECK(keys(db.range("b", "b")).empty());
    CHECK(keys(db.scan("b", "b")) == "b ");
    CHECK(keys(db.from("e")).empty());
    CHECK(keys(db.prefix("z")).empty());
    CHECK((*db.lower_bound("b")).key == "b");
    CHECK((*db.upper_bound("b")).key == "ba");
    CHECK((*db.lower_bound("aba")).key == "abc");
    CHECK(db.lower_bound("e") == db.end());
    CHECK(db.upper_bound("d") == db.end());
    const S empty;
    CHECK(keys(empty).empty());
    CHECK(empty.begin() == empty.end());
}

TEST_CASE("backwards is forwards turned round, for every range", "[ordered]") {
    S db;
    for (int i = 0; i < 300; ++i) db.put("key" + std::to_string(i), i);
    for (const auto& each : {db.scan("key1", "key2"), db.range("key150", "key3"), db.from("key9"),
                             db.prefix("key1"), db.scan("x", "y"), db.from("")}) {
        std::vector<std::string> forwards;
        for (const auto& one : each) forwards.push_back(one.key);
        std::vector<std::string> backwards;
        for (auto at = each.end(); at != each.begin();) backwards.push_back((*--at).key);
        std::vector<std::string> shown;
        db.for_each_back(each, [&](std::string_view key, int) { shown.emplace_back(key); });
        CHECK(shown == backwards);
        std::reverse(backwards.begin(), backwards.end());
        CHECK(forwards == backwards);
        CHECK(std::is_sorted(forwards.begin(), forwards.end()));
    }
}

TEST_CASE("a walk that ends early reads nothing behind its end", "[ordered]") {
    const simulated disk;
    filed db = opened(disk, 16 * 1024);
    for (int i = 100; i < 200; ++i) db.put(std::to_string(i), std::string(300, 'v'));
    db.sync();
    REQUIRE(disk.flip("/db/0000000000000001.log", 5000, std::byte{1}));
    for (const bool back : {false, true}) {
        std::string last;
        int shown = 0;
        const auto visit = [&](std::string_view key, std::string_view) {
            last = key;
            return ++shown != 3;
        };
        // Records of some 320 bytes: the damage lies in that of 115.
        const auto ended = back ? db.try_for_each_back(db.range("100", "119"), visit)
                                : db.try_for_each(db.from("112"), visit);
        CHECK(ended);
        CHECK(last == (back ? "116" : "114"));
        const auto met = back ? db.try_for_each_back([](std::string_view, std::string_view) {})
                              : db.try_for_each([](std::string_view, std::string_view) {});
        REQUIRE_FALSE(met);
        CHECK(met.error().kind() == coffer::errc::corruption);
    }
}

#if COFFER_HAS_EXCEPTIONS
TEST_CASE("a step that throws leaves the iterator where it was", "[ordered]") {
    const bool back = GENERATE(false, true);
    const simulated disk;
    filed db = opened(disk, 64 * 1024);
    for (int i = 1000; i < 2000; ++i) db.put(std::to_string(i), std::string(300, 'v'));
    db.sync();
    const auto change = [&] { return disk.flip("/db/0000000000000001.log", 50'000, std::byte{1}); };
    const auto all = db.from("");
    auto at = back ? std::ranges::prev(all.end()) : all.begin();
    REQUIRE(change());
    int thrown = 0;
    int expected = back ? 1999 : 1000;
    while (expected != (back ? 1000 : 1999)) {
        REQUIRE((*at).key == std::to_string(expected));
        try {
            back ? --at : ++at;
            expected += back ? -1 : 1;
        } catch (const coffer::error& cause) {
            CHECK(cause.kind() == coffer::errc::corruption);
            if (++thrown == 3) REQUIRE(change());  // it is whole again
        }
    }
    CHECK(thrown == 3);
    CHECK((*at).key == std::to_string(expected));
}

TEST_CASE("an iterator does not read far ahead where values are large", "[ordered]") {
    const simulated disk;
    filed db = opened(disk, 256 * 1024);
    for (int i = 10; i < 30; ++i) db.put(std::to_string(i), std::string(40'000, 'v'));
    db.sync();
    REQUIRE(disk.flip("/db/0000000000000001.log", 4096 + 3 * 40'000, std::byte{1}));  // of 12
    auto at = db.from("").begin();
    CHECK((*at).key == "10");
    CHECK((*++at).key == "11");
    CHECK_THROWS_AS(++at, coffer::error);
    int rest = 0;
    for (const auto& each : db.from("13")) {
        CHECK(each.value.size() == 40'000);
        ++rest;
    }
    CHECK(rest == 17);
}
#endif

TEST_CASE("a prefix of any bytes", "[ordered]") {
    S db;
    const std::string high("\xFF\xFF", 2);
    for (const std::string& key :
         {std::string(), std::string("\0", 1), std::string("\xFE"), std::string("\xFF"), high,
          high + "a", std::string("a\xFF"), std::string("a\xFF\xFF"), std::string("b")}) {
        db.put(key, 1);
    }
    const auto count = [&](const std::string& start) {
        std::size_t out = 0;
        for (const auto& each : db.prefix(start)) {
            if (!each.key.starts_with(start)) FAIL("beyond the prefix");
            ++out;
        }
        return out;
    };
    CHECK(count("") == 9);
    CHECK(count("\xFF") == 3);
    CHECK(count(high) == 2);
    CHECK(count("a") == 2);
    CHECK(count("a\xFF") == 2);
    CHECK(count(std::string("\0", 1)) == 1);
}

TEST_CASE("iterators walk to and fro", "[ordered]") {
    S db;
    std::vector<std::string> all;
    for (int i = 100; i < 200; ++i) {
        all.push_back("k" + std::to_string(i));
        db.put(all.back(), i);
    }
    std::mt19937 random(1);
    auto at = db.begin();
    std::size_t place = 0;
    for (int step = 0; step < 3000; ++step) {
        const bool forward = place == 0 || (place < all.size() && random() % 2 == 0);
        if (forward) {
            if (random() % 2 == 0) {
                ++at, ++place;
            } else {
                const auto before = at++;
                if ((*before).key != all[place++]) FAIL("it++ at " << place);
            }
        } else if (random() % 2 == 0) {
            --at, --place;
        } else {
            at--, --place;
        }
        if (place == all.size() ? at != db.end() : (*at).key != all[place]) FAIL("step " << step);
    }
}

TEST_CASE("iterators are equal when they stand on equal keys", "[ordered]") {
    const S db = alphabet();
    CHECK(db.lower_bound("b") == db.scan("b", "d").begin());
    CHECK(db.begin() == db.from("").begin());
    CHECK(db.begin() != db.from("b").begin());
    CHECK(db.lower_bound("a") != db.from("b").begin());
    CHECK(db.lower_bound("b") != db.begin());
    CHECK(db.end() != db.begin());
    auto at = db.begin();
    const auto copy = at;
    ++at;
    CHECK(copy == db.begin());
    CHECK(at != copy);
}

TEST_CASE("keys that are written and erased meanwhile", "[ordered]") {
    S db;
    for (int i = 0; i < 300; ++i) db.put("stays" + std::to_string(i), 1);
    std::map<std::string, int> met;
    int step = 0;
    std::string last;
    for (const auto& each : db) {
        CHECK(last < each.key);
        last = each.key;
        ++met[each.key];
        db.put("between" + std::to_string(step), 2);
        db.put("stays1" + std::to_string(step % 300) + "x", 3);
        db.erase("between" + std::to_string(step / 2));
        if (++step > 5000) break;
    }
    for (int i = 0; i < 300; ++i) CHECK(met["stays" + std::to_string(i)] == 1);
}

TEST_CASE("keys that are written meanwhile, backwards", "[ordered]") {
    S db;
    for (int i = 100; i < 400; ++i) db.put(std::to_string(i), 1);
    std::string last = "a";
    int met = 0;
    for (const auto& each : db.from("") | std::views::reverse) {
        CHECK(each.key < last);
        last = each.key;
        ++met;
        db.put(each.key + "x", 2);  // behind it, just where it came from
    }
    CHECK(met == 300);
}

TEST_CASE("the entry under an iterator may be erased", "[ordered]") {
    S db = alphabet();
    auto at = db.lower_bound("ab");
    for (const char* key : {"a", "ab", "abc", "b"}) db.erase(key);
    CHECK((*at).key == "ab");  // it owns what it stands on
    // It leaves its chunk by looking the next key up again.
    for (int i = 0; i < 10 && at != db.end(); ++i) ++at;
    CHECK(at == db.end());
    CHECK((*--at).key == "d");
}

TEST_CASE("backwards to a first entry that is gone meanwhile", "[ordered]") {
    S db = alphabet();
    for (const bool one_is_left : {true, false}) {
        const auto first = db.begin();
        auto at = db.end();
        CHECK(at != first);
        CHECK((*--at).key == "d");
        at = db.end();
        for (const char* key : {"a", "ab", "abc", "b", "ba", "c"}) db.erase(key);
        if (!one_is_left) db.erase("d");
        std::string met;
        while (at != first) met += (*--at).key;
        if (one_is_left) CHECK(first == at);
        CHECK(met == (one_is_left ? "d" : ""));
    }

    for (int i = 1000; i < 1300; ++i) db.put(std::to_string(i), i);
    std::string last = "2000";
    std::size_t met = 0;
    for (const auto& each : db.prefix("1") | std::views::reverse) {
        CHECK(each.key < last);
        last = each.key;
        if (++met == 100) db.erase_range("1000", "1200");
    }
    CHECK(last <= "1200");
    CHECK(met < 200);

    auto turned = db.prefix("1") | std::views::reverse;
    const auto newest = turned.begin();
    const auto past = turned.end();
    CHECK(newest != past);
    CHECK((*newest).key == "1299");
    const auto seen = turned.begin();
    const auto unseen = turned.begin();
    CHECK(seen != past);
    db.clear();
    CHECK((*seen).key == "1299");
    CHECK(unseen == past);
}

TEST_CASE("numbers are in their order, signs included", "[ordered]") {
    coffer::store<std::int32_t, int, coffer::storage::map, coffer::index::sorted,
                  coffer::threading::single, simulated>
        db;
    std::vector<std::int32_t> all{INT32_MIN, -70000, -1, 0, 1, 255, 256, 70000, INT32_MAX};
    for (const std::int32_t each : all) db.put(each, 0);
    std::vector<std::int32_t> walked;
    for (const auto& each : db) walked.push_back(each.key);
    CHECK(walked == all);
    walked.clear();
    for (const auto& each : db.range(-1, 256)) walked.push_back(each.key);
    CHECK(walked == std::vector<std::int32_t>{-1, 0, 1, 255});
}

TEST_CASE("erase_range erases what range shows, at once", "[ordered]") {
    S db = alphabet();
    const std::uint64_t commits = db.stats().commits;
    CHECK(db.erase_range("ab", "c") == 4);
    CHECK(keys(db) == "a c d ");
    CHECK(db.stats().commits == commits + 1);
    CHECK(db.erase_range("x", "z") == 0);
    CHECK(db.erase_range("d", "a") == 0);
    CHECK(db.stats().commits == commits + 1);
}

TEST_CASE("limits say what is inside", "[ordered]") {
    const auto run = [](std::string_view text) { return coffer::as_bytes(text); };
    limits open;
    CHECK(open.holds<true>(coffer::as_bytes("")));
    CHECK(open.holds<false>(coffer::as_bytes("zzz")));
    limits closed{{bound::kind::including, run("b")}, {bound::kind::excluding, run("d")}};
    CHECK_FALSE(closed.holds<true>(coffer::as_bytes("a")));
    CHECK(closed.holds<true>(coffer::as_bytes("b")));
    CHECK(closed.holds<false>(coffer::as_bytes("c")));
    CHECK_FALSE(closed.holds<false>(coffer::as_bytes("d")));
    limits other{{bound::kind::excluding, run("b")}, {bound::kind::including, run("d")}};
    CHECK_FALSE(other.holds<true>(coffer::as_bytes("b")));
    CHECK(other.holds<true>(coffer::as_bytes("ba")));
    CHECK(other.holds<false>(coffer::as_bytes("d")));
    CHECK_FALSE(other.holds<false>(coffer::as_bytes("da")));
}
