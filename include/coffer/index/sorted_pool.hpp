// coffer/index/sorted_pool.hpp: where the B+tree of `sorted` lives: nodes, key bytes, their counts.
//
// Three regions of the memory M, none of which holds an address, so that they may be mapped at
// another place in a later run:
//
//     region 0  one sorted_state: the root, how much is in use, heads of the free lists
//     region 1  granules of 256 bytes; a node is 4 of them in a row (large) or 3 (compact)
//     region 2  chunks of 32 bytes; key bytes lie in chains of chunks
//
// A chain holds the bytes of a separator, or of a leaf's prefix when it is too long for the node:
//
//     word 0     of a chunk: next chunk (32 bits, 0 at the end), size of the whole chain (32 bits)
//     word 1..3  24 key bytes, big-endian, zeros behind the last
//
// I1  A chain is referred to by one entry of one node, and changes only while that node is locked
//     or before it can be reached. So a reader that has followed a chain and then finds the node's
//     version as before has read the chain that the node had.
// I2  What is given back may be used again at once: memory keeps its shape (a granule is always the
//     same part of the same kind of node), so a reader that is late reads words of a wrong content,
//     never of a wrong kind, and the version tells it.
// I3  state.changing is not 0 while the words are between two consistent contents.
//
// Threads: one writer; readers beside it; prepare() beside both, one at a time.
#ifndef COFFER_INDEX_SORTED_POOL_HPP
#define COFFER_INDEX_SORTED_POOL_HPP

#include <coffer/config/assert.hpp>
#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/growing.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/index/sorted_node.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace coffer::detail {

template <threading_policy Threading>
struct sorted_granule {
    typename Threading::template atomic<std::uint64_t> words[granule_words];
};

inline constexpr unsigned chunk_words = 4;
inline constexpr std::size_t chunk_bytes = 24;
inline constexpr std::size_t longest_key = std::size_t{1} << 16;

template <threading_policy Threading>
struct sorted_chunk {
    typename Threading::template atomic<std::uint64_t> words[chunk_words];
};

[[nodiscard]] constexpr std::uint64_t chunks_of(std::uint64_t size) noexcept {
    return size == 0 ? 1 : (size + chunk_bytes - 1) / chunk_bytes;
}

/// Shared objects that hide their symbols have a count of their own each: so where it lies counts,
/// too.
[[nodiscard]] inline std::uint64_t next_serial() noexcept {
    static threading::multi::atomic<std::uint64_t> last{0};
    const std::uint64_t count = last.fetch_add(1, std::memory_order_relaxed) + 1;
    return mix(count, static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&last))) | 1;
}

/// Everything about a table that is not in its nodes and chains.
template <threading_policy Threading>
struct alignas(64) sorted_state {
    using word = typename Threading::template atomic<std::uint64_t>;
    word layout;      // what wrote this; stored last
    word changing;    // I3
    word root;        // node_id
    word height;      // levels, leaves included
    word inner;       // how many inner nodes there are
    word granules;    // used so distant, free ones included
    word chunks;      // used so distant, free ones and the reserved first included
    word longest;     // size of the longest key that was ever put
    word free_small;  // first of the free compact nodes, or no_node
    word free_large;  // ... large nodes
    word free_chunk;  // ... chunks, or 0
    word spare[5];
};
static_assert(sizeof(sorted_state<threading::multi>) == 128, "two cache lines");

template <threading_policy Threading, class Memory, std::size_t KeySize>
class sorted_pool {
    static constexpr unsigned granule_bits = 8;
    static constexpr unsigned chunk_bits = 10;
    static constexpr std::uint64_t most_granules = std::uint64_t{1} << 31;
    static constexpr std::uint64_t most_chunks = std::uint64_t{1} << 32;
    enum regions : unsigned { states, granules, chunks };

public:
    using threading = Threading;
    using node = sorted_node<Threading>;
    using chunk = sorted_chunk<Threading>;
    using granule = sorted_granule<Threading>;
    using state = sorted_state<Threading>;

