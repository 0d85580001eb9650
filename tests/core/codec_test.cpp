// The face that the store sees: sizes, lookups, failures in words, and nothing allocated.
#include <coffer/core/codec.hpp>

#include <cstdlib>
#include <new>

#include "codec_laws.hpp"

namespace {

using namespace std::string_literals;
namespace d = coffer::detail;

std::size_t allocations = 0;

struct user {
    std::string name;
    std::uint32_t age = 0;
    std::vector<std::string> tags;
    auto operator<=>(const user&) const = default;
};

struct reading {
    std::uint64_t at;
    double celsius;
};

}  // namespace

// Kept out of line: inlined halves of a pair look mismatched to the compiler.
[[gnu::noinline]] void* operator new(std::size_t size) {
    ++allocations;
    void* const made = std::malloc(size == 0 ? 1 : size);
    if (made == nullptr) std::abort();
    return made;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return operator new(size);
}
[[gnu::noinline]] void operator delete(void* gone) noexcept {
    std::free(gone);
}
[[gnu::noinline]] void operator delete(void* gone, std::size_t) noexcept {
    std::free(gone);
}

TEST_CASE("fixed sizes are known", "[codec]") {
    STATIC_REQUIRE(d::key_codec<std::uint64_t>::fixed_size == 8);
    STATIC_REQUIRE(d::key_codec<std::array<char, 5>>::fixed_size == 5);
    STATIC_REQUIRE(d::key_codec<std::tuple<std::uint8_t, double>>::fixed_size == 9);
    STATIC_REQUIRE(d::key_codec<std::string>::fixed_size == 0);
    STATIC_REQUIRE(d::key_codec<std::tuple<int, std::string>>::fixed_size == 0);
    STATIC_REQUIRE(d::key_codec<std::optional<int>>::fixed_size == 0);
    STATIC_REQUIRE(d::key_codec<std::tuple<>>::fixed_size == 0);
    STATIC_REQUIRE(d::value_codec<reading>::fixed_size == 16);
    STATIC_REQUIRE(d::value_codec<user>::fixed_size == 0);
}

TEST_CASE("a whole schema keeps the laws", "[codec]") {
    laws::hold(std::vector<user>{
        {"ada", 36, {"maths", ""}}, {"", 0, {}}, {"ada", 36, {}}, {"ada\0"s, 1, {"x"}}});
}

TEST_CASE("sorted values encode to sorted bytes", "[codec]") {
    std::mt19937_64 random(11);
    std::vector<std::tuple<std::int64_t, std::string, double>> rows;
    for (int i = 0; i < 2000; ++i) {
        std::string text(random() % 4, 'a');
        for (char& c : text) c = static_cast<char>(random() % 2 * 0x61);
        rows.emplace_back(static_cast<std::int64_t>(random() % 5) - 2, text,
                          static_cast<double>(static_cast<std::int64_t>(random() % 9) - 4) / 3);
    }
    std::sort(rows.begin(), rows.end());
    laws::run before;
    bool ascending = true;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const laws::run now = laws::encoded<d::key_codec<decltype(rows)::value_type>>(rows[i]);
        const auto order = coffer::compare(before, now);
        ascending = ascending && (i == 0 || (order < 0) == (rows[i - 1] < rows[i]));
        ascending = ascending && order <= 0;
        before = now;
    }
    CHECK(ascending);
}

TEST_CASE("a lookup allocates nothing", "[codec]") {
    using key = d::key_codec<std::string>;
    using compound = d::key_codec<std::tuple<std::uint32_t, std::string>>;
    using numbers = d::value_codec<std::vector<double>>;
    const std::string text(200, 'k');
    const std::vector<double> values(100, 1.5);
    d::scratch room;
    const std::size_t before = allocations;
    std::size_t total = key::view("a literal", room).size();
    total += key::view(std::string_view("a view"), room).size();
    total += key::view(text, room).size();
    total += compound::view(std::pair(1, "up to sixty-four bytes are built in place"), room).size();
    total += d::key_codec<std::int64_t>::view(42, room).size();
    total += numbers::view(values, room).size();
    const std::size_t after = allocations;
    CHECK(after == before);
    CHECK(total == 9 + 6 + 200 + 47 + 8 + 800);
}

TEST_CASE("failures say what the bytes are not, and why", "[codec]") {
    const auto cut =
        d::key_codec<std::tuple<std::uint32_t, std::string>>::decode(coffer::as_bytes("abc"));
    REQUIRE(!cut.has_value());
    CHECK(cut.error().kind() == coffer::errc::corruption);
    CHECK_THAT(cut.error().what(),
               t::ContainsSubstring("no encoding of tuple(u32,string): they end early"));
    const auto over = d::value_codec<std::uint16_t>::decode(coffer::as_bytes("abc"));
    REQUIRE(!over.has_value());
    CHECK_THAT(over.error().what(), t::ContainsSubstring("bytes are left over"));
    const auto open = d::key_codec<std::tuple<std::string>>::decode(coffer::as_bytes("abc"));
    REQUIRE(!open.has_value());
    CHECK_THAT(open.error().what(), t::ContainsSubstring("a text without its end"));
}

TEST_CASE("values are shown as what they are", "[codec]") {
    const reading stored{7, 21.5};
    d::scratch room;
    const coffer::bytes encoded = d::value_codec<reading>::view(stored, room);
    double celsius = 0;
    CHECK(d::value_codec<reading>::show(encoded, [&](const reading& r) {
              celsius = r.celsius;
          }).has_value());
    CHECK(celsius == 21.5);
    bool called = false;
    const auto failed =
        d::value_codec<reading>::show(encoded.first(5), [&](const reading&) { called = true; });
    CHECK(!failed.has_value());
    CHECK(!called);
}

TEST_CASE("lookups are by reference or by value alike", "[codec]") {
    STATIC_REQUIRE(d::key_like<const std::string&, std::string>);
    STATIC_REQUIRE(d::key_like<std::string_view&&, std::string>);
    STATIC_REQUIRE(d::value_like<const char*, std::string>);
    STATIC_REQUIRE(d::value_like<user, user>);
    STATIC_REQUIRE(!d::value_like<user, std::string>);
    STATIC_REQUIRE(!d::value_like<std::string, user>);
}
