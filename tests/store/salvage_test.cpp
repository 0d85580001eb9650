// What salvage brings back from a damaged store, byte by byte, and what it says of the rest.
#include "catch.hpp"

#include "store/placed_records.hpp"

#include <coffer/fs/simulated.hpp>
#include <coffer/store/salvage.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace {

using coffer::bytes;
using coffer::errc;
using coffer::salvage_report;
using coffer::fs::simulated;
using namespace coffer::detail;

template <class Storage>
using store_on = coffer::store<std::string, std::string, Storage, coffer::durability::buffered,
                               coffer::threading::single, simulated>;
using entries = std::map<std::string, std::string>;

constexpr const char* from = "/old";
constexpr const char* to = "/new";

coffer::options small() {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    out.auto_compact = false;
    return out;
}

template <class Store>
entries all(const Store& of) {
    entries out;
    of.for_each([&](std::string_view key, std::string_view value) { out.emplace(key, value); });
    return out;
}

using placed::without;
std::vector<std::string> segments_of(const simulated& disk) {
    return placed::segments_of(disk, from);
}
std::vector<placed::record> records_of(const simulated& disk) {
    return placed::records_of(disk, from);
}

/// A store of three segments, closed, with every kind of change.
template <class Storage>
struct scene {
    using store = store_on<Storage>;

    scene() {
        const std::string padding(30, 'p');
        for (int session = 0; session < 3; ++session) {
            auto db = store::open(from, small(), disk);
            const std::string mine = std::to_string(session);
            for (int i = 0; i < 4; ++i) db.put("key " + mine + std::to_string(i), mine + padding);
            db.put("key", "of session " + mine);
            typename store::batch batch;
            batch.put("in a batch", mine);
            batch.erase("key 01");
            batch.put("at its end", mine);
            db.write(batch);
            if (session == 1) db.clear();
            db.put("key 01", "again " + mine);
            db.erase("key 02");
            db.close();
        }
        disk.settle();
        log = records_of(disk);
        REQUIRE(segments_of(disk).size() == 3);
        REQUIRE(without(log, nothing) == all(store::open_read_only(from, small(), disk)));
    }

    static bool nothing(const placed::record&) { return false; }

    /// Salvages a damaged copy; checks that the old folder is as it was.
    entries saved(const simulated& damaged, salvage_report& told) {
        std::map<std::string, std::vector<std::byte>> before;
        for (const std::string& path : damaged.files())
            before[path] = damaged.read_file(path).value();
        told = coffer::salvage<store>(from, to, small(), damaged);
        for (const auto& [path, contents] : before) CHECK(damaged.read_file(path) == contents);
        const auto db = store::open(to, small(), damaged);
        CHECK(db.size() == told.entries);
        CHECK(db.verify().ok());
        return all(db);
    }

    simulated disk;
    std::vector<placed::record> log;
};

}  // namespace

TEMPLATE_TEST_CASE("of a sound store everything is saved", "[salvage]", coffer::storage::file_log,
                   coffer::storage::mmap) {
    scene<TestType> it;
    salvage_report told;
    CHECK(it.saved(it.disk.process_killed(), told) == without(it.log, it.nothing));
    CHECK(told.ok());
    CHECK(told.losses.empty());
    CHECK(told.records == static_cast<std::uint64_t>(std::count_if(
                              it.log.begin(), it.log.end(), [](const placed::record& each) {
                                  return each.type == record_type::put ||
                                         each.type == record_type::erase ||
                                         each.type == record_type::clear;
                              })));
}

