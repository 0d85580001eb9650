// coffer/journal/log.hpp: the log: one order of records over a chain of segments.
//
//        durable          handed             tail
//   ...----|-----------------|-----------------|........ reserved ........|
//    on stable storage   with the system   in memory
//
// The writer's section (enter) claims a place at the tail, copies a record there and publishes it;
// no sync, no allocation and no release of memory happens inside. Two turns keep I/O in order while
// the section stays free: who has the first syncs, oldest segment first; who has the second hands
// bytes to the system. A sync takes the second only for what it hands over itself, so that nobody
// who has a buffer to hand over waits for the disk.
//
// I1  Bytes between begin and end of a segment are whole records, and do not change; but for the
//     last one of a batch, until it is complete().
// I2  durable <= handed <= tail (progress.hpp).
// I3  A commit lies inside one segment.
// I4  A segment is prepared, its name durable, before it becomes active.
// I5  After a failed sync nothing is ever synced again: the log is poisoned.
// I6  No segment is settled while a sync is under way: its file would change below it.
//
// Threads: append and rotation under enter(); hand_over, sync and prepare from any thread.
// Failure: no_space from prepare before a record has a place; a failed hand-over keeps its bytes
// and may be tried again (stuck), unless whoever waited for it gives up; a failed sync poisons.
#ifndef COFFER_JOURNAL_LOG_HPP
#define COFFER_JOURNAL_LOG_HPP

#include <coffer/core/memory.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/format/record.hpp>
#include <coffer/format/segment_header.hpp>
#include <coffer/journal/log_segments.hpp>
#include <coffer/journal/log_state.hpp>
#include <coffer/journal/progress.hpp>
#include <coffer/journal/room.hpp>
#include <coffer/journal/segment.hpp>
#include <coffer/journal/segment_list.hpp>
#include <coffer/journal/space_reserve.hpp>
#include <coffer/journal/turn.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace coffer::detail {

template <class Medium, threading_policy Threading>
class log : public log_progress<Threading>, public log_segments<Medium, Threading> {
    using progress = log_progress<Threading>;
    using parts = log_segments<Medium, Threading>;
    using typename parts::owned;
    using parts::options_, parts::folder_, parts::table_, parts::readers_, parts::listed_,
        parts::keeper_, parts::enter_ready;

public:
    using progress::tail, progress::handed, progress::durable;
    using typename parts::file_system_type, typename parts::directory,
        typename parts::segment_type, typename parts::keeper_type;
    using parts::persistent, parts::enter, parts::remove;
    using task_type = task<segment_type>;
    using threading_type = Threading;

    static constexpr bool hands_over = Medium::hands_over;

    log(file_system_type system, const log_options& options) : parts(system, options) {}

    // ---- the writer's section ----

    /// May `size` more bytes be appended in one piece? Rotates into a prepared segment if need be.
    /// False: leave the section, prepare(size), and come back. While no reserve is held there is
    /// room only for what frees space, so that a full disk can be emptied.
    [[nodiscard]] bool has_room(std::uint64_t size, purpose why = purpose::change) noexcept {
        if (lean_ && why == purpose::change) return false;
        size = in_need(size, why);
        if (active_ != nullptr && active_->fits(size)) return true;
        if (next_ == nullptr || !listed_.ready() || !fits_fresh(*next_, size)) return false;
        rotate();
        return true;
    }

