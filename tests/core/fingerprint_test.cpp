// Fingerprints and descriptions: what is equal, what differs, and that neither ever changes.
#include <coffer/core/codec_explain.hpp>
#include <coffer/core/fingerprint.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace {

using coffer::detail::describe;
using coffer::detail::fingerprint_of;

enum class colour : std::int32_t { red };
struct entry {
    std::uint32_t id;
    std::string name;
};
struct same_members {
    unsigned number;
    std::string text;
};
struct other_order {
    std::string name;
    std::uint32_t id;
};
struct first_version {};
struct second_version {};
struct other_name {};

template <class T, class U>
constexpr bool same = fingerprint_of<T> == fingerprint_of<U>;

}  // namespace

template <>
struct coffer::codec_of<first_version> {
    static constexpr coffer::policy_id id{"thing", 1};
    using stored = int;
    static int pack(const first_version&) { return 0; }
    static first_version unpack(int) { return {}; }
};
template <>
struct coffer::codec_of<second_version> {
    static constexpr coffer::policy_id id{"thing", 2};
    using stored = int;
    static int pack(const second_version&) { return 0; }
    static second_version unpack(int) { return {}; }
};
template <>
struct coffer::codec_of<other_name> {
    static constexpr coffer::policy_id id{"thin", 1};
    using stored = int;
    static int pack(const other_name&) { return 0; }
    static other_name unpack(int) { return {}; }
};

TEST_CASE("one structure has one fingerprint", "[fingerprint]") {
    STATIC_REQUIRE(same<int, std::int32_t>);
    STATIC_REQUIRE(sizeof(long) != 8 || same<long, long long>);
    STATIC_REQUIRE(same<colour, std::int32_t>);
    STATIC_REQUIRE(same<std::byte, unsigned char>);
    STATIC_REQUIRE(same<std::pair<int, std::string>, std::tuple<int, std::string>>);
    STATIC_REQUIRE(same<entry, std::pair<std::uint32_t, std::string>>);
    STATIC_REQUIRE(same<entry, same_members>);
    STATIC_REQUIRE(same<std::vector<char>, std::string>);
    STATIC_REQUIRE(same<std::vector<std::byte>, std::vector<unsigned char>>);
}

TEST_CASE("other structures have other fingerprints", "[fingerprint]") {
    const std::vector<std::uint64_t> all{
        fingerprint_of<bool>,
        fingerprint_of<char>,
        fingerprint_of<std::int8_t>,
        fingerprint_of<std::uint8_t>,
        fingerprint_of<std::int32_t>,
        fingerprint_of<std::uint32_t>,
        fingerprint_of<std::int64_t>,
        fingerprint_of<float>,
        fingerprint_of<double>,
        fingerprint_of<std::string>,
        fingerprint_of<std::vector<std::byte>>,
        fingerprint_of<std::vector<std::int8_t>>,
        fingerprint_of<std::vector<int>>,
        fingerprint_of<std::vector<std::vector<int>>>,
        fingerprint_of<std::optional<int>>,
        fingerprint_of<std::array<int, 1>>,
        fingerprint_of<std::array<int, 2>>,
        fingerprint_of<std::tuple<>>,
        fingerprint_of<std::tuple<int>>,
        fingerprint_of<std::tuple<int, int>>,
        fingerprint_of<std::tuple<std::tuple<int>, int>>,
        fingerprint_of<std::tuple<std::tuple<int, int>>>,
        fingerprint_of<std::tuple<int, std::tuple<int>>>,
        fingerprint_of<entry>,
        fingerprint_of<other_order>,
        fingerprint_of<first_version>,
        fingerprint_of<second_version>,
        fingerprint_of<other_name>,
        fingerprint_of<std::vector<first_version>>,
    };
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            INFO(i << " and " << j);
            CHECK(all[i] != all[j]);
        }
    }
}

TEST_CASE("descriptions are short and plain", "[fingerprint]") {
    CHECK(describe<std::string>() == "string");
    CHECK(describe<std::int64_t>() == "i64");
    CHECK(describe<std::uint8_t>() == "u8");
    CHECK(describe<char>() == "char");
    CHECK(describe<bool>() == "bool");
    CHECK(describe<float>() == "f32");
    CHECK(describe<std::vector<std::byte>>() == "bytes");
    CHECK(describe<entry>() == "tuple(u32,string)");
    CHECK(describe<std::tuple<>>() == "tuple()");
    CHECK(describe<std::vector<std::optional<double>>>() == "list(optional(f64))");
    CHECK(describe<std::array<char, 4>>() == "array(char,4)");
    CHECK(describe<std::pair<first_version, bool>>() == "tuple(thing.1(i32),bool)");
}

TEST_CASE("a long description ends early and says so", "[fingerprint]") {
    using long_one = std::array<std::tuple<std::string, std::string, std::string, std::string>, 2>;
    using longer = std::tuple<long_one, long_one, long_one, long_one, long_one, long_one>;
    const std::string words = describe<longer>();
    CHECK(words.size() == 200);
    CHECK(words.substr(197) == "...");
    CHECK(words.rfind("tuple(array(tuple(string,string,", 0) == 0);
}

TEST_CASE("fingerprints are part of the format: these never change", "[fingerprint]") {
    CHECK(fingerprint_of<std::string> == 0xb9d610eedbe97886);
    CHECK(fingerprint_of<std::int64_t> == 0x46776ee42b9092aa);
    CHECK(fingerprint_of<entry> == 0xd2da61f80116a8ee);
    CHECK(fingerprint_of<first_version> == 0x94894e4be386fdf9);
}
