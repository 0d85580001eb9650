// What verify() finds: every byte of what a store holds is checked, and what is damaged is named.
#include <coffer/storage/verifying.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include <string>

namespace {

using coffer::detail::header_unit;
using coffer::fs::simulated;

template <class Storage>
using store_on = coffer::store<std::string, std::string, Storage, coffer::durability::buffered,
                               coffer::threading::single, simulated>;

coffer::options small(bool maps = true) {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    out.auto_compact = false;
    out.map_reads = maps;
    return out;
}

std::string path(std::uint64_t segment) {
    return "/db/" + coffer::detail::segment_name(segment);
}

}  // namespace

TEMPLATE_TEST_CASE("verify reads everything, and counts it", "[verify]", coffer::storage::file_log,
                   coffer::storage::mmap) {
    const simulated disk;
    auto db = store_on<TestType>::open("/db", small(), disk);
    for (int i = 0; i < 200; ++i) db.put("key" + std::to_string(i), std::string(200, 'v'));
    db.sync();
    const auto found = db.verify();
    CHECK(found.ok());
    CHECK(found.records >= 200);
    const auto figures = db.stats();
    CHECK(found.bytes + figures.segments * header_unit == figures.log_bytes);
}

TEMPLATE_TEST_CASE("each byte of a file is seen to be damaged, and its record named", "[verify]",
                   coffer::storage::file_log, coffer::storage::mmap) {
    const bool maps = GENERATE(true, false);
    const simulated whole;
    {
        auto db = store_on<TestType>::open("/db", small(), whole);
        for (int i = 0; i < 20; ++i) db.put("key" + std::to_string(i), std::string(40, 'v'));
        db.erase("key3");
        db.close();
    }
    whole.settle();
    const std::uint64_t size = whole.read_file(path(1))->size();
    auto db = store_on<TestType>::open_read_only("/db", small(maps), whole);
    const std::uint64_t all = db.verify().records;
    REQUIRE(all > 20);
    for (std::uint64_t at = 0; at<size; at += at> 100 && at < header_unit - 10 ? 31 : 1) {
        INFO(at);
        REQUIRE(whole.flip(path(1), at, std::byte{4}));
        const auto found = db.verify();
        REQUIRE(found.damages.size() == 1);
        REQUIRE(found.damages[0].segment == 1);
        REQUIRE(found.damages[0].begin <= at);
        REQUIRE(found.damages[0].end > at);
        REQUIRE(found.damages[0].end - found.damages[0].begin <=
                (at < header_unit ? header_unit : 64));
        REQUIRE(found.records == (at < header_unit ? all : all - 1));
        REQUIRE(whole.flip(path(1), at, std::byte{4}));
    }
    for (std::uint64_t at = 0; at < 512; ++at) {
        REQUIRE(whole.flip("/db/STORE", at, std::byte{4}));
        const auto found = db.verify();
        REQUIRE(found.damages.size() == 1);
        REQUIRE(found.damages[0].segment == 0);
        REQUIRE(found.records == all);
        REQUIRE(whole.flip("/db/STORE", at, std::byte{4}));
    }
    REQUIRE(db.verify().ok());
}

TEST_CASE("verify names every damaged stretch of every segment", "[verify]") {
    const bool maps = GENERATE(true, false);
    const simulated disk;
    auto db = store_on<coffer::storage::file_log>::open("/db", small(maps), disk);
    for (int i = 0; i < 300; ++i) db.put("key" + std::to_string(i), std::string(200, 'v'));
    db.sync();
    REQUIRE(db.stats().segments > 4);
    const std::uint64_t all = db.verify().records;
    const std::uint64_t places[] = {header_unit + 30, header_unit + 3000, 12000};
    for (const std::uint64_t at : places) REQUIRE(disk.flip(path(1), at, std::byte{1}));
    REQUIRE(disk.flip(path(3), 10000, std::byte{1}));
    const auto found = db.verify();
    REQUIRE(found.damages.size() == 4);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(found.damages[i].segment == 1);
        CHECK(found.damages[i].begin <= places[i]);
        CHECK(found.damages[i].end > places[i]);
    }
    CHECK(found.damages[0].begin == header_unit);
    CHECK(found.damages[3].segment == 3);
    CHECK(found.records == all - 4);
}

TEST_CASE("blocks that cannot be read are damage, and no error of verify", "[verify]") {
    const simulated disk;
    auto db = store_on<coffer::storage::file_log>::open("/db", small(), disk);
    for (int i = 0; i < 200; ++i) db.put("key" + std::to_string(i), std::string(200, 'v'));
    db.sync();
    const std::uint64_t all = db.verify().records;
    disk.fail_call(2, {}, coffer::fs::call::read);  // once: of the first segment, read again
    CHECK(db.verify().records == all);
    CHECK(disk.faults() == 1);
    disk.fail_call(1, {coffer::errc::io_error, EIO, true}, coffer::fs::call::read);
    const auto found = db.verify();
    CHECK(found.damages.front().segment == 0);
    CHECK(found.damages.size() == 1 + 2 * (db.stats().segments - 1));  // header and records
    CHECK(found.records < 100);                                        // of the active one
}

TEST_CASE("a block of zeros that cannot be read is damage all the same", "[verify]") {
    const simulated disk;
    coffer::options chosen;
    chosen.segment_bytes = 256 * 1024;
    chosen.auto_compact = false;
    auto db = store_on<coffer::storage::file_log>::open("/db", chosen, disk);
    db.put("before", "1");
    db.put("zeros", std::string(20'000, '\0'));
    db.put("after", "1");
    db.close();
    db = store_on<coffer::storage::file_log>::open("/db", chosen, disk);
    const std::uint64_t all = db.verify().records;
    disk.fail_call(2, {}, coffer::fs::call::read);      // of the whole segment,
    disk.fail_call(2 + 4, {}, coffer::fs::call::read);  // and of its fourth block
    const auto found = db.verify();
    CHECK(disk.faults() == 2);
    REQUIRE(found.damages.size() == 1);
    CHECK(found.damages[0].segment == 1);
    CHECK(found.damages[0].begin == header_unit + coffer::detail::record_size(6, 1));
    CHECK(found.damages[0].end == found.damages[0].begin + coffer::detail::record_size(5, 20'000));
    CHECK(found.records == all - 1);
    CHECK(db.verify().ok());
}

TEST_CASE("a file that the system does not let be opened is no damage", "[verify]") {
    const simulated disk;
    auto db = store_on<coffer::storage::file_log>::open("/db", small(), disk);
    for (const coffer::fs::fault& why :
         {coffer::fs::fault{coffer::errc::io_error, EMFILE},
          coffer::fs::fault{coffer::errc::permission_denied, EACCES},
          coffer::fs::fault{coffer::errc::no_space, ENOSPC}}) {
        disk.fail_call(1, why, coffer::fs::call::open);
        const auto refused = db.try_verify();
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind() == why.code);
        CHECK(db.verify().ok());
    }
    REQUIRE(disk.remove_file("/db/STORE"));
    CHECK(db.verify().damages.size() == 1);
    REQUIRE(disk.make_directory("/db/STORE").value());
    CHECK(db.verify().damages.size() == 1);
}

TEST_CASE("a store in memory is verified, too", "[verify]") {
    coffer::store<std::string, std::string, coffer::storage::map> db;
    for (int i = 0; i < 100; ++i) db.put("key" + std::to_string(i), "value");
    const auto found = db.verify();
    CHECK(found.ok());
    CHECK(found.records == 100);
}
