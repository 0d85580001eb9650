#include "allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

/// Threads count apart, so that counting costs a thread nothing that another one does. All that
/// come after so many share the last place.
constexpr std::size_t places = 1024;
struct alignas(64) tally {
    std::atomic<std::size_t> count{0};
};
tally tallies[places];
std::atomic<std::size_t> taken{0};
thread_local tally* mine = nullptr;

void note() noexcept {
    if (mine == nullptr) {
        const std::size_t place = taken.fetch_add(1, std::memory_order_relaxed);
        mine = &tallies[place < places ? place : places - 1];
    }
    std::atomic<std::size_t>& count = mine->count;
    if (mine == &tallies[places - 1]) {
        count.fetch_add(1, std::memory_order_relaxed);
    } else {
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
}

void* counted(std::size_t size) {
    note();
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}

}  // namespace

std::size_t bench::allocations() noexcept {
    std::size_t sum = 0;
    const std::size_t used = taken.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < used && i < places; ++i) {
        sum += tallies[i].count.load(std::memory_order_relaxed);
    }
    return sum;
}

void* operator new(std::size_t size) {
    return counted(size);
}
void* operator new[](std::size_t size) {
    return counted(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
