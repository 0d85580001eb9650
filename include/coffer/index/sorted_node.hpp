// coffer/index/sorted_node.hpp: one node of the B+tree of `sorted`, and how keys look inside it.
//
// A node is a run of 64-bit words, each atomic under `multi`:
//
//     word 0       version: bit 0 is set while the writer is inside
//     word 1       meta: count, level (0: leaf), how the last key came, length of the prefix
//     word 2..3    the first 16 bytes of the prefix; in a leaf whose prefix is longer: its chain
//     word 4..     head[capacity]
//     behind them  entry[capacity]: leaf: 16 bits tag, 48 bits ref
//                                   inner: 32 bits chain of the separator, 32 bits child
//
// A large node has 128 words and room for 62 entries; a compact one, which is always a leaf, 96
// words and room for 46. A leaf begins compact and moves to a large node when it is full.
//
// I1  Every key of a leaf, and every separator of an inner node, begins with the node's prefix, if
//     it is thought of as followed by zeros without end. What it has behind the prefix is its
//     image: eight bytes are its head, in a leaf two more its tag, as big-endian numbers. So images
//     order as keys do, except that different keys may have equal images.
// I2  Entry 0 of an inner node has no separator: head and chain are 0.
// I3  A place in memory is a compact node, a large one or none for ever; its version only grows.
//
// Threads: one writer; readers beside it. The writer makes the version odd, stores words with
// release and makes the version even; a reader loads words with acquire between two looks at the
// version. If it saw any word of a change, its second look sees the version of that change, so two
// equal looks mean that it saw none (a sequence lock; as optimistic lock coupling: Leis et al.,
// "The ART of Practical Synchronization", 2016).
#ifndef COFFER_INDEX_SORTED_NODE_HPP
#define COFFER_INDEX_SORTED_NODE_HPP

#include <coffer/config/assert.hpp>
#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/index/concept.hpp>

#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace coffer::detail {

/// All bytes of a key that has fewer than eight, from `from` on, as if zeros followed.
[[nodiscard]] COFFER_NOINLINE inline std::uint64_t short_head_at(bytes key,
                                                                 std::size_t from) noexcept {
    std::uint64_t head = 0;
    for (unsigned shift = 56; from < key.size(); ++from, shift -= 8) {
        head |= static_cast<std::uint64_t>(key[from]) << shift;
    }
    return head;
}

