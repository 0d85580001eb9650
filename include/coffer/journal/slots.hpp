// coffer/journal/slots.hpp: which slots of the segment table are free.
//
// Slots are small numbers that addresses carry; they are given out again, unlike segment ids.
// Threads: inside the writer's section, or before the log is shared.
#ifndef COFFER_JOURNAL_SLOTS_HPP
#define COFFER_JOURNAL_SLOTS_HPP

#include <coffer/core/result.hpp>
#include <coffer/format/position.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace coffer::detail {

class slot_pool {
public:
    /// A free slot; most_slots when there is none.
    [[nodiscard]] std::uint32_t find() const noexcept {
        return free_.empty() ? used_ : free_.back();
    }

    void take(std::uint32_t slot) {
        const auto at = std::find(free_.begin(), free_.end(), slot);
        if (at != free_.end()) {
            free_.erase(at);
            return;
        }
        for (; used_ < slot; ++used_) free_.push_back(used_);
        used_ = slot + 1;
    }

    void give(std::uint32_t slot) { free_.push_back(slot); }

    [[nodiscard]] static failure none_free() {
        return fail(errc::no_space,
                    "the store has as many segments as it can hold; open it with "
                    "larger segment_bytes and compact it");
    }

private:
    std::vector<std::uint32_t> free_;
    std::uint32_t used_ = 0;
};

}  // namespace coffer::detail

#endif
