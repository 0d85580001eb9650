// Figures of a store, and the check of everything in it.
#include <coffer/storage/stats.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include <string>

namespace {

using coffer::errc;
using coffer::detail::header_unit;
using coffer::detail::record_size;
using coffer::fs::simulated;
using S = coffer::store<std::string, std::string, coffer::durability::buffered,
                        coffer::threading::single, simulated>;

coffer::options small() {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    out.auto_compact = false;
    return out;
}

std::string path(std::uint64_t segment) {
    return "/db/" + coffer::detail::segment_name(segment);
}

}  // namespace

TEST_CASE("figures follow what is written", "[stats]") {
    const simulated disk;
    S db = S::open("/db", small(), disk);
    auto now = db.stats();
    CHECK(now.entries == 0);
    CHECK(now.commits == 0);
    CHECK(now.dead_bytes == 0);
    CHECK(now.unsynced_bytes == 0);
    CHECK(now.segments == 1);
    const std::uint64_t empty = now.log_bytes;

    db.put("a", "1");
    db.put("a", "2");
    db.put("b", "3");
    db.erase("b");
    now = db.stats();
    CHECK(now.entries == 1);
    CHECK(now.commits == 4);
    CHECK(now.dead_bytes == 2 * record_size(1, 1));
    CHECK(now.log_bytes == empty + 3 * record_size(1, 1) + record_size(1, 0));
    CHECK(now.unsynced_bytes == now.log_bytes - empty);
    CHECK(now.index_bytes > 0);
    db.sync();
    CHECK(db.stats().unsynced_bytes == 0);
    CHECK(db.stats().dead_bytes == now.dead_bytes);

    for (int i = 0; i < 200; ++i) db.put("key", std::string(200, 'v'));
    CHECK(db.stats().segments > 2);
    CHECK(db.stats().commits == 204);
}

TEST_CASE("verify reads everything, and counts it", "[stats]") {
    const simulated disk;
    S db = S::open("/db", small(), disk);
    for (int i = 0; i < 200; ++i) db.put("key" + std::to_string(i), std::string(200, 'v'));
    db.sync();
    const auto found = db.verify();
    CHECK(found.ok());
    CHECK(found.records >= 200);
    const auto figures = db.stats();
    CHECK(found.bytes + figures.segments * header_unit == figures.log_bytes);
}

TEST_CASE("verify names each damaged segment, and where", "[stats]") {
    for (const bool maps : {true, false}) {
        const simulated disk;
        coffer::options options = small();
        options.map_reads = maps;
        S db = S::open("/db", options, disk);
        for (int i = 0; i < 300; ++i) db.put("key" + std::to_string(i), std::string(200, 'v'));
        db.sync();
        REQUIRE(db.stats().segments > 4);
        const std::uint64_t all = db.verify().records;
        const std::uint64_t first = header_unit;
        REQUIRE(disk.flip(path(1), first + 30, std::byte{1}));
        REQUIRE(disk.flip(path(3), 10000, std::byte{1}));
        const auto found = db.verify();
        CHECK_FALSE(found.ok());
        REQUIRE(found.damages.size() == 2);
        CHECK(found.damages[0].segment == 1);
        CHECK(found.damages[0].offset == first);
        CHECK(found.damages[1].segment == 3);
        CHECK(found.damages[1].offset <= 10000);
        CHECK(found.damages[1].offset > 10000 - record_size(6, 200));
        CHECK(found.records < all);
    }
}

TEST_CASE("a segment that cannot be read is the error of verify", "[stats]") {
    const simulated disk;
    coffer::options options = small();
    options.map_reads = false;
    S db = S::open("/db", options, disk);
    for (int i = 0; i < 100; ++i) db.put("key" + std::to_string(i), std::string(200, 'v'));
    db.sync();
    disk.fail_call(1, {}, coffer::fs::call::read);
    auto failed = db.try_verify();
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind() == errc::io_error);
}
