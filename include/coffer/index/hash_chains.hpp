// coffer/index/hash_chains.hpp: the slots of a hash table's buckets, and the chains behind them.
//
// How the writer puts a key into a bucket that is full, takes one out of a chain, and makes a chain
// short again after a split, while readers look: I1 and I3 of hash.hpp hold at every store, I5 when
// a change is over. Where keys are moved, a `change` tells who adopts the memory of a process that
// ended; what a put or a removal of one key has left half done, mend() puts right.
//
// Threads: the one writer; readers, of what they come to, as hash.hpp has it. Cost: one line of
// memory for each bucket of the chain; a chain of more than one is a rarity.
// Failure: of add(), where no overflow bucket is left. Damaged memory: wrong answers at most; no
// walk leaves the memory or goes round for ever.
#ifndef COFFER_INDEX_HASH_CHAINS_HPP
#define COFFER_INDEX_HASH_CHAINS_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/index/hash_buckets.hpp>
#include <coffer/index/hash_words.hpp>

#include <bit>
#include <cstdint>

namespace coffer::detail {

template <threading_policy Threading, class Memory, class Shape>
class hash_chains : public hash_buckets<Threading, Memory, Shape>, protected hash_words {
    using base = hash_buckets<Threading, Memory, Shape>;

protected:
    using base::base;
    using base::acquire, base::relaxed, base::release;
    using base::free_count, base::overflow_used;
    using base::primary_, base::overflow_, base::state_;
    using typename base::bucket;
    using typename base::state;

    /// The overflow bucket that a link or next word names, null for none.
    [[nodiscard]] bucket* overflow_at(std::uint64_t link) const noexcept {
        const std::uint64_t number = target(link);
        return number == 0 || number > overflow_.capacity() ? nullptr : &overflow_[number - 1];
    }

    /// While one of these lives, a process that ends leaves memory that adopt() refuses.
    class change {
    public:
        explicit change(state& of) noexcept : of_(of), before_(of.changing.load(relaxed)) {
            of_.changing.store(1, relaxed);
            keep_order();
        }
        ~change() {
            keep_order();
            of_.changing.store(before_, relaxed);
        }
        change(const change&) = delete;
        change& operator=(const change&) = delete;

    private:
        state& of_;
        std::uint64_t before_;  // 1 within another change
    };

    static void fill(bucket& in, unsigned slot, std::uint64_t entry, std::uint64_t print) noexcept {
        in.control.store(set(in.control.load(relaxed), slot, print), release);
        in.entry[slot].store(entry, release);  // I1
    }
    static void vacate(bucket& in, unsigned slot) noexcept {
        in.entry[slot].store(0, release);
        in.control.store(set(in.control.load(relaxed), slot, 0), release);
    }

    /// Prints without an entry (I1).
    static void mend(bucket& in, unsigned count) noexcept {
        for (unsigned slot = 0; slot < count; ++slot) {
            const std::uint64_t control = in.control.load(relaxed);
            if (print_at(control, slot) != 0 && in.entry[slot].load(relaxed) == 0)
                in.control.store(set(control, slot, 0), release);
        }
    }

    void store_link(std::uint64_t index, std::uint64_t to) noexcept {
        bucket& home = primary_[index];
        const std::uint64_t before = home.entry[link_slot].load(relaxed);
        const std::uint64_t next = is_link(before, index)
                                       ? next_link(before, index, to)
                                       : first_link(home.control.load(relaxed), index, to);
        home.entry[link_slot].store(next, release);
    }

    [[nodiscard]] std::uint64_t front_link(std::uint64_t index) const noexcept {
        return primary_[index].entry[link_slot].load(relaxed);
    }
    [[nodiscard]] bucket* front_of(std::uint64_t index) const noexcept {
        return overflow_at(front_link(index));
    }

    /// 1 + the index of an empty overflow bucket, 0 when there is none.
    [[nodiscard]] std::uint64_t take() noexcept {
        const std::uint64_t number = state_->free_first.load(relaxed);
        if (bucket* const free = overflow_at(number); free != nullptr) {
            state_->free_first.store(target(free->entry[link_slot].load(relaxed)), relaxed);
            state_->free_count.store(free_count() - (free_count() != 0), relaxed);
            return target(number);
        }
        const std::uint64_t fresh = overflow_used();
        if (fresh >= overflow_.capacity()) return 0;
        state_->overflow_used.store(fresh + 1, relaxed);
        return fresh + 1;
    }

    /// The chain loses its first bucket, in which no key is needed any more.
    void drop_front(std::uint64_t index) noexcept {
        const std::uint64_t number = target(front_link(index));
        bucket& gone = overflow_[number - 1];
        store_link(index, gone.entry[link_slot].load(relaxed));
        release_overflow(number);
    }
    void release_overflow(std::uint64_t number) noexcept {
        bucket& gone = overflow_[number - 1];
        for (unsigned slot = 0; slot < link_slot; ++slot) gone.entry[slot].store(0, release);
        gone.control.store(0, release);
        gone.entry[link_slot].store(state_->free_first.load(relaxed), release);
        state_->free_first.store(number, relaxed);
        state_->free_count.store(free_count() + 1, relaxed);
    }

