// coffer/index/sorted_writer.hpp: the changes of the B+tree of `sorted`.
//
// A change locks every node that it touches, the new ones included, writes, and unlocks them at the
// end; so readers see all of it or come again. What it does to the shape of the tree:
//
//     full small leaf     moves into a large node
//     full large leaf     is split in the middle, where images differ; behind the last key when
//                         keys come in ascending order, before the first when in descending order
//     full inner node     the same
//     empty leaf          leaves the tree, and inner nodes without children with it; its range goes
//                         to the leaf behind it. The last leaf of the tree stays.
//     root of one child   gives way to the child
//
// Separators are the shortest bytes that tell the two keys apart. They come from images; where
// images are equal, from what locate() found out when it compared whole keys. So no change reads
// records.
#ifndef COFFER_INDEX_SORTED_WRITER_HPP
#define COFFER_INDEX_SORTED_WRITER_HPP

#include <coffer/config/assert.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/index/concept.hpp>
#include <coffer/index/sorted_chain.hpp>
#include <coffer/index/sorted_node.hpp>
#include <coffer/index/sorted_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace coffer::detail {

/// No tree is higher: each level has at least 30 times the keys that the one below it took.
inline constexpr unsigned most_height = 16;
/// Images of trees may be this high; what they grow by afterwards is paid for in keys.
inline constexpr unsigned most_image_height = 12;

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

template <class Pool>
class sorted_writer {
    using node = typename Pool::node;
    static constexpr bool exact = Pool::exact;

    /// What divides two children: exact keys by head, others by chain.
    struct separator {
        std::uint64_t head = 0;
        std::uint32_t chain = 0;
    };

public:
    explicit sorted_writer(Pool& pool) noexcept : pool_(pool) {
        pool_.now().changing.store(1, std::memory_order_release);
    }
    ~sorted_writer() {
        while (locked_ != 0) node(nodes_[--locked_], false).unlock();
        pool_.now().changing.store(0, std::memory_order_release);
    }
    sorted_writer(const sorted_writer&) = delete;
    sorted_writer& operator=(const sorted_writer&) = delete;

    /// Puts a key that is absent.
    void insert(const sorted_place& at, ref where) noexcept {
        const node leaf = lock(pool_.at(at.leaf));
        node_meta meta = leaf.meta();
        if constexpr (!exact) {
            note_longest(at.key.size());
            if (at.shared < meta.prefix()) {
                if (meta.prefix() - at.shared >= 8 && meta.count() > large_entries / 2) {
                    return stand_apart(traced(at), leaf, where);
                }
                shorten(leaf, at.shared);
                meta = leaf.meta();
            }
        }
        const key_image image = image_of(at.key, meta.prefix());
        if (meta.count() < leaf.capacity()) {
            add(leaf, at.position, image, where);
        } else if (is_small(at.leaf)) {
            add(enlarge(traced(at), leaf), at.position, image, where);
        } else {
            split(traced(at), leaf, image, where);
        }
    }

    void remove(const sorted_place& at) noexcept {
        const node leaf = lock(pool_.at(at.leaf));
        const node_meta meta = leaf.meta();
        leaf.close_gap(at.position, meta.count());
        leaf.set_meta(meta.with_count(meta.count() - 1));
        if (meta.count() > 1) return;
        if constexpr (!exact) drop_prefix(leaf);
        for (unsigned i = 0; i < at.depth; ++i) {
            const node inner = pool_.at(at.way[i].node);
            if (at.way[i].entry + 1 != inner.meta().count()) return unlink(at);
        }
    }

    /// Lets the prefix of a leaf be the first `size` bytes of `key`, which all its keys begin with,
    /// and its images `images`.
    void lengthen(node_id id, bytes key, std::size_t size, const key_image* images) noexcept {
        const node leaf = lock(pool_.at(id));
        const node_meta meta = leaf.meta();
        drop_prefix(leaf);
        set_prefix(leaf, key.first(size));
        leaf.set_meta(meta.with_prefix(size));
        for (unsigned i = 0; i < meta.count(); ++i) {
            leaf.set(i, images[i].head, images[i].tag << ref_bits | ref_of(leaf.entry(i)));
        }
    }

private:
    /// The place with its way. What follows may give the tree another last leaf.
    sorted_place traced(sorted_place at) noexcept {
        pool_.edge = no_node;
        if (!at.edge) return at;
        auto id = static_cast<node_id>(pool_.now().root.load(std::memory_order_relaxed));
        while (id != at.leaf) {
            const unsigned last = pool_.at(id).meta().count() - 1;
            at.way[at.depth++] = {id, last};
            id = child_of(pool_.at(id).entry(last));
        }
        return at;
    }
    static key_image image_of(bytes key, std::size_t from) noexcept {
        if constexpr (exact) {
            return {head_at(key, 0), 0};
        } else {
            return key_image::of(key, from);
        }
    }
    node lock(node which) noexcept {
        which.lock();
        COFFER_ASSERT(locked_ < sizeof nodes_ / sizeof nodes_[0], "a change of too many nodes");
        nodes_[locked_++] = which.words();
        return which;
    }
    node_id take(bool small) noexcept {
        const node_id id = pool_.take(small);
        lock(pool_.at(id));
        return id;
    }
    void note_longest(std::size_t size) noexcept {
        auto& longest = pool_.now().longest;
        if (size > longest.load(std::memory_order_relaxed)) {
            longest.store(size, std::memory_order_release);
        }
    }

