// coffer/storage/engine.hpp: one store of encoded keys and values, made of one policy of each axis.
//
// The engine knows bytes only; the typed face is store.hpp. It owns the parts and their order:
//
//   records (log + index)  <-  writer (durability)  <-  cleaner  <-  background thread
//
// E1  The lock file outlives everything that writes. E2  The background thread stops before the log
// ends. E3  In a forked child nothing is written and nobody is waited for. E4  The background
// thread starts with its first work: in open if that leaves some, else in the first writing call.
// Threads: every member from any thread under `multi`, except close and destruction.
#ifndef COFFER_STORAGE_ENGINE_HPP
#define COFFER_STORAGE_ENGINE_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/durability/concept.hpp>
#include <coffer/format/identity.hpp>
#include <coffer/storage/background.hpp>
#include <coffer/storage/changes.hpp>
#include <coffer/storage/cleaner.hpp>
#include <coffer/storage/concept.hpp>
#include <coffer/storage/imaging.hpp>
#include <coffer/storage/opening.hpp>
#include <coffer/storage/options.hpp>
#include <coffer/storage/records.hpp>
#include <coffer/storage/stats.hpp>
#include <coffer/storage/verifying.hpp>
#include <coffer/storage/writer.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coffer::detail {

/// The durability of a store in memory: every promise that could be kept is kept.
template <class Log>
class idle_driver {
public:
    template <class Wake>
    idle_driver(Log&, const pace&, Wake&) noexcept {}
    [[nodiscard]] result<void> before_write() noexcept { return {}; }
    template <class Then>
    [[nodiscard]] result<void> after_write(position, Then&&) noexcept {
        return {};
    }
    [[nodiscard]] std::uint64_t due() const noexcept { return never; }
    [[nodiscard]] result<void> run() noexcept { return {}; }
};

template <class Storage, class Durability, class Index, class Threading, file_system FS,
          std::size_t KeySize>
class engine {
    // A worker needs real threads around the log even where callers are one at a time.
    using threads = std::conditional_t<Durability::needs_worker && Storage::persistent &&
                                           !Threading::concurrent,
                                       threading::multi, Threading>;
    static_assert(need::storage_with_medium<Storage, FS>,
                  "a coffer storage policy needs  template <class FS> medium");
    using medium = typename Storage::template medium<FS>;
    static_assert(explain_segment_medium<medium>());
    static_assert(need::index_with_table<Index, threads, heap_memory, KeySize>,
                  "a coffer index policy needs  "
                  "template <class Threading, class Memory, std::size_t KeySize> table");
    static_assert(explain_index_table<typename Index::template table<threads, heap_memory, KeySize>,
                                      Index::ordered>());

public:
    using records_type = records<medium, Index, threads, KeySize>;
    using table_type = typename records_type::table_type;
    using cursor = typename table_type::cursor;
    using keys = typename records_type::keys;

private:
    using log_type = typename records_type::log_type;
    using background_type = background<FS, threads>;
    static_assert(need::durability_with_driver<Durability, log_type>,
                  "a coffer durability policy needs  template <class Log> driver");
    using driver_type = typename std::conditional_t<
        Storage::persistent, typename Durability::template driver<log_type>, idle_driver<log_type>>;
    static constexpr bool hides = Storage::persistent && Durability::hides_until_kept &&
                                  (Durability::survives_system_crash || Storage::hands_over);
    static_assert(explain_durability_driver<driver_type, log_type, hides>());
    struct job;
    using writer_type = writer<records_type, driver_type, job, hides>;
    using opener_type = opener<records_type, Durability::survives_system_crash>;

public:
    /// In a forked child the engine is left to the parent: only the lock's descriptor is closed
    /// here, and nothing is destroyed that a vanished thread may hold.
    struct deleter {
        void operator()(engine* store) const noexcept {
            if (store->fork_mark_.forked()) {
                store->lock_.reset();
            } else {
                delete store;
            }
        }
    };
    using owner = std::unique_ptr<engine, deleter>;