TEMPLATE_TEST_CASE("of a changed byte only its record is lost", "[salvage]",
                   coffer::storage::file_log, coffer::storage::mmap) {
    scene<TestType> it;
    const placed::record& last = it.log.back();
    for (const std::string& path : it.disk.files()) {
        const std::uint64_t size = it.disk.read_file(path)->size();
        const std::uint64_t stride = path.ends_with(".log") ? 1 : 3;
        for (std::uint64_t at = 0; at < size; ++at) {
            // Of the zeros of a header each is like the next.
            if (at % stride != 0 || (stride == 1 && at > 200 && at < 4080 && at % 97 != 0))
                continue;
            INFO("a byte of " << path << " at " << at);
            const simulated damaged = it.disk.process_killed();
            REQUIRE(damaged.flip(path, at, std::byte{0x10}));
            const auto hit = [&](const placed::record& each) {
                return each.path == path && each.begin <= at && at < each.end;
            };
            const auto lost = std::find_if(it.log.begin(), it.log.end(), hit);
            salvage_report told;
            const entries left = it.saved(damaged, told);
            REQUIRE(left == without(it.log, hit));
            REQUIRE(told.missing.empty());
            REQUIRE(told.identity == !path.ends_with("STORE"));
            if (!path.ends_with(".log")) {
                REQUIRE(told.losses.empty());
            } else if (lost != it.log.end()) {
                REQUIRE(told.losses.size() == 1);
                REQUIRE(told.losses[0].segment == lost->segment);
                REQUIRE(told.losses[0].begin == lost->begin);
                const bool at_end = lost->path == last.path && lost->end == last.end;
                REQUIRE(told.losses[0].at_end == at_end);
                // Zeros at the end of the log may be room that was reserved.
                REQUIRE(told.losses[0].end > at);
                REQUIRE(told.losses[0].end <= lost->end);
                REQUIRE((at_end || told.losses[0].end == lost->end));
            } else {
                REQUIRE(told.losses.size() == 1);
                REQUIRE(told.losses[0].begin == 0);
                REQUIRE(told.losses[0].end == 4096);
                REQUIRE_FALSE(told.ok());
            }
        }
    }
}

TEMPLATE_TEST_CASE("of a file that is cut everything before the cut is saved", "[salvage]",
                   coffer::storage::file_log, coffer::storage::mmap) {
    scene<TestType> it;
    for (const std::string& path : segments_of(it.disk)) {
        const std::uint64_t size = it.disk.read_file(path)->size();
        const bool newest = path == it.log.back().path;
        for (std::uint64_t left = 0; left < size; left += left < 4090 ? 409 : 1) {
            INFO(path << " cut to " << left);
            const simulated damaged = it.disk.process_killed();
            REQUIRE(damaged.cut_file(path, left));
            salvage_report told;
            const auto gone = [&](const placed::record& each) {
                return each.path == path && each.end > left;
            };
            // Of the newest a batch without its end may never have been written.
            const entries found = it.saved(damaged, told);
            if (newest && !told.ok()) continue;
            if (!newest) REQUIRE(found == without(it.log, gone));
            REQUIRE(told.ok() == newest);
        }
    }
}

TEMPLATE_TEST_CASE("files that are gone or exchanged cost no more than they held", "[salvage]",
                   coffer::storage::file_log, coffer::storage::mmap) {
    scene<TestType> it;
    const auto segments = segments_of(it.disk);
    salvage_report told;
    for (const std::string& path : it.disk.files()) {
        INFO(path << " is gone");
        const simulated damaged = it.disk.process_killed();
        REQUIRE(damaged.remove_file(path));
        const entries found = it.saved(damaged, told);
        CHECK(found ==
              without(it.log, [&](const placed::record& each) { return each.path == path; }));
        CHECK(told.identity == !path.ends_with("STORE"));
        CHECK(told.missing.size() == (path == segments[0] || path == segments[1]));
    }
    const simulated exchanged = it.disk.process_killed();
    const auto first = exchanged.read_file(segments[0]).value();
    const auto second = exchanged.read_file(segments[1]).value();
    REQUIRE(exchanged.write_file(segments[0], second));
    REQUIRE(exchanged.write_file(segments[1], first));
    CHECK(it.saved(exchanged, told) ==
          without(it.log, [&](const placed::record& each) { return each.path != segments[2]; }));
    CHECK(told.losses.size() == 2);
    CHECK_FALSE(told.ok());
}

