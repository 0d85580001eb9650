// coffer/core/memory.hpp: zeroed memory of the process in lasting places.
//
// The memory of an index that is rebuilt or restored at every open, and of segments in memory.
// Pages that were never touched cost nothing: the system gives large pieces lazily. On Linux pieces
// of 2 MiB and more lie on huge pages, if the machine has them for those who ask: a first touch of
// memory is one trap to the system for each page, and a lookup that misses the caches seldom misses
// the TLB too. Threads: one caller of allocate at a time.
#ifndef COFFER_CORE_MEMORY_HPP
#define COFFER_CORE_MEMORY_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#if COFFER_OS_LINUX
#include <sys/mman.h>
#endif

namespace coffer::detail {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// What a piece of memory of `size` bytes is aligned to.
[[nodiscard]] constexpr std::size_t alignment_of(std::size_t size) noexcept {
    return size < huge_page ? 64 : huge_page;
}

/// Asks for huge pages, where the system has an ear for it; what it answers changes nothing else.
inline void prefer_huge_pages(std::byte* at, std::size_t size) noexcept {
#if COFFER_OS_LINUX && defined(MADV_HUGEPAGE)
    if (size >= huge_page) static_cast<void>(::madvise(at, size, MADV_HUGEPAGE));
#else
    static_cast<void>(at), static_cast<void>(size);
#endif
}

/// Lets the system lay out what lies on huge pages before somebody has to wait for it. What is
/// there stays as it is, whoever writes to it meanwhile.
inline void touch(std::byte* at, std::size_t size) noexcept {
#if COFFER_OS_LINUX && defined(MADV_POPULATE_WRITE)
    const auto rest = reinterpret_cast<std::uintptr_t>(at) % huge_page;
    static_cast<void>(::madvise(at - rest, rest + size, MADV_POPULATE_WRITE));
#else
    static_cast<void>(at), static_cast<void>(size);
#endif
}

/// The first place behind `at` that is aligned to `alignment`; a whole one, if `at` was.
[[nodiscard]] inline std::byte* aligned_up(void* at, std::size_t alignment) noexcept {
    const auto rest = reinterpret_cast<std::uintptr_t>(at) % alignment;
    return static_cast<std::byte*>(at) + (rest == 0 ? 0 : alignment - rest);
}

/// Memory of the process that nothing has been written to.
class raw_memory {
public:
    raw_memory() = default;
    /// Null when there is none.
    [[nodiscard]] std::byte* get() const noexcept { return owned_ ? at_ : nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return owned_ ? size_ : 0; }

    [[nodiscard]] static result<raw_memory> take(std::uint64_t size) {
        const auto wanted = static_cast<std::size_t>(size);
        const std::size_t alignment = alignment_of(wanted);
        raw_memory taken;
        taken.owned_.reset(std::malloc(wanted + alignment));
        if (!taken.owned_ || wanted + alignment < size) {
            return fail(errc::no_space, "the system gives no memory for a segment of the log");
        }
        taken.at_ = aligned_up(taken.owned_.get(), alignment);
        taken.size_ = wanted;
        prefer_huge_pages(taken.at_, wanted);
        return taken;
    }

private:
    struct deleter {
        void operator()(void* owned) const noexcept { std::free(owned); }
    };
    std::unique_ptr<void, deleter> owned_;
    std::byte* at_ = nullptr;
    std::size_t size_ = 0;
};

/// Keeps the last piece of memory that was given back for whoever asks next: its pages are there
/// already, and perhaps in the caches. What it gives holds whatever it held. Threads: any.
class spare_memory {
public:
    spare_memory() = default;
    spare_memory(const spare_memory&) = delete;
    spare_memory& operator=(const spare_memory&) = delete;
    ~spare_memory() { delete kept_.load(std::memory_order_relaxed); }

    /// At least `size` bytes. New pieces are as large as the next power of two, so that they serve
    /// again when a little more is asked; pages that are never touched cost nothing.
    [[nodiscard]] result<std::unique_ptr<raw_memory>> take(std::uint64_t size) {
        auto kept = std::unique_ptr<raw_memory>(kept_.exchange(nullptr, std::memory_order_acq_rel));
        if (kept && kept->size() >= size) return kept;
        kept.reset();
        auto fresh = raw_memory::take(std::bit_ceil(size));
        if (!fresh) return fresh.failure();
        return std::make_unique<raw_memory>(std::move(*fresh));
    }

    void give(std::unique_ptr<raw_memory> back) noexcept {
        delete kept_.exchange(back.release(), std::memory_order_acq_rel);
    }

private:
    threading::multi::atomic<raw_memory*> kept_{nullptr};
};

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
        const std::size_t alignment = alignment_of(size);
        pieces_.reserve(pieces_.size() + 1);
        void* const piece = std::calloc(size + alignment, 1);
        if (piece == nullptr) {
            return fail(errc::no_space, "the index needs more memory than the system gives");
        }
        pieces_.push_back(piece);
        std::byte* const at = aligned_up(piece, alignment);
        prefer_huge_pages(at, size);
        return at;
    }

private:
    std::vector<void*> pieces_;
};

}  // namespace coffer::detail

#endif
