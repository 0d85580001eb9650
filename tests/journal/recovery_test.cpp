// Recovery: where a log ends, told from what lies in a folder; a torn tail and damage told apart;
// no file is changed.
#include <coffer/journal/recovery.hpp>

#include "catch.hpp"
#include "scene.hpp"

#include <string>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::errc;
using coffer::result;
using scene::segment_file;

result<survey_result> survey(const scene::disk& on) {
    const std::uint64_t before = on.steps();
    auto folder = scene::folder(on);
    const std::uint64_t made = on.steps();
    surveyor<scene::disk> look(*folder, scene::id);
    auto found = look.survey();
    if (on.steps() != made) FAIL("a survey changes nothing: " << before);
    return found;
}

errc kind_of(const scene::disk& on) {
    auto found = survey(on);
    return found ? errc{} : found.error().kind();
}

/// The header of a segment that goes on behind `from`, with `live` before it.
segment_header after(position from, std::vector<segment_run> live, std::uint64_t commits = 0,
                     position durable = {}) {
    segment_header out;
    out.predecessor = from;
    out.live = std::move(live);
    out.commits = commits;
    out.durable = durable;
    return out;
}

/// Three segments, the last one active; marks say that all but the last record is durable.
struct three_segments {
    three_segments() {
        auto log = scene::begun(disk);
        for (int segment = 0; segment < 3; ++segment) {
            for (int i = 0; i < 5; ++i) scene::put(*log, "k" + std::to_string(i), "value");
            if (segment < 2) log->close_segment().value();
        }
        log->sync().value();
        scene::put(*log, "last", "value");
        log->sync().value();
        end = log->tail();
    }
    scene::disk disk;
    position end;
};

}  // namespace

TEST_CASE("a log that was ended is clean", "[recovery]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    REQUIRE(log->close_segment());
    scene::put(*log, "b", "2");
    REQUIRE(log->finish());
    const survey_result found = survey(disk.power_lost()).value();
    CHECK(found.clean);
    CHECK(found.end == log->tail());
    CHECK(found.commits == 2);
    CHECK(found.next_id == 3);
    CHECK(found.torn_bytes == 0);
    CHECK(found.dead.empty());
    CHECK(found.temporaries.empty());
    REQUIRE(found.live.size() == 2);
    CHECK(found.live[0].id == 1);
    CHECK(found.live[0].begin == scene::unit);
    CHECK_FALSE(found.live[0].torn);
    CHECK_FALSE(found.live[1].torn);
    CHECK(found.live[1].end == log->tail().offset());
}

TEST_CASE("a killed process: the log ends with what was handed over", "[recovery]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    REQUIRE(log->sync());
    const position durable = log->durable();
    scene::put(*log, "b", "2");
    REQUIRE(log->hand_over());
    const position handed = log->handed();
    scene::put(*log, "c", "3");
    survey_result found = survey(disk.process_killed()).value();
    CHECK_FALSE(found.clean);
    CHECK(found.end == handed);
    CHECK(found.commits == 2);
    CHECK(found.torn_bytes == 0);  // R4: what is left of the reserved room is zeros
    REQUIRE(found.live.size() == 1);
    CHECK(found.live[0].torn);
    CHECK(found.live[0].durable < found.live[0].end);

    found = survey(disk.power_lost()).value();
    CHECK(found.end == durable);
    CHECK(found.commits == 1);
}

TEST_CASE("a commit that is not whole is a torn tail", "[recovery]") {
    const scene::disk disk;
    segment_file file(1);
    file.put("a", "1").put("b", "2", true).put("c", "3");
    const position end = file.end();
    file.put("d", "4", true).put("e", "5", true);
    const std::uint64_t torn = file.size() - end.offset();
    file.zeros(1000).save(disk);
    const survey_result found = survey(disk).value();
    CHECK(found.end == end);
    CHECK(found.commits == 2);
    CHECK_FALSE(found.clean);
    CHECK(found.torn_bytes <= torn);
    CHECK(found.torn_bytes >= torn - 3);  // the last padding is zeros, too
    CHECK(found.live[0].torn);
}

TEST_CASE("every flipped byte behind the durable place is a torn tail, before it damage",
          "[recovery]") {
    const scene::disk disk;
    segment_file file(1);
    file.put("a", "1").put("b", "2");
    const position durable = file.end();
    file.mark(durable, 2);
    const std::uint64_t known = file.size();  // the mark itself may not be durable
    file.put("c", "3").put("d", "4");
    const std::uint64_t size = file.size();
    file.zeros(100).save(disk);
    CHECK(survey(disk).value().commits == 4);
    for (std::uint64_t at = scene::unit; at < size; ++at) {
        REQUIRE(disk.flip(scene::path(1), at, std::byte{8}));
        auto found = survey(disk);
        if (at < durable.offset()) {
            if (found || found.error().kind() != errc::corruption) FAIL("byte " << at);
            if (found.error().path() != scene::path(1) || !found.error().offset()) FAIL(at);
        } else {
            if (!found) FAIL("byte " << at << ": " << found.error().what());
            const std::uint64_t commits = at < known ? 2 : at < known + 16 ? 2 : 3;
            if (found->commits != commits || found->torn_bytes == 0) FAIL("byte " << at);
        }
        REQUIRE(disk.flip(scene::path(1), at, std::byte{8}));
    }
}

