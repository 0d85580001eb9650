// coffer/fs/simulated_space.hpp: which parts of a simulated file have space on the disk.
//
// Counted by the byte, so that a test can let the disk become full at every one. Threads: none.
#ifndef COFFER_FS_SIMULATED_SPACE_HPP
#define COFFER_FS_SIMULATED_SPACE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace coffer::detail::sim {

/// The parts of a file that have space on the disk.
class spans {
public:
    /// Up to where [at, end) can be given space when `room` bytes are left. Takes them from `room`.
    [[nodiscard]] std::uint64_t take(std::uint64_t at, std::uint64_t end, std::uint64_t& room) {
        std::uint64_t place = at;
        std::size_t i = 0;
        while (place < end) {
            while (i < held_.size() && held_[i].to <= place) ++i;
            if (i < held_.size() && held_[i].from <= place) {
                place = (std::min)(end, held_[i].to);
                continue;
            }
            const std::uint64_t gap =
                (i < held_.size() ? (std::min)(end, held_[i].from) : end) - place;
            const std::uint64_t got = (std::min)(gap, room);
            room -= got;
            place += got;
            if (got < gap) break;
        }
        add(at, place);
        return place;
    }

    /// Gives back what lies from `size` on.
    std::uint64_t cut(std::uint64_t size) noexcept {
        std::uint64_t freed = 0;
        while (!held_.empty() && held_.back().to > size) {
            const std::uint64_t from = (std::max)(held_.back().from, size);
            freed += held_.back().to - from;
            held_.back().to = from;
            if (held_.back().from == from) held_.pop_back();
        }
        return freed;
    }

private:
    struct span {
        std::uint64_t from;
        std::uint64_t to;
    };

    void add(std::uint64_t from, std::uint64_t to) {
        if (from >= to) return;
        std::vector<span> merged;
        for (const span& each : held_) {
            if (each.to < from || each.from > to) {
                merged.push_back(each);
            } else {
                from = (std::min)(from, each.from);
                to = (std::max)(to, each.to);
            }
        }
        const auto at = std::find_if(merged.begin(), merged.end(),
                                     [from](const span& each) { return each.from > from; });
        merged.insert(at, span{from, to});
        held_ = std::move(merged);
    }

    std::vector<span> held_;  // ascending, apart
};

}  // namespace coffer::detail::sim

#endif
