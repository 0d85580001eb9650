// durability::buffered: when the buffer goes to the system, and what happens when it cannot.
#include "catch.hpp"

#include "durability/bench.hpp"

#include <coffer/durability/buffered.hpp>

#include <string_view>

namespace {

using namespace bench;
using shared = store<coffer::durability::buffered>;
using alone = store<coffer::durability::buffered, coffer::threading::single>;

constexpr std::uint64_t second = 1'000'000'000;

/// A store with a segment and nothing in the buffer.
template <class Store>
Store opened(const simulated& disk, const coffer::options& chosen = small_options()) {
    auto made = Store::open("/s", chosen, disk);
    made.put("first", "");
    made.flush();
    REQUIRE(settled(disk));
    return made;
}

/// A listener that counts what it is told.
void count_it(void* count, coffer::log_level, std::string_view) {
    ++*static_cast<std::atomic<int>*>(count);
}

}  // namespace

TEST_CASE("the buffer is handed over when the interval has passed, without a further call",
          "[clocks]") {
    const simulated disk;
    auto db = opened<shared>(disk);
    const std::uint64_t before = disk.steps();
    db.put("key", "value");
    CHECK(db.get("key") == "value");
    disk.advance(second - 2);
    CHECK(still([&] { return disk.steps() == before; }));
    CHECK_FALSE(is_with_system<shared>(disk, "key"));
    disk.advance(3);
    CHECK(eventually([&] { return is_with_system<shared>(disk, "key"); }));
    CHECK_FALSE(is_durable<shared>(disk, "key"));

    // The interval begins with the oldest byte of the next buffer.
    disk.advance(10 * second);
    const std::uint64_t handed = disk.steps();
    db.put("later", "value");
    disk.advance(second / 2);
    CHECK(still([&] { return disk.steps() == handed; }));
    disk.advance(second / 2 + 1);
    CHECK(eventually([&] { return is_with_system<shared>(disk, "later"); }));
}

TEST_CASE("the buffer is handed over when buffer_bytes are full", "[clocks]") {
    const simulated disk;
    coffer::options chosen = small_options();
    chosen.buffer_bytes = 4096;
    auto db = opened<shared>(disk, chosen);
    const std::string value(200, 'v');
    int with_system = -1;  // the last one that a killed process leaves
    for (int i = 0; i < 200; ++i) {
        db.put("key " + std::to_string(i), value);
        while (is_with_system<shared>(disk, "key " + std::to_string(with_system + 1)))
            ++with_system;
        REQUIRE((i - with_system) * 200 < 4096);
    }
    CHECK(with_system > 100);
}

TEST_CASE("under threading::single the interval is looked at by each call", "[clocks]") {
    const simulated disk;
    auto db = opened<alone>(disk);
    db.put("key", "value");
    const std::uint64_t before = disk.steps();
    disk.advance(10 * second);
    CHECK(disk.steps() == before);
    CHECK_FALSE(is_with_system<alone>(disk, "key"));
    db.put("another", "value");
    CHECK(is_with_system<alone>(disk, "key"));
    CHECK(is_with_system<alone>(disk, "another"));
}

TEST_CASE("a hand-over that fails keeps its bytes readable, and flush tries it again", "[clocks]") {
    const simulated disk;
    auto db = opened<shared>(disk);
    const errc code = GENERATE(errc::no_space, errc::io_error);
    disk.fail_call(1, fault{code, code == errc::no_space ? ENOSPC : EIO, false, 0}, call::write);
    db.put("key", "value");
    disk.advance(second + 1);
    REQUIRE(eventually([&] { return disk.faults() == 1; }));
    REQUIRE(eventually([&] { return !db.try_put("early", ""); }));
    CHECK(failure_of(db.try_put("refused", "")) == code);  // until it succeeds
    CHECK(db.get("key") == "value");
    CHECK(db.try_flush().has_value());
    CHECK(is_with_system<shared>(disk, "key"));
    db.put("accepted", "again");
    CHECK_FALSE(db.contains("refused"));
    CHECK(db.try_close().has_value());
    CHECK(is_durable<shared>(disk, "accepted"));
}

TEST_CASE("bytes that a full disk did not take are not lost by close", "[clocks]") {
    const simulated disk;
    auto db = opened<shared>(disk);
    db.put("key", "value");
    disk.fail_call(1, fault{errc::no_space, ENOSPC, true, 10}, call::write);
    CHECK(failure_of(db.try_flush()) == errc::no_space);
    CHECK(failure_of(db.try_sync()) == errc::no_space);
    CHECK(db.get("key") == "value");
    disk.clear_faults();
    CHECK(db.try_close().has_value());
    CHECK(is_durable<shared>(disk, "key"));
}

TEST_CASE("a buffered store syncs by itself when too much is not durable", "[clocks]") {
    const simulated disk;
    coffer::options chosen = small_options();
    chosen.buffer_bytes = 1024;
    chosen.max_unsynced_bytes = 16 * 1024;
    auto db = opened<shared>(disk, chosen);
    for (int i = 0; i < 400; ++i) {
        db.put("key", std::string(200, 'v'));
        REQUIRE(db.stats().unsynced_bytes <= 16 * 1024 + 4096 + 1024);
    }
}