    /// Appends one record; has_room for the whole commit was true. Returns where it is.
    address append(record_type type, bool more, bytes key, bytes value) noexcept {
        stage(type, more, key, value);
        return publish(type, more, record_size(key.size(), value.size()));
    }
    /// The bytes alone, which are not yet of the log. publish() or unstage() follows.
    void stage(record_type type, bool more, bytes key, bytes value) noexcept {
        write_record(active_->body.memory() + active_->end, type, more, key, value, active_->seed,
                     active_->end);
    }
    /// Appends the records of a commit, which were laid out elsewhere one behind the other, each
    /// with more to follow. They lie here as they lay there; returns where the first one does. The
    /// last one has no check yet, so that it is no commit: complete() follows, or take_back().
    template <class Changes>
    address append(const Changes& changes) noexcept {
        const segment_type& to = *active_;
        const bytes all = changes.laid_out();
        std::byte* const at = to.body.memory() + to.end;
        copy(at, all);
        std::size_t from = 0;
        for (std::size_t i = 1, size = 0; i < changes.size(); ++i, from += size) {
            size = changes.record_at(i) - from;  // hashed where it is cached
            store_le(at + from, record_check(all.data() + from, size, to.seed, to.end + from));
        }
        store_le(at + from, std::uint64_t{0});
        at[from + check_size] &= ~more_bit;
        return publish(all.size(), to.end + from, false, changes.erased_bytes(), changes.clears());
    }
    void complete() noexcept {
        std::byte* const last = active_->body.memory() + last_;
        const auto size = static_cast<std::size_t>(active_->end - last_);
        write_record_check(last, size, active_->seed, last_);
        active_->body.stored(last_, check_size);
        ++commits_;
    }
    address publish(record_type type, bool more, std::size_t size) noexcept {
        return publish(size, active_->end, !more, type == record_type::erase ? size : 0,
                       type == record_type::clear);
    }
    void unstage(std::size_t size) noexcept {
        std::memset(active_->body.memory() + active_->end, 0, size);
        active_->body.stored(active_->end, size);
    }
    /// All that was published is in the index, or in none of it.
    void told() noexcept {
        if constexpr (keeper_type::kept) keeper_.told(tail(), last_, commits_);
    }

    [[nodiscard]] log_place here() const noexcept {
        return {active_->end, active_->tombstones, active_->dead.load(std::memory_order_relaxed),
                last_, commits_};
    }
    /// Takes back what was appended since here(), in the same stay inside. If it was `shown`,
    /// readers may look at it: it stays as and where it is, behind the end of a segment that goes
    /// no further. Else it is wiped, and the log goes on there.
    void take_back(const log_place& to, bool shown) noexcept {
        segment_type& from = *active_;
        const std::uint64_t size = from.end - to.end;
        from.end = to.end;
        from.tombstones = to.tombstones;
        from.dead.store(to.dead, std::memory_order_relaxed);
        last_ = to.last;
        commits_ = to.commits;
        this->went_back(position(from.id, to.end), size);
        if (shown) {
            from.full = from.torn = true;  // no mark stands there
            active_ = nullptr;
            keeper_.keep(from);
        } else {
            unstage(static_cast<std::size_t>(size));
        }
        told();
    }

    // ---- room ----

    /// Makes room for `size` bytes in one piece: the reserve, and then a segment that takes them.
    /// What frees space gets the reserve itself when there is no other room. Not in the section.
    [[nodiscard]] result<void> prepare(std::uint64_t size, purpose why = purpose::change) {
        const auto alone = lock_of<typename Threading::mutex>(preparing_);
        if constexpr (persistent) {
            auto held = reserve_.hold(*folder_, reserve_size(options_.segment_bytes));
            if (!held && why == purpose::change) return held;
        }
        {
            auto section = enter_ready();
            const bool regained = lean_ && reserve_.held();
            lean_ = persistent && !reserve_.held();
            if (regained && active_ != nullptr && active_->fits(size)) return {};
            if (next_ != nullptr && fits_fresh(*next_, in_need(size, why))) return {};
        }
        auto made = make_segment(size, why);
        if (!made) return made.failure();
        auto section = enter();
        std::swap(next_, *made);
        section.unlock();
        return remove(std::move(*made));
    }

