// coffer/storage/background.hpp: the one background thread of a store.
//
// It sleeps until the next time that its job names, or until somebody calls wake(), and then lets
// the job run. Under a policy without concurrency there is no thread and every member does nothing.
//
// I1  The job is never run after stop() returned.
// I2  A job that finds no memory is tried again soon.
// Threads: wake and start from any thread; stop by the owner.
#ifndef COFFER_STORAGE_BACKGROUND_HPP
#define COFFER_STORAGE_BACKGROUND_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/fs/concept.hpp>

#include <cstdint>
#include <system_error>

namespace coffer::detail {

/// A `Job` has due(): when it wants to run (0: now, UINT64_MAX: not before the next wake), and
/// run().
template <file_system FS, threading_policy Threading>
class background {
    using lock = lock_of<typename Threading::mutex>;
    static constexpr std::uint64_t rest = 10'000'000;  // nanoseconds

public:
    explicit background(FS system) : system_(system) {}
    background(const background&) = delete;
    background& operator=(const background&) = delete;
    ~background() { stop(); }

    /// The first call makes the thread. Fails if the system makes none, and may be tried again;
    /// without exceptions that ends the program.
    template <class Job>
    [[nodiscard]] result<void> start(Job& job) {
        if constexpr (Threading::concurrent) {
            auto hold = lock(mutex_);
            if (thread_.joinable()) return {};
            const auto begin = [&] {
                thread_ = typename Threading::thread([this, &job] { loop(job); });
            };
#if COFFER_HAS_EXCEPTIONS
            try {
                begin();
            } catch (const std::system_error& refused) {
                return fail(errc::io_error,
                            "the system makes no thread for the store: raise its limit of them, or "
                            "name threading::single",
                            {}, refused.code().value());
            }
#else
            begin();
#endif
        }
        return {};
    }

    void wake() {
        if constexpr (Threading::concurrent) {
            auto hold = lock(mutex_);
            woken_ = true;
            changed_.notify_one();
        }
    }

    void stop() {
        if constexpr (Threading::concurrent) {
            {
                auto hold = lock(mutex_);
                stopping_ = true;
                changed_.notify_one();
            }
            if (thread_.joinable()) thread_.join();
        }
    }

private:
    template <class Job>
    void loop(Job& job) {
        auto hold = lock(mutex_);
        while (!stopping_) {
            woken_ = false;
            hold.unlock();
            std::uint64_t due = job.due();
            bool now = due == 0 || due <= system_.now();
            if (now && !if_memory_allows([&] { job.run(); })) {  // I2
                now = false;
                due = system_.now() + rest;
            }
            hold.lock();
            if (now || woken_ || stopping_) continue;
            if (due == UINT64_MAX) {
                changed_.wait(hold);
            } else {
                system_.wait_until(changed_, hold, due);
            }
        }
    }

    FS system_;
    typename Threading::mutex mutex_;
    typename Threading::condition changed_;
    typename Threading::thread thread_;
    bool woken_ = false;
    bool stopping_ = false;
};

}  // namespace coffer::detail

#endif