    [[nodiscard]] static result<owner> open(std::string_view path, const options& chosen, FS system,
                                            const identity& self, bool read_only) {
        if (auto fit = check_options(chosen, path); !fit) return fit.failure();
        // A reader beside a live writer may see files come and go between two looks: it looks
        // again.
        for (int looks = read_only ? 5 : 1;; --looks) {
            auto made = open_once(path, chosen, system, self, read_only);
            if (made || looks == 1) return made;
            const errc kind = made.error().kind();
            if (kind != errc::corruption && kind != errc::not_found) return made;
        }
    }

private:
    [[nodiscard]] static result<owner> open_once(std::string_view path, const options& chosen,
                                                 FS system, const identity& self, bool read_only) {
        auto made = owner(new engine(system, chosen, read_only));
        if constexpr (Storage::persistent) {
            if (path.empty()) return fail(errc::invalid_argument, "the path of a store is empty");
            opener_type opener(made->records_, system, self, Index::id);
            auto report =
                read_only
                    ? opener.open_read_only(path)
                    : opener.open(path, static_cast<std::uint64_t>(chosen.lock_timeout.count()),
                                  chosen.allow_network);
            if (!report) return report.failure();
            made->report_ = std::move(*report);
            made->lock_ = opener.take_lock_file();
            made->needless_ = opener.take_needless();
            if constexpr (!threads::concurrent) made->sweep();
            made->opened_at_ = made->records_.journal.tail();
            made->tell_report();
        } else {
            if (auto started = made->start_volatile(); !started) return started.failure();
        }
        made->closed_ = false;
        if (!read_only) {
            made->promise_what_was_found();
            if (made->job_.due() != never) {
                if (auto ready = made->make_ready(); !ready) return ready.failure();
            }
        }
        return made;
    }

public:
    /// What close() leaves undone for lack of memory, the next open finds as after a kill.
    ~engine() {
        *presence_ = nullptr;
        static_cast<void>(if_memory_allows([this] { static_cast<void>(close()); }));
    }

    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    /// Where this engine is as long as it lives, null afterwards: for those who may outlive it.
    [[nodiscard]] std::shared_ptr<const engine* const> presence() const { return presence_; }

    // ---- reading ----

    template <class Answer = result<bool>, class Show>
    [[nodiscard]] Answer lookup(bytes key, Show&& show) const {
        if (auto may = usable(); !may) return may.failure();
        return records_.template lookup<Answer>(key, show);
    }

    static constexpr std::size_t group_size = records_type::group_size;

    template <class Show>
    [[nodiscard]] result<void> lookup_group(std::span<const bytes> group, Show&& show) const {
        if (auto may = usable(); !may) return may;
        return records_.lookup_group(group, show);
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return records_.size(); }

    /// Shows the next few entries of a walk in no particular order. False: the walk is over.
    template <class Show>
    [[nodiscard]] result<bool> step(cursor& at, std::vector<ref>& refs, Show&& show) const {
        if (auto may = usable(); !may) return may.failure();
        const auto pin = records_.enter();
        refs.clear();
        const bool more = records_.index().step(at, refs);
        if (auto shown = records_.show_all(refs, show); !shown) return shown.failure();
        return more;
    }

    /// Shows the next few entries above (or, descending, below) `from`, and moves it behind them,
    /// until show() answers false. True: there may be more.
    template <bool Descending, class Show>
    [[nodiscard]] result<bool> step_in_order(held_bound& from, std::vector<ref>& refs,
                                             Show&& show) const {
        if (auto may = usable(); !may) return may.failure();
        const auto pin = records_.enter();
        refs.clear();
        keys known(records_);
        bool more = false;
        if constexpr (Descending) {
            more = records_.index().descend(from, refs, known);
        } else {
            more = records_.index().ascend(from, refs, known);
        }
        if (known.failed()) return known.reader().cause();
        auto all = records_.show_in_order(refs, show);
        if (!all || !*all) return all;
        if (!more) return false;
        if (!from.moved) from.move_to(known.key_of(refs.back()));
        if (known.failed()) return known.reader().cause();
        return true;
    }

    // ---- writing ----

    [[nodiscard]] result<bool> write(record_type type, bytes key, bytes value, condition when) {
        if (auto may = writable(); !may) [[unlikely]]
            return may.failure();
        auto done = writer_.write(type, key, value, when);
        after_write(done && *done ? record_size(key.size(), value.size()) : 0);
        return done;
    }

    [[nodiscard]] result<void> write(const change_list& changes) {
        if (auto may = writable(); !may) [[unlikely]]
            return may;
        auto done = writer_.write(changes);
        after_write(done ? changes.laid_out().size() : 0);
        return done;
    }

    [[nodiscard]] result<void> flush() {
        if (auto may = writable(); !may) return may;
        return writer_.flush();
    }
    [[nodiscard]] result<void> sync() {
        if (auto may = writable(); !may) return may;
        return writer_.sync();
    }
    [[nodiscard]] result<void> compact() {
        if (auto may = writable(); !may) return may;
        return cleaner_.clean_all();
    }