    /// Should somebody prepare the next segment, so that the next rotation finds one?
    [[nodiscard]] bool wants_segment() const noexcept {
        return wants_segment_.load(std::memory_order_relaxed);
    }
    /// Was there a rotation since the last call?
    [[nodiscard]] bool take_rotated() noexcept {
        return rotated_.load(std::memory_order_relaxed) &&
               rotated_.exchange(false, std::memory_order_relaxed);
    }
    [[nodiscard]] result<void> prepare_ahead() {
        wants_segment_.store(false, std::memory_order_relaxed);
        if (auto made = prepare(0); !made || !hands_over) return made;
        const auto alone = lock_of<typename Threading::mutex>(preparing_);  // it is not made anew
        const auto pin = readers_.enter();
        auto section = enter();
        if (next_ == nullptr || next_->capacity < huge_page) return {};
        std::byte* const at = next_->body.memory();
        section.unlock();
        touch(at, huge_page);
        return {};
    }

    // ---- hand-over and durability ----

    /// Hands everything before the present tail to the system, in parts (hand_over_in_turn).
    [[nodiscard]] result<void> hand_over() {
        position wanted;
        do {
            const auto alone = handing_.take();
            if (auto done = hand_over_in_turn(false, wanted); !done) return done;
        } while (handed() < wanted);
        return {};
    }
    /// Hands over parts until enough(); what others hand over meanwhile may be enough, too.
    template <class Enough>
    [[nodiscard]] result<void> hand_over_until(Enough&& enough) {
        for (;;) {
            const auto alone = handing_.take_unless(enough);
            if (!alone) return {};
            position wanted;
            if (auto done = hand_over_in_turn(false, wanted); !done) return done;
        }
    }

    /// For the background thread: makes the next huge pages of memory before a writer comes there.
    /// The first touch of one may take ten milliseconds on a virtual machine.
    void touch_ahead() noexcept {
        const auto pin = readers_.enter();  // the memory stays, also when its segment is settled
        auto section = enter();
        if (active_ == nullptr || active_->capacity < huge_page) return;
        std::byte* const at = active_->body.memory() + active_->end;
        const std::uint64_t left = active_->capacity - active_->end;
        section.unlock();
        touch(at, static_cast<std::size_t>((std::min)(left, std::uint64_t{2 * huge_page})));
    }

    /// Makes everything before the present tail durable.
    [[nodiscard]] result<void> sync() {
        const auto alone = syncing_.take();
        return sync_in_turn();
    }

    /// Returns when everything before `upto` is with the system; one caller works for all who wait.
    template <class Then>
    [[nodiscard]] result<void> hand_over(position upto, Then&& then) {
        const auto alone = handing_.take_unless([&] { return handed() >= upto; });
        if (!alone) return {};
        do {
            position wanted;
            if (auto done = hand_over_in_turn(true, wanted); !done) return done;
        } while (handed() < upto);
        then(handed());
        return {};
    }

    /// Returns when everything before `upto` is durable; one caller works for all who wait.
    template <class Then>
    [[nodiscard]] result<void> sync(position upto, Then&& then) {
        const auto alone = syncing_.take_unless([&] { return durable() >= upto; });
        if (!alone) return {};
        syncing_.gather();
        if (auto done = sync_in_turn(); !done) return done;
        then(durable());
        return {};
    }

    /// While what this returns lives, nobody else hands over or syncs.
    [[nodiscard]] auto take_turns() {
        auto syncing = syncing_.take();
        return std::pair(std::move(syncing), handing_.take());
    }

    /// The error that later writes must answer with, if there is one.
    [[nodiscard]] result<void> check() const { return trouble_.check(); }
    [[nodiscard]] bool healthy() const noexcept { return trouble_.healthy(); }
    /// A commit was taken back although its bytes stay in the log: nothing may be built on that.
    /// No cause: there was no memory for it.
    void give_up(const error* cause) noexcept {
        trouble_.poison(cause);
        keeper_.give_up();
    }

    // ---- what recovery, cleaning and closing need ----

