// A store of mapped files goes on with the index that the last process left; whatever does not fit
// is made from the log instead. tests/crash/instructions_test.cpp ends processes within a write.
#include <coffer/storage/resuming.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/index/sorted.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using coffer::errc;
using coffer::fs::simulated;
namespace fs = coffer::fs;
template <class Index, class Durability = coffer::durability::buffered>
using live_store = coffer::store<std::string, std::string, coffer::storage::mmap, Durability, Index,
                                 coffer::threading::single, simulated>;
using S = live_store<coffer::index::hash>;
using in_order = live_store<coffer::index::sorted>;
using model = std::map<std::string, std::string>;

const std::string live = "/db/LIVE";

coffer::options by_hand() {
    coffer::options out;
    out.segment_bytes = 64 * 1024;
    out.auto_compact = false;
    return out;
}

template <class Store>
model content(const Store& db) {
    model out;
    db.for_each([&](std::string_view key, std::string_view value) {
        out[std::string(key)] = std::string(value);
    });
    return out;
}

template <class Store>
model fill(Store& db) {
    model all;
    for (int i = 0; i < 1500; ++i) {
        const std::string key = "key" + std::to_string(i * 7 % 400);
        const std::string value(1000, static_cast<char>('a' + i % 26));
        db.put(key, value);
        all[key] = value;
        if (i % 9 != 0) continue;
        db.erase(key);
        all.erase(key);
    }
    return all;
}

/// Opens the store and says how many bytes of segments were read for that.
template <class Store>
std::uint64_t bytes_read_to_open(const simulated& disk, const model& wanted) {
    disk.set_traced(true);
    Store db = Store::open("/db", by_hand(), disk);
    std::uint64_t sum = 0;
    for (const auto& step : disk.take_trace()) {
        if (step.is == fs::call::read && step.path.ends_with(".log")) sum += step.length;
    }
    disk.set_traced(false);
    CHECK(content(db) == wanted);
    CHECK(db.size() == wanted.size());
    CHECK(db.verify().ok());
    db.put("and on", "1");
    CHECK(db.get("and on") == "1");
    return sum;
}

constexpr std::uint64_t little = 70'000;  // one piece of the tail

/// A store that is in use, with more than a megabyte.
template <class Store>
struct used_store {
    simulated disk;
    Store db = Store::open("/db", by_hand(), disk);
    model all = fill(db);
};

}  // namespace

TEMPLATE_TEST_CASE("a killed process leaves its index to the next", "[resuming]", S, in_order,
                   (live_store<coffer::index::hash, coffer::durability::sync>),
                   (live_store<coffer::index::sorted, coffer::durability::async>)) {
    used_store<TestType> it;
    const auto before = it.db.stats();
    const simulated left = it.disk.process_killed();
    {
        const TestType db = TestType::open("/db", by_hand(), left.process_killed());
        CHECK_FALSE(db.recovery().clean);
        CHECK(db.recovery().dropped_bytes == 0);
        const auto after = db.stats();
        CHECK(after.entries == before.entries);
        CHECK(after.dead_bytes == before.dead_bytes);
        CHECK(after.commits == before.commits);
        CHECK(after.segments == before.segments);
    }
    CHECK(bytes_read_to_open<TestType>(left, it.all) <= little);
}

TEMPLATE_TEST_CASE("so does one that has closed the store, on another boot, too", "[resuming]", S,
                   in_order) {
    used_store<TestType> it;
    const auto before = it.db.stats();
    it.db.close();
    for (const simulated& left : {it.disk.process_killed(), it.disk.power_lost()}) {
        const TestType reader = TestType::open_read_only("/db", {}, left);
        CHECK(content(reader) == it.all);
        {
            const TestType db = TestType::open("/db", by_hand(), left.process_killed());
            CHECK(db.recovery().clean);
            constexpr std::uint64_t marks = 2 * coffer::detail::mark_size;  // that close() wrote
            CHECK(db.stats().dead_bytes == before.dead_bytes + marks);
            CHECK(db.stats().commits == before.commits);
        }
        CHECK(bytes_read_to_open<TestType>(left, it.all) <= little);
    }
}

TEST_CASE("again and again, with segments cleaned meanwhile", "[resuming]") {
    simulated disk;
    model all;
    for (int round = 0; round < 8; ++round) {
        {
            S db = S::open("/db", by_hand(), disk);
            REQUIRE(content(db) == all);
            for (int i = 0; i < 300; ++i) {
                const std::string key = std::to_string((round * 131 + i) % 500);
                const std::string value = std::to_string(round) + std::string(700, 'v');
                db.put(key, value);
                all[key] = value;
            }
            if (round % 3 == 1) db.compact();
            if (round % 4 == 2) {
                db.clear();
                all.clear();
                db.put("one", "1");
                all["one"] = "1";
            }
            disk = round % 2 == 0 ? disk.process_killed() : disk;
        }
        S::batch some;
        for (int i = 0; i < 20; ++i) {
            some.put("batch" + std::to_string(i), "b");
            all["batch" + std::to_string(i)] = "b";
        }
        S db = S::open("/db", by_hand(), disk);
        db.write(some);
        disk = disk.process_killed();
    }
    CHECK(bytes_read_to_open<S>(disk, all) <= little);
}

