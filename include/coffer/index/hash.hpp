// coffer/index/hash.hpp: keys found by their hash, one cache line per lookup.
//
// | policy        | promise                                                                    |
// |---------------|----------------------------------------------------------------------------|
// | `index::hash` | no order; one line of memory per lookup; at most 20 bytes per key in all   |
//
// The table is an array of 64-byte buckets that grows one bucket at a time (linear hashing, Witold
// Litwin 1980): with n buckets, 2^d <= n < 2^(d+1), bucket n - 2^d is split next, into itself and
// bucket n. A put of a new key splits whenever there are more than 15 keys to 4 buckets: load,
// memory and the time of a put are the same at every size. A bucket has a control word with a print
// of a few bits for each of its seven slots (after the fingerprints of MemC3 and Swiss tables), and
// the slots; an eighth key turns the last slot into a link to a chain of overflow buckets of six.
// A slot knows 30 bits of its key's hash, so that a split never asks for keys, up to 2^28 buckets;
// a lookup meets a wrong key once in 2^(30 - depth) keys compared. hash_words.hpp has the bits,
// hash_chains.hpp what is done to slots and chains, hash_buckets.hpp the memory.
//
// I1  An entry word is the truth; its print only says where to look. A put stores print, then
//     entry; a removal clears entry, then print. A free slot's entry is 0.
// I2  A key's first 30 bits of hash agree with the index of its bucket in the bucket's depth bits.
// I3  `chained` is set only while slot 6 is a link. Whatever moves a key within a chain, or takes a
//     bucket out of it, stores a new link between the copy and the removal, and one more behind it
//     where a walk comes to the copy last; at one depth no link comes back.
// I4  A split first copies, then sets the depth of the old bucket, then removes what was copied:
//     until then a walk tells by I2 that it is not to be met there. Depths only grow; slot 6 goes
//     back from link to key only in the split that makes it so.
// I5  Before a chain that is not empty six slots are full, and so is it but for its first bucket.
//
// Threads: find, likely, step and prefetch beside the one writer, with no lock, no store and, for
// the table's own sake, no pin: buckets never move, an overflow bucket is cleared before it is used
// again, and a reader that missed reads depth and link once more. If both are what they were,
// nothing can have escaped it (I3, I4); else it looks again, which a change has paid for.
// Cost: 95 lookups of 100 read one line, the rest two. Buckets are never merged: their room waits.
// Failure: of start, prepare (no_space above most_keys) and adopt. Damage: wrong answers at most.
#ifndef COFFER_INDEX_HASH_HPP
#define COFFER_INDEX_HASH_HPP

#include <coffer/config/assert.hpp>
#include <coffer/config/platform.hpp>
#include <coffer/core/memory.hpp>
#include <coffer/index/concept.hpp>
#include <coffer/index/hash_chains.hpp>
#include <coffer/index/hash_words.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace coffer {

namespace detail {

template <threading_policy Threading, class Memory, class Shape = hash_shape>
class hash_table : public hash_chains<Threading, Memory, Shape> {
    using base = hash_chains<Threading, Memory, Shape>;
    using base::acquire, base::relaxed, base::release;
    using base::add, base::vacate, base::mend, base::refill, base::repack;
    using base::at, base::below, base::extent, base::first, base::is_link, base::known,
        base::reverse;
    using base::base_bits, base::known_bits, base::link_slot, base::tag_from;
    using base::buckets, base::key_count, base::overflow_used, base::spare;
    using base::chained, base::depth, base::depth_bits, base::depth_one, base::used;
    using base::for_each_of, base::for_each_in_chain, base::front_of, base::overflow_at;
    using base::most_buckets, base::keys_per_4;
    using base::primary_, base::overflow_, base::state_, base::store_link;
    using base::print_at, base::print_of, base::tag_of, base::with_print;
    using base::seed_, base::extent_, base::exact_, base::promised_;
    using typename base::bucket;
    using typename base::change;

public:
    struct lookup {
        std::uint64_t hash;
        bytes key;
    };
    struct place {
        detail::ref ref;
        std::uint64_t hash;
        std::uint64_t home;  // index of the primary bucket
        bucket* at;          // where ref is; the primary bucket when ref is 0
        unsigned slot;
    };
    /// Walks go through the buckets in the order of their reversed indexes: a split divides what
    /// one step would have met into two neighbours, so a cursor stands at a bucket's edge for ever.
    struct cursor {
        std::uint32_t reversed = 0;
        bool over = false;
    };

    hash_table(epoch<Threading>&, Memory memory) : base(std::move(memory)) {}

    // ---- lookups ----

