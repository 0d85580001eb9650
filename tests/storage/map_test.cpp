// storage::map: the identity of the axis. No file is touched, and every call works.
#include <coffer/storage/map.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include <string>

namespace {

using coffer::fs::simulated;
using S = coffer::store<std::string, std::string, coffer::storage::map, coffer::threading::single,
                        simulated>;

}  // namespace

TEST_CASE("I1: no file is touched, and the path is ignored", "[map]") {
    const simulated disk;
    disk.set_traced(true);
    coffer::options small;
    small.segment_bytes = 16 * 1024;
    {
        S db = S::open("/no such folder/and none below it", small, disk);
        CHECK(db.recovery().created);
        CHECK(db.recovery().clean);
        for (int i = 0; i < 1000; ++i) db.put("key" + std::to_string(i % 100), "value");
        db.flush();
        db.sync();
        db.compact();
        CHECK(db.get("key7") == "value");
        CHECK(db.size() == 100);
        CHECK(db.verify().ok());
        db.close();
        CHECK_FALSE(db.is_open());
    }
    CHECK(disk.take_trace().empty());
    CHECK(disk.files().empty());
}

TEST_CASE("nothing persists, and two stores are two", "[map]") {
    static_assert(S::volatile_ && !S::survives_process_crash && !S::survives_system_crash);
    const simulated disk;
    S first = S::open("/db", {}, disk);
    S second = S::open("/db", {}, disk);
    first.put("a", "1");
    CHECK_FALSE(second.contains("a"));
    first.close();
    CHECK(S::open("/db", {}, disk).empty());
}

TEST_CASE("a store in memory needs no path", "[map]") {
    S db;
    db.put("a", "1");
    CHECK(db.get("a") == "1");
}

TEST_CASE("compaction gives back the memory of dead records", "[map]") {
    coffer::options small;
    small.segment_bytes = 16 * 1024;
    small.auto_compact = false;
    S db = S::open("", small);
    for (int i = 0; i < 2000; ++i) db.put("key" + std::to_string(i % 10), std::string(100, 'v'));
    const auto before = db.stats();
    CHECK(before.dead_bytes > 200'000);
    CHECK(before.segments > 10);
    db.compact();
    const auto after = db.stats();
    CHECK(after.log_bytes < before.log_bytes / 5);
    CHECK(after.segments < 4);
    CHECK(after.entries == 10);
    for (int i = 0; i < 10; ++i) CHECK(db.get("key" + std::to_string(i)) == std::string(100, 'v'));
}

TEST_CASE("with auto_compact on, overwriting for ever takes bounded memory", "[map]") {
    coffer::options small;
    small.segment_bytes = 16 * 1024;
    S db = S::open("", small);
    std::uint64_t most = 0;
    for (int i = 0; i < 20000; ++i) {
        db.put("key" + std::to_string(i % 10), std::string(100, 'v'));
        if (i % 100 == 0) most = (std::max)(most, db.stats().log_bytes);
    }
    CHECK(most < 300'000);  // of 2.4 MB that were written
    CHECK(db.size() == 10);
}

TEST_CASE("the medium: bytes stay in one place, and nothing can fail but memory", "[map]") {
    using medium = coffer::detail::map_medium<simulated>;
    static_assert(!medium::persistent && !medium::hands_over);
    medium of_test((simulated()), {});
    auto body = of_test.prepare(nullptr, "name", 4096);
    REQUIRE(body);
    std::byte* const memory = body->memory();
    REQUIRE(memory != nullptr);
    memory[4095] = std::byte{7};
    body->stored(0, 4096);
    CHECK(body->write_out(0, 4096));
    CHECK(body->sync(4096));
    auto left = body->settle(4096);
    REQUIRE(left);
    CHECK(left->free == nullptr);
    CHECK(body->memory() == memory);
    CHECK(memory[4095] == std::byte{7});
}
