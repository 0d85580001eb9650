// coffer/core/memory.hpp: zeroed memory of the process in lasting places.
//
// The memory of an index that is rebuilt or restored at every open. Pages that were never touched
// cost nothing: the system gives large pieces lazily. Threads: one caller of allocate at a time.
#ifndef COFFER_CORE_MEMORY_HPP
#define COFFER_CORE_MEMORY_HPP

#include <coffer/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

namespace coffer::detail {

struct free_memory {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
};

/// Memory of the process that nothing has been written to.
using raw_memory = std::unique_ptr<std::byte, free_memory>;

[[nodiscard]] inline result<raw_memory> take_memory(std::uint64_t size) {
    raw_memory taken(static_cast<std::byte*>(std::malloc(static_cast<std::size_t>(size) | 1)));
    if (!taken) return fail(errc::no_space, "the system gives no memory for a segment of the log");
    return taken;
}

class heap_memory {
public:
    heap_memory() = default;
    heap_memory(heap_memory&& other) noexcept : pieces_(std::exchange(other.pieces_, {})) {}
    heap_memory& operator=(heap_memory&& other) noexcept {
        std::swap(pieces_, other.pieces_);
        return *this;
    }
    ~heap_memory() {
        for (void* piece : pieces_) std::free(piece);
    }

    /// `region` and `number` name the piece for memories that outlive the process; here they do
    /// not.
    [[nodiscard]] result<std::byte*> allocate(unsigned region, unsigned number, std::size_t size) {
        static_cast<void>(region), static_cast<void>(number);
        constexpr std::size_t line = 64;
        pieces_.reserve(pieces_.size() + 1);
        void* piece = std::calloc(size + line, 1);
        if (piece == nullptr) {
            return fail(errc::no_space, "the index needs more memory than the system gives");
        }
        pieces_.push_back(piece);
        const auto at = reinterpret_cast<std::uintptr_t>(piece);
        return static_cast<std::byte*>(piece) + (line - at % line) % line;
    }

private:
    std::vector<void*> pieces_;
};

}  // namespace coffer::detail

#endif
