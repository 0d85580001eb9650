// Which types can be stored. What the compiler says of the others is in tests/reject/codec_*.cpp.
#include <coffer/core/codec_explain.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "catch.hpp"

namespace {

using coffer::storable;

struct row {
    std::string name;
    std::vector<std::array<std::optional<double>, 2>> cells;
};
struct points_at {
    int* target;
};
struct tree {
    int value;
    std::vector<tree> children;
};
struct base {
    int a;
};
struct derived : base {
    int b;
};
class closed {
    int value_ = 0;

public:
    int value() const { return value_; }
};
struct no_default {
    explicit no_default(int start) : value(start) {}
    int value;
    static constexpr auto coffer_fields = coffer::fields(&no_default::value);
};
struct fixed_member {
    const int value = 0;
    static constexpr auto coffer_fields = coffer::fields(&fixed_member::value);
};
struct in_words {
    int number;
};
struct wrapped {
    tree inside;
};
struct half {};
struct misnamed {};
struct mispacked {};
enum open_ended { some };
enum fixed_type : short { other };

}  // namespace

template <>
struct coffer::codec_of<in_words> {
    static constexpr coffer::policy_id id{"in_words", 1};
    using stored = std::string;
    static std::string pack(const in_words& value) { return std::to_string(value.number); }
    static in_words unpack(const std::string& text) { return {static_cast<int>(text.size())}; }
};
template <>
struct coffer::codec_of<half> {
    static constexpr coffer::policy_id id{"half", 1};
    using stored = int;
};
template <>
struct coffer::codec_of<misnamed> {
    static constexpr coffer::policy_id id{"Mis Named", 1};
    using stored = int;
    static int pack(const misnamed&) { return 0; }
    static misnamed unpack(int) { return {}; }
};
template <>
struct coffer::codec_of<mispacked> {
    static constexpr coffer::policy_id id{"mispacked", 1};
    using stored = int;
    static std::string pack(const mispacked&) { return {}; }
    static mispacked unpack(int) { return {}; }
};

TEST_CASE("types that can be stored", "[codec]") {
    STATIC_REQUIRE(storable<bool>);
    STATIC_REQUIRE(storable<std::uint64_t>);
    STATIC_REQUIRE(storable<double>);
    STATIC_REQUIRE(storable<fixed_type>);
    STATIC_REQUIRE(storable<std::string>);
    STATIC_REQUIRE(storable<row>);
    STATIC_REQUIRE(storable<std::tuple<>>);
    STATIC_REQUIRE(storable<std::pair<row, in_words>>);
    STATIC_REQUIRE(storable<in_words>);
    STATIC_REQUIRE(coffer::explain_storable<row>());
    STATIC_REQUIRE(coffer::explain_codec<in_words>());
}

TEST_CASE("types that cannot be stored", "[codec]") {
    STATIC_REQUIRE(!storable<void>);
    STATIC_REQUIRE(!storable<int&>);
    STATIC_REQUIRE(!storable<const int>);
    STATIC_REQUIRE(!storable<int*>);
    STATIC_REQUIRE(!storable<std::nullptr_t>);
    STATIC_REQUIRE(!storable<int base::*>);
    STATIC_REQUIRE(!storable<void()>);
    STATIC_REQUIRE(!storable<int[3]>);
    STATIC_REQUIRE(!storable<long double>);
    STATIC_REQUIRE(!storable<std::string_view>);
    STATIC_REQUIRE(!storable<std::span<const std::byte>>);
    STATIC_REQUIRE(!storable<open_ended>);
    STATIC_REQUIRE(!storable<points_at>);
    STATIC_REQUIRE(!storable<tree>);
    STATIC_REQUIRE(!storable<wrapped>);
    STATIC_REQUIRE(!storable<derived>);
    STATIC_REQUIRE(!storable<closed>);
    STATIC_REQUIRE(!storable<no_default>);
    STATIC_REQUIRE(!storable<fixed_member>);
    STATIC_REQUIRE(!storable<std::unique_ptr<int>>);
    STATIC_REQUIRE(!storable<std::vector<std::tuple<>>>);
    STATIC_REQUIRE(!storable<std::vector<std::array<int, 0>>>);
    STATIC_REQUIRE(!storable<std::optional<int*>>);
    STATIC_REQUIRE(!storable<std::vector<int*>>);
    STATIC_REQUIRE(!storable<std::tuple<int, tree>>);
    STATIC_REQUIRE(!storable<half>);
    STATIC_REQUIRE(!storable<misnamed>);
    STATIC_REQUIRE(!storable<mispacked>);
    STATIC_REQUIRE(!storable<std::vector<mispacked>>);
}
