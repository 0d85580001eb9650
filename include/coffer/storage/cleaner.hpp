// coffer/storage/cleaner.hpp: space that dead records hold comes back.
//
// Cleaning in the manner of a log-structured file system (Rosenblum and Ousterhout, 1991): the live
// records of a victim are appended again at the tail, a few at a time inside the writer's section,
// and the victim goes. Physical order stays version order.
//
//   choose -> move -> sync -> drop -> sync -> wait for readers -> remove
//
// C1  A record is live if the index leads to it; once it does not, it never will. A tombstone is
//     needed unless its key is in the index again or its segment is the oldest. A segment with a
//     clear goes only as the oldest, and not while that clear is under way, whose records are in
//     the log before the index leads to them.
// C2  Every record is checked before it is copied; a damaged one ends the cleaning of its segment.
// C3  The victim's file goes only after the log is durable past the last move and past the record
//     that drops it, and no reader is left in it.
// C4  While the log takes eight fifths of what lives in it, and half a full-grown segment is dead,
//     writers keep step. An index that is kept beside the log counts with it.
// C5  Each run begins a segment. Of more than 128 that are less than half as large as a new one
//     would be the oldest are cleaned, two at the end of a run, whatever is dead in them.
//
// Threads: one cleaner at a time (its own lock); beside readers and writers.
// Failure: no write is hurt. What a step in the background meets waits for clean_all() or finish(),
// but for lack of room, which shows where a write needs it.
// Cost: a step holds the section for what lives in `step_bytes` of records; to tell that from what
// is dead takes a lookup outside it, which reads hardly any other record.
#ifndef COFFER_STORAGE_CLEANER_HPP
#define COFFER_STORAGE_CLEANER_HPP

#include <coffer/core/scope.hpp>
#include <coffer/format/record.hpp>
#include <coffer/storage/cleaning_debt.hpp>
#include <coffer/storage/records.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace coffer::detail {

template <class Records, class Writer>
class cleaner {
    using segment_type = typename Records::segment_type;
    using table_type = typename Records::table_type;
    using keys = typename Records::keys;
    static constexpr bool persistent = Records::log_type::persistent;
    static constexpr std::uint64_t step_bytes = 64 * 1024;
    using debt_type = cleaning_debt<typename Records::log_type::file_system_type,
                                    typename Records::threading_type>;

public:
    /// Bytes of cleaning that a late cleaner needs for each that is written.
    static constexpr std::uint64_t share = debt_type::share;

    cleaner(Records& records, Writer& writer)
        : records_(&records), writer_(&writer), debt_(records.journal.system()) {}
    cleaner(const cleaner&) = delete;
    cleaner& operator=(const cleaner&) = delete;
    ~cleaner() {
        records_->journal.reclaim();
        delete limbo_;
        while (free_ != nullptr) delete take_free();
    }

    /// One bounded step of cleaning in the background, or as many as get through `owed` bytes.
    /// False: there is nothing worth doing now. An error is kept, too.
    [[nodiscard]] result<bool> step(std::uint64_t owed = 0) {
        on_exit rests([this] { debt_.forgive(); });
        // Whoever calls compact() cleans: the thread that hands over and syncs shall not wait.
        if (!cleaning_.try_lock()) return false;
        const on_exit over([this] { cleaning_.unlock(); });
        for (;;) {
            if (victim_ == nullptr) {
                if (auto found = find_victim(); !found || !*found) return kept(std::move(found));
                if (auto begun = begin(); !begun) return kept<bool>(begun.failure());
            }
            const std::uint64_t from = at_;
            if (auto moved = advance(); !moved) return kept(std::move(moved));
            const std::uint64_t done = at_ - from;
            debt_.work_off(done);
            if (done >= owed) break;
            owed -= done;
        }
        rests.dismiss();
        return true;
    }

    /// After a write of so many bytes of the log, outside the section: C4.
    COFFER_ALWAYS_INLINE void keep_step(std::uint64_t bytes) { debt_.pay(bytes); }

    /// Is too much dead? Asked when a segment is full, and after a flush or sync; outside the
    /// section.
    void look() {
        auto section = records_->journal.enter();
        const bool late = choose().late;
        section.unlock();
        if (late) debt_.call();
    }
    /// Then a step is due, also where the last one found nothing worth doing.
    [[nodiscard]] bool is_late() const noexcept { return debt_.is_late(); }

