// coffer/storage/pending.hpp: writes that are in the log but not yet to be seen.
//
// A slot of the index normally holds the address of a record. For a batch, and for every write
// whose promise must hold before readers see it, it holds the number of a descriptor instead (bit
// 47 set):
//
//   record    the record that was appended (a put or an erase): it becomes true
//   previous  what the slot held before: it is true until then (0: nothing; may be pending itself)
//   end       the place in the log behind the whole commit
//
// A reader takes `record` if end <= committed(), else `previous`. So one store to the committed
// place commits any number of keys at once, and nobody waits. Afterwards the writer makes slots
// plain.
//
// A batch that needs no promise before it is seen goes into the log and the index in one piece.
// Its new keys need no descriptor: while it is being written, no reader takes a record from where
// it begins to the end of its segment (hide, show), be it in a slot or in a descriptor.
//
// P1  `end` of the descriptors in the queue never falls from front to back.
// P2  committed() only grows.
// P3  A descriptor is used again only when no reader of its time is left (epoch). Those that wait
//     for that go in two groups: one is added to, while the readers of the other leave.
// P4  Behind what is hidden lie records of one batch only. show() is the moment at which it
//     happens: commit() before it leaves its descriptors hidden.
// P5  A batch that has failed stays hidden until no reader of its time is left (hide_on); one that
//     comes meanwhile is not hidden, and has a descriptor for each key.
// Threads: what readers call from any thread under a pin; the rest inside the writer's section.
#ifndef COFFER_STORAGE_PENDING_HPP
#define COFFER_STORAGE_PENDING_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/epoch.hpp>
#include <coffer/core/growing.hpp>
#include <coffer/core/memory.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/format/position.hpp>
#include <coffer/index/concept.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace coffer::detail {

inline constexpr ref pending_bit = ref{1} << 47;

[[nodiscard]] constexpr bool is_pending(ref where) noexcept {
    return (where & pending_bit) != 0;
}

template <threading_policy Threading>
class pending_writes {
    using word = typename Threading::template atomic<std::uint64_t>;
    static constexpr std::uint64_t erase_bit = std::uint64_t{1} << 63;
    static constexpr std::uint64_t group = 256;

    /// The last two are of the writer alone; a new descriptor is all zeros.
    struct descriptor {
        word record;
        word previous;
        word end;
        std::uint32_t before;
        std::uint32_t behind;
    };
    static constexpr std::uint32_t none = UINT32_MAX;

    /// Descriptors one behind the other, linked through themselves.
    struct chain {
        std::uint32_t first = none;
        std::uint32_t last = none;
        std::uint64_t count = 0;
    };

public:
    explicit pending_writes(epoch<Threading>& readers) noexcept : readers_(&readers) {}

    // ---- readers ----

    /// The record that counts for a reader now; 0 when there is none.
    [[nodiscard]] COFFER_ALWAYS_INLINE address resolve(ref where) const noexcept {
        if (is_pending(where)) [[unlikely]]
            where = resolve_chain(where);
        return hides(where) ? 0 : where;
    }

    /// Is it a record of the batch that is being written?
    [[nodiscard]] COFFER_ALWAYS_INLINE bool hides(address where) const noexcept {
        const address from = hidden_.load(std::memory_order_acquire);
        if (from == nowhere_hidden) [[likely]]
            return false;
        return where - from <= (~from & ((address{1} << offset_bits) - 1));
    }

    /// A record that bears the key of the slot.
    [[nodiscard]] address bearer(ref where) const noexcept {
        if (!is_pending(where)) return where;
        const descriptor* const at = find(where);
        if (at == nullptr) return nowhere;
        return at->record.load(std::memory_order_acquire) & ~erase_bit;
    }

    /// May the record at `where` count once all that is pending here is kept or taken back?
    [[nodiscard]] bool may_lead(ref slot, address where) const noexcept {
        while (is_pending(slot)) {
            const descriptor* const at = find(slot);
            if (at == nullptr) return true;
            if ((at->record.load(std::memory_order_acquire) & ~erase_bit) == where) return true;
            slot = at->previous.load(std::memory_order_acquire);
        }
        return slot == where;
    }

