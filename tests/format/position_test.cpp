// Positions and addresses: both parts come back, and positions are ordered as the log is.
#include <coffer/format/position.hpp>

#include "catch.hpp"

#include <cstdint>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header

const std::vector<std::uint64_t> ids{0, 1, 2, 7, 0xFFFFFFFF, 0x100000000, largest_segment_id};
const std::vector<std::uint64_t> offsets{0,          4,          8,           4096,
                                         0x7FFFFFFC, 0x80000000, 0x100000000, largest_segment - 4};

}  // namespace

TEST_CASE("the bits of a position and of an address", "[position][golden]") {
    static_assert(largest_segment == std::uint64_t{8} << 30);
    static_assert(largest_segment_id == (std::uint64_t{1} << 33) - 1);
    static_assert(position(7, 4096).word() == 0x380000400);
    static_assert(position(largest_segment_id, largest_segment - 4).word() == UINT64_MAX);
    static_assert(make_address(7, 4096) == 0x380000400);
    static_assert(make_address(most_slots - 1, largest_segment - 4) ==
                  (std::uint64_t{1} << 47) - 1);  // bit 47 is free: for descriptors
}

TEST_CASE("segment and offset come back", "[position]") {
    for (const std::uint64_t id : ids) {
        for (const std::uint64_t offset : offsets) {
            const position at(id, offset);
            CHECK(at.segment() == id);
            CHECK(at.offset() == offset);
            CHECK(position::of_word(at.word()) == at);
        }
    }
    for (const std::uint32_t slot : {0U, 1U, 255U, most_slots - 1}) {
        for (const std::uint64_t offset : offsets) {
            const address at = make_address(slot, offset);
            CHECK(slot_of(at) == slot);
            CHECK(offset_of(at) == offset);
            if (offset < largest_segment / 2)
                CHECK(behind(at, 4096) == make_address(slot, offset + 4096));
        }
    }
}

TEST_CASE("positions are ordered by segment, then by offset", "[position]") {
    std::vector<position> ascending{position()};
    for (const std::uint64_t id : ids) {
        for (const std::uint64_t offset : offsets) {
            if (id != 0 || offset != 0) ascending.emplace_back(id, offset);
        }
    }
    for (std::size_t i = 0; i < ascending.size(); ++i) {
        for (std::size_t j = 0; j < ascending.size(); ++j) {
            if ((ascending[i] <=> ascending[j]) != (i <=> j)) FAIL(i << " and " << j);
        }
    }
}

TEST_CASE("the upper bits of an address, which belong to the index, are ignored", "[position]") {
    const address at = make_address(9, 4096) | std::uint64_t{0xABCD} << 48;
    CHECK(slot_of(at) == 9);
    CHECK(offset_of(at) == 4096);
}
