// Integers at unaligned places: the bytes of each order, and the way back.
#include <coffer/core/endian.hpp>

#include "catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace {

namespace detail = coffer::detail;

/// Stores `value` at every misalignment; the bytes must be `wanted`, the rest untouched.
template <class T, std::size_t N>
void check(T value, const std::array<unsigned char, N>& little) {
    static_assert(sizeof(T) == N);
    for (std::size_t at = 0; at < 8; ++at) {
        alignas(8) std::array<std::byte, 24> room;
        room.fill(std::byte{0x5A});
        detail::store_le(room.data() + at, value);
        for (std::size_t i = 0; i < N; ++i) CHECK(room[at + i] == std::byte{little[i]});
        CHECK(detail::load_le<T>(room.data() + at) == value);
        CHECK(detail::load_be<T>(room.data() + at) == detail::byte_swapped(value));
        CHECK(room[at + N] == std::byte{0x5A});
        if (at != 0) CHECK(room[at - 1] == std::byte{0x5A});

        detail::store_be(room.data() + at, value);
        for (std::size_t i = 0; i < N; ++i) CHECK(room[at + i] == std::byte{little[N - 1 - i]});
        CHECK(detail::load_be<T>(room.data() + at) == value);
        CHECK(room[at + N] == std::byte{0x5A});
    }
}

}  // namespace

TEST_CASE("the bytes of integers of every width", "[endian]") {
    check(std::uint8_t{0xF1}, std::array<unsigned char, 1>{0xF1});
    check(std::uint16_t{0xF102}, std::array<unsigned char, 2>{0x02, 0xF1});
    check(std::uint32_t{0xF1020304}, std::array<unsigned char, 4>{0x04, 0x03, 0x02, 0xF1});
    check(std::uint64_t{0xF102030405060708},
          std::array<unsigned char, 8>{0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0xF1});
}

TEST_CASE("swapping twice is nothing, also at compile time", "[endian]") {
    static_assert(detail::byte_swapped(std::uint8_t{0x12}) == 0x12);
    static_assert(detail::byte_swapped(std::uint16_t{0x1234}) == 0x3412);
    static_assert(detail::byte_swapped(std::uint32_t{0x12345678}) == 0x78563412);
    static_assert(detail::byte_swapped(std::uint64_t{0x0102030405060708}) == 0x0807060504030201);
    for (unsigned bit = 0; bit < 64; ++bit) {
        const std::uint64_t value = std::uint64_t{1} << bit;
        CHECK(detail::byte_swapped(value) == std::uint64_t{1} << (56 - bit / 8 * 8 + bit % 8));
        CHECK(detail::byte_swapped(detail::byte_swapped(value)) == value);
    }
}
