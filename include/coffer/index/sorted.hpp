// coffer/index/sorted.hpp: keys in order: a B+tree of key heads.
//
// A leaf holds up to 62 entries: eight bytes of each key behind the prefix that all keys of the
// leaf share, two more in the upper bits of its ref, and the ref. So a lookup reads a handful of
// nodes and one record; only where ten bytes are equal are other records read. Keys of a fixed size
// of at most 8 bytes are in the tree as they are: their records are not read at all.
//
//     sorted_node.hpp    what a node is, and its version
//     sorted_pool.hpp    where nodes and separators live
//     sorted_chain.hpp   separators: made, read, compared
//     sorted_search.hpp  from the root to a leaf
//     sorted_finger.hpp  to the leaf of the last lookup
//     sorted_inner.hpp   changes of inner nodes
//     sorted_writer.hpp  changes of leaves: put and remove
//     sorted_check.hpp   is a tree that has come back one?
//     sorted.hpp         this: the table as the other floors see it
//
// I1  A leaf's entries are in the order of their keys.
// I2  Nothing in the tree refers to a record but the entries of leaves: records may move.
//
// Threads: as the concept says. Readers write nothing; a reader that meets a change looks again.
// Cost: with 1 M keys a tree of 4 levels; 16.5 to 17.5 bytes a key put in order, about 23 put at
// random, keys themselves not counted. A put moves half a leaf, 500 bytes, on average.
// Failure: only start, adopt, save and prepare can fail. When a record cannot be read,
// keys.failed() says so; the tree is as it was.
#ifndef COFFER_INDEX_SORTED_HPP
#define COFFER_INDEX_SORTED_HPP

#include <coffer/config/assert.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/epoch.hpp>
#include <coffer/core/memory.hpp>
#include <coffer/core/policy.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/index/concept.hpp>
#include <coffer/index/sorted_check.hpp>
#include <coffer/index/sorted_finger.hpp>
#include <coffer/index/sorted_inner.hpp>
#include <coffer/index/sorted_node.hpp>
#include <coffer/index/sorted_pool.hpp>
#include <coffer/index/sorted_search.hpp>
#include <coffer/index/sorted_writer.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace coffer {

namespace detail {

template <threading_policy Threading, class Memory, std::size_t KeySize>
class sorted_table {
    using pool = sorted_pool<Threading, Memory, KeySize>;
    using node = typename pool::node;
    static_assert(KeySize <= 8, "keys of one size above 8 bytes are indexed as those of any size");
    static constexpr bool exact = pool::exact;

public:
    /// What a lookup needs of a key.
    struct lookup {
        bytes key = {};
        std::uint64_t head = 0;
        node_id leaf = no_node;  // to which approach() has come
    };
    using place = sorted_place;
    /// How distant a walk has come: everything below `from` was met.
    struct cursor {
        kept_fence from = {};
        bool over = false;
    };

    /// Readers are told by versions, not by epochs, what they may still use: `epoch` is not needed.
    sorted_table(epoch<Threading>&, Memory memory) : pool_(std::move(memory)) {}
    sorted_table(const sorted_table&) = delete;
    sorted_table& operator=(const sorted_table&) = delete;

    [[nodiscard]] result<void> start(std::uint64_t seed) {
        static_cast<void>(seed);
        return pool_.start();
    }
    /// Takes over the tree in memory that has come back from an earlier run. errc::corruption when
    /// it cannot be one, or was left in the middle of a change; start() is possible then.
    [[nodiscard]] result<void> adopt() {
        if (auto done = pool_.adopt(); !done) return done;
        return sorted_checker<pool>(pool_).sound() ? result<void>() : pool::unsound();
    }

    [[nodiscard]] lookup probe(bytes key) const noexcept { return {key, head_at(key, 0)}; }

    /// Without going down there is nothing to ask for: the root is in the cache.
    void prefetch(const lookup&) const noexcept {}
    /// Goes down to the leaf without a look at it, unless keys come in order.
    void approach(lookup& wanted) const noexcept {
        if (finger_of_thread.points_into(pool_.serial)) return;
        sighting<node> parent;
        wanted.leaf = detail::approach(pool_, {wanted.key, wanted.head, route::aim::at}, parent,
                                       [](const auto&, node_id, unsigned, node_meta) {});
    }

    [[nodiscard]] ref likely(const lookup& wanted) const noexcept {
        ref found[large_entries];
        const unsigned count = candidates(wanted, found);
        return count == 0 ? 0 : count == 1 ? found[0] : unclear;
    }

