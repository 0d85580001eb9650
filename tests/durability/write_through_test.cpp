// durability::write_through: with the system before it returns, and before anybody sees it.
#include "catch.hpp"

#include "durability/bench.hpp"

#include <coffer/durability/write_through.hpp>

namespace {

using namespace bench;
using shared = store<coffer::durability::write_through>;

}  // namespace

TEST_CASE("a write that has returned is with the system, and durable after sync", "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("key", "value");
    CHECK(is_with_system<shared>(disk, "key"));
    CHECK_FALSE(is_durable<shared>(disk, "key"));
    db.sync();
    CHECK(is_durable<shared>(disk, "key"));
}

TEST_CASE("no reader sees a write before it is with the system", "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("key", "old");
    gate system(disk, call::write);
    system.close();
    std::thread writer([&] { db.put("key", "new"); });
    const bool held = eventually([&] { return system.holds_somebody(); });
    const auto seen = db.get("key");
    system.open();
    writer.join();
    CHECK(held);
    CHECK(seen == "old");
    CHECK(db.get("key") == "new");
}

TEST_CASE(
    "a write that cannot be handed over is not seen, and poisons the store until it is reopened",
    "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("key", "old");
    disk.fail_call(1, fault{errc::io_error, EIO, false, 7}, call::write);
    CHECK(failure_of(db.try_put("key", "new")) == errc::io_error);
    CHECK(db.get("key") == "old");
    CHECK(db.size() == 1);
    CHECK(failure_of(db.try_flush()) == errc::poisoned);
    CHECK(failure_of(db.try_put("other", "")) == errc::poisoned);
    CHECK(db.get("key") == "old");
    CHECK(failure_of(db.try_close()) == errc::poisoned);
    // Whether its bytes came through, the next open says; and so it stays.
    auto again = shared::open("/s", small_options(), disk);
    const auto shown = again.get("key");
    CHECK((shown == "old" || shown == "new"));
    CHECK(again.try_put("other", "").has_value());
    CHECK(again.try_sync().has_value());
    CHECK(found_on<shared>(disk.power_lost(), "key") == shown);
}

TEST_CASE("a store syncs by itself when too much is not durable", "[clocks]") {
    const simulated disk;
    coffer::options chosen = small_options();
    chosen.max_unsynced_bytes = 16 * 1024;
    auto db = shared::open("/s", chosen, disk);
    for (int i = 0; i < 400; ++i) {
        db.put("key", std::string(200, 'v'));
        REQUIRE(db.stats().unsynced_bytes <= 16 * 1024 + 4096 + 1024);
    }
}
