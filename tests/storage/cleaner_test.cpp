// Cleaning: live records move, dead ones go, and at every moment a crash leaves all of them.
#include <coffer/storage/cleaner.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"
#include "eventually.hpp"
#include "parts.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::errc;
using world = parts::world<false, coffer::threading::multi>;
using cleaner_type = cleaner<world::state, world::writer_type>;
using S = coffer::store<std::string, std::string, coffer::durability::buffered,
                        coffer::threading::single, coffer::fs::simulated>;
using model = std::map<std::string, std::string>;

coffer::options by_hand() {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    out.auto_compact = false;
    return out;
}

model content(const S& db) {
    model out;
    db.for_each([&](std::string_view key, std::string_view value) {
        out[std::string(key)] = std::string(value);
    });
    return out;
}

/// A store with several segments, most of which is dead.
model fill(S& db) {
    model all;
    const std::string value(100, 'v');
    for (int i = 0; i < 300; ++i) {
        const std::string key = "key" + std::to_string(i * 7 % 40);
        db.put(key, value + std::to_string(i));
        all[key] = value + std::to_string(i);
        if (i % 5 == 0) {
            db.erase(key);
            all.erase(key);
        }
    }
    return all;
}

std::vector<std::uint64_t> segments_of(world& it) {
    std::vector<std::uint64_t> out;
    auto section = it.all.journal.enter();
    for (const auto& each : it.all.journal.segments()) out.push_back(each->id);
    return out;
}

}  // namespace

TEST_CASE("C1: what is live stays, what is dead goes", "[cleaner]") {
    const coffer::fs::simulated disk;
    model all;
    {
        S db = S::open("/db", by_hand(), disk);
        all = fill(db);
        const auto before = db.stats();
        db.compact();
        const auto after = db.stats();
        CHECK(content(db) == all);
        CHECK(after.log_bytes < before.log_bytes / 2);
        CHECK(db.verify().ok());
        db.compact();
        CHECK(content(db) == all);
        db.close();
    }
    const S db = S::open("/db", by_hand(), disk);
    CHECK(content(db) == all);
}

TEST_CASE("C3: a power cut or a kill at any step of cleaning loses nothing", "[cleaner]") {
    const coffer::fs::simulated disk;
    S db = S::open("/db", by_hand(), disk);
    const model all = fill(db);
    db.sync();
    std::uint64_t steps = 0;
    std::uint64_t removed = 0;
    std::string lost;
    const auto look = [&](const coffer::fs::simulated& after, const char* what) {
        auto opened = S::try_open_read_only("/db", by_hand(), after);
        if (opened && content(*opened) == all) return;
        if (lost.empty()) lost = what + std::string(" at step ") + std::to_string(steps);
    };
    disk.set_step_hook([&](const coffer::fs::step& next) {
        ++steps;
        removed += next.is == coffer::fs::call::remove;
        look(disk.power_lost(), "power cut");
        look(disk.process_killed(), "kill");
    });
    db.compact();
    disk.clear_step_hook();
    CHECK(lost == "");
    CHECK(removed > 2);
    CHECK(steps > 10);
    CHECK(content(db) == all);
}

TEST_CASE("C1: a tombstone goes only with its segment as the oldest", "[cleaner]") {
    const coffer::fs::simulated disk;
    {
        S db = S::open("/db", by_hand(), disk);
        db.put("victim", "old");
        db.put("other", "stays");
        for (int i = 0; i < 200; ++i) db.put("filler", std::string(100, 'f'));  // the next segment
        db.erase("victim");
        db.sync();
        // The oldest segment cannot be cleaned, because a record in it is damaged.
        const auto oldest = disk.read_file("/db/0000000000000001.log").value();
        const std::string text(coffer::as_text(oldest));
        const std::uint64_t at = text.find("stays");
        REQUIRE(at != std::string::npos);
        REQUIRE(disk.flip("/db/0000000000000001.log", at, std::byte{1}));
        CHECK(db.try_compact().error().kind() == errc::corruption);
        static_cast<void>(db.try_compact());
        REQUIRE(disk.flip("/db/0000000000000001.log", at, std::byte{1}));
        db.close();
    }
    const S db = S::open("/db", by_hand(), disk);
    CHECK_FALSE(db.contains("victim"));
    CHECK(db.get("other") == "stays");
}

