// The scanner: whole commits of one segment file, whatever the file holds.
#include <coffer/journal/segment_scan.hpp>

#include <coffer/fs/faulty.hpp>
#include <coffer/fs/native.hpp>

#include "catch.hpp"
#include "scene.hpp"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::as_text;
using coffer::errc;
using coffer::result;
using scene::position;
using scene::segment_file;

struct scanned {
    std::string keys;
    std::uint64_t whole = 0;
};

/// The keys that a walk over the file of segment 1 shows, and where it ends.
scanned walk(const scene::disk& on, std::uint64_t begin = scene::unit,
             std::uint64_t end = UINT64_MAX) {
    auto folder = scene::folder(on);
    segment_scanner<scene::disk> scan(*folder, scene::id);
    scan.load(1).value();
    scanned out;
    out.whole = scan.walk(begin, end,
                          [&](const record& each, std::uint64_t) {
                              out.keys.append(as_text(each.key));
                              return result<void>();
                          })
                    .value();
    return out;
}

}  // namespace

TEST_CASE("zeros at the end do not count", "[segment_scan]") {
    for (const std::size_t size : std::vector<std::size_t>{0, 1, 63, 64, 65, 200}) {
        for (const std::size_t zeros : std::vector<std::size_t>{0, 1, 63, 64, 65, 300}) {
            std::vector<std::byte> all(size, std::byte{1});
            all.resize(size + zeros);
            CHECK(size_without_zeros(all) == size);
        }
    }
}

TEST_CASE("records of whole commits are shown in order", "[segment_scan]") {
    const scene::disk disk;
    segment_file file(1);
    file.put("a", "1").put("b", "", true).put("c", std::string(3000, 'v'), true).put("d", "4");
    const std::uint64_t whole = file.size();
    file.put("e", "5", true).put("f", "6", true);  // a commit that goes on, and does not
    file.save(disk);
    const scanned out = walk(disk);
    CHECK(out.keys == "abcd");
    CHECK(out.whole == whole);
}

TEST_CASE("a walk ends at the first thing that is no record, or at its end", "[segment_scan]") {
    const scene::disk disk;
    segment_file file(1);
    file.put("a", "1");
    const std::uint64_t first = file.size();
    file.put("b", "2").put("c", "3");
    const std::uint64_t all = file.size();
    file.zeros(100).put("d", "4").save(disk);
    CHECK(walk(disk).keys == "abc");  // nothing behind a gap
    CHECK(walk(disk).whole == all);
    CHECK(walk(disk, scene::unit, first).keys == "a");
    CHECK(walk(disk, scene::unit, first + 5).keys == "a");
    CHECK(walk(disk, first).keys == "bc");
    CHECK(walk(disk, scene::unit, scene::unit).keys.empty());
    CHECK(walk(disk, scene::unit, scene::unit).whole == scene::unit);
}

TEST_CASE("a flipped bit ends the walk before the commit that it is in", "[segment_scan]") {
    const scene::disk disk;
    segment_file file(1);
    file.put("a", "1");
    const std::uint64_t first = file.size();
    file.put("b", "2", true).put("c", "3");
    file.save(disk);
    for (std::uint64_t at = first; at < file.size(); ++at) {
        REQUIRE(disk.flip(scene::path(1), at, std::byte{1}));
        const scanned out = walk(disk);
        if (out.keys != "a" || out.whole != first) FAIL("byte " << at);
        REQUIRE(disk.flip(scene::path(1), at, std::byte{1}));
    }
    CHECK(walk(disk).keys == "abc");
}

TEST_CASE("every length of a file is a walk over its whole commits", "[segment_scan]") {
    const scene::disk disk;
    segment_file file(1);
    file.put("a", "1");
    const std::uint64_t first = file.size();
    file.put("b", "2");
    file.save(disk);
    for (std::uint64_t size = file.size(); size-- > scene::unit;) {
        REQUIRE(disk.cut_file(scene::path(1), size));
        const scanned out = walk(disk);
        const std::string wanted = size >= first ? "a" : "";
        if (out.keys != wanted) FAIL("of size " << size);
    }
}

