// The engine: the order in which its parts begin and end, forks, the background thread, and what
// is answered when a store cannot be used.
#include <coffer/storage/engine.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"
#include "eventually.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using coffer::errc;
using coffer::fs::simulated;
namespace fs = coffer::fs;
using shared = coffer::store<std::string, std::string, coffer::durability::buffered, simulated>;
using alone = coffer::store<std::string, std::string, coffer::durability::sync,
                            coffer::threading::single, simulated>;

coffer::options small() {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    return out;
}

/// What the library had to say.
struct listener {
    std::mutex mutex;
    std::vector<std::string> errors;
    std::vector<std::string> warnings;

    static void hear(void* self, coffer::log_level level, std::string_view text) {
        auto& me = *static_cast<listener*>(self);
        const std::lock_guard hold(me.mutex);
        (level == coffer::log_level::error ? me.errors : me.warnings).emplace_back(text);
    }
    coffer::options options() {
        coffer::options out = small();
        out.log = &hear;
        out.log_context = this;
        return out;
    }
};

/// Counts the threads that it makes.
struct counted_threads : coffer::threading::multi {
    static inline std::atomic<int> made{0};
    struct thread : std::thread {
        thread() = default;
        template <class Work>
        explicit thread(Work work) : std::thread(std::move(work)) {
            ++made;
        }
    };
};

}  // namespace

TEST_CASE("E1: the lock is the last thing that goes", "[engine]") {
    const simulated disk;
    alone db = alone::open("/db", small(), disk);
    db.put("a", "1");
    std::uint64_t unlocked = 0;
    bool looking = false;
    disk.set_step_hook([&](const fs::step&) {
        if (looking) return;
        looking = true;  // opening is steps, too
        auto other = alone::try_open("/db", small(), disk);
        unlocked += other || other.error().kind() != errc::locked;
        looking = false;
    });
    db.close();
    disk.clear_step_hook();
    CHECK(unlocked == 0);
    CHECK(alone::try_open("/db", small(), disk));
}

