// coffer/durability/buffered.hpp: a returning write is in this process's buffer.
//
// The caller's thread hands the buffer over in quarters, so that no call waits for the whole of it:
// `buffer_bytes` are the most that ever waits. The background thread does when the oldest byte has
// waited for `interval`, also when no further call comes. Under
// `threading::single` there is no background thread and each write looks at the clock instead.
//
// I1  oldest_ is the time at which the oldest waiting byte was accepted, 0 when none waits; it is
//     cleared before a hand-over is planned, so a byte that misses the plan starts the clock anew.
// At risk: at most buffer_bytes, and what `interval` brings.
#ifndef COFFER_DURABILITY_BUFFERED_HPP
#define COFFER_DURABILITY_BUFFERED_HPP

#include <coffer/core/result.hpp>
#include <coffer/durability/concept.hpp>
#include <coffer/format/position.hpp>

#include <cstdint>

namespace coffer {

namespace detail {

template <class Log>
class buffered_driver {
    using word = typename Log::threading_type::template atomic<std::uint64_t>;

public:
    template <class Wake>
    buffered_driver(Log& log, const pace& bounds, Wake& wake) noexcept
        : log_(&log),
          bounds_(bounds),
          wake_([](void* target) { static_cast<Wake*>(target)->wake(); }),
          target_(&wake) {}

    [[nodiscard]] result<void> before_write() {
        if (log_->unsynced_bytes() > bounds_.max_unsynced_bytes) return log_->sync();
        return log_->check();
    }

    template <class Then>
    [[nodiscard]] result<void> after_write(position, Then&&) {
        if constexpr (Log::hands_over) {
            // The write is accepted either way; an error stays in the log for the next call.
            if (log_->unhanded_bytes() >= bounds_.buffer_bytes / 4) {
                static_cast<void>(hand_over());
            } else if (oldest_.load(std::memory_order_relaxed) == 0) {
                oldest_.store(log_->system().now() | 1, std::memory_order_release);
                wake_(target_);
            } else if constexpr (!Log::threading_type::concurrent) {
                if (due() <= log_->system().now()) static_cast<void>(hand_over());
            }
        }
        return {};
    }

    [[nodiscard]] std::uint64_t due() const noexcept {
        if (!log_->healthy()) return never;
        if (log_->unsynced_bytes() > bounds_.max_unsynced_bytes / 2) return 0;
        const std::uint64_t oldest = oldest_.load(std::memory_order_acquire);
        return oldest == 0 ? never : oldest + bounds_.interval;
    }

    [[nodiscard]] result<void> run() {
        if (log_->unsynced_bytes() > bounds_.max_unsynced_bytes / 2) {
            oldest_.store(0, std::memory_order_release);
            return log_->sync();
        }
        return hand_over();
    }

private:
    [[nodiscard]] result<void> hand_over() {
        oldest_.store(0, std::memory_order_seq_cst);  // I1
        return log_->hand_over();
    }

    Log* log_;
    pace bounds_;
    void (*wake_)(void*);
    void* target_;
    word oldest_{0};
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