    [[nodiscard]] COFFER_ALWAYS_INLINE lookup probe(bytes key) const noexcept {
        return {Shape::hash(key, seed_), key};
    }

    void prefetch(const lookup& probe) const noexcept {
        COFFER_PREFETCH(&primary_[at(probe.hash, extent_.load(acquire))]);
        COFFER_PREFETCHED();
    }

    /// What find() will give, as far as one bucket tells without a look at keys: 0 for nothing, a
    /// ref unless its key only has the same bits of hash, or `unclear`.
    [[nodiscard]] COFFER_ALWAYS_INLINE ref likely(const lookup& probe) const noexcept {
        const std::uint64_t index = at(probe.hash, extent_.load(acquire));
        const bucket& home = primary_[index];
        const std::uint64_t control = home.control.load(acquire);
        std::uint64_t which = with_print(control, print_of(probe.hash));
        if (which == 0 && (control & chained) == 0 && owns(index, control, probe.hash)) return 0;
        for (; which != 0; which &= which - 1) {
            const ref r = home.entry[first(which)].load(acquire) ^ tag_of(probe.hash);
            if (r - 1 < ref_mask) return r;
        }
        return unclear;
    }

    template <class Keys>
    [[nodiscard]] ref find(const lookup& probe, Keys& keys) const {
        ref found = 0;
        const auto compare = [&](const bucket& in, std::uint64_t control, std::uint64_t, unsigned) {
            unsigned slot = 0;
            const std::uint64_t which = with_print(control, print_of(probe.hash));
            if (which != 0) found = among(in, which, probe, keys, slot);
            return found != 0;
        };
        look(probe.hash, compare, [] {});
        return found;
    }

    /// For the writer: sees the newest state, and where a new key would go.
    template <class Keys>
    [[nodiscard]] COFFER_ALWAYS_INLINE place locate(const lookup& probe, Keys& keys) const {
        place found{0, probe.hash, at(probe.hash, exact_), nullptr, 0};
        found.at = &primary_[found.home];
        const std::uint64_t control = found.at->control.load(relaxed);
        const std::uint64_t which = with_print(control, print_of(probe.hash));
        if (which != 0 || (control & chained) != 0) locate(probe, keys, which, control, found);
        return found;
    }

    /// One bucket with its chain.
    bool step(cursor& position, std::vector<ref>& refs) const {
        if (position.over) return false;
        const std::size_t before = refs.size();
        unsigned visited = 0;
        const auto collect = [&](const bucket& from, std::uint64_t control, std::uint64_t index,
                                 unsigned deep) {
            for (std::uint64_t which = used(control); which != 0; which &= which - 1) {
                const unsigned slot = first(which);
                const std::uint64_t entry = from.entry[slot].load(acquire);
                // Neither a link nor what a split has moved agrees with the index (I2).
                const std::uint64_t differ = known(entry, print_at(control, slot)) ^ index;
                // Below the cursor lies what was met before, if the table has been made anew since.
                const auto met = static_cast<std::uint32_t>((index & below(tag_from)) |
                                                            known(entry, print_at(control, slot)));
                const bool belongs = (differ & below(deep) & ~below(tag_from)) == 0 &&
                                     reverse(met) >= position.reversed;
                if (entry != 0 && belongs) refs.push_back(entry & ref_mask);
            }
            ++visited;
            return false;
        };
        const unsigned deep = look(reverse(position.reversed), collect, [&] {
            refs.resize(before);
            visited = 0;
        });
        if (visited > 1) {  // a key that is being moved within a chain is met twice
            const auto from = refs.begin() + static_cast<std::ptrdiff_t>(before);
            std::sort(from, refs.end());
            refs.erase(std::unique(from, refs.end()), refs.end());
        }
        const auto deepest = static_cast<unsigned>(std::bit_width(buckets()));
        const std::uint32_t width = std::uint32_t{1} << (32 - (std::min)(deep, deepest));
        position.reversed = (position.reversed & ~(width - 1)) + width;
        position.over = position.reversed < width;
        prefetch({reverse(position.reversed + 3 * width), {}});  // walks jump about in memory
        return true;
    }

    // ---- changes ----

    void put(const place& where, ref r) {
        const std::uint64_t entry = tag_of(where.hash) | r;
        if (where.ref != 0) {
            where.at->entry[where.slot].store(entry, release);
            return;
        }
        if (!add(*where.at, where.home, entry, print_of(where.hash))) {
            COFFER_ASSERT(spare() != 0, "a put for which the table was not ready");
            return;
        }
        state_->keys.store(key_count() + 1, relaxed);
        promised_ -= promised_ != 0;
        for (int i = 0; i < 2 && key_count() * 4 > buckets() * keys_per_4; ++i) {
            if (!split()) break;
        }
    }

