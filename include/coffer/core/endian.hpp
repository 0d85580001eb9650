// coffer/core/endian.hpp: integers at unaligned places, in a stated byte order.
//
// Everything on disk is little-endian; order-preserving keys are big-endian. Compilers turn each
// function into one load or store, with a byte swap where the machine's order differs.
#ifndef COFFER_CORE_ENDIAN_HPP
#define COFFER_CORE_ENDIAN_HPP

#include <coffer/config/platform.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace coffer::detail {

/// Halves swapped, then halves of halves, then bytes: the form that compilers know as one
/// instruction; of a loop over bytes some make a loop.
template <std::unsigned_integral T>
[[nodiscard]] COFFER_ALWAYS_INLINE constexpr T byte_swapped(T value) noexcept {
    if constexpr (sizeof(T) == 1) {
        return value;
    } else if constexpr (sizeof(T) == 2) {
        return static_cast<T>(value << 8 | value >> 8);
    } else if constexpr (sizeof(T) == 4) {
        value = (value & 0x00FF00FFU) << 8 | (value >> 8 & 0x00FF00FFU);
        return value << 16 | value >> 16;
    } else {
        static_assert(sizeof(T) == 8, "integers have 1, 2, 4 or 8 bytes");
#if defined(__GNUC__)
        return __builtin_bswap64(value);  // of two patterns side by side g++ 12 makes thirty steps
#else
        value = (value & 0x00FF00FF00FF00FFU) << 8 | (value >> 8 & 0x00FF00FF00FF00FFU);
        value = (value & 0x0000FFFF0000FFFFU) << 16 | (value >> 16 & 0x0000FFFF0000FFFFU);
        return value << 32 | value >> 32;
#endif
    }
}

template <std::unsigned_integral T>
[[nodiscard]] COFFER_ALWAYS_INLINE T load_le(const std::byte* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return std::endian::native == std::endian::little ? value : byte_swapped(value);
}

template <std::unsigned_integral T>
[[nodiscard]] COFFER_ALWAYS_INLINE T load_be(const std::byte* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return std::endian::native == std::endian::big ? value : byte_swapped(value);
}

template <std::unsigned_integral T>
COFFER_ALWAYS_INLINE void store_le(std::byte* to, T value) noexcept {
    if constexpr (std::endian::native != std::endian::little) value = byte_swapped(value);
    std::memcpy(to, &value, sizeof value);
}

template <std::unsigned_integral T>
COFFER_ALWAYS_INLINE void store_be(std::byte* to, T value) noexcept {
    if constexpr (std::endian::native != std::endian::big) value = byte_swapped(value);
    std::memcpy(to, &value, sizeof value);
}

}  // namespace coffer::detail

#endif
