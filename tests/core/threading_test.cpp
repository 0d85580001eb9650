// The threading axis: `single` has every member of `multi`, and behaves as one thread expects.
#include <coffer/core/threading.hpp>

#include "catch.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using coffer::lock_of;
using coffer::threading_policy;
namespace threading = coffer::threading;

namespace {

struct not_a_policy {};

/// What any atomic does for one thread; `single` must agree with `multi`.
template <class Threading>
std::vector<std::uint64_t> used_by_one_thread() {
    typename Threading::template atomic<std::uint64_t> word{5};
    std::vector<std::uint64_t> told;
    told.push_back(word.load());
    word.store(7, std::memory_order_release);
    told.push_back(word.load(std::memory_order_acquire));
    told.push_back(word.exchange(9));
    told.push_back(word.fetch_add(3));
    told.push_back(word.fetch_sub(20));  // below zero: wraps
    told.push_back(word.load());
    std::uint64_t expected = 1;
    told.push_back(word.compare_exchange_strong(expected, 2));
    told.push_back(expected);
    told.push_back(word.compare_exchange_strong(expected, 2));
    told.push_back(word.load());
    return told;
}

}  // namespace

TEST_CASE("what is a threading policy", "[threading]") {
    static_assert(threading_policy<threading::multi>);
    static_assert(threading_policy<threading::single>);
    static_assert(!threading_policy<not_a_policy>);
    static_assert(!threading_policy<int>);
    static_assert(threading::multi::concurrent && !threading::single::concurrent);
}

TEST_CASE("the atomics of both policies do the same for one thread", "[threading]") {
    CHECK(used_by_one_thread<threading::single>() == used_by_one_thread<threading::multi>());
    threading::single::atomic<bool> flag{false};
    CHECK_FALSE(flag.exchange(true));
    CHECK(flag.load());
    int number = 0;
    threading::single::atomic<int*> pointer{nullptr};
    CHECK(pointer.exchange(&number) == nullptr);
    CHECK(pointer.load() == &number);
    const threading::single::atomic<std::uint64_t> zero;
    CHECK(zero.load() == 0);
}

TEST_CASE("single costs nothing", "[threading]") {
    static_assert(sizeof(threading::single::atomic<std::uint64_t>) == sizeof(std::uint64_t));
    static_assert(std::is_trivially_destructible_v<threading::single::atomic<std::uint64_t>>);
    static_assert(std::is_empty_v<threading::single::mutex>);
    static_assert(std::is_empty_v<threading::single::condition>);
    static_assert(!std::is_copy_constructible_v<threading::single::atomic<int>>);
}

TEST_CASE("the lock and the condition of single never wait", "[threading]") {
    threading::single::mutex mutex;
    threading::single::condition condition;
    auto outer = lock_of<threading::single::mutex>(mutex);
    CHECK(mutex.try_lock());
    condition.wait(outer);
    condition.wait_for(outer, std::chrono::hours(1));
    condition.notify_one();
    condition.notify_all();
    CHECK(threading::single::this_thread() == threading::single::this_thread());
    CHECK(&threading::single::thread_hint() == &threading::single::thread_hint());
    threading::single::yield();
}

TEST_CASE("what a thread leaves in its hint is there for it alone", "[threading]") {
    using threading::multi;
    const std::size_t before = std::exchange(multi::thread_hint(), 7);
    std::size_t seen = 1;
    std::thread other([&] { seen = std::exchange(multi::thread_hint(), 8); });
    other.join();
    CHECK(seen == 0);
    CHECK(multi::thread_hint() == 7);
    multi::thread_hint() = before;
}

TEST_CASE("threads that live at once have marks of their own", "[threading]") {
    constexpr std::size_t count = 8;
    std::vector<std::uintptr_t> marks(count);
    std::atomic<std::size_t> arrived{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            marks[i] = threading::multi::this_thread();
            ++arrived;
            while (arrived.load() != count) threading::multi::yield();
        });
    }
    for (std::thread& each : threads) each.join();
    const std::set<std::uintptr_t> different(marks.begin(), marks.end());
    CHECK(different.size() == count);
    CHECK(different.count(threading::multi::this_thread()) == 0);
    CHECK(threading::multi::this_thread() == threading::multi::this_thread());
}

TEST_CASE("single can start the one thread that a worker needs", "[threading]") {
    std::atomic<bool> ran{false};
    threading::single::thread worker([&] { ran = true; });
    CHECK(worker.joinable());
    worker.join();
    CHECK(ran.load());
}
