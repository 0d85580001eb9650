// Image files: what was saved is given back piece by piece; anything else is of no use and does no
// harm.
#include <coffer/journal/image_file.hpp>

#include "catch.hpp"
#include "scene.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::bytes;
using coffer::errc;
using coffer::policy_id;
using coffer::result;
using writing = image_writer<scene::disk>;
using image_of_disk = image_reader<scene::disk>;
using memory = image_memory<scene::disk>;

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

/// Piece n lies in region n % 3 and has a place of its size rounded up to a power of two.
using pieces = std::vector<std::vector<std::byte>>;

pieces of_sizes(const std::vector<std::size_t>& sizes) {
    pieces out;
    for (const std::size_t size : sizes) {
        out.emplace_back(size);
        for (std::size_t i = 0; i < size; ++i) {
            out.back()[i] = static_cast<std::byte>((i * 31 >> 3) + out.size());
        }
    }
    return out;
}

result<void> save(const scene::disk& on, const pieces& all) {
    auto folder = scene::folder(on);
    writing out(*folder);
    return out.write(header(), [&](auto&& sink) -> result<void> {
        for (std::size_t n = 0; n < all.size(); ++n) {
            const auto number = static_cast<unsigned>(n);
            if (auto done = sink(number % 3, number, bytes(all[n])); !done) return done;
        }
        return {};
    });
}

/// Does the image give back these pieces, with zeros behind each?
bool gives_back(const scene::disk& on, const pieces& all, bool maps = true) {
    auto folder = scene::folder(on);
    auto in = std::make_shared<image_of_disk>();
    if (!in->open(*folder, scene::id, hash)) return false;
    memory from(in, maps);
    for (std::size_t n = 0; n < all.size(); ++n) {
        const auto number = static_cast<unsigned>(n);
        const std::size_t room = std::bit_ceil(all[n].size());
        auto at = from.allocate(number % 3, number, room);
        if (!at) return false;
        if (reinterpret_cast<std::uintptr_t>(*at) % 64 != 0) return false;
        if (!std::equal(all[n].begin(), all[n].end(), *at)) return false;
        if (std::any_of(*at + all[n].size(), *at + room,
                        [](std::byte each) { return each != std::byte{0}; })) {
            return false;
        }
        std::memset(*at, 0xEE, room);  // it is the caller's own
    }
    return true;
}

const std::vector<std::size_t> small = {64, 700, 33, 1};

}  // namespace

TEST_CASE("an image comes back, whatever the sizes of its pieces", "[image_file]") {
    const std::size_t block = image_block, mapped = least_mapped_piece;
    for (const auto& sizes : std::vector<std::vector<std::size_t>>{
             {},
             {1},
             small,
             {mapped - 1, mapped, mapped + 1, 3 * mapped},
             {block, 64, block + 1, 2 * block - 1, 3 * block + 77}}) {
        const scene::disk disk;
        const pieces all = of_sizes(sizes);
        REQUIRE(save(disk, all));
        CHECK(gives_back(disk, all));
        CHECK(gives_back(disk, all));  // what was stored in the copies stayed there
        disk.set_traced(true);
        CHECK(gives_back(disk, all, false));
        for (const coffer::fs::step& each : disk.take_trace())
            CHECK(each.is != coffer::fs::call::map);
    }
}

TEST_CASE("the header comes back", "[image_file]") {
    const scene::disk disk;
    REQUIRE(save(disk, of_sizes(small)));
    auto folder = scene::folder(disk);
    image_of_disk in;
    CHECK_FALSE(in.is_open());
    REQUIRE(in.open(*folder, scene::id, hash));
    CHECK(in.is_open());
    CHECK(in.header().upto == position(3, 5000));
    CHECK(in.header().commits == 9);
    CHECK(in.header().entries == 4);
    CHECK(in.header().segments.size() == 1);
    REQUIRE(in.find(1, 1) != nullptr);
    CHECK(in.find(1, 1)->size == 700);
    CHECK(in.find(0, 1) == nullptr);
    CHECK(in.find(1, 4) == nullptr);
}

TEST_CASE("I2: only the last piece of a region may be smaller than its place", "[image_file]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    const pieces all = of_sizes({64, 40});
    REQUIRE(writing(*folder).write(header(), [&](auto&& sink) -> result<void> {
        if (auto done = sink(0U, 0U, bytes(all[0])); !done) return done;
        return sink(0U, 1U, bytes(all[1]));
    }));
    const auto in = std::make_shared<image_of_disk>();
    REQUIRE(in->open(*folder, scene::id, hash));
    memory from(in, true);
    CHECK(from.allocate(0, 0, 64));
    CHECK(from.allocate(0, 1, 64));
    const auto refused = from.allocate(0, 0, std::size_t{1} << 30);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::corruption);
}

TEST_CASE("while an image is open there are its pieces only, then fresh ones", "[image_file]") {
    const scene::disk disk;
    const pieces all = of_sizes(small);
    REQUIRE(save(disk, all));
    auto folder = scene::folder(disk);
    auto in = std::make_shared<image_of_disk>();
    REQUIRE(in->open(*folder, scene::id, hash));
    memory from(in, true);
    std::byte* const kept = from.allocate(1, 1, 1024).value();
    for (const unsigned region : {5U, 1U}) {  // none of this name, and one of more bytes
        const auto refused = from.allocate(region, 1, 699);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind() == errc::corruption);
        CHECK(refused.error().path() == path);
    }
    in->close();
    std::byte* const fresh = from.allocate(2, 2, 64).value();
    CHECK(std::all_of(fresh, fresh + 64, [](std::byte each) { return each == std::byte{0}; }));
    CHECK(std::equal(all[1].begin(), all[1].end(), kept));
    CHECK(memory().allocate(0, 0, 64));
}

