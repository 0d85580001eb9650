// What the compiler shows of an aggregate, and that whatever it cannot show in full is not trusted.
#include <coffer/core/aggregate.hpp>

#include <any>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"

namespace {

using namespace coffer::detail;

struct none {};
struct one {
    std::string text;
};
struct nested {
    one first;
    std::array<int, 3> numbers;
    std::optional<int> maybe;
    std::vector<nested> more;
};
struct with_defaults {
    int a = 1;
    std::string b = "b";
    const double c = 0.5;
};
struct sixteen {
    int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
};
struct with_static {
    int a;
    static constexpr int not_a_member = 2;
};
struct alignas(64) aligned {
    int a;
};
struct with_any {
    std::any anything;
    int number;
};

struct seventeen {
    sixteen first;
    int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
};
struct derived : one {
    int own;
};
struct only_derived : one {};
struct derived_of_empty : none {
    int own;
};
struct with_array {
    int before;
    int numbers[3];
};
struct with_short_array {
    int numbers[1];
};
struct with_reference {
    int& target;
};
struct with_const_reference {
    const long& target;
};
struct with_bits {
    int few : 20;
    int rest : 20;
};
struct with_full_bits {
    std::uint32_t all : 32;
};
struct with_nameless_bits {
    int a;
    int : 8;
    int b : 8;
};
struct with_union {
    int kind;
    union {
        int number;
        float real;
    };
};
union either {
    int number;
    float real;
};
struct with_named_union {
    either which;
};
struct no_default {
    explicit no_default(int) {}
};
struct with_no_default {
    int a = 0;
    no_default last{1};
};
struct with_no_default_inside {
    int a = 0;
    no_default middle{1};
    int b = 0;
};
struct no_copy {
    explicit no_copy(int) {}
    no_copy(no_copy&&) = default;
};
struct with_no_copy_last {
    int a = 0;
    no_copy last{1};
};
int outside = 0;
struct with_reference_last {
    int a = 0;
    int& last = outside;
};
struct overlapping {
    [[no_unique_address]] none tag;
    int number;
};
struct aligned_inside {
    char a;
    alignas(16) char b;
};
#pragma pack(push, 1)
struct packed {
    char a;
    int b;
};
#pragma pack(pop)
struct tuple_like {
    int a;
    int hidden;
};

}  // namespace

template <>
struct std::tuple_size<tuple_like> : std::integral_constant<std::size_t, 1> {};

TEST_CASE("members are counted and seen in order", "[aggregate]") {
    STATIC_REQUIRE(sight_of<none>() == sight::complete);
    STATIC_REQUIRE(members_in<none> == 0);
    STATIC_REQUIRE(sight_of<one>() == sight::complete);
    STATIC_REQUIRE(std::is_same_v<members_of<one>, types<std::string>>);
    STATIC_REQUIRE(sight_of<nested>() == sight::complete);
    STATIC_REQUIRE(
        std::is_same_v<members_of<nested>,
                       types<one, std::array<int, 3>, std::optional<int>, std::vector<nested>>>);
    STATIC_REQUIRE(sight_of<with_defaults>() == sight::complete);
    STATIC_REQUIRE(std::is_same_v<members_of<with_defaults>, types<int, std::string, double>>);
    STATIC_REQUIRE(sight_of<sixteen>() == sight::complete);
    STATIC_REQUIRE(members_in<sixteen> == 16);
    STATIC_REQUIRE(members_in<with_static> == with_static::not_a_member - 1);
    STATIC_REQUIRE(sight_of<aligned>() == sight::complete);
}

TEST_CASE("every number of members is bound in order", "[aggregate]") {
    sixteen all{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const int folded = bind_members<16>(all, [](auto, const auto&... member) {
        int sum = 0;
        ((sum = sum * 3 + member), ...);
        return sum;
    });
    int expected = 0;
    for (int i = 1; i <= 16; ++i) expected = expected * 3 + i;
    CHECK(folded == expected);

    nested some{{"text"}, {1, 2, 3}, 4, {}};
    bind_members<4>(some, [](auto, auto& first, auto&, auto& maybe, auto& more) {
        first.text = "changed";
        maybe.reset();
        more.emplace_back();
    });
    CHECK(some.first.text == "changed");
    CHECK(!some.maybe.has_value());
    CHECK(some.more.size() == 1);
}

TEST_CASE("what is not shown in full is not trusted", "[aggregate]") {
    STATIC_REQUIRE(sight_of<seventeen>() == sight::too_many);
    STATIC_REQUIRE(sight_of<derived>() == sight::based);
    STATIC_REQUIRE(sight_of<only_derived>() == sight::based);
    STATIC_REQUIRE(sight_of<derived_of_empty>() == sight::based);
    STATIC_REQUIRE(sight_of<with_reference>() == sight::uncertain);
    STATIC_REQUIRE(sight_of<with_const_reference>() == sight::reference);
    STATIC_REQUIRE(sight_of<with_bits>() == sight::bit_field);
    STATIC_REQUIRE(sight_of<with_full_bits>() == sight::bit_field);
    STATIC_REQUIRE(sight_of<with_nameless_bits>() == sight::bit_field);
    STATIC_REQUIRE(sight_of<with_union>() == sight::with_union);
    STATIC_REQUIRE(sight_of<with_named_union>() == sight::with_union);
    STATIC_REQUIRE(sight_of<with_no_default>() == sight::uncertain);
    STATIC_REQUIRE(sight_of<with_no_default_inside>() == sight::uncertain);
    STATIC_REQUIRE(sight_of<with_no_copy_last>() == sight::uncertain);
    STATIC_REQUIRE(sight_of<with_reference_last>() == sight::uncertain);
    STATIC_REQUIRE(sight_of<overlapping>() == sight::packed);
    STATIC_REQUIRE(sight_of<aligned_inside>() == sight::packed);
    STATIC_REQUIRE(sight_of<packed>() == sight::packed);
    STATIC_REQUIRE(sight_of<tuple_like>() == sight::uncertain);
    STATIC_REQUIRE(sight_of<with_any>() != sight::complete);  // takes anything, also a union
}

TEST_CASE("a C array is one member, and then one that has no form", "[aggregate]") {
    STATIC_REQUIRE(sight_of<with_array>() == sight::complete);
    STATIC_REQUIRE(std::is_same_v<members_of<with_array>, types<int, int[3]>>);
    STATIC_REQUIRE(std::is_same_v<members_of<with_short_array>, types<int[1]>>);
}

TEST_CASE("fields are kept as they are named", "[aggregate]") {
    constexpr auto both = coffer::fields(&with_defaults::b, &with_defaults::a);
    with_defaults object;
    CHECK(object.*std::get<0>(both.pointers) == "b");
    CHECK(object.*std::get<1>(both.pointers) == 1);
    STATIC_REQUIRE(!names_fields<with_defaults>);
    STATIC_REQUIRE(!names_fields<int>);
}
