// coffer/index/sorted_inner.hpp: changes of the B+tree of `sorted` above its leaves.
//
// A change is one object: it locks every node that it touches, the new ones included, and unlocks
// them when it ends; so readers see all of it or come again.
//
//     a leaf was split    its parent gets the new child; if it is full it is split in turn, and in
//                         the end the root under a new one
//     a leaf is empty     it leaves the tree, and inner nodes without children with it; its range
//                         goes to the leaf behind it, so the last leaf of the tree stays
//     root of one child   gives way to the child
//
// A full node is split in the middle; behind its last child when children come in ascending order,
// before the first when in descending order.
#ifndef COFFER_INDEX_SORTED_INNER_HPP
#define COFFER_INDEX_SORTED_INNER_HPP

#include <coffer/config/assert.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/index/concept.hpp>
#include <coffer/index/sorted_chain.hpp>
#include <coffer/index/sorted_node.hpp>
#include <coffer/index/sorted_pool.hpp>

#include <cstddef>
#include <cstdint>

namespace coffer::detail {

/// No tree is higher: each level has at least 30 times the keys that the one below it took.
inline constexpr unsigned most_height = 16;
/// Images of trees may be this high; what they grow by afterwards is paid for in keys.
inline constexpr unsigned most_tree_height = 12;

/// Where a key is in the tree, or would be put.
struct sorted_place {
    detail::ref ref = 0;  // 0: the key is absent
    bytes key = {};       // the caller's
    node_id leaf = no_node;
    unsigned position = 0;
    std::uint32_t shared = 0;   // first bytes of the leaf's prefix that the key has
    std::uint32_t left = 0;     // bytes in common with the key before it, if images are equal
    std::uint32_t right = 0;    // bytes in common with the key behind it, if images are equal
    std::byte right_byte = {};  // the byte of that key behind these
    bool edge = false;          // behind all keys of the tree: the way there was not looked for
    unsigned depth = 0;         // inner nodes on the way
    struct step {
        node_id node;
        unsigned entry;
    } way[most_height];
};

/// What divides two children: exact keys by head, others by chain.
struct separator {
    std::uint64_t head = 0;
    std::uint32_t chain = 0;
};

template <class Pool>
class sorted_inner {
public:
    sorted_inner(const sorted_inner&) = delete;
    sorted_inner& operator=(const sorted_inner&) = delete;

protected:
    using node = typename Pool::node;
    static constexpr bool exact = Pool::exact;

    explicit sorted_inner(Pool& pool) noexcept : pool_(pool) {
        pool_.now().changing.store(1, std::memory_order_release);
        keep_order();
    }
    ~sorted_inner() {
        while (locked_ != 0) node(nodes_[--locked_], false).unlock();
        keep_order();
        pool_.now().changing.store(0, std::memory_order_release);
    }

    node lock(node which) noexcept {
        which.lock();
        COFFER_ASSERT(locked_ < sizeof nodes_ / sizeof nodes_[0], "a change of too many nodes");
        nodes_[locked_++] = which.words();
        return which;
    }
    node_id take(bool compact) noexcept {
        const node_id id = pool_.take(compact);
        lock(pool_.at(id));
        return id;
    }

