// coffer/format/position.hpp: a place in the log, and where segments and offsets meet in one word.
//
// A position is (segment id, byte offset) in one 64-bit word whose order is the order of the log:
// ids only grow, and offsets are multiples of 4 below 8 GiB. An address is the same with the slot
// of the segment table instead of the id; slots are reused, ids never.
//
//   position  63..31 segment id (33 bits)   30..0 offset / 4
//   address   46..31 slot (16 bits)         30..0 offset / 4
#ifndef COFFER_FORMAT_POSITION_HPP
#define COFFER_FORMAT_POSITION_HPP

#include <compare>
#include <cstdint>

namespace coffer::detail {

inline constexpr unsigned offset_bits = 31;
inline constexpr unsigned offset_unit = 4;
inline constexpr std::uint64_t largest_segment = std::uint64_t{offset_unit} << offset_bits;
inline constexpr std::uint64_t largest_segment_id = (std::uint64_t{1} << (64 - offset_bits)) - 1;
inline constexpr std::uint32_t most_slots = 1U << 16;

class position {
public:
    constexpr position() noexcept = default;  // before everything
    constexpr position(std::uint64_t segment, std::uint64_t offset) noexcept
        : word_(segment << offset_bits | offset / offset_unit) {}
    [[nodiscard]] static constexpr position of_word(std::uint64_t word) noexcept {
        position made;
        made.word_ = word;
        return made;
    }

    [[nodiscard]] constexpr std::uint64_t segment() const noexcept { return word_ >> offset_bits; }
    [[nodiscard]] constexpr std::uint64_t offset() const noexcept {
        return (word_ & ((std::uint64_t{1} << offset_bits) - 1)) * offset_unit;
    }
    [[nodiscard]] constexpr std::uint64_t word() const noexcept { return word_; }

    friend constexpr auto operator<=>(position, position) noexcept = default;

private:
    std::uint64_t word_ = 0;
};

/// Where a record is in memory. Never 0: every segment begins with a header.
using address = std::uint64_t;

[[nodiscard]] constexpr address make_address(std::uint32_t slot, std::uint64_t offset) noexcept {
    return std::uint64_t{slot} << offset_bits | offset / offset_unit;
}
[[nodiscard]] constexpr std::uint32_t slot_of(address where) noexcept {
    return static_cast<std::uint32_t>(where >> offset_bits) & (most_slots - 1);
}
[[nodiscard]] constexpr std::uint64_t offset_of(address where) noexcept {
    return (where & ((std::uint64_t{1} << offset_bits) - 1)) * offset_unit;
}
/// What lies `size` bytes behind `where` in the same segment; offsets are multiples of a unit.
[[nodiscard]] constexpr address behind(address where, std::uint64_t size) noexcept {
    return where + size / offset_unit;
}

}  // namespace coffer::detail

#endif