TEST_CASE("every length of the newest segment: torn behind the durable place, else damage",
          "[recovery]") {
    const scene::disk disk;
    segment_file file(1);
    file.put("a", "1");
    const position durable = file.end();
    file.put("b", "2").mark(durable, 2).put("c", "3").save(disk);
    const auto all = disk.read_file(scene::path(1)).value();
    for (std::uint64_t size = all.size(); size > 0; --size) {
        REQUIRE(disk.cut_file(scene::path(1), size));
        const errc kind = kind_of(disk);
        const errc wanted = size >= scene::unit ? errc{} : errc::corruption;
        // Without its mark the segment says nothing of durability: a short log, but a log.
        if (kind != wanted) FAIL("of size " << size);
    }
}

TEST_CASE("R1: a segment goes on only where its header says", "[recovery]") {
    const scene::disk disk;
    segment_file first(1);
    first.put("a", "1");
    const position half = first.end();
    first.put("b", "2");
    first.mark({}, 2).save(disk);

    segment_file wrong(2, after(position(1, first.size() + 4), {{1, 1, 0}}, 2));
    wrong.put("x", "no").save(disk);
    survey_result found = survey(disk).value();
    CHECK(found.end == first.end());
    CHECK(found.commits == 2);
    REQUIRE(found.dead.size() == 1);
    CHECK(found.dead[0].id == 2);
    CHECK(found.dead[0].torn);
    CHECK(found.next_id == 3);

    segment_file right(2, after(first.end(), {{1, 1, 0}}, 2));
    right.put("c", "3").save(disk);
    found = survey(disk).value();
    CHECK(found.end == right.end());
    CHECK(found.commits == 3);
    CHECK(found.live.size() == 2);
    CHECK(found.dead.empty());

    // Recovery cut the first one off behind "a": what it holds behind that does not count.
    segment_file cut(2, after(half, {{1, 1, half.offset()}}, 1));
    cut.put("c", "3").save(disk);
    found = survey(disk).value();
    CHECK(found.end == cut.end());
    CHECK(found.commits == 2);
    REQUIRE(found.live.size() == 2);
    CHECK(found.live[0].end == half.offset());
    CHECK(found.live[0].torn);
}

TEST_CASE("where two segments continue one, the newer counts", "[recovery]") {
    const scene::disk disk;
    segment_file first(1);
    first.put("a", "1").save(disk);
    segment_file old(2, after(first.end(), {{1, 1, first.size()}}, 1));
    old.put("old", "").save(disk);
    segment_file fresh(3, after(first.end(), {{1, 1, first.size()}}, 1));
    fresh.put("new", "").put("new", "").save(disk);
    const survey_result found = survey(disk).value();
    CHECK(found.end == fresh.end());
    CHECK(found.commits == 3);
    REQUIRE(found.dead.size() == 1);
    CHECK(found.dead[0].id == 2);
}

TEST_CASE("a segment that was prepared only, or whose header did not arrive, is dead",
          "[recovery]") {
    const scene::disk disk;
    segment_file first(1);
    first.put("a", "1").save(disk);
    disk.write_file(scene::path(2), std::vector<std::byte>(4 * scene::unit));
    survey_result found = survey(disk).value();
    CHECK(found.end == first.end());
    REQUIRE(found.dead.size() == 1);
    CHECK_FALSE(found.dead[0].torn);  // nothing in it: no need to keep it aside
    CHECK(found.next_id == 3);

    segment_file half(2, after(first.end(), {{1, 1, 0}}, 1));
    half.put("b", "2").save(disk);
    REQUIRE(disk.flip(scene::path(2), 100, std::byte{1}));
    found = survey(disk).value();
    CHECK(found.end == first.end());
    CHECK(found.dead[0].torn);
}