TEST_CASE("an error of the background is told by the next write, whatever is due", "[clocks]") {
    const simulated disk;
    std::atomic<int> told{0};
    coffer::options chosen = small_options();
    chosen.max_unsynced_bytes = 16 * 1024;
    chosen.log = &count_it;
    chosen.log_context = &told;
    auto db = opened<shared>(disk, chosen);
    disk.fail_call(1, fault{errc::io_error, EIO, false, 0}, call::write);
    db.put("large", std::string(20 * 1024, 'v'));  // too much is not durable, and it cannot be
    disk.advance(second + 1);
    REQUIRE(eventually([&] { return told == 1; }));
    CHECK(failure_of(db.try_put("refused", "")) == errc::io_error);
    CHECK(db.contains("large"));
    REQUIRE(db.try_flush());
    db.put("later", "value");  // makes durable what is too much
    CHECK(is_durable<shared>(disk, "large"));
    disk.advance(2 * second);
    CHECK(eventually([&] { return is_with_system<shared>(disk, "later"); }));
    CHECK_FALSE(db.contains("refused"));
}

TEST_CASE("the interval counts again when a caller has ended the trouble of the background",
          "[clocks][threads]") {
    const simulated disk;
    std::atomic<int> told{0}, begun{0}, allowed{0};
    coffer::options chosen = small_options();
    chosen.buffer_bytes = 4096;
    chosen.log = &count_it;
    chosen.log_context = &told;
    auto db = opened<shared>(disk, chosen);
    disk.set_step_hook([&](const step& next) {
        if (next.is != call::write) return;
        for (const int mine = ++begun; allowed < mine;) std::this_thread::yield();
    });
    disk.fail_call(1, fault{errc::io_error, EIO, false, 0}, call::write);
    db.put("small", "value");
    db.put("a quarter", std::string(1100, 'v'));
    REQUIRE(eventually([&] { return begun == 1; }));  // by the background thread
    std::thread helper([&] { db.put("three quarters", std::string(3100, 'v')); });
    REQUIRE(eventually([&] { return db.contains("three quarters"); }));
    CHECK(still([&] { return begun == 1; }));
    allowed = 1;
    REQUIRE(eventually([&] { return begun == 2 && told == 1; }));
    CHECK(still([&] { return begun == 2; }));  // it sleeps
    allowed = 1000;
    helper.join();
    db.put("late", "value");
    disk.advance(2 * second);
    CHECK(eventually([&] { return is_with_system<shared>(disk, "late"); }));
    disk.clear_step_hook();
}

TEST_CASE("a writer that finds three quarters full stays until there is room again, and no longer",
          "[clocks][threads]") {
    const simulated disk;
    std::atomic<int> begun{0}, allowed{0}, returned{0};
    coffer::options chosen = small_options();
    chosen.segment_bytes = 1 << 20;
    chosen.buffer_bytes = 256 * 1024;
    auto db = opened<shared>(disk, chosen);
    disk.set_step_hook([&](const step& next) {
        if (next.is != call::write) return;
        for (const int mine = ++begun; allowed < mine;) std::this_thread::yield();
    });
    const auto put = [&](const char* key, std::size_t kib) {
        db.put(key, std::string(kib * 1024, 'v'));
        ++returned;
    };
    put("a quarter", 70);
    REQUIRE(eventually([&] { return begun == 1; }));  // by the background thread
    put("less than three quarters", 120);
    std::thread first([&] { put("three quarters", 10); });
    CHECK(still([&] { return returned == 2; }));
    allowed = 1;
    CHECK(eventually([&] { return returned == 3; }));
    // What waits now is more than two quarters: it goes in parts.
    REQUIRE(eventually([&] { return begun == 2; }));
    std::thread second([&] { put("three quarters again", 70); });
    CHECK(still([&] { return returned == 3; }));
    allowed = 2;
    CHECK(eventually([&] { return returned == 4; }));
    // A part ends anywhere in a record; a killed process leaves the whole ones.
    REQUIRE(eventually([&] { return begun == 3; }));
    CHECK(is_with_system<shared>(disk, "a quarter"));
    CHECK_FALSE(is_with_system<shared>(disk, "less than three quarters"));
    CHECK_FALSE(is_durable<shared>(disk, "a quarter"));
    allowed = 1000;
    first.join();
    second.join();
    db.flush();
    CHECK(is_with_system<shared>(disk, "three quarters again"));
    disk.clear_step_hook();
}

TEST_CASE("under threading::single what is not durable does not hand over", "[clocks]") {
    const simulated disk;
    coffer::options chosen = small_options();
    chosen.segment_bytes = 1024 * 1024;
    chosen.max_unsynced_bytes = 64 * 1024;
    auto db = opened<alone>(disk, chosen);
    db.put("key", "value");
    const std::uint64_t before = disk.steps();
    for (int i = 0; i < 200; ++i) db.put("key " + std::to_string(i), std::string(200, 'v'));
    CHECK(db.stats().unsynced_bytes > 32 * 1024);
    CHECK(disk.steps() == before);
    for (int i = 0; i < 200; ++i) db.put("key " + std::to_string(i), std::string(200, 'v'));
    CHECK(is_durable<alone>(disk, "key 199"));
}

TEST_CASE("a full buffer goes to the system while the disk is busy with a sync",
          "[clocks][threads]") {
    const simulated disk;
    coffer::options chosen = small_options();
    chosen.buffer_bytes = 4096;
    auto db = opened<shared>(disk, chosen);
    REQUIRE(settled(disk));
    bench::gate syncs(disk, call::sync);
    syncs.close();
    db.put("synced", "value");
    std::thread other([&] { db.sync(); });
    REQUIRE(eventually([&] { return syncs.holds_somebody(); }));
    // Enough for several hand-overs and two segments; none may wait for the gate.
    for (int i = 0; i < 600; ++i) db.put("key " + std::to_string(i), std::string(200, 'v'));
    CHECK(syncs.holds_somebody());
    CHECK(is_with_system<shared>(disk, "key 500"));
    CHECK_FALSE(is_durable<shared>(disk, "synced"));
    syncs.open();
    other.join();
    CHECK(is_durable<shared>(disk, "synced"));
    db.sync();
    CHECK(is_durable<shared>(disk, "key 599"));
}
