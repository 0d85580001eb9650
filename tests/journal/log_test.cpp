// The log: one order over a chain of segments; I1 to I5; what fails fails before it matters.
#include <coffer/journal/log.hpp>
#include <coffer/journal/segment_scan.hpp>

#include "catch.hpp"
#include "scene.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::as_text;
using coffer::errc;
namespace fs = coffer::fs;

const auto nothing = [](position) {};

/// Types of the records of a segment in memory; "?" where one is none.
std::string types_in(const scene::log::segment_type& segment) {
    std::string out;
    const std::byte* const base = segment.body.memory();
    for (std::uint64_t at = segment.begin; at < segment.end;) {
        record each;
        if (!read_record(base + at, base + segment.end, segment.seed, at, each)) return out + "?";
        out.push_back("?pecmdE"[static_cast<unsigned>(each.type)]);
        at += each.size;
    }
    return out;
}

std::string types_in(scene::log& of) {
    std::string out;
    auto section = of.enter();
    for (const auto& each : of.segments()) out.append(types_in(*each)).push_back('/');
    return out;
}

bool in_order(const scene::log& log) {
    return log.durable() <= log.handed() && log.handed() <= log.tail();
}

}  // namespace

TEST_CASE("I1: a segment is whole records from begin to end", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    scene::append(*log, record_type::erase, "a", "");
    scene::append(*log, record_type::clear, "", "");
    REQUIRE(log->sync());
    scene::put(*log, "b", std::string(7000, 'b'));
    scene::put(*log, "c", std::string(7000, 'c'));  // does not fit any more
    CHECK(types_in(*log) == "pecmpm/p/");
    CHECK(log->commits() == 5);  // marks are none
}

TEST_CASE("records lie where append says, and nothing below the end changes", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    std::vector<address> places;
    for (int i = 0; i < 500; ++i) {
        places.push_back(scene::put(*log, "key" + std::to_string(i), std::string(100, 'v')));
        if (i % 50 == 0) REQUIRE(log->hand_over());
        if (i % 120 == 0) REQUIRE(log->sync());
    }
    CHECK(log->segments().size() > 3);
    for (int i = 0; i < 500; ++i) {
        const record found = scene::at(*log, places[static_cast<std::size_t>(i)]);
        if (as_text(found.key) != "key" + std::to_string(i)) FAIL("record " << i);
    }
}

TEST_CASE("I2: durable <= handed <= tail, and each only grows", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    position tail, handed, durable;
    for (int i = 0; i < 300; ++i) {
        scene::put(*log, "k", std::string(static_cast<std::size_t>(i), 'v'));
        if (i % 7 == 3) REQUIRE(log->hand_over());
        if (i % 31 == 5) REQUIRE(log->sync());
        if (!in_order(*log) || log->tail() < tail || log->handed() < handed ||
            log->durable() < durable) {
            FAIL("after record " << i);
        }
        tail = log->tail(), handed = log->handed(), durable = log->durable();
    }
    REQUIRE(log->hand_over());
    CHECK(log->handed() == log->tail());
    CHECK(log->unhanded_bytes() == 0);
    CHECK(log->unsynced_bytes() > 0);
    REQUIRE(log->sync());
    CHECK(log->durable() == log->tail());
    CHECK(log->unsynced_bytes() == 0);
}

TEST_CASE("what is handed over survives the process, what is synced a power cut", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    REQUIRE(log->sync());
    const std::uint64_t synced = log->durable().offset();
    scene::put(*log, "b", "handed");
    REQUIRE(log->hand_over());
    const std::uint64_t handed = log->handed().offset();
    scene::put(*log, "c", "in memory");
    CHECK(disk.is_durable(scene::path(1), 0, synced));
    CHECK_FALSE(disk.is_durable(scene::path(1), 0, handed));
    const auto file = disk.read_file(scene::path(1)).value();
    const std::string text(as_text(file));
    CHECK(text.find("handed") != std::string::npos);
    CHECK(text.find("in memory") == std::string::npos);
    CHECK(size_without_zeros(file) <= handed);
}