    template <class Keys>
    [[nodiscard]] ref find(const lookup& wanted, Keys& keys) const {
        ref found[large_entries];
        const unsigned count = candidates(wanted, found);
        if (count == 0) return 0;
        if constexpr (exact) {
            return found[0];
        } else {
            if (count == 1) return keys.matches(found[0], wanted.key) ? found[0] : 0;
            const standing at = stand_among(found, count, wanted.key, keys);
            return at.present ? found[at.position] : 0;
        }
    }

    template <class Keys>
    [[nodiscard]] place locate(const lookup& wanted, Keys& keys) {
        place at;
        at.key = wanted.key;
        if (behind_all(wanted, at)) return at;
        const route way{wanted.key, wanted.head, route::aim::at};
        sighting<node> leaf;
        bool last = true;
        const bool arrived =
            detail::descend(pool_, way, leaf, at.leaf,
                            [&](const auto&, node_id id, unsigned entry, node_meta meta) {
                                at.way[at.depth++] = {id, entry};
                                last = last && entry + 1 == meta.count();
                            });
        COFFER_ASSERT(arrived, "a second writer");
        static_cast<void>(arrived);
        const node_meta meta = leaf.node.meta();
        if constexpr (!exact) {
            const key_standing prefix = stand(pool_, leaf.node, meta, wanted.key);
            // A key that ends within the prefix takes no more room than it has bytes.
            at.shared = static_cast<std::uint32_t>((std::min)(prefix.shared, wanted.key.size()));
            if (at.shared != prefix.shared) at.right = at.shared;  // behind which others have a 0
            if (prefix.order != 0) {
                at.position = prefix.order < 0 ? 0 : meta.count();
                return at;
            }
        }
        const tied same = find_ties<pool>(leaf.node, meta.count(), image_of(wanted, meta.prefix()));
        at.position = same.first;
        if (same.first != same.last) {
            if constexpr (exact) {
                at.ref = ref_of(leaf.node.entry(same.first));
            } else {
                settle_tie(leaf.node, same, at, keys);
            }
        } else if (last && same.first == meta.count()) {
            pool_.edge = at.leaf;
        }
        return at;
    }

    void put(const place& at, ref where) {
        if (at.ref == 0) {
            sorted_writer<pool>(pool_).insert(at, where);
        } else {
            const node leaf = pool_.at(at.leaf);
            leaf.set_entry(at.position, (leaf.entry(at.position) & ~ref_mask) | where);
        }
    }
    void remove(const place& at) { sorted_writer<pool>(pool_).remove(at); }

    [[nodiscard]] bool ready(std::size_t n, std::uint64_t key_bytes) noexcept {
        return pool_.ready(n, key_bytes);
    }
    [[nodiscard]] result<void> prepare(std::size_t n, std::uint64_t key_bytes) {
        return pool_.prepare(n, key_bytes);
    }
    /// Nodes and separators in use, and those that have been and wait for use. Pages that no node
    /// has used yet are not counted: they are taken from the system when they are touched.
    [[nodiscard]] std::size_t memory() const noexcept { return pool_.memory(); }

    /// One leaf in key order. A call that answers true has appended something.
    [[nodiscard]] bool step(cursor& at, std::vector<ref>& refs) const {
        const std::size_t before = refs.size();
        kept_fence next;
        while (!at.over && refs.size() == before) {
            leaf_range<node> range;
            if (!detail::descend<true>(pool_, at.from.way(route::aim::at), range)) continue;
            prefetch_beside<true>(pool_, range);
            const unsigned count = range.leaf.node.count(range.leaf.node.meta());
            refs.resize(before + count);
            load_refs(range.leaf.node, {0, count}, refs.data() + before);
            const bool last = range.end.entry == 0;
            if (!range.leaf.node.valid(range.leaf.version) ||
                (!last && !keep(pool_, range.end, next))) {
                refs.resize(before);
                continue;
            }
            at.over = last || !lies_below<pool>(at.from, next);
            std::swap(at.from, next);
        }
        return refs.size() != before;
    }

    /// One leaf, or what of it is on that side of the bound.
    template <class Keys>
    [[nodiscard]] bool ascend(held_bound& above, std::vector<ref>& refs, Keys& keys) const {
        return walk<true>(above, refs, keys);
    }
    template <class Keys>
    [[nodiscard]] bool descend(held_bound& below, std::vector<ref>& refs, Keys& keys) const {
        return walk<false>(below, refs, keys);
    }

