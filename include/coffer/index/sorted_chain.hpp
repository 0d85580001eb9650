// coffer/index/sorted_chain.hpp: key bytes in chains of chunks: made, read, compared.
//
// Where a key is compared with fewer bytes than it has or has not, both are thought of as followed
// by zeros (sorted_node.hpp, I1); compare_chain() is the one comparison that minds the sizes.
//
// Threads: what is const here may read in the middle of a change: it ends in bounded time with an
// answer that the version of the node then voids.
#ifndef COFFER_INDEX_SORTED_CHAIN_HPP
#define COFFER_INDEX_SORTED_CHAIN_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/index/sorted_node.hpp>
#include <coffer/index/sorted_pool.hpp>

#include <algorithm>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coffer::detail {

/// Reads a chain word by word.
template <class Pool>
class chain_reader {
public:
    chain_reader(const Pool& pool, std::uint32_t chain) noexcept : pool_(pool), chunk_(chain) {}

    /// The next 8 bytes, as a big-endian number.
    [[nodiscard]] std::uint64_t next() noexcept {
        if (++at_ == chunk_words) {
            chunk_ = static_cast<std::uint32_t>(pool_.chain_word(chunk_, 0));
            at_ = 1;
        }
        return chunk_ == 0 ? 0 : pool_.chain_word(chunk_, at_);
    }

private:
    const Pool& pool_;
    std::uint32_t chunk_;
    unsigned at_ = 0;
};

/// Makes a chain byte by byte. When the pool has no chunk left, what is behind is lost.
template <class Pool>
class chain_maker {
public:
    explicit chain_maker(Pool& pool) noexcept : pool_(pool) {}

    void add(std::byte byte) noexcept {
        word_ |= static_cast<std::uint64_t>(byte) << (56 - 8 * (size_ % 8));
        if (++size_ % 8 == 0) store();
    }
    void add(bytes run) noexcept {
        for (const std::byte each : run) add(each);
    }
    [[nodiscard]] std::uint32_t finish() noexcept {
        if (size_ % 8 != 0 || size_ == 0) store();
        if (first_ == 0) return 0;
        while (at_ != chunk_words) set(at_++, 0);
        const std::uint64_t next = pool_.chain_word(first_, 0) & 0xFFFFFFFF;
        const std::uint64_t size = (std::min)(size_, stored_);
        pool_.chunk_at(first_).words[0].store(next | size << 32, std::memory_order_release);
        return first_;
    }

private:
    void store() noexcept {
        if (at_ == chunk_words) {
            const std::uint32_t added = full_ ? 0 : pool_.take_chunk();
            full_ = added == 0;
            if (full_) return;
            if (first_ == 0) {
                first_ = added;
            } else {
                set(0, added);
            }
            chunk_ = added;
            set(0, 0);
            at_ = 1;
        }
        set(at_++, word_);
        stored_ += 8;
        word_ = 0;
    }
    void set(unsigned at, std::uint64_t word) noexcept {
        pool_.chunk_at(chunk_).words[at].store(word, std::memory_order_release);
    }

    Pool& pool_;
    std::uint32_t first_ = 0;
    std::uint32_t chunk_ = 0;
    unsigned at_ = chunk_words;
    bool full_ = false;
    std::uint64_t size_ = 0;
    std::uint64_t stored_ = 0;
    std::uint64_t word_ = 0;
};

/// How a key stands to some bytes: how many of the first ones are equal, and what the next decide.
struct key_standing {
    std::size_t shared;
    std::strong_ordering order;  // of the key; equal when all bytes in question are
};

template <class Pool>
[[nodiscard]] key_standing stand(const Pool& pool, std::uint32_t chain, bytes key,
                                 std::size_t size) noexcept {
    chain_reader<Pool> words(pool, chain);
    for (std::size_t at = 0; at < size; at += 8) {
        const std::uint64_t word = words.next(), own = head_at(key, at);
        if (const std::uint64_t other = (word ^ own) & first_bytes(size - at); other != 0) {
            return {at + static_cast<unsigned>(std::countl_zero(other)) / 8, own <=> word};
        }
    }
    return {size, std::strong_ordering::equal};
}

