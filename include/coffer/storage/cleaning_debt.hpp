// coffer/storage/cleaning_debt.hpp: writers do not outrun the cleaner.
//
// Dead records are cleaned beside the writers. Writers that leave more of them than one cleaner
// takes away would let the log grow without bound. So while the cleaner is late, each byte that is
// written owes `share` bytes of cleaning, and a writer whose debt is not worked off waits for the
// cleaner's next steps. Where more than a quarter of what is cleaned is dead, `share` times that is
// more than was written: the log shrinks.
//
// D1  A cleaner that is late has its next step due. Each step that does not go on to a victim, or
//     fails, forgives every debt: nobody waits for a cleaner that rests.
// D2  A write waits for `patience` at most: where a sync, or the cleaning that a large batch owes,
//     takes longer, the log may grow by a write of each writer in that time.
// Threads: any. Cost: a write loads one word while the cleaner is not late.
#ifndef COFFER_STORAGE_CLEANING_DEBT_HPP
#define COFFER_STORAGE_CLEANING_DEBT_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/fs/concept.hpp>

#include <cstdint>

namespace coffer::detail {

template <file_system FS, threading_policy Threading>
class cleaning_debt {
    using lock = lock_of<typename Threading::mutex>;
    static constexpr std::uint64_t patience = 2'000'000;  // nanoseconds

public:
    static constexpr std::uint64_t share = 4;

    explicit cleaning_debt(FS system) : system_(system) {}

    [[nodiscard]] bool is_late() const noexcept { return late_.load(std::memory_order_relaxed); }

    // ---- writers; outside the section ----

    /// Too much is dead.
    void call() {
        auto hold = lock(mutex_);
        late_.store(true, std::memory_order_relaxed);
    }
    /// After a write of so many bytes.
    COFFER_ALWAYS_INLINE void pay(std::uint64_t bytes) {
        if (is_late()) [[unlikely]]
            wait_for(bytes);
    }

    // ---- the cleaner ----

    /// It has got through so many bytes.
    void work_off(std::uint64_t bytes) {
        if (!is_late()) return;
        auto hold = lock(mutex_);
        done_ += bytes;
        changed_.notify_all();
    }
    /// It is not late, or there is nothing that it can clean.
    void forgive() {
        if (!is_late()) return;
        auto hold = lock(mutex_);
        late_.store(false, std::memory_order_relaxed);
        owed_ = done_ = 0;
        ++forgiven_;
        changed_.notify_all();
    }

private:
    COFFER_NOINLINE void wait_for(std::uint64_t bytes) {
        auto hold = lock(mutex_);
        if (!is_late()) return;
        const std::uint64_t mine = owed_ += share * bytes;
        const std::uint64_t forgiven = forgiven_;
        if (done_ >= mine) return;
        const std::uint64_t until = system_.now() + patience;
        while (forgiven_ == forgiven && done_ < mine && system_.now() < until)
            system_.wait_until(changed_, hold, until);
    }

    FS system_;
    typename Threading::template atomic<bool> late_{false};  // changed under the mutex
    typename Threading::mutex mutex_;
    typename Threading::condition changed_;
    std::uint64_t owed_ = 0;      // bytes of cleaning, since the cleaner is late
    std::uint64_t done_ = 0;      // of these
    std::uint64_t forgiven_ = 0;  // how often
};

}  // namespace coffer::detail

#endif
