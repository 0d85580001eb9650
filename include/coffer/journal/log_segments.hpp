// coffer/journal/log_segments.hpp: the segments of a log, from the making of one to its removal.
//
// A segment has a file (or memory), a slot of the table, by which readers find it, and a place in
// the list. The log (log.hpp) says what goes into them and when; what is here is the same whatever
// they hold.
//
// S1  A slot is taken before there is a file, and both are given back on any way out: what fails
//     leaves nothing behind.
// S2  What readers may still see is freed outside of the section, in the order in which it was
//     retired: of a segment what settling it has left before the segment itself.
//
// Threads: any; the list, the table and the slots under enter(). make() one at a time.
// Failure: no_space, before there is anything.
#ifndef COFFER_JOURNAL_LOG_SEGMENTS_HPP
#define COFFER_JOURNAL_LOG_SEGMENTS_HPP

#include <coffer/core/epoch.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/format/identity.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>
#include <coffer/journal/found_segment.hpp>
#include <coffer/journal/keeper.hpp>
#include <coffer/journal/log_state.hpp>
#include <coffer/journal/room.hpp>
#include <coffer/journal/section.hpp>
#include <coffer/journal/segment.hpp>
#include <coffer/journal/segment_list.hpp>
#include <coffer/journal/segment_table.hpp>
#include <coffer/journal/slots.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace coffer::detail {

template <class Medium, threading_policy Threading>
class log_segments {
public:
    using file_system_type = typename Medium::file_system_type;
    using directory = typename file_system_type::directory;
    using segment_type = segment<typename Medium::body, Threading>;
    using table_type = segment_table<Threading, segment_type>;
    using list_type = segment_list<segment_type>;
    using owned = typename list_type::owned;
    using keeper_type = keeper_of<Medium, Threading>;

    static constexpr bool persistent = Medium::persistent;

    /// The writer's section.
    [[nodiscard]] auto enter() noexcept { return section_.enter(); }
    void let_in() const noexcept { section_.let_in(); }

    [[nodiscard]] table_type& table() noexcept { return table_; }
    [[nodiscard]] const table_type& table() const noexcept { return table_; }
    [[nodiscard]] const log_options& options() const noexcept { return options_; }
    [[nodiscard]] file_system_type& system() noexcept { return system_; }
    [[nodiscard]] keeper_type& keeper() noexcept { return keeper_; }
    [[nodiscard]] directory* folder() noexcept { return folder_.get(); }
    [[nodiscard]] const store_id& id() const noexcept { return id_; }
    /// All segments of the log, oldest first; inside the section.
    [[nodiscard]] const std::vector<owned>& segments() const noexcept { return listed_.all(); }
    [[nodiscard]] epoch<Threading>& readers() noexcept { return readers_; }

    /// Takes in a segment that recovery found, in order of ids. `slot`: known, or most_slots.
    [[nodiscard]] result<segment_type*> adopt(const found_segment& found, std::uint32_t slot) {
        slot = slots_.take(slot);
        if (slot == most_slots) return slots_.none_free();
        auto body = medium_.open(folder_.get(), segment_name(found.id), found.end);
        if (!body) return body.failure();
        auto made = std::make_unique<segment_type>(std::move(*body), found.id, slot, found.end,
                                                   segment_seed(id_.low, id_.high, found.id),
                                                   keeper_.state(slot));
        made->take_up(found);
        keeper_.keep(*made);
        table_.publish(*made, made->body.memory(), found.end, options_.verify_reads);
        const auto section = enter_ready();
        return &listed_.add(std::move(made), found.durable == found.end);
    }

    /// Ends a segment that is not in the log, that no index names and no reader holds: its memory,
    /// its slot and its file go.
    [[nodiscard]] result<void> remove(owned gone) {
        if (gone == nullptr) return {};
        const std::uint64_t number = gone->id;
        free_slot(gone->slot);
        gone.reset();
        if constexpr (persistent) return folder_->remove(segment_name(number));
        return {};
    }

    /// Frees what no reader can hold any more. Not in the section.
    void reclaim() {
        const auto alone = lock_of<typename Threading::mutex>(freeing_);  // S2
        const auto take_out = [this] {
            const auto section = enter();
            return readers_.reclaim();
        };
        static_cast<void>(take_out());
    }

protected:
    log_segments(file_system_type system, const log_options& options)
        : system_(system), options_(options), medium_(system, options) {}
    log_segments(const log_segments&) = delete;
    log_segments& operator=(const log_segments&) = delete;
    ~log_segments() = default;

    [[nodiscard]] result<void> start(std::unique_ptr<directory> folder, const store_id& id) {
        folder_ = std::move(folder);
        id_ = id;
        return table_.start();
    }

    /// Enters the section with room in the list for one more.
    [[nodiscard]] auto enter_ready() {
        return detail::enter_ready(listed_, [this] { return enter(); });
    }

    /// A new segment with room for `size` bytes in one piece, not in the list; its name is not
    /// durable yet.
    [[nodiscard]] result<owned> make(std::uint64_t number, std::uint64_t size, bool frees_space) {
        if (number > largest_segment_id) return no_number_left();
        auto section = enter();
        auto wanted = room_for(size, listed_.bytes(), listed_.size(), options_);
        const std::uint32_t slot = wanted ? slots_.take() : most_slots;
        section.unlock();
        if (!wanted) return wanted.failure();
        if (slot == most_slots) return slots_.none_free();
        on_exit untaken([&] { free_slot(slot); });  // S1
        auto made = make_body(medium_, folder_.get(), options_, segment_name(number), *wanted,
                              frees_space);
        if (!made) return made.failure();
        on_exit unused([&] { unmake_body(*made, folder_.get(), number); });
        auto out = std::make_unique<segment_type>(
            std::move(made->body), number, slot, made->capacity,
            segment_seed(id_.low, id_.high, number), keeper_.fresh_state(slot, number));
        unused.dismiss();
        untaken.dismiss();
        return out;
    }

    file_system_type system_;
    log_options options_;
    Medium medium_;
    std::unique_ptr<directory> folder_;
    store_id id_;

    writers_section<Threading> section_;  // guards what follows
    table_type table_;
    epoch<Threading> readers_;
    list_type listed_;
    keeper_type keeper_;
    slot_pool slots_;

private:
    void free_slot(std::uint32_t slot) noexcept {
        const auto section = enter();
        table_.clear(slot);
        keeper_.drop(slot);
        slots_.give(slot);
    }

    typename Threading::mutex freeing_;
};

}  // namespace coffer::detail

#endif