TEST_CASE("I3: a commit lies inside one segment, also one that is larger than any", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "first", std::string(8000, 'f'));
    std::uint64_t size = 0;
    for (int i = 0; i < 3; ++i) size += record_size(1, 7000);
    REQUIRE_FALSE(log->has_room(size));
    REQUIRE(log->prepare(size));
    std::vector<address> places;
    {
        auto section = log->enter();
        REQUIRE(log->has_room(size));
        for (int i = 0; i < 3; ++i) {
            places.push_back(log->append(record_type::put, i < 2, coffer::as_bytes("k"),
                                         coffer::as_bytes(std::string(7000, 'v'))));
        }
    }
    CHECK(slot_of(places[0]) == slot_of(places[2]));
    CHECK(types_in(*log) == "pm/ppp/");
    CHECK(log->commits() == 2);
    REQUIRE(log->sync());
}

TEST_CASE("I4: a segment's blocks and name are there before it is active", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    REQUIRE(log->prepare(0));
    CHECK(log->active() == nullptr);
    CHECK(disk.is_name_durable(scene::path(1)));
    CHECK(disk.read_file(scene::path(1))->size() == 4 * scene::unit);
    disk.set_traced(true);
    {
        auto section = log->enter();
        REQUIRE(log->has_room(100));
        log->append(record_type::put, false, coffer::as_bytes("k"), coffer::as_bytes("v"));
    }
    CHECK(disk.take_trace().empty());  // no system call inside the section
}

TEST_CASE("a rotation wants the next segment, which is prepared ahead", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    CHECK_FALSE(log->wants_segment());
    CHECK_FALSE(log->take_rotated());
    REQUIRE(log->begin_segment());
    CHECK(log->wants_segment());
    CHECK(log->take_rotated());
    CHECK_FALSE(log->take_rotated());
    REQUIRE(log->prepare_ahead());
    CHECK_FALSE(log->wants_segment());
    CHECK(disk.files().size() == 3);  // with the reserve
    REQUIRE(log->prepare_ahead());    // there is one already
    CHECK(disk.files().size() == 3);  // with the reserve
}

TEST_CASE("a full segment ends with a mark, is cut to its end and read from its file", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    const address where = scene::put(*log, "a", "1");
    REQUIRE(log->close_segment());
    REQUIRE(log->hand_over());
    const auto& first = *log->segments()[0];
    CHECK(first.full);
    CHECK(first.settled);
    CHECK(disk.read_file(scene::path(1))->size() == first.end);
    CHECK(as_text(scene::at(*log, where).key) == "a");
    CHECK(log->table().at(where).verify);
    segment_header next;
    REQUIRE(read_segment_header(disk.read_file(scene::path(2)).value(), scene::id, 2, next));
    CHECK(next.predecessor == position(1, first.end));
    CHECK(next.commits == 1);
    REQUIRE(next.live.size() == 1);
    CHECK(next.live[0].first == 1);
    CHECK(next.live[0].count == 1);
    CHECK(next.live[0].end == 0);
    const auto before = log->tail();
    REQUIRE(log->close_segment());  // nothing has been written since
    CHECK(log->tail() == before);
}

TEST_CASE("I5: a failed sync poisons: nothing is ever synced or written again", "[log]") {
    for (const auto kind : {fs::call::sync, fs::call::sync_directory}) {
        const scene::disk disk;
        auto log = scene::begun(disk);
        const address where = scene::put(*log, "a", "1");
        REQUIRE(log->sync());
        scene::put(*log, "b", "2");
        fs::fault lost;
        lost.os_code = 5;
        disk.fail_call(1, lost, kind);
        if (kind == fs::call::sync) {
            auto failed = log->sync();
            REQUIRE_FALSE(failed);
            CHECK(failed.error().kind() == errc::io_error);
        } else {
            REQUIRE_FALSE(log->prepare(0));
        }
        const position durable = log->durable();
        disk.set_traced(true);
        CHECK(log->check().error().kind() == errc::poisoned);
        CHECK(log->check().error().os_code() == 5);
        CHECK(log->sync().error().kind() == errc::poisoned);
        CHECK(log->hand_over().error().kind() == errc::poisoned);
        CHECK(log->sync(log->tail(), nothing).error().kind() == errc::poisoned);
        CHECK(log->finish().error().kind() == errc::poisoned);
        CHECK(disk.take_trace().empty());
        CHECK(log->durable() == durable);
        CHECK(as_text(scene::at(*log, where).value) == "1");  // reads go on
    }
}

