// Pairs, tuples, aggregates and classes that name their members.
#include <coffer/core/codec_members.hpp>

#include <memory>

#include "codec_laws.hpp"

namespace {

using namespace std::string_literals;

struct person {
    std::string name;
    std::int32_t born = 0;
    std::optional<std::string> died;
    auto operator<=>(const person&) const = default;
};

struct team {
    person lead;
    std::vector<person> others;
    std::array<std::uint8_t, 4> badge{};
    auto operator<=>(const team&) const = default;
};

struct point {
    std::int32_t x, y;
    double weight;
    auto operator<=>(const point&) const = default;
};

struct padded {
    std::uint8_t small;
    std::uint32_t wide;
    auto operator<=>(const padded&) const = default;
};

struct with_const {
    const std::int32_t number;
    std::string text;
    auto operator<=>(const with_const&) const = default;
};

struct nothing {
    auto operator<=>(const nothing&) const = default;
};

struct move_only {
    std::unique_ptr<int> not_stored;
    std::int32_t number = 0;
    static constexpr auto coffer_fields = coffer::fields(&move_only::number);
};

class account {
public:
    account() = default;
    account(std::string owner, std::int64_t cents) : owner_(std::move(owner)), cents_(cents) {}
    auto operator<=>(const account&) const = default;

private:
    std::string owner_;
    std::int64_t cents_ = 0;

public:
    static constexpr auto coffer_fields = coffer::fields(&account::owner_, &account::cents_);
};

struct savings : person {
    std::uint16_t rate = 0;
    static constexpr auto coffer_fields = coffer::fields(&savings::name, &savings::rate);
};

struct current : person {
    static constexpr auto coffer_fields =
        coffer::fields(static_cast<std::string current::*>(&current::name));
};
static_assert(coffer::storable<current>);

struct sixteen {
    std::uint8_t a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
    auto operator<=>(const sixteen&) const = default;
};

}  // namespace

TEST_CASE("tuples and pairs keep the laws", "[codec]") {
    using key = std::tuple<std::string, std::int32_t, std::string>;
    laws::hold(std::vector<key>{{"", 0, ""},
                                {"a", -1, "b"},
                                {"a", 1, ""},
                                {"a\0"s, -5, "x"},
                                {"ab", -5, "x"},
                                {"a\0b"s, -5, "x\0"s},
                                {"b", (std::numeric_limits<std::int32_t>::min)(), ""}});
    using pair = std::pair<std::string, std::string>;
    laws::hold(
        std::vector<pair>{{"", ""}, {"", "a"}, {"a", ""}, {"a", "a"}, {"aa", ""}, {"\0"s, ""}});
    laws::hold(std::vector<std::tuple<>>{{}});
    laws::hold(std::vector<std::tuple<std::tuple<std::int8_t>>>{{{-1}}, {{1}}});
}

TEST_CASE("aggregates keep the laws", "[codec]") {
    const person ada{"ada", 1815, "1852"};
    const person adam{"adam", -4000, std::nullopt};
    laws::hold(std::vector<person>{ada, adam, {"ada", 1815, std::nullopt}, {"", 0, ""}});
    laws::hold(
        std::vector<team>{{ada, {}, {}}, {ada, {adam}, {1, 2, 3, 4}}, {adam, {ada, adam}, {}}});
    laws::hold(std::vector<point>{{1, 2, 3.5}, {-1, 2, 0.25}, {1, -2, -1e300}, {1, 2, 4.0}});
    laws::hold(std::vector<padded>{{1, 2}, {0, 3}, {1, 1}});
    laws::hold(std::vector<with_const>{{1, "a"}, {-1, "b"}});
    laws::hold(std::vector<nothing>{{}});
    laws::hold(std::vector<sixteen>{{}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}});
}

TEST_CASE("classes that name their members keep the laws", "[codec]") {
    laws::hold(std::vector<account>{{"ada", 5}, {"ada", -5}, {"", 0}, {"b\0"s, 1}});
}

TEST_CASE("a class, a tuple and a pair of the same members are encoded alike", "[codec]") {
    const person ada{"ada", 1815, "1852"};
    using like = std::tuple<std::string, std::int32_t, std::optional<std::string>>;
    CHECK(laws::key_hex<person>(ada) == laws::key_hex<like>(like("ada", 1815, "1852")));
    CHECK(laws::value_hex<person>(ada) == laws::value_hex<like>(like("ada", 1815, "1852")));
    CHECK(laws::key_hex<person>(ada) ==
          "6164610000"
          "80000717"
          "01"
          "313835320000");
    CHECK(laws::value_hex<person>(ada) ==
          "03616461"
          "17070000"
          "01"
          "0431383532");
}

TEST_CASE("members that are not named are not stored", "[codec]") {
    using value = coffer::detail::value_codec<move_only>;
    move_only whole;
    whole.not_stored = std::make_unique<int>(1);
    whole.number = 7;
    const auto back = value::decode(laws::encoded<value>(whole));
    REQUIRE(back.has_value());
    CHECK(back->number == 7);
    CHECK(back->not_stored == nullptr);

    savings some;
    some.name = "ada";
    some.rate = 3;
    CHECK(laws::value_hex<savings>(some) == "036164610300");
}

TEST_CASE("unpadded numbers are one memcpy and are lent; padding is never stored", "[codec]") {
    coffer::detail::scratch room;
    const point p{1, 2, 3.0};
    const coffer::bytes seen = coffer::detail::value_codec<point>::view(p, room);
    if constexpr (std::endian::native == std::endian::little) {
        CHECK(static_cast<const void*>(seen.data()) == &p);
    }
    CHECK(seen.size() == 16);
    STATIC_REQUIRE(coffer::detail::value_codec<point>::fixed_size == 16);
    STATIC_REQUIRE(coffer::detail::key_codec<point>::fixed_size == 16);
    CHECK(laws::value_hex<padded>(padded{1, 2}) == "0102000000");
    CHECK(laws::key_hex<padded>(padded{1, 2}) == "0100000002");
    CHECK(coffer::detail::key_codec<sixteen>::fixed_size == 16);
    const sixteen s{};
    CHECK(static_cast<const void*>(coffer::detail::key_codec<sixteen>::view(s, room).data()) == &s);
}

TEST_CASE("what may stand for a tuple", "[codec]") {
    using key = std::tuple<std::uint32_t, std::string>;
    const std::string wanted = laws::key_hex<key>(key(1, "ada"));
    CHECK(laws::key_hex<key>(std::pair(1, "ada")) == wanted);
    CHECK(laws::key_hex<key>(std::tuple(1L, std::string_view("ada"))) == wanted);
    const std::uint8_t one = 1;
    CHECK(laws::key_hex<key>(std::tie(one, "ada")) == wanted);
    CHECK(!coffer::detail::key_codec<key>::fits(std::pair(-1, "ada")));
    CHECK(coffer::detail::key_codec<key>::fits(std::pair(1, "ada")));
    using coffer::detail::key_like;
    STATIC_REQUIRE(!key_like<std::tuple<std::uint32_t>, key>);
    STATIC_REQUIRE(!key_like<std::pair<std::string, std::uint32_t>, key>);
    STATIC_REQUIRE(!key_like<person, key>);
    STATIC_REQUIRE(!key_like<key, person>);
    STATIC_REQUIRE(!key_like<int, key>);
}