    /// Before the end of a run, however short it was: C5. What fails the next one tries again; an
    /// error is kept, too.
    [[nodiscard]] result<void> merge_some() {
        auto alone = typename Records::lock(cleaning_);
        result<void> damage;
        if (limbo_ != nullptr) return damage;  // its sync has failed
        victim_ = nullptr;  // one that is half done: what was moved of it is dead there
        for (int merged = 0; merged < 2;) {
            {
                auto section = records_->journal.enter();
                victim_ = too_small();
            }
            if (victim_ == nullptr) break;
            auto cleaned = kept(clean_victim());
            if (cleaned) {
                ++merged;
            } else if (cleaned.error().kind() != errc::corruption) {
                return cleaned;
            } else {
                damage = std::move(cleaned);  // that segment stays; others need not
            }
        }
        return damage;
    }

    /// Cleans every segment that holds anything dead, and says what the background met before.
    [[nodiscard]] result<void> clean_all() {
        auto alone = typename Records::lock(cleaning_);
        if (auto done = clean_everything(); !done) return done;
        return std::exchange(untold_, {});
    }

    /// Removes what could not go while readers were in it, and says what the background met.
    [[nodiscard]] result<void> finish() {
        auto alone = typename Records::lock(cleaning_);
        records_->journal.reclaim();
        if (auto removed = remove_free(); !removed) return removed;
        return std::exchange(untold_, {});
    }

private:
    /// What is answered at once; an error is for whoever asks next, too.
    template <class T>
    [[nodiscard]] result<T> kept(result<T> done) {
        if (!done && untold_ && done.error().kind() != errc::no_space)
            untold_ = coffer::failure(done.error());
        return done;
    }

    [[nodiscard]] result<void> clean_everything() {
        while (victim_ != nullptr) {
            if (auto more = advance(); !more) return more.failure();
        }
        auto closed = records_->journal.close_segment();
        tight_ = !closed && closed.error().kind() == errc::no_space;
        if (!closed && !tight_) return closed;
        const on_exit over([this] { tight_ = false; });
        return clean_full();
    }

    /// Oldest first, so that tombstones become needless; on a full disk those with least to move
    /// first, as long as the reserve can take it.
    [[nodiscard]] result<void> clean_full() {
        if (auto synced = writer_->sync(); !synced) return synced;
        std::uint64_t last = 0;
        {
            auto section = records_->journal.enter();
            for (const auto& each : records_->journal.segments()) {
                if (each->full) last = each->id;
            }
        }
        const bool crumbs = has_crumbs(last);
        for (bool gained = false;;) {
            auto found = pick(last, crumbs);
            if (found && !*found) return {};
            auto cleaned = found ? clean_victim() : result<void>(found.failure());
            gained = gained || cleaned;
            if (cleaned) continue;
            if (cleaned.error().kind() != errc::no_space) return cleaned;
            if (!tight_) {
                tight_ = true;
            } else if (std::exchange(gained, false) && records_->journal.prepare(0)) {
                tight_ = false;  // what was cleaned has made room
            } else {
                return cleaned;
            }
        }
    }

    [[nodiscard]] result<void> clean_victim() {
        if (auto begun = begin(); !begun) return begun;
        while (victim_ != nullptr) {
            if (auto more = advance(); !more) return more.failure();
        }
        return {};
    }

    // ---- choosing ----

    [[nodiscard]] bool may_go(const segment_type& each, bool oldest) const noexcept {
        return each.full && !stays(each) && is_durable(each) && &each != records_->clearing &&
               (!each.has_clear || oldest);
    }
    /// Nothing of it comes back in this run.
    [[nodiscard]] static bool stays(const segment_type& each) noexcept {
        return each.damaged || (persistent && each.torn && !each.settled);
    }
    [[nodiscard]] static bool is_durable(const segment_type& each) noexcept {
        return !persistent || (each.settled && each.synced == each.end);
    }

    struct choice {
        segment_type* victim = nullptr;  // null: nothing is worth it, or nothing can go
        bool late = false;               // C4
        bool waits = false;              // what is worth it is not durable yet
    };

    /// C5: the oldest of many small segments, null if there are not so many; inside the section.
    [[nodiscard]] segment_type* too_small() const {
        // More than a log has that grows by itself, with segments of up to 1 GiB: room.hpp.
        constexpr std::size_t most = 128;
        const auto& all = records_->journal.segments();
        std::uint64_t log = 0;
        if (!persistent || all.size() <= most) return nullptr;
        for (const auto& each : all) log += each->end;
        const std::uint64_t usual = usual_segment(log, records_->journal.options());
        segment_type* first = nullptr;
        std::size_t crumbs = 0;
        for (const auto& each : all) {
            if (each->end >= usual / 2) continue;
            ++crumbs;
            if (first == nullptr && may_go(*each, each == all.front())) first = each.get();
        }
        return crumbs > most ? first : nullptr;
    }