TEST_CASE("G1: on another boot the index of a killed process is made from the log", "[resuming]") {
    used_store<S> it;
    it.db.sync();
    CHECK(bytes_read_to_open<S>(it.disk.power_lost(), it.all) > little);
}

TEST_CASE("G1: files that do not fit are judged by the long way", "[resuming]") {
    used_store<S> it;
    it.db.sync();
    it.db.put("last", "1");
    it.all["last"] = "1";
    it.db.sync();  // its mark says that the first one was
    const simulated left = it.disk.process_killed();
    SECTION("LIVE is gone") {
        const simulated copy = left.process_killed();
        copy.remove_file(live);
        CHECK(bytes_read_to_open<S>(copy, it.all) > little);
        CHECK(bytes_read_to_open<S>(copy.process_killed(), [&] {
                  model more = it.all;
                  more["and on"] = "1";
                  return more;
              }()) <= little);
    }
    SECTION("LIVE is shorter") {
        const simulated copy = left.process_killed();
        REQUIRE(copy.cut_file(live, copy.read_file(live)->size() - 1));
        CHECK(bytes_read_to_open<S>(copy, it.all) > little);
    }
    SECTION("there is a file of which LIVE says nothing") {
        const std::string torn = "/db/torn-0000000000000001-0000000000001000";
        for (const char* const path : {"/db/INDEX.new", "/db/0000000000000fff.log"}) {
            const simulated copy = left.process_killed();
            REQUIRE(copy.write_file(path, std::vector<std::byte>(9000, std::byte{1})));
            CHECK(bytes_read_to_open<S>(copy, it.all) > little);
        }
        // What an earlier open has kept aside is no part of the log.
        const simulated copy = left.process_killed();
        REQUIRE(copy.write_file(torn, std::vector<std::byte>(9000, std::byte{1})));
        CHECK(bytes_read_to_open<S>(copy, it.all) <= little);
    }
    SECTION("what LIVE says of the segments cannot be") {
        // The same boot believes it without a check: it must do no harm all the same.
        const auto words = left.read_file(live).value();
        const std::uint64_t id = 3;
        std::size_t hits = 0;
        for (std::size_t at = 0; at + 64 <= words.size(); at += 8) {
            if (coffer::detail::load_le<std::uint64_t>(words.data() + at) != id) continue;
            const simulated copy = left.process_killed();
            REQUIRE(copy.flip(live, at, std::byte{0x40}));
            auto opened = S::try_open("/db", by_hand(), copy);
            if (opened) {
                CHECK((content(*opened) == it.all || !opened->verify().ok()));
            } else {
                CHECK(opened.error().kind() == errc::corruption);
            }
            ++hits;
        }
        CHECK(hits > 0);
    }
    SECTION("a segment is gone") {
        const simulated copy = left.process_killed();
        copy.remove_file("/db/0000000000000003.log");
        auto opened = S::try_open("/db", by_hand(), copy);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().kind() == errc::corruption);
    }
    SECTION("a segment is shorter") {
        const simulated copy = left.process_killed();
        REQUIRE(copy.cut_file("/db/0000000000000003.log", 30'000));
        auto opened = S::try_open("/db", by_hand(), copy);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().kind() == errc::corruption);
    }
}

TEST_CASE("a read that fails while an index is taken over is no loss", "[resuming]") {
    used_store<S> it;
    const simulated left = it.disk.process_killed();
    // A segment that was prepared, as far as anybody can see, and is not known to LIVE.
    REQUIRE(left.write_file("/db/0000000000000fff.log", std::vector<std::byte>(9000)));
    std::uint64_t failed = 0;
    for (std::uint64_t number = 1;; ++number) {
        const simulated copy = left.process_killed();
        copy.fail_call(number, {}, coffer::fs::call::read);
        {
            auto opened = S::try_open("/db", by_hand(), copy);
            if (copy.faults() == 0) {
                CHECK(opened.has_value());
                break;
            }
            if (opened) {
                CHECK(content(*opened) == it.all);
            } else {
                CHECK(opened.error().kind() == coffer::errc::io_error);
                ++failed;
            }
        }
        copy.clear_faults();
        S again = S::open("/db", by_hand(), copy);
        CHECK(content(again) == it.all);
    }
    CHECK(failed > 0);
}

