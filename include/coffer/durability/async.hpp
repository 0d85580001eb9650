// coffer/durability/async.hpp: a returning write is in the log's memory; a worker makes it durable.
//
// The log itself is the queue: a record is put in its final place once, by its writer, and the
// worker takes it from there. The worker hands over as bytes gather and starts a sync at the latest
// when the oldest unsynced byte is `max_delay` old, or when it hands over and `max_bytes`, or half
// of `max_unsynced_bytes`, are not durable. A writer that finds `max_bytes` waiting, or more than
// `max_unsynced_bytes` not durable, waits itself (back-pressure); otherwise callers do no I/O.
//
// I1  The clock of deadline.hpp runs while bytes are not durable.
// I2  While a writer waits for room, run() is due: whoever makes the room, the worker tells it.
// An error of the worker stays in the log and is answered by every later write, flush, sync, close.
#ifndef COFFER_DURABILITY_ASYNC_HPP
#define COFFER_DURABILITY_ASYNC_HPP

#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/durability/concept.hpp>
#include <coffer/durability/deadline.hpp>
#include <coffer/format/position.hpp>

#include <algorithm>
#include <cstdint>

namespace coffer {

namespace detail {

template <class Log>
class async_driver {
    using threads = typename Log::threading_type;
    using word = typename threads::template atomic<std::uint64_t>;
    using lock = lock_of<typename threads::mutex>;

public:
    template <class Wake>
    async_driver(Log& log, const pace& bounds, Wake& wake) noexcept
        : log_(&log),
          bounds_(bounds),
          most_unsynced_((std::min)(bounds.max_bytes, bounds.max_unsynced_bytes / 2 + 1)),
          wake_([](void* target) { static_cast<Wake*>(target)->wake(); }),
          target_(&wake) {}

    [[nodiscard]] result<void> before_write() {
        if (is_full()) [[unlikely]] {
            auto hold = lock(mutex_);
            while (is_full() && log_->healthy()) {
                blocked_.store(1, std::memory_order_release);  // I2
                wake_(target_);
                drained_.wait(hold);
            }
        }
        return log_->check();
    }

    template <class Then>
    [[nodiscard]] result<void> after_write(position, Then&&) {
        if (!clock_.is_set()) {
            clock_.set(log_->system().now());
            wake_(target_);
        }
        if (waiting() >= eager() && !called_.exchange(1, std::memory_order_acq_rel)) wake_(target_);
        return {};
    }

    [[nodiscard]] std::uint64_t due() const noexcept {
        if (blocked_.load(std::memory_order_acquire) != 0) return 0;  // I2
        if (!log_->healthy()) return never;
        if (waiting() >= eager()) return 0;
        return clock_.after(bounds_.max_delay);
    }

    [[nodiscard]] result<void> run() {
        called_.store(0, std::memory_order_release);
        const bool late = log_->system().now() >= clock_.after(bounds_.max_delay);
        const bool full = log_->unsynced_bytes() >= most_unsynced_;
        auto done = late || full ? sync() : log_->hand_over();
        auto hold = lock(mutex_);
        blocked_.store(0, std::memory_order_release);
        drained_.notify_all();
        hold.unlock();
        if constexpr (Log::hands_over && threads::concurrent) log_->touch_ahead();
        return done;
    }

private:
    [[nodiscard]] result<void> sync() {
        return clock_.met_by([this] { return log_->sync(); });
    }

    [[nodiscard]] bool is_full() const noexcept {
        return waiting() >= bounds_.max_bytes ||
               log_->unsynced_bytes() > bounds_.max_unsynced_bytes;
    }
    /// Bytes that a caller must wait for when there are too many.
    [[nodiscard]] std::uint64_t waiting() const noexcept {
        return Log::hands_over ? log_->unhanded_bytes() : log_->unsynced_bytes();
    }
    /// Bytes that the worker takes early: handing over is cheap, a sync is not.
    [[nodiscard]] std::uint64_t eager() const noexcept {
        return Log::hands_over ? most_unsynced_ / 16 + 1 : most_unsynced_;
    }

    Log* log_;
    pace bounds_;
    std::uint64_t most_unsynced_;  // before the worker syncs
    void (*wake_)(void*);
    void* target_;
    deadline<threads> clock_;
    word called_{0};
    word blocked_{0};
    typename threads::mutex mutex_;
    typename threads::condition drained_;
};

}  // namespace detail

namespace durability {

struct async {
    static constexpr bool survives_process_crash = false;
    static constexpr bool survives_system_crash = false;
    static constexpr bool hides_until_kept = false;
    static constexpr bool needs_worker = true;
    template <class Log>
    using driver = detail::async_driver<Log>;
};

static_assert(durability_policy<async>);

}  // namespace durability
}  // namespace coffer

#endif
