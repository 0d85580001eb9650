// coffer/journal/segment_table.hpp: from an address to the record behind it.
//
// One entry per slot: where the bytes of its segment are now, how far they may be followed, and the
// seed of its checks. Readers use it without a lock, under an epoch pin; entries change when a
// segment is born, when its memory moves (it is settled) and when it is removed.
//
// I1  An address is given out only after its slot's entry was published.
// I2  An entry is cleared only after no index names its slot, and its slot is given out again only
//     when no pin of that time is left.
// I3  A record behind an address lies wholly inside its segment, or it is damage.
// Memory: 32 bytes a slot, touched as slots are used.
#ifndef COFFER_JOURNAL_SEGMENT_TABLE_HPP
#define COFFER_JOURNAL_SEGMENT_TABLE_HPP

#include <coffer/core/memory.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/format/position.hpp>
#include <coffer/format/record.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace coffer::detail {

template <threading_policy Threading, class Segment>
class segment_table {
    static constexpr std::uint64_t verify_bit = std::uint64_t{1} << 63;

    struct entry {
        typename Threading::template atomic<const std::byte*> base;
        typename Threading::template atomic<std::uint64_t> limit;  // top bit: verify
        typename Threading::template atomic<std::uint64_t> seed;
        typename Threading::template atomic<Segment*> owner;
    };

public:
    /// The bytes that an address may lead into.
    struct view {
        const std::byte* at;  // null where no record begins in memory
        const std::byte* limit;
        std::uint64_t seed;
        std::uint64_t offset;
        bool verify;
        const Segment* owner;  // where `at` is null: read from its body, if it is not null
        std::uint64_t end;
    };

    /// Where the bytes of one slot were under the caller's pin, for records that lie together. An
    /// address that the index gave out before the window was opened lies inside it or is damage.
    struct window {
        const std::byte* base = nullptr;
        std::uint64_t end = 0;
        std::uint64_t seed = 0;
        std::uint32_t slot = most_slots;  // none
        bool verify = false;
    };

    [[nodiscard]] result<void> start() {
        // Only the pages of slots that are used are touched: on huge ones all would be.
        memory_.reset(std::calloc(most_slots + 1, sizeof(entry)));
        if (memory_ == nullptr)
            return fail(errc::no_space, "the system gives no memory for the table of segments");
        entries_ = reinterpret_cast<entry*>(aligned_up(memory_.get(), sizeof(entry)));
        return {};
    }

    void publish(Segment& segment, const std::byte* base, std::uint64_t limit,
                 bool verify) noexcept {
        entry& to = entries_[segment.slot];
        to.seed.store(segment.seed, std::memory_order_relaxed);
        to.owner.store(&segment, std::memory_order_relaxed);
        to.limit.store(limit | (verify ? verify_bit : 0), std::memory_order_release);
        to.base.store(base, std::memory_order_release);
    }

    void clear(std::uint32_t slot) noexcept {
        entries_[slot].base.store(nullptr, std::memory_order_release);
        entries_[slot].owner.store(nullptr, std::memory_order_release);
        entries_[slot].limit.store(0, std::memory_order_release);
    }

    [[nodiscard]] COFFER_ALWAYS_INLINE view at(address where) const noexcept {
        const entry& from = entries_[slot_of(where)];
        view out;
        out.offset = offset_of(where);
        const std::byte* const base = from.base.load(std::memory_order_acquire);
        const std::uint64_t limit = from.limit.load(std::memory_order_acquire);
        out.seed = from.seed.load(std::memory_order_relaxed);
        out.end = limit & ~verify_bit;
        out.verify = (limit & verify_bit) != 0;
        const auto room = static_cast<std::int64_t>(out.end - out.offset);
        const bool held = base != nullptr && room >= static_cast<std::int64_t>(smallest_record);
        out.at = held ? base + out.offset : nullptr;
        out.limit = held ? base + out.end : nullptr;
        out.owner = base == nullptr ? from.owner.load(std::memory_order_acquire) : nullptr;
        return out;
    }

    /// The same through a window, which moves to the slot of `where`; only what is in memory.
    [[nodiscard]] COFFER_ALWAYS_INLINE view at(address where, window& through) const noexcept {
        if (slot_of(where) != through.slot) [[unlikely]]
            through = opened(slot_of(where));
        view out;
        out.offset = offset_of(where);
        out.end = through.end;
        out.at = out.offset < through.end ? through.base + out.offset : nullptr;
        out.limit = through.base + through.end;
        out.seed = through.seed;
        out.verify = through.verify;
        out.owner = nullptr;
        return out;
    }

    /// Where the bytes of a slot are; null: only its body reads them.
    [[nodiscard]] const std::byte* base(std::uint32_t slot) const noexcept {
        return entries_[slot].base.load(std::memory_order_acquire);
    }

    [[nodiscard]] Segment* owner(std::uint32_t slot) const noexcept {
        return entries_[slot].owner.load(std::memory_order_acquire);
    }

    /// The id of the segment behind an address; 0 when there is none.
    [[nodiscard]] std::uint64_t id_of(address where) const noexcept {
        const Segment* const segment = owner(slot_of(where));
        return segment != nullptr ? segment->id : 0;
    }

    /// The first lines of a record.
    void prefetch(address where) const noexcept {
        const std::byte* const base = entries_[slot_of(where)].base.load(std::memory_order_relaxed);
        if (base == nullptr) return;
        const std::byte* const at = base + offset_of(where);
        for (int line = 0; line < 3; ++line) COFFER_PREFETCH(at + 64 * line);
        COFFER_PREFETCHED();
    }

private:
    [[nodiscard]] window opened(std::uint32_t slot) const noexcept {
        const entry& from = entries_[slot];
        window out;
        out.slot = slot;
        out.base = from.base.load(std::memory_order_acquire);
        const std::uint64_t limit = from.limit.load(std::memory_order_acquire);
        out.end = out.base != nullptr ? limit & ~verify_bit : 0;
        out.seed = from.seed.load(std::memory_order_relaxed);
        out.verify = (limit & verify_bit) != 0;
        return out;
    }

    struct deleter {
        void operator()(void* owned) const noexcept { std::free(owned); }
    };
    std::unique_ptr<void, deleter> memory_;
    entry* entries_ = nullptr;
};

}  // namespace coffer::detail

#endif