TEST_CASE("whatever behind the end calls more durable than there is makes it damage",
          "[recovery]") {
    // In a mark behind a gap, in the header of a later segment, in a mark of a dead one.
    {
        const scene::disk disk;
        segment_file file(1);
        file.put("a", "1").zeros(40).put("lost", "").mark(position(1, 4300)).save(disk);
        CHECK(kind_of(disk) == errc::corruption);
    }
    {
        const scene::disk disk;
        segment_file first(1);
        first.put("a", "1").save(disk);
        segment_file next(2, after(position(1, 9000), {{1, 1, 0}}, 5, position(1, 8000)));
        next.save(disk);
        CHECK(kind_of(disk) == errc::corruption);
    }
    {
        const scene::disk disk;
        segment_file first(1);
        first.put("a", "1").save(disk);
        segment_file next(2, after(position(1, 9000), {{1, 1, 0}}, 5));
        next.put("x", "").mark(position(2, scene::unit + 4)).save(disk);
        CHECK(kind_of(disk) == errc::corruption);
    }
}

TEST_CASE("R2: a live segment that is missing or has no header is damage", "[recovery]") {
    for (const std::uint64_t victim : {1U, 2U}) {
        three_segments world;
        CHECK(survey(world.disk).value().end == world.end);
        CHECK(survey(world.disk).value().live.size() == 3);
        world.disk.remove_file(scene::path(victim));
        auto found = survey(world.disk);
        REQUIRE_FALSE(found);
        CHECK(found.error().kind() == errc::corruption);
    }
    three_segments world;
    REQUIRE(world.disk.flip(scene::path(1), 50, std::byte{1}));
    auto found = survey(world.disk);
    REQUIRE_FALSE(found);
    CHECK(found.error().path() == scene::path(1));
}

TEST_CASE("R3: a sealed segment that is shorter or longer than it was is damage", "[recovery]") {
    const std::uint64_t size = three_segments().disk.read_file(scene::path(1))->size();
    for (const std::uint64_t changed : std::vector<std::uint64_t>{
             0, 100, scene::unit, scene::unit + 10, size - 4, size - 1, size + 4}) {
        three_segments world;
        REQUIRE(world.disk.cut_file(scene::path(1), changed));
        CHECK(kind_of(world.disk) == errc::corruption);
    }
}

TEST_CASE("R3: a segment that ends with a mark that does not seal it was cut", "[recovery]") {
    for (const bool tells : {true, false}) {
        for (const bool seals : {true, false}) {
            const scene::disk disk;
            segment_header alone;
            alone.tells_seal = tells;
            segment_file first(1, alone);
            first.put("a", "1").mark({}, 1, coffer::detail::record_type::mark, seals).save(disk);
            // The segment behind it, whose header knew where it ends, has been cleaned away.
            segment_file third(3, after(position(2, 9000), {{1, 1, 0}}, 2, position(2, 9000)));
            third.put("c", "3").save(disk);
            auto found = survey(disk);
            CHECK(found.has_value() == (seals || !tells));
            if (found) continue;
            CHECK(found.error().kind() == errc::corruption);
            CHECK(found.error().path() == scene::path(1));
        }
    }
}

TEST_CASE("R3: a segment that a recovery has cut is damage when it is shorter", "[recovery]") {
    const scene::disk disk;
    segment_file first(1);
    first.put("a", "1").put("b", "2").save(disk);
    segment_file second(2, after(first.end(), {{1, 1, first.size()}}, 2, first.end()));
    second.put("c", "3").mark(position(2, second.size()), 3).save(disk);
    segment_file third(3, after(second.end(), {{1, 1, first.size()}, {2, 1, 0}}, 3, second.end()));
    third.put("d", "4").save(disk);
    CHECK(survey(disk).value().commits == 4);
    for (const std::uint64_t size : {first.size() - 4, first.size() - 1}) {
        REQUIRE(disk.cut_file(scene::path(1), size));
        auto found = survey(disk);
        REQUIRE_FALSE(found);
        CHECK(found.error().kind() == errc::corruption);
        CHECK(found.error().path() == scene::path(1));
        CHECK_THAT(found.error().what(), t::ContainsSubstring("shorter than its records"));
    }
}

TEST_CASE("a header of more than one block", "[recovery]") {
    const scene::disk disk;
    std::vector<segment_run> live;
    position end;
    for (std::uint64_t id = 1; id <= 400; ++id) {
        segment_file each(id, after(end, live, id - 1, end));
        each.put("k" + std::to_string(id), "v").save(disk);
        end = each.end();
        live.push_back({id, 1, each.size()});  // as if each had been cut: a run of its own
    }
    REQUIRE(header_size(live.size()) > scene::unit);
    const survey_result found = survey(disk).value();
    CHECK(found.end == end);
    CHECK(found.commits == 400);
    CHECK(found.live.size() == 400);
    // The part that lies in the second block counts, too.
    const scene::disk copy = disk.process_killed();
    REQUIRE(copy.flip(scene::path(400), scene::unit + 20, std::byte{1}));
    auto damaged = survey(copy);
    CHECK((!damaged || damaged->end < end));
    REQUIRE(disk.cut_file(scene::path(400), scene::unit + 100));
    damaged = survey(disk);
    CHECK((!damaged || damaged->end < end));
}