    // Leaves.

    static void add(node leaf, unsigned position, const key_image& image, ref where) noexcept {
        const node_meta meta = leaf.meta();
        leaf.open_gap(position, meta.count());
        leaf.set(position, image.head, image.tag << ref_bits | where);
        leaf.set_meta(meta.with_count(meta.count() + 1).with_arrival(position));
    }

    node enlarge(const sorted_place& at, node leaf) noexcept {
        const node_id id = take(false);
        const node larger = pool_.at(id);
        const node_meta meta = leaf.meta();
        for (unsigned i = 0; i < 2; ++i) larger.set_prefix_word(i, leaf.prefix_word(i));
        for (unsigned i = 0; i < meta.count(); ++i) larger.set(i, leaf.head(i), leaf.entry(i));
        larger.set_meta(meta);
        if (at.depth == 0) {
            pool_.now().root.store(id, std::memory_order_release);
        } else {
            const node parent = lock(pool_.at(at.way[at.depth - 1].node));
            const unsigned entry = at.way[at.depth - 1].entry;
            parent.set_entry(entry, inner_entry(chain_of(parent.entry(entry)), id));
        }
        pool_.give(at.leaf);
        return larger;
    }

    /// The entries of a full leaf and the new one among them.
    struct leaf_items {
        key_image images[large_entries + 1];
        ref refs[large_entries + 1];
    };

    void split(const sorted_place& at, node leaf, const key_image& image, ref where) noexcept {
        constexpr unsigned count = large_entries + 1;
        const node_meta meta = leaf.meta();
        leaf_items items;
        for (unsigned i = 0, from = 0; i < count; ++i) {
            if (i == at.position) {
                items.images[i] = image;
                items.refs[i] = where;
            } else {
                items.images[i] = leaf.image(from);
                items.refs[i] = ref_of(leaf.entry(from++));
            }
        }
        const unsigned middle = divide(at, meta, items);
        const separator between = separate(at, leaf, meta, items, middle);
        const bool alone = middle == 1 && at.position == 0;  // the new key, before all others
        const unsigned first = alone ? 0 : middle, last = alone ? 1 : count;
        const node_id id = take(last - first <= small_entries);
        const node fresh = pool_.at(id);
        for (unsigned i = first; i < last; ++i) {
            fresh.set(i - first, items.images[i].head,
                      items.images[i].tag << ref_bits | items.refs[i]);
        }
        if constexpr (!exact) copy_prefix(leaf, meta, fresh);
        node_meta made = node_meta::of(0, last - first, meta.prefix());
        if (at.position >= first && at.position < last) {
            made = made.with_arrival(at.position - first);
        }
        fresh.set_meta(made);
        if (alone) return add_child(at, at.depth, between, id, at.leaf);
        for (unsigned i = at.position; i < middle; ++i) {
            leaf.set(i, items.images[i].head, items.images[i].tag << ref_bits | items.refs[i]);
        }
        made = node_meta::of(0, middle, meta.prefix());
        leaf.set_meta(at.position < middle ? made.with_arrival(at.position) : made);
        add_child(at, at.depth, between, at.leaf, id);
    }

    /// How many of the items stay on the left.
    static unsigned divide(const sorted_place& at, node_meta meta,
                           const leaf_items& items) noexcept {
        constexpr unsigned count = large_entries + 1;
        unsigned target = (count + 1) / 2;
        if (at.position == count - 1 && (meta.word & node_meta::ended) != 0) target = count - 1;
        if (at.position == 0 && (meta.word & node_meta::began) != 0) target = 1;
        for (unsigned distance = 0; distance < count; ++distance) {
            for (const unsigned middle : {target + distance, target - distance}) {
                if (middle == 0 || middle >= count) continue;
                if (items.images[middle - 1] != items.images[middle]) return middle;
            }
        }
        return at.position == 0 ? 1 : at.position;  // next to the new key, whose bytes are known
    }

