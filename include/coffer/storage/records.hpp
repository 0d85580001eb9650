// coffer/storage/records.hpp: the log and the index over it: the state that readers see.
//
// The index leads from a key to the newest record of that key; the log holds it. Readers enter an
// epoch, look up, resolve what is pending and read in place. The writer's section changes slots.
//
// S1  Every key's slot leads to its newest visible record, or to a descriptor whose chain does.
// S2  A record that no slot and no chain leads to is counted as dead in its segment.
// Threads: what only reads from any thread, an index is made outside of the writer's section; the
// rest inside.
#ifndef COFFER_STORAGE_RECORDS_HPP
#define COFFER_STORAGE_RECORDS_HPP

#include <coffer/config/assert.hpp>
#include <coffer/index/concept.hpp>
#include <coffer/journal/keeper.hpp>
#include <coffer/journal/log.hpp>
#include <coffer/journal/record_reader.hpp>
#include <coffer/storage/pending.hpp>
#include <coffer/storage/read_ahead.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace coffer::detail {

template <class Medium, class Index, threading_policy Threading, std::size_t KeySize>
class records {
public:
    using log_type = log<Medium, Threading>;
    using segment_type = typename log_type::segment_type;
    using file_system_type = typename Medium::file_system_type;
    using memory_type = typename log_type::keeper_type::memory;
    using table_type = typename Index::template table<Threading, memory_type, KeySize>;
    /// An index, and which one it is for those who keep it.
    struct kept_index : table_type, retired {
        using table_type::table_type;
        std::uint64_t generation = 0;
    };
    using owned_index = std::unique_ptr<kept_index>;
    using reader_type = record_reader<typename log_type::table_type>;
    using threading_type = Threading;
    using mutex = typename Threading::mutex;
    using lock = lock_of<mutex>;

    /// The keys behind refs, as indexes ask for them.
    class keys {
    public:
        explicit keys(const records& of) noexcept : of_(&of), reader_(of.journal.table()) {}
        [[nodiscard]] bool matches(ref where, bytes key) noexcept {
            return reader_.has_key(of_->pending.bearer(where), key);
        }
        [[nodiscard]] bytes key_of(ref where) noexcept {
            const record* found = reader_.read(of_->pending.bearer(where));
            return found != nullptr ? found->key : bytes();
        }
        void prefetch(ref where) const noexcept { of_->prefetch(where); }
        /// What an index says is not so.
        COFFER_NOINLINE void refute() noexcept {
            static_cast<void>(reader_.read(pending_writes<Threading>::nowhere));
        }
        [[nodiscard]] bool failed() const noexcept { return reader_.failed(); }
        [[nodiscard]] reader_type& reader() noexcept { return reader_; }

    private:
        const records* of_;
        reader_type reader_;
    };

    records(file_system_type system, const log_options& options)
        : journal(system, options), pending(journal.readers()) {}

    ~records() {
        journal.reclaim();
        delete index_.load(std::memory_order_relaxed);
    }

    // ---- readers ----

    [[nodiscard]] COFFER_ALWAYS_INLINE auto enter() const noexcept {
        return const_cast<records*>(this)->journal.readers().enter();
    }
    [[nodiscard]] COFFER_ALWAYS_INLINE table_type& index() const noexcept {
        return *index_.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint64_t size() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }

    /// Shows the value of `key` to `show(bytes)` in place. False: there is none. Answer is made of
    /// a bool, or of what failed.
    template <class Answer = result<bool>, class Show>
    [[nodiscard]] Answer lookup(bytes key, Show&& show) const {
        const auto pin = enter();
        const table_type& table = index();
        const typename table_type::lookup probe = table.probe(key);
        if constexpr (!guesses_of<table_type>) {
            return lookup_with_care(table, key, probe, show);
        } else {
            const ref guess = guess_of(table, probe);
            if (guess == 0) return false;
            if (shown_at_once(table, key, guess, show)) [[likely]]
                return true;
            return look_again(key, show);
        }
    }

    static constexpr std::size_t group_size = 16;