TEST_CASE("a segment that a durable record drops need not be there", "[recovery]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    REQUIRE(log->close_segment());
    scene::put(*log, "b", "2");
    REQUIRE(log->close_segment());
    REQUIRE(log->sync());
    std::byte dropped[8];
    store_le(dropped, std::uint64_t{1});
    scene::append(*log, record_type::drop, "", coffer::as_text(dropped));
    REQUIRE(log->sync());
    survey_result found = survey(disk).value();
    CHECK(found.live.size() == 2);  // it is still there, and is no longer part of the log
    REQUIRE(found.dead.size() == 1);
    CHECK(found.dead[0].id == 1);
    disk.remove_file(scene::path(1));
    found = survey(disk).value();
    REQUIRE(found.live.size() == 2);
    CHECK(found.live[0].id == 2);
    CHECK(found.commits == 3);
}

TEST_CASE("a record that drops its own segment or a later one is damage", "[recovery]") {
    for (const std::uint64_t dropped : {1U, 2U}) {
        const scene::disk disk;
        std::byte number[8];
        store_le(number, dropped);
        segment_file file(1);
        file.add(record_type::drop, "", coffer::as_text(number)).put("a", "1").save(disk);
        CHECK(kind_of(disk) == errc::corruption);
    }
}

TEST_CASE("names with numbers that no segment has do not count", "[recovery]") {
    const three_segments it;
    const survey_result before = survey(it.disk).value();
    for (const char* const name :
         {"torn-0000000200000000-0000000000000000", "0000000200000000.log"}) {
        it.disk.write_file(std::string("/db/").append(name), {});
    }
    const survey_result found = survey(it.disk).value();
    CHECK(found.end == before.end);
    CHECK(found.next_id == before.next_id);
}

TEST_CASE("a block that cannot be read is an error, whatever it holds", "[recovery]") {
    const three_segments world;
    auto folder = scene::folder(world.disk);
    std::vector<std::uint64_t> sizes;
    {
        world.disk.set_traced(true);
        surveyor<scene::disk> look(*folder, scene::id);
        REQUIRE(look.survey());
        for (const auto& step : world.disk.take_trace()) {
            if (step.is == coffer::fs::call::read) sizes.push_back(step.length);
        }
        world.disk.set_traced(false);
    }
    REQUIRE(sizes.size() >= 4);
    const auto kind_with = [&](std::uint64_t number, const coffer::fs::fault& answer) {
        world.disk.fail_call(number, answer, coffer::fs::call::read);
        surveyor<scene::disk> look(*folder, scene::id);
        auto found = look.survey();
        world.disk.clear_faults();
        REQUIRE(!found);
        return found.error().kind();
    };
    for (std::uint64_t number = 1; number <= sizes.size(); ++number) {
        INFO("read " << number);
        CHECK(kind_with(number, {}) == errc::io_error);
        // The file is as long as it was: what a read does not bring is no end of the log.
        CHECK(kind_with(number, coffer::fs::fault::shortened(0)) == errc::corruption);
        CHECK(kind_with(number, coffer::fs::fault::shortened(sizes[number - 1] / 2)) ==
              errc::corruption);
    }
}

TEST_CASE("folders that hold no log, other files, and files of other stores", "[recovery]") {
    {
        const scene::disk disk;
        CHECK(kind_of(disk) == errc::corruption);  // an identity without any segment
        disk.write_file(scene::path(1), std::vector<std::byte>(4 * scene::unit));
        CHECK(kind_of(disk) == errc::corruption);
    }
    const three_segments world;
    world.disk.write_file("/db/STORE.new", {});
    world.disk.write_file("/db/notes.txt", {});
    world.disk.write_file("/db/" + torn_name(9, 4096), {});
    world.disk.write_file("/db/torn-short", {});
    world.disk.write_file("/db/ffffffffffffffff.log", {});  // no segment has this number
    survey_result found = survey(world.disk).value();
    CHECK(found.temporaries == std::vector<std::string>{"STORE.new"});
    CHECK(found.next_id == 10);  // never an id that was seen
    CHECK(found.end == world.end);
    // A segment of another store is none of ours.
    segment_header theirs;
    theirs.store = {7, 7};
    theirs.id = 4;
    std::vector<std::byte> file(scene::unit);
    write_segment_header(file.data(), theirs);
    world.disk.write_file(scene::path(4), file);
    found = survey(world.disk).value();
    CHECK(found.end == world.end);
    REQUIRE(found.dead.size() == 1);
    CHECK(found.dead[0].id == 4);
}