    separator separate(const sorted_place& at, node leaf, node_meta meta, const leaf_items& items,
                       unsigned middle) noexcept {
        const key_image& right = items.images[middle];
        if constexpr (exact) {
            return {right.head, 0};
        } else {
            chain_maker<Pool> made(pool_);
            const unsigned equal = first_difference(items.images[middle - 1], right);
            if (equal < 10) {
                for_prefix(pool_, leaf, meta, 0, meta.prefix(), [&](std::byte b) { made.add(b); });
                for (unsigned i = 0; i <= equal; ++i) made.add(right[i]);
            } else if (middle == at.position) {
                made.add(at.key.first((std::min)(at.key.size(), std::size_t{at.left} + 1)));
            } else {
                made.add(at.key.first((std::min)(at.key.size(), std::size_t{at.right})));
                made.add(at.right_byte);
            }
            return {0, made.finish()};
        }
    }

    /// Gives a key that shares too little with a well filled leaf one of its own next to it: so the
    /// leaf keeps its prefix.
    void stand_apart(const sorted_place& at, node leaf, ref where) noexcept {
        const node_meta meta = leaf.meta();
        const bool before = at.position == 0;
        chain_maker<Pool> made(pool_);
        if (before) {
            for_prefix(pool_, leaf, meta, 0, at.shared + 1, [&](std::byte b) { made.add(b); });
        } else {
            made.add(at.key.first((std::min)(at.key.size(), std::size_t{at.shared} + 1)));
        }
        const separator between{0, made.finish()};
        const node_id id = take(true);
        pool_.at(id).set_meta(node_meta::of(0, 0, 0));
        add(pool_.at(id), 0, image_of(at.key, 0), where);
        if (before) {
            add_child(at, at.depth, between, id, at.leaf);
        } else {
            add_child(at, at.depth, between, at.leaf, id);
        }
    }

    // Prefixes.

    /// For a prefix that is nowhere yet.
    void set_prefix(node leaf, bytes prefix) noexcept {
        if (prefix.size() <= inline_prefix) {
            leaf.set_prefix_word(0, head_at(prefix, 0));
            leaf.set_prefix_word(1, head_at(prefix, 8));
        } else {
            chain_maker<Pool> made(pool_);
            made.add(prefix);
            leaf.set_prefix_word(0, made.finish());
        }
    }
    void drop_prefix(node leaf) noexcept {
        const node_meta meta = leaf.meta();
        if (meta.prefix() > inline_prefix) pool_.give_chain(prefix_chain(leaf, meta));
        leaf.set_prefix_word(0, 0);
        leaf.set_meta(meta.with_prefix(0));
    }
    void copy_prefix(node from, node_meta meta, node to) noexcept {
        if (meta.prefix() <= inline_prefix) {
            for (unsigned i = 0; i < 2; ++i) to.set_prefix_word(i, from.prefix_word(i));
        } else {
            chain_maker<Pool> made(pool_);
            for_prefix(pool_, from, meta, 0, meta.prefix(), [&](std::byte b) { made.add(b); });
            to.set_prefix_word(0, made.finish());
        }
    }
    /// Lets the prefix of a leaf end after `size` bytes. Needs no keys: the rest goes into the
    /// images, which lose as much at their ends.
    void shorten(node leaf, std::uint32_t size) noexcept {
        const node_meta meta = leaf.meta();
        std::byte moved[10] = {};
        unsigned moves = 0;
        const std::size_t until = (std::min)(std::size_t{meta.prefix()}, std::size_t{size} + 10);
        for_prefix(pool_, leaf, meta, size, until, [&](std::byte b) { moved[moves++] = b; });
        for (unsigned i = 0; i < meta.count(); ++i) {
            key_image image = leaf.image(i);
            for (unsigned j = moves; j != 0; --j) image = image.behind(moved[j - 1]);
            leaf.set(i, image.head, image.tag << ref_bits | ref_of(leaf.entry(i)));
        }
        if (size <= inline_prefix) {
            std::uint64_t words[2];
            if (meta.prefix() <= inline_prefix) {
                words[0] = leaf.prefix_word(0), words[1] = leaf.prefix_word(1);
            } else {
                const std::uint32_t chain = prefix_chain(leaf, meta);
                chain_reader<Pool> from(pool_, chain);
                words[0] = from.next(), words[1] = from.next();
                pool_.give_chain(chain);
            }
            leaf.set_prefix_word(0, words[0] & first_bytes(size));
            leaf.set_prefix_word(1, words[1] & first_bytes(size <= 8 ? 0 : size - 8));
        }
        leaf.set_meta(meta.with_prefix(size));
    }

    // Inner nodes.

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

    // Unlinking.

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

    Pool& pool_;
    typename node::word* nodes_[4 * most_height];  // the locked ones
    unsigned locked_ = 0;
};

}  // namespace coffer::detail

#endif
