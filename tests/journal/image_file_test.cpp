// Image files: what was saved is read, block by block; anything else is of no use and does no harm.
#include <coffer/journal/image_file.hpp>

#include "catch.hpp"
#include "scene.hpp"

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::bytes;
using coffer::errc;
using coffer::policy_id;
using coffer::result;
using writer = image_writer<scene::disk>;
using reader = image_reader<scene::disk>;

constexpr policy_id hash{"hash", 1};
const std::string path = "/db/INDEX";

image_header header() {
    image_header out;
    out.store = scene::id;
    out.index = hash;
    out.upto = position(3, 5000);
    out.commits = 9;
    out.entries = 4;
    out.segments = {{3, 4096, 5000, 0, 0, 0, false, false}};
    return out;
}

std::vector<std::byte> payload_of(std::size_t size) {
    std::vector<std::byte> out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 31 >> 3);
    return out;
}

/// Writes `payload` in pieces of `piece` bytes.
result<void> save(const scene::disk& on, const std::vector<std::byte>& payload, std::size_t piece) {
    auto folder = scene::folder(on);
    writer out(*folder);
    return out.write(header(), [&](auto&& sink) -> result<void> {
        for (std::size_t at = 0; at < payload.size(); at += piece) {
            const std::size_t size = (std::min)(piece, payload.size() - at);
            if (auto done = sink(bytes(payload).subspan(at, size)); !done) return done;
        }
        return {};
    });
}

/// The payload, if all of it can be read and is judged complete.
bool reads(const scene::disk& on, std::vector<std::byte>& payload, std::size_t piece) {
    auto folder = scene::folder(on);
    reader in;
    if (!in.open(*folder, scene::id, hash)) return false;
    for (std::size_t at = 0; at < payload.size(); at += piece) {
        const std::size_t size = (std::min)(piece, payload.size() - at);
        if (!in.read(coffer::mutable_bytes(payload).subspan(at, size))) return false;
    }
    return in.complete();
}

}  // namespace

TEST_CASE("an image comes back, whatever pieces it is written and read in", "[image_file]") {
    for (const std::size_t size : std::vector<std::size_t>{0, 1, 1000, image_block - 1, image_block,
                                                           image_block + 1, 3 * image_block + 77}) {
        const auto payload = payload_of(size);
        for (const std::size_t piece : std::vector<std::size_t>{4096, 1000000}) {
            const scene::disk disk;
            REQUIRE(save(disk, payload, piece));
            std::vector<std::byte> read(size);
            REQUIRE(reads(disk, read, piece == 4096 ? 1000000 : 999));
            CHECK(read == payload);
        }
    }
}

TEST_CASE("the header comes back", "[image_file]") {
    const scene::disk disk;
    REQUIRE(save(disk, payload_of(5000), 5000));
    auto folder = scene::folder(disk);
    reader in;
    REQUIRE(in.open(*folder, scene::id, hash));
    CHECK(in.header().upto == position(3, 5000));
    CHECK(in.header().commits == 9);
    CHECK(in.header().entries == 4);
    CHECK(in.header().payload == 5000);
    CHECK(in.header().segments.size() == 1);
    CHECK_FALSE(in.complete());  // nothing has been read yet
}

TEST_CASE("every flipped byte of an image is seen, at the latest at its end", "[image_file]") {
    const scene::disk disk;
    const std::size_t size = 700;
    REQUIRE(save(disk, payload_of(size), 100));
    const std::size_t all = disk.read_file(path)->size();
    for (std::size_t at = 0; at < all; ++at) {
        REQUIRE(disk.flip(path, at, std::byte{0x10}));
        std::vector<std::byte> read(size);
        if (reads(disk, read, 64)) FAIL("byte " << at << " does not count");
        REQUIRE(disk.flip(path, at, std::byte{0x10}));
    }
    // In a later block, too.
    const scene::disk large;
    REQUIRE(save(large, payload_of(2 * image_block + 10), image_block));
    REQUIRE(large.flip(path, large.read_file(path)->size() - 1, std::byte{1}));
    std::vector<std::byte> read(2 * image_block + 10);
    CHECK_FALSE(reads(large, read, image_block));
}

