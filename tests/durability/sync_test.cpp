// durability::sync: durable before it returns, and before anybody sees it.
#include "catch.hpp"

#include "durability/bench.hpp"

#include <coffer/durability/sync.hpp>

#include <vector>

namespace {

using namespace bench;
using shared = store<coffer::durability::sync>;

}  // namespace

TEST_CASE("a write that has returned is durable", "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("key", "value");
    CHECK(is_durable<shared>(disk, "key"));
    CHECK(db.erase("key"));
    CHECK_FALSE(is_durable<shared>(disk, "key"));
    shared::batch both;
    both.put("one", "1");
    both.put("two", "2");
    db.write(both);
    CHECK(is_durable<shared>(disk, "one"));
    CHECK(is_durable<shared>(disk, "two"));
}

TEST_CASE("no reader sees a write before it is durable", "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("key", "old");
    gate stable(disk, call::sync);
    stable.close();
    std::thread writer([&] { db.put("key", "new"); });
    const bool held = eventually([&] { return stable.holds_somebody(); });
    const auto seen = db.get("key");
    stable.open();
    writer.join();
    CHECK(held);
    CHECK(seen == "old");
    CHECK(db.get("key") == "new");
}

TEST_CASE("writers that come while one syncs share the next sync", "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("first", "");
    gate stable(disk, call::sync);
    stable.close();
    std::vector<std::thread> writers;
    writers.emplace_back([&] { db.put("leader", ""); });
    const bool held = eventually([&] { return stable.holds_somebody(); });
    const std::uint64_t commits = db.stats().commits;
    for (int i = 0; i < 8; ++i) {
        writers.emplace_back([&, i] { db.put("follower " + std::to_string(i), ""); });
    }
    const bool appended = eventually([&] { return db.stats().commits == commits + 8; });
    disk.set_traced(true);
    stable.open();
    for (std::thread& each : writers) each.join();
    int syncs = 0;
    for (const step& each : disk.take_trace()) syncs += each.is == call::sync;
    CHECK(held);
    CHECK(appended);
    CHECK(syncs == 1);
    CHECK(db.size() == 10);
    for (int i = 0; i < 8; ++i) CHECK(is_durable<shared>(disk, "follower " + std::to_string(i)));
}

TEST_CASE("a write whose sync fails is not seen, and poisons the store until it is reopened",
          "[clocks]") {
    const simulated disk;
    const auto how =
        GENERATE(coffer::fs::sync_failure::lost, coffer::fs::sync_failure::lost_with_size,
                 coffer::fs::sync_failure::reverted);
    disk.set_sync_failure(how);
    auto db = shared::open("/s", small_options(), disk);
    db.put("key", "old");
    const errc code = GENERATE(errc::io_error, errc::no_space);
    disk.fail_call(1, fault{code, code == errc::no_space ? ENOSPC : EIO, false, 0}, call::sync);
    CHECK(failure_of(db.try_put("key", "new")) == code);
    CHECK(db.get("key") == "old");
    CHECK(failure_of(db.try_put("other", "")) == errc::poisoned);
    CHECK(failure_of(db.try_erase("key")) == errc::poisoned);
    CHECK(failure_of(db.try_sync()) == errc::poisoned);
    CHECK(db.get("key") == "old");
    CHECK(db.size() == 1);
    CHECK(failure_of(db.try_close()) == errc::poisoned);

    auto again = shared::open("/s", small_options(), disk);
    const auto shown = again.get("key");
    CHECK((shown == "old" || shown == "new"));
    CHECK(found_on<shared>(disk.power_lost(), "key") == shown);
    CHECK(again.try_put("other", "").has_value());
}

TEST_CASE("a write that finds no room changes nothing and does not poison", "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("key", "old");
    disk.set_capacity(80 * 1024);
    std::optional<errc> answer;
    int written = 0;
    for (; written < 200 && !answer; ++written) {
        answer = failure_of(db.try_put("key " + std::to_string(written), std::string(2000, 'v')));
    }
    REQUIRE(answer == errc::no_space);
    --written;
    CHECK(db.size() == static_cast<std::uint64_t>(written) + 1);
    CHECK_FALSE(db.contains("key " + std::to_string(written)));
    CHECK(db.get("key") == "old");
    CHECK(db.try_erase("key 0").has_value());  // from the reserve
    disk.set_capacity(std::uint64_t{1} << 30);
    CHECK(db.try_put("key", "new").has_value());
    CHECK(db.try_close().has_value());
    CHECK(found_on<shared>(disk.power_lost(), "key") == "new");
}
