// Reading records behind addresses: from memory, from maps, from files; damage is an error with a
// place and never a value.
#include <coffer/journal/record_reader.hpp>

#include "catch.hpp"
#include "scene.hpp"

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::as_bytes;
using coffer::as_text;
using coffer::errc;
using reading = record_reader<scene::log::table_type>;

/// A log with one closed segment and one active one.
struct two_segments {
    explicit two_segments(log_options with = scene::small()) : log(scene::begun(disk, with)) {
        closed = scene::put(*log, "closed", std::string(5000, 'c'));
        erased = scene::append(*log, record_type::erase, "erased", "");
        log->close_segment().value();
        active = scene::put(*log, "active", "a");
        log->sync().value();
    }
    scene::disk disk;
    std::unique_ptr<scene::log> log;
    address closed, erased, active;
};

log_options by_pread() {
    log_options out = scene::small();
    out.map_reads = false;
    return out;
}

}  // namespace

TEST_CASE("a record says how large it is, without its check", "[record_reader]") {
    const two_segments world;
    reading read(world.log->table());
    CHECK(read.claimed_size(world.closed) == record_size(6, 5000));
    CHECK(read.claimed_size(world.active) == record_size(6, 1));
    CHECK(world.disk.flip(scene::path(1), offset_of(world.closed) + 100, std::byte{1}));
    reading again(world.log->table());
    CHECK(again.claimed_size(world.closed) == record_size(6, 5000));
    CHECK_FALSE(again.failed());
    CHECK(again.read(world.closed) == nullptr);
    CHECK(again.failed());
}

TEST_CASE("records are read from memory, from maps and by read_at", "[record_reader]") {
    for (const bool maps : {true, false}) {
        const two_segments world(maps ? scene::small() : by_pread());
        reading read(world.log->table());
        const record* found = read.read(world.closed);
        REQUIRE(found);
        CHECK(as_text(found->key) == "closed");
        CHECK(found->value.size() == 5000);
        found = read.read(world.active);
        REQUIRE(found);
        CHECK(as_text(found->value) == "a");
        found = read.read(world.erased);
        REQUIRE(found);
        CHECK(found->type == record_type::erase);
        CHECK(read.has_key(world.closed, as_bytes("closed")));
        CHECK_FALSE(read.has_key(world.closed, as_bytes("close")));
        CHECK_FALSE(read.failed());
    }
}

TEST_CASE("I1: damage in a file is an error with segment and offset, once found it stays",
          "[record_reader]") {
    for (const bool maps : {true, false}) {
        const two_segments world(maps ? scene::small() : by_pread());
        const std::uint64_t offset = offset_of(world.closed);
        REQUIRE(world.disk.flip(scene::path(1), offset + 100, std::byte{4}));
        reading read(world.log->table());
        CHECK(read.read(world.closed) == nullptr);
        REQUIRE(read.failed());
        CHECK(read.read(world.active) != nullptr);  // others can still be read
        REQUIRE(read.failed());
        const coffer::failure cause = read.cause();
        CHECK(cause.cause().kind() == errc::corruption);
        CHECK(cause.cause().path() == segment_name(1));
        CHECK(cause.cause().offset() == offset);
    }
}

TEST_CASE("I1: a key that differs is believed only after the check", "[record_reader]") {
    const two_segments world;
    // The key on the disk has changed: not "absent", but damage.
    REQUIRE(world.disk.flip(scene::path(1), offset_of(world.closed) + 8 + 1 + 1 + 2, std::byte{1}));
    reading read(world.log->table());
    CHECK_FALSE(read.has_key(world.closed, as_bytes("closed")));
    CHECK(read.failed());
}

TEST_CASE("with verify_reads off what is there is shown, within its bounds", "[record_reader]") {
    log_options trusting = scene::small();
    trusting.verify_reads = false;
    const two_segments world(trusting);
    REQUIRE(world.disk.flip(scene::path(1), offset_of(world.closed) + 100, std::byte{4}));
    reading read(world.log->table());
    CHECK(read.read(world.closed) != nullptr);
    CHECK_FALSE(read.failed());
    // A size that leads out of the segment is refused all the same.
    REQUIRE(world.disk.flip(scene::path(1), offset_of(world.closed) + 11, std::byte{0x20}));
    reading again(world.log->table());
    const record* const found = again.read(world.closed);
    CHECK((found == nullptr || found->size <= 4 * scene::unit));
}

TEST_CASE("addresses that lead nowhere are damage", "[record_reader]") {
    const two_segments world;
    for (const address where :
         {make_address(40, 4096), make_address(slot_of(world.active), largest_segment - 4),
          make_address(slot_of(world.closed), 0), world.closed + 1}) {
        reading read(world.log->table());
        CHECK(read.read(where) == nullptr);
        CHECK(read.failed());
        CHECK(read.cause().cause().kind() == errc::corruption);
    }
}

TEST_CASE("records that are no one's value are not shown", "[record_reader]") {
    const two_segments world;
    std::uint64_t at = 0;
    {
        auto section = world.log->enter();
        at = world.log->segments()[1]->end - mark_size;  // the mark of the sync
    }
    reading read(world.log->table());
    CHECK(read.read(make_address(slot_of(world.active), at)) == nullptr);
    CHECK(read.failed());
}

TEST_CASE("a read error of the disk is that error", "[record_reader]") {
    const two_segments world(by_pread());
    coffer::fs::fault broken;
    broken.code = errc::io_error;
    world.disk.fail_call(1, broken, coffer::fs::call::read);
    reading read(world.log->table());
    CHECK(read.read(world.closed) == nullptr);
    REQUIRE(read.failed());
    CHECK(read.cause().cause().kind() == errc::io_error);
    // The next operation has a reader of its own.
    reading next(world.log->table());
    CHECK(next.read(world.closed) != nullptr);
}

TEST_CASE("hostile sizes in a file that is read piece by piece", "[record_reader]") {
    const two_segments world(by_pread());
    const std::uint64_t offset = offset_of(world.closed);
    for (std::uint64_t at = offset + 8; at < offset + 14; ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            const std::byte mask = std::byte{1} << bit;
            REQUIRE(world.disk.flip(scene::path(1), at, mask));
            reading read(world.log->table());
            CHECK(read.read(world.closed) == nullptr);
            CHECK(read.failed());
            REQUIRE(world.disk.flip(scene::path(1), at, mask));
        }
    }
}

TEST_CASE("a size beyond that of any value in a file that is read piece by piece",
          "[record_reader]") {
    const two_segments world(by_pread());
    const auto is = world.disk.read_file(scene::path(1)).value();
    const std::uint64_t size_at = offset_of(world.closed) + 10;  // behind check, type and key size
    for (std::uint64_t i = 0; i < 5; ++i) {                      // as a varint, 2^35 - 1
        const auto to = static_cast<std::byte>(i < 4 ? 0xFF : 0x7F);
        REQUIRE(world.disk.flip(scene::path(1), size_at + i, is[size_at + i] ^ to));
    }
    reading read(world.log->table());
    CHECK(read.read(world.closed) == nullptr);
    CHECK(read.failed());
    CHECK(read.cause().cause().kind() == errc::corruption);
}
