// tests/laws/together.hpp: threads that begin together, and what ends with a scope.
#ifndef COFFER_TESTS_LAWS_TOGETHER_HPP
#define COFFER_TESTS_LAWS_TOGETHER_HPP

#include <atomic>
#include <cstddef>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

namespace laws {

/// Runs `work(0)` to `work(count - 1)` on threads of their own that begin together; throws what the
/// first of them threw.
template <class F>
void together(std::size_t count, F&& work) {
    std::atomic<std::size_t> ready{0};
    std::vector<std::exception_ptr> broken(count);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            ++ready;
            while (ready.load() != count) std::this_thread::yield();
            try {
                work(i);
            } catch (...) {
                broken[i] = std::current_exception();
            }
        });
    }
    for (std::thread& each : threads) each.join();
    for (const std::exception_ptr& each : broken) {
        if (each) std::rethrow_exception(each);
    }
}

/// Calls `f` when the scope ends, however it ends.
template <class F>
class at_scope_end {
public:
    explicit at_scope_end(F f) : f_(std::move(f)) {}
    at_scope_end(const at_scope_end&) = delete;
    at_scope_end& operator=(const at_scope_end&) = delete;
    ~at_scope_end() { f_(); }

private:
    F f_;
};

}  // namespace laws

#endif