    [[nodiscard]] position committed() const noexcept {
        return position::of_word(committed_.load(std::memory_order_acquire));
    }

    // ---- the writer's section ----

    [[nodiscard]] bool ready(std::size_t count) const noexcept {
        return free_.count + (table_.capacity() - used()) >= count;
    }

    /// Outside the section, one caller at a time.
    [[nodiscard]] result<void> prepare(std::size_t count) {
        while (table_.capacity() - used() < count) {
            if (table_.capacity() > none / 2) {
                return coffer::fail(errc::no_space,
                                    "too many writes wait for their promise; sync more often");
            }
            if (auto grown = table_.grow(memory_, 0); !grown) return grown;
        }
        return {};
    }

    /// A descriptor for `record`; ready(1) was true. Returns what goes into the slot.
    [[nodiscard]] ref install(address record, bool erases, ref previous, position end) {
        auto number = static_cast<std::uint32_t>(used());
        if (free_.count == 0) {
            used_.store(number + std::uint64_t{1}, std::memory_order_relaxed);
        } else {
            number = take(free_, free_.last);
        }
        descriptor& at = table_[number];
        at.record.store(record | (erases ? erase_bit : 0), std::memory_order_relaxed);
        at.previous.store(previous, std::memory_order_relaxed);
        at.end.store(end.word(), std::memory_order_release);
        add(queue_, number);
        return number | pending_bit;
    }

    /// The batch that follows begins at `first`. False: it is not hidden, because readers may hold
    /// places of one that has failed, which no index names any more.
    [[nodiscard]] bool hide(address first) noexcept {
        if (failed_at_ != 0 && readers_->oldest() <= failed_at_) return false;
        failed_at_ = 0;
        hidden_.store(first, std::memory_order_release);
        return true;
    }
    void show() noexcept { hidden_.store(nowhere_hidden, std::memory_order_release); }
    /// The batch has failed: it stays hidden until no reader can hold a place of it; `for_ever`, if
    /// an index may still name one.
    void hide_on(bool for_ever) noexcept { failed_at_ = for_ever ? UINT64_MAX : readers_->stamp(); }

    void commit(position upto) noexcept {
        if (upto > committed()) committed_.store(upto.word(), std::memory_order_release);
    }

    [[nodiscard]] bool empty() const noexcept { return queue_.count == 0; }
    /// False: nothing that is pending can have this number.
    [[nodiscard]] bool knows(ref where) const noexcept {
        return !empty() && (where & ~pending_bit) < used();
    }
    [[nodiscard]] position end_of(ref where) const noexcept {
        return position::of_word(table_[where & ~pending_bit].end.load(std::memory_order_relaxed));
    }
    [[nodiscard]] ref previous_of(ref where) const noexcept {
        return table_[where & ~pending_bit].previous.load(std::memory_order_relaxed);
    }
    void set_previous(ref where, ref previous) noexcept {
        table_[where & ~pending_bit].previous.store(previous, std::memory_order_release);
    }
    [[nodiscard]] bool erases(ref where) const noexcept {
        return (table_[where & ~pending_bit].record.load(std::memory_order_relaxed) & erase_bit) !=
               0;
    }

    /// Takes the oldest descriptor if its commit ends at or before `upto`; 0 otherwise.
    [[nodiscard]] ref take_committed(position upto) noexcept {
        if (empty() || end_of(queue_.first | pending_bit) > upto) return 0;
        return take(queue_, queue_.first) | pending_bit;
    }

    /// Takes the newest descriptor of the commit that ends at `end`; 0 when none is left.
    [[nodiscard]] ref take_failed(position end) noexcept {
        std::uint32_t at = queue_.last;
        while (at != none && end_of(at | pending_bit) > end) at = table_[at].before;
        if (at == none || end_of(at | pending_bit) < end) return 0;
        return take(queue_, at) | pending_bit;
    }

