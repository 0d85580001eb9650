// coffer/core/endian.hpp: integers at unaligned places, in a stated byte order.
//
// Everything on disk is little-endian; order-preserving keys are big-endian. Compilers turn each
// function into one load or store, with a byte swap where the machine's order differs.
#ifndef COFFER_CORE_ENDIAN_HPP
#define COFFER_CORE_ENDIAN_HPP

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace coffer::detail {

template <std::unsigned_integral T>
[[nodiscard]] constexpr T byte_swapped(T value) noexcept {
    if constexpr (sizeof(T) == 1) {
        return value;
    } else {
        T swapped = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            swapped = static_cast<T>(static_cast<T>(swapped << 8) | static_cast<T>(value & 0xFFU));
            value = static_cast<T>(value >> 8);
        }
        return swapped;
    }
}

template <std::unsigned_integral T>
[[nodiscard]] inline T load_le(const std::byte* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return std::endian::native == std::endian::little ? value : byte_swapped(value);
}

template <std::unsigned_integral T>
[[nodiscard]] inline T load_be(const std::byte* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return std::endian::native == std::endian::big ? value : byte_swapped(value);
}

template <std::unsigned_integral T>
inline void store_le(std::byte* to, T value) noexcept {
    if constexpr (std::endian::native != std::endian::little) value = byte_swapped(value);
    std::memcpy(to, &value, sizeof value);
}

template <std::unsigned_integral T>
inline void store_be(std::byte* to, T value) noexcept {
    if constexpr (std::endian::native != std::endian::big) value = byte_swapped(value);
    std::memcpy(to, &value, sizeof value);
}

}  // namespace coffer::detail

#endif
