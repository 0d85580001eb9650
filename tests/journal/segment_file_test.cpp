// What the file of a segment is asked for: made whole or not at all, read whole, written again.
#include <coffer/journal/segment_file.hpp>

#include "catch.hpp"
#include "scene.hpp"

#include <cstddef>
#include <vector>

using coffer::errc;
using coffer::detail::make_reserved_file;
using coffer::detail::read_whole;
using coffer::detail::write_file_again;

TEST_CASE("a reserved file is made whole, or leaves no file and no claim", "[segment_file]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    disk.set_capacity(50'000);
    auto refused = make_reserved_file(*folder, "a", 60'000);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::no_space);
    CHECK(disk.files().empty());
    auto made = make_reserved_file(*folder, "a", 40'000);
    REQUIRE(made);
    CHECK(disk.read_file("/db/a") == std::vector<std::byte>(40'000));
    CHECK(folder->free_bytes().value() <= 10'000);
    CHECK(make_reserved_file(*folder, "a", 100).error().kind() == errc::invalid_argument);
    CHECK(disk.read_file("/db/a")->size() == 40'000);  // what was there is left alone
}

TEST_CASE("reading beyond the end of a file is damage with a place", "[segment_file]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    disk.write_file("/db/a", std::vector<std::byte>(5000, std::byte{7}));
    auto file = folder->open("a", coffer::fs::access::read);
    REQUIRE(file);
    std::vector<std::byte> into(100);
    auto beyond = read_whole(*file, 4950, into);
    REQUIRE_FALSE(beyond);
    CHECK(beyond.error().kind() == errc::corruption);
    CHECK(beyond.error().path() == "/db/a");
    CHECK(beyond.error().offset() == 5000U);
    CHECK(read_whole(*file, 4900, into));
    CHECK(into == std::vector<std::byte>(100, std::byte{7}));
}

TEST_CASE("what is written again is what was there, once, from end to end", "[segment_file]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    std::vector<std::byte> content(600'000);
    for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i * 13);
    disk.write_file("/db/a", content);
    auto file = folder->open("a", coffer::fs::access::write);
    REQUIRE(file);
    disk.set_traced(true);
    REQUIRE(write_file_again(*file, 5000, content.size() - 7));
    std::uint64_t next = 5000;
    for (const auto& step : disk.take_trace()) {
        CHECK(step.is != coffer::fs::call::resize);
        if (step.is != coffer::fs::call::write) continue;
        CHECK(step.offset == next);
        next += step.length;
    }
    CHECK(next == content.size() - 7);
    REQUIRE(write_file_again(*file, 5000, content.size()));
    CHECK(disk.take_trace().back().is == coffer::fs::call::resize);  // its size as well
    CHECK(disk.read_file("/db/a") == content);
    REQUIRE_FALSE(write_file_again(*file, 0, content.size() + 1));
    CHECK(write_file_again(*file, 0, content.size() + 1).error().kind() == errc::corruption);
    CHECK(disk.read_file("/db/a") == content);
}
