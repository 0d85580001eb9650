// coffer/core/growing.hpp: an array that grows by doubling and never moves.
//
// Element i lies in piece bit_width(i >> FirstBits): piece 0 holds the first 2^FirstBits elements,
// each later piece as many as all before it together. So an element's place is found with one load,
// addresses last as long as the memory does, and a reader may use elements below any count that it
// was given while the one grower adds pieces behind them.
//
// I1  zeroths_[p] is published (release) before any index in piece p is given to a reader.
// Threads: operator[] from any thread; grow by one at a time.
#ifndef COFFER_CORE_GROWING_HPP
#define COFFER_CORE_GROWING_HPP

#include <coffer/config/assert.hpp>
#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace coffer::detail {

template <class T, threading_policy Threading, unsigned FirstBits>
class growing {
    static constexpr unsigned most_pieces = 48 - FirstBits;

public:
    [[nodiscard]] COFFER_ALWAYS_INLINE T& operator[](std::uint64_t index) const noexcept {
        const unsigned piece = piece_of(index);
        COFFER_ASSERT(piece < count_.load(std::memory_order_relaxed), "element of a piece to come");
        const std::uintptr_t zeroth = zeroths_[piece].load(std::memory_order_acquire);  // I1
        // As a number, because no pointer may point to where nothing is.
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        return *reinterpret_cast<T*>(zeroth + static_cast<std::uintptr_t>(index) * sizeof(T));
    }

    /// The elements from `index` on, `most` of them or as many as lie in one piece.
    [[nodiscard]] std::span<T> run(std::uint64_t index, std::uint64_t most) const noexcept {
        const unsigned piece = piece_of(index);
        const std::uint64_t behind = std::uint64_t{1} << (FirstBits + piece);
        const std::uint64_t left = behind - index;
        return {&(*this)[index], static_cast<std::size_t>(most < left ? most : left)};
    }

    /// Hands the memory of the first `count` elements to `sink(region, number, bytes)`, piece by
    /// piece, until it fails.
    template <class Sink>
    [[nodiscard]] result<void> save(unsigned region, std::uint64_t count, Sink&& sink) const {
        for (std::uint64_t from = 0; from < count;) {
            const std::span<T> part = run(from, count - from);
            const bytes raw(reinterpret_cast<const std::byte*>(part.data()), part.size_bytes());
            if (result<void> done = sink(region, piece_of(from), raw); !done) return done;
            from += part.size();
        }
        return {};
    }

    /// How many elements have memory.
    [[nodiscard]] std::uint64_t capacity() const noexcept {
        return capacity_of(count_.load(std::memory_order_acquire));
    }

    /// The number of the piece in which an element lies.
    [[nodiscard]] static constexpr unsigned piece_of(std::uint64_t index) noexcept {
        constexpr std::uint64_t half_of_first = std::uint64_t{1} << (FirstBits - 1);
        return static_cast<unsigned>(std::bit_width(index | half_of_first)) - FirstBits;
    }

    /// Elements of piece `piece`.
    [[nodiscard]] static constexpr std::uint64_t size_of_piece(unsigned piece) noexcept {
        return std::uint64_t{1} << (piece == 0 ? FirstBits : FirstBits + piece - 1);
    }

    /// Adds the next piece from `memory`; its elements are all-zero bytes.
    template <class Memory>
    [[nodiscard]] result<void> grow(Memory& memory, unsigned region) {
        const unsigned piece = count_.load(std::memory_order_relaxed);
        if (piece == most_pieces)
            return fail(errc::no_space, "the index has reached its largest size");
        auto raw = memory.allocate(region, piece,
                                   static_cast<std::size_t>(size_of_piece(piece)) * sizeof(T));
        if (!raw) return raw.failure();
        const std::uint64_t before = capacity_of(piece) * sizeof(T);
        zeroths_[piece].store(
            reinterpret_cast<std::uintptr_t>(*raw) - static_cast<std::uintptr_t>(before),
            std::memory_order_release);
        count_.store(piece + 1, std::memory_order_release);
        return {};
    }

private:
    static constexpr std::uint64_t capacity_of(unsigned pieces) noexcept {
        return pieces == 0 ? 0 : std::uint64_t{1} << (FirstBits + pieces - 1);
    }

    // Of each piece: where element 0 would be if the piece reached so far down.
    typename Threading::template atomic<std::uintptr_t> zeroths_[most_pieces] = {};
    typename Threading::template atomic<unsigned> count_{0};
};

}  // namespace coffer::detail

#endif
