// Numbers, bools, characters and enumerations: the laws, and the bytes as documented.
#include <coffer/core/codec_scalar.hpp>

#include <bit>
#include <cmath>
#include <limits>

#include "codec_laws.hpp"

namespace {

enum class colour : std::uint8_t { red, green };
enum level : int { low = -3, high = 3 };
enum class flag : bool { off, on };

template <class T>
std::vector<T> numbers() {
    using limits = std::numeric_limits<T>;
    std::vector<T> all{(limits::min)(), (limits::max)(), T{0}, T{1}, T{2}, T{127}};
    all.push_back(static_cast<T>((limits::min)() + 1));
    all.push_back(static_cast<T>((limits::max)() - 1));
    if constexpr (std::is_signed_v<T>) all.push_back(static_cast<T>(-1));
    std::mt19937_64 random(sizeof(T));
    for (int i = 0; i < 8; ++i) all.push_back(static_cast<T>(random() >> (random() % 64)));
    return all;
}

template <class T>
std::vector<T> floats() {
    using limits = std::numeric_limits<T>;
    std::vector<T> all{T(0),
                       T(1),
                       T(-1),
                       T(0.1),
                       T(-0.1),
                       (limits::min)(),
                       -(limits::min)(),
                       (limits::max)(),
                       limits::lowest(),
                       limits::denorm_min(),
                       -limits::denorm_min(),
                       limits::infinity(),
                       -limits::infinity()};
    std::mt19937_64 random(7);
    for (int i = 0; i < 8; ++i) {
        const auto drawn = static_cast<coffer::detail::word_of<sizeof(T)>>(random());
        const T value = std::bit_cast<T>(drawn);
        if (value == value) all.push_back(value);
    }
    return all;
}

}  // namespace

TEST_CASE("integers keep the laws", "[codec]") {
    laws::hold(numbers<std::uint8_t>());
    laws::hold(numbers<std::int8_t>());
    laws::hold(numbers<std::uint16_t>());
    laws::hold(numbers<std::int16_t>());
    laws::hold(numbers<std::uint32_t>());
    laws::hold(numbers<std::int32_t>());
    laws::hold(numbers<std::uint64_t>());
    laws::hold(numbers<std::int64_t>());
}

TEST_CASE("character types keep the laws", "[codec]") {
    laws::hold(numbers<wchar_t>());
    laws::hold(numbers<char8_t>());
    laws::hold(numbers<char32_t>());
    laws::hold(numbers<char>(), [](char a, char b) {
        return static_cast<unsigned char>(a) < static_cast<unsigned char>(b);
    });
}

TEST_CASE("bools and enumerations keep the laws", "[codec]") {
    laws::hold(std::vector<flag>{flag::off, flag::on});
    laws::hold(std::vector<colour>{colour::red, colour::green, colour{255}});
    laws::hold(std::vector<level>{low, high, level{-1000}, level{0}});
    laws::hold(std::vector<std::byte>{std::byte{0}, std::byte{127}, std::byte{255}});
    CHECK(laws::key_hex<bool>(false) == "00");
    CHECK(laws::key_hex<bool>(true) == "01");
    CHECK(!coffer::detail::key_codec<bool>::decode(coffer::as_bytes("\2")).has_value());
}

TEST_CASE("floats keep the laws", "[codec]") {
    laws::hold(floats<float>());
    laws::hold(floats<double>());
}

TEST_CASE("as keys -0 is +0 and there is one NaN, above infinity", "[codec]") {
    using limits = std::numeric_limits<double>;
    using key = coffer::detail::key_codec<double>;
    CHECK(laws::key_hex<double>(-0.0) == laws::key_hex<double>(0.0));
    const std::string nan = laws::key_hex<double>(limits::quiet_NaN());
    CHECK(laws::key_hex<double>(-limits::quiet_NaN()) == nan);
    CHECK(laws::key_hex<double>(std::bit_cast<double>(0x7FF0000000000001ULL)) == nan);
    CHECK(nan > laws::key_hex<double>(limits::infinity()));
    const auto back = key::decode(laws::encoded<key>(limits::quiet_NaN()));
    REQUIRE(back.has_value());
    CHECK(std::isnan(*back));

    const auto minus_zero =
        laws::run{std::byte{0x7F}, std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF}};
    CHECK(!coffer::detail::key_codec<float>::decode(minus_zero).has_value());
    laws::run other_nan = laws::encoded<key>(limits::quiet_NaN());
    other_nan.back() = std::byte{1};
    CHECK(!key::decode(other_nan).has_value());
}