TEST_CASE("a failed hand-over keeps its bytes and may be tried again", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    REQUIRE(log->sync());
    const address where = scene::put(*log, "b", "2");
    fs::fault full;
    full.code = errc::no_space;
    full.length = 10;  // part of it reached the file
    disk.fail_call(1, full, fs::call::write);
    CHECK(log->hand_over().error().kind() == errc::no_space);
    CHECK_FALSE(log->healthy());
    CHECK(log->check().error().kind() == errc::no_space);
    CHECK(log->unhanded_bytes() > 0);
    CHECK(as_text(scene::at(*log, where).value) == "2");
    REQUIRE(log->hand_over());
    CHECK(log->healthy());
    CHECK(log->check());
    CHECK(log->unhanded_bytes() == 0);
    REQUIRE(log->sync());
    CHECK(disk.is_durable(scene::path(1), 0, log->durable().offset()));
}

TEST_CASE("a full disk is met before a record has a place, and leaves no file", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", std::string(10000, 'a'));
    REQUIRE(log->sync());
    const position tail = log->tail();
    const auto files = disk.files();
    disk.set_capacity(20000);
    auto refused = log->prepare(10000);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::no_space);
    CHECK(log->healthy());
    CHECK(log->tail() == tail);
    CHECK(disk.files() == files);
    disk.set_capacity(UINT64_MAX);
    CHECK(log->prepare(10000));
}

TEST_CASE("on a full disk there is room for what frees space", "[log]") {
    using coffer::detail::purpose;
    const scene::disk disk;
    auto log = scene::begun(disk);
    REQUIRE(log->begin_segment());
    const std::uint64_t large = log->active()->capacity - log->active()->end;  // for a new segment
    constexpr std::uint64_t size = 1 << 20;
    disk.set_capacity(size);
    disk.set_capacity(size - log->folder()->free_bytes().value());  // full
    CHECK(log->prepare(large).error().kind() == errc::no_space);
    REQUIRE(log->prepare(large / 2, purpose::erase));  // takes the reserve
    {
        auto section = log->enter();
        CHECK_FALSE(log->has_room(1));
        CHECK(log->has_room(large / 2, purpose::erase));
        CHECK(log->has_room(large / 2, purpose::clean));
        CHECK(log->room_left() > 0);
    }
    CHECK(log->prepare(1).error().kind() == errc::no_space);
    disk.set_capacity(UINT64_MAX);
    REQUIRE(log->prepare(1));
    auto section = log->enter();
    CHECK(log->has_room(1));
}

TEST_CASE("what is taken back was never there", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    {
        auto section = log->enter();
        const auto& active = *log->active();
        const auto before = log->here();
        const position tail = log->tail();
        REQUIRE(log->has_room(1000));
        log->append(record_type::put, true, coffer::as_bytes("b"), coffer::as_bytes("2"));
        log->append(record_type::erase, false, coffer::as_bytes("c"), {});
        log->take_back(before, true);
        CHECK(log->tail() == tail);
        CHECK(log->commits() == 1);
        CHECK(active.tombstones == 0);
    }
    scene::put(*log, "d", "4");
    REQUIRE(log->sync());
    CHECK(types_in(*log) == "p/pm/");  // whoever has seen it may look at it still
}

namespace {

/// Records one behind the other, as a batch lays them out.
class commit_of {
public:
    void add(record_type type, std::string_view key, std::string_view value) {
        const std::size_t size = record_size(key.size(), value.size());
        places_.push_back(all_.size());
        all_.resize(all_.size() + size, std::byte{0xEE});
        lay_out_record(all_.data() + places_.back(), size, type, true, coffer::as_bytes(key),
                       coffer::as_bytes(value));
        if (type == record_type::erase) erased_ += size;
        clears_ = clears_ || type == record_type::clear;
    }
    [[nodiscard]] coffer::bytes laid_out() const { return all_; }
    [[nodiscard]] std::size_t size() const { return places_.size(); }
    [[nodiscard]] std::size_t record_at(std::size_t i) const {
        return i < places_.size() ? places_[i] : all_.size();
    }
    [[nodiscard]] std::size_t erased_bytes() const { return erased_; }
    [[nodiscard]] bool clears() const { return clears_; }

private:
    std::vector<std::byte> all_;
    std::vector<std::size_t> places_;
    std::size_t erased_ = 0;
    bool clears_ = false;
};

}  // namespace