/// Of the key to the chain, by bytes and then by size.
template <class Pool>
[[nodiscard]] std::strong_ordering compare_to_chain(const Pool& pool, bytes key,
                                                    std::uint32_t chain) noexcept {
    const std::size_t size = pool.chain_size(chain);
    const auto order = stand(pool, chain, key, (std::min)(size, key.size())).order;
    return order != 0 ? order : key.size() <=> size;
}

template <class Pool>
[[nodiscard]] std::uint64_t chain_head(const Pool& pool, std::uint32_t chain,
                                       std::size_t from) noexcept {
    chain_reader<Pool> words(pool, chain);
    std::uint64_t word = words.next();
    for (std::size_t at = 8; at <= from; at += 8) word = words.next();
    const auto shift = static_cast<unsigned>(8 * (from % 8));
    return shift == 0 ? word : word << shift | words.next() >> (64 - shift);
}

/// How many first bytes two chains have in common.
template <class Pool>
[[nodiscard]] std::size_t shared_by_chains(const Pool& pool, std::uint32_t a,
                                           std::uint32_t b) noexcept {
    const std::size_t size = (std::min)(pool.chain_size(a), pool.chain_size(b));
    chain_reader<Pool> left(pool, a), right(pool, b);
    for (std::size_t at = 0; at < size; at += 8) {
        const std::uint64_t other = (left.next() ^ right.next()) & first_bytes(size - at);
        if (other != 0) return at + static_cast<unsigned>(std::countl_zero(other)) / 8;
    }
    return size;
}

/// The chain that holds a prefix too long for the node itself: a leaf's own, an inner node's first
/// separator.
template <class Node>
[[nodiscard]] std::uint32_t prefix_chain(Node node, node_meta meta) noexcept {
    return meta.level() == 0 ? static_cast<std::uint32_t>(node.prefix_word(0))
                             : chain_of(node.entry(1));
}

/// Does a key begin with the prefix of a node, if that is in the node itself?
template <class Node>
[[nodiscard]] COFFER_ALWAYS_INLINE bool has_prefix(Node node, std::size_t size,
                                                   bytes key) noexcept {
    if (size == 0) return true;
    const std::uint64_t first = node.prefix_word(0) ^ head_at(key, 0);
    if (size <= 8) return first >> (8 * (8 - size)) == 0;
    const std::uint64_t second = node.prefix_word(1) ^ head_at(key, 8);
    return first == 0 && second >> (8 * (16 - size)) == 0;
}

template <class Pool>
[[nodiscard]] COFFER_NOINLINE key_standing stand_to_prefix(const Pool& pool,
                                                           typename Pool::node node, node_meta meta,
                                                           bytes key) noexcept {
    const std::size_t size = meta.prefix();
    if (size > inline_prefix) return stand(pool, prefix_chain(node, meta), key, size);
    for (std::size_t at = 0; at < size; at += 8) {
        const std::uint64_t word = node.prefix_word(static_cast<unsigned>(at / 8));
        const std::uint64_t own = head_at(key, at) & first_bytes(size - at);
        if (own != word) {
            return {at + static_cast<unsigned>(std::countl_zero(own ^ word)) / 8, own <=> word};
        }
    }
    return {size, std::strong_ordering::equal};
}

/// How a key stands to the prefix of a node. Nearly all keys have it.
template <class Pool>
[[nodiscard]] COFFER_ALWAYS_INLINE key_standing stand(const Pool& pool, typename Pool::node node,
                                                      node_meta meta, bytes key) noexcept {
    const std::size_t size = meta.prefix();
    if (size <= inline_prefix && has_prefix(node, size, key)) [[likely]] {
        return {size, std::strong_ordering::equal};
    }
    return stand_to_prefix(pool, node, meta, key);
}

/// Hands bytes [from, to) of the prefix of a node to `each(byte)`. For the writer.
template <class Pool, class Each>
void for_prefix(const Pool& pool, typename Pool::node node, node_meta meta, std::size_t from,
                std::size_t to, Each&& each) {
    const bool within = meta.prefix() <= inline_prefix;
    chain_reader<Pool> words(pool, within ? 0 : prefix_chain(node, meta));
    std::uint64_t word = 0;
    for (std::size_t at = 0; at < to; ++at) {
        if (at % 8 == 0) {
            word = within ? node.prefix_word(static_cast<unsigned>(at / 8)) : words.next();
        }
        if (at >= from) each(static_cast<std::byte>(word >> (56 - 8 * (at % 8))));
    }
}

}  // namespace coffer::detail

#endif