    void remove(const place& gone) {
        COFFER_ASSERT(gone.ref != 0, "removal of a key that is not there");
        if ((primary_[gone.home].control.load(relaxed) & chained) == 0) {
            vacate(*gone.at, gone.slot);
        } else {
            const change guard(*state_);
            vacate(*gone.at, gone.slot);
            refill(gone.home, *gone.at, gone.slot);
        }
        if (key_count() != 0) state_->keys.store(key_count() - 1, relaxed);
    }

    // ---- after a process that ended within a put or a removal ----

    /// What a put or a removal of this key has left half done, in memory that adopt() took over, is
    /// as if it had not begun, or as if it were done.
    void mend(const lookup& probe) noexcept {
        bucket& home = primary_[at(probe.hash, exact_)];
        const bool linked = (home.control.load(relaxed) & chained) != 0;
        mend(home, linked ? link_slot : link_slot + 1);
        bucket* const front = linked ? overflow_at(home.entry[link_slot].load(relaxed)) : nullptr;
        for_each_in_chain(front, [](bucket& in) { mend(in, link_slot); });
    }
    /// There are `n` keys.
    void recount(std::uint64_t n) noexcept { state_->keys.store(n, relaxed); }

private:
    // ---- readers ----

    /// Does the bucket at its present depth hold the keys of this hash?
    [[nodiscard]] static bool owns(std::uint64_t index, std::uint64_t control,
                                   std::uint64_t hash) noexcept {
        return ((index ^ hash) & below(depth(control))) == 0;
    }

    /// The ref of the key in one of the slots whose print fits; 0: in none.
    template <class Keys>
    [[nodiscard]] static ref among(const bucket& in, std::uint64_t which, const lookup& probe,
                                   Keys& keys, unsigned& slot) {
        const std::uint64_t tag = tag_of(probe.hash);
        do {
            slot = first(which);
            // Neither a link, whose mark is no tag's of this bucket, nor a free slot passes.
            const ref r = in.entry[slot].load(acquire) ^ tag;
            if (r - 1 < ref_mask && keys.matches(r, probe.key)) return r;
            which &= which - 1;
        } while (which != 0);
        return 0;
    }

    /// The rest of locate(): in the home bucket at `which`, and behind it.
    template <class Keys>
    COFFER_NOINLINE void locate(const lookup& probe, Keys& keys, std::uint64_t which,
                                std::uint64_t control, place& found) const {
        bucket* next = found.at;
        bool linked = (control & chained) != 0;
        for (std::uint64_t left = overflow_.capacity() + 1; left != 0; --left) {
            if (which != 0) found.ref = among(*next, which, probe, keys, found.slot);
            if (found.ref != 0) {
                found.at = next;
                return;
            }
            next = linked ? overflow_at(next->entry[link_slot].load(relaxed)) : nullptr;
            if (next == nullptr) return;
            which = with_print(next->control.load(relaxed), print_of(probe.hash));
            linked = true;
        }
    }

    /// Shows `visit` every bucket that may hold keys of `hash`, until it returns true or one pass
    /// has seen a state in which nothing can have been missed (I3, I4); calls `again` before each
    /// further pass. Returns the depth.
    template <class Visit, class Again>
    unsigned look(std::uint64_t hash, Visit visit, Again again) const {
        std::uint64_t index = at(hash, extent_.load(acquire));
        for (unsigned odd = 0;; again()) {
            const bucket& home = primary_[index];
            std::uint64_t control = home.control.load(acquire);
            const unsigned deep = depth(control);
            if (!owns(index, control, hash)) {  // split since: on where the key's way left this one
                const auto fork = static_cast<unsigned>(std::countr_zero(index ^ hash));
                index = hash & below(fork + 1);
                if (index >= primary_.capacity()) return deep;  // damaged
                continue;
            }
            const std::uint64_t link = home.entry[link_slot].load(acquire);
            const bool linked = is_link(link, index);
            if (linked) {
                control = home.control.load(acquire);  // not older than the link
                if (depth(control) != deep) continue;
            } else if ((control & chained) != 0 && ++odd < known_bits) {
                continue;  // the chain has just gone: by I4 at most once per depth
            }
            if (visit(home, control, index, deep)) return deep;
            if (linked) {
                std::uint64_t left = overflow_.capacity();
                const bucket* next = overflow_at(link);
                for (; next != nullptr && left != 0; --left) {
                    if (visit(*next, next->control.load(acquire), index, deep)) return deep;
                    next = overflow_at(next->entry[link_slot].load(acquire));
                }
            }
            const std::uint64_t link_now = home.entry[link_slot].load(acquire);
            const bool same = linked ? link_now == link : !is_link(link_now, index);
            if (same && depth(home.control.load(acquire)) == deep) return deep;
        }
    }