TEST_CASE("C2: a damaged record ends the cleaning of its segment, which stays", "[cleaner]") {
    world it;
    cleaner_type cleaner(it.all, it.writer);
    for (int i = 0; i < 200; ++i) {
        REQUIRE(it.put("live" + std::to_string(i % 100), std::string(100, 'v')));
    }
    REQUIRE(it.all.journal.close_segment());
    REQUIRE(it.all.journal.sync());
    REQUIRE(it.disk.flip(scene::path(1), scene::unit + 50, std::byte{1}));
    auto failed = cleaner.clean_all();
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind() == errc::corruption);
    CHECK(segments_of(it)[0] == 1);
    CHECK(it.disk.read_file(scene::path(1)).has_value());
    CHECK(it.get("live99") == std::string(100, 'v'));
    REQUIRE(cleaner.clean_all());  // the others are cleaned without it
    CHECK(segments_of(it)[0] == 1);
    CHECK(segments_of(it).size() >= 2);
    for (int i = 0; i < 100; ++i) CHECK(it.get("live" + std::to_string(i)).size() == 100);
}

TEST_CASE("nobody waits for what cannot be cleaned because it is damaged", "[cleaner]") {
    world it;
    cleaner_type cleaner(it.all, it.writer);
    for (int i = 0; i < 300; ++i) REQUIRE(it.put("key", std::string(300, 'v')));
    REQUIRE(it.all.journal.close_segment());
    REQUIRE(it.all.journal.sync());
    const std::vector<std::uint64_t> all = segments_of(it);
    for (const std::uint64_t each : all) {
        if (each != all.back())
            REQUIRE(it.disk.flip(scene::path(each), 3 * scene::unit, std::byte{1}));
    }
    cleaner.look();
    CHECK(cleaner.is_late());
    std::size_t damaged = 0;
    for (auto more = cleaner.step(); !more || *more; more = cleaner.step()) damaged += !more;
    CHECK(damaged > all.size() / 2);
    cleaner.look();
    CHECK_FALSE(cleaner.is_late());
}

TEST_CASE("C3: a segment goes only when no reader is left in it", "[cleaner]") {
    world it;
    cleaner_type cleaner(it.all, it.writer);
    for (int i = 0; i < 100; ++i) REQUIRE(it.put("key", std::string(300, 'v')));
    {
        const auto pin = it.all.enter();
        REQUIRE(cleaner.clean_all());
        CHECK(segments_of(it)[0] > 1);
        CHECK(it.disk.read_file(scene::path(1)).has_value());
    }
    REQUIRE(cleaner.finish());
    CHECK_FALSE(it.disk.read_file(scene::path(1)).has_value());
    CHECK(it.get("key") == std::string(300, 'v'));
}

TEST_CASE("one step cleans what is worth it, a piece at a time", "[cleaner]") {
    world it;
    cleaner_type cleaner(it.all, it.writer);
    CHECK_FALSE(cleaner.step().value());
    for (int i = 0; i < 100; ++i) REQUIRE(it.put(std::to_string(i), std::string(500, 'v')));
    REQUIRE(it.all.journal.sync());
    CHECK_FALSE(cleaner.step().value());  // all of it is live
    for (int i = 0; i < 70; ++i) REQUIRE(it.put(std::to_string(i), std::string(500, 'w')));
    REQUIRE(it.all.journal.sync());
    const std::size_t before = segments_of(it).size();
    int steps = 0;
    while (cleaner.step().value() && steps < 1000) ++steps;
    CHECK(steps > 0);
    CHECK(segments_of(it).size() < before);
    for (int i = 0; i < 100; ++i) {
        CHECK(it.get(std::to_string(i)) == std::string(500, i < 70 ? 'w' : 'v'));
    }
}

TEST_CASE("what is not durable is not cleaned", "[cleaner]") {
    world it;
    cleaner_type cleaner(it.all, it.writer);
    const auto put = [&](int i) {
        REQUIRE(it.put(std::to_string(i), std::string(500, 'v')));
    };
    for (int i = 0; i < 155; ++i) put(i % 100);  // a little more than a third of it is dead
    CHECK_FALSE(cleaner.step().value());         // no segment is on stable storage
    CHECK_FALSE(cleaner.is_late());
    REQUIRE(it.all.journal.sync());
    CHECK(cleaner.step().value());
}