TEST_CASE("E2: after close no thread of the store touches the disk", "[engine][threads]") {
    const simulated disk;
    shared db = shared::open("/db", small(), disk);
    for (int i = 0; i < 500; ++i) db.put("key" + std::to_string(i % 10), std::string(100, 'v'));
    db.close();
    const std::uint64_t calls = disk.calls();
    disk.advance(10'000'000'000);
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    CHECK(disk.calls() == calls);
}

TEST_CASE("E3: in a forked child every call says so, and nothing is written", "[engine]") {
    const simulated disk;
    alone db = alone::open("/db", small(), disk);
    db.put("a", "1");
    disk.pretend_forked(true);
    const std::uint64_t steps = disk.steps();
    CHECK(db.try_get("a").error().kind() == errc::forked);
    CHECK(db.try_put("b", "2").error().kind() == errc::forked);
    CHECK(db.try_erase("a").error().kind() == errc::forked);
    CHECK(db.try_sync().error().kind() == errc::forked);
    CHECK(db.try_flush().error().kind() == errc::forked);
    CHECK(db.try_compact().error().kind() == errc::forked);
    CHECK(db.try_verify().error().kind() == errc::forked);
    CHECK(db.try_for_each([](std::string_view, std::string_view) {}).error().kind() ==
          errc::forked);
    CHECK(disk.steps() == steps);
    disk.pretend_forked(false);  // back in the parent
    CHECK(db.get("a") == "1");
    db.put("b", "2");
    db.close();
}

TEST_CASE("E4: the first of all calls that may write makes the one thread", "[engine][threads]") {
    using counted = coffer::store<std::string, std::string, coffer::durability::write_through,
                                  simulated, counted_threads>;
    const simulated disk;
    counted_threads::made = 0;
    counted::open("/db", small(), disk).close();
    CHECK(counted_threads::made == 1);  // the second segment is made ahead
    for (int round = 0; round < 3; ++round) {
        counted_threads::made = 0;
        counted db = counted::open("/db", small(), disk);
        CHECK(db.size() == static_cast<std::uint64_t>(4 * round));
        CHECK_FALSE(db.contains("absent"));
        CHECK(db.verify().ok());
        for (auto&& [key, value] : db) CHECK(key == value);
        CHECK(counted_threads::made == 0);
        std::vector<std::thread> writers;
        for (int i = 0; i < 4; ++i) {
            writers.emplace_back([&db, key = std::to_string(round) + std::to_string(i)] {
                db.put(key, key);
            });
        }
        for (auto& each : writers) each.join();
        CHECK(counted_threads::made == 1);
        db.close();
        CHECK(counted_threads::made == 1);
    }
}

TEST_CASE("the background thread hands over what has waited long enough", "[engine][threads]") {
    const simulated disk;
    shared db = shared::open("/db", small(), disk);
    db.put("a", "waited");
    const auto handed = [&] {
        const auto file = disk.read_file("/db/0000000000000001.log").value();
        return coffer::as_text(file).find("waited") != std::string_view::npos;
    };
    CHECK_FALSE(handed());
    disk.advance(1'100'000'000);
    REQUIRE(t::eventually(handed));
    db.close();
}

TEST_CASE("the background thread cleans what is dead, also when nothing is written any more",
          "[engine][threads]") {
    const simulated disk;
    shared db = shared::open("/db", small(), disk);
    for (int i = 0; i < 1000; ++i) db.put("key" + std::to_string(i), std::string(300, 'v'));
    for (int i = 0; i < 990; ++i) db.erase("key" + std::to_string(i));
    db.sync();
    for (int i = 0; i < 60; ++i) db.put("last", std::string(300, 'l'));  // a rotation or two
    db.sync();
    REQUIRE(t::eventually([&] { return db.stats().log_bytes < 200'000; }));  // of more than 330 KB
    CHECK(db.size() == 11);
    CHECK(db.get("key995") == std::string(300, 'v'));
    CHECK(db.verify().ok());
}

TEST_CASE("an error in the background is told, stays, and ends when it works again",
          "[engine][threads]") {
    const simulated disk;
    listener heard;
    shared db = shared::open("/db", heard.options(), disk);
    db.put("a", "1");
    fs::fault full;
    full.code = errc::no_space;
    disk.fail_call(1, full, fs::call::write);
    disk.advance(2'000'000'000);
    REQUIRE(t::eventually([&] {
        const std::lock_guard hold(heard.mutex);
        return !heard.errors.empty();
    }));
    CHECK(db.get("a") == "1");
    CHECK(db.try_put("b", "2").error().kind() == errc::no_space);
    REQUIRE(db.try_flush());
    CHECK(db.try_put("b", "2"));
    db.close();
    CHECK(shared::open("/db", small(), disk).size() == 2);
}

TEMPLATE_TEST_CASE("what cleaning meets in the background is answered by compact() or by close()",
                   "[engine][threads]", coffer::threading::multi, coffer::threading::single) {
    using subject = coffer::store<std::string, std::string, coffer::durability::buffered, TestType,
                                  simulated>;
    const bool compacts = GENERATE(true, false);
    const simulated disk;
    listener heard;
    const auto is_heard = [&] {
        const std::lock_guard hold(heard.mutex);
        return !heard.errors.empty();
    };
    subject db = subject::open("/db", heard.options(), disk);
    db.put("a key that stays", "value");
    for (int i = 0; i < 1000; ++i) db.put("key" + std::to_string(i), std::string(300, 'v'));
    db.sync();
    const std::string first = "/db/0000000000000001.log";
    const auto file = disk.read_file(first).value();
    const std::size_t at = coffer::as_text(file).find("that stays");
    REQUIRE(at != std::string_view::npos);
    REQUIRE(disk.flip(first, at, std::byte{1}));
    for (int i = 0; i < 1000; ++i) db.erase("key" + std::to_string(i));
    db.sync();
    REQUIRE(t::eventually([&] {
        db.erase("nothing");  // under `single` each call cleans a little
        return is_heard();
    }));
    CHECK(db.try_put("more", "value"));
    CHECK(db.try_flush());
    CHECK(db.try_sync());
    auto told = compacts ? db.try_compact() : db.try_close();
    REQUIRE_FALSE(told);
    CHECK(told.error().kind() == errc::corruption);
    CHECK(db.is_open() == compacts);
    if (compacts) CHECK(db.try_compact());
    CHECK(db.try_close());
}

TEST_CASE("a poisoned store refuses writes, shows what is there, and says why when it is closed",
          "[engine]") {
    const simulated disk;
    alone db = alone::open("/db", small(), disk);
    db.put("a", "1");
    disk.fail_call(1, {}, fs::call::sync);
    CHECK(db.try_put("b", "2").error().kind() == errc::io_error);
    CHECK(db.try_put("c", "3").error().kind() == errc::poisoned);
    CHECK(db.try_erase("a").error().kind() == errc::poisoned);
    CHECK(db.try_sync().error().kind() == errc::poisoned);
    CHECK(db.get("a") == "1");
    CHECK_FALSE(db.contains("b"));
    auto closed = db.try_close();
    REQUIRE_FALSE(closed);
    CHECK(closed.error().kind() == errc::poisoned);
    CHECK_FALSE(db.is_open());
    CHECK(db.try_close());  // it is closed
    const alone again = alone::open("/db", small(), disk);
    CHECK(again.get("a") == "1");
    CHECK_FALSE(again.contains("c"));
}

TEST_CASE("an open that fails leaves nothing running and nothing locked", "[engine]") {
    const simulated disk;
    { alone::open("/db", small(), disk).put("a", "1"); }
    for (std::uint64_t number = 1; number < 60; ++number) {
        disk.fail_call(number);
        {
            auto opened = shared::try_open("/db", small(), disk);
            if (opened) static_cast<void>(opened->try_close());
        }
        disk.clear_faults();
        auto opened = shared::try_open("/db", small(), disk);
        if (!opened) FAIL("fault " << number << ": " << opened.error().what());
        if (opened->get("a") != "1") FAIL("fault " << number);
    }
}

TEST_CASE("a store that was not closed says so to the listener", "[engine]") {
    const simulated disk;
    simulated killed;
    {
        alone db = alone::open("/db", small(), disk);
        db.put("a", "1");
        killed = disk.process_killed();
    }
    listener heard;
    {
        const alone db = alone::open("/db", heard.options(), killed);
        CHECK_FALSE(db.recovery().clean);
    }
    CHECK(heard.warnings.size() == 1);
    CHECK(heard.errors.empty());
    { const alone db = alone::open("/db", heard.options(), killed); }
    CHECK(heard.warnings.size() == 1);
}

TEST_CASE("closing a store in which nothing was written changes no file", "[engine]") {
    const simulated disk;
    { alone::open("/db", small(), disk).put("a", "1"); }
    const auto before = disk.read_file("/db/0000000000000001.log");
    const auto files = disk.files();
    {
        const alone db = alone::open("/db", small(), disk);
        CHECK(db.get("a") == "1");
    }
    CHECK(disk.files() == files);
    CHECK(disk.read_file("/db/0000000000000001.log") == before);
}

TEST_CASE("a log that cannot be ended for want of a segment is durable all the same", "[engine]") {
    using S = coffer::store<std::string, std::string, simulated, coffer::durability::buffered,
                            coffer::threading::single>;
    const simulated disk;
    coffer::options chosen = small();
    chosen.auto_compact = false;
    chosen.map_reads = false;
    S db = S::open("/s", chosen, disk);
    for (int i = 0; i < 20; ++i) db.put("key " + std::to_string(i), std::string(2000, 'v'));
    db.flush();
    fs::fault none_left;
    none_left.lasting = true;
    disk.fail_call(1, none_left, fs::call::create);
    db.put("accepted", "1");
    S::batch batch;
    batch.put("new", "1");
    batch.put("key 0", "2");  // in a segment that is read from its file
    disk.fail_call(1, {}, fs::call::read);
    REQUIRE_FALSE(db.try_write(batch));  // which ends the active segment
    CHECK_FALSE(db.try_close());
    disk.clear_faults();
    CHECK(S::open("/s", chosen, disk.power_lost()).get("accepted") == "1");
}

namespace {

template <class Storage, class Durability>
struct policies_of {
    using storage = Storage;
    using durability = Durability;
};
using coffer::durability::buffered;
using coffer::durability::sync;
using coffer::storage::file_log;

}  // namespace

TEMPLATE_TEST_CASE("a batch that meets what cannot be read leaves nothing", "[engine]",
                   (policies_of<file_log, sync>), (policies_of<file_log, buffered>),
                   (policies_of<coffer::storage::mmap, sync>),
                   (policies_of<coffer::storage::mmap, buffered>)) {
    using S = coffer::store<std::string, std::string, simulated, typename TestType::storage,
                            typename TestType::durability, coffer::threading::single>;
    const auto content = [](const S& of) {
        std::map<std::string, std::string> out;
        of.for_each([&](std::string_view key, std::string_view value) { out.emplace(key, value); });
        return out;
    };
    const std::vector<std::vector<std::string>> batches{
        {"key 0"}, {"key 0", "new"}, {"new", "key 0"}, {"new", "key 19", "key 0"}};
    const auto leaves_nothing = [&](const std::vector<std::string>& keys, bool damaged) {
        for (const bool goes_on : {true, false}) {
            const simulated disk;
            coffer::options chosen;
            chosen.segment_bytes = 16 * 1024;
            chosen.auto_compact = false;
            chosen.map_reads = damaged;
            S db = S::open("/s", chosen, disk);
            std::map<std::string, std::string> all;
            const auto put = [&](const std::string& key, const std::string& value) {
                db.put(key, value);
                all[key] = value;
            };
            for (int i = 0; i < 20; ++i) put("key " + std::to_string(i), std::string(2000, 'v'));
            db.flush();
            typename S::batch batch;
            for (const std::string& key : keys) batch.put(key, "never");
            const std::string path = "/s/0000000000000001.log";
            const auto file = disk.read_file(path);
            REQUIRE(file);
            const std::size_t at = coffer::as_text(*file).find("key 0");
            const auto spoil = [&] { REQUIRE(disk.flip(path, at, std::byte{1})); };
            if (damaged) spoil();
            if (!damaged) disk.fail_call(1, {}, coffer::fs::call::read);
            auto refused = db.try_write(batch);
            REQUIRE_FALSE(refused);
            CHECK(refused.error().kind() == (damaged ? errc::corruption : errc::io_error));
            if (damaged) spoil();  // back to what it was
            disk.clear_faults();
            CHECK(content(S::open("/s", chosen, disk.process_killed())) == all);
            if (goes_on) put("and on", "4");
            CHECK(content(db) == all);
            CHECK(db.verify().ok());
            db.sync();
            CHECK(content(S::open("/s", chosen, disk.process_killed())) == all);
            CHECK(content(S::open("/s", chosen, disk.power_lost())) == all);
            db.close();
            const S again = S::open("/s", chosen, disk);
            CHECK(again.recovery().clean);
            CHECK(content(again) == all);
            CHECK(again.size() == all.size());
            CHECK(again.verify().ok());
        }
    };
    for (const std::vector<std::string>& keys : batches) {
        leaves_nothing(keys, true);
        // The segments of mmap stay in memory: no call reads them.
        if (std::is_same_v<typename TestType::storage, file_log>) leaves_nothing(keys, false);
    }
}

namespace {

template <class S>
void run_often(const coffer::options& chosen, const coffer::fs::simulated& disk, int runs) {
    for (int run = 0; run < runs; ++run) {
        S db = S::open("/db", chosen, disk);
        db.put("last", std::to_string(run));
        db.put("run " + std::to_string(run), "1");
        db.close();
    }
}

}  // namespace

TEMPLATE_TEST_CASE("C5: short runs leave few segments", "[engine]", coffer::storage::file_log,
                   coffer::storage::mmap) {
    using S = coffer::store<std::string, std::string, TestType, coffer::durability::buffered,
                            coffer::fs::simulated>;
    const coffer::fs::simulated disk;
    run_often<S>({}, disk, 300);
    const S db = S::open("/db", {}, disk);
    CHECK(db.stats().segments < 132);
    CHECK(db.size() == 301);
    CHECK(db.get("last") == "299");
    CHECK(db.get("run 0") == "1");
    CHECK(db.verify().ok());
}

TEST_CASE("C5: a segment that a step of cleaning has begun is merged, too", "[engine]") {
    using S = coffer::store<std::string, std::string, coffer::durability::buffered,
                            coffer::threading::single, coffer::fs::simulated>;
    const coffer::fs::simulated disk;
    coffer::options chosen;
    chosen.auto_compact = false;
    for (int run = 0; run < 130; ++run) {  // of three steps each
        S db = S::open("/db", chosen, disk);
        for (int i = 0; i < 17; ++i)
            db.put("run " + std::to_string(run) + " " + std::to_string(i),
                   std::string(10'000, 'v'));
        db.close();
    }
    for (int run = 0; run < 20; ++run) {
        S db = S::open("/db", {}, disk);
        for (int i = 0; i < 3; ++i) db.put("last", std::to_string(run));
        db.close();
    }
    const S db = S::open("/db", {}, disk);
    CHECK(db.stats().segments < 132);
    CHECK(db.size() == 130 * 17 + 1);
    CHECK(db.get("last") == "19");
    CHECK(db.verify().ok());
}

TEST_CASE("C5: one damaged segment does not keep the others from being merged", "[engine]") {
    using S =
        coffer::store<std::string, std::string, coffer::storage::mmap,  // reads no log to open
                      coffer::durability::buffered, coffer::fs::simulated>;
    const coffer::fs::simulated disk;
    coffer::options chosen;
    chosen.auto_compact = false;
    run_often<S>(chosen, disk, 150);
    const std::string second = "/db/" + coffer::detail::segment_name(2);
    REQUIRE(disk.flip(second, coffer::detail::header_unit + 12, std::byte{1}));
    listener heard;
    chosen.auto_compact = true;
    chosen.log = &listener::hear;
    chosen.log_context = &heard;
    S db = S::open("/db", chosen, disk);
    db.put("last", "150");
    const auto closed = db.try_close();
    REQUIRE_FALSE(closed);
    CHECK(closed.error().kind() == errc::corruption);
    CHECK(heard.errors.size() == 1);
    for (int run = 0; run < 30; ++run) {
        db = S::open("/db", {}, disk);
        db.put("last", std::to_string(run));
        static_cast<void>(db.try_close());
    }
    db = S::open("/db", {}, disk);
    CHECK(db.stats().segments < 132);
    CHECK(db.get("last") == "29");
    CHECK(db.get("run 149") == "1");
}

TEST_CASE("compact() merges what short runs have left, once", "[engine]") {
    using S = coffer::store<std::string, std::string, coffer::durability::buffered,
                            coffer::fs::simulated>;
    const coffer::fs::simulated disk;
    coffer::options chosen;
    chosen.auto_compact = false;
    run_often<S>(chosen, disk, 150);
    S db = S::open("/db", chosen, disk);
    CHECK(db.stats().segments == 150);
    db.compact();
    const auto few = db.stats();
    CHECK(few.segments < 4);
    CHECK(db.size() == 151);
    CHECK(db.verify().ok());
    db.compact();
    CHECK(db.stats().segments <= few.segments + 1);
}