    /// Keys of one size that fit in a head: no prefixes, no tags, no chains, no ties.
    static constexpr bool exact = KeySize != 0;
    /// "coffer", the size of the keys, the version of this layout.
    static constexpr std::uint64_t layout = 0x636F666665720000 | KeySize << 8 | 1;

    /// The last leaf, when the last key to be located lies behind all others; else no_node. For the
    /// writer alone: keys that come in order find their place without a descent.
    node_id edge = no_node;
    /// No other pool of the process has it, had it or will have it.
    const std::uint64_t serial = next_serial();

    explicit sorted_pool(Memory memory) : memory_(std::move(memory)) {}
    sorted_pool(const sorted_pool&) = delete;
    sorted_pool& operator=(const sorted_pool&) = delete;

    [[nodiscard]] state& now() const noexcept { return *state_; }
    [[nodiscard]] Memory& source() noexcept { return memory_; }

    /// An empty root.
    [[nodiscard]] result<void> start() {
        if (auto had = reset(0, 1); !had) return had;
        const node_id root = take(true);
        at(root).set_meta(node_meta::of(0, 0, 0));
        at(root).unlock();
        publish(root, 1, 0, 0);
        return {};
    }

    /// Makes the state that of `used` granules and chunks that begin nowhere, with room for them.
    [[nodiscard]] result<void> reset(std::uint64_t used_granules, std::uint64_t used_chunks) {
        if (auto had = have_state(); !had) return had;
        if (auto had = reach(used_granules, used_chunks); !had) return had;
        edge = no_node;
        state& s = *state_;
        s.layout.store(0, std::memory_order_release);
        s.changing.store(0, std::memory_order_release);
        s.granules.store(used_granules, std::memory_order_release);
        s.chunks.store(used_chunks, std::memory_order_release);
        s.free_small.store(no_node, std::memory_order_release);
        s.free_large.store(no_node, std::memory_order_release);
        s.free_chunk.store(0, std::memory_order_release);
        return {};
    }
    void publish(node_id root, std::uint64_t height, std::uint64_t inner,
                 std::uint64_t longest) noexcept {
        state& s = *state_;
        s.height.store(height, std::memory_order_release);
        s.inner.store(inner, std::memory_order_release);
        s.longest.store(longest, std::memory_order_release);
        s.root.store(root, std::memory_order_release);
        s.layout.store(layout, std::memory_order_release);
    }

    /// Goes on with the contents of a memory that has come back from an earlier run, as far as its
    /// state can be one.
    [[nodiscard]] result<void> adopt() {
        if (auto had = have_state(); !had) return had;
        const state& s = *state_;
        const auto used = s.granules.load(std::memory_order_relaxed);
        const auto held = s.chunks.load(std::memory_order_relaxed);
        if (s.layout.load(std::memory_order_acquire) != layout ||
            s.changing.load(std::memory_order_acquire) != 0 || used == 0 || used > most_granules ||
            held == 0 || held > most_chunks ||
            s.longest.load(std::memory_order_relaxed) > longest_key) {
            return unsound();
        }
        return reach(used, held);
    }
    [[nodiscard]] static failure unsound() {
        return fail(errc::corruption, "the index in memory is not whole: rebuild it");
    }

    /// Hands the used part of each piece of memory to `sink(region, number, bytes)`.
    template <class Sink>
    [[nodiscard]] result<void> save(Sink&& sink) const {
        const auto used = state_->granules.load(std::memory_order_relaxed);
        if (auto done = granules_.save(granules, used, sink); !done) return done;
        if constexpr (!exact) {
            const auto held = state_->chunks.load(std::memory_order_relaxed);
            if (auto done = chunks_.save(chunks, held, sink); !done) return done;
        }
        return sink(unsigned{states}, 0U,
                    bytes(reinterpret_cast<const std::byte*>(state_), sizeof(state)));
    }

