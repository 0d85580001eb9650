// Replay: an index made from the log again is the index that was; counts and dead bytes included.
#include <coffer/storage/replay.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "../journal/scene.hpp"
#include "catch.hpp"
#include "parts.hpp"

#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::errc;
using coffer::fs::simulated;
using S = coffer::store<std::string, std::string, coffer::durability::buffered,
                        coffer::threading::single, simulated>;
using model = std::map<std::string, std::string>;
using state = parts::world<false>::state;
using scene::segment_file;

coffer::options small() {
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

/// What replaying one segment file gives.
struct replayed {
    explicit replayed(const segment_file& file, bool checked = true) : all(disk, scene::small()) {
        file.save(disk);
        all.journal.start(scene::folder(disk), scene::id, 2).value();
        all.replace_index(all.make_index().value());
        const found_segment found{1, scene::unit, file.size(), false, file.size()};
        auto* const segment = all.journal.adopt(found, most_slots).value();
        segment_scanner<scene::disk> scan(*all.journal.folder(), scene::id);
        scan.load(1).value();
        replay<state> onto(all);
        done = checked ? onto.segment<true>(*segment, scan) : onto.segment<false>(*segment, scan);
        dead = segment->dead.load();
        tombstones = segment->tombstones;
        has_clear = segment->has_clear;
    }
    std::string get(std::string_view key) const {
        std::string out = "absent";
        static_cast<void>(all.lookup(coffer::as_bytes(key),
                                     [&](coffer::bytes value) { out = coffer::as_text(value); }));
        return out;
    }
    scene::disk disk;
    state all;
    coffer::result<void> done;
    std::uint64_t dead = 0;
    std::uint64_t tombstones = 0;
    bool has_clear = false;
};

/// Begins a log where `found` ends, and writes behind it what was saved.
void write_again(saved_commits<state>& saved, const survey_result& found, state& all,
                 const scene::disk& disk) {
    REQUIRE(all.journal.start(scene::folder(disk), scene::id, found.next_id));
    all.replace_index(all.make_index().value());
    for (const found_segment& each : found.live) REQUIRE(all.journal.adopt(each, most_slots));
    all.journal.recovered(found.end, found.durable, found.commits);
    REQUIRE(saved.write(all));
}

}  // namespace

TEST_CASE("records do again what they did", "[replay]") {
    segment_file file(1);
    file.put("a", "1").put("b", "1").put("a", "2").add(record_type::erase, "b", "").put("c", "1");
    file.mark(position(1, 5000)).add(record_type::erase, "never", "");
    for (const bool checked : {true, false}) {
        const replayed out(file, checked);
        REQUIRE(out.done);
        CHECK(out.get("a") == "2");
        CHECK(out.get("b") == "absent");
        CHECK(out.get("c") == "1");
        CHECK(out.all.size() == 2);
        CHECK(out.dead == 2 * record_size(1, 1) + mark_size);
        CHECK(out.tombstones == record_size(1, 0) + record_size(5, 0));
        CHECK_FALSE(out.has_clear);
    }
}

TEST_CASE("a clear ends all that was before it", "[replay]") {
    segment_file file(1);
    file.put("a", "1").put("b", "1").add(record_type::erase, "b", "");
    const std::uint64_t cleared = file.size();
    file.add(record_type::clear, "", "").put("c", "1");
    const replayed out(file);
    REQUIRE(out.done);
    CHECK(out.get("a") == "absent");
    CHECK(out.get("c") == "1");
    CHECK(out.all.size() == 1);
    CHECK(out.has_clear);
    CHECK(out.dead == cleared - scene::unit);
    CHECK(out.tombstones == 0);
}

TEST_CASE("more records than are looked up together", "[replay]") {
    segment_file file(1);
    for (int i = 0; i < 100; ++i) file.put("k" + std::to_string(i % 33), std::to_string(i));
    const replayed out(file);
    REQUIRE(out.done);
    CHECK(out.all.size() == 33);
    for (int i = 67; i < 100; ++i)
        CHECK(out.get("k" + std::to_string(i % 33)) == std::to_string(i));
}

TEST_CASE("a record that is not what was written is damage, with file and offset", "[replay]") {
    segment_file file(1);
    file.put("a", "1");
    const std::uint64_t at = file.size();
    file.put("b", "1").put("c", "1");
    file.bytes()[at + 12] ^= std::byte{1};
    const replayed out(file);
    REQUIRE_FALSE(out.done);
    CHECK(out.done.error().kind() == errc::corruption);
    CHECK(out.done.error().path() == scene::path(1));
    CHECK(out.done.error().offset() == at);

    segment_file half(1);
    half.put("a", "1").put("b", "1", true);  // a commit that is not whole
    CHECK(replayed(half).done.error().kind() == errc::corruption);
}