    /// The victim with the most to gain for its price, if enough is dead; inside the section.
    [[nodiscard]] choice choose() const {
        const auto& all = records_->journal.segments();
        const auto& options = records_->journal.options();
        std::uint64_t total = 0;
        std::uint64_t dead = 0;
        choice best;
        double best_score = 0;
        bool oldest = true;
        bool leads = true;  // nothing before it is needed: nor will its tombstones be
        for (const auto& each : all) {
            const std::uint64_t size = each->end - each->begin;
            if (stays(*each)) {
                total += size;
                oldest = leads = false;
                continue;
            }
            const std::uint64_t puts = each->dead.load(std::memory_order_relaxed);
            const std::uint64_t most = (std::min)(size, puts + each->tombstones);
            const std::uint64_t gone = std::exchange(oldest, false) ? most : (std::min)(size, puts);
            total += size;
            dead += leads ? most : gone;
            leads = leads && most == size;
            if (gone * 5 < size) continue;
            best.waits = best.waits || (each->full && !is_durable(*each));
            if (!may_go(*each, each == all.front())) continue;
            const double age = static_cast<double>(all.back()->id - each->id);
            const double score =
                static_cast<double>(gone) * (age + 1) / static_cast<double>(2 * size - gone + 1);
            if (score > best_score) {
                best.victim = each.get();
                best_score = score;
            }
        }
        // An index that small records make large does not ask for a log without anything dead.
        const std::uint64_t beside = (std::min)(records_->journal.keeper().disk_bytes(), total / 6);
        const std::uint64_t space = total + beside;
        const std::uint64_t live = total - dead;
        best.late = space * 5 > live * 8 && dead > options.segment_bytes / 2;
        const bool worth = space * 2 > live * 3 && dead > options.first_segment_bytes;
        if (worth) return best;
        choice merging;
        merging.victim = too_small();
        return merging;
    }

    /// The next victim, if there is one; says whether the cleaner is late.
    [[nodiscard]] result<bool> find_victim() {
        const auto look_for_it = [this] {
            auto section = records_->journal.enter();
            return choose();
        };
        choice found = look_for_it();
        if (found.victim == nullptr && found.late && found.waits) {
            if (auto synced = writer_->sync(); !synced) return synced.failure();
            found = look_for_it();
        }
        victim_ = found.victim;
        if (found.late) {
            debt_.call();
        } else {
            debt_.forgive();
        }
        return victim_ != nullptr;
    }

    /// Of a segment of `size` bytes that many are dead that compact() does not move the others for:
    /// its last mark, and what cleaning itself leaves.
    [[nodiscard]] static std::uint64_t needless(std::uint64_t size) noexcept {
        return persistent ? (std::max)(std::uint64_t{4 * mark_size}, size / 8192) : 0;
    }

    /// Are there several segments up to `last` that are next to nothing?
    [[nodiscard]] bool has_crumbs(std::uint64_t last) {
        auto section = records_->journal.enter();
        const auto& all = records_->journal.segments();
        return persistent && std::count_if(all.begin(), all.end(), [&](const auto& each) {
                                 return each->id <= last && is_crumb(*each);
                             }) > 1;
    }
    [[nodiscard]] bool is_crumb(const segment_type& each) const noexcept {
        return each.end < records_->journal.options().first_segment_bytes / 2;
    }

    /// The next segment up to `last` with more than that dead, or a crumb where those are asked
    /// for; false: there is none.
    [[nodiscard]] result<bool> pick(std::uint64_t last, bool crumbs) {
        auto section = records_->journal.enter();
        const auto& all = records_->journal.segments();
        std::uint64_t least = UINT64_MAX;
        for (const auto& each : all) {
            if (each->id > last) break;
            const std::uint64_t dead = each->dead.load(std::memory_order_relaxed);
            const std::uint64_t size = each->end - each->begin;
            const std::uint64_t live = size - (std::min)(size, dead);
            // One without a record holds its file.
            const bool kept = size != 0 && dead + each->tombstones <= needless(size);
            if (kept && !(crumbs && !tight_ && is_crumb(*each))) continue;
            if (!may_go(*each, each == all.front())) continue;
            if (live >= least) continue;
            least = live;
            victim_ = each.get();
            if (!tight_) break;
        }
        if (victim_ == nullptr || !tight_ || least <= records_->journal.room_left())
            return victim_ != nullptr;
        victim_ = nullptr;
        return fail(errc::no_space,
                    "compaction finds no room for what lives in a segment; erase more, or free "
                    "some space elsewhere");
    }

