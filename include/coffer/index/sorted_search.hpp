// coffer/index/sorted_search.hpp: ways through the B+tree of `sorted`, from the root to a leaf.
//
// A descent looks at one node at a time: choose the child, make sure that the node has not changed,
// take the child's version, make sure again. So at the moment of the second check the child was the
// one that leads to the key, and its version tells of every change since. A descent that meets a
// change starts again from the root; it never waits for anything but a writer inside a node.
//
// The range of a leaf is [low, high): the separators next to the way that led there. A range only
// ever grows towards lower keys, or shrinks by a split; so a walk that goes on from `high` meets
// every key above it and none below that was there all the time.
#ifndef COFFER_INDEX_SORTED_SEARCH_HPP
#define COFFER_INDEX_SORTED_SEARCH_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/held_bytes.hpp>
#include <coffer/index/sorted_chain.hpp>
#include <coffer/index/sorted_node.hpp>
#include <coffer/index/sorted_pool.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>

namespace coffer::detail {

/// Where a descent shall end.
struct route {
    enum class aim : unsigned char {
        at,     // the leaf whose range holds the key
        below,  // the leaf whose range ends at the key or holds it, and begins below it
        last,   // the last leaf
    };
    bytes key = {};
    std::uint64_t head = 0;  // of the key, when keys are exact
    aim to = aim::at;
};

/// The entry of an inner node that a route takes. Bounded by the node's capacity whatever it reads.
template <class Pool>
[[nodiscard]] unsigned child_on(const Pool& pool, typename Pool::node node, node_meta meta,
                                const route& way) noexcept {
    const unsigned count = node.count(meta);
    if (count == 0) return 0;
    if (way.to == route::aim::last) return count - 1;
    const bool below = way.to == route::aim::below;
    if constexpr (Pool::exact) {
        return (below ? node.lower(way.head, 1, count) : node.upper(way.head, 1, count)) - 1;
    } else {
        std::uint64_t head = way.head;
        if (meta.prefix() != 0) {
            const auto order = stand(pool, node, meta, way.key).order;
            if (order != 0) return order < 0 ? 0 : count - 1;
            head = head_at(way.key, meta.prefix());
        }
        unsigned first = node.lower(head, 1, count);
        if (first == count || node.head(first) != head) return first - 1;
        unsigned last = node.upper(head, first, count);
        while (first < last) {  // equal heads: by the whole separators
            const unsigned middle = (first + last) / 2;
            const auto order = compare_to_chain(pool, way.key, chain_of(node.entry(middle)));
            if (order > 0 || (order == 0 && !below)) {
                first = middle + 1;
            } else {
                last = middle;
            }
        }
        return first - 1;
    }
}

/// A node, and its version when it was come to.
template <class Node>
struct sighting {
    Node node = {};
    std::uint64_t version = 0;
};

/// Goes down to the parent of a leaf, or to the root where that is a leaf; tells
/// `pass(sighting, id, entry, meta)` of every inner node on the way. Returns the id of the leaf,
/// which is hinted at and, unless it is the root, not read. no_node: something changed meanwhile;
/// also otherwise it may be no leaf any more, for whoever uses it to see. Called, not put in
/// place: with GCC 12 a group of lookups takes two thirds more time there (docs/decisions.md).
template <class Pool, class Pass>
[[nodiscard]] COFFER_NOINLINE node_id approach(const Pool& pool, const route& way,
                                               sighting<typename Pool::node>& here,
                                               Pass&& pass) noexcept {
    auto id = static_cast<node_id>(pool.now().root.load(std::memory_order_acquire));
    here = {pool.at(id), 0};
    here.version = here.node.begin();
    if (pool.now().root.load(std::memory_order_acquire) != id) return no_node;
    for (node_meta meta = here.node.meta(); meta.level() != 0; meta = here.node.meta()) {
        const unsigned entry = child_on(pool, here.node, meta, way);
        const node_id child = child_of(here.node.entry(entry));
        if (!here.node.valid(here.version)) return no_node;
        pass(here, id, entry, meta);
        id = child;
        sighting<typename Pool::node> next{pool.at(child), 0};
        if (meta.level() == 1) {
            next.node.prefetch();
            break;
        }
        next.version = next.node.begin();
        if (!here.node.valid(here.version)) return no_node;
        here = next;
    }
    return id;
}

/// Goes down to a leaf, as approach() does. False: something changed meanwhile. The leaf's words
/// are to be checked by its version.
template <class Pool, class Pass>
[[nodiscard]] bool descend(const Pool& pool, const route& way, sighting<typename Pool::node>& leaf,
                           node_id& leaf_id, Pass&& pass) noexcept {
    sighting<typename Pool::node> parent;
    leaf_id = approach(pool, way, parent, pass);
    if (leaf_id == no_node) return false;
    leaf = {pool.at(leaf_id), 0};
    leaf.version = leaf.node.begin();
    return parent.node.valid(parent.version);
}

/// A separator on the way to a leaf, not yet read.
template <class Node>
struct fence {
    sighting<Node> of = {};
    unsigned entry = 0;  // 0: there is none
};

/// A leaf, and the end of its range on the side to which a walk goes.
template <class Node>
struct leaf_range {
    sighting<Node> leaf = {};
    fence<Node> end = {};
};

template <bool Up, class Pool>
[[nodiscard]] bool descend(const Pool& pool, const route& way,
                           leaf_range<typename Pool::node>& range) noexcept {
    range.end.entry = 0;
    node_id id = no_node;
    return descend(pool, way, range.leaf, id,
                   [&](const auto& here, node_id, unsigned entry, node_meta meta) {
                       if (Up ? entry + 1 < here.node.count(meta) : entry != 0) {
                           range.end = {here, Up ? entry + 1 : entry};
                       }
                   });
}

/// Hints that the leaf behind the end of the range will be read next.
template <bool Up, class Pool>
void prefetch_beside(const Pool& pool, const leaf_range<typename Pool::node>& range) noexcept {
    const auto& end = range.end;
    if (end.entry == 0) return;
    const node_id beside = child_of(end.of.node.entry(Up ? end.entry : end.entry - 1));
    if (end.of.node.valid(end.of.version)) pool.at(beside).prefetch();
    COFFER_PREFETCHED();
}

/// An end of a range as a walk remembers it, independent of the tree.
struct kept_fence {
    held_bytes key = {};
    std::uint64_t head = 0;  // of the key