    [[nodiscard]] segment_type* active() noexcept { return active_; }
    /// Room for what frees space, the reserve included; inside the section.
    [[nodiscard]] std::uint64_t room_left() const noexcept {
        return room_to_clean(lean_ ? 0 : reserve_size(options_.segment_bytes),
                             active_ == nullptr ? 0 : active_->capacity - active_->end,
                             listed_.size());
    }
    [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }
    /// Begins the life of the log object: no segment is active; `next_id` is above every id seen.
    [[nodiscard]] result<void> start(std::unique_ptr<directory> folder, const store_id& id,
                                     std::uint64_t next_id) {
        next_id_ = next_id;
        return parts::start(std::move(folder), id);
    }

    /// Where recovery found the end of the log: appends follow in a new segment.
    void recovered(position end, position kept, std::uint64_t commits,
                   std::uint64_t last = 0) noexcept {
        this->begin_at(end, kept, listed_.unsynced_bytes());
        commits_ = commits;
        last_ = last;
    }

    /// Writes the commits that recovery saved from behind the durable place into a segment of their
    /// own, durable before its header makes it part of the log. Before any append.
    template <class Saved>
    [[nodiscard]] result<void> rewrite(std::uint64_t size, const Saved& saved) {
        auto made = make_segment(size, purpose::clean);
        if (!made) return made.failure();
        segment_type& to = **made;
        segment_header header{this->id(), to.id, tail(), durable(), commits_, true, {}};
        header.live = listed_.runs();
        to.begin = to.end = header_size(header.live.size());
        auto section = enter_ready();
        active_ = &listed_.add(std::move(*made), false);
        table_.publish(to, to.body.memory(), to.capacity, false);
        section.unlock();
        saved([this](record_type type, bool more, bytes key, bytes value) {
            return append(type, more, key, value);
        });
        const auto save = [&](std::uint64_t from, std::uint64_t end) {
            to.body.stored(from, end - from);
            if (auto done = to.body.write_out(from, end - from); !done) return done;
            return synced([&] { return to.body.sync(to.end); });
        };
        if (auto done = save(to.begin, to.end); !done) return done;
        write_segment_header(to.body.memory(), header);
        if (auto done = save(0, to.begin); !done) return done;
        to.handed = to.synced = marked_ = to.end;
        keeper_.keep(to);
        recovered(tail(), tail(), commits_);
        return {};
    }

    /// Ends the log: a mark of a clean end behind the last record, everything durable.
    [[nodiscard]] result<void> finish() {
        if constexpr (!persistent) return {};
        const auto alone = syncing_.take();
        if (auto done = sync_in_turn(); !done) return done;
        auto section = enter();
        owned unused = std::move(next_);
        if (active_ != nullptr) seal(record_type::end);
        active_ = nullptr;
        section.unlock();
        auto gone = remove(std::move(unused));
        if (reserve_.held()) static_cast<void>(reserve_.release(*folder_));
        if (auto done = sync_in_turn(); !done) return done;
        return gone;
    }

    /// Makes a segment active where none is.
    [[nodiscard]] result<void> begin_segment(purpose why = purpose::change) {
        if (auto made = prepare(0, why); !made) return made;
        auto section = enter();
        static_cast<void>(has_room(0, purpose::clean));
        return {};
    }

    /// Seals the active segment, so that all that was written so far lies in full ones.
    [[nodiscard]] result<void> close_segment() {
        for (;;) {
            if (auto made = prepare(0); !made) return made;
            auto section = enter();
            if (active_ == nullptr || active_->end == active_->begin) return {};
            if (next_ == nullptr || !listed_.ready()) continue;
            rotate();
            return {};
        }
    }

    /// Takes a segment out of the log; inside the section. Its slot still answers readers.
    [[nodiscard]] owned take_out(const segment_type& victim) {
        keeper_.drop(victim.slot);
        told();
        return listed_.take(victim);
    }

private:
    [[nodiscard]] bool fits_fresh(const segment_type& into, std::uint64_t size) const noexcept {
        return into.capacity >= header_size(listed_.size() + 1) + size + tail_room;
    }

    /// Where no reserve is held, erases leave room for the cleaner behind them.
    [[nodiscard]] std::uint64_t in_need(std::uint64_t size, purpose why) const noexcept {
        const bool leaves = lean_ && why == purpose::erase;
        return size + (leaves ? reserve_size(options_.segment_bytes) / 4 : 0);
    }