TEST_CASE("records of one commit are none until it is complete", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    for (const bool alone : {false, true}) {
        commit_of all;
        if (!alone) {
            all.add(record_type::put, "b", "2");
            all.add(record_type::erase, "c", "");
        }
        all.add(record_type::put, "d", "4");
        auto section = log->enter();
        REQUIRE(log->has_room(all.laid_out().size()));
        const auto& active = *log->active();
        const std::uint64_t commits = log->commits();
        const std::uint64_t end = active.end;
        const std::string before = types_in(active);
        const address first = log->append(all);
        CHECK(first == make_address(active.slot, end));
        CHECK(active.end == end + all.laid_out().size());
        CHECK(log->tail() == position(active.id, active.end));
        CHECK(log->commits() == commits);
        CHECK(types_in(active) == before + (alone ? "?" : "pe?"));
        log->complete();
        CHECK(types_in(active) == before + (alone ? "p" : "pep"));
        CHECK(log->commits() == commits + 1);
        CHECK(active.tombstones == record_size(1, 0));
        record last;
        const std::uint64_t at = end + all.record_at(all.size() - 1);
        REQUIRE(read_record(active.body.memory() + at, active.body.memory() + active.end,
                            active.seed, at, last));
        CHECK_FALSE(last.more);
        CHECK(as_text(last.value) == "4");
    }
    REQUIRE(log->sync());
    CHECK(log->durable() == log->tail());
}

TEST_CASE("a commit that is taken back is none, shown or not", "[log]") {
    for (const bool shown : {true, false}) {
        const scene::disk disk;
        auto log = scene::begun(disk);
        scene::put(*log, "a", "1");
        REQUIRE(log->hand_over());
        commit_of all;
        all.add(record_type::erase, "a", "");
        all.add(record_type::put, "b", "2");
        {
            auto section = log->enter();
            REQUIRE(log->has_room(all.laid_out().size()));
            const auto& active = *log->active();
            const auto before = log->here();
            const position tail = log->tail();
            const std::uint64_t waiting = log->unhanded_bytes();
            log->append(all);
            log->take_back(before, shown);
            CHECK(log->tail() == tail);
            CHECK(log->commits() == 1);
            CHECK(log->unhanded_bytes() == waiting);
            CHECK(active.tombstones == 0);
            CHECK(active.full == shown);
            CHECK(active.torn == shown);
            CHECK((log->active() == nullptr) == shown);
            const coffer::bytes left(active.body.memory() + active.end, all.laid_out().size());
            CHECK((size_without_zeros(left) == 0) == !shown);
            record last;
            const std::uint64_t at = active.end + all.record_at(1);
            CHECK_FALSE(read_record(active.body.memory() + at, left.data() + left.size(),
                                    active.seed, at, last));
        }
        scene::put(*log, "d", "4");
        REQUIRE(log->sync());
        CHECK(types_in(*log) == (shown ? "pm/pm/" : "pmpm/"));
    }
}

TEST_CASE("one caller works for all who wait", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    const position first = log->tail();
    scene::put(*log, "b", "2");
    position kept;
    REQUIRE(log->sync(first, [&](position upto) { kept = upto; }));
    CHECK(kept >= first);
    CHECK(kept == log->durable());
    disk.set_traced(true);
    REQUIRE(log->sync(first, [&](position) { FAIL("it was durable"); }));
    REQUIRE(log->hand_over(first, [&](position) { FAIL("it was handed over"); }));
    CHECK(disk.take_trace().empty());
    scene::put(*log, "c", "3");
    REQUIRE(log->hand_over(log->tail(), [&](position upto) { kept = upto; }));
    CHECK(kept == log->handed());
    CHECK(log->durable() < log->handed());
}

TEST_CASE("a mark is written for what is new, not for nothing", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    REQUIRE(log->sync());
    const position tail = log->tail();
    REQUIRE(log->sync());
    REQUIRE(log->hand_over());
    CHECK(log->tail() == tail);
}

