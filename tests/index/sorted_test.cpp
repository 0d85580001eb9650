#include <coffer/index/sorted.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "index/table_model.hpp"

namespace {

using coffer::bytes;
using coffer::detail::bound;
using coffer::detail::heap_memory;
using coffer::detail::ref;
using coffer::index::sorted;
using coffer::threading::multi;
using coffer::threading::single;

// Shapes of keys: number -> string.

/// Four to nine letters of four kinds: many keys begin other keys.
std::string short_random(std::uint64_t number) {
    t::random_numbers random(number);
    std::string key(random.below(6) + 4, 'a');
    for (char& each : key) each = static_cast<char>('a' + random.below(4));
    return key;
}
std::string user(std::uint64_t number) {
    std::string digits = std::to_string(number);
    return "users:key" + std::string(9 - digits.size(), '0') + digits;
}
/// A long prefix that is shared by all, another by groups of 50.
std::string far_apart(std::uint64_t number) {
    const std::string group = std::to_string(number / 50 % 20);
    return std::string(70, 'p') + group + std::string(90, 'q') + std::to_string(number % 50) +
           std::string(number % 3, '\0');
}
/// Nothing but zeros, or zeros behind one letter: equal but for the length.
std::string zeros(std::uint64_t number) {
    const char first = static_cast<char>(number % 4);
    return number / 4 == 0 ? std::string(number, '\0')
                           : std::string(1, first) + std::string(number / 4, '\0');
}
std::string high(std::uint64_t number) {
    std::string key(number % 97, '\xFF');
    for (std::uint64_t rest = number / 97; rest != 0; rest /= 3) {
        key.push_back(static_cast<char>(0xFD + rest % 3));
    }
    return key;
}
template <std::size_t Size>
std::string big_endian(std::uint64_t number) {
    std::string key(Size, '\0');
    for (std::size_t i = Size; i != 0; --i, number >>= 8) key[i - 1] = static_cast<char>(number);
    return key;
}
std::string spread8(std::uint64_t number) {
    return big_endian<8>(number * 0x9E3779B97F4A7C15ULL);
}
std::string spread4(std::uint64_t number) { return big_endian<4>(number * 0x9E3779B1U); }

template <class Threading, std::size_t KeySize = 0, class MakeKey>
void try_shape(MakeKey make_key, std::size_t operations, std::size_t key_count,
               std::uint64_t seed) {
    t::indexed<sorted, Threading, KeySize> subject;
    REQUIRE(subject.start());
    std::map<std::string, ref> expected;
    t::against_map(subject, expected, seed, operations * 5 / 10, key_count, make_key, {50, 20});
    t::against_map(subject, expected, seed + 1, operations * 3 / 10, key_count, make_key, {15, 55});
    t::against_map(subject, expected, seed + 2, operations * 2 / 10, key_count, make_key, {60, 20});
}

}  // namespace

TEST_CASE("sorted: an empty table finds nothing and walks over nothing") {
    t::indexed<sorted> subject;
    REQUIRE(subject.start());
    CHECK(subject.find("") == 0);
    CHECK(subject.find("a") == 0);
    CHECK_FALSE(subject.remove("a"));
    CHECK(subject.walk().empty());
    CHECK(subject.ascending().empty());
    CHECK(subject.descending().empty());
    CHECK(subject.table.memory() < 2000);
}

TEST_CASE("sorted: random operations do what a map does, whatever the keys look like") {
    try_shape<single>(short_random, 200'000, 40'000, 1);
    try_shape<single>(user, 200'000, 40'000, 4);
    try_shape<single>(far_apart, 100'000, 3'000, 7);
    try_shape<single>(zeros, 100'000, 2'000, 10);
    try_shape<single>(high, 100'000, 20'000, 13);
    try_shape<multi>(short_random, 100'000, 20'000, 16);
    try_shape<multi>(far_apart, 50'000, 2'000, 19);
}

TEST_CASE("sorted: keys of one size are told apart without their records") {
    try_shape<single, 8>(spread8, 200'000, 40'000, 22);
    try_shape<single, 4>(spread4, 200'000, 40'000, 25);
    try_shape<multi, 8>(big_endian<8>, 100'000, 20'000, 28);
}
