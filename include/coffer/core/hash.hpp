// coffer/core/hash.hpp: the 64-bit seeded hash of keys, and of what is written once in a while.
//
// Multiply-and-fold: each step takes 16 bytes, multiplies two 64-bit halves into 128 bits and
// folds the product by xor (the construction of Wang Yi's wyhash and Nicolas De Carli's rapidhash;
// this code and its constants are coffer's own). Three independent lanes from 48 bytes on.
// It finds accidents: on bytes that differ the chance of an equal result is about 2^-64. It is not
// a defence against somebody who can choose bytes and knows the seed.
// Equal on every machine. Cost: about 3 ns for 16 bytes, 8 ns for 128, above 10 GB/s in bulk.
#ifndef COFFER_CORE_HASH_HPP
#define COFFER_CORE_HASH_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/endian.hpp>

#include <cstdint>

namespace coffer::detail {

inline constexpr std::uint64_t hash_keys[4] = {
    // The first 64 fractional bits of the square roots of 2, 3, 5 and 7, made odd.
    0x6a09e667f3bcc909, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1};

/// fold() for machines whose compiler has no 128-bit product: four products of 32 bits.
[[nodiscard]] constexpr std::uint64_t fold_in_parts(std::uint64_t a, std::uint64_t b) noexcept {
    const std::uint64_t al = a & 0xFFFFFFFF, ah = a >> 32, bl = b & 0xFFFFFFFF, bh = b >> 32;
    const std::uint64_t low = al * bl, mid1 = ah * bl, mid2 = al * bh, high = ah * bh;
    const std::uint64_t carry = ((low >> 32) + (mid1 & 0xFFFFFFFF) + (mid2 & 0xFFFFFFFF)) >> 32;
    return (a * b) ^ (high + (mid1 >> 32) + (mid2 >> 32) + carry);
}

/// The 128-bit product of two words, its halves folded by xor.
[[nodiscard]] constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
#if COFFER_HAS_INT128
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
#else
    return fold_in_parts(a, b);
#endif
}

/// A word with every bit of the input spread over it; for seeds and integers.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value, std::uint64_t seed) noexcept {
    return fold(value ^ hash_keys[0], seed ^ hash_keys[1]);
}

/// Where a hash of so many bytes begins, and how it ends with the last two words.
[[nodiscard]] constexpr std::uint64_t hash_begin(std::size_t size, std::uint64_t seed) noexcept {
    return seed ^ fold(seed ^ hash_keys[0], hash_keys[1] ^ size);
}
[[nodiscard]] constexpr std::uint64_t hash_end(std::uint64_t a, std::uint64_t b, std::size_t size,
                                               std::uint64_t seed) noexcept {
    return fold(hash_keys[2] ^ size, fold(a ^ hash_keys[3], b ^ seed));
}

/// hash64() of any size but 8 to 16 bytes.
[[nodiscard]] COFFER_NOINLINE inline std::uint64_t hash64_at_length(bytes input,
                                                                    std::uint64_t seed) noexcept {
    const std::byte* at = input.data();
    const std::size_t size = input.size();
    seed = hash_begin(size, seed);
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    if (size < 8) {
        if (size >= 4) {
            a = load_le<std::uint32_t>(at);
            b = load_le<std::uint32_t>(at + size - 4);
        } else if (size != 0) {
            a = (static_cast<std::uint64_t>(at[0]) << 16) |
                (static_cast<std::uint64_t>(at[size / 2]) << 8) |
                static_cast<std::uint64_t>(at[size - 1]);
        }
    } else {
        std::size_t left = size;
        if (left > 48) {
            std::uint64_t lane1 = seed;
            std::uint64_t lane2 = seed;
            do {
                seed = fold(load_le<std::uint64_t>(at) ^ hash_keys[1],
                            load_le<std::uint64_t>(at + 8) ^ seed);
                lane1 = fold(load_le<std::uint64_t>(at + 16) ^ hash_keys[2],
                             load_le<std::uint64_t>(at + 24) ^ lane1);
                lane2 = fold(load_le<std::uint64_t>(at + 32) ^ hash_keys[3],
                             load_le<std::uint64_t>(at + 40) ^ lane2);
                at += 48;
                left -= 48;
            } while (left > 48);
            seed ^= lane1 ^ lane2;
        }
        while (left > 16) {
            seed = fold(load_le<std::uint64_t>(at) ^ hash_keys[1],
                        load_le<std::uint64_t>(at + 8) ^ seed);
            at += 16;
            left -= 16;
        }
        a = load_le<std::uint64_t>(at + left - 16);
        b = load_le<std::uint64_t>(at + left - 8);
    }
    return hash_end(a, b, size, seed);
}

/// In place for keys of 8 to 16 bytes: to call costs as much as to hash them.
[[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t hash64(bytes input, std::uint64_t seed) noexcept {
    const std::byte* const at = input.data();
    const std::size_t size = input.size();
    if (size - 8 > 8) return hash64_at_length(input, seed);
    return hash_end(load_le<std::uint64_t>(at), load_le<std::uint64_t>(at + size - 8), size,
                    hash_begin(size, seed));
}

}  // namespace coffer::detail

#endif