    [[nodiscard]] result<owned> make_segment(std::uint64_t size, purpose why) {
        if (trouble_.poisoned()) return check().failure();  // I5
        const std::uint64_t number = next_id_++;
        const bool frees = why != purpose::change;
        auto made = this->make(number, in_need(size, why), frees);
        if constexpr (persistent) {
            if (!made && frees && made.error().kind() == errc::no_space) {
                auto section = enter();
                lean_ = true;
                section.unlock();
                if (reserve_.release(*folder_))
                    made = this->make(number, in_need(size, why), frees);
            }
            if (!made) return made;
            auto named = synced([this] { return folder_->sync(); });  // I4
            if (!named) return named.failure();
        }
        return made;
    }

    /// What lies behind the end is of the log; its last record begins at `last`.
    address publish(std::size_t size, std::uint64_t last, bool commits, std::uint64_t erased,
                    bool clears) noexcept {
        segment_type& to = *active_;
        const std::uint64_t offset = to.end;
        to.body.stored(offset, size);
        to.end = offset + size;
        last_ = last;
        to.tombstones += erased;
        if (clears) to.has_clear = true, keeper_.keep(to);
        commits_ += commits;
        this->appended(position(to.id, to.end), size);
        return make_address(to.slot, offset);
    }

    /// Ends the active segment with a mark.
    void seal(record_type type) noexcept {
        append_mark(type, true);
        active_->full = true;
        keeper_.keep(*active_);
    }

    void append_mark(record_type type, bool seals = false) noexcept {
        std::byte body[mark_body::size];
        write_mark(body, {type == record_type::end ? tail() : durable(), commits_, seals});
        append(type, false, {}, body);
        active_->count_dead(mark_size);
        --commits_;
        marked_ = active_->end;
        told();
    }

    void rotate() noexcept {
        [[maybe_unused]] const auto change = keeper_.change();
        if (active_ != nullptr) seal(record_type::mark);
        segment_type& to = *next_;
        segment_header header{this->id(), to.id, tail(), durable(), commits_, true, {}};
        std::vector<segment_run>& runs = listed_.runs();
        header.live.swap(runs);
        const std::size_t size = header_size(header.live.size());
        write_segment_header(to.body.memory(), header);
        header.live.swap(runs);
        to.body.stored(0, size);
        to.begin = to.end = size;
        active_ = &listed_.add(std::move(next_), !persistent);
        table_.publish(to, to.body.memory(), to.capacity, false);
        this->appended(position(to.id, to.end), size);
        marked_ = to.end;
        last_ = 0;
        keeper_.keep(to);
        told();
        wants_segment_.store(true, std::memory_order_relaxed);
        rotated_.store(true, std::memory_order_relaxed);
    }

    // ---- the two turns of I/O ----

    /// Calls `work` for what is not durable before `upto`, beginning with `next`, until it fails.
    template <class Work>
    [[nodiscard]] result<void> each_unsynced(task_type next, position upto, Work&& work) {
        while (next.segment != nullptr) {
            if (auto done = work(*next.segment, next.end, next.full); !done) return done;
            if (next.segment->id == upto.segment()) break;
            auto section = enter();
            next = listed_.next_unsynced(next.segment->id, upto);
        }
        return {};
    }

