// Arrays, optionals and vectors.
#include <coffer/core/codec_sequence.hpp>

#include <initializer_list>
#include <span>

#include "../archetypes/minimal_codec.hpp"
#include "codec_laws.hpp"

namespace {

using namespace std::string_literals;
namespace d = coffer::detail;

}  // namespace

TEST_CASE("optionals keep the laws", "[codec]") {
    laws::hold(std::vector<std::optional<std::int32_t>>{std::nullopt, -1, 0, 1});
    laws::hold(std::vector<std::optional<std::string>>{std::nullopt, ""s, "\0"s, "a"s, "ab"s});
    using nested = std::optional<std::optional<std::uint8_t>>;
    laws::hold(std::vector<nested>{nested(), nested(std::in_place), nested(std::in_place, 1)});
}

TEST_CASE("arrays keep the laws", "[codec]") {
    laws::hold(std::vector<std::array<std::int16_t, 3>>{{1, 2, 3}, {-1, 5, 0}, {1, -2, 3}});
    laws::hold(std::vector<std::array<std::string, 2>>{{"a", ""}, {"", "a"}, {"a\0"s, ""}});
    laws::hold(std::vector<std::array<unsigned char, 4>>{{1, 2, 3, 4}, {1, 2, 3, 255}, {}});
    laws::hold(std::vector<std::array<bool, 2>>{{false, true}, {true, false}});
    laws::hold(std::vector<std::array<std::int32_t, 0>>{{}});
}

TEST_CASE("vectors keep the laws", "[codec]") {
    laws::hold(std::vector<std::vector<std::int32_t>>{{}, {1}, {1, -1}, {1, 1}, {-1, 2, 3}, {0}});
    laws::hold(std::vector<std::vector<std::string>>{
        {}, {""}, {"", ""}, {"a"}, {"a", "b"}, {"a\0"s}, {"ab"}, {std::string(90, 'c')}});
    laws::hold(std::vector<std::vector<std::vector<std::uint16_t>>>{{}, {{}}, {{1}, {}}, {{1, 2}}});
    laws::hold(std::vector<std::vector<std::optional<std::uint8_t>>>{
        {}, {std::nullopt}, {1}, {std::nullopt, 1}});
    laws::hold(std::vector<std::vector<bool>>{{}, {false}, {true}, {false, true}});
}

TEST_CASE("the bytes of sequences are as documented", "[codec]") {
    using list = std::vector<std::int16_t>;
    CHECK(laws::key_hex<list>(list{1, -1}) == "018001017fff00");
    CHECK(laws::key_hex<list>(list{}) == "00");
    CHECK(laws::value_hex<list>(list{1, -1}) == "0100ffff");
    CHECK(laws::value_hex<std::tuple<list>>(std::tuple(list{1, -1})) == "020100ffff");
    CHECK(laws::value_hex<std::vector<std::string>>(std::vector{"a"s, ""s}) == "02016100");
    CHECK(laws::key_hex<std::vector<std::string>>(std::vector{"a"s}) == "0161000000");
    CHECK(laws::key_hex<std::optional<std::uint8_t>>(std::optional<std::uint8_t>(5)) == "0105");
    CHECK(laws::key_hex<std::optional<std::uint8_t>>(std::nullopt) == "00");
    const std::array<char, 4> name{'a', '\0', 'b', '\0'};
    CHECK(laws::key_hex<std::array<char, 4>>(name) == "61006200");
    CHECK(laws::key_hex<std::tuple<std::array<char, 4>>>(std::tuple(name)) == "61006200");
    CHECK(laws::key_hex<std::array<std::int16_t, 2>>(std::array<std::int16_t, 2>{1, -1}) ==
          "80017fff");
}