    /// What the descriptor stands for has failed: it never becomes true, whatever commits later,
    /// for a reader that still holds it either.
    void fail(ref where) noexcept {
        table_[where & ~pending_bit].end.store(UINT64_MAX, std::memory_order_release);
    }

    /// The descriptor is in no slot and no chain any more.
    void retire(ref where) noexcept {
        const auto number = static_cast<std::uint32_t>(where & ~pending_bit);
        if constexpr (!Threading::concurrent) {
            add(free_, number);
        } else {
            add(retired_, number);
            if (retired_.count % group == 0) reclaim();
        }
    }

    /// Makes those of the one group free, if no reader can hold them any more; the others follow.
    void reclaim() noexcept {
        if (leaving_.count != 0 && readers_->oldest() <= left_at_) return;
        join(free_, leaving_);
        leaving_ = std::exchange(retired_, {});
        left_at_ = readers_->stamp();
    }

    /// Leads to no record. An index that came from a damaged image may name descriptors that there
    /// are not: reading what they stand for must be an error.
    static constexpr address nowhere = make_address(most_slots - 1, largest_segment - offset_unit);

private:
    /// The newest record of a chain that counts for a reader, or what was there before them all.
    [[nodiscard]] COFFER_NOINLINE address resolve_chain(ref where) const noexcept {
        while (is_pending(where)) {
            const descriptor* const at = find(where);
            if (at == nullptr) return nowhere;
            // In this order: a commit that comes behind fail() must not make a failed one true.
            const std::uint64_t upto = committed_.load(std::memory_order_acquire);
            if (at->end.load(std::memory_order_acquire) <= upto) {
                const std::uint64_t record = at->record.load(std::memory_order_acquire);
                if (!hides(record & ~erase_bit)) return (record & erase_bit) != 0 ? 0 : record;
            }
            where = at->previous.load(std::memory_order_acquire);
        }
        return where;
    }

    /// From here to the end of its segment lies nothing that an index names.
    static constexpr address nowhere_hidden = UINT64_MAX;

    [[nodiscard]] const descriptor* find(ref where) const noexcept {
        const std::uint64_t number = where & ~pending_bit;
        return number < used() ? &table_[number] : nullptr;
    }

    [[nodiscard]] std::uint64_t used() const noexcept {
        return used_.load(std::memory_order_relaxed);
    }

    void add(chain& to, std::uint32_t number) noexcept {
        table_[number].before = to.last;
        table_[number].behind = none;
        (to.last == none ? to.first : table_[to.last].behind) = number;
        to.last = number;
        ++to.count;
    }
    std::uint32_t take(chain& from, std::uint32_t number) noexcept {
        const descriptor& at = table_[number];
        (at.before == none ? from.first : table_[at.before].behind) = at.behind;
        (at.behind == none ? from.last : table_[at.behind].before) = at.before;
        --from.count;
        return number;
    }
    /// Puts all of `from` behind `to`.
    void join(chain& to, chain& from) noexcept {
        if (from.count == 0) return;
        table_[from.first].before = to.last;
        (to.last == none ? to.first : table_[to.last].behind) = from.first;
        to.last = from.last;
        to.count += std::exchange(from, {}).count;
    }

    epoch<Threading>* readers_;
    heap_memory memory_;
    growing<descriptor, Threading, 6> table_;
    word committed_{0};
    word hidden_{nowhere_hidden};
    std::uint64_t failed_at_ = 0;  // when what is hidden failed, 0: it has not
    word used_{0};   // changed inside the section; prepare() reads it outside
    chain queue_;    // what is pending, in the order of the log
    chain free_;     // to be used again
    chain retired_;  // readers may hold them
    chain leaving_;  // only readers that began at left_at_ or before may
    std::uint64_t left_at_ = 0;
};

}  // namespace coffer::detail

#endif