TEST_CASE("cleaning passes a key whose write is under way by, where nothing of it may live",
          "[cleaner]") {
    parts::world<true, coffer::threading::multi> it;
    cleaner cleaning(it.all, it.writer);
    for (int i = 0; i < 200; ++i) REQUIRE(it.put("key", std::string(300, 'v')));
    REQUIRE(it.all.journal.sync());
    it.driver.waits = true;  // for ever
    REQUIRE(it.put("key", "new"));
    for (int i = 0; i < 10; ++i) REQUIRE(cleaning.step());
    CHECK(it.all.journal.segments().front()->id > 1);
    CHECK(it.get("key") == std::string(300, 'v'));
}

TEST_CASE("a cleaner that is late makes durable what it has to clean", "[cleaner]") {
    world it;
    cleaner_type cleaner(it.all, it.writer);
    for (int i = 0; i < 200; ++i) REQUIRE(it.put("key", std::string(300, 'v')));
    const auto before = it.all.journal.durable();
    CHECK(cleaner.step().value());
    CHECK(cleaner.is_late());
    CHECK(it.all.journal.durable() > before);
    while (cleaner.step().value()) {}
    CHECK_FALSE(cleaner.is_late());
    CHECK(it.get("key") == std::string(300, 'v'));
}

TEST_CASE("C4: the cleaner is late when a writer finds too much dead", "[cleaner]") {
    world it;
    cleaner_type cleaner(it.all, it.writer);
    for (int i = 0; i < 100; ++i) REQUIRE(it.put(std::to_string(i), std::string(500, 'v')));
    cleaner.look();
    CHECK_FALSE(cleaner.is_late());
    for (int i = 0; i < 200; ++i) REQUIRE(it.put("key", std::string(500, 'v')));
    cleaner.look();
    CHECK(cleaner.is_late());
    it.all.journal.give_up(nullptr);
    CHECK_FALSE(cleaner.step());
    CHECK_FALSE(cleaner.is_late());  // a cleaner that has failed holds nobody up
}

TEST_CASE("a clear keeps its segment until it is the oldest", "[cleaner]") {
    const coffer::fs::simulated disk;
    model all;
    {
        S db = S::open("/db", by_hand(), disk);
        static_cast<void>(fill(db));
        db.clear();
        db.put("after", "1");
        for (int i = 0; i < 200; ++i) db.put("filler", std::string(100, 'f'));
        db.put("last", "2");
        all = content(db);
        CHECK(all.size() == 3);
        db.compact();
        CHECK(content(db) == all);
        db.sync();
    }
    const S db = S::open("/db", by_hand(), disk.power_lost());
    CHECK(content(db) == all);
}

TEST_CASE("C1: a clear that is under way keeps its segment", "[cleaner]") {
    world it;
    cleaner_type cleaner(it.all, it.writer);
    change_list changes;
    changes.add(record_type::clear, {}, {});
    changes.add(record_type::put, coffer::as_bytes("key"), coffer::as_bytes("new"));
    std::thread cleaning;
    std::atomic<bool> done{false};
    it.driver.meanwhile = [&] {
        // Worth cleaning, and nothing before the clear that would have to wait for it to be moved.
        it.all.journal.active()->count_dead(1000);
        cleaning = std::thread([&] {
            static_cast<void>(cleaner.clean_all());
            done = true;
        });
        // One that takes the segment cannot end before the clear does: then this waits.
        const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(2);
        while (!done && std::chrono::steady_clock::now() < late) std::this_thread::yield();
    };
    REQUIRE(it.writer.write(changes));
    it.driver.meanwhile = [] {};
    cleaning.join();
    CHECK(it.get("key") == "new");
    REQUIRE(cleaner.clean_all());
    CHECK(it.get("key") == "new");
    CHECK(segments_of(it).size() <= 2);
}

TEST_CASE("on a full disk cleaning says so, and everything stays", "[cleaner]") {
    const coffer::fs::simulated disk;
    S db = S::open("/db", by_hand(), disk);
    const model all = fill(db);
    db.sync();
    disk.set_capacity(1);
    auto refused = db.try_compact();
    CHECK(content(db) == all);
    disk.set_capacity(UINT64_MAX);
    REQUIRE(db.try_compact());
    CHECK(content(db) == all);
    if (!refused) CHECK(refused.error().kind() == errc::no_space);
}

TEST_CASE("any single error during cleaning loses nothing, and cleaning can go on or reopen",
          "[cleaner]") {
    for (std::uint64_t number = 1;; number += 3) {
        const coffer::fs::simulated disk;
        model all;
        bool reached = false;
        {
            S db = S::open("/db", by_hand(), disk);
            all = fill(db);
            db.sync();
            const std::uint64_t before = disk.faults();
            disk.fail_call(number);
            static_cast<void>(db.try_compact());
            reached = disk.faults() != before;
            disk.clear_faults();
            if (content(db) != all) FAIL("fault " << number);
            static_cast<void>(db.try_compact());
            if (content(db) != all) FAIL("fault " << number << ", cleaned again");
            static_cast<void>(db.try_close());
        }
        const S db = S::open("/db", by_hand(), disk);
        if (content(db) != all) FAIL("fault " << number << ", reopened");
        if (!reached) break;
    }
}