    [[nodiscard]] route way(route::aim to) const noexcept { return {key, head, to}; }
};

/// Copies a separator. False: its node has changed.
template <class Pool>
[[nodiscard]] bool keep(const Pool& pool, const fence<typename Pool::node>& at, kept_fence& kept) {
    const auto node = at.of.node;
    if constexpr (Pool::exact) {
        kept.head = node.head(at.entry);
    } else {
        const std::uint32_t chain = chain_of(node.entry(at.entry));
        std::size_t size = pool.chain_size(chain);
        if (!node.valid(at.of.version)) return false;
        kept.key.resize((size + 7) / 8 * 8);
        chain_reader<Pool> words(pool, chain);
        for (std::size_t i = 0; i < size; i += 8) {
            store_be<std::uint64_t>(kept.key.data() + i, words.next());
        }
        kept.key.resize(size);
        kept.head = head_at(kept.key, 0);
    }
    return node.valid(at.of.version);
}

/// Hints that the separator will be kept.
template <class Pool>
void prefetch_fence(const Pool& pool, const fence<typename Pool::node>& at) noexcept {
    if constexpr (!Pool::exact) {
        if (at.entry != 0) pool.prefetch_chain(chain_of(at.of.node.entry(at.entry)));
    }
}

/// Is `a` a lower key than `b`?
template <class Pool>
[[nodiscard]] bool lies_below(const kept_fence& a, const kept_fence& b) noexcept {
    if constexpr (Pool::exact) {
        return a.head < b.head;
    } else {
        return compare(a.key, b.key) < 0;
    }
}

/// The entries of a leaf that have the image of a key, and those before and behind them.
struct tied {
    unsigned first, last;
};

template <class Pool>
[[nodiscard]] tied find_ties(typename Pool::node leaf, unsigned count,
                             const key_image& image) noexcept {
    unsigned first = leaf.lower(image.head, 0, count);
    unsigned last = first;
    if constexpr (Pool::exact) {
        if (first < count && leaf.head(first) == image.head) ++last;
    } else {
        while (first < count && leaf.image(first) < image) ++first;
        last = first;
        while (last < count && leaf.image(last) == image) ++last;
    }
    return {first, last};
}

}  // namespace coffer::detail

#endif