    // ---- moving ----

    [[nodiscard]] result<void> begin() {
        at_ = victim_->begin;
        base_ = victim_->body.memory();
        if (base_ != nullptr) return {};
        on_exit unread([this] { victim_ = nullptr; });
        contents_.resize(static_cast<std::size_t>(victim_->end));
        base_ = contents_.data();
        auto got = victim_->body.read_at(0, contents_);
        if (got) unread.dismiss();
        return got;
    }

    /// Moves some records of the victim, or ends it. False: the victim is done.
    [[nodiscard]] result<bool> advance() {
        const record* lacks_room = nullptr;
        bool waits = false;           // the next record's key has a write under way
        bool damaged = !read_some();  // C2
        if (!damaged) {
            records_->journal.let_in();
            auto section = records_->journal.enter();
            // What was taken back may be in the log all the same: nothing is moved behind it.
            if (auto may = records_->journal.check(); !may) return may.failure();
            for (const found_record& each : next_) {
                at_ = each.at;
                auto done = move(each.what);
                damaged = !done && done.error().kind() == errc::corruption;
                if (damaged) break;
                if (!done) {
                    victim_ = nullptr;  // what cannot be read now is cleaned later
                    return done.failure();
                }
                if (*done == outcome::lacks_room) lacks_room = &each.what;
                waits = *done == outcome::wait;
                if (*done != outcome::done) break;
            }
            if (lacks_room == nullptr && !waits && !damaged) at_ = next_end_;
        }
        if (damaged) return abandon();
        if (lacks_room != nullptr) {
            if (auto made = records_->journal.prepare(lacks_room->size, why()); !made) {
                victim_ = nullptr;
                return made.failure();
            }
        } else if (waits) {
            if (auto settled = writer_->sync(); !settled) return settled.failure();
        } else if (at_ >= victim_->end) {
            if (auto gone = drop(); !gone) return gone.failure();
            return false;
        }
        return true;
    }

    /// A record of the victim, and where it is.
    struct found_record {
        std::uint64_t at;
        record what;
        typename table_type::lookup probe;
    };

    /// Before the section is entered: reads and checks the next few records, and keeps in `next_`
    /// those that may be needed. False: the next one is not what was written.
    [[nodiscard]] bool read_some() {
        next_.clear();
        next_end_ = at_;
        const auto pin = records_->enter();
        const table_type& table = records_->index();
        const std::uint64_t until = (std::min)(victim_->end, at_ + step_bytes);
        for (record each; next_end_ < until; next_end_ += each.size) {
            const std::uint64_t at = next_end_;
            if (!read_record(base_ + at, base_ + victim_->end, victim_->seed, at, each)) break;
            if (each.type != record_type::put && each.type != record_type::erase) continue;
            next_.push_back({at, each, table.probe(each.key)});
            table.prefetch(next_.back().probe);
        }
        const bool any = next_end_ != at_ || at_ >= victim_->end;
        const auto is_dead = [&](const found_record& each) {
            return each.what.type == record_type::put && !may_live(table, each);
        };
        next_.erase(std::remove_if(next_.begin(), next_.end(), is_dead), next_.end());
        return any;
    }

    /// The keys of a lookup that is after one record: of the others only those are read that are
    /// under way.
    class keys_of_one : public keys {
    public:
        keys_of_one(const Records& records, address where) noexcept
            : keys(records), in_(&records.pending), where_(where) {}
        [[nodiscard]] bool matches(ref found, bytes key) noexcept {
            return is_pending(found) ? keys::matches(found, key) : in_->may_lead(found, where_);
        }

    private:
        const decltype(Records::pending)* in_;
        address where_;
    };

    /// False for a put that is dead; outside the section, under a pin.
    [[nodiscard]] bool may_live(const table_type& table, const found_record& each) const {
        const address where = make_address(victim_->slot, each.at);
        keys_of_one known(*records_, where);
        const ref found = table.find(each.probe, known);
        return records_->pending.may_lead(found, where) || known.failed();
    }

    enum class outcome : unsigned char { done, lacks_room, wait };

    [[nodiscard]] purpose why() const noexcept { return tight_ ? purpose::clean : purpose::change; }