TEST_CASE("G1: a log that went on without LIVE, or went back, is read", "[resuming]") {
    used_store<S> it;
    const simulated early = it.disk.process_killed();
    const auto old = early.read_file(live).value();
    it.db.put("later", "1");
    it.db.erase("key1");
    it.all["later"] = "1";
    it.all.erase("key1");
    const simulated late = it.disk.process_killed();
    SECTION("a few records more are told to the index") {
        late.write_file(live, old);
        CHECK(bytes_read_to_open<S>(late, it.all) <= little);
    }
    SECTION("a batch more is left to the long way") {
        S::batch some;
        some.put("a", "1");
        some.put("b", "1");
        it.db.write(some);
        it.all["a"] = it.all["b"] = "1";
        const simulated later = it.disk.process_killed();
        later.write_file(live, old);
        CHECK(bytes_read_to_open<S>(later, it.all) > little);
    }
    SECTION("what LIVE knows last is not in the log") {
        early.write_file(live, late.read_file(live).value());
        model before = it.all;
        before.erase("later");
        const S db = S::open("/db", by_hand(), early);
        CHECK_FALSE(db.contains("later"));
        CHECK(db.verify().ok());
    }
}

TEST_CASE("G1: what was torn is kept aside by the long way", "[resuming]") {
    used_store<S> it;
    const simulated left = it.disk.process_killed();
    std::string last;
    for (const std::string& name : left.files()) {
        if (name.ends_with(".log") && left.read_file(name)->size() > 4096 &&
            (*left.read_file(name))[4096] != std::byte{0}) {
            last = (std::max)(last, name);
        }
    }
    auto contents = left.read_file(last).value();
    const std::size_t end = contents.size() - 0;
    std::size_t at = end;
    while (at > 0 && contents[at - 1] == std::byte{0}) --at;
    REQUIRE(at + 16 < end);
    contents[(at + 3) / 4 * 4 + 9] = std::byte{1};
    left.write_file(last, contents);
    const S db = S::open("/db", by_hand(), left);
    CHECK(content(db) == it.all);
    CHECK(db.recovery().dropped_bytes > 0);
    CHECK_FALSE(db.recovery().kept_aside.empty());
}

TEST_CASE("G2: damaged records are not shown", "[resuming]") {
    used_store<S> it;
    const simulated left = it.disk.process_killed();
    for (std::uint64_t at = 4096; at < 60'000; at += 500) {
        REQUIRE(left.flip("/db/0000000000000002.log", at, std::byte{1}));
    }
    const S db = S::open("/db", by_hand(), left);
    for (const auto& [key, value] : it.all) {
        auto found = db.try_get(key);
        if (!found) {
            CHECK(found.error().kind() == errc::corruption);
        } else if (*found != value) {
            FAIL("a wrong value of " << key);
        }
    }
    CHECK_FALSE(db.verify().ok());
}

TEST_CASE("a disk that is too full for LIVE is no error, and the index comes from the log",
          "[resuming]") {
    const simulated disk;
    disk.fail_call(1, {}, fs::call::reserve);  // the first that is reserved is LIVE
    model all;
    {
        S db = S::open("/db", by_hand(), disk);
        all = fill(db);
    }
    CHECK(disk.faults() == 1);
    CHECK(bytes_read_to_open<S>(disk, all) > little);
}

TEMPLATE_TEST_CASE(
    "segments that a killed process never cut are sound when the next makes them durable",
    "[resuming]", S, (live_store<coffer::index::sorted, coffer::durability::write_through>)) {
    used_store<TestType> it;
    const simulated disk = it.disk.process_killed();
    TestType next = TestType::open("/db", by_hand(), disk);
    next.sync();  // before a header of its own says what was cut
    next.put("and on", "1");
    it.all["and on"] = "1";
    CHECK(content(TestType::open_read_only("/db", by_hand(), disk)) == it.all);
    next.sync();
    CHECK(content(TestType::open("/db", by_hand(), disk.power_lost())) == it.all);
}

TEST_CASE("G1: a LIVE that calls durable what was never written is not believed", "[resuming]") {
    using durable_store = live_store<coffer::index::hash, coffer::durability::sync>;
    constexpr std::uint64_t durable_at = 96;  // format/live.hpp: no check covers it
    const simulated before;
    model all;
    {
        auto db = durable_store::open("/db", by_hand(), before);
        all = fill(db);
        db.close();
    }
    for (std::uint64_t byte = 0; byte < 8; ++byte) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            const simulated disk = before.process_killed();
            REQUIRE(disk.flip(live, durable_at + byte, static_cast<std::byte>(1U << bit)));
            auto db = durable_store::open("/db", by_hand(), disk);
            db.put("new", "value");
            const auto left = durable_store::open("/db", by_hand(), disk.power_lost());
            CHECK(left.get("new") == "value");
            CHECK(left.size() == all.size() + 1);
        }
    }
}
