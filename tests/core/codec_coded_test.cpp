// Types with a codec of the user's own: the examples that the documentation shows, and the
// archetype.
#include <coffer/core/codec_coded.hpp>

#include <chrono>

#include "../archetypes/minimal_codec.hpp"
#include "codec_laws.hpp"

namespace {

using namespace std::string_literals;
namespace d = coffer::detail;

/// A class with an invariant: damaged bytes must not make one that breaks it.
class date {
public:
    date(int year, unsigned month, unsigned day) : year_(year), month_(month), day_(day) {}
    int year() const { return year_; }
    unsigned month() const { return month_; }
    unsigned day() const { return day_; }
    auto operator<=>(const date&) const = default;

private:
    int year_;
    unsigned month_;
    unsigned day_;
};

/// Ordered without regard to case, which its codec tells the store.
struct nickname {
    std::string text;
};

/// What another library serialises: bytes that only it understands.
struct document {
    std::string title;
    bool operator==(const document&) const = default;
};

/// Made from a number without being asked, so that a number looks one up through a temporary.
struct label {
    label(int number) : text(100, static_cast<char>('a' + number)) {}  // NOLINT: implicit
    explicit label(std::string&& given) : text(std::move(given)) {}
    std::string text;
};

enum legacy { legacy_a, legacy_b };  // no underlying type of its own

}  // namespace

template <>
struct coffer::codec_of<date> {
    static constexpr coffer::policy_id id{"date", 1};
    using stored = std::tuple<std::int32_t, std::uint8_t, std::uint8_t>;

    static stored pack(const date& d) {
        return {d.year(), static_cast<std::uint8_t>(d.month()), static_cast<std::uint8_t>(d.day())};
    }
    static coffer::result<date> unpack(const stored& s) {
        const auto [year, month, day] = s;
        if (month < 1 || month > 12 || day < 1 || day > 31) {
            return coffer::fail(coffer::errc::corruption, "a date that no calendar has");
        }
        return date(year, month, day);
    }
};

template <>
struct coffer::codec_of<nickname> {
    static constexpr coffer::policy_id id{"nickname", 2};
    using stored = std::string;

    static std::string pack(std::string_view text) {
        std::string lower(text);
        for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        return lower;
    }
    static std::string pack(const nickname& name) { return pack(std::string_view(name.text)); }
    static nickname unpack(std::string&& text) { return nickname{std::move(text)}; }
};

template <>
struct coffer::codec_of<document> {
    static constexpr coffer::policy_id id{"document", 1};
    using stored = std::vector<std::byte>;

    static coffer::bytes pack(const document& doc) { return coffer::as_bytes(doc.title); }
    static document unpack(coffer::bytes run) { return {std::string(coffer::as_text(run))}; }
};

template <class Rep, class Period>
struct coffer::codec_of<std::chrono::duration<Rep, Period>> {
    static constexpr coffer::policy_id id{"duration", 1};
    using stored = Rep;
    using duration = std::chrono::duration<Rep, Period>;
    static Rep pack(const duration& d) { return d.count(); }
    static duration unpack(Rep count) { return duration(count); }
};

template <>
struct coffer::codec_of<label> {
    static constexpr coffer::policy_id id{"label", 1};
    using stored = std::string;
    static const std::string& pack(const label& value) { return value.text; }
    static label unpack(std::string&& text) { return label(std::move(text)); }
};

template <>
struct coffer::codec_of<legacy> {
    static constexpr coffer::policy_id id{"legacy", 1};
    using stored = bool;
    static bool pack(const legacy& value) { return value == legacy_b; }
    static legacy unpack(bool stored) { return stored ? legacy_b : legacy_a; }
};

TEST_CASE("types with codecs keep the laws", "[codec]") {
    laws::hold(std::vector<date>{{2024, 2, 29}, {-44, 3, 15}, {2024, 12, 1}, {2024, 2, 1}});
    using std::chrono::seconds;
    laws::hold(std::vector<seconds>{seconds(0), seconds(-1), seconds(1), (seconds::max)()});
    laws::hold(std::vector<legacy>{legacy_a, legacy_b});
    laws::hold(std::vector<std::vector<date>>{{}, {{2024, 2, 29}}, {{2024, 2, 29}, {1, 1, 1}}});
    laws::hold_without_order(std::vector<document>{{""}, {"a\0b"s}});
}

TEST_CASE("a codec refuses bytes that its type cannot be", "[codec]") {
    using key = d::key_codec<date>;
    const auto wrong = key::decode(laws::encoded<d::key_codec<coffer::codec_of<date>::stored>>(
        coffer::codec_of<date>::stored(2024, 13, 1)));
    REQUIRE(!wrong.has_value());
    CHECK(wrong.error().kind() == coffer::errc::corruption);
    CHECK_THAT(wrong.error().what(), t::ContainsSubstring("no calendar has"));
}

TEST_CASE("pack says what else may look up a type", "[codec]") {
    using key = d::key_codec<nickname>;
    CHECK(laws::hex(laws::encoded<key>(nickname{"Ada"})) == "616461");
    CHECK(laws::hex(laws::encoded<key>("ADA")) == "616461");
    CHECK(laws::hex(laws::encoded<key>("aDa"s)) == "616461");
    STATIC_REQUIRE(!d::key_like<int, nickname>);
    STATIC_REQUIRE(!d::key_like<std::string, date>);
    using inside = std::pair<nickname, int>;
    CHECK(laws::key_hex<inside>(std::pair("ADA", 1)) == "616461000080000001");
}

TEST_CASE("a codec that shows its object's memory lends it", "[codec]") {
    d::scratch room;
    const document doc{"a title"};
    const coffer::bytes seen = d::value_codec<document>::view(doc, room);
    CHECK(static_cast<const void*>(seen.data()) == doc.title.data());
    const archetype::sealed sealed("text");
    CHECK(static_cast<const void*>(d::key_codec<archetype::sealed>::view(sealed, room).data()) ==
          sealed.text().data());
    CHECK(d::key_codec<nickname>::view(nickname{"Ada"}, room).size() == 3);
    CHECK(room.view().size() == 3);
}

TEST_CASE("what a temporary would lend is copied", "[codec]") {
    d::scratch room;
    const coffer::bytes seen = d::key_codec<label>::view(1, room);
    CHECK(seen.data() == room.view().data());
    CHECK(coffer::as_text(seen) == std::string(100, 'b'));
}

TEST_CASE("the smallest codec is enough", "[codec]") {
    using archetype::sealed;
    STATIC_REQUIRE(coffer::codec<sealed>);
    STATIC_REQUIRE(coffer::storable<std::tuple<sealed, std::vector<std::optional<sealed>>>>);
    const auto same = [](const sealed& a, const sealed& b) { return a.text() == b.text(); };
    laws::returns<d::key_codec<sealed>>(sealed("a\0b"s), same);
    laws::returns<d::value_codec<sealed>>(sealed(""), same);
    bool shown = false;
    CHECK(d::value_codec<sealed>::show(coffer::as_bytes("seen"), [&](const sealed& s) {
              shown = s.text() == "seen";
          }).has_value());
    CHECK(shown);
}