    /// Shows the values of at most group_size keys to `show(i, bytes)`. All lookups begin before
    /// any of them ends, so that their cache misses overlap.
    template <class Show>
    [[nodiscard]] result<void> lookup_group(std::span<const bytes> group, Show&& show) const {
        const auto pin = enter();
        const table_type& table = index();
        COFFER_ASSERT(group.size() <= group_size, "a group that is too large");
        std::array<typename table_type::lookup, group_size> probes;
        for (std::size_t i = 0; i < group.size(); ++i) {
            probes[i] = table.probe(group[i]);
            if constexpr (requires { table.approach(probes[i]); }) {
                table.approach(probes[i]);
            } else {
                table.prefetch(probes[i]);
            }
        }
        std::array<ref, group_size> guesses;
        for (std::size_t i = 0; i < group.size(); ++i) {
            guesses[i] = guess_of(table, probes[i]);
            if (guesses[i] == unclear) guesses[i] = place_of(table, probes[i]);
            if (guesses[i] - 1 < unclear - 1) journal.table().prefetch(guesses[i]);
        }
        // Each guess is of a later moment than the one before. So behind an answer that is later
        // than all of them no guess is used: an older value could be seen behind a newer one.
        bool late = false;
        for (std::size_t i = 0; i < group.size(); ++i) {
            const auto show_it = [&](bytes value) { show(i, value); };
            if (!late && (guesses[i] == 0 || shown_at_once(table, group[i], guesses[i], show_it)))
                continue;
            late = true;
            auto found = look_again(group[i], show_it);
            if (!found) return found.failure();
        }
        return {};
    }

    /// Shows key and value behind each of `refs` to `show(key, value)`; the caller holds a pin.
    template <class Show>
    [[nodiscard]] result<void> show_all(const std::vector<ref>& refs, Show&& show) const {
        reader_type reader(journal.table());
        for (const ref slot : refs) prefetch(slot);
        for (const ref slot : refs) {
            const address where = pending.resolve(slot);
            if (where == 0) continue;
            const record* found = reader.read(where);
            if (found == nullptr) return reader.cause();
            show(found->key, found->value);
        }
        return {};
    }

    /// The same in their order, a few ahead of it, until show(key, value) answers false; true:
    /// everything was shown.
    template <class Show>
    [[nodiscard]] result<bool> show_in_order(std::span<const ref> refs, Show&& show) const {
        constexpr std::size_t ahead = 24;  // of keys put at random each record waits for memory
        reader_type reader(journal.table());
        typename log_type::table_type::window through;
        for (std::size_t i = 0; i < (std::min)(ahead, refs.size()); ++i) prefetch(refs[i]);
        for (std::size_t i = 0; i < refs.size(); ++i) {
            if (i + ahead < refs.size()) prefetch(refs[i + ahead]);
            record at_once;
            const record* found = &at_once;
            if (is_pending(refs[i]) || pending.hides(refs[i]) ||
                !reader_type::at_once(journal.table(), refs[i], through, at_once)) [[unlikely]] {
                const address where = pending.resolve(refs[i]);
                if (where == 0) continue;
                found = reader.read(where);
                if (found == nullptr) return reader.cause();
            }
            if (!show(found->key, found->value)) return false;
        }
        return true;
    }

    // ---- the writer's section ----

    /// Where a key is in the index, or would be; `known` has failed where that cannot be, as in an
    /// index that came from a damaged image.
    [[nodiscard]] COFFER_ALWAYS_INLINE typename table_type::place locate(
        table_type& table, const typename table_type::lookup& probe, keys& known) const {
        const typename table_type::place found = table.locate(probe, known);
        if (is_pending(found.ref) && !pending.knows(found.ref)) [[unlikely]]
            known.refute();
        return found;
    }

    /// Makes `where` the newest record of the key at `place`; `place.ref` is what it replaces.
    void put_plain(table_type& table, const typename table_type::place& place, address where) {
        const burial replaced = burial_of(place.ref);
        journal.keeper().intend(where, place.ref, replaced.dead);
        table.put(place, where);
        if (place.ref == 0) {
            add_count(1);
        } else {
            bury(replaced);
            passed(table, place.ref, replaced.size);
        }
        journal.told();
    }

    /// The record at `where` says that the key at `place` is gone.
    void remove_plain(table_type& table, const typename table_type::place& place, address where) {
        const burial replaced = burial_of(place.ref);
        journal.keeper().intend(where | intent_erases, place.ref, replaced.dead);
        table.remove(place);
        bury(replaced);
        passed(table, place.ref, replaced.size);
        add_count(-1);
        journal.told();
    }

    /// A descriptor for a write that is not yet to be seen; pending.ready(1) was true. Until
    /// finish() the index alone says less than everything.
    [[nodiscard]] ref install(address record, bool erases, ref previous, position end) {
        journal.keeper().begin_change();
        return pending.install(record, erases, previous, end);
    }

    /// Everything that commits up to `upto` is true from now on: readers see it at once, then the
    /// slots are made plain and counted.
    void commit(position upto) {
        pending.commit(upto);
        for (ref taken = pending.take_committed(upto); taken != 0;
             taken = pending.take_committed(upto)) {
            finish(taken, true);
        }
        if (upto > settled()) settled_.store(upto.word(), std::memory_order_release);
    }

