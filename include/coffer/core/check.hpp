// coffer/core/check.hpp: the check of a record, 64 bits over its bytes.
//
// Blocks of 16 bytes are two words p and q; each is combined by xor with a key of its place, the
// halves of what comes out are multiplied, and the products and the words themselves, crossed, are
// summed (the construction of Yann Collet's XXH3; code, keys and end are coffer's own):
//
//     x += low32(p ^ key[2i]) * high32(p ^ key[2i]) + q
//     y += low32(q ^ key[2i+1]) * high32(q ^ key[2i+1]) + p
//
// The terms do not wait for each other and are what vector units compute, so that a check leaves
// the integer units to whatever the processor has begun beside it: the lookup behind this one. The
// last part of a block is the last 16 bytes; fewer than 16 are filled up with zeros. There are keys
// for 16 blocks: between groups of 16 both sums are stirred, which makes their order count.
//
// I1  Every word is a term of a sum by itself, so that no single change is lost before the end.
// It finds accidents: on bytes that differ the chance of an equal result is about 2^-64. It is not
// a defence against somebody who can choose bytes.
// Equal on every machine. Cost: about 5 ns for 128 bytes in a cache, above 20 GB/s in bulk.
#ifndef COFFER_CORE_CHECK_HPP
#define COFFER_CORE_CHECK_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/hash.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#if COFFER_HAS_SSE2
#include <emmintrin.h>
#elif COFFER_HAS_NEON
#include <arm_neon.h>
#endif

namespace coffer::detail {

inline constexpr std::size_t check_block = 16;
inline constexpr std::size_t check_group = 16;  // blocks

struct alignas(16) check_keys_type {
    std::array<std::uint64_t, 2 * check_group> of{};
    constexpr check_keys_type() noexcept {
        for (std::size_t i = 0; i < of.size(); ++i) of[i] = mix(i, 0);
    }
};
inline constexpr check_keys_type check_keys;

/// Between two groups; one to one, so that nothing is lost.
[[nodiscard]] constexpr std::uint64_t stirred(std::uint64_t sum) noexcept {
    return (sum ^ (sum >> 47)) * hash_keys[2];
}

/// The two sums, as any machine computes them.
class plain_sums {
public:
    explicit plain_sums(std::uint64_t x, std::uint64_t y) noexcept : x_(x), y_(y) {}
    explicit plain_sums(std::uint64_t seed) noexcept : plain_sums(seed, seed ^ hash_keys[1]) {}
    COFFER_ALWAYS_INLINE void add(const std::byte* block, const std::uint64_t* key) noexcept {
        const auto p = load_le<std::uint64_t>(block);
        const auto q = load_le<std::uint64_t>(block + 8);
        x_ += product(p ^ key[0]) + q;
        y_ += product(q ^ key[1]) + p;
    }
    [[nodiscard]] std::uint64_t x() const noexcept { return x_; }
    [[nodiscard]] std::uint64_t y() const noexcept { return y_; }

private:
    [[nodiscard]] static std::uint64_t product(std::uint64_t word) noexcept {
        return (word & 0xFFFFFFFF) * (word >> 32);
    }
    std::uint64_t x_;
    std::uint64_t y_;
};

#if COFFER_HAS_SSE2

class vector_sums {
public:
    explicit vector_sums(std::uint64_t x, std::uint64_t y) noexcept
        : products_(_mm_set_epi64x(std::bit_cast<std::int64_t>(y), std::bit_cast<std::int64_t>(x))),
          words_(_mm_setzero_si128()) {}
    COFFER_ALWAYS_INLINE explicit vector_sums(std::uint64_t seed) noexcept
        : products_(_mm_xor_si128(
              _mm_set1_epi64x(std::bit_cast<std::int64_t>(seed)),
              _mm_set_epi64x(std::bit_cast<std::int64_t>(hash_keys[1]), 0))),
          words_(_mm_setzero_si128()) {}
    COFFER_ALWAYS_INLINE void add(const std::byte* block, const std::uint64_t* key) noexcept {
        const __m128i words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
        words_ = _mm_add_epi64(words_, words);
        const __m128i mixed =
            _mm_xor_si128(words, _mm_load_si128(reinterpret_cast<const __m128i*>(key)));
        products_ = _mm_add_epi64(products_, _mm_mul_epu32(mixed, _mm_shuffle_epi32(mixed, 0x31)));
    }
    [[nodiscard]] std::uint64_t x() const noexcept {
        return std::bit_cast<std::uint64_t>(_mm_cvtsi128_si64(sums()));
    }
    [[nodiscard]] std::uint64_t y() const noexcept {
        const __m128i both = sums();
        return std::bit_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(both, both)));
    }

private:
    /// To cross the sum of the words is to sum the crossed words.
    [[nodiscard]] COFFER_ALWAYS_INLINE __m128i sums() const noexcept {
        return _mm_add_epi64(products_, _mm_shuffle_epi32(words_, 0x4E));
    }
    __m128i products_;
    __m128i words_;
};

#elif COFFER_HAS_NEON