TEST_CASE("every length but the right one is of no use", "[image_file]") {
    const scene::disk disk;
    const std::size_t size = 700;
    REQUIRE(save(disk, payload_of(size), 100));
    const auto all = disk.read_file(path).value();
    for (std::size_t length = 0; length < all.size(); ++length) {
        disk.write_file(path, bytes(all).first(length));
        std::vector<std::byte> read(size);
        if (reads(disk, read, 64)) FAIL("of size " << length);
    }
    auto longer = all;
    longer.push_back(std::byte{0});
    disk.write_file(path, longer);
    std::vector<std::byte> read(size);
    CHECK_FALSE(reads(disk, read, 64));
}

TEST_CASE("reading more than there is is an error, reading less is not complete", "[image_file]") {
    const scene::disk disk;
    REQUIRE(save(disk, payload_of(700), 100));
    auto folder = scene::folder(disk);
    reader in;
    REQUIRE(in.open(*folder, scene::id, hash));
    std::vector<std::byte> part(699);
    REQUIRE(in.read(part));
    CHECK_FALSE(in.complete());
    std::byte more[2];
    auto beyond = in.read(more);
    REQUIRE_FALSE(beyond);
    CHECK(beyond.error().kind() == errc::corruption);
    CHECK(beyond.error().path() == path);
}

TEST_CASE("images of others, folders without one, and read errors", "[image_file]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    reader in;
    CHECK_FALSE(in.open(*folder, scene::id, hash));
    REQUIRE(save(disk, payload_of(10), 10));
    CHECK_FALSE(in.open(*folder, {1, 2}, hash));
    CHECK_FALSE(in.open(*folder, scene::id, {"hash", 2}));
    for (const auto kind :
         {coffer::fs::call::open, coffer::fs::call::size, coffer::fs::call::read}) {
        disk.fail_call(1, {}, kind);
        CHECK_FALSE(in.open(*folder, scene::id, hash));
        disk.clear_faults();
    }
    REQUIRE(in.open(*folder, scene::id, hash));
    disk.fail_call(1, {}, coffer::fs::call::read);
    std::byte some[4];
    auto failed = in.read(some);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind() == errc::io_error);
}

TEST_CASE("a new image takes the place of the old one whole, or not at all", "[image_file]") {
    const scene::disk disk;
    REQUIRE(save(disk, payload_of(100), 100));
    CHECK(disk.is_durable(path));
    // Every call of the second writing fails once; the first image is there until the second is.
    for (std::uint64_t call = 1;; ++call) {
        static_cast<void>(scene::folder(disk));
        const std::uint64_t before = disk.faults();
        auto folder = scene::folder(disk);
        writer out(*folder);
        disk.fail_call(call);
        auto done = out.write(header(), [&](auto&& sink) { return sink(payload_of(200)); });
        const bool failed = disk.faults() != before;
        disk.clear_faults();
        std::vector<std::byte> first(100);
        std::vector<std::byte> second(200);
        if (!reads(disk, first, 100) && !reads(disk, second, 200)) FAIL("call " << call);
        if (!failed) {
            CHECK(done);
            break;
        }
        CHECK_FALSE(done);
        disk.remove_file(path + ".new");
    }
    std::vector<std::byte> second(200);
    CHECK(reads(disk, second, 200));
}

TEST_CASE("after a power cut there is one of the images", "[image_file]") {
    const scene::disk disk;
    REQUIRE(save(disk, payload_of(100), 100));
    std::uint64_t cuts = 0;
    std::uint64_t lost = 0;
    disk.set_step_hook([&](const coffer::fs::step&) {
        ++cuts;
        const scene::disk after = disk.power_lost();
        std::vector<std::byte> first(100);
        std::vector<std::byte> second(200);
        lost += !reads(after, first, 100) && !reads(after, second, 200);
    });
    REQUIRE(save(disk, payload_of(200), 200));
    disk.clear_step_hook();
    CHECK(cuts > 4);
    CHECK(lost == 0);
    std::vector<std::byte> second(200);
    CHECK(reads(disk.power_lost(), second, 200));
}

TEST_CASE("an error of the index ends the writing and leaves the old image", "[image_file]") {
    const scene::disk disk;
    REQUIRE(save(disk, payload_of(100), 100));
    auto folder = scene::folder(disk);
    writer out(*folder);
    auto failed = out.write(header(), [](auto&&) -> result<void> {
        return coffer::fail(errc::corruption, "of the index");
    });
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind() == errc::corruption);
    std::vector<std::byte> first(100);
    CHECK(reads(disk, first, 100));
}