    [[nodiscard]] result<void> close() {
        if (closed_) return {};
        if (fork_mark_.forked()) return usable();
        closed_ = true;
        background_.stop();
        if (read_only_) return {};
        const on_exit released([this] {
            records_.journal.keeper().end();
            records_.journal.reclaim();
            lock_.reset();
        });
        result<void> cleaned;
        static_cast<void>(if_memory_allows([&] {
            sweep();
            if (options_.auto_compact && records_.journal.active() != nullptr)
                note(cleaner_.merge_some());
        }));
        static_cast<void>(if_memory_allows([&] { cleaned = cleaner_.finish(); }));
        if (auto ended = end_log(); !ended) return ended;
        return cleaned;
    }

    // ---- asking ----

    /// May this process use the store? E3.
    [[nodiscard]] COFFER_ALWAYS_INLINE result<void> usable() const {
        if (fork_mark_.forked()) [[unlikely]]
            return refused();
        return {};
    }
    [[nodiscard]] bool is_read_only() const noexcept { return read_only_; }
    [[nodiscard]] const store_id& id() const noexcept { return records_.journal.id(); }

    [[nodiscard]] const recovery_report& report() const noexcept { return report_; }

    [[nodiscard]] store_stats stats() const {
        store_stats out;
        auto& journal = const_cast<log_type&>(records_.journal);
        auto section = journal.enter();
        out.entries = records_.size();
        for (const auto& each : journal.segments()) {
            out.log_bytes += each->end;
            out.dead_bytes += each->dead.load(std::memory_order_relaxed);
            ++out.segments;
        }
        out.index_bytes = records_.index().memory();
        out.commits = journal.commits();
        out.unsynced_bytes = journal.unsynced_bytes();
        return out;
    }

    /// Reads and checks everything.
    [[nodiscard]] result<verify_report> verify() const {
        if (auto may = usable(); !may) return may.failure();
        return verifier<records_type>(const_cast<records_type&>(records_)).verify();
    }

private:
    engine(FS system, const options& chosen, bool read_only)
        : options_(chosen),
          system_(system),
          read_only_(read_only),
          records_(system, log_options_of(chosen, read_only)),
          background_(system),
          driver_(records_.journal, pace_of(chosen), background_),
          writer_(records_, driver_, job_, chosen.max_batch_bytes),
          cleaner_(records_, writer_) {}

    [[nodiscard]] COFFER_NOINLINE static failure refused() {
        return fail(errc::forked,
                    "the store belongs to the parent process; open it again after the parent has "
                    "closed it, or read-only");
    }

    [[nodiscard]] COFFER_ALWAYS_INLINE result<void> writable() {
        if (!ready_.load(std::memory_order_acquire) || fork_mark_.forked()) [[unlikely]]
            return make_ready();
        return {};
    }

    /// E4. Where the system makes no thread the call is refused, and the next one tries again.
    [[nodiscard]] COFFER_NOINLINE result<void> make_ready() {
        if (auto may = usable(); !may) return may;
        if (read_only_)
            return fail(errc::read_only, "the store was opened for reading; use open() to write");
        if (auto started = background_.start(job_); !started) return started;
        ready_.store(true, std::memory_order_release);
        return {};
    }

    [[nodiscard]] result<void> start_volatile() {
        report_.created = true;
        if (auto started = records_.journal.start(nullptr, {}, 1); !started) return started;
        auto index = records_.make_index();
        if (!index) return index.failure();
        records_.replace_index(std::move(*index));
        return {};
    }

    [[nodiscard]] result<void> end_log() {
        if constexpr (!Storage::persistent) return {};
        auto& journal = records_.journal;
        const bool changed = !report_.clean || journal.tail() != opened_at_;
        if (changed && journal.active() == nullptr && journal.healthy()) {
            if (auto made = journal.begin_segment(purpose::clean); !made) {
                static_cast<void>(journal.sync());  // what was accepted has its room already
                return made;
            }
        }
        if (auto ended = journal.finish(); !ended) return ended;
        // Either is a cache: the store is whole without it.
        if (!wants_image(journal.segments())) return {};
        if constexpr (log_type::keeper_type::kept) {
            note(
                journal.keeper().seal([this](auto&& sink) { return records_.index().save(sink); }));
        } else if (changed) {
            note(save_image(records_, Index::id));
        }
        return {};
    }

    /// What an earlier process has handed over is as durable as a write of this one.
    void promise_what_was_found() {
        const auto& journal = records_.journal;
        if (journal.durable() < journal.tail())
            static_cast<void>(driver_.after_write(journal.tail(), [](position) {}));
    }