    /// Do the next `n` puts, of keys of `key_bytes` together, find what they may need?
    [[nodiscard]] bool ready(std::uint64_t n, std::uint64_t key_bytes) noexcept {
        promised_ = {n, key_bytes};
        return n == 0 || (has_granules(n) && has_chunks(promised_));
    }
    [[nodiscard]] result<void> prepare(std::uint64_t n, std::uint64_t key_bytes) {
        if (n == 0) return {};
        while (!has_granules(n)) {
            if (auto grown = grow_granules(); !grown) return grown;
        }
        while (!has_chunks({n, key_bytes})) {
            if (auto grown = grow_chunks(); !grown) return grown;
        }
        return {};
    }
    /// May a chain of `size` bytes be made although no put pays for it?
    [[nodiscard]] bool can_spare(std::size_t size) const noexcept {
        return chunks_.capacity() - state_->chunks.load(std::memory_order_relaxed) >=
               chunks_needed(promised_) + chunks_of(size);
    }
    [[nodiscard]] std::size_t memory() const noexcept {
        return sizeof(state) +
               static_cast<std::size_t>(state_->granules.load(std::memory_order_relaxed)) *
                   sizeof(granule) +
               (exact ? 0
                      : static_cast<std::size_t>(state_->chunks.load(std::memory_order_relaxed)) *
                            sizeof(chunk));
    }

    // Nodes.

    [[nodiscard]] COFFER_ALWAYS_INLINE node at(node_id id) const noexcept {
        return {granules_[id >> 1].words, is_small(id)};
    }
    /// Where a node of `size` granules goes when those before `used` are taken: never across the
    /// end of a piece.
    [[nodiscard]] static std::uint64_t place_of(std::uint64_t used, unsigned size) noexcept {
        const auto first = std::bit_width(used >> granule_bits);
        if (first == std::bit_width((used + size - 1) >> granule_bits)) return used;
        return std::uint64_t{1} << (granule_bits + static_cast<unsigned>(first));
    }
    /// A locked node of no content.
    [[nodiscard]] node_id take(bool compact) noexcept {
        auto& free = compact ? state_->free_small : state_->free_large;
        auto id = static_cast<node_id>(free.load(std::memory_order_relaxed));
        if (id != no_node) {
            free.store(at(id).prefix_word(0), std::memory_order_release);
        } else {
            const std::uint64_t first =
                place_of(state_->granules.load(std::memory_order_relaxed), granules_of(compact));
            const std::uint64_t used = first + granules_of(compact);
            COFFER_ASSERT(used <= granules_.capacity(), "put of a table that was not ready");
            state_->granules.store(used, std::memory_order_release);
            id = static_cast<node_id>(first << 1 | (compact ? 1 : 0));
        }
        const node taken = at(id);
        taken.lock();
        taken.set_meta({});
        return id;
    }
    /// Takes back a locked node that nothing leads to any more.
    void give(node_id id) noexcept {
        auto& free = is_small(id) ? state_->free_small : state_->free_large;
        at(id).set_meta({});
        at(id).set_prefix_word(0, free.load(std::memory_order_relaxed));
        free.store(id, std::memory_order_release);
    }

    // Chains.

    [[nodiscard]] chunk& chunk_at(std::uint32_t number) const noexcept { return chunks_[number]; }
    /// Safe for any number, also one that was loaded in the middle of a change.
    [[nodiscard]] std::uint64_t chain_word(std::uint32_t number, unsigned at) const noexcept {
        if (number >= chunks_.capacity()) return 0;
        return chunks_[number].words[at].load(std::memory_order_acquire);
    }
    void prefetch_chain(std::uint32_t chain) const noexcept {
        if (chain < chunks_.capacity()) COFFER_PREFETCH(&chunks_[chain]);
        COFFER_PREFETCHED();
    }
    [[nodiscard]] std::size_t chain_size(std::uint32_t chain) const noexcept {
        return static_cast<std::size_t>(chain_word(chain, 0) >> 32);
    }
    /// 0: there is none, which a table that was ready never meets unless its image lied.
    [[nodiscard]] std::uint32_t take_chunk() noexcept {
        const std::uint64_t free = state_->free_chunk.load(std::memory_order_relaxed);
        if (free != 0) {
            state_->free_chunk.store(chain_word(static_cast<std::uint32_t>(free), 0) & 0xFFFFFFFF,
                                     std::memory_order_release);
            return static_cast<std::uint32_t>(free);
        }
        const std::uint64_t number = state_->chunks.load(std::memory_order_relaxed);
        if (number >= chunks_.capacity()) return 0;
        state_->chunks.store(number + 1, std::memory_order_release);
        return static_cast<std::uint32_t>(number);
    }
    void give_chain(std::uint32_t chain) noexcept {
        while (chain != 0) {
            const auto next = static_cast<std::uint32_t>(chain_word(chain, 0));
            chunks_[chain].words[0].store(state_->free_chunk.load(std::memory_order_relaxed),
                                          std::memory_order_release);
            state_->free_chunk.store(chain, std::memory_order_release);
            chain = next;
        }
    }