class vector_sums {
public:
    explicit vector_sums(std::uint64_t x, std::uint64_t y) noexcept
        : sums_(vcombine_u64(vcreate_u64(x), vcreate_u64(y))) {}
    explicit vector_sums(std::uint64_t seed) noexcept : vector_sums(seed, seed ^ hash_keys[1]) {}
    COFFER_ALWAYS_INLINE void add(const std::byte* block, const std::uint64_t* key) noexcept {
        const uint64x2_t words =
            vreinterpretq_u64_u8(vld1q_u8(reinterpret_cast<const std::uint8_t*>(block)));
        const uint64x2_t mixed = veorq_u64(words, vld1q_u64(key));
        const uint64x2_t crossed = vaddq_u64(sums_, vextq_u64(words, words, 1));
        sums_ = vmlal_u32(crossed, vmovn_u64(mixed), vshrn_n_u64(mixed, 32));
    }
    [[nodiscard]] std::uint64_t x() const noexcept { return vgetq_lane_u64(sums_, 0); }
    [[nodiscard]] std::uint64_t y() const noexcept { return vgetq_lane_u64(sums_, 1); }

private:
    uint64x2_t sums_;
};

#else

using vector_sums = plain_sums;

#endif

template <class Sums>
COFFER_ALWAYS_INLINE void add_four(Sums& sums, const std::byte* at,
                                   const std::uint64_t* key) noexcept {
    sums.add(at, key);
    sums.add(at + check_block, key + 2);
    sums.add(at + 2 * check_block, key + 4);
    sums.add(at + 3 * check_block, key + 6);
}

/// Block i of the group at `at`.
template <class Sums>
COFFER_ALWAYS_INLINE void add_block(Sums& sums, const std::byte* at, std::size_t i) noexcept {
    sums.add(at + check_block * i, check_keys.of.data() + 2 * i);
}

/// All groups but the last, which may be whole; returns the bytes that it left.
template <class Sums>
[[nodiscard]] COFFER_NOINLINE bytes add_groups(Sums& sums, bytes input) noexcept {
    constexpr std::size_t group = check_block * check_group;
    const std::uint64_t* const key = check_keys.of.data();
    Sums now = sums;
    for (; input.size() > group; input = input.subspan(group)) {
        for (std::size_t i = 0; i < check_group; i += 4) {
            add_four(now, input.data() + check_block * i, key + 2 * i);
        }
        now = Sums(stirred(now.x()), stirred(now.y()));
    }
    sums = now;
    return input;
}

/// Of one group at most and of a byte at least; its last block may reach back before `input`, where
/// the group before it ends, so that all together is a block at least. One jump leads into the
/// others, each of which knows its place: to count them would take as long as to add them.
template <class Sums>
COFFER_ALWAYS_INLINE void add_last_group(Sums& sums, bytes input) noexcept {
    const std::byte* const at = input.data();
    const std::size_t before = (input.size() - 1) / check_block;
    sums.add(at + input.size() - check_block, check_keys.of.data() + 2 * before);
    switch (before) {
        case 15:
            add_block(sums, at, 14);
            [[fallthrough]];
        case 14:
            add_block(sums, at, 13);
            [[fallthrough]];
        case 13:
            add_block(sums, at, 12);
            [[fallthrough]];
        case 12:
            add_block(sums, at, 11);
            [[fallthrough]];
        case 11:
            add_block(sums, at, 10);
            [[fallthrough]];
        case 10:
            add_block(sums, at, 9);
            [[fallthrough]];
        case 9:
            add_block(sums, at, 8);
            [[fallthrough]];
        case 8:
            add_block(sums, at, 7);
            [[fallthrough]];
        case 7:
            add_block(sums, at, 6);
            [[fallthrough]];
        case 6:
            add_block(sums, at, 5);
            [[fallthrough]];
        case 5:
            add_block(sums, at, 4);
            [[fallthrough]];
        case 4:
            add_block(sums, at, 3);
            [[fallthrough]];
        case 3:
            add_block(sums, at, 2);
            [[fallthrough]];
        case 2:
            add_block(sums, at, 1);
            [[fallthrough]];
        case 1:
            add_block(sums, at, 0);
            [[fallthrough]];
        default:
            break;
    }
}

template <class Sums>
[[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t end_of_check(const Sums& sums,
                                                              std::size_t size) noexcept {
    return fold(sums.x() ^ hash_keys[2] ^ size, sums.y() ^ hash_keys[3]);
}

/// Of less than a block, or more than a group.
template <class Sums>
[[nodiscard]] COFFER_NOINLINE std::uint64_t check_at_length(bytes input,
                                                            std::uint64_t seed) noexcept {
    Sums sums(seed);
    if (input.size() >= check_block) {
        add_last_group(sums, add_groups(sums, input));
    } else {
        std::byte filled[check_block] = {};
        copy(filled, input);
        sums.add(filled, check_keys.of.data());
    }
    return end_of_check(sums, input.size());
}

template <class Sums>
[[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t check_with(bytes input,
                                                            std::uint64_t seed) noexcept {
    if (input.size() - check_block > check_block * (check_group - 1)) [[unlikely]]
        return check_at_length<Sums>(input, seed);
    Sums sums(seed);
    add_last_group(sums, input);
    return end_of_check(sums, input.size());
}

[[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t check64(bytes input, std::uint64_t seed) noexcept {
    return check_with<vector_sums>(input, seed);
}

}  // namespace coffer::detail

#endif
