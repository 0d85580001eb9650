// coffer/core/threading.hpp: the threading axis. Who may call at once?
//
// | policy   | promise                                             | cost |
// |----------|-----------------------------------------------------|-------------------------------|
// | `multi`  | every member from any thread; readers take no lock  | atomics, one lock for writers
// | | `single` | one thread at a time                                | none: plain loads and stores
// |
//
// A threading policy supplies `atomic`, `mutex`, `condition`, `thread` and `yield`; nothing else in
// the library names a synchronisation primitive, so that a scheduler of a test's own can take their
// place. No fences are used: ThreadSanitizer does not know them. `single` is the identity of the
// axis: the same members, all of which do nothing.
//
// | expression                     | result          | promise |
// |--------------------------------|-----------------|-----------------------------------------------|
// | `T::concurrent`                | constexpr bool  | may two threads be inside the store at once
// | | `T::atomic<U>`                 | type            | load, store, exchange, fetch_add,
// fetch_sub, compare_exchange_strong | | `T::mutex`                     | type            |
// BasicLockable, try_lock                       | | `T::condition`                 | type |
// wait(lock), wait_for(lock, ns), notify_one, notify_all | | `T::thread`                    | type
// | constructible from a callable, join, joinable | | `T::yield()`                   | void | lets
// another thread run                       | | `T::this_thread()`             | std::uintptr_t  |
// differs between threads that live at once     |
#ifndef COFFER_CORE_THREADING_HPP
#define COFFER_CORE_THREADING_HPP

#include <atomic>
#include <concepts>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace coffer {

namespace detail {

inline thread_local constinit char thread_mark = 0;

/// A value with the face of std::atomic and the cost of a plain variable.
template <class T>
class plain {
public:
    constexpr plain() noexcept : value_() {}
    constexpr plain(T value) noexcept : value_(value) {}  // NOLINT: as std::atomic
    plain(const plain&) = delete;
    plain& operator=(const plain&) = delete;

    [[nodiscard]] T load(std::memory_order = std::memory_order_seq_cst) const noexcept {
        return value_;
    }
    void store(T value, std::memory_order = std::memory_order_seq_cst) noexcept { value_ = value; }
    T exchange(T value, std::memory_order = std::memory_order_seq_cst) noexcept {
        const T old = value_;
        value_ = value;
        return old;
    }
    T fetch_add(T amount, std::memory_order = std::memory_order_seq_cst) noexcept {
        const T old = value_;
        value_ = static_cast<T>(value_ + amount);
        return old;
    }
    T fetch_sub(T amount, std::memory_order = std::memory_order_seq_cst) noexcept {
        const T old = value_;
        value_ = static_cast<T>(value_ - amount);
        return old;
    }
    bool compare_exchange_strong(T& expected, T desired,
                                 std::memory_order = std::memory_order_seq_cst) noexcept {
        if (value_ == expected) {
            value_ = desired;
            return true;
        }
        expected = value_;
        return false;
    }

private:
    T value_;
};

struct no_mutex {
    void lock() noexcept {}
    void unlock() noexcept {}
    [[nodiscard]] bool try_lock() noexcept { return true; }
};

}  // namespace detail

/// Holds a lock for a block.
template <class Mutex>
using lock_of = std::unique_lock<Mutex>;

namespace threading {

struct multi {
    static constexpr bool concurrent = true;
    template <class T>
    using atomic = std::atomic<T>;
    using mutex = std::mutex;
    using condition = std::condition_variable;
    using thread = std::thread;
    static void yield() noexcept { std::this_thread::yield(); }
    [[nodiscard]] static std::uintptr_t this_thread() noexcept {
        return reinterpret_cast<std::uintptr_t>(&detail::thread_mark);
    }
};

struct single {
    static constexpr bool concurrent = false;
    template <class T>
    using atomic = detail::plain<T>;
    using mutex = detail::no_mutex;
    struct condition {
        template <class Lock>
        void wait(Lock&) noexcept {}
        template <class Lock, class Duration>
        void wait_for(Lock&, Duration) noexcept {}
        void notify_one() noexcept {}
        void notify_all() noexcept {}
    };
    using thread = std::thread;  // for the one worker that `async` needs
    static void yield() noexcept {}
    [[nodiscard]] static std::uintptr_t this_thread() noexcept { return 0; }
};

}  // namespace threading

template <class T>
concept threading_policy =
    requires(typename T::mutex& mutex, typename T::condition& condition,
             lock_of<typename T::mutex>& lock, typename T::template atomic<std::uint64_t>& word) {
        { T::concurrent } -> std::convertible_to<bool>;
        typename T::thread;
        mutex.lock();
        mutex.unlock();
        condition.wait(lock);
        condition.notify_one();
        condition.notify_all();
        { word.load(std::memory_order_acquire) } -> std::same_as<std::uint64_t>;
        word.store(std::uint64_t{}, std::memory_order_release);
        T::yield();
        { T::this_thread() } -> std::same_as<std::uintptr_t>;
    };

static_assert(threading_policy<threading::multi> && threading_policy<threading::single>);

}  // namespace coffer

#endif
