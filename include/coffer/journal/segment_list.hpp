// coffer/journal/segment_list.hpp: the segments of a log, oldest first.
//
// A log takes up a new segment in the writer's section, where nothing may be allocated. So room for
// one more is made before that, outside: a larger list, still empty, whose room is taken over.
//
// L1  add() and runs() allocate nothing, if ready() held since the last add().
// L2  Ids ascend. Unsynced are those that are not durable as a whole, or not read-only yet.
// Threads: inside the section; a larger list is its maker's until then. Cost: three words for each.
#ifndef COFFER_JOURNAL_SEGMENT_LIST_HPP
#define COFFER_JOURNAL_SEGMENT_LIST_HPP

#include <coffer/format/position.hpp>
#include <coffer/format/segment_header.hpp>
#include <coffer/journal/segment.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace coffer::detail {

template <class Segment>
class segment_list {
public:
    using owned = std::unique_ptr<Segment>;

    segment_list() noexcept = default;
    /// Empty, with room for more than twice as many.
    explicit segment_list(std::size_t count) : room_(2 * count + 8) {
        all_.reserve(room_);
        unsynced_.reserve(room_);
        runs_.reserve(room_);
    }

    [[nodiscard]] const std::vector<owned>& all() const noexcept { return all_; }
    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        std::uint64_t sum = 0;
        for (const owned& each : all_) sum += each->end;
        return sum;
    }

    /// Is there room for one more?
    [[nodiscard]] bool ready() const noexcept { return all_.size() < room_; }
    /// Goes on in the room of `larger`, which is empty and has more, and is left with this one's.
    void take_room(segment_list& larger) noexcept {
        for (owned& each : all_) larger.all_.push_back(std::move(each));
        for (Segment* const each : unsynced_) larger.unsynced_.push_back(each);
        std::swap(*this, larger);
    }

    Segment& add(owned one, bool is_synced) noexcept {
        Segment& added = *one;
        all_.push_back(std::move(one));
        if (!is_synced) unsynced_.push_back(&added);
        return added;
    }

    /// Takes out `which`, which is in it.
    [[nodiscard]] owned take(const Segment& which) noexcept {
        const auto at = std::find_if(all_.begin(), all_.end(),
                                     [&](const owned& each) { return each.get() == &which; });
        owned out = std::move(*at);
        all_.erase(at);
        return out;
    }

    /// Of those before `upto`, the oldest unsynced one whose id is above `last`; no segment: none.
    [[nodiscard]] task<Segment> next_unsynced(std::uint64_t last, position upto) const noexcept {
        for (Segment* const each : unsynced_) {
            if (each->id <= last) continue;
            if (each->id > upto.segment()) break;
            const std::uint64_t end = end_before(*each, upto);
            return {each, end, each->full && each->end == end};
        }
        return {};
    }

    /// Where, before `tail`, the next `size` bytes end that are to be handed over: anywhere in a
    /// record. `tail`, where there are fewer.
    [[nodiscard]] position part(std::uint64_t size, position tail) const noexcept {
        for (const Segment* const each : unsynced_) {
            if (each->id > tail.segment()) break;
            const std::uint64_t end = end_before(*each, tail);
            const std::uint64_t waiting = end - (std::min)(end, each->handed);
            if (waiting >= size) return {each->id, end - waiting + size};
            size -= waiting;
        }
        return tail;
    }

    /// Bytes of all segments that are not known to be durable.
    [[nodiscard]] std::uint64_t unsynced_bytes() const noexcept {
        std::uint64_t sum = 0;
        for (const Segment* const each : unsynced_)
            sum += each->end - (std::min)(each->end, each->synced);
        return sum;
    }

    /// All before `upto` is durable; what is settled, too, is not unsynced any more.
    void note_synced(position upto) noexcept {
        for (Segment* const each : unsynced_) {
            if (each->id <= upto.segment()) each->synced = end_before(*each, upto);
        }
        std::erase_if(unsynced_, [](const Segment* each) {
            return each->settled && each->synced == each->end;
        });
    }

    /// For the header of the next one. The caller may move it away, and gives it back.
    [[nodiscard]] std::vector<segment_run>& runs() noexcept {
        runs_.clear();
        for (const owned& each : all_) {
            const bool joins = !runs_.empty() && !each->torn && runs_.back().end == 0 &&
                               runs_.back().first + runs_.back().count == each->id;
            if (joins) {
                ++runs_.back().count;
            } else {
                runs_.push_back({each->id, 1, each->torn ? each->end : 0});
            }
        }
        return runs_;
    }

private:
    /// A segment that is older than the one in which `upto` lies ends before it.
    [[nodiscard]] static std::uint64_t end_before(const Segment& each, position upto) noexcept {
        return each.id == upto.segment() ? upto.offset() : each.end;
    }

    std::size_t room_ = 0;
    std::vector<owned> all_;
    std::vector<Segment*> unsynced_;
    std::vector<segment_run> runs_;
};

/// Makes room for as many segments again, by `enter()`, which enters what guards the list.
template <class Segment, class Enter>
void make_room(segment_list<Segment>& list, Enter& enter) {
    std::size_t size = 0;
    {
        [[maybe_unused]] const auto inside = enter();
        size = list.size();
    }
    segment_list<Segment> larger(size);  // frees the smaller one when nobody is inside
    [[maybe_unused]] const auto inside = enter();
    if (list.size() <= size) list.take_room(larger);
}

/// Enters what guards a list, by `enter()`, with room for one more in it. Not inside.
template <class Segment, class Enter>
[[nodiscard]] auto enter_ready(segment_list<Segment>& list, Enter&& enter) {
    for (;;) {
        if (auto inside = enter(); list.ready()) return inside;
        make_room(list, enter);
    }
}

}  // namespace coffer::detail

#endif