    void tell_report() const {
        if (options_.log == nullptr || report_.clean) return;
        options_.log(options_.log_context, log_level::warning,
                     "the store was not closed; its log was recovered up to the last whole commit");
    }

    void tell(const error& cause) const {
        if (options_.log != nullptr)
            options_.log(options_.log_context, log_level::error, cause.what());
    }

    /// What the background thread does, and what single-threaded calls do in small steps.
    struct job {
        engine* self;
        bool cleans = false;
        typename threads::template atomic<bool> asked{false};  // to look whether it should

        [[nodiscard]] std::uint64_t due() const noexcept {
            if (self->records_.journal.wants_segment() || cleans || self->cleaner_.is_late() ||
                asked.load(std::memory_order_relaxed) || !self->needless_.empty())
                return 0;
            return self->driver_.due();
        }
        void run() {
            auto& journal = self->records_.journal;
            const std::uint64_t due = self->driver_.due();
            if (due == 0 || due <= self->system_.now()) self->note(self->driver_.run());
            self->sweep();
            if (journal.wants_segment()) {
                if (self->holds_full()) self->note(journal.hand_over());
                self->note(journal.prepare_ahead());
                cleans = self->options_.auto_compact;
            }
            if (asked.exchange(false, std::memory_order_relaxed))
                cleans = self->options_.auto_compact;
            if (cleans || self->cleaner_.is_late()) cleans = self->clean_some();
        }
        /// A writer has filled a segment, or a flush or sync is done.
        void wake() {
            if (self->options_.auto_compact) self->cleaner_.look();
            self->background_.wake();
        }
        /// A clear is done: what was before it is dead.
        void cleared() {
            if constexpr (threads::concurrent) {
                asked.store(true, std::memory_order_relaxed);
                self->background_.wake();
            } else {
                cleans = self->options_.auto_compact;
            }
        }
    };

    void note(result<void> done) const {
        if (!done) tell(done.error());
    }

    /// Is there a full segment whose memory the next one could have?
    [[nodiscard]] bool holds_full() {
        auto& journal = records_.journal;
        if (!log_type::hands_over || !journal.healthy()) return false;
        auto section = journal.enter();
        const auto& all = journal.segments();
        if (all.size() < 2) return false;
        const auto& last = *all[all.size() - 2];
        return !last.settled && !last.torn;
    }

    /// To remove a file takes a third of a quick open: nobody who opens a store waits for it.
    void sweep() {
        for (const std::string& each : std::exchange(needless_, {})) {
            note(records_.journal.folder()->remove(each));
        }
    }

    /// As many bytes as are `owed`, or one step.
    [[nodiscard]] bool clean_some(std::uint64_t owed = 0) {
        auto more = cleaner_.step(owed);
        if (!more) tell(more.error());
        return more && *more;
    }

    /// Of so many bytes. Others clean in the background, and a writer that outruns them waits; who
    /// is alone cleans a little in each call. The write is done and must not fail any more.
    COFFER_ALWAYS_INLINE void after_write(std::uint64_t bytes) {
        if constexpr (threads::concurrent) {
            if (bytes != 0) cleaner_.keep_step(bytes);
        } else if (job_.cleans) {
            clean_in_call(bytes);
        } else if (records_.journal.take_rotated()) {
            job_.cleans = options_.auto_compact;
        }
    }
    COFFER_NOINLINE void clean_in_call(std::uint64_t bytes) {
        constexpr std::uint64_t most = 8 * 1024 * 1024;  // some milliseconds
        const std::uint64_t owed = (std::min)(most, cleaner_.share * bytes);
        static_cast<void>(if_memory_allows([&] { job_.cleans = clean_some(owed); }));
    }

    std::shared_ptr<const engine*> presence_ = std::make_shared<const engine*>(this);
    options options_;
    FS system_;
    bool read_only_;
    bool closed_ = true;  // until open has succeeded
    typename threads::template atomic<bool> ready_{false};  // to write: E4
    typename FS::fork_mark fork_mark_{system_};
    recovery_report report_;
    position opened_at_;
    std::unique_ptr<typename FS::file> lock_;  // E1
    std::vector<std::string> needless_;        // files that opening has left; of the background
    records_type records_;
    background_type background_;
    driver_type driver_;
    writer_type writer_;
    cleaner<records_type, writer_type> cleaner_;
    job job_{this};
};

}  // namespace coffer::detail

#endif
