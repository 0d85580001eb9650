// coffer/durability/buffered.hpp: a returning write is in this process's buffer.
//
// The background thread hands the buffer over when a quarter of it is full, and when the oldest
// byte has waited for `interval`, also when no further call comes. A caller that finds three
// quarters full helps: `buffer_bytes` are the most that ever waits. Under `threading::single` there
// is no background thread: callers hand over from a quarter on, and each write looks at the clock.
//
// I1  The clock of deadline.hpp runs while bytes wait.
// I2  called_ is cleared before run() looks at what waits: a quarter that fills up behind it wakes
//     the background thread again.
// I3  After a hand-over of its own has failed the background thread sleeps until it is woken. So a
//     caller whose hand-over may have ended that trouble wakes it, when the clock is as it stays.
// At risk: at most buffer_bytes, and what `interval` brings.
#ifndef COFFER_DURABILITY_BUFFERED_HPP
#define COFFER_DURABILITY_BUFFERED_HPP

#include <coffer/core/result.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/durability/concept.hpp>
#include <coffer/durability/deadline.hpp>
#include <coffer/format/position.hpp>

#include <cstdint>

namespace coffer {

namespace detail {

template <class Log>
class buffered_driver {
public:
    template <class Wake>
    buffered_driver(Log& log, const pace& bounds, Wake& wake) noexcept
        : log_(&log),
          bounds_(bounds),
          wake_([](void* target) { static_cast<Wake*>(target)->wake(); }),
          target_(&wake) {}

    [[nodiscard]] result<void> before_write() {
        if (auto may = log_->check(); !may) [[unlikely]]
            return may;
        if (log_->unsynced_bytes() > bounds_.max_unsynced_bytes) [[unlikely]] {
            auto done = log_->sync();
            wake_(target_);  // I3
            return done;
        }
        return {};
    }

    template <class Then>
    [[nodiscard]] result<void> after_write(position, Then&&) {
        if constexpr (Log::hands_over) {
            const std::uint64_t waiting = log_->unhanded_bytes();
            if (waiting >= bounds_.buffer_bytes / 4) [[unlikely]] {
                if (!helped || waiting >= bounds_.buffer_bytes / 4 * 3) {
                    help();
                } else if (!called_.exchange(true, std::memory_order_acq_rel)) {
                    wake_(target_);
                }
            } else if (!clock_.is_set()) [[unlikely]] {
                clock_.set(time());
                wake_(target_);
            } else if (!helped && clock_.after(bounds_.interval) <= time()) [[unlikely]] {
                help();
            }
        }
        return {};
    }

    [[nodiscard]] std::uint64_t due() const noexcept {
        if (!log_->healthy()) return never;
        if (log_->unsynced_bytes() > bounds_.max_unsynced_bytes / 2) return 0;
        if (helped && called_.load(std::memory_order_acquire)) return 0;
        return clock_.after(bounds_.interval);
    }

    [[nodiscard]] result<void> run() {
        called_.store(false, std::memory_order_release);  // I2
        if (log_->unsynced_bytes() > bounds_.max_unsynced_bytes / 2)
            return clock_.met_by([this] { return log_->sync(); });
        auto done = hand_over();
        if constexpr (helped && Log::hands_over) log_->touch_ahead();
        return done;
    }

private:
    /// Is there a background thread?
    static constexpr bool helped = Log::threading_type::concurrent;

    [[nodiscard]] result<void> hand_over() {
        return clock_.met_by([this] { return log_->hand_over(); });
    }

    /// By a writer, whose write is accepted whatever comes of it. Where others hand over, too, it
    /// stays no longer than until there is room again.
    void help() {
        const auto has_room = [this] {
            const std::uint64_t waiting = log_->unhanded_bytes();
            return waiting == 0 || waiting < bounds_.buffer_bytes / 4 * 3;
        };
        static_cast<void>(if_memory_allows(
            [&] { static_cast<void>(helped ? log_->hand_over_until(has_room) : hand_over()); }));
        wake_(target_);  // I3
    }

    /// Each write of a single thread asks; an interval is many times as long as a tick.
    [[nodiscard]] std::uint64_t time() const noexcept {
        return helped ? log_->system().now() : log_->system().coarse_now();
    }

    Log* log_;
    pace bounds_;
    void (*wake_)(void*);
    void* target_;
    deadline<typename Log::threading_type> clock_;
    typename Log::threading_type::template atomic<bool> called_{false};
};

}  // namespace detail

namespace durability {

struct buffered {
    static constexpr bool survives_process_crash = false;
    static constexpr bool survives_system_crash = false;
    static constexpr bool hides_until_kept = false;
    static constexpr bool needs_worker = false;
    template <class Log>
    using driver = detail::buffered_driver<Log>;
};

static_assert(durability_policy<buffered>);

}  // namespace durability
}  // namespace coffer

#endif
