// What a thread fetches ahead: the records behind the one it read, once it has read two in a row, up
// to a kilobyte ahead and no more than two at a time.
#include <coffer/storage/read_ahead.hpp>

#include "catch.hpp"

#include <cstddef>
#include <vector>

namespace {

using coffer::detail::address;
using coffer::detail::make_address;
using coffer::detail::read_ahead;
using places = std::vector<std::size_t>;

/// A log of records of one size, and a thread that reads them.
struct reading {
    std::size_t size = 128;
    std::size_t end = std::size_t{1} << 20;  // nothing is known from here on
    read_ahead ahead{};
    int in_vain = 0;  // fetches of what is not known

    [[nodiscard]] static address at(std::size_t offset) { return make_address(3, offset); }

    /// Reads the record there; what was fetched for it.
    places read(std::size_t offset) {
        places fetched;
        ahead.passed(at(offset), size, [&](address where) -> std::size_t {
            const std::size_t place = coffer::detail::offset_of(where);
            CHECK(where == at(place));
            if (place >= end) return ++in_vain, 0;
            fetched.push_back(place);
            return size;
        });
        return fetched;
    }
};

}  // namespace

TEST_CASE("read ahead: nothing is fetched for records here and there") {
    reading of;
    for (const std::size_t offset : {4096U, 128U, 8192U, 0U, 4096U, 3968U, 3968U})
        CHECK(of.read(offset) == places{});
}

TEST_CASE("read ahead: two in a row fetch the next two, and so on up to a kilobyte ahead") {
    reading of;
    CHECK(of.read(0) == places{});
    CHECK(of.read(128) == places{256, 384});
    std::size_t reach = 512;
    for (std::size_t offset = 256; offset < 64 * 1024; offset += 128) {
        for (const std::size_t place : of.read(offset)) {
            CHECK(place == reach);  // each once, in their order
            reach += 128;
        }
        CHECK(reach <= offset + 128 + 1024);
        if (offset >= 8 * 128) CHECK(reach == offset + 128 + 1024);
    }
}

TEST_CASE("read ahead: of large records it is the next one") {
    reading of;
    of.size = 10000;
    CHECK(of.read(0) == places{});
    CHECK(of.read(10000) == places{20000});
    CHECK(of.read(20000) == places{30000});
}

TEST_CASE("read ahead: where nothing is known it waits") {
    reading of;
    of.end = 384;
    CHECK(of.read(0) == places{});
    CHECK(of.read(128) == places{256});
    CHECK(of.read(256) == places{});
    CHECK(of.in_vain == 2);  // once for each read
    of.end = 1024;
    CHECK(of.read(384) == places{512, 640});
}

TEST_CASE("read ahead: it begins anew where another row begins, before and behind") {
    reading of;
    of.read(32768);
    CHECK(of.read(32896) == places{33024, 33152});
    for (const std::size_t begin : {0U, 65536U, 32768U}) {
        CHECK(of.read(begin) == places{});
        CHECK(of.read(begin + 128) == places{begin + 256, begin + 384});
    }
}
