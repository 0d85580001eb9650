// coffer/storage/writer.hpp: how a write becomes part of the log and of the index.
//
// One write, numbered as in docs/protocol.md:
//   1  outside: back-pressure and sticky errors (the durability policy), bounds of key and value
//   2  enter the writer's section; room in log, index and descriptors, else leave, make it, return
//   3  look the key up; decide the condition by what is pending, or else by what is kept
//   4  append the record, change the slot (plain, or through a descriptor), leave
//   5  outside: the durability policy returns when its promise holds, and what it kept is committed
//
// A batch appends all of its records, then looks up and changes slots one after the other, all in
// one section; the check of its last record and one store commit it.
// clear and batches that contain it swap in a fresh index and keep other writers out meanwhile.
//
// Threads: any. Failure: an error before 4 changes nothing, and one in a lookup of a batch ends the
// segment at most; an error of 5, which only a policy that hides writes until they are kept has,
// takes the write back in the running store, and what the disk holds is decided by the next open.
#ifndef COFFER_STORAGE_WRITER_HPP
#define COFFER_STORAGE_WRITER_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/format/record.hpp>
#include <coffer/storage/changes.hpp>
#include <coffer/storage/records.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coffer::detail {

enum class condition : unsigned char { none, absent, present };

/// What a table needs of the keys of a batch, one after the other; the cache misses of the next few
/// lookups go on meanwhile.
template <class Table>
class lookahead {
    using lookup = typename Table::lookup;

public:
    lookahead(const Table& table, const change_list& changes) noexcept
        : table_(table), changes_(changes) {
        while (asked_ < width && asked_ < changes_.size()) ask();
    }
    /// Lasts until the one after it is asked for.
    [[nodiscard]] const lookup& next() noexcept {
        if (asked_ < changes_.size()) ask();
        return ring_[taken_++ % (width + 1)];
    }

private:
    static constexpr std::size_t width = 7;

    void ask() noexcept {
        lookup& to = ring_[asked_ % (width + 1)];
        to = table_.probe(changes_[asked_++].key);
        table_.prefetch(to);
    }

    const Table& table_;
    const change_list& changes_;
    std::size_t asked_ = 0;
    std::size_t taken_ = 0;
    lookup ring_[width + 1];
};

template <class Records, class Driver, class Wake, bool Hides>
class writer {
    using table_type = typename Records::table_type;
    using keys = typename Records::keys;

public:
    writer(Records& records, Driver& driver, Wake& wake, std::uint64_t max_batch_bytes) noexcept
        : records_(&records), driver_(&driver), wake_(&wake), max_batch_bytes_(max_batch_bytes) {}

    /// Writes one record if `when` holds. Returns whether it did.
    [[nodiscard]] result<bool> write(record_type type, bytes key, bytes value, condition when) {
        if (key.size() > max_key_size || value.size() > max_value_size) [[unlikely]]
            return out_of_bounds(key.size(), value.size());
        if (auto may = driver_->before_write(); !may) return may.failure();
        const std::size_t size = record_size(key.size(), value.size());
        const bool puts = type != record_type::erase;
        const additions one{puts, puts ? key.size() : 0, 1};
        position end;
        for (;;) {
            auto section = records_->journal.enter();
            if (records_->exclusive || !has_room(one, size, purpose_of(type))) [[unlikely]] {
                if (auto made = make_room(section, one, size, purpose_of(type)); !made) {
                    return made.failure();
                }
                continue;
            }
            table_type& table = records_->index();
            const auto probe = table.probe(key);
            table.prefetch(probe);
            // The record is written while the lookup waits for memory.
            if (when == condition::none) records_->journal.stage(type, false, key, value);
            keys known(*records_);
            const auto place = records_->locate(table, probe, known);
            if (known.failed()) [[unlikely]] {
                if (when == condition::none) records_->journal.unstage(size);
                return known.reader().cause();
            }
            if (when != condition::none) {
                // What is pending decides: nothing behind it is kept unless it is kept itself.
                const bool pends = is_pending(place.ref);
                const bool there = pends ? !records_->pending.erases(place.ref) : place.ref != 0;
                if (there != (when == condition::present)) {
                    if (!pends) return false;
                    const position awaited = records_->pending.end_of(place.ref);
                    section.unlock();
                    if (auto settled = keep(awaited); !settled) return settled.failure();
                    return false;
                }
                records_->journal.stage(type, false, key, value);
            }
            end = publish(table, place, type, size);
            break;
        }
        if (auto kept = keep_written(end); !kept) return kept.failure();
        return true;
    }

