// Runs of bytes: views of text and back, the order of unsigned bytes, empty runs.
#include <coffer/core/bytes.hpp>

#include "catch.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <string>
#include <vector>

using coffer::as_bytes;
using coffer::as_text;
using coffer::bytes;

TEST_CASE("text and bytes show the same memory", "[bytes]") {
    const std::string text("a\0\xFFz", 4);
    const bytes run = as_bytes(text);
    CHECK(run.size() == 4);
    CHECK(static_cast<const void*>(run.data()) == text.data());
    CHECK(run[2] == std::byte{0xFF});
    CHECK(as_text(run) == text);
    CHECK(as_text(run).data() == text.data());
    CHECK(as_bytes("").empty());
    CHECK(as_text(bytes()).empty());
}

TEST_CASE("runs are ordered by unsigned bytes, a beginning before what goes on", "[bytes]") {
    using std::string_view_literals::operator""sv;
    const std::vector<std::string_view> ascending{
        ""sv,  "\0"sv,   "\0\0"sv, "\0\x01"sv, "a"sv,      "a\0"sv,     "aa"sv,
        "b"sv, "\x7F"sv, "\x80"sv, "\xFF"sv,   "\xFF\0"sv, "\xFF\xFF"sv};
    for (std::size_t i = 0; i < ascending.size(); ++i) {
        for (std::size_t j = 0; j < ascending.size(); ++j) {
            const bytes left = as_bytes(ascending[i]);
            const bytes right = as_bytes(ascending[j]);
            CHECK(coffer::compare(left, right) == (i <=> j));
            CHECK(coffer::equal(left, right) == (i == j));
        }
    }
}

TEST_CASE("runs of every size are ordered by the first byte that differs", "[bytes]") {
    for (std::size_t size = 1; size <= 40; ++size) {
        const std::vector<std::byte> run(size, std::byte{0x80});
        for (std::size_t at = 0; at < size; ++at) {
            for (const unsigned byte : {0U, 0x7FU, 0x81U, 0xFFU}) {
                auto other = run;
                other[at] = std::byte(byte);
                if (at + 1 < size) other[at + 1] = std::byte(255 - byte);  // comes too late
                CHECK(coffer::compare(run, other) == (0x80U <=> byte));
                CHECK(coffer::compare(other, run) == (byte <=> 0x80U));
                CHECK((coffer::compare(run, bytes(other).first(at)) > 0));
            }
        }
        CHECK((coffer::compare(run, std::vector(run)) == 0));
    }
}

TEST_CASE("empty runs may have null pointers", "[bytes]") {
    const std::array<std::byte, 1> one{std::byte{7}};
    CHECK(coffer::compare(bytes(), bytes()) == std::strong_ordering::equal);
    CHECK(coffer::compare(bytes(), one) == std::strong_ordering::less);
    CHECK(coffer::compare(one, bytes()) == std::strong_ordering::greater);
    CHECK(coffer::equal(bytes(), bytes(one).first(0)));
    CHECK_FALSE(coffer::equal(bytes(), one));
    coffer::copy(nullptr, bytes());
    std::array<std::byte, 3> to{};
    coffer::copy(to.data() + 1, one);
    CHECK(to == std::array{std::byte{0}, std::byte{7}, std::byte{0}});
}

TEST_CASE("runs are equal when every byte is, at any size", "[bytes]") {
    for (std::size_t size = 0; size <= 40; ++size) {
        std::vector<std::byte> left(size), right(size);
        for (std::size_t i = 0; i < size; ++i) left[i] = right[i] = static_cast<std::byte>(i * 37);
        CHECK(coffer::equal(left, right));
        for (std::size_t i = 0; i < size; ++i) {
            right[i] ^= std::byte{0x80};
            if (coffer::equal(left, right)) FAIL("byte " << i << " of " << size);
            right[i] ^= std::byte{0x80};
        }
        right.push_back(std::byte{0});
        CHECK_FALSE(coffer::equal(left, right));
    }
}
