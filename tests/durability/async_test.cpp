// durability::async: when the worker syncs, what holds writers back, and that no error is lost.
#include "catch.hpp"

#include "durability/bench.hpp"

#include <coffer/durability/async.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

using namespace bench;
using shared = store<coffer::durability::async>;
using alone = store<coffer::durability::async, coffer::threading::single>;

constexpr std::uint64_t delay = 100'000'000;

template <class Store>
void is_durable_after_the_delay() {
    const simulated disk;
    auto db = Store::open("/s", small_options(), disk);
    db.put("first", "");
    db.sync();
    db.put("key", "value");
    CHECK(db.get("key") == "value");
    disk.advance(delay - 2);
    CHECK(still([&] { return disk.unsynced_changes() != 0; }));
    CHECK_FALSE(is_durable<Store>(disk, "key"));
    disk.advance(3);
    CHECK(eventually([&] { return is_durable<Store>(disk, "key"); }));
    CHECK(db.try_close().has_value());
}

}  // namespace

TEST_CASE("the worker makes a write durable when max_delay has passed", "[clocks]") {
    is_durable_after_the_delay<shared>();
    is_durable_after_the_delay<alone>();
}

namespace {

template <class Store>
void goes_on_with_what_was_found() {
    const simulated before;
    auto db = Store::open("/s", small_options(), before);
    db.put("first", "");
    db.sync();
    db.put("key", "value");
    db.flush();
    const simulated disk = before.process_killed();
    auto again = Store::open("/s", small_options(), disk);
    REQUIRE(again.get("key") == "value");
    CHECK(again.stats().unsynced_bytes != 0);
    CHECK(still([&] { return !is_durable<Store>(disk, "key"); }));
    disk.advance(delay + 1);
    CHECK(eventually([&] { return is_durable<Store>(disk, "key"); }));
    CHECK(eventually([&] { return again.stats().unsynced_bytes == 0; }));
}

}  // namespace

TEST_CASE("what open() shows of a killed process is synced like a write of this one", "[clocks]") {
    goes_on_with_what_was_found<shared>();
    goes_on_with_what_was_found<alone>();
    goes_on_with_what_was_found<coffer::rebind<shared, coffer::storage::mmap>>();
}

TEST_CASE("what the worker could not hand over in time is synced after a flush", "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("first", "");
    db.sync();
    db.put("key", "value");
    disk.fail_call(1, {}, call::write);
    disk.advance(delay + 1);
    REQUIRE(eventually([&] { return disk.faults() != 0; }));
    db.flush();
    disk.advance(delay + 1);  // nothing is written any more
    CHECK(eventually([&] { return is_durable<shared>(disk, "key"); }));
}

TEST_CASE("the worker syncs when max_bytes are not durable, with no time passing", "[clocks]") {
    const simulated disk;
    coffer::options chosen = small_options();
    chosen.max_bytes = 16 * 1024;
    auto db = shared::open("/s", chosen, disk);
    for (int i = 0; i < 400; ++i) db.put("key " + std::to_string(i), std::string(200, 'v'));
    CHECK(eventually([&] { return is_durable<shared>(disk, "key 100"); }));
    CHECK(eventually([&] { return db.stats().unsynced_bytes < 2 * 16 * 1024; }));
}

TEST_CASE("no more than max_unsynced_bytes are not durable", "[clocks]") {
    const simulated disk;
    coffer::options chosen = small_options();
    chosen.max_bytes = 16 * 1024 * 1024;
    chosen.max_unsynced_bytes = 32 * 1024;
    auto db = shared::open("/s", chosen, disk);
    std::uint64_t most = 0;
    for (int i = 0; i < 2000; ++i) {
        db.put("key " + std::to_string(i % 100), std::string(200, 'v'));
        most = (std::max)(most, db.stats().unsynced_bytes);
    }
    CHECK(most > 16 * 1024);
    CHECK(most < 37 * 1024);  // one write more, with the header of a segment
}

