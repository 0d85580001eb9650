// coffer/core/scope.hpp: something to do on every way out of a block, or only if there is memory.
#ifndef COFFER_CORE_SCOPE_HPP
#define COFFER_CORE_SCOPE_HPP

#include <coffer/config/platform.hpp>

#include <cstdlib>
#include <new>
#include <utility>

namespace coffer::detail {

template <class Action>
class [[nodiscard]] on_exit {
public:
    explicit on_exit(Action action) : action_(std::move(action)) {}
    ~on_exit() {
        if (armed_) action_();
    }
    on_exit(const on_exit&) = delete;
    on_exit& operator=(const on_exit&) = delete;

    void dismiss() noexcept { armed_ = false; }

private:
    Action action_;
    bool armed_ = true;
};

/// What `work` returns or, if it throws bad_alloc, what `otherwise` does. Where exceptions are
/// switched off, a program without memory ends, as it does anywhere.
template <class Work, class Otherwise>
auto if_memory_allows(Work&& work, Otherwise&& otherwise) -> decltype(work()) {
#if COFFER_HAS_EXCEPTIONS
    try {
        return work();
    } catch (const std::bad_alloc&) {
        return otherwise();
    }
#else
    static_cast<void>(otherwise);
    return work();
#endif
}

/// Does what can be left undone. False: `work` has thrown bad_alloc.
template <class Work>
bool if_memory_allows(Work&& work) {
    return if_memory_allows([&] { return work(), true; }, [] { return false; });
}

/// Throws bad_alloc, where what if_memory_allows has left out turns out to be needed.
[[noreturn]] COFFER_NOINLINE inline void raise_no_memory() {
#if COFFER_HAS_EXCEPTIONS
    throw std::bad_alloc();
#else
    std::abort();  // not reached: the program has ended in if_memory_allows
#endif
}

}  // namespace coffer::detail

#endif