    template <class Sink>
    [[nodiscard]] result<void> save(Sink&& sink) const {
        return pool_.save(sink);
    }

private:
    static key_image image_of(const lookup& wanted, std::size_t from) noexcept {
        if constexpr (exact) {
            return {wanted.head, 0};
        } else {
            return key_image::of(wanted.key, from);
        }
    }

    // Lookups.

    /// Copies the refs that may be the key's, and how many there are.
    unsigned candidates(const lookup& wanted, ref* found) const noexcept {
        unsigned count = 0;
        if (find_in_last(wanted, found, count)) return count;
        if (wanted.leaf != no_node && find_at(wanted.leaf, wanted, found, count)) {
            finger_of_thread.came_to(pool_.serial, wanted.leaf);
            return count;
        }
        while (!find_in_any(wanted, found, count)) {
        }
        return count;
    }
    /// In the leaf where this thread's last lookup ended, if that is the key's.
    bool find_in_last(const lookup& wanted, ref* found, unsigned& count) const noexcept {
        finger& last = finger_of_thread;
        if (!last.points_into(pool_.serial)) return false;
        const bool there = find_at(last.leaf(), wanted, found, count);
        if (there) {
            last.hit();
        } else {
            last.missed();
        }
        return there;
    }
    bool find_at(node_id id, const lookup& wanted, ref* found, unsigned& count) const noexcept {
        sighting<node> leaf{pool_.at(id), 0};
        if (!leaf.node.begin_at_once(leaf.version)) return false;
        const node_meta meta = leaf.node.meta();
        const unsigned entries = leaf.node.count(meta);
        if (meta.level() != 0 || entries == 0) return false;
        if constexpr (!exact) {
            if (meta.prefix() > inline_prefix || !has_prefix(leaf.node, meta.prefix(), wanted.key))
                return false;
        }
        const key_image image = image_of(wanted, meta.prefix());
        return leaf.node.head(0) < image.head && image.head < leaf.node.head(entries - 1) &&
               load_ties(leaf, entries, image, found, count);
    }
    /// In the leaf to which the tree leads.
    bool find_in_any(const lookup& wanted, ref* found, unsigned& count) const noexcept {
        const route way{wanted.key, wanted.head, route::aim::at};
        sighting<node> leaf;
        node_id id = no_node;
        if (!detail::descend(pool_, way, leaf, id,
                             [](const auto&, node_id, unsigned, node_meta) {})) {
            return false;
        }
        const node_meta meta = leaf.node.meta();
        const key_image image = image_of(wanted, meta.prefix());
        if (!load_ties(leaf, leaf.node.count(meta), image, found, count)) return false;
        finger_of_thread.came_to(pool_.serial, id);
        return true;
    }
    static bool load_ties(const sighting<node>& leaf, unsigned entries, const key_image& image,
                          ref* found, unsigned& count) noexcept {
        count = load_refs(leaf.node, find_ties<pool>(leaf.node, entries, image), found);
        return leaf.node.valid(leaf.version);
    }

    /// Copies the refs of some entries, and how many there are.
    static unsigned load_refs(node leaf, tied from, ref* to) noexcept {
        for (unsigned i = from.first; i < from.last; ++i) *to++ = ref_of(leaf.entry(i));
        return from.last - from.first;
    }

    /// Is the key above all others, as the one located before it was?
    bool behind_all(const lookup& wanted, place& at) noexcept {
        if (pool_.edge == no_node) return false;
        const node leaf = pool_.at(pool_.edge);
        const node_meta meta = leaf.meta();
        const unsigned count = meta.count();
        bool behind = count != 0;
        if constexpr (exact) {
            behind = behind && leaf.head(count - 1) < wanted.head;
        } else {
            behind = behind && stand(pool_, leaf, meta, wanted.key).order == 0 &&
                     leaf.image(count - 1) < image_of(wanted, meta.prefix());
        }
        if (behind) {
            at.leaf = pool_.edge;
            at.position = count;
            at.shared = meta.prefix();
            at.edge = true;
        } else {
            pool_.edge = no_node;
        }
        return behind;
    }

    // Ties: keys of equal image, told apart by their records.

