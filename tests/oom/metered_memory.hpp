// tests/oom/metered_memory.hpp: memory that is refused at the n-th request, or from there on.
//
// Replaces operator new, and with the linker's --wrap the malloc, calloc and free that the headers
// call, of the whole program: one file of a program includes this. Only what is asked for while a
// `metering` lives is counted. A C++ request that is refused throws bad_alloc, a C one answers null.
#ifndef COFFER_TESTS_OOM_METERED_MEMORY_HPP
#define COFFER_TESTS_OOM_METERED_MEMORY_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

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

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void __real_free(void* piece);
void* __wrap_malloc(std::size_t size);
void* __wrap_calloc(std::size_t count, std::size_t size);
void __wrap_free(void* piece);

void* __wrap_malloc(std::size_t size) {
    return memory::refuses() ? nullptr : memory::counted(__real_malloc(size));
}
void* __wrap_calloc(std::size_t count, std::size_t size) {
    return memory::refuses() ? nullptr : memory::counted(__real_calloc(count, size));
}
void __wrap_free(void* piece) {
    if (piece != nullptr) --memory::held;
    __real_free(piece);
}
// NOLINTEND(bugprone-reserved-identifier)
}

void* operator new(std::size_t size) {
    void* const piece = memory::refuses() ? nullptr : memory::counted(__real_malloc(size));
    if (piece == nullptr) throw std::bad_alloc();
    return piece;
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    const auto unit = static_cast<std::size_t>(alignment);
    void* const piece =
        memory::refuses()
            ? nullptr
            : memory::counted(std::aligned_alloc(unit, (size + unit - 1) / unit * unit));
    if (piece == nullptr) throw std::bad_alloc();
    return piece;
}
void operator delete(void* piece) noexcept {
    __wrap_free(piece);
}
void operator delete(void* piece, std::size_t) noexcept {
    __wrap_free(piece);
}
void operator delete(void* piece, std::align_val_t) noexcept {
    __wrap_free(piece);
}
void operator delete(void* piece, std::size_t, std::align_val_t) noexcept {
    __wrap_free(piece);
}

#endif