    /// On the level above `depth`: `left` takes the place of the child there, `right` comes behind
    /// it with `between`. Goes up as long as nodes are full.
    void add_child(const sorted_place& at, unsigned depth, separator between, node_id left,
                   node_id right) noexcept {
        while (depth != 0) {
            const sorted_place::step& step = at.way[--depth];
            const node inner = lock(pool_.at(step.node));
            const node_meta meta = inner.meta();
            inner.set_entry(step.entry, inner_entry(chain_of(inner.entry(step.entry)), left));
            if (meta.count() < large_entries) {
                return add_entry(inner, step.entry + 1, between, right);
            }
            const node_id id = take(false);
            between = split_inner(inner, pool_.at(id), step.entry + 1, between, right);
            left = step.node;
            right = id;
            count_inner(1);
        }
        add_root(between, left, right);
    }
    /// `id` takes the place of the leaf that the way leads to.
    void replace_leaf(const sorted_place& at, node_id id) noexcept {
        if (at.depth == 0) {
            pool_.now().root.store(id, std::memory_order_release);
        } else {
            const node parent = lock(pool_.at(at.way[at.depth - 1].node));
            const unsigned entry = at.way[at.depth - 1].entry;
            parent.set_entry(entry, inner_entry(chain_of(parent.entry(entry)), id));
        }
        pool_.give(at.leaf);
    }
    /// Takes an empty leaf, not the last one, out of the tree.
    void unlink(const sorted_place& at) noexcept {
        pool_.give(at.leaf);
        unsigned depth = at.depth - 1;
        while (pool_.at(at.way[depth].node).meta().count() == 1) {
            lock(pool_.at(at.way[depth].node));
            pool_.give(at.way[depth].node);
            count_inner(-1);
            --depth;
        }
        const node inner = lock(pool_.at(at.way[depth].node));
        const node_meta meta = inner.meta();
        const unsigned entry = at.way[depth].entry, last = meta.count() - 1;
        if (entry < last) {
            const std::uint64_t next = inner.entry(entry + 1);
            drop_chain(next);
            inner.set_entry(entry, inner_entry(chain_of(inner.entry(entry)), child_of(next)));
            inner.close_gap(entry + 1, meta.count());
        } else {
            unsigned above = depth - 1;
            while (at.way[above].entry + 1 == pool_.at(at.way[above].node).meta().count()) --above;
            replace(lock(pool_.at(at.way[above].node)), at.way[above].entry + 1,
                    {inner.head(entry), chain_of(inner.entry(entry))});
        }
        settle(inner, meta.with_count(last), true);
        collapse();
    }
    Pool& pool_;

private:
    void add_root(separator between, node_id left, node_id right) noexcept {
        typename Pool::state& now = pool_.now();
        const node_id id = take(false);
        const node root = pool_.at(id);
        const auto height = static_cast<unsigned>(now.height.load(std::memory_order_relaxed));
        root.set(0, 0, inner_entry(0, left));
        root.set(1, head_of(between, 0), inner_entry(between.chain, right));
        root.set_meta(node_meta::of(height, 2, 0));
        now.height.store(height + 1, std::memory_order_release);
        now.root.store(id, std::memory_order_release);
        count_inner(1);
    }
    void count_inner(int change) noexcept {
        auto& inner = pool_.now().inner;
        inner.store(inner.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(change),
                    std::memory_order_release);
    }

    [[nodiscard]] std::uint64_t head_of(separator between, std::size_t prefix) const noexcept {
        if constexpr (exact) {
            return between.head;
        } else {
            return chain_head(pool_, between.chain, prefix);
        }
    }
    /// Does a separator begin with the prefix of an inner node?
    [[nodiscard]] bool fits(node inner, node_meta meta, separator between) const noexcept {
        if constexpr (exact) {
            return true;
        } else {
            const std::size_t size = meta.prefix();
            if (size > inline_prefix) {
                return shared_by_chains(pool_, chain_of(inner.entry(1)), between.chain) >= size;
            }
            chain_reader<Pool> words(pool_, between.chain);
            for (std::size_t at = 0; at < size; at += 8) {
                const std::uint64_t word = words.next() & first_bytes(size - at);
                if (word != inner.prefix_word(static_cast<unsigned>(at / 8))) return false;
            }
            return true;
        }
    }
    void add_entry(node inner, unsigned at, separator between, node_id child) noexcept {
        const node_meta meta = inner.meta();
        const unsigned count = meta.count();
        const bool fitting = fits(inner, meta, between);
        const std::uint64_t head = head_of(between, meta.prefix());
        inner.open_gap(at, count);
        inner.set(at, head, inner_entry(between.chain, child));
        inner.set_meta(meta.with_count(count + 1).with_arrival(at, 1));
        if constexpr (!exact) {
            const bool ties = (at > 1 && inner.head(at - 1) == head) ||
                              (at < count && inner.head(at + 1) == head);
            if (!fitting || (ties && shared_by_all(inner) > meta.prefix())) refit(inner);
        }
    }
    [[nodiscard]] std::size_t shared_by_all(node inner) const noexcept {
        const unsigned count = inner.meta().count();
        return count < 3 ? 0
                         : shared_by_chains(pool_, chain_of(inner.entry(1)),
                                            chain_of(inner.entry(count - 1)));
    }
    /// Finds the prefix and the heads of an inner node anew from its separators.
    void refit(node inner) noexcept {
        const node_meta meta = inner.meta();
        const std::size_t size = shared_by_all(inner);
        for (unsigned i = 1; i < meta.count(); ++i) {
            inner.set_head(i, chain_head(pool_, chain_of(inner.entry(i)), size));
        }
        if (size != 0 && size <= inline_prefix) {
            const std::uint32_t chain = chain_of(inner.entry(1));
            inner.set_prefix_word(0, chain_head(pool_, chain, 0) & first_bytes(size));
            inner.set_prefix_word(
                1, size <= 8 ? 0 : chain_head(pool_, chain, 8) & first_bytes(size - 8));
        }
        inner.set_meta(meta.with_prefix(size));
    }