    /// Where a key is among some in order, and what it has in common with those next to it.
    struct standing {
        unsigned position = 0;
        bool present = false;
        std::size_t left = 0, right = 0;
        std::byte right_byte = {};
    };
    template <class Keys>
    static standing stand_among(const ref* refs, unsigned count, bytes key, Keys& keys) {
        standing found;
        for (unsigned last = count; found.position < last;) {
            const unsigned middle = (found.position + last) / 2;
            const bytes other = keys.key_of(refs[middle]);
            if (keys.failed()) return {};
            const std::size_t shared = shared_by(key, other);
            const auto order = compare(key.subspan(shared), other.subspan(shared));
            if (order == 0) return {middle, true, 0, 0, {}};
            if (order > 0) {
                found.position = middle + 1;
                found.left = shared;
            } else {
                last = middle;
                found.right = shared;
                found.right_byte = other[shared];
            }
        }
        return found;
    }
    static std::size_t shared_by(bytes a, bytes b) noexcept {
        const std::size_t size = (std::min)(a.size(), b.size());
        std::size_t at = 0;
        while (at + 8 <= size && head_at(a, at) == head_at(b, at)) at += 8;
        while (at < size && a[at] == b[at]) ++at;
        return at;
    }

    /// The end of locate() where images do not decide.
    template <class Keys>
    void settle_tie(node leaf, tied same, place& at, Keys& keys) {
        ref refs[large_entries];
        const unsigned count = load_refs(leaf, same, refs);
        const standing found = stand_among(refs, count, at.key, keys);
        if (keys.failed()) return;
        at.position = same.first + found.position;
        at.left = static_cast<std::uint32_t>(found.left);
        at.right = static_cast<std::uint32_t>(found.right);
        at.right_byte = found.right_byte;
        if (found.present) {
            at.ref = refs[found.position];
            if (count == 1) return;
        }
        lengthen_prefix(leaf, at, keys);
    }
    /// Images that are equal again and again are too distant from the ends of the keys: if the keys
    /// of the leaf, and the one in hand, share more than the prefix, they are taken anew. Their
    /// order, and so every place, stays as it is.
    template <class Keys>
    void lengthen_prefix(node leaf, place& at, Keys& keys) {
        const node_meta meta = leaf.meta();
        const unsigned count = meta.count();
        std::size_t shared = shared_by(at.key, keys.key_of(ref_of(leaf.entry(0))));
        shared = (std::min)(shared, shared_by(at.key, keys.key_of(ref_of(leaf.entry(count - 1)))));
        if (shared > inline_prefix && !pool_.can_spare(shared)) shared = inline_prefix;
        if (shared <= meta.prefix() || keys.failed()) return;
        key_image images[large_entries];
        for (unsigned i = 0; i < count; ++i) {
            images[i] = key_image::of(keys.key_of(ref_of(leaf.entry(i))), shared);
        }
        if (keys.failed()) return;
        sorted_writer<pool>(pool_).lengthen(at.leaf, at.key, shared, images);
        at.shared = static_cast<std::uint32_t>(shared);
    }

    // Walks by key.

    /// What is left to look at.
    struct rest {
        bound::kind from;
        bytes key;
        std::uint64_t head;
    };
    template <bool Up>
    static rest rest_of(const bound& end) noexcept {
        rest made{end.is, end.key, head_at(end.key, 0)};
        if constexpr (exact) {  // a bound of another size lies between two keys
            const bool before = end.key.size() < KeySize;
            if (end.is != bound::kind::open && end.key.size() != KeySize) {
                made.from = before == Up ? bound::kind::including : bound::kind::excluding;
            }
        }
        return made;
    }

