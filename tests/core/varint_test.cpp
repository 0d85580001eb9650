// Varints: the documented bytes, one form for each number, and nothing read beyond the limit.
#include <coffer/core/varint.hpp>

#include "catch.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace {

namespace detail = coffer::detail;

std::vector<std::byte> written(std::uint64_t value) {
    std::array<std::byte, detail::max_varint_size + 1> room{};
    std::byte* const end = detail::put_varint(room.data(), value);
    return {room.data(), end};
}

const std::byte* read(const std::vector<std::byte>& from, std::uint64_t& value) {
    return detail::get_varint(from.data(), from.data() + from.size(), value);
}

std::vector<std::byte> run(std::initializer_list<unsigned char> all) {
    std::vector<std::byte> out;
    for (const unsigned char each : all) out.push_back(std::byte{each});
    return out;
}

}  // namespace

TEST_CASE("the bytes of a varint", "[varint]") {
    CHECK(written(0) == run({0x00}));
    CHECK(written(127) == run({0x7F}));
    CHECK(written(128) == run({0x80, 0x01}));
    CHECK(written(300) == run({0xAC, 0x02}));
    CHECK(written(16384) == run({0x80, 0x80, 0x01}));
    CHECK(written((std::numeric_limits<std::uint64_t>::max)()) ==
          run({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}));
}

TEST_CASE("every number comes back, and no part of its bytes is a number", "[varint]") {
    std::vector<std::uint64_t> numbers{0, (std::numeric_limits<std::uint64_t>::max)()};
    for (unsigned bit = 0; bit < 64; ++bit) {
        const std::uint64_t power = std::uint64_t{1} << bit;
        numbers.insert(numbers.end(), {power - 1, power, power + 1});
    }
    std::mt19937_64 random(1);
    for (int i = 0; i < 1000; ++i) numbers.push_back(random() >> (random() % 64));
    for (const std::uint64_t number : numbers) {
        const auto all = written(number);
        REQUIRE(all.size() == detail::varint_size(number));
        REQUIRE(all.size() <= detail::max_varint_size);
        std::uint64_t value = 0;
        REQUIRE(read(all, value) == all.data() + all.size());
        REQUIRE(value == number);
        for (std::size_t size = 0; size < all.size(); ++size) {
            // A vector of its own, so that a read beyond the limit is a fault.
            const std::vector<std::byte> part(all.data(), all.data() + size);
            REQUIRE(read(part, value) == nullptr);
        }
    }
}

TEST_CASE("whatever is read is the only form of its number", "[varint]") {
    for (unsigned word = 0; word < 1U << 24; word += word < 1U << 17 ? 1 : 61) {
        const auto all =
            run({static_cast<unsigned char>(word), static_cast<unsigned char>(word >> 8),
                 static_cast<unsigned char>(word >> 16)});
        std::uint64_t value = 0;
        const std::byte* const end = read(all, value);
        if (end == nullptr) continue;
        const std::vector<std::byte> used(all.data(), end);
        if (written(value) != used) FAIL("two forms of " << value);
    }
}

TEST_CASE("long forms and numbers of more than 64 bits are refused", "[varint]") {
    std::uint64_t value = 0;
    const auto refused = {run({0x80, 0x00}),
                          run({0xFF, 0x80, 0x00}),
                          run({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}),
                          run({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02}),
                          run({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x81, 0x00}),
                          run({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}),
                          run({})};
    for (const auto& each : refused) CHECK(read(each, value) == nullptr);
}

TEST_CASE("what follows a varint is left alone", "[varint]") {
    const auto all = run({0xAC, 0x02, 0xAC, 0x02});
    std::uint64_t value = 0;
    const std::byte* const next = read(all, value);
    CHECK(next == all.data() + 2);
    CHECK(value == 300);
}