TEST_CASE("what a crash left is saved as recovery would", "[salvage]") {
    using store = store_on<coffer::storage::file_log>;
    const simulated disk;
    auto db = store::open(from, small(), disk);
    db.put("a", "1");
    db.sync();
    std::uint64_t states = 0;
    disk.set_step_hook([&](const coffer::fs::step&) {
        coffer::fs::crash_limits few;
        few.exhaustive = 4;
        few.pairs = few.random = 8;
        disk.for_each_crash_state(coffer::fs::crash_profile::p2, few, [&](const simulated& after) {
            // Twice: the torn end of the first life is not to come back in the second.
            auto again = store::open(from, small(), after);
            again.put("second", "life");
            again.sync();
            again.close();
            ++states;
            const auto told = coffer::salvage<store>(from, to, small(), after);
            CHECK(told.ok());
            CHECK(all(store::open(to, small(), after)) ==
                  all(store::open_read_only(from, small(), after)));
        });
    });
    typename store::batch batch;
    for (int i = 0; i < 5; ++i) batch.put("in a batch " + std::to_string(i), std::string(300, 'b'));
    db.write(batch);
    db.erase("a");
    db.flush();
    db.put("b", std::string(2000, 'b'));
    db.sync();
    db.compact();
    db.close();
    disk.clear_step_hook();
    CHECK(states > 50);
}

TEST_CASE("what an open left that was killed is saved as if it had not been tried", "[salvage]") {
    using store = coffer::store<std::string, std::string, coffer::durability::sync,
                                coffer::threading::single, simulated>;
    const simulated disk;
    auto db = store::open(from, small(), disk);
    db.put("a", "1");
    std::vector<simulated> cut;
    disk.set_step_hook([&](const coffer::fs::step& next) {
        if (next.is != coffer::fs::call::sync) return;
        coffer::fs::crash_limits few;
        few.exhaustive = few.pairs = few.random = 4;
        disk.for_each_crash_state(coffer::fs::crash_profile::p2, few,
                                  [&](const simulated& after) { cut.push_back(after); });
        cut.push_back(disk.process_killed());
    });
    db.put("b", "2");
    typename store::batch batch;
    for (int i = 0; i < 5; ++i) batch.put("in a batch " + std::to_string(i), std::string(300, 'b'));
    db.write(batch);
    disk.clear_step_hook();
    std::uint64_t killed = 0, torn = 0;
    for (const simulated& each : cut) {
        std::vector<simulated> moments;
        const simulated opening = each.process_killed();
        opening.set_step_hook(
            [&](const coffer::fs::step&) { moments.push_back(opening.process_killed()); });
        auto again = store::open(from, small(), opening);
        opening.clear_step_hook();
        torn += again.recovery().dropped_bytes != 0;
        const simulated untried = each.process_killed();
        const auto right = coffer::salvage<store>(from, to, small(), untried);
        const entries held = all(store::open(to, small(), untried));
        if (held != all(again)) continue;  // parts of the batch came to the disk, its end with them
        for (const simulated& moment : moments) {
            ++killed;
            const auto told = coffer::salvage<store>(from, to, small(), moment);
            REQUIRE(told.broken_batches == 0);
            REQUIRE(all(store::open(to, small(), moment)) == held);
        }
    }
    CHECK(killed > 100);
    CHECK(torn > 0);
}

