// coffer/index/sorted_writer.hpp: changes of the B+tree of `sorted`, from its leaves up.
//
//     full compact leaf     moves into a large node
//     full large leaf     is split where images differ, as near to the middle as they do; behind
//                         the last key when keys come in ascending order, before the first when in
//                         descending order
//     foreign key         one that shares much less than the prefix of a well filled leaf, gets a
//                         leaf of its own
//     empty leaf          leaves the tree, unless it is the last one
//
// Separators are the shortest bytes that tell the two keys apart. They come from images; where
// images are equal, from what locate() found out when it compared whole keys. So no change reads
// records.
#ifndef COFFER_INDEX_SORTED_WRITER_HPP
#define COFFER_INDEX_SORTED_WRITER_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/index/concept.hpp>
#include <coffer/index/sorted_chain.hpp>
#include <coffer/index/sorted_inner.hpp>
#include <coffer/index/sorted_node.hpp>
#include <coffer/index/sorted_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace coffer::detail {

template <class Pool>
class sorted_writer : sorted_inner<Pool> {
    using base = sorted_inner<Pool>;
    using node = typename Pool::node;
    using base::add_child, base::exact, base::lock, base::pool_, base::replace_leaf, base::take,
        base::unlink;

public:
    explicit sorted_writer(Pool& pool) noexcept : base(pool) {}

    /// Puts a key that is absent.
    void insert(const sorted_place& at, ref where) noexcept {
        const node leaf = lock(pool_.at(at.leaf));
        node_meta meta = leaf.meta();
        if constexpr (!exact) {
            note_longest(at.key.size());
            if (at.shared < meta.prefix()) {
                const bool foreign =
                    meta.prefix() - at.shared >= 8 && meta.count() > large_entries / 2;
                if (foreign && (at.position == 0 || at.position == meta.count())) {
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
        replace_leaf(at, id);
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
};

}  // namespace coffer::detail

#endif