/// Eight bytes of the key from byte `from` on, big-endian, as if zeros followed the key.
[[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t head_at(bytes key, std::size_t from) noexcept {
    const std::size_t size = key.size();
    if (from + 8 <= size) [[likely]]
        return load_be<std::uint64_t>(key.data() + from);
    if (from >= size) return 0;
    if (size < 8) return short_head_at(key, from);
    return load_be<std::uint64_t>(key.data() + size - 8) << (8 * (from + 8 - size));
}

/// What a leaf keeps of a key: the ten bytes behind the prefix.
struct key_image {
    std::uint64_t head = 0;
    std::uint64_t tag = 0;  // 16 bits

    friend auto operator<=>(const key_image&, const key_image&) = default;

    [[nodiscard]] static key_image of(bytes key, std::size_t from) noexcept {
        if (from + 10 <= key.size()) [[likely]] {
            return {load_be<std::uint64_t>(key.data() + from),
                    load_be<std::uint16_t>(key.data() + from + 8)};
        }
        return {head_at(key, from), head_at(key, from + 8) >> 48};
    }
    /// The image if the prefix ended one byte, `byte`, earlier.
    [[nodiscard]] key_image behind(std::byte byte) const noexcept {
        return {static_cast<std::uint64_t>(byte) << 56 | head >> 8, (head & 0xFF) << 8 | tag >> 8};
    }
    [[nodiscard]] std::byte operator[](unsigned at) const noexcept {
        return static_cast<std::byte>(at < 8 ? head >> (56 - 8 * at) : tag >> (72 - 8 * at));
    }
};

/// The first byte in which two images differ; 10 when they are equal.
[[nodiscard]] inline unsigned first_difference(const key_image& a, const key_image& b) noexcept {
    if (a.head != b.head) return static_cast<unsigned>(std::countl_zero(a.head ^ b.head)) / 8;
    if (a.tag == b.tag) return 10;
    return 8 + static_cast<unsigned>(std::countl_zero((a.tag ^ b.tag) << 48)) / 8;
}

/// The first `size` bytes of a word.
[[nodiscard]] constexpr std::uint64_t first_bytes(std::size_t size) noexcept {
    return size == 0 ? 0 : size >= 8 ? ~std::uint64_t{0} : ~(~std::uint64_t{0} >> (8 * size));
}

/// Word 1 of a node.
struct node_meta {
    std::uint64_t word = 0;

    static constexpr std::uint64_t ended = 1 << 16;  // what was last added became the last one
    static constexpr std::uint64_t began = 1 << 17;  // ... the first one
    static constexpr std::uint64_t came = ended | began;

    [[nodiscard]] static constexpr node_meta of(unsigned level, unsigned count,
                                                std::uint64_t prefix) noexcept {
        return {count | level << 8 | prefix << 32};
    }
    [[nodiscard]] constexpr unsigned count() const noexcept { return word & 0xFF; }
    [[nodiscard]] constexpr unsigned level() const noexcept { return word >> 8 & 0xFF; }
    [[nodiscard]] constexpr std::uint32_t prefix() const noexcept {
        return static_cast<std::uint32_t>(word >> 32);
    }
    [[nodiscard]] constexpr node_meta with_count(unsigned count) const noexcept {
        return {(word & ~std::uint64_t{0xFF}) | count};
    }
    [[nodiscard]] constexpr node_meta with_prefix(std::uint64_t prefix) const noexcept {
        return {(word & 0xFFFFFFFF) | prefix << 32};
    }
    /// After something new at `position` of now `count()`, where `first` is the foremost place.
    [[nodiscard]] constexpr node_meta with_arrival(unsigned position,
                                                   unsigned first = 0) const noexcept {
        return {(word & ~came) | (position + 1 == count() ? ended : 0) |
                (position == first ? began : 0)};
    }
};

/// Which node: 31 bits for the first of its granules, and whether it is a compact one.
using node_id = std::uint32_t;
inline constexpr node_id no_node = 0xFFFFFFFF;

inline constexpr unsigned granule_words = 32;
inline constexpr unsigned large_granules = 4;
inline constexpr unsigned small_granules = 3;
inline constexpr unsigned node_header_words = 4;
inline constexpr unsigned large_entries = 62;
inline constexpr unsigned small_entries = 46;
inline constexpr std::size_t inline_prefix = 16;
static_assert(node_header_words + 2 * large_entries == large_granules * granule_words &&
                  node_header_words + 2 * small_entries == small_granules * granule_words,
              "a node fills its granules");

[[nodiscard]] constexpr bool is_small(node_id id) noexcept {
    return (id & 1) != 0;
}
[[nodiscard]] constexpr unsigned granules_of(bool compact) noexcept {
    return compact ? small_granules : large_granules;
}

[[nodiscard]] constexpr ref ref_of(std::uint64_t entry) noexcept {
    return entry & ref_mask;
}
[[nodiscard]] constexpr std::uint64_t tag_of(std::uint64_t entry) noexcept {
    return entry >> ref_bits;
}
[[nodiscard]] constexpr node_id child_of(std::uint64_t entry) noexcept {
    return static_cast<node_id>(entry);
}
[[nodiscard]] constexpr std::uint32_t chain_of(std::uint64_t entry) noexcept {
    return static_cast<std::uint32_t>(entry >> 32);
}
[[nodiscard]] constexpr std::uint64_t inner_entry(std::uint32_t chain, node_id child) noexcept {
    return std::uint64_t{chain} << 32 | child;
}

/// A node in its place. Cheap to copy.
template <threading_policy Threading>
class sorted_node {
public:
    using word = typename Threading::template atomic<std::uint64_t>;
    static_assert(sizeof(word) == 8, "images of the index are made of 64-bit words");

    sorted_node() noexcept = default;
    sorted_node(word* words, bool compact) noexcept
        : words_(words), capacity_(compact ? small_entries : large_entries) {}

    [[nodiscard]] unsigned capacity() const noexcept { return capacity_; }
    [[nodiscard]] word* words() const noexcept { return words_; }

    /// A version at which no change is under way.
    [[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t begin() const noexcept {
        if constexpr (!Threading::concurrent) {
            return 0;
        } else {
            for (unsigned looks = 1;; ++looks) {
                const std::uint64_t version = words_[0].load(std::memory_order_acquire);
                if ((version & 1) == 0) return version;
                if (looks % 64 == 0) Threading::yield();
            }
        }
    }
    /// The same without waiting for one. False: a change is under way.
    [[nodiscard]] COFFER_ALWAYS_INLINE bool begin_at_once(std::uint64_t& version) const noexcept {
        if constexpr (Threading::concurrent) version = words_[0].load(std::memory_order_acquire);
        return (version & 1) == 0;
    }
    /// Was everything that has been loaded since begin() of one moment?
    [[nodiscard]] COFFER_ALWAYS_INLINE bool valid(std::uint64_t version) const noexcept {
        if constexpr (!Threading::concurrent) {
            return true;
        } else {
            return words_[0].load(std::memory_order_relaxed) == version;
        }
    }
    /// Hints that the node will be searched, and an entry of it read.
    COFFER_ALWAYS_INLINE void prefetch() const noexcept {
        constexpr unsigned line = 8;  // words
        constexpr unsigned least = node_header_words + 2 * small_entries;
        for (unsigned at = 0; at < least; at += line) COFFER_PREFETCH(words_ + at);
        const unsigned end = node_header_words + 2 * capacity_;
        for (unsigned at = (least + line - 1) / line * line; at < end; at += line)
            COFFER_PREFETCH(words_ + at);
    }

    [[nodiscard]] COFFER_ALWAYS_INLINE node_meta meta() const noexcept { return {load(1)}; }
    /// Never more than the node can hold, also in the middle of a change.
    [[nodiscard]] COFFER_ALWAYS_INLINE unsigned count(node_meta meta) const noexcept {
        return meta.count() < capacity_ ? meta.count() : capacity_;
    }
    [[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t prefix_word(unsigned at) const noexcept {
        return load(2 + at);
    }
    [[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t head(unsigned at) const noexcept {
        return load(node_header_words + at);
    }
    [[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t entry(unsigned at) const noexcept {
        return load(node_header_words + capacity_ + at);
    }
    [[nodiscard]] COFFER_ALWAYS_INLINE key_image image(unsigned at) const noexcept {
        return {head(at), tag_of(entry(at))};
    }

    /// The first entry of [first, last) whose head is not below `head`, else last. What is more
    /// than a power of two is left out first; the rest is halved in steps that are constants.
    [[nodiscard]] COFFER_ALWAYS_INLINE unsigned lower(std::uint64_t head, unsigned first,
                                                      unsigned last) const noexcept {
        static_assert(large_entries < 64);
        if (first >= last) return last;
        const word* const heads = words_ + node_header_words;
        const word* base = heads + first;
        const unsigned whole = std::bit_floor(last - first);
        const unsigned rest = last - first - whole;
        if (rest != 0) base = behind(base, rest, head);
        if (whole >= 32) base = behind(base, 16, head);
        if (whole >= 16) base = behind(base, 8, head);
        if (whole >= 8) base = behind(base, 4, head);
        if (whole >= 4) base = behind(base, 2, head);
        if (whole >= 2) base = behind(base, 1, head);
        base = behind(base, 1, head);
        return static_cast<unsigned>(base - heads);
    }
    /// The first entry of [first, last) whose head is above `head`, else last.
    [[nodiscard]] COFFER_ALWAYS_INLINE unsigned upper(std::uint64_t head, unsigned first,
                                                      unsigned last) const noexcept {
        return head == ~std::uint64_t{0} ? last : lower(head + 1, first, last);
    }

    void lock() const noexcept {
        if constexpr (Threading::concurrent) {
            words_[0].store(words_[0].load(std::memory_order_relaxed) | 1,
                            std::memory_order_relaxed);
        }
    }
    void unlock() const noexcept {
        if constexpr (Threading::concurrent) {
            words_[0].store((words_[0].load(std::memory_order_relaxed) | 1) + 1,
                            std::memory_order_release);
        }
    }
    void set_meta(node_meta meta) const noexcept { store(1, meta.word); }
    void set_prefix_word(unsigned at, std::uint64_t value) const noexcept { store(2 + at, value); }
    COFFER_ALWAYS_INLINE void set_head(unsigned at, std::uint64_t head) const noexcept {
        store(node_header_words + at, head);
    }
    COFFER_ALWAYS_INLINE void set_entry(unsigned at, std::uint64_t entry) const noexcept {
        store(node_header_words + capacity_ + at, entry);
    }
    COFFER_ALWAYS_INLINE void set(unsigned at, std::uint64_t head,
                                  std::uint64_t entry) const noexcept {
        set_head(at, head);
        set_entry(at, entry);
    }
    /// Makes room at `at` among `count` entries, or takes away the one there.
    void open_gap(unsigned at, unsigned count) const noexcept {
        for (unsigned i = count; i > at; --i) set(i, head(i - 1), entry(i - 1));
    }
    void close_gap(unsigned at, unsigned count) const noexcept {
        for (unsigned i = at + 1; i < count; ++i) set(i - 1, head(i), entry(i));
    }

private:
    /// Behind the `size` heads from `base` on, if the last of them is below `head`.
    [[nodiscard]] static COFFER_ALWAYS_INLINE const word* behind(const word* base, unsigned size,
                                                                 std::uint64_t head) noexcept {
        return base[size - 1].load(std::memory_order_acquire) < head ? base + size : base;
    }
    [[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t load(unsigned at) const noexcept {
        return words_[at].load(std::memory_order_acquire);
    }
    COFFER_ALWAYS_INLINE void store(unsigned at, std::uint64_t value) const noexcept {
        words_[at].store(value, std::memory_order_release);
    }

    word* words_ = nullptr;
    unsigned capacity_ = 0;
};

}  // namespace coffer::detail

#endif