TEST_CASE("records of any size are found behind damage", "[salvage]") {
    using store = store_on<coffer::storage::file_log>;
    const simulated disk;
    {
        auto db = store::open(from, {}, disk);
        db.put("before", "b");
        db.put("large", std::string(300'000, 'l'));
        db.put("middle", std::string(5'000, 'm'));
        db.put("larger", std::string(500'000, 'l'));
        db.close();
    }
    disk.settle();
    for (const placed::record& each : records_of(disk)) {
        if (each.type != record_type::put) continue;
        INFO(each.key);
        const simulated damaged = disk.process_killed();
        REQUIRE(damaged.flip(each.path, each.begin + 9, std::byte{0x7F}));  // its size
        const auto told = coffer::salvage<store>(from, to, {}, damaged);
        CHECK(told.entries == 3);
        REQUIRE(told.losses.size() == 1);
        CHECK(told.losses[0].begin == each.begin);
        CHECK(told.losses[0].end == each.end);
    }
}

TEST_CASE("a block that cannot be read costs what is in it", "[salvage]") {
    using store = store_on<coffer::storage::file_log>;
    scene<coffer::storage::file_log> it;
    const simulated disk = it.disk.process_killed();
    disk.fail_call(5, {}, coffer::fs::call::read);  // of a whole segment: read again in pieces
    const auto told = coffer::salvage<store>(from, to, small(), disk);
    CHECK(disk.faults() == 1);
    CHECK(told.ok());
    CHECK(told.entries == without(it.log, it.nothing).size());
}

TEMPLATE_TEST_CASE("any call of a salvage may fail", "[salvage]", coffer::storage::file_log,
                   coffer::storage::mmap) {
    using store = store_on<TestType>;
    scene<TestType> it;
    const entries whole = without(it.log, it.nothing);
    const simulated clean = it.disk.process_killed();
    clean.set_traced(true);
    REQUIRE(coffer::try_salvage<store>(from, to, small(), clean));
    const auto calls = clean.take_trace();
    std::uint64_t refused = 0;
    for (std::size_t number = 1; number <= calls.size(); ++number) {
        INFO("call " << number << ", " << name_of(calls[number - 1].is));
        const simulated disk = it.disk.process_killed();
        disk.fail_call(number, {errc::io_error, EIO});
        const auto told = coffer::try_salvage<store>(from, to, small(), disk);
        disk.clear_faults();
        for (const std::string& path : it.disk.files()) {
            if (path.starts_with(from)) REQUIRE(disk.read_file(path) == it.disk.read_file(path));
        }
        if (!told) {
            INFO(told.error().what());
            REQUIRE(told.error().kind() == errc::io_error);
            ++refused;
            continue;
        }
        const auto db = store::open(to, small(), disk);
        REQUIRE(db.size() == told->entries);
        REQUIRE((!told->ok() || all(db) == whole));
    }
    CHECK(refused > 0);
}

TEST_CASE("a record that is not of these types, or cannot be written, is not done again",
          "[salvage]") {
    using numbers = coffer::store<std::uint32_t, std::uint64_t, coffer::storage::map,
                                  coffer::threading::single, simulated>;
    numbers to_fill = numbers::open("");
    const std::vector<std::byte> four(4);
    const std::vector<std::byte> eight(8);
    const auto again = [&](record_type type, bytes key, bytes value) {
        return do_again(to_fill, record{type, false, key, value, 0});
    };
    CHECK(again(record_type::put, four, eight).value());
    CHECK(to_fill.size() == 1);
    CHECK_FALSE(again(record_type::put, four, four).value());
    CHECK_FALSE(again(record_type::put, eight, eight).value());
    CHECK_FALSE(again(record_type::erase, eight, {}).value());
    CHECK(to_fill.size() == 1);
    CHECK(again(record_type::erase, four, {}).value());
    CHECK(again(record_type::clear, {}, {}).value());
    CHECK(to_fill.empty());
    to_fill.close();
    for (const record_type type : {record_type::put, record_type::erase, record_type::clear}) {
        const auto refused = again(type, four, eight);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind() == errc::closed);
    }
}

TEST_CASE("a segment whose removal was under way is not saved again", "[salvage]") {
    using store = store_on<coffer::storage::file_log>;
    const simulated disk;
    auto db = store::open(from, small(), disk);
    for (int i = 0; i < 60; ++i) db.put("key " + std::to_string(i % 20), std::string(700, 'v'));
    for (int i = 0; i < 15; ++i) db.erase("key " + std::to_string(i));
    const entries left = all(db);
    int removals = 0;
    disk.set_step_hook([&](const coffer::fs::step& next) {
        if (next.is != coffer::fs::call::remove || !next.path.ends_with(".log")) return;
        const simulated killed = disk.process_killed();
        const auto told = coffer::salvage<store>(from, to, small(), killed);
        CHECK(told.ok());
        CHECK(all(store::open(to, small(), killed)) == left);
        ++removals;
    });
    db.compact();
    disk.clear_step_hook();
    CHECK(removals > 0);
}

TEST_CASE("what is lost at the end of one segment is not the end if another follows", "[salvage]") {
    scene<coffer::storage::file_log> it;
    const auto segments = segments_of(it.disk);
    const simulated damaged = it.disk.process_killed();
    REQUIRE(damaged.flip(segments[2], 50, std::byte{1}));  // its header
    const auto last = std::find_if(it.log.rbegin(), it.log.rend(), [&](const placed::record& each) {
        return each.path == segments[1];
    });
    REQUIRE(damaged.flip(segments[1], last->begin + 1, std::byte{1}));
    salvage_report told;
    CHECK(it.saved(damaged, told) == without(it.log, [&](const placed::record& each) {
              return each.begin == last->begin && each.path == last->path;
          }));
    CHECK_FALSE(told.ok());
    REQUIRE(told.losses.size() == 2);
    CHECK_FALSE(told.losses[0].at_end);
}

TEST_CASE("an end that is gone is told though the header behind it cannot be read", "[salvage]") {
    scene<coffer::storage::file_log> it;
    const auto segments = segments_of(it.disk);
    const simulated damaged = it.disk.process_killed();
    REQUIRE(damaged.flip(segments[2], 50, std::byte{1}));  // its header
    auto file = damaged.read_file(segments[1]).value();
    const auto of_it = [&](const placed::record& each) { return each.path == segments[1]; };
    const auto mark = std::find_if(it.log.rbegin(), it.log.rend(), of_it);
    const auto last = std::find_if(mark + 1, it.log.rend(), of_it);
    std::fill(file.begin() + static_cast<std::ptrdiff_t>(last->begin), file.end(), std::byte{0});
    REQUIRE(damaged.write_file(segments[1], file));
    salvage_report told;
    CHECK(it.saved(damaged, told) == without(it.log, [&](const placed::record& each) {
              return each.path == segments[1] && each.begin >= last->begin;
          }));
    REQUIRE(told.losses.size() == 2);
    CHECK(told.losses[0].segment == last->segment);
    CHECK(told.losses[0].begin == last->begin);
    CHECK(told.losses[0].end == UINT64_MAX);
    CHECK_FALSE(told.losses[0].at_end);
}

TEST_CASE("of a log of many runs, whose headers are long, everything is saved", "[salvage]") {
    using store = store_on<coffer::storage::file_log>;
    constexpr store_id id{0x1111, 0x2222};
    constexpr std::uint64_t count = 400;
    const simulated disk;
    REQUIRE(disk.make_directory(from).value());
    const auto path = [](std::uint64_t number) {
        return std::string(from) + "/" + segment_name(number);
    };
    std::vector<segment_run> live;
    position end;
    for (std::uint64_t number = 1; number <= count; ++number) {
        segment_header header{id, number, end, end, number - 1, true, live};
        const std::size_t begin = header_size(live.size());
        const std::string key = "key " + std::to_string(number);
        std::vector<std::byte> file(begin + record_size(key.size(), 1));
        write_segment_header(file.data(), header);
        write_record(file.data() + begin, record_type::put, false, coffer::as_bytes(key),
                     coffer::as_bytes(std::string_view("v")), segment_seed(id.low, id.high, number),
                     begin);
        REQUIRE(disk.write_file(path(number), file));
        end = position(number, file.size());
        live.push_back({number, 1, file.size()});
    }
    REQUIRE(header_size(live.size()) > header_unit);
    REQUIRE(disk.write_file(std::string(from) + "/ffffffffffffffff.log", {}));  // none can be
    const auto told = coffer::salvage<store>(from, to, small(), disk.process_killed());
    CHECK(told.entries == count);
    CHECK(told.losses.empty());
    CHECK_FALSE(told.identity);

    // The newest header is read in two steps, and either may fail: then the one before it counts.
    const simulated damaged = disk.process_killed();
    REQUIRE(damaged.cut_file(path(count), header_unit + 10));
    CHECK(coffer::salvage<store>(from, to, small(), damaged).entries == count - 1);
    const auto reads_before_last_step = [&] {
        const simulated traced = disk.process_killed();
        traced.set_traced(true);
        static_cast<void>(coffer::salvage<store>(from, to, small(), traced));
        std::uint64_t reads = 0;
        for (const coffer::fs::step& each : traced.take_trace()) {
            if (each.is != coffer::fs::call::read) continue;
            ++reads;
            if (each.path == path(count) && each.length > header_unit) break;
        }
        return reads;
    }();
    const simulated failing = disk.process_killed();
    failing.fail_call(reads_before_last_step, {}, coffer::fs::call::read);
    CHECK(coffer::salvage<store>(from, to, small(), failing).entries == count);
}

TEST_CASE("a lost erase or overwrite brings back what was before", "[salvage]") {
    using store = store_on<coffer::storage::file_log>;
    const simulated disk;
    {
        auto db = store::open(from, {}, disk);
        db.put("erased", "1");
        db.put("changed", "1");
        db.erase("erased");
        db.put("changed", "2");
        db.close();
    }
    disk.settle();
    const auto log = records_of(disk);
    REQUIRE(disk.flip(log[2].path, log[2].begin, std::byte{1}));
    REQUIRE(disk.flip(log[3].path, log[3].begin, std::byte{1}));
    const auto told = coffer::salvage<store>(from, to, {}, disk);
    CHECK(all(store::open(to, {}, disk)) == entries{{"changed", "1"}, {"erased", "1"}});
    REQUIRE(told.losses.size() == 1);
    CHECK(told.losses[0].begin == log[2].begin);
    CHECK(told.losses[0].end == log[3].end);
    CHECK_FALSE(told.ok());
}

TEST_CASE("of a batch that was hit, what is left is saved and told", "[salvage]") {
    using store = store_on<coffer::storage::file_log>;
    const simulated disk;
    {
        auto db = store::open(from, {}, disk);
        typename store::batch batch;
        for (const char* key : {"a", "b", "c"}) batch.put(key, "1");
        db.write(batch);
        db.put("behind", "1");
        db.close();
    }
    disk.settle();
    const auto log = records_of(disk);
    for (std::size_t hit = 0; hit < 3; ++hit) {
        const simulated damaged = disk.process_killed();
        REQUIRE(damaged.flip(log[hit].path, log[hit].begin, std::byte{1}));
        const auto told = coffer::salvage<store>(from, to, {}, damaged);
        CHECK(told.entries == 3);
        CHECK(told.broken_batches == (hit == 0 ? 0 : 1));  // its beginning leaves no trace
        CHECK(told.losses.size() == 1);
    }
}

TEST_CASE("salvage refuses what it cannot or should not do", "[salvage]") {
    using store = store_on<coffer::storage::file_log>;
    const auto refused = [](const simulated& disk, const char* old, const char* fresh) {
        const auto answer = coffer::try_salvage<store>(old, fresh, {}, disk);
        REQUIRE_FALSE(answer.has_value());
        CHECK(std::string(answer.error().what()).size() > 30);
        return answer.error().kind();
    };
    scene<coffer::storage::file_log> it;
    CHECK(refused(it.disk, "/absent", to) == errc::not_found);
    REQUIRE(it.disk.make_directory("/empty").value());
    CHECK(refused(it.disk, "/empty", to) == errc::not_found);
    CHECK(refused(it.disk, from, from) == errc::locked);
    {
        auto db = store::open(from, {}, it.disk);
        CHECK(refused(it.disk, from, to) == errc::locked);
        auto other = store::open("/other", {}, it.disk);
    }
    CHECK(refused(it.disk, from, "/other") == errc::invalid_argument);
    const simulated alone = it.disk.process_killed();  // an identity without a segment
    for (const std::string& path : segments_of(alone)) REQUIRE(alone.remove_file(path));
    CHECK(refused(alone, from, to) == errc::corruption);

    using numbers = coffer::store<int, int, simulated>;
    const auto types = coffer::try_salvage<numbers>(from, to, {}, it.disk);
    REQUIRE_FALSE(types.has_value());
    CHECK(types.error().kind() == errc::incompatible);

    const std::string identity = std::string(from) + "/STORE";
    const auto sound = *it.disk.read_file(identity);
    auto other = sound;
    store_le(other.data() + identity_at::format, std::uint32_t{COFFER_FORMAT_VERSION + 1});
    REQUIRE(it.disk.write_file(identity, other));  // the check does not fit: this is damage
    CHECK_FALSE(coffer::salvage<store>(from, "/despite", {}, it.disk).identity);
    store_le(other.data() + identity_at::check,
             hash64({other.data(), identity_at::check}, store_magic));
    REQUIRE(it.disk.write_file(identity, other));
    CHECK(refused(it.disk, from, to) == errc::incompatible);
    REQUIRE(it.disk.write_file(identity, sound));

    // Without STORE nobody knows the types: what does not decode is lost, and said to be.
    REQUIRE(it.disk.remove_file(std::string(from) + "/STORE"));
    const auto told = coffer::salvage<numbers>(from, to, {}, it.disk);
    CHECK(told.entries == 0);
    CHECK_FALSE(told.losses.empty());
    CHECK_FALSE(told.ok());
    for (const std::string& path : segments_of(it.disk))
        REQUIRE(it.disk.flip(path, 100, std::byte{1}));
    CHECK(refused(it.disk, from, "/third") == errc::corruption);
}

TEST_CASE("what was cleared stays cleared, though a damaged segment keeps it", "[salvage]") {
    using store = store_on<coffer::storage::file_log>;
    const simulated disk;
    {
        auto db = store::open(from, small(), disk);
        for (int i = 0; i < 100; ++i) db.put("old " + std::to_string(i), std::string(200, 'o'));
        db.clear();
        for (int i = 0; i < 200; ++i) db.put("new " + std::to_string(i % 3), std::string(200, 'n'));
        db.sync();
        REQUIRE(disk.flip(segments_of(disk).front(), 5000, std::byte{1}));
        REQUIRE_FALSE(db.try_compact().has_value());  // leaves the damaged segment alone
        db.compact();
        db.close();
    }
    const auto told = coffer::salvage<store>(from, to, small(), disk);
    CHECK(told.losses.size() == 1);
    CHECK(told.entries == 3);
}

TEST_CASE("no call that fails makes salvage lose anything in silence", "[salvage]") {
    using store = store_on<coffer::storage::file_log>;
    scene<coffer::storage::file_log> it;
    const entries whole = without(it.log, it.nothing);
    for (const bool lasting : {false, true}) {
        for (const auto kind : {coffer::fs::call::open, coffer::fs::call::read,
                                coffer::fs::call::size, coffer::fs::call::list}) {
            for (std::uint64_t number = 1;; ++number) {
                INFO(coffer::fs::name_of(kind) << " number " << number << ", ever " << lasting);
                const simulated disk = it.disk.process_killed();
                disk.fail_call(number, {errc::io_error, EIO, lasting}, kind);
                const auto told = coffer::try_salvage<store>(from, to, small(), disk);
                const bool failed = disk.faults() != 0;
                disk.clear_faults();
                if (!failed) break;
                if (!told.has_value()) continue;
                const bool same = all(store::open(to, small(), disk)) == whole;
                CHECK((same || !told->ok()));
            }
        }
    }
}
