// A full disk: writes are refused whole, reads go on, and erasing, clearing and compacting make room.
#include "catch.hpp"

#include "durability/bench.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace {

using namespace bench;
namespace storage = coffer::storage;
namespace durability = coffer::durability;

using log_sync = store<storage::file_log, durability::sync>;
using log_written = store<storage::file_log, durability::write_through, coffer::index::sorted>;
using log_buffered = store<storage::file_log, durability::buffered, coffer::threading::single>;
using map_sync = store<storage::mmap, durability::sync>;
using map_async = store<storage::mmap, durability::async, coffer::index::sorted>;

constexpr std::uint64_t disk_size = 6 << 20;
using model = std::map<std::string, std::string>;

/// Puts until there is no space.
template <class Store>
std::size_t fill(Store& db, model& all, const std::string& name, std::size_t value) {
    for (std::size_t i = 0;; ++i) {
        const std::string key = name + std::to_string(i);
        const std::string text(value, static_cast<char>('a' + i % 26));
        const auto done = db.try_put(key, text);
        if (done) {
            all[key] = text;
            continue;
        }
        CHECK(done.error().kind() == errc::no_space);
        return i;
    }
}

template <class Store>
void require_same(const Store& db, const model& all) {
    REQUIRE(db.size() == all.size());
    for (const auto& [key, value] : all) {
        if (db.get(key) != value) FAIL(key << " is not what was put");
    }
}

}  // namespace

TEMPLATE_TEST_CASE("a full disk is emptied by erasing and compacting", "[full_disk]", log_sync,
                   log_written, log_buffered, map_sync, map_async) {
    const std::size_t value = GENERATE(as<std::size_t>(), 1000, 20'000);
    const simulated disk;
    disk.set_capacity(disk_size);
    model all;
    {
        TestType db = TestType::open("/s", {}, disk);
        const std::size_t first = fill(db, all, "first ", value);
        CHECK(first * value > disk_size / 3);
        require_same(db, all);
        std::size_t met = 0;
        for (auto at = all.begin(); at != all.end();) {
            if (++met % 10 == 0) {
                ++at;
                continue;
            }
            const auto gone = db.try_erase(at->first);
            REQUIRE(gone.has_value());
            at = all.erase(at);
        }
        const auto compacted = db.try_compact();
        if (!compacted) FAIL(compacted.error().what());
        require_same(db, all);
        CHECK(fill(db, all, "second ", value) > first / 2);
        require_same(db, all);
        CHECK(db.try_close().has_value());
    }
    require_same(TestType::open_read_only("/s", {}, disk), all);
    const TestType db = TestType::open("/s", {}, disk);
    require_same(db, all);
}

TEMPLATE_TEST_CASE("a full disk is emptied by clear(), also after reopening", "[full_disk]",
                   log_sync, log_written, log_buffered, map_sync, map_async) {
    const bool reopened = GENERATE(false, true);
    const simulated disk;
    disk.set_capacity(disk_size);
    model all;
    TestType db = TestType::open("/s", {}, disk);
    const std::size_t first = fill(db, all, "first ", 1000);
    // Erases of small keys take most of the reserve; some of it is left for what follows.
    for (std::size_t i = 0; i < first; ++i) {
        if (!db.try_erase("first " + std::to_string(i))) break;
    }
    if (reopened) {
        REQUIRE(db.try_close().has_value());
        db = TestType::open("/s", {}, disk);
    }
    REQUIRE(db.try_clear().has_value());
    REQUIRE(db.try_compact().has_value());
    CHECK(db.empty());
    all.clear();
    CHECK(fill(db, all, "second ", 1000) > first * 3 / 4);
    require_same(db, all);
}

TEST_CASE("the reserve is there while a store is written to, and only then", "[full_disk]") {
    const simulated disk;
    const auto reserve = [&] { return disk.read_file("/s/RESERVE").has_value(); };
    {
        log_sync db = log_sync::open("/s", small_options(), disk);
        CHECK(reserve());
        db.put("key", "value");
        CHECK(reserve());
        CHECK(disk.process_killed().read_file("/s/RESERVE").has_value());
    }
    CHECK_FALSE(reserve());
    log_sync db = log_sync::open("/s", small_options(), disk);
    CHECK(db.get("key") == "value");
    CHECK_FALSE(reserve());  // not before something is written
    CHECK(log_sync::open_read_only("/s", small_options(), disk).get("key") == "value");
}
