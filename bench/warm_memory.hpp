// bench/warm_memory.hpp: memory that the machine has, for what is measured next.
//
// A virtual machine may be given its memory when it is first touched, and give back what has been
// free for some seconds. Where that is so the first touch of a page has been seen to take 9
// microseconds, 30 times as long as otherwise, and a large page 5 milliseconds: by chance a run
// would measure that, and most of all a fast one that inserts. So just before the clock starts as
// much as a run may take is touched and set free: what is set free last is given out first.
#ifndef COFFER_BENCH_WARM_MEMORY_HPP
#define COFFER_BENCH_WARM_MEMORY_HPP

#include <algorithm>
#include <cstddef>

#include <sys/mman.h>

namespace bench {

inline void warm_memory(std::size_t size) {
    constexpr std::size_t most = std::size_t{4} << 30, large = std::size_t{2} << 20;
    constexpr std::size_t page = 4096;
    size = (std::min)(size, most) / large * large + large;
    void* const got =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return;
#ifdef MADV_HUGEPAGE
    ::madvise(got, size, MADV_HUGEPAGE);
#endif
    auto* const bytes = static_cast<volatile char*>(got);
    for (std::size_t at = 0; at < size; at += page) bytes[at] = 1;
    ::munmap(got, size);
}

}  // namespace bench

#endif