    // ---- the writer's steps ----

    /// Bit `bit` of the hash of the key in a slot.
    [[nodiscard]] static bool goes(std::uint64_t entry, std::uint64_t print, unsigned bit) {
        return (known(entry, print) >> bit & 1) != 0;
    }

    /// The next bucket of the round. False: not now.
    bool split() {
        const std::uint64_t n = buckets();
        const auto bit = static_cast<unsigned>(std::bit_width(n)) - 1;
        const std::uint64_t index = n - (std::uint64_t{1} << bit);
        if (n >= (std::min)(most_buckets, primary_.capacity())) return false;
        state_->shortage.store(0, relaxed);
        bucket& old = primary_[index];
        const std::uint64_t control = old.control.load(relaxed);
        bucket* const front = (control & chained) != 0 ? front_of(index) : nullptr;
        if (front != nullptr && !can_copy(index, front)) return false;

        const change guard(*state_);
        const std::uint64_t deeper = (bit + 1 - base_bits) * depth_one;
        bucket& fresh = primary_[n];
        std::uint64_t staying = (control & ~depth_bits) | deeper;
        // No processor predicts which go: each is written, and one that stays is written over.
        std::uint64_t coming = 0;
        unsigned next = 0;
        for_each_of(old, [&](unsigned slot, std::uint64_t entry, std::uint64_t print) {
            const std::uint64_t all = -std::uint64_t{goes(entry, print, bit)};
            fresh.entry[next].store(entry, relaxed);
            coming |= (print & all) << (8 * next);
            staying &= ~((0xFF & all) << (8 * slot));
            next += static_cast<unsigned>(all & 1);
        });
        if (next < 7) fresh.entry[next].store(0, relaxed);
        fresh.control.store(coming | deeper, release);
        const auto copy = [&](unsigned, std::uint64_t entry, std::uint64_t print) {
            if (goes(entry, print, bit)) static_cast<void>(add(fresh, n, entry, print));
        };
        for_each_in_chain(front, [&](bucket& each) { for_each_of(each, copy); });
        old.control.store(staying, release);  // I4: from here on the moved keys are in bucket n
        for (std::uint64_t gone = used(control ^ staying); gone != 0; gone &= gone - 1)
            old.entry[first(gone)].store(0, release);
        if ((control & chained) != 0) {
            for_each_in_chain(front, [&](bucket& each) {
                for_each_of(each, [&](unsigned slot, std::uint64_t entry, std::uint64_t print) {
                    if (goes(entry, print, bit)) vacate(each, slot);
                });
            });
            repack(index);
        }
        state_->buckets.store(n + 1, relaxed);
        exact_ = extent(n + 1);
        // The readers' copy changes 64 times a round: it is seldom taken from their caches.
        const std::uint64_t stride = Threading::concurrent ? below(bit - link_slot) : 0;
        if (((n + 1) & stride) == 0) extent_.store(exact_, release);
        if (n + 2 < primary_.capacity()) {  // splits to come
            for (const auto later : {index + 2, n + 2}) COFFER_PREFETCH(&primary_[later]);
            const bool linked = (primary_[index + 1].control.load(relaxed) & chained) != 0;
            if (linked) COFFER_PREFETCH(front_of(index + 1));
        }
        return true;
    }

    /// The new bucket's chain will need no more buckets than the old one has.
    [[nodiscard]] bool can_copy(std::uint64_t index, bucket* front) noexcept {
        std::uint64_t length = 0;
        for_each_in_chain(front, [&](bucket&) { ++length; });
        if (length > overflow_used()) store_link(index, 0);  // damaged: a ring
        const bool enough = length <= overflow_used() && spare() >= length + promised_;
        if (!enough) state_->shortage.store((std::min)(length, overflow_used()), relaxed);
        return enough;
    }
};

}  // namespace detail

namespace index {

struct hash {
    static constexpr policy_id id{"hash", 1};
    static constexpr bool ordered = false;
    template <threading_policy Threading, class Memory, std::size_t KeySize>
    using table = detail::hash_table<Threading, Memory>;
};

static_assert(index_policy<hash>);
static_assert(detail::index_table<hash::table<threading::multi, detail::heap_memory, 0>>);

}  // namespace index

}  // namespace coffer

#endif
