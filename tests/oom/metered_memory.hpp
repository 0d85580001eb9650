// tests/oom/metered_memory.hpp: memory that is refused at the n-th request, or from there on; that is
// counted; and that is not zero when it is new.
//
// metered_memory_test.cpp replaces operator new, and with the linker's --wrap the malloc, calloc and
// free that the headers call, of the whole program. Only what is asked for while a `metering` lives is
// counted. A C++ request that is refused throws bad_alloc, a C one answers null.
#ifndef COFFER_TESTS_OOM_METERED_MEMORY_HPP
#define COFFER_TESTS_OOM_METERED_MEMORY_HPP

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace memory {

inline std::atomic<bool> metered{false};
inline std::atomic<bool> for_ever{false};
inline std::atomic<std::uint64_t> refused_at{UINT64_MAX};
inline std::atomic<std::uint64_t> asked{0};
inline thread_local std::uint64_t asked_here = 0;  // by this thread
inline std::atomic<std::uint64_t> refused{0};
inline std::atomic<std::int64_t> held{0};  // pieces that were not given back yet, counted or not

inline std::atomic<std::int64_t> held_bytes{0};  // likewise
inline std::atomic<std::int64_t> most_bytes{0};  // that were held since count_bytes()
inline std::atomic<int> filler{0};               // what new memory holds

inline void count_bytes() noexcept {
    most_bytes = held_bytes.load();
}

/// From now on request number `at` is refused, and with `ever` all that follow.
inline void refuse(std::uint64_t at, bool ever) noexcept {
    asked = 0;
    asked_here = 0;
    refused = 0;
    for_ever = ever;
    refused_at = at;
}

[[nodiscard]] inline bool refuses() noexcept {
    if (!metered.load()) return false;
    ++asked_here;
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
    if (piece == nullptr) return piece;
    ++held;
    const auto size = static_cast<std::int64_t>(::malloc_usable_size(piece));
    const std::int64_t now = held_bytes += size;
    std::int64_t most = most_bytes;
    while (now > most && !most_bytes.compare_exchange_weak(most, now)) {
    }
    return piece;
}
inline void* filled(void* piece, std::size_t size) noexcept {
    if (piece != nullptr && filler != 0) std::memset(piece, filler, size);
    return counted(piece);
}
inline void given_back(void* piece) noexcept {
    if (piece == nullptr) return;
    --held;
    held_bytes -= static_cast<std::int64_t>(::malloc_usable_size(piece));
}

}  // namespace memory

#endif
