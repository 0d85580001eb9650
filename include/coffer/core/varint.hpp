// coffer/core/varint.hpp: unsigned LEB128, the length prefix of records.
//
// Seven bits a byte, low bits first, the high bit set on all bytes but the last. Only the shortest
// form is valid, so that equal values have equal bytes; at most ten bytes.
#ifndef COFFER_CORE_VARINT_HPP
#define COFFER_CORE_VARINT_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>

#include <cstddef>
#include <cstdint>

namespace coffer::detail {

inline constexpr std::size_t max_varint_size = 10;

[[nodiscard]] constexpr std::size_t varint_size(std::uint64_t value) noexcept {
    std::size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        ++size;
    }
    return size;
}

/// Writes `value` at `to` and returns the place behind it.
inline std::byte* put_varint(std::byte* to, std::uint64_t value) noexcept {
    while (value >= 0x80) {
        *to++ = static_cast<std::byte>(value | 0x80);
        value >>= 7;
    }
    *to++ = static_cast<std::byte>(value);
    return to;
}

/// As get_varint, of any length.
[[nodiscard]] COFFER_NOINLINE inline const std::byte* get_long_varint(
    const std::byte* from, const std::byte* limit, std::uint64_t& value) noexcept {
    value = 0;
    for (unsigned shift = 0; from != limit && shift < 64; shift += 7) {
        const auto byte = static_cast<std::uint64_t>(*from++);
        if (shift == 63 && byte > 1) return nullptr;
        value |= (byte & 0x7F) << shift;
        if (byte < 0x80) return byte == 0 && shift != 0 ? nullptr : from;
    }
    return nullptr;
}

/// Reads a varint that begins at `from` and ends before `limit`. Returns the place behind it, or
/// null when the bytes end first, are not the shortest form, or exceed 64 bits.
[[nodiscard]] COFFER_ALWAYS_INLINE const std::byte* get_varint(const std::byte* from,
                                                               const std::byte* limit,
                                                               std::uint64_t& value) noexcept {
    if (from != limit && *from < std::byte{0x80}) [[likely]] {
        value = static_cast<std::uint64_t>(*from);
        return from + 1;
    }
    return get_long_varint(from, limit, value);
}

}  // namespace coffer::detail

#endif
