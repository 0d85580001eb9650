// The medium of storage::mmap: what is stored is with the system at once; a sync makes it durable.
#include <coffer/storage/mmap.hpp>

#include "../journal/scene.hpp"
#include "catch.hpp"

#include <cstring>
#include <string>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::errc;
namespace fs = coffer::fs;
using medium = mmap_medium<scene::disk>;

constexpr std::uint64_t size = 4 * scene::unit;
const std::string name = segment_name(1);
const std::string path = scene::path(1);

void store(medium::body& into, std::uint64_t at, std::byte value, std::uint64_t count) {
    std::memset(into.memory() + at, static_cast<int>(value), count);
    into.stored(at, count);
}

bool holds(const scene::disk& disk, std::uint64_t at, std::byte value) {
    const auto file = disk.read_file(path);
    return file && at < file->size() && (*file)[at] == value;
}

void free(const leaving& left) {
    if (left.free != nullptr) left.free(left.context, left.what);
}

}  // namespace

TEST_CASE("a killed process loses nothing that was stored, a power cut what was not synced",
          "[mmap]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    medium of_test(disk, {});
    auto body = of_test.prepare(folder.get(), name, size).value();
    REQUIRE(folder->sync());
    store(body, 0, std::byte{1}, 5000);
    CHECK(holds(disk.process_killed(), 4999, std::byte{1}));
    CHECK_FALSE(holds(disk.power_lost(), 4999, std::byte{1}));
    CHECK(body.write_out(0, 5000));  // there is nothing to do
    CHECK_FALSE(holds(disk.power_lost(), 4999, std::byte{1}));
    REQUIRE(body.sync(5000));
    CHECK(holds(disk.power_lost(), 4999, std::byte{1}));
    store(body, 5000, std::byte{2}, 10);
    CHECK_FALSE(holds(disk.power_lost(), 5000, std::byte{2}));
}

TEST_CASE("I1: only reserved blocks are written, so a full disk is an error of prepare", "[mmap]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    disk.set_capacity(size - 1);
    medium of_test(disk, {});
    auto refused = of_test.prepare(folder.get(), name, size);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::no_space);
    CHECK(disk.files().empty());
    disk.set_capacity(size);
    auto body = of_test.prepare(folder.get(), name, size).value();
    disk.set_capacity(0);  // others have filled the disk meanwhile
    store(body, 0, std::byte{1}, size);
    CHECK(body.sync(size));
    CHECK(disk.is_durable(path, 0, size));
}

TEST_CASE("a settled segment is cut; readers may stay in the old map", "[mmap]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    medium of_test(disk, {});
    auto body = of_test.prepare(folder.get(), name, size).value();
    store(body, 0, std::byte{1}, 6000);
    const std::byte* const before = body.memory();
    const leaving left = body.settle(6000).value();
    CHECK(disk.read_file(path)->size() == 6000);
    CHECK(before[5999] == std::byte{1});
    CHECK(body.memory()[5999] == std::byte{1});
    REQUIRE(body.sync(6000));
    CHECK(disk.is_durable(path, 0, 6000));
    free(left);
    CHECK(body.memory()[0] == std::byte{1});
}

TEST_CASE("where the system has no further map to give, the first one stays", "[mmap]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    medium of_test(disk, {});
    REQUIRE(folder->sync());
    {
        auto body = of_test.prepare(folder.get(), name, size).value();
        REQUIRE(folder->sync());
        store(body, 0, std::byte{1}, 6000);
        const std::byte* const before = body.memory();
        disk.fail_call(1, {}, coffer::fs::call::map);
        const leaving left = body.settle(6000).value();
        CHECK(left.free == nullptr);
        CHECK(body.memory() == before);
        CHECK(disk.read_file(path)->size() == 6000);
        REQUIRE(body.sync(6000));
        CHECK(holds(disk.power_lost(), 5999, std::byte{1}));
    }
    disk.fail_call(1, {}, coffer::fs::call::map);
    const auto again = of_test.open(folder.get(), name, 6000).value();
    CHECK(again.memory() == nullptr);
    std::vector<std::byte> read(1);
    REQUIRE(again.read_at(5999, read));
    CHECK(read[0] == std::byte{1});
}

TEST_CASE("what was stored before the segment was settled is synced all the same", "[mmap]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    medium of_test(disk, {});
    auto body = of_test.prepare(folder.get(), name, size).value();
    REQUIRE(folder->sync());
    store(body, 0, std::byte{1}, 6000);
    free(body.settle(6000).value());  // the map through which it was stored is gone
    REQUIRE(body.sync(6000));
    CHECK(holds(disk.power_lost(), 0, std::byte{1}));
    CHECK(holds(disk.power_lost(), 5999, std::byte{1}));
}

TEST_CASE("an old segment is opened for reading", "[mmap]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    disk.write_file(path, std::vector<std::byte>(6000, std::byte{3}));
    for (const bool read_only : {true, false}) {
        log_options options;
        options.read_only = read_only;
        medium of_test(disk, options);
        auto body = of_test.open(folder.get(), name, 5000).value();
        CHECK(body.memory()[4999] == std::byte{3});
        std::vector<std::byte> read(100);
        REQUIRE(body.read_at(4900, read));
        CHECK(read[99] == std::byte{3});
        CHECK(body.read_at(5950, read).error().kind() == errc::corruption);
        CHECK(body.write_again(100, 5000).has_value() == !read_only);
    }
    CHECK(disk.read_file(path) == std::vector<std::byte>(6000, std::byte{3}));
    CHECK(medium(disk, {}).open(folder.get(), segment_name(2), 10).error().kind() ==
          errc::not_found);
}