    /// Writes all of `changes` as one commit.
    [[nodiscard]] result<void> write(const change_list& changes) {
        if (changes.empty()) return {};
        if (changes.misfits()) [[unlikely]]
            return out_of_bounds(changes.misfit_key(), changes.misfit_value());
        const std::uint64_t size = changes.laid_out().size();
        if (changes.size() > 1 && size > max_batch_bytes_) {
            return fail(errc::too_large,
                        "a batch of " + std::to_string(size) + " bytes exceeds max_batch_bytes (" +
                            std::to_string(max_batch_bytes_) + "); write it in several batches");
        }
        if (auto may = driver_->before_write(); !may) return may;
        const purpose why = changes.puts() != 0 ? purpose::change
                            : changes.clears()  ? purpose::clean
                                                : purpose::erase;
        if (changes.clears()) return write_exclusively(changes, size, why);
        const additions all{changes.puts(), changes.key_bytes(), changes.size()};
        position end;
        bool misleads = false;
        const on_exit in_any_case([&] {
            if (misleads) [[unlikely]]
                end_writing();
        });
        for (;;) {
            auto section = records_->journal.enter();
            if (records_->exclusive || !has_room(all, size, why, true)) [[unlikely]] {
                if (auto made = make_room(section, all, size, why); !made) return made;
                continue;
            }
            auto appended = append_all(changes, size, misleads);
            if (!appended) return appended.failure();
            end = *appended;
            break;
        }
        return keep_written(end);
    }

    /// Makes the promise hold for everything before `upto`, and commits it.
    [[nodiscard]] result<void> keep(position upto) {
        if constexpr (Records::threading_type::concurrent) {
            if (records_->journal.take_rotated()) [[unlikely]]
                wake_->wake();
        }
        auto done = driver_->after_write(upto, [this](position kept) { settle(kept); });
        if constexpr (Hides) {
            // Another thread's flush or sync may have kept the promise without committing it yet,
            // or be in the middle of it.
            if (done && records_->settled() < upto) settle(driver_->kept());
        }
        return done;
    }

    /// Makes everything accepted so far durable.
    [[nodiscard]] result<void> sync() {
        auto done = records_->journal.sync();
        if constexpr (Hides) settle(driver_->kept());
        go_on(done);
        return done;
    }

    /// Hands everything accepted so far to the system; tries again what failed before.
    [[nodiscard]] result<void> flush() {
        auto done = records_->journal.hand_over();
        if constexpr (Hides) settle(driver_->kept());
        go_on(done);
        return done;
    }

    /// Commits what the durability policy, or a flush or sync, has brought to `kept`.
    void settle(position kept) {
        if constexpr (Hides) {
            auto section = records_->journal.enter();
            records_->commit(kept);
        }
    }

private:
    /// A worker that an error had stopped looks again.
    void go_on(const result<void>& done) {
        if constexpr (Records::threading_type::concurrent) {
            if (done) wake_->wake();
        }
    }

    [[nodiscard]] COFFER_NOINLINE static failure out_of_bounds(std::size_t key, std::size_t value) {
        if (key > max_key_size) {
            return fail(
                errc::too_large,
                "a key of " + std::to_string(key) +
                    " bytes exceeds the largest of 65536; store a hash of it, or shorten it");
        }
        return fail(errc::too_large, "a value of " + std::to_string(value) +
                                         " bytes exceeds the largest of 4294967295; split it");
    }

    [[nodiscard]] static purpose purpose_of(record_type type) noexcept {
        return type == record_type::erase ? purpose::erase : purpose::change;
    }

