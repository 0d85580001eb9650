// Four probes that a single-header store of others fails, by the names under which it failed them.
#include "catch.hpp"

#include <coffer/coffer.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using coffer::errc;
using coffer::fs::simulated;

template <class Storage, class Index>
using probed = coffer::store<std::string, std::string, Storage, Index, simulated,
                             coffer::durability::write_through>;
using log_hash = probed<coffer::storage::file_log, coffer::index::hash>;
using log_sorted = probed<coffer::storage::file_log, coffer::index::sorted>;
using map_hash = probed<coffer::storage::mmap, coffer::index::hash>;
using map_sorted = probed<coffer::storage::mmap, coffer::index::sorted>;

/// The first segment of a store, and where its records end; another may be prepared beside it.
struct segment {
    explicit segment(const simulated& disk) {
        for (const std::string& each : disk.files()) {
            if (each.ends_with(".log") && (path.empty() || each < path)) path = each;
        }
        held = disk.read_file(path).value();
        end = held.size();
        while (end > 0 && held[end - 1] == std::byte{0}) --end;
    }
    /// Where `text` stands in it.
    [[nodiscard]] std::size_t place_of(const std::string& text) const {
        const coffer::bytes wanted = coffer::as_bytes(text);
        for (std::size_t at = 0; at + wanted.size() <= held.size(); ++at) {
            if (coffer::equal(coffer::bytes(held).subspan(at, wanted.size()), wanted)) return at;
        }
        FAIL(text << " is not in the segment");
        return 0;
    }

    std::string path;
    std::vector<std::byte> held;
    std::size_t end;
};

}  // namespace

TEMPLATE_TEST_CASE("probe: a batch cut by two bytes comes back half", "[probe]", log_hash,
                   log_sorted, map_hash, map_sorted) {
    const simulated disk;
    auto db = TestType::open("/s", {}, disk);
    db.put("before", "the batch");
    typename TestType::batch all;
    for (int i = 0; i < 10; ++i) all.put("of the batch " + std::to_string(i), "written");
    db.write(all);
    const simulated left = disk.process_killed();
    const segment last(left);
    const std::size_t end_of_batch = last.place_of("of the batch 9") + 14 + 7;  // key and value
    REQUIRE(left.cut_file(last.path, end_of_batch - 2));
    const auto again = TestType::open("/s", {}, left);
    CHECK(again.size() == 1);
    CHECK(again.get("before") == "the batch");
    CHECK(again.recovery().dropped_bytes > 0);
}

TEMPLATE_TEST_CASE("probe: a flipped byte comes back as a value", "[probe]", log_hash, log_sorted,
                   map_hash, map_sorted) {
    const simulated disk;
    {
        auto db = TestType::open("/s", {}, disk);
        db.put("first", "the first value");
        db.put("key", "the value that is hit");
        db.put("last", "the last value");
    }
    disk.settle();
    const segment only(disk);
    const std::size_t at = only.place_of("the value that is hit");
    for (std::size_t i = 0; i < 21; ++i) {
        const simulated damaged = disk.process_killed();
        REQUIRE(damaged.flip(only.path, at + i, std::byte{0x20}));
        const auto db = TestType::try_open("/s", {}, damaged);
        if (!db) {
            CHECK(db.error().kind() == errc::corruption);
            continue;
        }
        const auto got = db->try_get("key");
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().kind() == errc::corruption);
        CHECK(db->get("first") == "the first value");
        CHECK(db->get("last") == "the last value");
    }
}

TEMPLATE_TEST_CASE("probe: one bad length empties the store", "[probe]", log_hash, log_sorted,
                   map_hash, map_sorted) {
    const simulated disk;
    {
        auto db = TestType::open("/s", {}, disk);
        for (int i = 0; i < 20; ++i) db.put("key " + std::to_string(i), "value");
    }
    disk.settle();
    const segment only(disk);
    const std::size_t size_of_key = only.place_of("key 0") - 2;  // before it the sizes, a byte each
    const simulated damaged = disk.process_killed();
    REQUIRE(damaged.flip(only.path, size_of_key, std::byte{0x7F}));
    if (const auto db = TestType::try_open("/s", {}, damaged); !db) {
        CHECK(db.error().kind() == errc::corruption);  // refused as a whole, and nothing is touched
    } else {
        CHECK(db->size() == 20);
        CHECK_FALSE(db->verify().ok());
    }
    const auto report = coffer::salvage<TestType>("/s", "/t", {}, damaged);
    const auto saved = TestType::open("/t", {}, damaged);
    CHECK(saved.size() == 19);
    CHECK(saved.get("key 1") == "value");
    CHECK(report.entries == 19);
}

TEMPLATE_TEST_CASE("probe: the same store opens twice", "[probe]", log_hash, log_sorted, map_hash,
                   map_sorted) {
    const simulated disk;
    auto db = TestType::open("/s", {}, disk);
    const auto second = TestType::try_open("/s", {}, disk);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().kind() == errc::locked);
    db.put("key", "value");
    db.close();
    CHECK(TestType::open("/s", {}, disk).get("key") == "value");
}