TEST_CASE("a segment that cannot be read now is cleaned later", "[cleaner]") {
    coffer::options by_pread = by_hand();
    by_pread.map_reads = false;
    int failures = 0;
    for (std::uint64_t number = 1;; ++number) {
        const coffer::fs::simulated disk;
        S db = S::open("/db", by_pread, disk);
        const model all = fill(db);
        db.sync();
        const auto before = db.stats();
        disk.fail_call(number, {}, coffer::fs::call::read);
        auto failed = db.try_compact();
        disk.clear_faults();
        if (!failed && failed.error().kind() != errc::io_error) FAIL("fault " << number);
        db.compact();
        if (db.stats().log_bytes >= before.log_bytes / 2) FAIL("fault " << number << ", space");
        CHECK(db.verify().ok());
        CHECK(content(db) == all);
        if (failed) break;
        ++failures;
    }
    CHECK(failures > 5);
}

TEMPLATE_TEST_CASE("what a clear leaves dead is cleaned before the next segment is full",
                   "[cleaner]", coffer::threading::single, coffer::threading::multi) {
    using subject = coffer::store<std::string, std::string, coffer::durability::buffered, TestType,
                                  coffer::fs::simulated>;
    coffer::options chosen = by_hand();
    chosen.auto_compact = true;
    subject db = subject::open("/db", chosen);
    for (int i = 0; i < 300; ++i) db.put(std::to_string(i), std::string(300, 'v'));
    db.sync();
    const auto full = db.stats().log_bytes;
    db.clear();
    const auto is_small = [&] { return db.stats().log_bytes <= full / 3; };
    if constexpr (TestType::concurrent) {
        CHECK(t::eventually(is_small));
    } else {
        for (int i = 0; i < 50; ++i) db.erase("nothing");  // each call cleans a little
        CHECK(is_small());
    }
}

