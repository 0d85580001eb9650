// coffer/journal/slots.hpp: which slots of the segment table are free.
//
// Slots are small numbers that addresses carry; they are given out again, unlike segment ids, the
// lowest first. One bit for each that there can be: nothing is allocated, so that a slot comes back
// on any way out.
// Threads: inside the writer's section, or before the log is shared. Cost: 8 KiB; a slot is found
// by the word.
#ifndef COFFER_JOURNAL_SLOTS_HPP
#define COFFER_JOURNAL_SLOTS_HPP

#include <coffer/core/result.hpp>
#include <coffer/format/position.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

namespace coffer::detail {

class slot_pool {
    static constexpr std::uint32_t width = 64;

public:
    /// Gives out `slot`, which is free, or where that is most_slots the lowest free one. Answers
    /// which; most_slots: there is none.
    [[nodiscard]] std::uint32_t take(std::uint32_t slot = most_slots) noexcept {
        for (std::uint32_t at = 0; slot == most_slots && at != most_slots; at += width) {
            const std::uint64_t taken = taken_[at / width];
            if (~taken != 0) slot = at + static_cast<std::uint32_t>(std::countr_one(taken));
        }
        if (slot != most_slots) taken_[slot / width] |= bit_of(slot);
        return slot;
    }
    void give(std::uint32_t slot) noexcept { taken_[slot / width] &= ~bit_of(slot); }

    [[nodiscard]] static failure none_free() {
        return fail(errc::no_space,
                    "the store has as many segments as it can hold; open it with "
                    "larger segment_bytes and compact it");
    }

private:
    [[nodiscard]] static constexpr std::uint64_t bit_of(std::uint32_t slot) noexcept {
        return std::uint64_t{1} << slot % width;
    }

    std::uint64_t taken_[most_slots / width] = {};
};

}  // namespace coffer::detail

#endif