    [[nodiscard]] result<outcome> move(const record& each) {
        if (records_->exclusive) return outcome::wait;
        const address where = make_address(victim_->slot, at_);
        table_type& table = records_->index();
        keys known(*records_);
        const auto place = records_->locate(table, table.probe(each.key), known);
        if (known.failed()) return known.reader().cause();
        if (is_pending(place.ref)) return outcome::wait;
        const bool puts = each.type == record_type::put;
        const bool oldest = records_->journal.segments().front().get() == victim_;
        const bool there = place.ref != 0 && !records_->pending.hides(place.ref);
        const bool lives =
            puts ? records_->pending.may_lead(place.ref, where) : !(there || oldest);
        if (!lives) return outcome::done;  // C1
        if (!records_->journal.has_room(each.size, why())) return outcome::lacks_room;
        [[maybe_unused]] const auto change = records_->journal.keeper().change();
        const address moved = records_->journal.append(each.type, false, each.key, each.value);
        if (puts) table.put(place, moved);
        if (puts) victim_->count_dead(each.size);
        records_->journal.told();
        return outcome::done;
    }

    [[nodiscard]] result<bool> abandon() {
        {
            auto section = records_->journal.enter();
            std::exchange(victim_, nullptr)->damaged = true;
        }
        return fail(errc::corruption,
                    "cleaning met a record that is not what was written and left its "
                    "segment alone; verify() lists the damage",
                    {}, 0, at_);
    }

    // ---- removing ----

    /// C3: the victim holds nothing that is needed.
    [[nodiscard]] result<void> drop() {
        if constexpr (persistent) {
            if (limbo_ == nullptr) {  // else the note is written, and only its sync has failed
                if (auto synced = writer_->sync(); !synced) return synced;
                if (auto noted = note_drop(); !noted) return noted;
            }
            if (auto synced = writer_->sync(); !synced) return synced;
        } else {
            auto section = records_->journal.enter();
            limbo_ = records_->journal.take_out(*victim_).release();
        }
        victim_ = nullptr;
        {
            auto section = records_->journal.enter();
            records_->journal.readers().retire(
                *std::exchange(limbo_, nullptr),
                [](void* self, retired& gone) noexcept {
                    static_cast<cleaner*>(self)->keep_free(gone);
                },
                this);
        }
        records_->journal.reclaim();
        return remove_free();
    }

    /// No reader is left in `gone`. Outside of the section.
    void keep_free(retired& gone) noexcept {
        auto section = records_->journal.enter();
        gone.next = std::exchange(free_, &gone);
    }

    [[nodiscard]] result<void> note_drop() {
        std::byte id[8];
        store_le(id, victim_->id);
        const std::uint64_t size = record_size(0, sizeof id);
        for (;;) {
            auto section = records_->journal.enter();
            if (records_->exclusive) {
                section.unlock();
                if (auto kept = writer_->sync(); !kept) return kept;
                Records::threading_type::yield();
                continue;
            }
            if (!records_->journal.has_room(size, purpose::clean)) {
                section.unlock();
                if (auto made = records_->journal.prepare(size, purpose::clean); !made) return made;
                continue;
            }
            static_cast<void>(records_->journal.append(record_type::drop, false, {}, id));
            records_->journal.active()->count_dead(size);
            limbo_ = records_->journal.take_out(*victim_).release();
            return {};
        }
    }

    [[nodiscard]] result<void> remove_free() {
        for (;;) {
            std::unique_ptr<segment_type> gone;
            {
                auto section = records_->journal.enter();
                if (free_ == nullptr) return {};
                gone.reset(take_free());
            }
            if (auto removed = records_->journal.remove(std::move(gone)); !removed) return removed;
        }
    }

    [[nodiscard]] segment_type* take_free() noexcept {
        return static_cast<segment_type*>(std::exchange(free_, free_->next));
    }

    Records* records_;
    Writer* writer_;
    debt_type debt_;
    typename Records::mutex cleaning_;
    segment_type* victim_ = nullptr;
    bool tight_ = false;  // the disk is full: the reserve may be used
    std::uint64_t at_ = 0;
    const std::byte* base_ = nullptr;
    std::vector<std::byte> contents_;
    std::vector<found_record> next_;  // those that the next step moves
    std::uint64_t next_end_ = 0;      // where the step after it begins
    result<void> untold_;             // what was met, until somebody asks
    segment_type* limbo_ = nullptr;  // taken out, on its way to the readers' epoch
    retired* free_ = nullptr;        // segments without readers; guarded by the section
};

}  // namespace coffer::detail

#endif