TEST_CASE("marks and tombstones alone do not let a log grow", "[cleaner]") {
    using numbers =
        coffer::store<std::uint64_t, std::uint64_t, coffer::durability::sync,
                      coffer::threading::single, coffer::fs::simulated>;
    coffer::options chosen = by_hand();
    chosen.auto_compact = true;
    const coffer::fs::simulated disk;
    numbers db = numbers::open("/db", chosen, disk);
    for (std::uint64_t i = 0; i < 4000; ++i) {  // 104 bytes of log each, 28 of them a dead record
        db.put(i, i);
        db.erase(i);
    }
    CHECK(db.empty());
    CHECK(db.stats().log_bytes < 100'000);
    numbers::batch absent;
    for (std::uint64_t i = 0; i < 100; ++i) absent.erase(i);
    for (int i = 0; i < 300; ++i) db.write(absent);  // 2000 bytes each
    CHECK(db.stats().log_bytes < 150'000);
    db.compact();
    CHECK(db.stats().log_bytes < 20'000);
    db.compact();  // and what the first one has left: its marks, and the notes of removals
    const auto compacted = db.stats();
    db.compact();
    CHECK(db.stats().commits == compacted.commits);
    CHECK(db.stats().log_bytes <= compacted.log_bytes + 4200);
}

TEST_CASE("the background does not wait for whoever calls compact()", "[cleaner]") {
    using shared = coffer::store<std::string, std::string, coffer::durability::async,
                                 coffer::fs::simulated>;
    coffer::options chosen = by_hand();
    chosen.auto_compact = true;
    chosen.max_bytes = 4096;
    const coffer::fs::simulated disk;
    shared db = shared::open("/db", chosen, disk);
    // A tenth is dead: too little for the background to begin by itself.
    for (int i = 0; i < 330; ++i)
        db.put("key" + std::to_string(i < 300 ? i : i % 30 * 10), std::string(200, 'v'));
    db.sync();
    // While compact() waits, as the first segment goes, the worker takes what writers bring.
    std::future<void> writer;
    std::future_status written = std::future_status::deferred;
    const auto caller = std::this_thread::get_id();
    disk.set_step_hook([&](const coffer::fs::step& next) {
        if (next.is != coffer::fs::call::remove || !next.path.ends_with(".log")) return;
        if (std::this_thread::get_id() != caller || writer.valid()) return;
        writer = std::async(std::launch::async, [&] {
            for (int i = 0; i < 100; ++i)
                db.put("more" + std::to_string(i), std::string(200, 'v'));
        });
        written = writer.wait_for(std::chrono::seconds(20));
    });
    db.compact();
    disk.clear_step_hook();
    REQUIRE(writer.valid());
    CHECK(written == std::future_status::ready);
    writer.get();
    CHECK(db.size() == 400);
}

namespace {

/// How a store is overwritten, by each of so many writers.
struct overwriting {
    std::size_t writers;
    unsigned keys;  // of each writer
    unsigned rounds;
    std::size_t value_bytes;
    unsigned batch;  // puts in one write
};

/// By how much the dead bytes were ever beyond `share` 48th of the log and six segments.
template <class Store>
std::uint64_t beyond(Store& db, const overwriting& how, std::uint64_t share,
                     std::uint64_t segment_bytes) {
    std::atomic<std::uint64_t> most{0};
    const auto overwrite = [&](std::size_t writer) {
        typename Store::batch together;
        std::mt19937 random(static_cast<unsigned>(writer));
        unsigned puts = 0;
        for (unsigned i = 0; i < how.rounds * how.keys; ++i) {
            const auto which = i < how.keys ? i : static_cast<unsigned>(random() % how.keys);
            const std::string key = std::to_string(which) + "/" + std::to_string(writer);
            const std::string value(how.value_bytes, 'v');
            if (how.batch == 1) {
                db.put(key, value);
            } else {
                together.put(key, value);
                if (++puts % how.batch != 0) continue;
                db.write(together);
                together.reset();
            }
            if (how.value_bytes < 1000 && i % 64 != 0) continue;
            const auto now = db.stats();
            const std::uint64_t bound = now.log_bytes * share / 48 + 6 * segment_bytes;
            if (now.dead_bytes > bound) most = (std::max)(most.load(), now.dead_bytes - bound);
        }
    };
    std::vector<std::thread> all;
    for (std::size_t i = 1; i < how.writers; ++i) all.emplace_back(overwrite, i);
    overwrite(0);
    for (auto& each : all) each.join();
    return most.load();
}

}  // namespace

TEMPLATE_TEST_CASE("C4: writers do not outrun the cleaner: what is dead stays below a share",
                   "[cleaner][threads]", coffer::storage::file_log, coffer::storage::mmap) {
    using threaded =
        coffer::store<std::string, std::string, TestType, coffer::durability::buffered,
                      coffer::threading::multi, coffer::fs::simulated>;
    // Of a log that takes eight fifths of what lives in it three eighths are dead. Where the index
    // takes a sixth of that it is 13 of 48, since both together may take no more.
    constexpr bool keeps_index = std::is_same_v<TestType, coffer::storage::mmap>;
    constexpr std::uint64_t share = keeps_index ? 13 : 18;  // of 48
    const overwriting how = keeps_index ? overwriting{4, 20000, 6, 30, 1}
                                        : overwriting{4, 2000, 20, 100, 1};
    coffer::options chosen;
    chosen.segment_bytes = 64 * 1024;
    threaded db = threaded::open("/db", chosen);
    CHECK(beyond(db, how, share, chosen.segment_bytes) == 0);
    CHECK(db.size() == how.writers * how.keys);
    CHECK(db.verify().ok());
}

TEMPLATE_TEST_CASE("C4: so it does for small records, for batches and for large values",
                   "[cleaner][threads]", coffer::threading::multi, coffer::threading::single) {
    using subject =
        coffer::store<std::string, std::string, coffer::storage::file_log,
                      coffer::durability::buffered, TestType, coffer::fs::simulated>;
    constexpr std::size_t writers = TestType::concurrent ? 2 : 1;
    const overwriting how = GENERATE(overwriting{writers, 20000, 6, 0, 1},
                                     overwriting{writers, 3000, 12, 100, 50},
                                     overwriting{writers, 60, 30, 50'000, 1});
    coffer::options chosen;
    chosen.segment_bytes = 64 * 1024;
    subject db = subject::open("/db", chosen);
    CAPTURE(how.value_bytes, how.batch);
    CHECK(beyond(db, how, 18, chosen.segment_bytes) == 0);
    CHECK(db.size() == how.writers * how.keys);
    CHECK(db.verify().ok());
}
