// tests/archetypes/minimal_threading.hpp: the smallest threading policy: a few members of std's.
#ifndef COFFER_TESTS_ARCHETYPES_MINIMAL_THREADING_HPP
#define COFFER_TESTS_ARCHETYPES_MINIMAL_THREADING_HPP

#include <coffer/core/threading.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

namespace archetype {

template <class U>
class atomic {
public:
    atomic() : word_(U()) {}
    atomic(U value) : word_(value) {}  // NOLINT: as std::atomic
    atomic(const atomic&) = delete;
    atomic& operator=(const atomic&) = delete;

    U load(std::memory_order order) const { return word_.load(order); }
    U load() const { return word_.load(); }
    void store(U value, std::memory_order order) { word_.store(value, order); }
    void store(U value) { word_.store(value); }
    U exchange(U value, std::memory_order order) { return word_.exchange(value, order); }
    U fetch_add(U value, std::memory_order order) { return word_.fetch_add(value, order); }
    bool compare_exchange_strong(U& expected, U value, std::memory_order order) {
        return word_.compare_exchange_strong(expected, value, order);
    }
    void wait(U value, std::memory_order order) const { word_.wait(value, order); }
    void notify_all() { word_.notify_all(); }

private:
    std::atomic<U> word_;
};

class mutex {
public:
    void lock() { mutex_.lock(); }
    bool try_lock() { return mutex_.try_lock(); }
    void unlock() { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

class condition {
public:
    void wait(std::unique_lock<mutex>& lock) { any_.wait(lock); }
    template <class Duration>
    void wait_for(std::unique_lock<mutex>& lock, Duration duration) {
        any_.wait_for(lock, duration);
    }
    void notify_one() { any_.notify_one(); }
    void notify_all() { any_.notify_all(); }

private:
    std::condition_variable_any any_;
};

class thread {
public:
    thread() = default;
    template <class Call>
        requires(!std::same_as<Call, thread>)
    explicit thread(Call call) : thread_(std::move(call)) {}
    bool joinable() const { return thread_.joinable(); }
    void join() { thread_.join(); }

private:
    std::thread thread_;
};

struct threads {
    static constexpr bool concurrent = true;
    template <class U>
    using atomic = archetype::atomic<U>;
    using mutex = archetype::mutex;
    using condition = archetype::condition;
    using thread = archetype::thread;
    static void yield() { std::this_thread::yield(); }
    static std::uintptr_t this_thread() { return coffer::threading::multi::this_thread(); }
    static std::size_t& thread_hint() { return coffer::threading::multi::thread_hint(); }
};

static_assert(coffer::threading_policy<threads>);

}  // namespace archetype

#endif
