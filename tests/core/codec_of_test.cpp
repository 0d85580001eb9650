// The requirements on a user's codec, one by one.
#include <coffer/core/codec_of.hpp>

#include <cstdint>
#include <string>

#include "../archetypes/minimal_codec.hpp"
#include "catch.hpp"

namespace {

template <int Which>
struct thing {
    int number = 0;
};
struct without_codec {};

constexpr coffer::policy_id good_id{"thing", 1};

}  // namespace

template <>
struct coffer::codec_of<thing<0>> {  // everything, and a fallible unpack
    static constexpr coffer::policy_id id = good_id;
    using stored = int;
    static int pack(const thing<0>& value) { return value.number; }
    static coffer::result<thing<0>> unpack(int number) { return thing<0>{number}; }
};
template <>
struct coffer::codec_of<thing<1>> {  // no id
    using stored = int;
    static int pack(const thing<1>& value) { return value.number; }
    static thing<1> unpack(int number) { return {number}; }
};
template <>
struct coffer::codec_of<thing<2>> {  // no stored
    static constexpr coffer::policy_id id = good_id;
    static int pack(const thing<2>& value) { return value.number; }
    static thing<2> unpack(int number) { return {number}; }
};
template <>
struct coffer::codec_of<thing<3>> {  // no pack of a const thing
    static constexpr coffer::policy_id id = good_id;
    using stored = int;
    static int pack(thing<3>& value) { return value.number; }
    static thing<3> unpack(int number) { return {number}; }
};
template <>
struct coffer::codec_of<thing<4>> {  // unpack of something else
    static constexpr coffer::policy_id id = good_id;
    using stored = int;
    static int pack(const thing<4>& value) { return value.number; }
    static std::string unpack(int number) { return std::to_string(number); }
};
template <>
struct coffer::codec_of<thing<5>> {  // stands for itself
    static constexpr coffer::policy_id id = good_id;
    using stored = thing<5>;
    static thing<5> pack(const thing<5>& value) { return value; }
    static thing<5> unpack(const thing<5>& value) { return value; }
};
template <>
struct coffer::codec_of<thing<6>> {  // a name too long
    static constexpr coffer::policy_id id{"a_name_of_16_cha", 1};
    using stored = int;
    static int pack(const thing<6>& value) { return value.number; }
    static thing<6> unpack(int number) { return {number}; }
};

TEST_CASE("a codec offers every member of the table", "[codec]") {
    STATIC_REQUIRE(coffer::codec<archetype::sealed>);
    STATIC_REQUIRE(coffer::explain_codec<archetype::sealed>());
    STATIC_REQUIRE(coffer::codec<thing<0>>);
    STATIC_REQUIRE(!coffer::codec<thing<1>>);
    STATIC_REQUIRE(!coffer::codec<thing<2>>);
    STATIC_REQUIRE(!coffer::codec<thing<3>>);
    STATIC_REQUIRE(!coffer::codec<thing<4>>);
    STATIC_REQUIRE(!coffer::codec<thing<5>>);
    STATIC_REQUIRE(!coffer::codec<thing<6>>);
    STATIC_REQUIRE(!coffer::codec<without_codec>);
    STATIC_REQUIRE(coffer::detail::has_codec<thing<1>>);
    STATIC_REQUIRE(!coffer::detail::has_codec<without_codec>);
    STATIC_REQUIRE(!coffer::detail::has_codec<int>);
}

TEST_CASE("names of policies and codecs are short and plain", "[codec]") {
    using coffer::detail::is_policy_name;
    STATIC_REQUIRE(is_policy_name("a"));
    STATIC_REQUIRE(is_policy_name("fifteen_letters"));
    STATIC_REQUIRE(!is_policy_name("sixteen_letters_"));
    STATIC_REQUIRE(!is_policy_name(""));
    STATIC_REQUIRE(!is_policy_name("With_Capital"));
    STATIC_REQUIRE(!is_policy_name("with space"));
    CHECK(is_policy_name("v2_data"));
}
