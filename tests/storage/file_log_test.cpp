// The medium of storage::file_log: memory until it is handed over, the file afterwards.
#include <coffer/storage/file_log.hpp>

#include "../journal/scene.hpp"
#include "catch.hpp"

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::bytes;
using coffer::errc;
namespace fs = coffer::fs;
using medium = file_log_medium<scene::disk>;

constexpr std::uint64_t size = 4 * scene::unit;
const std::string name = segment_name(1);
const std::string path = scene::path(1);

log_options options(bool maps = true, bool read_only = false) {
    log_options out;
    out.map_reads = maps;
    out.read_only = read_only;
    return out;
}

void fill(std::byte* memory) {
    for (std::uint64_t i = 0; i < size; ++i) memory[i] = static_cast<std::byte>(i * 7 + 1);
}

bool is_filled(const std::byte* memory, std::uint64_t from, std::uint64_t end) {
    for (std::uint64_t i = from; i < end; ++i) {
        if (memory[i - from] != static_cast<std::byte>(i * 7 + 1)) return false;
    }
    return true;
}

/// Frees what a settled body left, at once.
void free(const leaving& left) {
    if (left.free != nullptr) left.free(left.context, left.what);
}

}  // namespace

TEST_CASE("a prepared segment has its room on the disk, and writable memory", "[file_log]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    medium of_test(disk, options());
    auto body = of_test.prepare(folder.get(), name, size);
    REQUIRE(body);
    CHECK(disk.read_file(path) == std::vector<std::byte>(size));
    fill(body->memory());
    CHECK(disk.read_file(path)->front() == std::byte{0});  // nothing is written through
}

TEST_CASE("I1: what is handed over is equal in memory and file", "[file_log]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    medium of_test(disk, options());
    auto body = of_test.prepare(folder.get(), name, size).value();
    fill(body.memory());
    REQUIRE(body.write_out(0, 5000));
    REQUIRE(body.write_out(5000, 100));
    const auto file = disk.read_file(path).value();
    CHECK(is_filled(file.data(), 0, 5100));
    CHECK(file[5100] == std::byte{0});
    CHECK_FALSE(disk.is_durable(path, 0, 5100));
    REQUIRE(body.sync(5100));
    CHECK(disk.is_durable(path, 0, 5100));
}

TEST_CASE("I2: a settled segment is cut, then read through a map or by read_at", "[file_log]") {
    for (const bool maps : {true, false}) {
        const scene::disk disk;
        auto folder = scene::folder(disk);
        medium of_test(disk, options(maps));
        auto body = of_test.prepare(folder.get(), name, size).value();
        fill(body.memory());
        REQUIRE(body.write_out(0, 6000));
        const std::byte* const before = body.memory();
        disk.set_traced(true);
        const leaving left = body.settle(6000).value();
        const auto trace = disk.take_trace();
        REQUIRE(!trace.empty());
        CHECK(trace[0].is == fs::call::resize);
        CHECK(disk.read_file(path)->size() == 6000);
        CHECK(is_filled(before, 0, 6000));  // readers may still be there
        if (maps) {
            REQUIRE(body.memory() != nullptr);
            CHECK(body.memory() != before);
            CHECK(is_filled(body.memory(), 0, 6000));
        } else {
            CHECK(body.memory() == nullptr);
        }
        std::vector<std::byte> read(100);
        REQUIRE(body.read_at(5900, read));
        CHECK(is_filled(read.data(), 5900, 6000));
        free(left);
    }
}

TEST_CASE("an old segment is opened for reading, by the way that was chosen", "[file_log]") {
    for (const bool maps : {true, false}) {
        for (const bool read_only : {true, false}) {
            const scene::disk disk;
            auto folder = scene::folder(disk);
            std::vector<std::byte> content(size);
            fill(content.data());
            disk.write_file(path, content);
            medium of_test(disk, options(maps, read_only));
            auto body = of_test.open(folder.get(), name, 6000).value();
            CHECK((body.memory() != nullptr) == maps);
            if (maps) CHECK(is_filled(body.memory(), 0, 6000));
            std::vector<std::byte> read(6000);
            REQUIRE(body.read_at(0, read));
            CHECK(is_filled(read.data(), 0, 6000));
            auto again = body.write_again(4096, 6000);
            CHECK(again.has_value() == !read_only);  // a reader writes nothing
        }
    }
}

TEST_CASE("a full disk shows when a segment is prepared, and leaves no file behind", "[file_log]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    disk.set_capacity(size / 2);
    medium of_test(disk, options());
    auto refused = of_test.prepare(folder.get(), name, size);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::no_space);
    CHECK(disk.files().empty());
    CHECK(of_test.prepare(folder.get(), name, size / 4));  // the name is free
}

TEST_CASE("a name is used once", "[file_log]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    disk.write_file(path, std::vector<std::byte>(10, std::byte{9}));
    medium of_test(disk, options());
    CHECK_FALSE(of_test.prepare(folder.get(), name, size));
    CHECK(disk.read_file(path)->size() == 10);  // what was there is left alone
    CHECK(of_test.open(folder.get(), segment_name(2), 10).error().kind() == errc::not_found);
}

TEST_CASE("errors of the disk are passed on", "[file_log]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    medium of_test(disk, options());
    auto body = of_test.prepare(folder.get(), name, size).value();
    fill(body.memory());
    disk.fail_call(1, {}, fs::call::write);
    CHECK(body.write_out(0, 100).error().kind() == errc::io_error);
    disk.fail_call(1, {}, fs::call::sync);
    CHECK(body.sync(100).error().kind() == errc::io_error);
    disk.fail_call(1, {}, fs::call::resize);
    CHECK(body.settle(100).error().kind() == errc::io_error);
    REQUIRE(body.memory() != nullptr);  // it goes on as it was
    CHECK(is_filled(body.memory(), 0, size));
    free(body.settle(100).value());
}

TEST_CASE("where the system has no map to give, files are read without", "[file_log]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    medium of_test(disk, options());
    {
        auto body = of_test.prepare(folder.get(), name, size).value();
        fill(body.memory());
        REQUIRE(body.write_out(0, 6000));
        disk.fail_call(1, {}, fs::call::map);
        free(body.settle(6000).value());
        CHECK(body.memory() == nullptr);
        std::vector<std::byte> read(100);
        REQUIRE(body.read_at(5900, read));
        CHECK(is_filled(read.data(), 5900, 6000));
    }
    disk.fail_call(1, {}, fs::call::map);
    const auto again = of_test.open(folder.get(), name, 6000).value();
    CHECK(again.memory() == nullptr);
    CHECK(of_test.open(folder.get(), name, 6000).value().memory() != nullptr);
}
