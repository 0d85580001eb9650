// coffer/core/bytes.hpp: a run of bytes, and how two runs compare.
//
// `bytes` is the currency of every floor: encoded keys, encoded values, pieces of files. It owns
// nothing. Order is that of unsigned bytes, a shorter run before a longer one that it begins:
// the order of `sorted` stores.
#ifndef COFFER_CORE_BYTES_HPP
#define COFFER_CORE_BYTES_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/endian.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace coffer {

using bytes = std::span<const std::byte>;
using mutable_bytes = std::span<std::byte>;

[[nodiscard]] inline bytes as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(bytes run) noexcept {
    return {reinterpret_cast<const char*>(run.data()), run.size()};
}

namespace detail {

[[nodiscard]] inline std::strong_ordering compare_all(bytes left, bytes right) noexcept {
    const std::size_t shared = left.size() < right.size() ? left.size() : right.size();
    if (shared != 0) {
        const int order = std::memcmp(left.data(), right.data(), shared);
        if (order != 0) return order <=> 0;
    }
    return left.size() <=> right.size();
}

}  // namespace detail

[[nodiscard]] COFFER_ALWAYS_INLINE std::strong_ordering compare(bytes left, bytes right) noexcept {
    const std::size_t size = left.size();
    if (size != right.size() || size - 8 > 8) return detail::compare_all(left, right);
    auto ours = detail::load_le<std::uint64_t>(left.data());  // 8 to 16: two words that may overlap
    auto theirs = detail::load_le<std::uint64_t>(right.data());
    if (ours == theirs) {
        ours = detail::load_le<std::uint64_t>(left.data() + size - 8);
        theirs = detail::load_le<std::uint64_t>(right.data() + size - 8);
    }
    return detail::byte_swapped(ours) <=> detail::byte_swapped(theirs);
}

[[nodiscard]] COFFER_ALWAYS_INLINE bool equal(bytes left, bytes right) noexcept {
    const std::size_t size = left.size();
    if (size != right.size()) return false;
    if (size - 8 <= 8) {  // 8 to 16: two words that may overlap
        std::uint64_t words[4];
        std::memcpy(words, left.data(), 8);
        std::memcpy(words + 1, left.data() + size - 8, 8);
        std::memcpy(words + 2, right.data(), 8);
        std::memcpy(words + 3, right.data() + size - 8, 8);
        return ((words[0] ^ words[2]) | (words[1] ^ words[3])) == 0;
    }
    return size == 0 || std::memcmp(left.data(), right.data(), size) == 0;
}

/// memcpy that accepts empty runs, whose pointers may be null.
inline void copy(std::byte* to, bytes from) noexcept {
    if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace coffer

#endif
