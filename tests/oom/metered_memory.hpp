// tests/oom/metered_memory.hpp: memory that is refused at the n-th request, or from there on.
//
// metered_memory_test.cpp replaces operator new, and with the linker's --wrap the malloc, calloc and
// free that the headers call, of the whole program. Only what is asked for while a `metering` lives is
// counted. A C++ request that is refused throws bad_alloc, a C one answers null.
#ifndef COFFER_TESTS_OOM_METERED_MEMORY_HPP
#define COFFER_TESTS_OOM_METERED_MEMORY_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace memory {

inline std::atomic<bool> metered{false};
inline std::atomic<bool> for_ever{false};
inline std::atomic<std::uint64_t> refused_at{UINT64_MAX};
inline std::atomic<std::uint64_t> asked{0};
inline std::atomic<std::uint64_t> refused{0};
inline std::atomic<std::int64_t> held{0};  // pieces that were not given back yet, counted or not

/// From now on request number `at` is refused, and with `ever` all that follow.
inline void refuse(std::uint64_t at, bool ever) noexcept {
    asked = 0;
    refused = 0;
    for_ever = ever;
    refused_at = at;
}

[[nodiscard]] inline bool refuses() noexcept {
    if (!metered.load()) return false;
    const std::uint64_t number = asked.fetch_add(1) + 1;
    if (number != refused_at && (number < refused_at || !for_ever)) return false;
    ++refused;
    return true;
}

struct [[nodiscard]] metering {
    metering() noexcept { metered = true; }
    ~metering() { metered = false; }
    metering(const metering&) = delete;
    metering& operator=(const metering&) = delete;
};

inline void* counted(void* piece) noexcept {
    if (piece != nullptr) ++held;
    return piece;
}

}  // namespace memory

#endif
