// Walks in no particular order: every entry once, whatever is written meanwhile.
#include <coffer/config/platform.hpp>
#include <coffer/store/walk.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace {

using coffer::fs::simulated;
using S = coffer::store<std::string, std::string, coffer::threading::single,
                        coffer::durability::buffered, simulated>;
using iterator = decltype(std::declval<const S&>().begin());

coffer::options small() {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    return out;
}

std::map<std::string, int> met(const S& db) {
    std::map<std::string, int> out;
    for (const auto& [key, value] : db) ++out[key];
    return out;
}

}  // namespace

TEST_CASE("a walk is an input range", "[walk]") {
    static_assert(std::input_iterator<iterator>);
    static_assert(std::sentinel_for<std::default_sentinel_t, iterator>);
    static_assert(
        std::same_as<std::iter_value_t<iterator>, coffer::entry<std::string, std::string>>);
    static_assert(std::default_initializable<iterator>);
    CHECK(iterator() == std::default_sentinel);
}

TEST_CASE("every entry is met once, with its value", "[walk]") {
    for (const int count : {0, 1, 15, 16, 17, 1000}) {
        S db = S::open("/db", small(), simulated());
        std::map<std::string, std::string> all;
        for (int i = 0; i < count; ++i) {
            const std::string key = "key" + std::to_string(i);
            db.put(key, key + "!");
            all[key] = key + "!";
        }
        std::map<std::string, std::string> walked;
        int steps = 0;
        for (const auto& [key, value] : db) {
            walked[key] = value;
            ++steps;
        }
        CHECK(walked == all);
        CHECK(steps == count);
    }
}

TEST_CASE("what is present throughout is met once, what was erased before never", "[walk]") {
    S db = S::open("/db", small(), simulated());
    for (int i = 0; i < 500; ++i) db.put("stays" + std::to_string(i), "1");
    for (int i = 0; i < 500; ++i) db.put("goes" + std::to_string(i), "1");
    for (int i = 0; i < 500; ++i) db.erase("goes" + std::to_string(i));
    std::map<std::string, int> seen;
    int step = 0;
    for (const auto& [key, value] : db) {
        ++seen[key];
        // The table grows, entries are overwritten and compacted meanwhile. It grows tenfold and
        // then no more: new entries are met too, and a walk of endless growth has no end.
        for (int i = 0; i < 10 && step < 500; ++i)
            db.put("new" + std::to_string(10 * step + i), "2");
        db.put("stays" + std::to_string(step % 500), std::string(100, 'v'));
        if (++step % 100 == 0) db.compact();
        REQUIRE(step <= 5500);
    }
    for (int i = 0; i < 500; ++i) {
        if (seen["stays" + std::to_string(i)] != 1) FAIL("stays" << i);
        if (seen.count("goes" + std::to_string(i)) != 0) FAIL("goes" << i);
    }
    for (const auto& [key, times] : seen) {
        if (times > 1) FAIL(key << " was met " << times << " times");
    }
}

TEST_CASE("an iterator holds nothing of the store between steps", "[walk]") {
    S db = S::open("/db", small(), simulated());
    for (int i = 0; i < 200; ++i) db.put("key" + std::to_string(i), std::string(300, 'v'));
    auto at = db.begin();
    const std::string first = (*at).key;
    for (int i = 0; i < 200; ++i) db.erase("key" + std::to_string(i));
    db.compact();
    CHECK(db.stats().segments <= 3);  // nothing is kept for the iterator
    CHECK((*at).key == first);        // what it has read, it owns
    int rest = 0;
    for (; at != std::default_sentinel; ++at) ++rest;
    CHECK(rest <= 200);
}

TEST_CASE("copies of an iterator go their own ways", "[walk]") {
    S db = S::open("/db", small(), simulated());
    for (int i = 0; i < 100; ++i) db.put("key" + std::to_string(i), "v");
    auto first = db.begin();
    auto second = first;
    for (int i = 0; i < 50; ++i) ++first;
    CHECK((*second).key == (*db.begin()).key);
    std::set<std::string> rest;
    for (; second != std::default_sentinel; ++second) rest.insert((*second).key);
    CHECK(rest.size() == 100);
}

#if COFFER_HAS_EXCEPTIONS
TEST_CASE("an entry that cannot be read throws; for_each returns the error", "[walk]") {
    const simulated disk;
    S db = S::open("/db", small(), disk);
    for (int i = 0; i < 200; ++i) db.put("key" + std::to_string(i), std::string(300, 'v'));
    db.sync();
    REQUIRE(disk.flip("/db/0000000000000001.log", 5000, std::byte{1}));
    CHECK_THROWS_AS(met(db), coffer::error);
    auto failed = db.try_for_each([](std::string_view, std::string_view) {});
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind() == coffer::errc::corruption);
}

TEST_CASE("a step of a walk that throws leaves the iterator where it was", "[walk]") {
    const simulated disk;
    S db = S::open("/db", small(), disk);
    for (int i = 0; i < 200; ++i) db.put("key" + std::to_string(i), std::string(300, 'v'));
    db.sync();
    const auto change = [&] { return disk.flip("/db/0000000000000001.log", 5000, std::byte{1}); };
    std::map<std::string, int> seen;
    int thrown = 0;
    auto at = db.begin();
    REQUIRE(change());
    while (at != std::default_sentinel) {
        const std::string here = (*at).key;
        try {
            ++at;
            ++seen[here];
        } catch (const coffer::error& cause) {
            CHECK(cause.kind() == coffer::errc::corruption);
            CHECK(at != std::default_sentinel);
            CHECK((*at).key == here);
            if (++thrown == 3) REQUIRE(change());  // it is whole again
        }
    }
    CHECK(thrown == 3);
    CHECK(seen.size() == 200);
    for (const auto& [key, times] : seen) CHECK(times == 1);
}
#endif
