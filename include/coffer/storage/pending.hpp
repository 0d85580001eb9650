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
// P3  A descriptor is used again only when no reader of its time is left (epoch).
// P4  Behind what is hidden lie records of one batch only. show() is the moment at which it
//     happens: commit() before it leaves its descriptors hidden.
// Threads: resolve from any thread under a pin; the rest inside the writer's section.
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
#include <deque>
#include <vector>

namespace coffer::detail {

inline constexpr ref pending_bit = ref{1} << 47;

[[nodiscard]] constexpr bool is_pending(ref where) noexcept {
    return (where & pending_bit) != 0;
}

template <threading_policy Threading>
class pending_writes {
    using word = typename Threading::template atomic<std::uint64_t>;
    static constexpr std::uint64_t erase_bit = std::uint64_t{1} << 63;

    struct descriptor {
        word record;
        word previous;
        word end;
        word unused;
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
    [[nodiscard]] bool hides(address where) const noexcept {
        const address from = hidden_.load(std::memory_order_acquire);
        return where - from <= (~from & ((address{1} << offset_bits) - 1));
    }

    /// A record that bears the key of the slot.
    [[nodiscard]] address bearer(ref where) const noexcept {
        if (!is_pending(where)) return where;
        const descriptor* const at = find(where);
        if (at == nullptr) return nowhere;
        return at->record.load(std::memory_order_acquire) & ~erase_bit;
    }

    [[nodiscard]] position committed() const noexcept {
        return position::of_word(committed_.load(std::memory_order_acquire));
    }

    // ---- the writer's section ----

    [[nodiscard]] bool ready(std::size_t count) const noexcept {
        return free_.size() + (table_.capacity() - used()) >= count;
    }

    /// Outside the section, one caller at a time.
    [[nodiscard]] result<void> prepare(std::size_t count) {
        while (table_.capacity() - used() < count) {
            if (auto grown = table_.grow(memory_, 0); !grown) return grown;
        }
        return {};
    }

    /// A descriptor for `record`; ready(1) was true. Returns what goes into the slot.
    [[nodiscard]] ref install(address record, bool erases, ref previous, position end) {
        std::uint64_t number = used();
        if (free_.empty()) {
            used_.store(number + 1, std::memory_order_relaxed);
        } else {
            number = free_.back();
            free_.pop_back();
        }
        descriptor& at = table_[number];
        at.record.store(record | (erases ? erase_bit : 0), std::memory_order_relaxed);
        at.previous.store(previous, std::memory_order_relaxed);
        at.end.store(end.word(), std::memory_order_release);
        queue_.push_back(number);
        return number | pending_bit;
    }

    /// The batch that follows begins at `first`.
    void hide(address first) noexcept { hidden_.store(first, std::memory_order_release); }
    void show() noexcept { hidden_.store(nowhere_hidden, std::memory_order_release); }

    void commit(position upto) noexcept {
        if (upto > committed()) committed_.store(upto.word(), std::memory_order_release);
    }

    [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }
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
    [[nodiscard]] ref take_committed(position upto) {
        if (queue_.empty() || end_of(queue_.front() | pending_bit) > upto) return 0;
        const ref taken = queue_.front() | pending_bit;
        queue_.pop_front();
        return taken;
    }

    /// Takes the newest descriptor of the commit that ends at `end`; 0 when none is left.
    [[nodiscard]] ref take_failed(position end) {
        for (auto at = queue_.rbegin(); at != queue_.rend(); ++at) {
            const ref each = *at | pending_bit;
            if (end_of(each) < end) return 0;
            if (end_of(each) == end) {
                queue_.erase(std::next(at).base());
                return each;
            }
        }
        return 0;
    }

    /// What the descriptor stands for has failed: it never becomes true, whatever commits later,
    /// for a reader that still holds it either.
    void fail(ref where) noexcept {
        table_[where & ~pending_bit].end.store(UINT64_MAX, std::memory_order_release);
    }

    /// The descriptor is in no slot and no chain any more.
    void retire(ref where) {
        readers_->retire(
            [](void* self, std::uint64_t number) noexcept {
                static_cast<pending_writes*>(self)->free_.push_back(number);
            },
            this, where & ~pending_bit);
        if (++retired_ % 256 == 0) readers_->reclaim();
    }

private:
    /// Leads to no record. An index that came from a damaged image may name descriptors that there
    /// are not: reading what they stand for must be an error.
    static constexpr address nowhere = make_address(most_slots - 1, largest_segment - offset_unit);

    /// The newest record of a chain that counts for a reader, or what was there before them all.
    [[nodiscard]] COFFER_NOINLINE address resolve_chain(ref where) const noexcept {
        while (is_pending(where)) {
            const descriptor* const at = find(where);
            if (at == nullptr) return nowhere;
            if (at->end.load(std::memory_order_acquire) <=
                committed_.load(std::memory_order_acquire)) {
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
        return number < table_.capacity() ? &table_[number] : nullptr;
    }

    [[nodiscard]] std::uint64_t used() const noexcept {
        return used_.load(std::memory_order_relaxed);
    }

    epoch<Threading>* readers_;
    heap_memory memory_;
    growing<descriptor, Threading, 6> table_;
    word committed_{0};
    word hidden_{nowhere_hidden};
    word used_{0};  // changed inside the section; prepare() reads it outside
    std::uint64_t retired_ = 0;
    std::vector<std::uint64_t> free_;
    std::deque<std::uint64_t> queue_;
};

}  // namespace coffer::detail

#endif
