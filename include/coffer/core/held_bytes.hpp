// coffer/core/held_bytes.hpp: a run of bytes that is held, the first few of them in place.
//
// What a walk and a range keep of keys: a bound, and where to go on. Most keys are short, so that a
// seek allocates for none of them.
//
// I1  The bytes lie in here_ while heap_ is null, otherwise in heap_; there is room for room_.
// Threads: as those of a std::vector. Cost: up to `in_place` bytes are copied without an
// allocation, moved ones too. Failure: std::bad_alloc, and nothing has changed.
#ifndef COFFER_CORE_HELD_BYTES_HPP
#define COFFER_CORE_HELD_BYTES_HPP

#include <coffer/core/bytes.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

namespace coffer::detail {

class held_bytes {
public:
    static constexpr std::size_t in_place = 40;

    held_bytes() = default;
    held_bytes(bytes from) { assign(from); }
    held_bytes(const held_bytes& other) : held_bytes(bytes(other)) {}
    held_bytes(held_bytes&& other) noexcept { take(other); }
    held_bytes& operator=(const held_bytes& other) {
        if (this != &other) assign(other);
        return *this;
    }
    held_bytes& operator=(held_bytes&& other) noexcept {
        if (this != &other) take(other);
        return *this;
    }
    ~held_bytes() = default;

    /// `from` lies elsewhere.
    void assign(bytes from) {
        if (from.size() > room_) make_room(from.size(), 0);
        copy(data(), from);
        size_ = from.size();
    }
    /// The first bytes stay as they are; those that are new may have any value.
    void resize(std::size_t size) {
        if (size > room_) make_room(size, size_);
        size_ = size;
    }

    [[nodiscard]] operator bytes() const noexcept { return {data(), size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::byte* data() noexcept { return heap_ ? heap_.get() : here_.data(); }
    [[nodiscard]] const std::byte* data() const noexcept {
        return heap_ ? heap_.get() : here_.data();
    }

    friend bool operator==(const held_bytes& left, const held_bytes& right) noexcept {
        return equal(bytes(left), bytes(right));
    }

private:
    void make_room(std::size_t size, std::size_t kept) {
        auto made = std::make_unique<std::byte[]>(size);
        copy(made.get(), {data(), kept});
        heap_ = std::move(made);
        room_ = size;
    }
    void take(held_bytes& other) noexcept {
        heap_ = std::move(other.heap_);
        here_ = other.here_;
        size_ = std::exchange(other.size_, 0);
        room_ = std::exchange(other.room_, in_place);
    }

    std::unique_ptr<std::byte[]> heap_;
    std::size_t size_ = 0;
    std::size_t room_ = in_place;
    std::array<std::byte, in_place> here_{};
};

}  // namespace coffer::detail

#endif