TEST_CASE("a full log holds writers back until the worker has handed it over", "[clocks]") {
    const simulated disk;
    coffer::options chosen = small_options();
    chosen.max_bytes = 8 * 1024;
    auto db = shared::open("/s", chosen, disk);
    db.put("first", "");
    db.sync();
    gate worker(disk, call::write);
    worker.close();
    std::atomic<int> returned{0};
    std::thread writer([&] {
        for (int i = 0; i < 200; ++i) {
            db.put("key " + std::to_string(i), std::string(200, 'v'));
            returned.fetch_add(1);
        }
    });
    const bool held = eventually([&] { return worker.holds_somebody() && returned.load() >= 20; });
    const bool stopped = eventually([&] {
        const int before = returned.load();
        return still([&] { return returned.load() == before; });
    });
    const int most = returned.load();
    worker.open();
    writer.join();
    CHECK(held);
    CHECK(stopped);
    CHECK(most * 200 <= 8 * 1024);
    CHECK(returned.load() == 200);
    CHECK(db.size() == 201);
}

TEST_CASE("an error of the worker is answered by the next write, and flush tries again",
          "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("first", "");
    db.sync();
    disk.fail_call(1, fault{errc::io_error, EIO, false, 0}, call::write);
    db.put("key", "value");
    disk.advance(delay + 1);
    REQUIRE(eventually([&] { return disk.faults() == 1; }));
    REQUIRE(eventually([&] { return !db.try_put("early", ""); }));
    CHECK(failure_of(db.try_put("refused", "")) == errc::io_error);
    CHECK(db.get("key") == "value");
    CHECK(db.try_flush().has_value());
    CHECK(db.try_put("accepted", "again").has_value());
    CHECK(db.try_close().has_value());
    CHECK(is_durable<shared>(disk, "key"));
    CHECK(is_durable<shared>(disk, "accepted"));
    CHECK_FALSE(is_durable<shared>(disk, "refused"));
}

TEST_CASE("a failed sync of the worker refuses everything but reads until reopened", "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("first", "1");
    db.sync();
    disk.fail_call(1, fault{errc::io_error, EIO, false, 0}, call::sync);
    db.put("key", "value");
    disk.advance(delay + 1);
    REQUIRE(eventually([&] { return disk.faults() == 1; }));
    REQUIRE(eventually([&] { return failure_of(db.try_put("x", "")) == errc::poisoned; }));
    CHECK(failure_of(db.try_put("x", "")) == errc::poisoned);
    CHECK(failure_of(db.try_erase("first")) == errc::poisoned);
    CHECK(failure_of(db.try_flush()) == errc::poisoned);
    CHECK(failure_of(db.try_sync()) == errc::poisoned);
    CHECK(db.get("first") == "1");
    CHECK(db.get("key") == "value");
    CHECK(failure_of(db.try_close()) == errc::poisoned);
    auto again = shared::open("/s", small_options(), disk);
    CHECK(again.get("first") == "1");
    CHECK(again.try_put("x", "").has_value());
    CHECK(again.try_close().has_value());
    CHECK(is_durable<shared>(disk, "first"));
    CHECK(is_durable<shared>(disk, "x"));
}

TEST_CASE("close reports what the worker could not do", "[clocks]") {
    const simulated disk;
    auto db = shared::open("/s", small_options(), disk);
    db.put("key", "value");
    disk.fail_call(1, fault{errc::io_error, EIO, true, 0}, call::write);
    disk.advance(delay + 1);
    REQUIRE(eventually([&] { return disk.faults() != 0; }));
    CHECK(failure_of(db.try_close()) == errc::io_error);
}

TEST_CASE("an error lets go of writers that are held back", "[clocks]") {
    const simulated disk;
    coffer::options chosen = small_options();
    chosen.max_bytes = 4 * 1024;
    auto db = shared::open("/s", chosen, disk);
    db.put("first", "");
    db.sync();
    gate worker(disk, call::write);
    worker.close();
    disk.fail_call(1, fault{errc::io_error, EIO, true, 0}, call::write);
    std::optional<errc> answer;
    std::thread writer([&] {
        for (int i = 0; i < 100 && !answer; ++i) {
            answer = failure_of(db.try_put("key", std::string(200, 'v')));
        }
    });
    const bool held = eventually([&] { return worker.holds_somebody(); });
    worker.open();
    writer.join();
    CHECK(held);
    CHECK(answer == errc::io_error);
    disk.clear_faults();
    CHECK(db.try_close().has_value());
}