    // Room.

    /// Has room for the first `used` granules and `held` chunks.
    [[nodiscard]] result<void> reach(std::uint64_t used, std::uint64_t held) {
        while (granules_.capacity() == 0 || granules_.capacity() < used) {
            if (auto grown = grow_granules(); !grown) return grown;
        }
        while (!exact && (chunks_.capacity() == 0 || chunks_.capacity() < held)) {
            if (auto grown = grow_chunks(); !grown) return grown;
        }
        return {};
    }

private:
    [[nodiscard]] result<void> have_state() {
        if (state_ != nullptr) return {};
        auto place = memory_.allocate(states, 0, sizeof(state));
        if (!place) return place.failure();
        state_ = reinterpret_cast<state*>(*place);
        return {};
    }
    [[nodiscard]] result<void> grow_granules() {
        if (granules_.capacity() >= most_granules) {
            return fail(errc::no_space, "the index has reached its largest size");
        }
        return granules_.grow(memory_, granules);
    }
    [[nodiscard]] result<void> grow_chunks() {
        if (chunks_.capacity() >= most_chunks) {
            return fail(errc::no_space, "the index has reached its largest size");
        }
        return chunks_.grow(memory_, chunks);
    }

    /// A put moves a leaf into a large node or splits it, may split every inner node on its way,
    /// and may add a root. An inner node can be split twice before it holds half as many children
    /// as it has room for; so more splits than thrice as many as there are inner nodes take many
    /// puts.
    [[nodiscard]] bool has_granules(std::uint64_t n) const noexcept {
        if (n >= most_granules) return false;
        const std::uint64_t height = state_->height.load(std::memory_order_relaxed);
        const std::uint64_t nodes = state_->inner.load(std::memory_order_relaxed);
        const std::uint64_t split = (std::min)(n * height, 3 * nodes + n / 8 + height) + 1;
        const std::uint64_t used = state_->granules.load(std::memory_order_relaxed);
        const std::uint64_t room = granules_.capacity();
        const auto borders = static_cast<std::uint64_t>(std::bit_width(room >> granule_bits) -
                                                        std::bit_width(used >> granule_bits));
        return room >= used + large_granules * (n + split + borders);
    }
    struct puts {
        std::uint64_t count = 0;
        std::uint64_t key_bytes = 0;
    };
    [[nodiscard]] bool has_chunks(const puts& next) const noexcept {
        if constexpr (exact) {
            return true;
        } else {
            if (next.count >= most_chunks) return false;
            return chunks_.capacity() >=
                   state_->chunks.load(std::memory_order_relaxed) + chunks_needed(next);
        }
    }
    /// A put makes a separator, a prefix, and a prefix when locate() met ties. Each begins as the
    /// key does, and has at most an image more.
    [[nodiscard]] static std::uint64_t chunks_needed(const puts& next) noexcept {
        return 3 * (next.count + (next.key_bytes + 16 * next.count) / chunk_bytes);
    }

    Memory memory_;
    state* state_ = nullptr;
    puts promised_;  // that ready() was last asked for
    growing<granule, Threading, granule_bits> granules_;
    growing<chunk, Threading, chunk_bits> chunks_;
};

}  // namespace coffer::detail

#endif
