// tests/laws/restless.hpp: a threading policy whose threads let others go first at any moment.
//
// The operations of a store in memory take less than a microsecond, so on two cores they are seldom
// interrupted where it matters. Here a thread may stop before every load, store and lock that the
// store makes: what lies between two of them becomes long enough for others to see it.
#ifndef COFFER_TESTS_LAWS_RESTLESS_HPP
#define COFFER_TESTS_LAWS_RESTLESS_HPP

#include <coffer/core/threading.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "model.hpp"

namespace laws {

/// True one time in so many, in every thread by itself.
[[nodiscard]] inline bool now_and_then(std::size_t one_in) {
    static thread_local random_numbers random(
        std::hash<std::thread::id>()(std::this_thread::get_id()));
    return random.one_in(one_in);
}

struct restless {
    static void may_stop() {
        if (now_and_then(40)) std::this_thread::yield();
    }

    template <class T>
    class atomic {
    public:
        constexpr atomic() noexcept : word_(T()) {}
        constexpr atomic(T value) noexcept : word_(value) {}  // NOLINT: as std::atomic
        atomic(const atomic&) = delete;
        atomic& operator=(const atomic&) = delete;

        [[nodiscard]] T load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
            may_stop();
            return word_.load(order);
        }
        void store(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
            may_stop();
            word_.store(value, order);
        }
        T exchange(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
            may_stop();
            return word_.exchange(value, order);
        }
        T fetch_add(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
            may_stop();
            return word_.fetch_add(value, order);
        }
        bool compare_exchange_strong(T& expected, T value,
                                     std::memory_order order = std::memory_order_seq_cst) noexcept {
            may_stop();
            return word_.compare_exchange_strong(expected, value, order);
        }

        void wait(T old, std::memory_order order = std::memory_order_seq_cst) const noexcept {
            may_stop();
            word_.wait(old, order);
        }
        void notify_all() noexcept {
            may_stop();
            word_.notify_all();
        }

    private:
        std::atomic<T> word_;
    };

    class mutex {
    public:
        void lock() {
            may_stop();
            mutex_.lock();
        }
        [[nodiscard]] bool try_lock() {
            may_stop();
            return mutex_.try_lock();
        }
        void unlock() {
            may_stop();
            mutex_.unlock();
        }

    private:
        std::mutex mutex_;
    };

    static constexpr bool concurrent = true;
    using condition = std::condition_variable_any;
    using thread = std::thread;
    static void yield() noexcept { std::this_thread::yield(); }
    [[nodiscard]] static std::uintptr_t this_thread() noexcept {
        return coffer::threading::multi::this_thread();
    }
    [[nodiscard]] static std::size_t& thread_hint() noexcept {
        return coffer::threading::multi::thread_hint();
    }
};

static_assert(coffer::threading_policy<restless>);

}  // namespace laws

#endif