    /// What the index is to take, and how many descriptors are to be had: an erase needs no room in
    /// the index, so that one that is full can be emptied.
    struct additions {
        std::size_t puts;
        std::uint64_t key_bytes;
        std::size_t count;
    };
    [[nodiscard]] bool has_room(additions all, std::uint64_t size, purpose why,
                                bool described = Hides) {
        return records_->index().ready(all.puts, all.key_bytes) &&
               (!described || records_->pending.ready(all.count)) &&
               records_->journal.has_room(size, why);
    }

    /// Leaves the section and makes what was missing.
    template <class Section>
    [[nodiscard]] COFFER_NOINLINE result<void> make_room(Section& section, additions all,
                                                         std::uint64_t size, purpose why,
                                                         bool alone = false) {
        if (records_->exclusive && !alone) {
            const position upto = records_->journal.tail();
            section.unlock();
            Records::threading_type::yield();
            return keep(upto);
        }
        const bool log_full = !records_->journal.has_room(size, why);
        section.unlock();
        if (log_full) {
            if (auto made = records_->journal.prepare(size, why); !made) return made;
        }
        auto growing = typename Records::lock(growing_);
        const auto pin = records_->enter();  // a clear may take the index away meanwhile
        if (auto made = records_->index().prepare(all.puts, all.key_bytes); !made) return made;
        return records_->pending.prepare(all.count);
    }

    /// Step 4 for one record that stands alone and has been staged.
    [[nodiscard]] position publish(table_type& table, const typename table_type::place& place,
                                   record_type type, std::size_t size) {
        auto& journal = records_->journal;
        const address where = journal.publish(type, false, size);
        const bool erases = type == record_type::erase;
        if (erases && place.ref == 0) {
            journal.told();
        } else if constexpr (Hides) {
            table.put(place, records_->install(where, erases, place.ref, journal.tail()));
        } else if (erases) {
            records_->remove_plain(table, place, where);
        } else {
            records_->put_plain(table, place, where);
        }
        return journal.tail();
    }

    /// Steps 3 and 4 for a batch without clear. What fails, with an error or without memory, leaves
    /// what is no commit behind the end of its segment and no other trace, or `misleads`: the index
    /// leads to what was taken back, others are kept out, and end_writing() is to follow.
    [[nodiscard]] result<position> append_all(const change_list& changes, std::uint64_t size,
                                              bool& misleads) {
        auto& journal = records_->journal;
        const auto before = journal.here();
        const position end(journal.active()->id, before.end + size);
        table_type& table = records_->index();
        if (wary_) {
            if (auto sound = can_locate_all(table, changes); !sound) return sound.failure();
        }
        [[maybe_unused]] const auto change_under_way = journal.keeper().change();
        bool hidden = false;
        if constexpr (!Hides)
            hidden = records_->pending.hide(make_address(journal.active()->slot, before.end));
        lookahead<table_type> probes(table, changes);
        const address first = journal.append(changes);
        std::int64_t added = 0;
        keys known(*records_);
        for (std::size_t i = 0; i < changes.size(); ++i) {
            const auto each = changes[i];
            const auto& probe = probes.next();
            const address where = behind(first, each.at);
            if (each.superseded) [[unlikely]] {
                if (each.type == record_type::put) records_->bury(where);
                continue;
            }
            const auto place = records_->locate(table, probe, known);
            if (known.failed()) [[unlikely]] {
                wary_ = true;
                if (hidden && i == 0) {
                    records_->pending.show();  // what is written next will lie here
                } else if (hidden) {
                    const bool gone = take_out(table, changes, i);
                    records_->pending.hide_on(!gone);
                    if (!gone) records_->exclusive = misleads = true;
                }
                static_cast<void>(records_->roll_back(end));
                journal.take_back(before, i != 0);
                return known.reader().cause();
            }
            const bool erases = each.type == record_type::erase;
            if (erases && place.ref == 0) continue;
            if (hidden && place.ref == 0) {
                table.put(place, where);
                ++added;
            } else {
                table.put(place, records_->install(where, erases, place.ref, end));
            }
        }
        journal.complete();
        if constexpr (!Hides) {
            records_->pending.commit(end);
            if (hidden) records_->pending.show();
            records_->commit(end);
            records_->add_count(added);
        }
        journal.told();
        return end;
    }

