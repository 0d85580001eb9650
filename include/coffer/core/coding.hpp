// coffer/core/coding.hpp: where encoded bytes are built, and where they are read back.
//
// `scratch` collects the encoding of one value: its first 64 bytes lie in the object itself, a
// longer one moves to the heap. `reader` walks over bytes that somebody else wrote and that may be
// anything.
//
// I1  A reader never looks past its end, and after the first problem has nothing left to read.
// I2  What a reader makes its caller allocate is bounded by the bytes that it has left.
//
// Threads: one owner each. Failure: a reader keeps the first problem until it is asked.
#ifndef COFFER_CORE_CODING_HPP
#define COFFER_CORE_CODING_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/varint.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace coffer::detail {

/// What an encoding is for. Key: comparing bytes compares values. Value: fast, every bit is kept.
enum class role : unsigned char { key, value };

/// A list of types, as an argument.
template <class... T>
struct types {};

/// In the place of a scratch where there is nothing to build.
struct no_scratch {};

class scratch {
public:
    scratch() noexcept = default;
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;

    /// Adds room for `more` bytes and returns where they are to be written.
    [[nodiscard]] std::byte* extend(std::size_t more) {
        if (more > capacity_ - size_) [[unlikely]]
            grow(more);
        std::byte* const place = at_ + size_;
        size_ += more;
        return place;
    }
    void append(bytes run) { copy(extend(run.size()), run); }
    void append(unsigned char byte) { *extend(1) = std::byte{byte}; }
    void append_length(std::uint64_t length) { put_varint(extend(varint_size(length)), length); }

    /// The value has no encoding as the type asked for: a number out of its range.
    void refuse() noexcept { fits_ = false; }
    [[nodiscard]] bool fits() const noexcept { return fits_; }

    /// What was built; valid until the next change.
    [[nodiscard]] bytes view() const noexcept { return {at_, size_}; }
    void clear() noexcept {
        size_ = 0;
        fits_ = true;
    }

private:
    COFFER_NOINLINE void grow(std::size_t more) {
        const std::size_t needed = size_ + more;
        const std::size_t wanted = needed > capacity_ * 2 ? needed : capacity_ * 2;
        auto larger = std::make_unique_for_overwrite<std::byte[]>(wanted);
        copy(larger.get(), view());
        heap_ = std::move(larger);
        at_ = heap_.get();
        capacity_ = wanted;
    }

    std::byte inline_[64];
    std::byte* at_ = inline_;
    std::size_t size_ = 0;
    std::size_t capacity_ = sizeof inline_;
    bool fits_ = true;
    std::unique_ptr<std::byte[]> heap_;
};

class reader {
public:
    explicit reader(bytes from) noexcept
        : at_(from.data() != nullptr ? from.data() : &nothing), end_(at_ + from.size()) {}

    [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
    [[nodiscard]] bool good() const noexcept { return problem_ == nullptr; }

    /// The next `size` bytes, or null when there are fewer.
    [[nodiscard]] const std::byte* take(std::size_t size) noexcept {
        if (size > left()) [[unlikely]] {
            fail("they end early");
            return nullptr;
        }
        return std::exchange(at_, at_ + size);
    }
    [[nodiscard]] bytes peek() const noexcept { return {at_, end_}; }
    /// Everything that is left, taken.
    [[nodiscard]] bytes take_rest() noexcept { return {std::exchange(at_, end_), end_}; }

    /// A length as scratch::append_length wrote it; 0 after a problem.
    [[nodiscard]] std::uint64_t take_length() noexcept {
        std::uint64_t length = 0;
        const std::byte* const behind = get_varint(at_, end_, length);
        if (behind == nullptr) {
            fail("a length is cut off or not in its shortest form");
            return 0;
        }
        at_ = behind;
        return length;
    }

    void fail(const char* problem) noexcept {
        if (good()) problem_ = problem;
        at_ = end_;  // I1
    }
    void fail(failure cause) noexcept {
        if (good()) cause_ = cause.release();
        fail("the codec of the type refuses them");
    }

    /// The first problem, told of a type with this description; only when good() is false.
    [[nodiscard]] COFFER_NOINLINE failure told_of(std::string_view type) {
        if (cause_) return failure(std::move(cause_));
        std::string sentence = "these bytes are no encoding of ";
        sentence.append(type).append(": ").append(problem_);
        return coffer::fail(errc::corruption, sentence);
    }

private:
    static constexpr std::byte nothing{};

    const std::byte* at_;
    const std::byte* end_;
    const char* problem_ = nullptr;
    owned_error cause_;
};

}  // namespace coffer::detail

#endif