TEST_CASE("reopening gives the same entries, counts and dead bytes", "[replay]") {
    std::mt19937 random(3);
    for (int round = 0; round < 5; ++round) {
        const simulated disk;
        model all;
        coffer::store_stats before;
        {
            S db = S::open("/db", small(), disk);
            for (int i = 0; i < 400; ++i) {
                const std::string key = "key" + std::to_string(random() % 50);
                const std::string value(random() % 200, 'v');
                switch (random() % 12) {
                    case 0:
                        if (i < 200) db.clear();
                        break;
                    case 1:
                    case 2:
                        db.erase(key);
                        break;
                    case 3: {
                        S::batch together;
                        together.put(key, value);
                        together.erase("key1");
                        together.put("key2", value);
                        db.write(together);
                        break;
                    }
                    default:
                        db.put(key, value);
                }
            }
            all = content(db);
            before = db.stats();
            db.close();
        }
        const S db = S::open("/db", small(), disk);
        REQUIRE(content(db) == all);
        const auto after = db.stats();
        CHECK(after.entries == before.entries);
        CHECK(after.commits == before.commits);
        CHECK(after.segments == before.segments);
        // Marks count as dead when they are met again: cleaning may take them.
        CHECK(after.dead_bytes >= before.dead_bytes);
        CHECK(after.dead_bytes - before.dead_bytes <= after.log_bytes / 10);
        CHECK(db.verify().ok());
    }
}

TEST_CASE("what a clear leaves dead is counted as its replay counts it", "[replay]") {
    using synced = coffer::store<std::string, std::string, coffer::durability::sync,
                                 coffer::threading::single, simulated>;
    const simulated disk;
    synced db = synced::open("/db", small(), disk);
    for (int i = 0; i < 20; ++i) db.put("key" + std::to_string(i), "value");
    const auto counts_alike = [&] {
        const auto shown = db.stats();
        const auto again =
            synced::open_read_only("/db", small(), disk.process_killed()).stats();
        CHECK(shown.entries == again.entries);
        CHECK(shown.dead_bytes == again.dead_bytes);
    };
    counts_alike();
    db.clear();
    counts_alike();
    synced::batch all;
    all.erase("key1");
    all.clear();
    all.put("key2", "lost");
    all.erase("key3");
    all.put("key2", "kept");
    db.write(all);
    counts_alike();
    for (int i = 0; i < 20; ++i) db.put("key" + std::to_string(i % 5), "value");
    counts_alike();
}

TEST_CASE("commits behind the durable place are saved whole and written again", "[replay]") {
    const scene::disk disk;
    segment_file file(1);
    file.put("a", "1").put("b", "1");
    const position durable = file.end();
    file.mark(durable, 2);
    file.put("c", "1").put("d", "1", true).put("e", "1").add(record_type::erase, "a", "");
    file.add(record_type::clear, "", "").put("f", "1");
    file.put("half", "", true).save(disk);

    auto folder = scene::folder(disk);
    surveyor<scene::disk> look(*folder, scene::id);
    survey_result found = look.survey().value();
    CHECK(found.commits == 7);
    saved_commits<state> saved;
    REQUIRE(saved.cut(found, look.scanner()));
    CHECK(saved.count() == 6);
    CHECK(found.end == durable);
    CHECK(found.durable == durable);
    CHECK(found.commits == 2);
    REQUIRE(found.live.size() == 1);
    CHECK(found.live[0].end == durable.offset());
    CHECK(found.live[0].torn);

    state all(disk, scene::small());
    write_again(saved, found, all, disk);
    CHECK(all.size() == 1);
    CHECK(all.lookup(coffer::as_bytes("f"), [](coffer::bytes) {}).value());
    CHECK(all.journal.commits() == 7);
    CHECK(all.journal.durable() == all.journal.tail());
    CHECK(disk.is_durable(scene::path(2), 0, all.journal.tail().offset()));

    // What lies on the disk says the same, without the old tail.
    auto again = scene::folder(disk);
    surveyor<scene::disk> look_again(*again, scene::id);
    const survey_result now = look_again.survey().value();
    CHECK(now.end == all.journal.tail());
    CHECK(now.commits == 7);
    REQUIRE(now.live.size() == 2);
    CHECK(now.live[0].end == durable.offset());
}