TEST_CASE("every flipped byte of an image is seen, or lies between pieces", "[image_file]") {
    const auto unseen = [](const std::vector<std::size_t>& sizes, std::size_t stride) {
        const scene::disk disk;
        const pieces all = of_sizes(sizes);
        REQUIRE(save(disk, all));
        const std::vector<std::byte> file = disk.read_file(path).value();
        std::size_t quiet = 0;
        for (std::size_t at = 0; at < file.size(); at += stride) {
            REQUIRE(disk.flip(path, at, std::byte{0x10}));
            if (gives_back(disk, all)) {
                ++quiet;
                if (file[at] != std::byte{0}) FAIL("byte " << at << " does not count");
            }
            REQUIRE(disk.flip(path, at, std::byte{0x10}));
        }
        return quiet;
    };
    CHECK(unseen(small, 1) < 4 * 64);
    static_cast<void>(unseen({least_mapped_piece + 100, 2 * image_block + 10}, 40'009));
}

TEST_CASE("every length but the right one is of no use", "[image_file]") {
    const scene::disk disk;
    const pieces all = of_sizes(small);
    REQUIRE(save(disk, all));
    const auto whole = disk.read_file(path).value();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        disk.write_file(path, bytes(whole).first(length));
        if (gives_back(disk, all)) FAIL("of size " << length);
    }
    auto longer = whole;
    longer.push_back(std::byte{0});
    disk.write_file(path, longer);
    CHECK_FALSE(gives_back(disk, all));
    longer.resize(whole.size() + image_piece_size * most_image_pieces);
    disk.write_file(path, longer);
    CHECK_FALSE(gives_back(disk, all));
}

TEST_CASE("images of others, folders without one, and read errors", "[image_file]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    auto in = std::make_shared<image_of_disk>();
    CHECK_FALSE(in->open(*folder, scene::id, hash));
    REQUIRE(save(disk, of_sizes({10, least_mapped_piece})));
    CHECK_FALSE(in->open(*folder, {1, 2}, hash));
    CHECK_FALSE(in->open(*folder, scene::id, {"hash", 2}));
    for (const auto kind :
         {coffer::fs::call::open, coffer::fs::call::size, coffer::fs::call::read}) {
        disk.fail_call(1, {}, kind);
        CHECK_FALSE(in->open(*folder, scene::id, hash));
        disk.clear_faults();
    }
    REQUIRE(in->open(*folder, scene::id, hash));
    memory from(in, true);
    disk.fail_call(1, {}, coffer::fs::call::read);
    auto failed = from.allocate(0, 0, 64);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind() == errc::io_error);
    disk.clear_faults();
    disk.fail_call(1, {}, coffer::fs::call::map);
    failed = from.allocate(1, 1, least_mapped_piece);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind() == errc::io_error);
}

TEST_CASE("a new image takes the place of the old one whole, or not at all", "[image_file]") {
    const scene::disk disk;
    const pieces first = of_sizes({100}), second = of_sizes({200, least_mapped_piece});
    REQUIRE(save(disk, first));
    CHECK(disk.is_durable(path));
    // Every call of the second writing fails once; the first image is there until the second is.
    for (std::uint64_t call = 1;; ++call) {
        auto folder = scene::folder(disk);
        const std::uint64_t before = disk.faults();
        writing out(*folder);
        disk.fail_call(call);
        auto done = out.write(header(), [&](auto&& sink) -> result<void> {
            if (auto put = sink(0U, 0U, bytes(second[0])); !put) return put;
            return sink(1U, 1U, bytes(second[1]));
        });
        const bool failed = disk.faults() != before;
        disk.clear_faults();
        if (!gives_back(disk, first) && !gives_back(disk, second)) FAIL("call " << call);
        if (!failed) {
            CHECK(done);
            break;
        }
        CHECK_FALSE(done);
        disk.remove_file(path + ".new");
    }
    CHECK(gives_back(disk, second));
}

TEST_CASE("after a power cut there is one of the images", "[image_file]") {
    const scene::disk disk;
    const pieces first = of_sizes({100}), second = of_sizes({200, 300});
    REQUIRE(save(disk, first));
    std::uint64_t cuts = 0;
    std::uint64_t lost = 0;
    disk.set_step_hook([&](const coffer::fs::step&) {
        ++cuts;
        const scene::disk after = disk.power_lost();
        lost += !gives_back(after, first) && !gives_back(after, second);
    });
    REQUIRE(save(disk, second));
    disk.clear_step_hook();
    CHECK(cuts > 4);
    CHECK(lost == 0);
    CHECK(gives_back(disk.power_lost(), second));
}

TEST_CASE("an error of the index ends the writing and leaves the old image", "[image_file]") {
    const scene::disk disk;
    const pieces first = of_sizes({100});
    REQUIRE(save(disk, first));
    auto folder = scene::folder(disk);
    writing out(*folder);
    auto failed = out.write(header(), [](auto&&) -> result<void> {
        return coffer::fail(errc::corruption, "of the index");
    });
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind() == errc::corruption);
    CHECK(gives_back(disk, first));
}
