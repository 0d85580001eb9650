// coffer/config/platform.hpp: what the compiler and the machine offer, decided once.
//
// Every feature test of the library stands here; no other header asks which compiler reads it.
#ifndef COFFER_CONFIG_PLATFORM_HPP
#define COFFER_CONFIG_PLATFORM_HPP

#include <version>

#if !defined(__cplusplus) || \
    (__cplusplus < 202002L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L))
#error "coffer needs C++20: compile with -std=c++20 (or /std:c++20)."
#endif

#if defined(__cpp_exceptions) || (defined(_MSC_VER) && defined(_CPPUNWIND))
#define COFFER_HAS_EXCEPTIONS 1
#else
#define COFFER_HAS_EXCEPTIONS 0
#endif

#if defined(_WIN32)
#define COFFER_OS_WINDOWS 1
#define COFFER_OS_POSIX 0
#else
#define COFFER_OS_WINDOWS 0
#define COFFER_OS_POSIX 1
#endif

#if defined(__linux__)
#define COFFER_OS_LINUX 1
#else
#define COFFER_OS_LINUX 0
#endif

#if defined(__APPLE__)
#define COFFER_OS_APPLE 1
#else
#define COFFER_OS_APPLE 0
#endif

#if defined(__SIZEOF_INT128__)
#define COFFER_HAS_INT128 1
#else
#define COFFER_HAS_INT128 0
#endif

#if (defined(__SSE2__) && defined(__x86_64__)) || defined(_M_X64)  // with words of 64 bits
#define COFFER_HAS_SSE2 1
#else
#define COFFER_HAS_SSE2 0
#endif

#if defined(__ARM_NEON) && defined(__aarch64__) && defined(__BYTE_ORDER__) && \
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define COFFER_HAS_NEON 1
#else
#define COFFER_HAS_NEON 0
#endif

/// COFFER_PREFETCHED() ends a function that does nothing but prefetch: g++ 12 believes that such a
/// one has no effect, and drops its calls. An empty statement of the machine's is an effect.
#if defined(__GNUC__) || defined(__clang__)
#define COFFER_PREFETCH(address) __builtin_prefetch(address)
#define COFFER_PREFETCHED() __asm__ __volatile__("" : :)
#define COFFER_NOINLINE __attribute__((noinline))
#else
#define COFFER_PREFETCH(address) static_cast<void>(address)
#define COFFER_PREFETCHED() static_cast<void>(0)
#define COFFER_NOINLINE
#endif

/// For what is slower as a call of its own. Who compiles more than runs may define it as `inline`.
#ifndef COFFER_ALWAYS_INLINE
#if defined(__GNUC__) || defined(__clang__)
#define COFFER_ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define COFFER_ALWAYS_INLINE inline
#endif
#endif

/// For a loop that waits for another processor: leaves the core's units to others for a moment.
#if (defined(__GNUC__) || defined(__clang__)) && (defined(__x86_64__) || defined(__i386__))
#define COFFER_PAUSE() __builtin_ia32_pause()
#elif (defined(__GNUC__) || defined(__clang__)) && defined(__aarch64__)
#define COFFER_PAUSE() __asm__ __volatile__("yield")
#else
#define COFFER_PAUSE() static_cast<void>(0)
#endif

#if defined(__SANITIZE_THREAD__)
#define COFFER_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COFFER_UNDER_TSAN 1
#endif
#endif
#ifndef COFFER_UNDER_TSAN
#define COFFER_UNDER_TSAN 0
#endif

#endif