    /// Where records are damaged, a batch that meets one shall not end a segment each time.
    [[nodiscard]] COFFER_NOINLINE result<void> can_locate_all(table_type& table,
                                                              const change_list& changes) {
        for (std::size_t i = 0; i < changes.size(); ++i) {
            keys known(*records_);
            static_cast<void>(records_->locate(table, table.probe(changes[i].key), known));
            if (known.failed()) return known.reader().cause();
        }
        return {};
    }

    /// The index leads to what is not there: no further write may come. What was accepted before is
    /// brought to the disk, and then the log is given up; outside the section.
    COFFER_NOINLINE void end_writing() noexcept {
        static_cast<void>(
            if_memory_allows([this] { static_cast<void>(records_->journal.sync()); }));
        records_->journal.give_up(nullptr);
        let_in();
    }

    /// Is it what this batch did to a key that was not there?
    [[nodiscard]] bool is_new(ref slot) const noexcept {
        return !is_pending(slot) && records_->pending.hides(slot);
    }

    /// Takes the new keys of a batch that fails after `done` operations out of the index. False:
    /// one could not be looked for.
    [[nodiscard]] COFFER_NOINLINE bool take_out(table_type& table, const change_list& changes,
                                                std::size_t done) {
        bool all = true;
        for (std::size_t i = 0; i < done; ++i) {
            if (changes[i].superseded) continue;
            keys known(*records_);
            const auto place = table.locate(table.probe(changes[i].key), known);
            all = all && !known.failed();
            if (place.ref != 0 && is_new(place.ref)) table.remove(place);
        }
        return all;
    }

    // ---- clear ----

    /// A commit that contains clear: other writers stay out until it is kept and the index swapped.
    [[nodiscard]] result<void> write_exclusively(const change_list& changes, std::uint64_t size,
                                                 purpose why) {
        auto fresh = records_->make_index_alike();
        if (!fresh) return fresh.failure();
        if (auto made = (*fresh)->prepare(changes.puts(), changes.key_bytes()); !made) return made;
        // The table is to know for what it keeps its room: locate() may take what is beyond that.
        static_cast<void>((*fresh)->ready(changes.puts(), changes.key_bytes()));
        position end;
        std::uint64_t dead = 0;  // in the segment of the clear, when it is appended
        std::vector<address> places(changes.size());
        bool alone = false;
        const on_exit in_any_case([&] {
            if (alone) let_in();
        });
        for (;;) {
            auto section = records_->journal.enter();
            // Others are kept out from here on: those that come meanwhile would keep it waiting.
            if (!records_->exclusive) records_->exclusive = alone = true;
            if (!alone || !records_->pending.empty()) {
                const position upto = records_->journal.tail();
                section.unlock();
                if (auto settled = keep(upto); !settled) return settled;
                Records::threading_type::yield();
                continue;
            }
            if (!has_room({}, size, why)) {
                if (auto made = make_room(section, {}, size, why, true); !made) return made;
                continue;
            }
            records_->journal.keeper().begin_change();
            const address first = records_->journal.append(changes);
            records_->journal.complete();
            for (std::size_t i = 0; i < changes.size(); ++i)
                places[i] = behind(first, changes.record_at(i));
            end = records_->journal.tail();
            records_->clearing = records_->journal.active();
            dead = records_->clearing->dead.load(std::memory_order_relaxed);
            break;
        }
        on_exit untold([this] { records_->journal.give_up(nullptr); });
        auto kept = keep(end);
        untold.dismiss();
        if (!kept) {
            records_->journal.give_up(&kept.error());
            return kept;
        }
        auto section = records_->journal.enter();
        records_->exclusive = alone = false;
        records_->clearing = nullptr;
        swap_in(std::move(*fresh), changes, places, dead);
        records_->journal.told();
        records_->journal.keeper().end_change();
        section.unlock();
        records_->journal.reclaim();
        wake_->cleared();
        return {};
    }