    /// Everything that commits up to here is true and counted: a write that waits for this place
    /// returns to a caller who finds it in size(), too. Outside the section.
    [[nodiscard]] position settled() const noexcept {
        return position::of_word(settled_.load(std::memory_order_acquire));
    }

    /// What commits at `end` failed: restores what was before. False: it had become true already.
    [[nodiscard]] bool roll_back(position end) {
        bool any = false;
        for (ref taken = pending.take_failed(end); taken != 0; taken = pending.take_failed(end)) {
            finish(taken, false);
            any = true;
        }
        return any;
    }

    /// Counts a put as dead, as large as it says that it is. Tombstones are never counted: older
    /// segments may need them.
    void bury(address where) { bury(burial_of(where)); }

    void add_count(std::int64_t difference) noexcept {
        set_count(count_.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(difference));
    }
    void set_count(std::uint64_t count) noexcept {
        count_.store(count, std::memory_order_relaxed);
        journal.keeper().count(count);
    }

    /// A fresh index with a seed of its own; outside the section.
    [[nodiscard]] result<owned_index> make_index() {
        std::byte random[8];
        journal.system().random(random);
        return make_index(load_le<std::uint64_t>(random));
    }
    /// One in which walks that began in the present index find their place again.
    [[nodiscard]] result<owned_index> make_index_alike() {
        if constexpr (requires(const table_type& of) { of.seed(); }) {
            const auto pin = enter();
            return make_index(index().seed());
        } else {
            return make_index();
        }
    }
    [[nodiscard]] result<owned_index> make_index(std::uint64_t seed) {
        std::uint64_t generation = 0;
        auto memory = journal.keeper().fresh_memory(generation);
        auto made = make_unstarted_index(std::move(memory), generation);
        if (auto started = made->start(seed); !started) return started.failure();
        return made;
    }

    /// An index that is to be started, or to adopt its memory, before use.
    [[nodiscard]] owned_index make_unstarted_index(memory_type memory,
                                                   std::uint64_t generation = 0) {
        auto made = std::make_unique<kept_index>(journal.readers(), std::move(memory));
        made->generation = generation;
        return made;
    }

    /// Puts `fresh` in the place of the index. The old one goes at the journal's reclaim(), when
    /// its readers have left.
    void replace_index(owned_index fresh) {
        journal.keeper().use(fresh->generation);
        kept_index* const old = index_.exchange(fresh.release(), std::memory_order_acq_rel);
        if (old == nullptr) return;
        journal.readers().retire(
            *old, [](void*, retired& gone) noexcept { delete static_cast<kept_index*>(&gone); },
            nullptr);
    }

    static inline constinit thread_local read_ahead ahead_of_thread{};

    log_type journal;
    pending_writes<Threading> pending;
    bool exclusive = false;  // a clear is on its way: no other writer may append
    const segment_type* clearing = nullptr;  // holds its records, which the index is to lead to

private:
    /// What a slot leads to will be read soon.
    void prefetch(ref slot) const noexcept { journal.table().prefetch(pending.bearer(slot)); }

    /// Can the table tell where a key's record is without a look at keys?
    template <class Table>
    static constexpr bool guesses_of =
        requires(const Table& of, const typename Table::lookup& probe) { of.likely(probe); };

    /// Where the record of a key is or, seldom, that of another one; 0: there is none. What is
    /// pending or hidden is `unclear`, so that the answer is of this moment, whoever uses it when.
    [[nodiscard]] COFFER_ALWAYS_INLINE ref
    guess_of(const table_type& table, const typename table_type::lookup& probe) const noexcept {
        if constexpr (guesses_of<table_type>) {
            const ref guess = table.likely(probe);
            return guess != 0 && (is_pending(guess) || pending.hides(guess)) ? unclear : guess;
        } else {
            return unclear;
        }
    }

    /// The same by a look at keys; `unclear` when one cannot be read.
    [[nodiscard]] COFFER_NOINLINE ref place_of(const table_type& table,
                                               const typename table_type::lookup& probe) const {
        keys known(*this);
        const ref slot = table.find(probe, known);
        return known.failed() ? unclear : pending.resolve(slot);
    }

    /// Shows the value behind a guess that was made under the caller's pin. False: it was unclear,
    /// or its record is not mapped, damaged, or only looks like the key's.
    template <class Show>
    [[nodiscard]] COFFER_ALWAYS_INLINE bool shown_at_once(const table_type& table, bytes key,
                                                          ref guess, Show&& show) const {
        record found;
        if (guess == unclear ||
            !reader_type::at_once(journal.table(), guess, key, found,
                                  [&](std::size_t size) { passed(table, guess, size); })) {
            return false;
        }
        show(found.value);
        return true;
    }