TEST_CASE("what is written again is found, too, when what the tail has dropped is gone",
          "[replay]") {
    // 2 was cleaned into 3, which says so, but no mark says yet that 3 is durable.
    const auto after = [](position from, std::uint64_t live, std::uint64_t commits) {
        segment_header out;
        out.predecessor = out.durable = from;
        out.live = {{1, live, 0}};
        out.commits = commits;
        return out;
    };
    const scene::disk disk;
    segment_file first(1);
    first.put("a", "1");
    first.mark(first.end(), 1).save(disk);
    segment_file dropped(2, after(first.end(), 1, 1));
    dropped.put("b", "1");
    dropped.mark(dropped.end(), 2, record_type::end).save(disk);
    segment_file last(3, after(dropped.end(), 2, 2));
    const std::uint64_t begin = last.size();
    last.put("b", "1").add(record_type::drop, "", std::string("\2\0\0\0\0\0\0\0", 8));
    last.put("c", "1").save(disk);

    auto folder = scene::folder(disk);
    surveyor<scene::disk> look(*folder, scene::id);
    survey_result found = look.survey().value();
    CHECK(found.durable == dropped.end());
    CHECK(found.commits == 5);
    saved_commits<state> saved;
    REQUIRE(saved.cut(found, look.scanner()));
    CHECK(saved.count() == 3);
    CHECK(found.end == position(3, begin));
    state all(disk, scene::small());
    write_again(saved, found, all, disk);
    CHECK(all.journal.commits() == 5);

    // The file of 2 may go now, and of 3 what was not durable: the log is whole without them.
    const auto is_whole = [&] {
        auto again = scene::folder(disk);
        surveyor<scene::disk> look_again(*again, scene::id);
        const auto now = look_again.survey();
        if (!now) return false;
        CHECK(now->end == all.journal.tail());
        CHECK(now->commits == 5);
        REQUIRE(now->live.size() == 3);
        CHECK(now->live[1].end == begin);
        return now->live[2].id == 4;
    };
    CHECK(is_whole());
    REQUIRE(disk.remove_file(scene::path(2)));
    CHECK(is_whole());
    REQUIRE(disk.cut_file(scene::path(3), begin + record_size(1, 1)));
    CHECK(is_whole());
    REQUIRE(disk.cut_file(scene::path(3), begin));
    CHECK(is_whole());
}

TEST_CASE("a power cut while the tail is written again leaves the old tail or the new one",
          "[replay]") {
    using synced = coffer::store<std::string, std::string, coffer::durability::sync,
                                 coffer::threading::single, simulated>;
    // The process of `db` is killed before close: its log ends without an end record.
    const simulated killed = [&] {
        const simulated fresh;
        S db = S::open("/db", small(), fresh);
        db.put("durable", "1");
        db.sync();
        for (int i = 0; i < 10; ++i) db.put("tail" + std::to_string(i), "1");
        db.flush();
        return fresh.process_killed();
    }();
    std::uint64_t wrong = 0;
    std::uint64_t steps = 0;
    killed.set_step_hook([&](const coffer::fs::step&) {
        ++steps;
        const simulated after = killed.power_lost();
        auto opened = synced::try_open_read_only("/db", small(), after);
        const std::uint64_t size = opened ? opened->size() : 0;
        wrong += size != 1 && size != 11;
        // And a process that died there leaves all of it.
        auto next = synced::try_open_read_only("/db", small(), killed.process_killed());
        wrong += !next || next->size() != 11;
    });
    {
        const synced db = synced::open("/db", small(), killed);
        killed.clear_step_hook();
        CHECK(db.size() == 11);
        CHECK(db.recovery().rewritten == 10);
    }
    CHECK(steps > 3);
    CHECK(wrong == 0);
}

TEST_CASE("the segment that held nothing but such a tail goes with the next compact()",
          "[replay]") {
    using synced = coffer::store<std::string, std::string, coffer::durability::sync,
                                 coffer::threading::single, simulated>;
    const simulated killed = [] {
        const simulated fresh;
        S db = S::open("/db", small(), fresh);
        for (int i = 0; i < 10; ++i) db.put("tail" + std::to_string(i), "1");
        db.flush();
        return fresh.process_killed();
    }();
    const std::string first = "/db/" + coffer::detail::segment_name(1);
    synced db = synced::open("/db", small(), killed);
    REQUIRE(db.recovery().rewritten == 10);
    REQUIRE(killed.read_file(first).has_value());
    db.compact();
    CHECK_FALSE(killed.read_file(first).has_value());
    for (int i = 0; i < 3; ++i) db.compact();  // what says so is left in a segment of its own
    const auto before = killed.files();
    db.compact();
    CHECK(killed.files() == before);
    CHECK(db.size() == 10);
    db.close();
    const synced again = synced::open("/db", small(), killed);
    CHECK(again.size() == 10);
    CHECK(again.verify().ok());
}