    /// Divides a full inner node and a new child at `position` among it and `fresh`, which comes
    /// behind it. Returns what is between the two.
    separator split_inner(node inner, node fresh, unsigned position, separator between,
                          node_id child) noexcept {
        constexpr unsigned count = large_entries + 1;
        const node_meta meta = inner.meta();
        const bool fitting = fits(inner, meta, between);
        std::uint64_t heads[count], entries[count];
        for (unsigned i = 0, from = 0; i < count; ++i) {
            if (i == position) {
                heads[i] = head_of(between, meta.prefix());
                entries[i] = inner_entry(between.chain, child);
            } else {
                heads[i] = inner.head(from);
                entries[i] = inner.entry(from++);
            }
        }
        const bool ended = (meta.word & node_meta::ended) != 0;
        const bool began = (meta.word & node_meta::began) != 0;
        const unsigned middle = position == count - 1 && ended ? count - 1
                                : position == 1 && began       ? 1
                                                               : count / 2;
        const separator risen{heads[middle], chain_of(entries[middle])};
        for (unsigned i = position; i < middle; ++i) inner.set(i, heads[i], entries[i]);
        for (unsigned i = middle; i < count; ++i) {
            fresh.set(i - middle, heads[i], entries[i]);
        }
        fresh.set(0, 0, inner_entry(0, child_of(entries[middle])));
        for (unsigned i = 0; i < 2; ++i) fresh.set_prefix_word(i, inner.prefix_word(i));
        settle(inner, node_meta::of(meta.level(), middle, meta.prefix()), fitting);
        settle(fresh, node_meta::of(meta.level(), count - middle, meta.prefix()), fitting);
        return risen;
    }
    void settle(node inner, node_meta meta, bool fitting) noexcept {
        inner.set_meta(meta.count() < 2 ? meta.with_prefix(0) : meta);
        if constexpr (!exact) {
            if (!fitting) refit(inner);
        }
    }

    void drop_chain(std::uint64_t entry) noexcept {
        if constexpr (!exact) pool_.give_chain(chain_of(entry));
    }
    /// Moves the end between two children of `inner` down to `between`.
    void replace(node inner, unsigned at, separator between) noexcept {
        const node_meta meta = inner.meta();
        const std::uint64_t old = inner.entry(at);
        const bool fitting = fits(inner, meta, between);
        inner.set(at, head_of(between, meta.prefix()), inner_entry(between.chain, child_of(old)));
        if constexpr (!exact) {
            if (!fitting) refit(inner);
        }
        drop_chain(old);
    }
    void collapse() noexcept {
        typename Pool::state& now = pool_.now();
        for (;;) {
            const auto id = static_cast<node_id>(now.root.load(std::memory_order_relaxed));
            const node root = pool_.at(id);
            const node_meta meta = root.meta();
            if (meta.level() == 0 || meta.count() != 1) return;
            lock(root);
            now.height.store(meta.level(), std::memory_order_release);
            now.root.store(child_of(root.entry(0)), std::memory_order_release);
            pool_.give(id);
            count_inner(-1);
        }
    }

    typename node::word* nodes_[4 * most_height];  // the locked ones
    unsigned locked_ = 0;
};

}  // namespace coffer::detail

#endif
