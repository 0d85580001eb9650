// The small parts that all forms share.
#include <coffer/core/codec_form.hpp>

#include <cstdint>
#include <cstring>

#include "catch.hpp"

using namespace coffer::detail;

namespace {

struct pair_of_numbers {
    std::uint32_t a;
    std::uint32_t b;
};
struct nothing_known {
    explicit nothing_known(int);  // not an aggregate
};

}  // namespace

TEST_CASE("sizes add up, or vary", "[codec]") {
    STATIC_REQUIRE(sum({}) == 0);
    STATIC_REQUIRE(sum({1, 2, 3}) == 6);
    STATIC_REQUIRE(sum({1, varies, 3}) == varies);
}

TEST_CASE("a match is as good as its weakest part", "[codec]") {
    STATIC_REQUIRE(weakest({}) == match::exact);
    STATIC_REQUIRE(weakest({match::exact, match::checked}) == match::checked);
    STATIC_REQUIRE(weakest({match::checked, match::no, match::exact}) == match::no);
}

TEST_CASE("a flat object is read from any place", "[codec]") {
    const pair_of_numbers numbers{1, 2};
    std::byte shifted[9];
    std::memcpy(shifted + 1, &numbers, 8);
    reader in(coffer::bytes(shifted + 1, 8));
    const auto back = take_object<pair_of_numbers>(in);
    REQUIRE(back.has_value());
    CHECK(back->a == 1);
    CHECK(back->b == 2);
    reader cut(coffer::bytes(shifted + 1, 7));
    CHECK(!take_object<pair_of_numbers>(cut).has_value());
}

TEST_CASE("an unknown type has no form and matches nothing", "[codec]") {
    STATIC_REQUIRE(!has_form<nothing_known>);
    STATIC_REQUIRE(match_of<nothing_known, nothing_known>() == match::no);
    STATIC_REQUIRE(match_of<int, nothing_known>() == match::no);
}
