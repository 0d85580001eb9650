// coffer/index/hash_words.hpp: the words of a bucket of the hash index, as pure arithmetic.
//
// |         | bits   |                                                                        |
// |---------|--------|------------------------------------------------------------------------|
// | control | 0..55  | a print for each of the 7 slots: 0 free, else 128 + h[23..29]          |
// |         | 56..60 | depth - 8: the bucket is addressed by h[0..depth-1]                    |
// |         | 61     | chained: slot 6 holds a link                                           |
// | entry   | 0..47  | ref; the whole word is 0 in a free slot                                |
// |         | 48..63 | tag: h[7..22]                                                          |
// | link    | 0..31  | 1 + index of the first overflow bucket, 0: none                        |
// |         | 48     | the complement of the bucket's own h[7], which tells links and entries apart
// |         | rest   | a stamp, never 0: one more than in the link before it                  |
//
// h is the hash of the key. Place, tag and print together are h[0..29]: what a slot knows.
#ifndef COFFER_INDEX_HASH_WORDS_HPP
#define COFFER_INDEX_HASH_WORDS_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/index/concept.hpp>

#include <bit>
#include <cstdint>

namespace coffer::detail {

/// What the table takes from outside its algorithm; tests put other values in its place.
struct hash_shape {
    static constexpr unsigned most_depth = 28;
    [[nodiscard]] static COFFER_ALWAYS_INLINE std::uint64_t hash(bytes key,
                                                                 std::uint64_t seed) noexcept {
        return hash64(key, seed);
    }
};

/// The words of a bucket: pure arithmetic.
struct hash_words {
    static constexpr unsigned base_bits = 8;             // 256 buckets at the start
    static constexpr unsigned tag_from = base_bits - 1;  // one bit of the index: marks links
    static constexpr unsigned print_from = tag_from + 16;
    static constexpr unsigned known_bits = print_from + 7;
    static constexpr unsigned link_slot = 6;
    static constexpr std::uint64_t chained = std::uint64_t{1} << 61;
    static constexpr std::uint64_t depth_one = std::uint64_t{1} << 56;
    static constexpr std::uint64_t depth_bits = 31 * depth_one;
    static constexpr std::uint64_t each_byte = 0x0001010101010101;
    static constexpr std::uint64_t each_top = 0x80 * each_byte;

    [[nodiscard]] static constexpr std::uint64_t print_of(std::uint64_t hash) noexcept {
        return 0x80 | ((hash >> print_from) & 0x7F);
    }
    [[nodiscard]] static constexpr std::uint64_t tag_of(std::uint64_t hash) noexcept {
        return hash >> tag_from << ref_bits;  // the upper 16 bits of an entry
    }
    [[nodiscard]] static constexpr std::uint64_t print_at(std::uint64_t control,
                                                          unsigned slot) noexcept {
        return (control >> (8 * slot)) & 0xFF;
    }
    /// The top bit of the byte of every slot that has this print, and perhaps, above one of those,
    /// of one whose print differs from it in the lowest bit (Mycroft's test for zero bytes).
    [[nodiscard]] static constexpr std::uint64_t with_print(std::uint64_t control,
                                                            std::uint64_t print) noexcept {
        const std::uint64_t differ = control ^ (print * each_byte);
        return (differ - each_byte) & ~differ & each_top;
    }
    [[nodiscard]] static constexpr std::uint64_t used(std::uint64_t control) noexcept {
        return control & each_top;
    }
    /// The slot of the lowest bit of with_print() or used(); 8 for none.
    [[nodiscard]] static constexpr unsigned first(std::uint64_t which) noexcept {
        return static_cast<unsigned>(std::countr_zero(which)) / 8;
    }
    [[nodiscard]] static constexpr unsigned first_free(std::uint64_t control) noexcept {
        return first(~control & each_top);
    }
    [[nodiscard]] static constexpr std::uint64_t set(std::uint64_t control, unsigned slot,
                                                     std::uint64_t print) noexcept {
        return (control & ~(std::uint64_t{0xFF} << (8 * slot))) | (print << (8 * slot));
    }
    [[nodiscard]] static constexpr unsigned depth(std::uint64_t control) noexcept {
        return base_bits + static_cast<unsigned>((control & depth_bits) / depth_one);
    }
    [[nodiscard]] static constexpr std::uint64_t below(unsigned bits) noexcept {
        return (std::uint64_t{1} << bits) - 1;
    }
    /// h[7..29] in their places, as the slot of a key knows them.
    [[nodiscard]] static constexpr std::uint64_t known(std::uint64_t word,
                                                       std::uint64_t print) noexcept {
        return (word >> ref_bits << tag_from) | ((print & 0x7F) << print_from);
    }
    /// Could the word stand in slot 6 of primary bucket `index` as a link?
    [[nodiscard]] static constexpr bool is_link(std::uint64_t word, std::uint64_t index) noexcept {
        return word != 0 && (((word >> ref_bits) ^ (index >> tag_from)) & 1) != 0;
    }
    [[nodiscard]] static constexpr std::uint64_t link(std::uint64_t index, std::uint64_t target,
                                                      std::uint64_t stamp) noexcept {
        const std::uint64_t mark = ~(index >> tag_from) & 1;
        return target | (stamp & 0xFFFF) << 32 | mark << 48 | (stamp >> 16) << 49;
    }
    /// The first link of a chain. Chains that begin at different depths have different stamps: one
    /// may go and another begin while a reader holds a link.
    [[nodiscard]] static constexpr std::uint64_t first_link(std::uint64_t control,
                                                            std::uint64_t index,
                                                            std::uint64_t to) noexcept {
        return link(index, target(to), std::uint64_t{depth(control)} << 26 | 1);
    }
    /// The link that follows another one.
    [[nodiscard]] static constexpr std::uint64_t next_link(std::uint64_t before,
                                                           std::uint64_t index,
                                                           std::uint64_t to) noexcept {
        const std::uint64_t stamp = ((before >> 32 & 0xFFFF) | before >> 49 << 16) + 1;
        return link(index, target(to), (stamp & 0x7FFFFFFF) | stamp >> 31);
    }
    [[nodiscard]] static constexpr std::uint64_t target(std::uint64_t link) noexcept {
        return link & 0xFFFFFFFF;
    }
    /// The bits of an index, the last one first.
    [[nodiscard]] static constexpr std::uint32_t reverse(std::uint32_t value) noexcept {
        value = (value >> 1 & 0x55555555) | (value & 0x55555555) << 1;
        value = (value >> 2 & 0x33333333) | (value & 0x33333333) << 2;
        value = (value >> 4 & 0x0F0F0F0F) | (value & 0x0F0F0F0F) << 4;
        return byte_swapped(value);
    }
    /// n buckets as one word, from which at() finds the bucket of a hash without a branch.
    [[nodiscard]] static constexpr std::uint64_t extent(std::uint64_t n) noexcept {
        return below(static_cast<unsigned>(std::bit_width(n))) << 32 | n;
    }
    [[nodiscard]] static constexpr std::uint64_t at(std::uint64_t hash,
                                                    std::uint64_t extent) noexcept {
        const std::uint64_t index = hash & (extent >> 32);
        return index < (extent & 0xFFFFFFFF) ? index : index & (extent >> 33);
    }
};

}  // namespace coffer::detail

#endif
