// coffer/core/threading.hpp: the threading axis. Who may call at once?
//
// | policy   | promise                                             | cost                            |
// |----------|-----------------------------------------------------|---------------------------------|
// | `multi`  | every member from any thread; readers take no lock  | atomics, one lock for writers   |
// | `single` | one thread at a time                                | none: plain loads and stores    |
//
// A threading policy supplies `atomic`, `mutex`, `condition`, `thread`, `yield`, and a mark and a
// hint of each thread's own; nothing else in the library names a synchronisation primitive, so that
// a scheduler of a test's own can take their place. No fences stand between threads:
// ThreadSanitizer does not know them. `single` is the identity of the axis: the same members, all
// of which do nothing.
//
// | expression        | result         | promise                                                 |
// |-------------------|----------------|---------------------------------------------------------|
// | `T::concurrent`   | constexpr bool | may two threads be inside the store at once             |
// | `T::atomic<U>`    | type           | as std::atomic, the members that thread_atomic<T> names |
// | `T::mutex`        | type           | lock, try_lock, unlock                                  |
// | `T::condition`    | type           | wait(lock), wait_for(lock, ns), notify_one, notify_all  |
// | `T::thread`       | type           | empty by default, movable; made from a callable; joinable, join |
// | `T::yield()`      | void           | lets another thread run                                 |
// | `T::this_thread()` | std::uintptr_t | differs between threads that live at once              |
// | `T::thread_hint()` | std::size_t&   | of the calling thread alone, 0 when it begins          |
#ifndef COFFER_CORE_THREADING_HPP
#define COFFER_CORE_THREADING_HPP

#include <atomic>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

namespace coffer {

namespace detail {

inline thread_local constinit std::size_t thread_hint = 0;

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
    /// Nobody else is there who could change the value: there is nothing to wait for.
    void wait(T, std::memory_order = std::memory_order_seq_cst) const noexcept {}
    void notify_all() noexcept {}

private:
    T value_;
};

struct no_mutex {
    void lock() noexcept {}
    void unlock() noexcept {}
    [[nodiscard]] bool try_lock() noexcept { return true; }
};

}  // namespace detail

namespace detail {

/// What one thread has stored before is stored before what it stores behind this: for memory that
/// outlives the thread, not for other threads. The processor keeps that order for what the thread
/// leaves when it is killed; this keeps the compiler to it.
inline void keep_order() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

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
        return reinterpret_cast<std::uintptr_t>(&detail::thread_hint);
    }
    [[nodiscard]] static std::size_t& thread_hint() noexcept { return detail::thread_hint; }
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
    using thread = std::thread;  // never started: a store with a worker is `multi` inside
    static void yield() noexcept {}
    [[nodiscard]] static std::uintptr_t this_thread() noexcept { return 0; }
    [[nodiscard]] static std::size_t& thread_hint() noexcept { return detail::thread_hint; }
};

}  // namespace threading

namespace detail::need {

template <class T>
concept thread_concurrent = requires {
    { T::concurrent } -> std::convertible_to<bool>;
};
template <class T>
concept thread_atomic = requires(typename T::template atomic<std::uint64_t>& word,
                                 const typename T::template atomic<std::uint64_t>& shown,
                                 std::uint64_t value, std::memory_order order) {
    { shown.load(order) } -> std::same_as<std::uint64_t>;
    word.store(value, order);
    { word.exchange(value, order) } -> std::same_as<std::uint64_t>;
    { word.fetch_add(value, order) } -> std::same_as<std::uint64_t>;
    { word.compare_exchange_strong(value, value, order) } -> std::same_as<bool>;
    shown.wait(value, order);
    word.notify_all();
};
template <class T>
concept thread_mutex = requires(typename T::mutex& mutex) {
    mutex.lock();
    { mutex.try_lock() } -> std::same_as<bool>;
    mutex.unlock();
};
template <class T>
concept thread_condition =
    requires(typename T::condition& condition, lock_of<typename T::mutex>& lock) {
        condition.wait(lock);
        condition.wait_for(lock, std::chrono::nanoseconds(1));
        condition.notify_one();
        condition.notify_all();
    };
template <class T>
concept thread_thread =
    std::default_initializable<typename T::thread> && std::movable<typename T::thread> &&
    std::constructible_from<typename T::thread, void (*)()> &&
    requires(typename T::thread& thread) {
        { thread.joinable() } -> std::convertible_to<bool>;
        thread.join();
    };
template <class T>
concept thread_yield = requires { T::yield(); };
template <class T>
concept thread_mark = requires {
    { T::this_thread() } -> std::same_as<std::uintptr_t>;
};
template <class T>
concept thread_hint = requires {
    { T::thread_hint() } -> std::same_as<std::size_t&>;
};

}  // namespace detail::need

template <class T>
concept threading_policy =
    detail::need::thread_concurrent<T> && detail::need::thread_atomic<T> &&
    detail::need::thread_mutex<T> && detail::need::thread_condition<T> &&
    detail::need::thread_thread<T> && detail::need::thread_yield<T> &&
    detail::need::thread_mark<T> && detail::need::thread_hint<T>;

/// Does not compile unless threading_policy<T>, and says what T lacks.
template <class T>
consteval bool explain_threading_policy() {
    static_assert(detail::need::thread_concurrent<T>,
                  "a coffer threading policy needs  static constexpr bool concurrent");
    static_assert(
        detail::need::thread_atomic<T>,
        "a coffer threading policy needs  template <class U> atomic  with load, store, "
        "exchange, fetch_add, compare_exchange_strong, wait and notify_all, as std::atomic "
        "has them");
    static_assert(detail::need::thread_mutex<T>,
                  "a coffer threading policy needs  class mutex  with lock, try_lock and unlock");
    static_assert(!detail::need::thread_mutex<T> || detail::need::thread_condition<T>,
                  "a coffer threading policy needs  class condition  with wait, wait_for, "
                  "notify_one and notify_all, for std::unique_lock<mutex>");
    static_assert(detail::need::thread_thread<T>,
                  "a coffer threading policy needs  class thread  that is movable and empty by "
                  "default, made from a callable, with joinable and join");
    static_assert(detail::need::thread_yield<T>,
                  "a coffer threading policy needs  static void yield()");
    static_assert(detail::need::thread_mark<T>,
                  "a coffer threading policy needs  static std::uintptr_t this_thread()");
    static_assert(detail::need::thread_hint<T>,
                  "a coffer threading policy needs  static std::size_t& thread_hint()");
    return threading_policy<T>;
}

static_assert(threading_policy<threading::multi> && threading_policy<threading::single>);

}  // namespace coffer

#endif
