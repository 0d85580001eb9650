// The scratch and the reader, apart from any type.
#include <coffer/core/coding.hpp>

#include <string>
#include <vector>

#include "catch.hpp"

using namespace coffer::detail;

TEST_CASE("a scratch keeps what was added, also when it moves to the heap", "[coding]") {
    scratch room;
    CHECK(room.view().empty());
    std::vector<std::byte> expected;
    for (unsigned i = 0; i < 1000; ++i) {
        const auto byte = static_cast<unsigned char>(i);
        room.append(byte);
        expected.push_back(std::byte{byte});
        REQUIRE(coffer::equal(room.view(), expected));
    }
    room.append(coffer::as_bytes("more"));
    CHECK(room.view().size() == 1004);
    room.clear();
    CHECK(room.view().empty());
    const std::string large(100000, 'x');
    room.append(coffer::as_bytes(large));
    CHECK(coffer::as_text(room.view()) == large);
}

TEST_CASE("a scratch remembers that something did not fit, until it is cleared", "[coding]") {
    scratch room;
    CHECK(room.fits());
    room.refuse();
    CHECK(!room.fits());
    room.clear();
    CHECK(room.fits());
}

TEST_CASE("a reader gives what is there and no more", "[coding]") {
    reader in(coffer::as_bytes("abcdef"));
    CHECK(in.left() == 6);
    const std::byte* const first = in.take(2);
    REQUIRE(first != nullptr);
    CHECK(coffer::as_text({first, 2}) == "ab");
    CHECK(coffer::as_text(in.peek()) == "cdef");
    CHECK(in.take(0) != nullptr);
    CHECK(coffer::as_text(in.take_rest()) == "cdef");
    CHECK(in.good());
    CHECK(in.take(1) == nullptr);
    CHECK(!in.good());
}

TEST_CASE("a reader of nothing is a reader all the same", "[coding]") {
    reader in({});
    CHECK(in.left() == 0);
    CHECK(in.take(0) != nullptr);
    CHECK(in.take_rest().empty());
    CHECK(in.good());
}

TEST_CASE("a reader keeps its first problem and then has nothing left", "[coding]") {
    reader in(coffer::as_bytes("abcdef"));
    in.fail("the first");
    in.fail("the second");
    CHECK(in.left() == 0);
    CHECK(in.take(1) == nullptr);
    const coffer::failure told = in.told_of("u8");
    CHECK(told.cause().kind() == coffer::errc::corruption);
    CHECK_THAT(told.cause().what(), t::ContainsSubstring("no encoding of u8: the first"));

    reader other(coffer::as_bytes("abc"));
    other.fail(coffer::fail(coffer::errc::invalid_argument, "its own words"));
    CHECK(!other.good());
    CHECK_THAT(other.told_of("u8").cause().what(), t::ContainsSubstring("its own words"));
}

TEST_CASE("lengths return, and only in their shortest form", "[coding]") {
    for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128},
                                       std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
        scratch room;
        room.append_length(length);
        reader in(room.view());
        CHECK(in.take_length() == length);
        CHECK(in.good());
        CHECK(in.left() == 0);
        reader cut(room.view().first(room.view().size() - 1));
        CHECK(cut.take_length() == 0);
        CHECK(!cut.good());
    }
    reader longer(coffer::as_bytes(std::string_view("\x80\x00", 2)));
    CHECK(longer.take_length() == 0);
    CHECK(!longer.good());
}