TEST_CASE("the end: everything durable, an end record last, nothing left over", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    REQUIRE(log->prepare_ahead());
    CHECK(disk.files().size() == 3);  // with the reserve
    REQUIRE(log->finish());
    CHECK(disk.files() == std::vector<std::string>{scene::path(1)});
    CHECK(types_in(*log) == "pmE/");
    CHECK(disk.is_durable(scene::path(1)));
    const auto file = disk.read_file(scene::path(1)).value();
    CHECK(file.size() == log->tail().offset());
    record last;
    mark_body body;
    const std::uint64_t at = file.size() - mark_size;
    REQUIRE(read_record(file.data() + at, file.data() + file.size(),
                        segment_seed(0x1111, 0x2222, 1), at, last));
    REQUIRE(read_mark(last, body));
    CHECK(body.durable == position(1, at));
    CHECK(body.commits == 1);
}

TEST_CASE("the end is there, too, when the prepared segment cannot be removed", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    scene::put(*log, "a", "1");
    REQUIRE(log->prepare_ahead());
    disk.fail_call(1, {}, fs::call::remove);
    auto ended = log->finish();
    REQUIRE_FALSE(ended);
    CHECK(ended.error().kind() == errc::io_error);
    CHECK(types_in(*log) == "pmE/");
    CHECK(disk.is_durable(scene::path(1)));
    CHECK(disk.read_file(scene::path(1)).value().size() == log->tail().offset());
}

TEST_CASE("a segment that was taken out answers until it is removed", "[log]") {
    const scene::disk disk;
    auto log = scene::begun(disk);
    const address where = scene::put(*log, "a", "1");
    REQUIRE(log->close_segment());
    REQUIRE(log->sync());
    std::unique_ptr<scene::log::segment_type> gone;
    {
        auto section = log->enter();
        gone = log->take_out(*log->segments()[0]);
        CHECK(log->segments().size() == 1);
    }
    const std::uint32_t slot = gone->slot;
    CHECK(as_text(scene::at(*log, where).key) == "a");
    REQUIRE(log->remove(std::move(gone)));
    CHECK(scene::at(*log, where).size == 0);
    CHECK(disk.files() == std::vector<std::string>{scene::path(2), "/db/RESERVE"});
    REQUIRE(log->prepare(1));
    REQUIRE(log->close_segment());
    scene::put(*log, "b", "2");
    REQUIRE(log->close_segment());
    CHECK(log->active()->slot == slot);  // slots are used again, ids are not
    CHECK(log->active()->id == 3);
}

TEST_CASE("writers and a syncer at once: every record is whole and durable", "[log][threads]") {
    using shared = coffer::detail::log<scene::medium, coffer::threading::multi>;
    const scene::disk disk;
    shared log(disk, scene::small());
    REQUIRE(log.start(scene::folder(disk), scene::id, 1));
    std::atomic<int> failed{0};
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 3; ++writer) {
        writers.emplace_back([&, writer] {
            for (int i = 0; i < 200; ++i) {
                const std::string key = std::to_string(writer) + "-" + std::to_string(i);
                const std::string value(200, 'v');
                const std::uint64_t size = record_size(key.size(), value.size());
                position end;
                for (;;) {
                    auto section = log.enter();
                    if (log.has_room(size)) {
                        log.append(record_type::put, false, coffer::as_bytes(key),
                                   coffer::as_bytes(value));
                        end = log.tail();
                        break;
                    }
                    section.unlock();
                    if (!log.prepare(size)) ++failed;
                }
                if (i % 10 != 0) continue;
                if (!log.sync(end, nothing) || log.durable() < end) ++failed;
            }
        });
    }
    for (std::thread& each : writers) each.join();
    REQUIRE(failed.load() == 0);
    REQUIRE(log.sync());
    CHECK(log.commits() == 600);
    CHECK(log.durable() == log.tail());
    int puts = 0;
    for (const auto& each : log.segments()) {
        const auto file = disk.read_file(scene::path(each->id)).value();
        for (std::uint64_t at = each->begin; at < each->end;) {
            record found;
            if (!read_record(file.data() + at, file.data() + each->end, each->seed, at, found)) {
                FAIL("segment " << each->id << " at " << at);
            }
            puts += found.type == record_type::put;
            at += found.size;
        }
    }
    CHECK(puts == 600);
}
