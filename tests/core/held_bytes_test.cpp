// held_bytes: they are what was given, however many, and whatever they take the place of.
#include <coffer/core/held_bytes.hpp>

#include "catch.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace {

using coffer::as_bytes;
using coffer::as_text;
using coffer::detail::held_bytes;

constexpr std::size_t in_place = held_bytes::in_place;

/// Of every size around the one that no longer fits in place.
const std::size_t sizes[] = {0, 1, in_place - 1, in_place, in_place + 1, 3 * in_place, 65536};

std::string text(std::size_t size, char first) {
    std::string out(size, first);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(first + static_cast<int>(i % 23));
    return out;
}

}  // namespace

TEST_CASE("held bytes are those that were given", "[held_bytes]") {
    CHECK(held_bytes().empty());
    for (const std::size_t size : sizes) {
        const std::string given = text(size, 'A');
        held_bytes held(as_bytes(given));
        CHECK(held.size() == size);
        CHECK(held.empty() == (size == 0));
        CHECK(as_text(held) == given);
        CHECK(held == held_bytes(as_bytes(given)));
        CHECK_FALSE(held == held_bytes(as_bytes(given + "x")));
        held_bytes copied = held;
        CHECK(as_text(copied) == given);
        held_bytes& itself = copied;
        copied = itself;
        CHECK(as_text(copied) == given);
        held_bytes moved = std::move(held);
        CHECK(as_text(moved) == given);
    }
}

TEST_CASE("held bytes of any size take the place of those of any other", "[held_bytes]") {
    for (const std::size_t from : sizes) {
        for (const std::size_t to : sizes) {
            const std::string before = text(from, 'A');
            const std::string after = text(to, 'a');
            held_bytes assigned(as_bytes(before));
            assigned.assign(as_bytes(after));
            CHECK(as_text(assigned) == after);

            held_bytes copied(as_bytes(before));
            const held_bytes other(as_bytes(after));
            copied = other;
            CHECK(as_text(copied) == after);
            CHECK(as_text(other) == after);

            held_bytes left(as_bytes(before));
            held_bytes right(as_bytes(after));
            std::swap(left, right);
            CHECK(as_text(left) == after);
            CHECK(as_text(right) == before);

            held_bytes resized(as_bytes(before));
            resized.resize(to);
            REQUIRE(resized.size() == to);
            const std::size_t kept = from < to ? from : to;
            CHECK(as_text(resized).substr(0, kept) == before.substr(0, kept));
        }
    }
}

TEST_CASE("what held bytes were moved from can be used again", "[held_bytes]") {
    for (const std::size_t size : sizes) {
        held_bytes held(as_bytes(text(size, 'A')));
        const held_bytes moved = std::move(held);
        held.assign(as_bytes("again"));  // NOLINT(bugprone-use-after-move)
        CHECK(as_text(held) == "again");
        held.resize(in_place + 1);
        CHECK(as_text(held).substr(0, 5) == "again");
        CHECK(as_text(moved) == text(size, 'A'));
    }
}
