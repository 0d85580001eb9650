// Disk space that is held back: made whole or not at all, given up once.
#include <coffer/journal/space_reserve.hpp>

#include <cerrno>
#include <string>

#include "catch.hpp"
#include "scene.hpp"

using coffer::errc;
using coffer::detail::reserve_name;
using coffer::detail::reserve_size;
using coffer::detail::space_reserve;

TEST_CASE("the reserve is at most a mebibyte, and no larger than a segment", "[space_reserve]") {
    STATIC_REQUIRE(reserve_size(16 * 1024) == 16 * 1024);
    STATIC_REQUIRE(reserve_size(std::uint64_t{64} << 20) == std::uint64_t{1} << 20);
}

TEST_CASE("a reserve takes space, and gives it back once", "[space_reserve]") {
    const scene::disk disk;
    static_cast<void>(disk.make_directory("/db"));
    disk.set_capacity(100'000);
    auto folder = scene::folder(disk);
    space_reserve<scene::disk> reserve;
    CHECK_FALSE(reserve.held());
    CHECK_FALSE(reserve.release(*folder));
    REQUIRE(reserve.hold(*folder, 60'000));
    CHECK(reserve.held());
    CHECK(folder->free_bytes().value() <= 40'000);
    REQUIRE(reserve.hold(*folder, 60'000));  // it is held already
    CHECK(reserve.release(*folder));
    CHECK_FALSE(reserve.held());
    CHECK(folder->free_bytes().value() > 90'000);
    CHECK_FALSE(reserve.release(*folder));
}

TEST_CASE("without space for it there is no reserve and no file", "[space_reserve]") {
    const scene::disk disk;
    static_cast<void>(disk.make_directory("/db"));
    disk.set_capacity(50'000);
    auto folder = scene::folder(disk);
    space_reserve<scene::disk> reserve;
    const auto refused = reserve.hold(*folder, 60'000);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::no_space);
    CHECK_FALSE(reserve.held());
    CHECK(folder->list().value().empty());
}

TEST_CASE("the file of a process that was killed is made anew, or given up", "[space_reserve]") {
    const scene::disk disk;
    static_cast<void>(disk.make_directory("/db"));
    auto folder = scene::folder(disk);
    const std::string path = "/db/" + std::string(reserve_name);
    disk.write_file(path, std::vector<std::byte>(7));
    space_reserve<scene::disk> reserve;
    CHECK(space_reserve<scene::disk>().release(*folder));
    disk.write_file(path, std::vector<std::byte>(7));
    REQUIRE(reserve.hold(*folder, 5000));
    CHECK(disk.read_file(path).value().size() == 5000);
}

TEST_CASE("a file of an earlier process that cannot be removed is the disk's error",
          "[space_reserve]") {
    const scene::disk disk;
    static_cast<void>(disk.make_directory("/db"));
    auto folder = scene::folder(disk);
    disk.write_file("/db/" + std::string(reserve_name), std::vector<std::byte>(7));
    disk.fail_call(1, {errc::io_error, EIO, true, 0}, coffer::fs::call::remove);
    space_reserve<scene::disk> reserve;
    const auto refused = reserve.hold(*folder, 5000);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::io_error);
    CHECK_FALSE(reserve.held());
}