    template <bool Up, class Keys>
    [[nodiscard]] bool walk(held_bound& from, std::vector<ref>& refs, Keys& keys) const {
        using ends = bound::kind;
        rest left = rest_of<Up>(from.as_bound());
        kept_fence fences[2];
        const std::size_t before = refs.size();
        for (unsigned turn = 0;;) {
            const route::aim aim = !Up && left.from == ends::open        ? route::aim::last
                                   : !Up && left.from == ends::excluding ? route::aim::below
                                                                         : route::aim::at;
            leaf_range<node> range;
            if (!detail::descend<Up>(pool_, {left.key, left.head, aim}, range)) continue;
            const auto& fence = range.end;
            if (from.moved) {
                prefetch_beside<Up>(pool_, range);
                prefetch_fence(pool_, fence);
            }
            ref ties[large_entries];
            const unsigned tied_count = collect<Up>(range.leaf.node, left, refs, ties);
            kept_fence& next = fences[turn % 2];
            const bool goes_on = from.moved || refs.size() - before == tied_count;
            if (!range.leaf.node.valid(range.leaf.version) ||
                (goes_on && fence.entry != 0 && !keep(pool_, fence, next))) {
                refs.resize(before);
                continue;
            }
            if (tied_count != 0) {
                prefetch(refs.data() + before, refs.size() - before, keys);
                settle_ties<Up>(left, ties, tied_count, refs, before, keys);
            }
            if (fence.entry == 0 || keys.failed()) return false;
            if (!from.moved && refs.size() != before) return true;
            const auto order = compare_ends(next, left);
            if (left.from != ends::open && (Up ? order <= 0 : order > 0)) return false;  // damage
            if (!Up && left.from == ends::excluding && order == 0) return false;
            left = {Up ? ends::including : ends::excluding, next.key, next.head};
            if (refs.size() != before) {
                move(from, left.from, next);
                return true;
            }
            ++turn;
        }
    }
    /// A tie waits for a record: what will be shown next may come meanwhile.
    template <class Keys>
    static void prefetch(const ref* refs, std::size_t count, Keys& keys) noexcept {
        constexpr std::size_t ahead = 8;
        for (std::size_t i = 0; i < (std::min)(ahead, count); ++i) keys.prefetch(refs[i]);
    }
    static void move(held_bound& from, bound::kind is, kept_fence& to) {
        from.is = is;
        from.moved = true;
        if constexpr (exact) {
            from.key.resize(sizeof(to.head));
            store_be(from.key.data(), to.head);
            from.key.resize(KeySize);
        } else {
            std::swap(from.key, to.key);
        }
    }
    static std::strong_ordering compare_ends(const kept_fence& a, const rest& b) noexcept {
        if constexpr (exact) {
            return a.head <=> b.head;
        } else {
            return compare(bytes(a.key), b.key);
        }
    }

    /// Appends the refs of a leaf that may be inside the bound. Those that tie with it come first;
    /// they are copied, ascending, and it says how many they are.
    template <bool Up>
    unsigned collect(node leaf, const rest& left, std::vector<ref>& refs, ref* ties) const {
        const node_meta meta = leaf.meta();
        const unsigned count = leaf.count(meta);
        tied same{Up ? 0 : count, Up ? 0 : count};
        if (left.from != bound::kind::open) {
            auto order = std::strong_ordering::equal;
            if constexpr (!exact) order = stand(pool_, leaf, meta, left.key).order;
            if (order != 0) {
                same.first = same.last = order < 0 ? 0 : count;
            } else {
                same = find_ties<pool>(leaf, count, image_of({left.key, left.head}, meta.prefix()));
            }
        }
        if constexpr (exact) {  // a tie is the key itself
            const bool inside = left.from == bound::kind::including;
            (inside == Up ? same.last : same.first) = inside == Up ? same.first : same.last;
        }
        const std::size_t before = refs.size();
        refs.resize(before + (Up ? count - same.first : same.last));
        ref* to = refs.data() + before;
        if (Up) {
            load_refs(leaf, {same.first, count}, to);
        } else {
            for (unsigned i = same.last; i != 0; --i) *to++ = ref_of(leaf.entry(i - 1));
        }
        return load_refs(leaf, same, ties);
    }
    /// Removes the ties that are outside the bound.
    template <bool Up, class Keys>
    static void settle_ties(const rest& left, const ref* ties, unsigned count,
                            std::vector<ref>& refs, std::size_t before, Keys& keys) {
        const standing at = stand_among(ties, count, left.key, keys);
        if (keys.failed()) return refs.resize(before);
        const bool beyond = at.present && (left.from == bound::kind::excluding) == Up;
        const unsigned split = at.position + (beyond ? 1 : 0);
        const auto first = refs.begin() + static_cast<std::ptrdiff_t>(before);
        refs.erase(first, first + static_cast<std::ptrdiff_t>(Up ? split : count - split));
    }

    pool pool_;
    static inline constinit thread_local finger finger_of_thread{};
};

}  // namespace detail

namespace index {

/// Ordered: scans, ranges and prefixes both ways, at the price of a search through a few nodes.
struct sorted {
    static constexpr policy_id id{"sorted", 1};
    static constexpr bool ordered = true;

    template <threading_policy Threading, class Memory, std::size_t KeySize>
    using table = detail::sorted_table<Threading, Memory, KeySize>;
};

}  // namespace index

static_assert(index_policy<index::sorted>);
static_assert(detail::index_table<index::sorted::table<threading::multi, detail::heap_memory, 0>> &&
              detail::index_table<index::sorted::table<threading::single, detail::heap_memory, 8>>);
static_assert(
    detail::need::index_order<index::sorted::table<threading::multi, detail::heap_memory, 0>>);

}  // namespace coffer

#endif