    /// A clear is over, or cannot be: the others may write again.
    void let_in() noexcept {
        auto section = records_->journal.enter();
        records_->exclusive = false;
        records_->clearing = nullptr;
    }

    /// The keys of a batch whose records lie at `places`: nothing has to be read again.
    class placed_keys {
    public:
        placed_keys(const change_list& changes, const std::vector<address>& places) noexcept
            : changes_(changes), places_(places) {}

        [[nodiscard]] bytes key_of(ref where) const noexcept {
            const auto at = std::lower_bound(places_.begin(), places_.end(), where);
            return changes_[static_cast<std::size_t>(at - places_.begin())].key;
        }
        [[nodiscard]] bool matches(ref where, bytes key) const noexcept {
            return equal(key_of(where), key);
        }
        void prefetch(ref) const noexcept {}
        [[nodiscard]] bool failed() const noexcept { return false; }

    private:
        const change_list& changes_;
        const std::vector<address>& places_;  // ascending: a commit lies in one segment
    };

    /// The index after a clear: what the operations behind the last clear say. Of its segment
    /// `dead` bytes were dead when it was appended; what came since are marks.
    void swap_in(typename Records::owned_index fresh, const change_list& changes,
                 const std::vector<address>& places, std::uint64_t dead) {
        std::size_t from = 0;
        std::uint64_t tombstones = 0;
        for (std::size_t i = 0; i < changes.size(); ++i) {
            if (changes[i].type == record_type::clear) from = i + 1, tombstones = 0;
            if (changes[i].type == record_type::erase)
                tombstones += changes.record_at(i + 1) - changes.record_at(i);
        }
        const address cleared = places[from - 1];
        for (const auto& each : records_->journal.segments()) {
            const bool last = each->slot == slot_of(cleared);
            const std::uint64_t gone =
                last ? offset_of(cleared) + (each->dead.load(std::memory_order_relaxed) - dead)
                     : each->end;
            each->dead.store(gone - each->begin, std::memory_order_relaxed);
            each->tombstones = last ? tombstones : 0;
            if (last) break;
        }
        std::uint64_t count = 0;
        table_type& table = *fresh;
        placed_keys known(changes, places);
        for (std::size_t i = from; i < changes.size(); ++i) {
            const auto place = table.locate(table.probe(changes[i].key), known);
            const ref previous = place.ref;
            if (changes[i].type == record_type::put) {
                table.put(place, places[i]);
                count += previous == 0;
            } else if (previous != 0) {
                table.remove(place);
                --count;
            }
            if (previous != 0) records_->bury(previous);
        }
        records_->replace_index(std::move(fresh));
        records_->set_count(count);
    }

    // ---- failure ----

    /// keep() of what this thread has just published. If that fails, if only for want of memory to
    /// say so, the write is taken back, unless another writer kept it.
    [[nodiscard]] result<void> keep_written(position end) {
        auto kept = if_memory_allows([&] { return keep(end); },
                                     [&]() -> result<void> {
                                         if (take_back(end, nullptr)) raise_no_memory();
                                         return {};
                                     });
        if (!kept && !take_back(end, &kept.error())) return {};
        return kept;
    }

    /// False: the write is kept after all.
    [[nodiscard]] bool take_back(position end, const error* cause) noexcept {
        if constexpr (Hides) {
            const auto turns = records_->journal.take_turns();  // nobody keeps it from here on
            auto section = records_->journal.enter();
            if (driver_->kept() >= end) records_->commit(driver_->kept());
            if (records_->pending.committed() >= end) return false;
            // Its bytes stay in the log and may still reach the disk. So the log is closed to
            // everything that could be written on top: cleaning would move some of what it replaced
            // behind it, an image would not know it.
            records_->journal.give_up(cause);
            static_cast<void>(records_->roll_back(end));
        }
        return true;
    }

    Records* records_;
    Driver* driver_;
    Wake* wake_;
    std::uint64_t max_batch_bytes_;
    bool wary_ = false;  // a batch has met a record that cannot be read; inside the section
    typename Records::mutex growing_;
};

}  // namespace coffer::detail

#endif