TEST_CASE("vectors of numbers are lent as values", "[codec]") {
    d::scratch room;
    const std::vector<double> list(1000, 0.5);
    const coffer::bytes seen = d::value_codec<std::vector<double>>::view(list, room);
    CHECK(seen.size() == 8000);
    if constexpr (std::endian::native == std::endian::little) {
        CHECK(static_cast<const void*>(seen.data()) == list.data());
    }
    const std::array<float, 3> few{1, 2, 3};
    CHECK(laws::value_hex<std::vector<float>>(few) == "0000803f0000004000004040");
    CHECK(d::value_codec<std::vector<double>>::view(std::vector<double>(), room).empty());
    CHECK(d::value_codec<std::vector<double>>::decode({}).value().empty());
    CHECK(!d::value_codec<std::vector<double>>::decode(coffer::as_bytes("1234567")).has_value());
}

TEST_CASE("what may stand for a sequence", "[codec]") {
    using list = std::vector<std::int32_t>;
    const std::string wanted = laws::key_hex<list>(list{1, 2});
    CHECK(laws::key_hex<list>(std::vector<short>{1, 2}) == wanted);
    CHECK(laws::key_hex<list>(std::array<int, 2>{1, 2}) == wanted);
    const list plain{1, 2};
    CHECK(laws::key_hex<list>(std::span<const int>(plain)) == wanted);
    CHECK(laws::key_hex<list>(std::initializer_list<int>{1, 2}) == wanted);
    CHECK(laws::value_hex<list>(std::vector<short>{1, 2}) == laws::value_hex<list>(plain));
    CHECK(!d::key_codec<list>::fits(std::vector<long long>{1, 1LL << 40}));
    CHECK(laws::key_hex<std::vector<std::string>>(std::vector<std::string_view>{"a"}) ==
          laws::key_hex<std::vector<std::string>>(std::vector{"a"s}));
    CHECK(laws::key_hex<std::optional<std::string>>("a") == "01610000");
    CHECK(laws::key_hex<std::optional<std::uint32_t>>(std::optional<int>(1)) == "0100000001");
    CHECK(!d::key_codec<std::optional<std::uint32_t>>::fits(std::optional<int>(-1)));
    CHECK(laws::key_hex<std::array<std::int64_t, 1>>(std::array<int, 1>{1}) == "8000000000000001");
    using d::key_like;
    STATIC_REQUIRE(!key_like<std::string, list>);
    STATIC_REQUIRE(!key_like<std::vector<std::string>, list>);
    STATIC_REQUIRE(!key_like<std::array<int, 3>, std::array<int, 2>>);
    STATIC_REQUIRE(!key_like<std::string, std::optional<int>>);
}

TEST_CASE("a count that the bytes cannot hold is refused before memory is set aside", "[codec]") {
    laws::run lie(d::max_varint_size);
    lie.resize(
        static_cast<std::size_t>(d::put_varint(lie.data(), 0x7FFFFFFFFFFFFFFFULL) - lie.data()));
    CHECK(!d::value_codec<std::vector<std::string>>::decode(lie).has_value());
    CHECK(!d::value_codec<std::tuple<std::vector<double>>>::decode(lie).has_value());
    CHECK(!d::value_codec<std::tuple<std::vector<std::int8_t>>>::decode(lie).has_value());
    CHECK(!d::value_codec<std::tuple<std::string>>::decode(lie).has_value());
}

TEST_CASE("elements need neither a default constructor nor an assignment", "[codec]") {
    using archetype::sealed;
    using value = d::value_codec<std::tuple<std::array<sealed, 2>, std::optional<sealed>>>;
    using key = d::key_codec<std::vector<sealed>>;
    const auto two = value::decode(coffer::as_bytes(std::string_view("\1a\1b\1\1c", 7)));
    REQUIRE(two.has_value());
    CHECK(std::get<0>(*two)[0].text() + std::get<0>(*two)[1].text() == "ab");
    CHECK(std::get<1>(*two)->text() == "c");
    CHECK(laws::hex(laws::encoded<value>(*two)) == "01610162010163");
    const auto list =
        key::decode(laws::encoded<d::key_codec<std::vector<std::string>>>(std::vector{"x"s, "y"s}));
    REQUIRE(list.has_value());
    CHECK(list->at(1).text() == "y");
}