TEST_CASE("an error of the visitor ends the walk and is its answer", "[segment_scan]") {
    const scene::disk disk;
    segment_file(1).put("a", "1").put("b", "2").save(disk);
    auto folder = scene::folder(disk);
    segment_scanner<scene::disk> scan(*folder, scene::id);
    REQUIRE(scan.load(1));
    int seen = 0;
    auto ended = scan.walk(scene::unit, UINT64_MAX, [&](const record&, std::uint64_t) {
        ++seen;
        return result<void>(coffer::fail(errc::no_space, "stop"));
    });
    REQUIRE_FALSE(ended);
    CHECK(ended.error().kind() == errc::no_space);
    CHECK(seen == 1);

    segment_file(2).put("a", "1", true).put("b", "2", true).put("c", "3").save(disk);
    REQUIRE(scan.load(2));
    auto ended_within = scan.walk(scene::unit, UINT64_MAX, [&](const record&, std::uint64_t) {
        return ++seen == 3 ? result<void>(coffer::fail(errc::no_space, "stop")) : result<void>();
    });
    CHECK_FALSE(ended_within);
    CHECK(seen == 3);
}

TEST_CASE("a block that cannot be read is an error, never the end of the log", "[segment_scan]") {
    const scene::disk disk;
    segment_file(1).put("a", "1").save(disk);
    auto folder = scene::folder(disk);
    segment_scanner<scene::disk> scan(*folder, scene::id);
    disk.fail_call(1, {}, coffer::fs::call::read);
    auto failed = scan.load(1);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind() == errc::io_error);
    CHECK(scan.load(2).error().kind() == errc::not_found);
    CHECK(scan.load(1));
    CHECK(scan.path() == scene::path(1));
}

TEST_CASE("one scanner reads segments of every size, one after the other", "[segment_scan]") {
    const scene::disk disk;
    segment_file large(1);
    large.put("large", std::string(20000, 'v')).save(disk);
    segment_file small(2);
    small.put("small", "v").zeros(64).save(disk);
    auto folder = scene::folder(disk);
    segment_scanner<scene::disk> scan(*folder, scene::id);
    for (int round = 0; round < 2; ++round) {
        REQUIRE(scan.load(1));
        CHECK(scan.contents().size() == large.size());
        REQUIRE(scan.load(2));
        CHECK(scan.contents().size() == small.size());
        CHECK(scan.used() <= small.size() - 64);
    }
}

TEST_CASE("a file that no segment can be is refused, however large", "[segment_scan]") {
    const scene::disk disk;
    scene::segment_file(1).put("a", "1").save(disk);
    REQUIRE(disk.cut_file(scene::path(1), coffer::detail::largest_segment + 1));
    auto folder = scene::folder(disk);
    coffer::detail::segment_scanner<scene::disk> scan(*folder, scene::id);
    REQUIRE(scan.reserve(coffer::detail::largest_segment + 1));  // nothing is taken for it
    auto loaded = scan.load(1);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().kind() == coffer::errc::corruption);
    CHECK(loaded.error().path() == scene::path(1));
    auto blank = scan.is_blank(1);  // nor is it looked through for hours
    REQUIRE_FALSE(blank);
    CHECK(blank.error().kind() == coffer::errc::corruption);
    CHECK(blank.error().path() == scene::path(1));
}

TEST_CASE("a segment that is read already is not read again", "[segment_scan]") {
    const scene::disk disk;
    segment_file(1).put("a", "1").save(disk);
    auto folder = scene::folder(disk);
    segment_scanner<scene::disk> scan(*folder, scene::id);
    REQUIRE(scan.load(1));
    const std::size_t size = scan.contents().size();
    segment_file(1).put("a", "1").put("b", "2").save(disk);
    REQUIRE(scan.load(1));
    CHECK(scan.contents().size() == size);
    CHECK_FALSE(scan.load(7));  // there is none: nothing counts as read
    REQUIRE(scan.load(1));
    CHECK(scan.contents().size() > size);
}

TEST_CASE("a prepared segment is told by its zeros", "[segment_scan]") {
    const scene::disk disk;
    static_cast<void>(disk.make_directory("/db"));
    constexpr std::size_t kib = 1024;
    for (const std::size_t size : std::vector<std::size_t>{0, 1, 4095, 64 * kib, 64 * kib + 1,
                                                           256 * kib, 256 * kib + 1, 1024 * kib}) {
        std::vector<std::byte> all(size);
        auto folder = scene::folder(disk);
        const auto blank = [&] {
            disk.write_file(scene::path(1), all);
            return segment_scanner<scene::disk>(*folder, scene::id).is_blank(1).value();
        };
        CHECK(blank());
        // Anything in the first 64 KiB, and something at the beginning of each 256 KiB, is seen.
        for (const std::size_t at : std::vector<std::size_t>{0, 1, 4096, 64 * kib - 1, 256 * kib,
                                                             512 * kib + 4095, 768 * kib}) {
            if (at >= size) continue;
            all[at] = std::byte{1};
            CHECK_FALSE(blank());
            CHECK(segment_scanner<scene::disk>(*folder, scene::id).begins_blank(1).value() ==
                  (at >= 64 * kib));
            all[at] = std::byte{0};
        }
    }
    auto folder = scene::folder(disk);
    CHECK(segment_scanner<scene::disk>(*folder, scene::id).is_blank(9).error().kind() ==
          errc::not_found);
}