TEST_CASE("as values floats keep every bit", "[codec]") {
    using value = coffer::detail::value_codec<double>;
    for (const std::uint64_t bits : {0x8000000000000000ULL, 0x7FF8000000000123ULL,
                                     0xFFF8000000000000ULL, 0x0000000000000001ULL}) {
        const auto back = value::decode(laws::encoded<value>(std::bit_cast<double>(bits)));
        REQUIRE(back.has_value());
        CHECK(std::bit_cast<std::uint64_t>(*back) == bits);
    }
}

TEST_CASE("the bytes of numbers are as documented", "[codec]") {
    CHECK(laws::key_hex<std::uint32_t>(0x01020304U) == "01020304");
    CHECK(laws::value_hex<std::uint32_t>(0x01020304U) == "04030201");
    CHECK(laws::key_hex<std::int32_t>(-1) == "7fffffff");
    CHECK(laws::key_hex<std::int32_t>(1) == "80000001");
    CHECK(laws::value_hex<std::int32_t>(-2) == "feffffff");
    CHECK(laws::key_hex<char>('\xFF') == "ff");
    CHECK(laws::key_hex<signed char>(static_cast<signed char>(-1)) == "7f");
    CHECK(laws::key_hex<double>(1.0) == "bff0000000000000");
    CHECK(laws::key_hex<double>(-1.0) == "400fffffffffffff");
    CHECK(laws::value_hex<double>(1.0) == "000000000000f03f");
    CHECK(laws::key_hex<level>(low) == laws::key_hex<int>(-3));
}

TEST_CASE("any integer looks up an integer, and its number is checked", "[codec]") {
    using key = coffer::detail::key_codec<std::uint16_t>;
    CHECK(laws::key_hex<std::uint16_t>(5) == "0005");
    CHECK(laws::key_hex<std::uint16_t>(5LL) == "0005");
    CHECK(laws::key_hex<std::uint16_t>('A') == "0041");
    CHECK(laws::key_hex<std::int64_t>(7U) == "8000000000000007");
    CHECK(key::fits(65535));
    CHECK(!key::fits(65536));
    CHECK(!key::fits(-1));
    CHECK(!coffer::detail::key_codec<std::uint64_t>::fits(-1));
    CHECK(!coffer::detail::key_codec<std::int64_t>::fits(~std::uint64_t{0}));
    CHECK(coffer::detail::key_codec<std::int8_t>::fits(-128));
    CHECK(!coffer::detail::key_codec<std::int8_t>::fits(128));
    STATIC_REQUIRE(key::always_fits<std::uint8_t>);
    STATIC_REQUIRE(!key::always_fits<int>);
    STATIC_REQUIRE(coffer::detail::key_codec<std::int64_t>::always_fits<std::uint32_t>);
}

TEST_CASE("what may stand for a number", "[codec]") {
    using coffer::detail::key_like;
    STATIC_REQUIRE(key_like<int, double>);
    STATIC_REQUIRE(key_like<float, double>);
    STATIC_REQUIRE(!key_like<double, float>);
    STATIC_REQUIRE(!key_like<long long, double>);
    STATIC_REQUIRE(!key_like<double, int>);
    STATIC_REQUIRE(!key_like<bool, int>);
    STATIC_REQUIRE(!key_like<int, bool>);
    STATIC_REQUIRE(!key_like<colour, std::uint8_t>);
    STATIC_REQUIRE(!key_like<std::uint8_t, colour>);
    STATIC_REQUIRE(!key_like<const char*, int>);
    STATIC_REQUIRE(!key_like<const char(&)[3], double>);
    CHECK(laws::key_hex<double>(2) == laws::key_hex<double>(2.0));
}