    /// Everything, or of much a part: nobody shall wait long for the turn. What was the tail in the
    /// first of several turns is `wanted`.
    [[nodiscard]] result<void> hand_over_in_turn(bool mark, position& wanted) {
        if (trouble_.poisoned()) return check();
        auto section = enter();
        const bool moved = active_ != nullptr && active_->end != marked_;
        if (wanted == position()) wanted = tail();
        const std::uint64_t waiting = this->unhanded_bytes();
        const bool all = !hands_over || waiting / 2 < options_.part_bytes;
        if (all && (mark || hands_over) && moved && active_->fits(0))
            append_mark(record_type::mark);
        const position upto = all ? tail() : listed_.part(options_.part_bytes, tail());
        const std::uint64_t later = upto == tail() ? 0 : waiting - options_.part_bytes;
        const std::uint64_t bytes = this->appended_bytes() - later;
        const task_type first = listed_.next_unsynced(0, upto);
        section.unlock();
        on_exit untold([this] { trouble_.stick(nullptr); });
        auto done = each_unsynced(first, upto, [this](auto& to, std::uint64_t end, bool full) {
            return hand_over_one(to, end, full);
        });
        untold.dismiss();
        if (!done) {
            trouble_.stick(&done.error());
            return done;
        }
        planned_bytes_ = bytes;
        this->handed_over(upto, bytes);
        trouble_.unstick();
        return {};
    }

    [[nodiscard]] result<void> hand_over_one(segment_type& to, std::uint64_t end, bool full) {
        if (end > to.handed) {
            if (auto done = to.body.write_out(to.handed, end - to.handed); !done) return done;
            to.handed = end;
        }
        if (!full || to.torn || to.settled || in_sync_.load(std::memory_order_acquire)) return {};
        result<void> settled;  // it can wait until there is memory again
        static_cast<void>(if_memory_allows([&] { settled = settle(to); }));
        return settled;
    }

    [[nodiscard]] result<void> sync_in_turn() {
        position upto;
        std::uint64_t bytes = 0;
        position wanted;
        do {
            const auto alone = handing_.take();
            if (auto done = hand_over_in_turn(true, wanted); !done) return done;
            upto = handed();
            bytes = planned_bytes_;
            in_sync_.store(upto >= wanted, std::memory_order_relaxed);
        } while (upto < wanted);
        const on_exit over([this] { in_sync_.store(false, std::memory_order_release); });
        auto section = enter();
        const task_type first = listed_.next_unsynced(0, upto);
        section.unlock();
        const auto sync_one = [](auto& of, std::uint64_t end, bool) { return of.sync(end); };
        auto done = synced([&] { return each_unsynced(first, upto, sync_one); });
        if (!done) return done;
        auto inside = enter();
        listed_.note_synced(upto);
        this->became_durable(upto, bytes);
        keeper_.durable(upto);
        return {};
    }

    /// What fails in `syncs`, if only for want of memory to say so, poisons the log (I5).
    template <class Syncs>
    [[nodiscard]] result<void> synced(Syncs&& syncs) {
        on_exit untold([this] { give_up(nullptr); });
        result<void> done = syncs();
        untold.dismiss();
        if (!done) give_up(&done.error());
        return done;
    }

    /// A full segment, handed over whole: cut it to its end and read it from the file from now on.
    [[nodiscard]] result<void> settle(segment_type& full) {
        auto left = full.body.settle(full.end);
        if (!left) return left.failure();
        auto section = enter();
        full.settled = true;
        full.capacity = full.end;
        table_.publish(full, full.body.memory(), full.end, options_.verify_reads);
        full.let_go(readers_, *left);
        section.unlock();
        this->reclaim();
        return {};
    }

    // Guarded by the section.
    segment_type* active_ = nullptr;
    owned next_;
    bool lean_ = persistent;  // no reserve is held
    std::uint64_t commits_ = 0;
    std::uint64_t marked_ = 0;  // end of the last mark in the active segment
    std::uint64_t last_ = 0;    // where the last record begins, 0: there is none in this segment

    typename Threading::mutex preparing_;  // guards these two
    std::uint64_t next_id_ = 1;
    space_reserve<file_system_type> reserve_;

    turn<Threading> syncing_;  // who has it sets this
    typename Threading::template atomic<bool> in_sync_{false};

    turn<Threading> handing_;  // who has it owns this; taken after the other
    std::uint64_t planned_bytes_ = 0;

    typename Threading::template atomic<bool> wants_segment_{false};
    typename Threading::template atomic<bool> rotated_{false};
    trouble<Threading> trouble_;
};

}  // namespace coffer::detail

#endif