    /// From the beginning, so that nothing has to be kept for it.
    template <class Show>
    [[nodiscard]] COFFER_NOINLINE result<bool> look_again(bytes key, Show&& show) const {
        const table_type& table = index();
        return lookup_with_care(table, key, table.probe(key), show);
    }

    template <class Show>
    [[nodiscard]] COFFER_ALWAYS_INLINE result<bool> lookup_with_care(
        const table_type& table, bytes key, const typename table_type::lookup& probe,
        Show&& show) const {
        keys known(*this);
        const ref slot = table.find(probe, known);
        if (known.failed()) [[unlikely]]
            return known.reader().cause();
        const address where = pending.resolve(slot);
        if (where == 0) return false;
        const record* found = known.reader().read(where);
        // A table that tells keys apart without their records may have come from a damaged image.
        if (found != nullptr && !equal(found->key, key)) [[unlikely]]
            known.refute();
        if (known.failed()) [[unlikely]]
            return known.reader().cause();
        show(found->value);
        return true;
    }

    /// A lookup has led to the record of so many bytes at `where`: the next ones may, too.
    COFFER_ALWAYS_INLINE void passed(const table_type& table, address where,
                                     std::size_t size) const noexcept {
        if constexpr (!Index::ordered && log_type::persistent) {
            ahead_of_thread.passed(where, size,
                                   [&](address next) { return fetch_ahead(table, next); });
        }
    }

    /// Fetches what a lookup of the key of the record at `where` begins with.
    [[nodiscard]] std::size_t fetch_ahead(const table_type& table, address where) const noexcept {
        const auto view = journal.table().at(where);
        record found;
        // A segment whose reads are checked is full: nobody writes to it any more.
        if (view.at == nullptr || !view.verify || !parse_record(view.at, view.limit, found))
            return 0;
        if (found.type == record_type::put && found.key.size() < 128)
            table.prefetch(table.probe(found.key));
        return found.size;
    }

    /// Takes a descriptor out of its slot or chain, leaving what is true: its record when it
    /// committed, what was before when it failed. Where its key cannot be read, it stays, says what
    /// is true, and is not used again; no write may come behind it.
    void finish(ref taken, bool committed) {
        table_type& table = index();
        const address record_at = pending.bearer(taken);
        const ref before = pending.previous_of(taken);
        const ref after = !committed ? before : pending.erases(taken) ? 0 : record_at;
        keys known(*this);
        reader_type apart(journal.table());  // `known` reads others while the key is looked up
        const record* bearer = apart.read(record_at);
        if (bearer != nullptr) {
            const auto place = table.locate(table.probe(bearer->key), known);
            if (known.failed()) {
                bearer = nullptr;
            } else if (place.ref == taken) {
                if (after != 0) {
                    table.put(place, after);
                } else {
                    table.remove(place);
                }
            } else if (place.ref != 0) {
                ref link = place.ref;
                while (is_pending(link) && pending.previous_of(link) != taken)
                    link = pending.previous_of(link);
                if (is_pending(link)) pending.set_previous(link, after);
            }
        }
        account(record_at, before, taken, committed);
        if (!committed) pending.fail(taken);
        if (bearer != nullptr) {
            pending.retire(taken);
        } else {
            journal.give_up(nullptr);
        }
        journal.told();
        journal.keeper().end_change();
    }

    /// What is dead in the segment `in` when a record there is, too; null: in none.
    struct burial {
        segment_type* in = nullptr;
        std::uint64_t dead = 0;
        std::size_t size = 0;  // of the record
    };
    [[nodiscard]] burial burial_of(ref where) const {
        segment_type* const in = where != 0 ? journal.table().owner(slot_of(where)) : nullptr;
        if (in == nullptr) return {};
        const std::size_t size = reader_type(journal.table()).claimed_size(where);
        return {in, in->dead.load(std::memory_order_relaxed) + size, size};
    }
    static void bury(const burial& gone) noexcept {
        if (gone.in != nullptr) gone.in->dead.store(gone.dead, std::memory_order_relaxed);
    }

    void account(address record_at, ref before, ref taken, bool committed) {
        const bool erases = pending.erases(taken);
        if (!committed) {
            if (!erases) bury(record_at);
            return;
        }
        if (before != 0) bury(before);
        if (erases && before != 0) add_count(-1);
        if (!erases && before == 0) add_count(1);
    }

    typename Threading::template atomic<kept_index*> index_{nullptr};
    typename Threading::template atomic<std::uint64_t> count_{0};
    typename Threading::template atomic<std::uint64_t> settled_{0};
};

}  // namespace coffer::detail

#endif