TEST_CASE("the highest claim of durability is found behind any damage", "[segment_scan]") {
    const scene::disk disk;
    segment_file file(1);
    file.put("a", "1").mark(position(1, 4096));
    const std::uint64_t low = file.size();
    file.mark(position(1, 4200)).raw("garbage that is no record!!!").mark(position(1, 5000));
    const std::uint64_t high = file.size();
    file.mark(position(1, 4300), 0, record_type::end).zeros(500).save(disk);
    auto folder = scene::folder(disk);
    segment_scanner<scene::disk> scan(*folder, scene::id);
    REQUIRE(scan.load(1));
    CHECK(scan.durable_claim(0) == position(1, 5000));
    CHECK(scan.durable_claim(low) == position(1, 5000));
    CHECK(scan.durable_claim(high) == position(1, 4300));  // an end says so, too
    CHECK(scan.durable_claim(file.size()) == position());
    // A mark with a flipped bit claims nothing.
    REQUIRE(disk.flip(scene::path(1), high - 3, std::byte{1}));
    segment_scanner<scene::disk> again(*folder, scene::id);
    REQUIRE(again.load(1));
    CHECK(again.durable_claim(0) == position(1, 4300));
}

TEST_CASE("what claims to be a large mark is not read to its end", "[segment_scan]") {
    // Every eight bytes could begin a mark whose value takes two megabytes: to hash each would take
    // minutes.
    const scene::disk disk;
    segment_file file(1);
    constexpr char claim[] = {4, 0, '\xFF', '\xFF', '\x7F', 0, 0, 0};
    std::string claims;
    while (claims.size() < (std::size_t{16} << 20)) claims.append(claim, sizeof claim);
    file.raw(claims).mark(position(1, 5000)).raw(claims).save(disk);
    auto folder = scene::folder(disk);
    segment_scanner<scene::disk> scan(*folder, scene::id);
    scan.load(1).value();
    CHECK(scan.durable_claim(scene::unit) == position(1, 5000));
}

TEST_CASE("a segment whose name is gone is read by whoever has it open", "[segment_scan]") {
    const scene::disk disk;
    segment_file file(1);
    file.put("a", "1").put("b", "2");
    file.save(disk);
    auto folder = scene::folder(disk);
    struct body {
        scene::disk::file file;
        result<void> read_at(std::uint64_t from, coffer::mutable_bytes into) const {
            return read_whole(file, from, into);
        }
    };
    const body open{folder->open(segment_name(1), coffer::fs::access::read).value()};
    REQUIRE(folder->remove(segment_name(1)));
    segment_scanner<scene::disk> scan(*folder, scene::id);
    CHECK_FALSE(scan.load(1));
    REQUIRE(scan.load(1, file.size(), open));
    CHECK(scan.walk(scene::unit, file.size(), [](const record&, std::uint64_t) {
              return result<void>();
          }).value() == file.size());
    const auto beyond = scan.load(2, file.size() + 1, open);
    REQUIRE_FALSE(beyond);
    CHECK(beyond.error().kind() == errc::corruption);
}

TEST_CASE("a segment that a live writer cuts to its end while it is read is read again",
          "[segment_scan]") {
    using disk_type = coffer::fs::faulty<coffer::fs::native>;
    namespace files = std::filesystem;
    std::string path = (files::temp_directory_path() / "coffer_scan_XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    segment_file file(1);
    file.put("a", "1").put("b", "2");
    const std::uint64_t size = file.size();
    const std::string name = path + "/" + segment_name(1);
    file.zeros(20'000);
    std::ofstream(name, std::ios::binary)
        .write(reinterpret_cast<const char*>(file.bytes().data()),
               static_cast<std::streamsize>(file.size()));
    const disk_type disk;
    auto folder = disk.open_directory(path).value();
    const std::uint64_t before = disk.calls();
    disk.fail_call(1, coffer::fs::fault::delayed(500'000'000), coffer::fs::call::read);
    std::thread writer([&] {
        while (disk.calls() < before + 3) std::this_thread::yield();  // open, size, the late read
        files::resize_file(name, size);
    });
    segment_scanner<disk_type> scan(folder, scene::id);
    const auto loaded = scan.load(1);
    writer.join();
    CHECK(loaded.has_value());
    CHECK(scan.contents().size() == size);
    files::remove_all(path);
}