    /// A key that is not there yet. False: no overflow bucket was left, nothing changed.
    [[nodiscard]] bool add(bucket& home, std::uint64_t index, std::uint64_t entry,
                           std::uint64_t print) {
        const std::uint64_t control = home.control.load(relaxed);
        const unsigned slot = first_free(control);
        if (slot < ((control & chained) != 0 ? link_slot : 7)) {
            fill(home, slot, entry, print);
            return true;
        }
        return add_to_chain(index, entry, print);
    }

    [[nodiscard]] COFFER_NOINLINE bool add_to_chain(std::uint64_t index, std::uint64_t entry,
                                                    std::uint64_t print) {
        bucket& home = primary_[index];
        const std::uint64_t control = home.control.load(relaxed);
        const bool linked = (control & chained) != 0;
        bucket* const front = linked ? front_of(index) : nullptr;
        if (front != nullptr) {
            const unsigned slot = first_free(front->control.load(relaxed));
            if (slot < link_slot) {
                fill(*front, slot, entry, print);
                return true;
            }
        }
        const change guard(*state_);
        const std::uint64_t number = take();
        if (number == 0) return false;
        bucket& fresh = overflow_[number - 1];
        const std::uint64_t after = target(home.entry[link_slot].load(relaxed));
        fresh.entry[link_slot].store(linked ? after : 0, release);
        if (!linked) {  // slot 6 makes room for the link: its key is found through either word
            fill(fresh, 1, home.entry[link_slot].load(relaxed), print_at(control, link_slot));
            store_link(index, number);
            home.control.store(set(control, link_slot, 0) | chained, release);
        }
        fill(fresh, 0, entry, print);
        if (linked) store_link(index, number);
        return true;
    }

    /// Moves a key from the first bucket of the chain into a free slot nearer to the lookup (I3).
    void pull(std::uint64_t index, bucket& to, unsigned slot) noexcept {
        bucket& front = *front_of(index);
        const std::uint64_t control = front.control.load(relaxed);
        const unsigned from = first(used(control));
        if (from < link_slot) {
            fill(to, slot, front.entry[from].load(relaxed), print_at(control, from));
        }
        if (used(set(control, from % 8, 0)) == 0) {
            drop_front(index);
        } else {
            store_link(index, target(front_link(index)));
            vacate(front, from);
            // A walk may come to it in both places, if one is behind the other.
            if (&to != &primary_[index]) store_link(index, target(front_link(index)));
        }
    }

    /// Restores I5 after a key of bucket `index` went from this slot of it, or of its chain.
    COFFER_NOINLINE void refill(std::uint64_t index, bucket& at, unsigned slot) noexcept {
        bucket* const front = front_of(index);
        if (front == nullptr) return;
        if (&at != front) {
            pull(index, at, slot);
        } else if (used(front->control.load(relaxed)) == 0) {
            drop_front(index);
        }
    }

    template <class Each>
    static void for_each_of(bucket& in, Each each) {
        const std::uint64_t control = in.control.load(relaxed);
        for (std::uint64_t which = used(control); which != 0; which &= which - 1) {
            const unsigned slot = first(which);
            each(slot, in.entry[slot].load(relaxed), print_at(control, slot));
        }
    }
    template <class Each>
    void for_each_in_chain(bucket* from, Each each) const {
        std::uint64_t left = overflow_.capacity() + 1;
        for (; from != nullptr && left != 0; --left) {
            each(*from);
            from = overflow_at(from->entry[link_slot].load(relaxed));
        }
    }

    /// After a split: makes I5 true again, and gives slot 6 back to keys if seven are enough.
    COFFER_NOINLINE void repack(std::uint64_t index) noexcept {
        bucket& home = primary_[index];
        bucket* fills = &home;
        for (std::uint64_t left = 8 * overflow_.capacity(); fills != nullptr && left != 0; --left) {
            bucket* const front = front_of(index);
            if (front == nullptr) break;
            const unsigned slot = first_free(fills->control.load(relaxed));
            if (used(front->control.load(relaxed)) == 0) {
                if (fills == front) fills = overflow_at(front->entry[link_slot].load(relaxed));
                drop_front(index);
            } else if (fills == &home && slot >= link_slot) {
                fills = front;
            } else if (fills == front || slot >= link_slot) {
                fills = overflow_at(fills->entry[link_slot].load(relaxed));
            } else {
                pull(index, *fills, slot);
            }
        }
        const std::uint64_t control = home.control.load(relaxed);
        bucket* const front = front_of(index);
        if (front == nullptr) {
            home.control.store(control & ~chained, release);
            home.entry[link_slot].store(0, release);
            return;
        }
        const std::uint64_t in_front = front->control.load(relaxed);
        const std::uint64_t which = used(in_front);
        if (front->entry[link_slot].load(relaxed) == 0 && std::has_single_bit(which)) {
            const unsigned slot = first(which);
            const std::uint64_t number = target(home.entry[link_slot].load(relaxed));
            const std::uint64_t print = print_at(in_front, slot);
            home.control.store(set(control & ~chained, link_slot, print), release);
            home.entry[link_slot].store(front->entry[slot].load(relaxed), release);
            release_overflow(number);
        }
    }
};

}  // namespace coffer::detail

#endif
