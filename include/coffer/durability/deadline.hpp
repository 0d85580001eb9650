// coffer/durability/deadline.hpp: since when the oldest byte waits for what its promise asks.
//
// I1  Set by the first write that finds nothing waiting. It is cleared before the work that covers
//     what waits is planned: a write that comes meanwhile sets it anew.
// I2  Work that fails leaves it as it was, unless it was set anew: what waited waits still.
//
// Threads: any. Failure: only that of the work; also when the work ends by an exception.
#ifndef COFFER_DURABILITY_DEADLINE_HPP
#define COFFER_DURABILITY_DEADLINE_HPP

#include <coffer/core/result.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/durability/concept.hpp>

#include <cstdint>

namespace coffer::detail {

template <threading_policy Threading>
class deadline {
public:
    [[nodiscard]] bool is_set() const noexcept {
        return since_.load(std::memory_order_relaxed) != 0;
    }
    /// By whoever found it not set; who was faster set the time that counts.
    void set(std::uint64_t now) noexcept {
        std::uint64_t unset = 0;
        since_.compare_exchange_strong(unset, now | 1, std::memory_order_seq_cst);
    }

    /// The time `delay` after it was set; `never` when nothing waits.
    [[nodiscard]] std::uint64_t after(std::uint64_t delay) const noexcept {
        const std::uint64_t since = since_.load(std::memory_order_acquire);
        return since == 0 ? never : since + delay;
    }

    /// Does `work`, which covers everything that waits now.
    template <class Work>
    [[nodiscard]] result<void> met_by(Work&& work) {
        const std::uint64_t since = since_.exchange(0, std::memory_order_seq_cst);
        on_exit missed([&] {
            std::uint64_t unset = 0;
            since_.compare_exchange_strong(unset, since, std::memory_order_seq_cst);
        });
        auto done = work();
        if (done) missed.dismiss();
        return done;
    }

private:
    typename Threading::template atomic<std::uint64_t> since_{0};
};

}  // namespace coffer::detail

#endif
