// Keys and values of other types: their order, their way to disk and back, and what refuses them.
#include <coffer/coffer.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "law.hpp"

using namespace laws;

namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace order = coffer::index;
namespace threading = coffer::threading;

namespace {

template <class Key, class Value>
using in_memory = coffer::store<Key, Value, storage::map, order::sorted, threading::single>;

template <class S>
std::vector<typename S::key_type> keys_of(const S& store) {
    std::vector<typename S::key_type> out;
    for (auto&& [key, value] : store) out.push_back(key);
    return out;
}

struct place_in_town {
    std::string street;
    std::int32_t number;
    auto operator<=>(const place_in_town&) const = default;
};

struct house {
    double height;
    std::vector<std::string> people;
    std::optional<std::int32_t> built;
    bool operator==(const house&) const = default;
};

}  // namespace

TEST_CASE("integers as keys are in order of numbers") {
    in_memory<std::int64_t, std::int32_t> store;
    const std::vector<std::int64_t> numbers = {0,
                                               1,
                                               -1,
                                               255,
                                               256,
                                               -256,
                                               65536,
                                               -65537,
                                               1'000'000'007,
                                               (std::numeric_limits<std::int64_t>::max)(),
                                               (std::numeric_limits<std::int64_t>::min)()};
    for (std::size_t i = 0; i < numbers.size(); ++i)
        store.put(numbers[i], static_cast<std::int32_t>(i) - 3);
    auto in_order = numbers;
    std::sort(in_order.begin(), in_order.end());
    CHECK(keys_of(store) == in_order);
    CHECK(store.get(-256) == 2);
    CHECK(store.get(256u) == 1);
    CHECK_FALSE(store.get(2));
    CHECK(store.size() == numbers.size());

    std::vector<std::int64_t> scanned;
    for (auto&& [key, value] : store.scan(-256, 255)) scanned.push_back(key);
    CHECK(scanned == std::vector<std::int64_t>{-256, -1, 0, 1, 255});
    CHECK((*store.lower_bound(2)).key == 255);
    CHECK((*store.upper_bound(255)).key == 256);
    CHECK(store.erase_range(-1, 2) == 3);
    CHECK_FALSE(store.contains(0));

    // A number that the key type cannot hold: absent to readers, refused to writers.
    CHECK_FALSE(store.get((std::numeric_limits<std::uint64_t>::max)()));
    CHECK_FALSE(store.erase((std::numeric_limits<std::uint64_t>::max)()));
    const auto refused = store.try_put((std::numeric_limits<std::uint64_t>::max)(), 1);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind() == errc::invalid_argument);
    const auto value_refused = store.try_insert(1, std::int64_t{1} << 40);
    REQUIRE_FALSE(value_refused.has_value());
    CHECK(value_refused.error().kind() == errc::invalid_argument);
    CHECK_FALSE(store.contains(1));
}

TEST_CASE("floating point numbers as keys are in order of numbers") {
    in_memory<double, std::string> store;
    const double infinity = std::numeric_limits<double>::infinity();
    const std::vector<double> numbers = {
        1.5,     -1.5, 1e300,    -1e300,    1e-300,
        -1e-300, 0.0,  infinity, -infinity, std::numeric_limits<double>::denorm_min(),
        2.0};
    for (const double each : numbers) store.put(each, std::to_string(each));
    auto in_order = numbers;
    std::sort(in_order.begin(), in_order.end());
    CHECK(keys_of(store) == in_order);
    CHECK(store.contains(-0.0));  // -0 is +0
    CHECK(store.get(1.5) == std::to_string(1.5));
    std::vector<double> positive;
    for (auto&& [key, value] : store.range(0.0, infinity)) positive.push_back(key);
    CHECK(positive == std::vector<double>{0.0, std::numeric_limits<double>::denorm_min(), 1e-300,
                                          1.5, 2.0, 1e300});
}

TEST_CASE("tuples as keys are in order of their elements, on disk, too") {
    using key = std::tuple<std::string, std::int32_t, std::optional<std::int32_t>>;
    using S = coffer::store<key, std::pair<double, std::string>, order::sorted,
                            coffer::fs::simulated, durability::buffered>;
    const coffer::fs::simulated disk;
    const std::vector<key> keys = {{"a", 1, 5},  {"a", -1, {}}, {"a", 1, {}},
                                   {"", 7, 1},   {"a\0", 0, 0}, {"ab", -5, 2},
                                   {"b", 0, -1}, {"a", 1, -5},  {std::string("a\0b", 3), 0, 0}};
    auto in_order = keys;
    std::sort(in_order.begin(), in_order.end());
    {
        S store = S::open("/tuples", {}, disk);
        for (const key& each : keys)
            store.put(each, std::pair(std::get<1>(each) / 2.0, std::get<0>(each)));
        in_order.erase(std::unique(in_order.begin(), in_order.end()), in_order.end());
        CHECK(keys_of(store) == in_order);
    }
    const S store = S::open("/tuples", {}, disk);
    CHECK(keys_of(store) == in_order);
    CHECK(store.get(key("ab", -5, 2)) == std::pair(-2.5, std::string("ab")));
    bool shown = false;
    CHECK(store.view(key("b", 0, -1), [&](const std::pair<double, std::string>& value) {
        shown = value.second == "b";
    }));
    CHECK(shown);
}

TEST_CASE("aggregates as keys and values, on disk, too") {
    using S = coffer::store<place_in_town, house, storage::mmap, order::sorted, threading::single,
                            coffer::fs::simulated>;
    const coffer::fs::simulated disk;
    const std::map<place_in_town, house> all = {
        {{"Main", 10}, {7.5, {"ada", "bob"}, 1911}},
        {{"Main", 9}, {6.25, {}, {}}},
        {{"Main", -1}, {0.5, {"cellar"}, 1700}},
        {{"Abbey Road", 3}, {12, {"p", "j", "g", "r"}, 1929}}};
    {
        S store = S::open("/town", {}, disk);
        S::batch batch;
        for (const auto& [key, value] : all) batch.put(key, value);
        store.write(batch);
        CHECK(store.insert(place_in_town{"Main", 10}, house{}) == false);
    }
    const S store = S::open("/town", {}, disk);
    std::map<place_in_town, house> found;
    for (auto&& [key, value] : store) found[key] = value;
    CHECK(found == all);
    std::vector<place_in_town> keys;
    for (const auto& each : all) keys.push_back(each.first);
    CHECK(keys_of(store) == keys);
    CHECK(store.get(place_in_town{"Main", 9}) == all.at({"Main", 9}));
    std::vector<std::int32_t> numbers;
    for (auto&& each : store.scan(place_in_town{"Main", -5}, place_in_town{"Main", 9}))
        numbers.push_back(each.key.number);
    CHECK(numbers == std::vector<std::int32_t>{-1, 9});
}

// G-D16: other types are refused when compiling where they can be, and in words by a file.
namespace {

template <class Key, class Value, class Storage>
using on_disk = coffer::store<Key, Value, Storage, threading::single, coffer::fs::simulated>;

template <class S>
std::string refused(const coffer::fs::simulated& disk, bool reads) {
    const auto answer = reads ? S::try_open_read_only("/s", {}, disk) : S::try_open("/s", {}, disk);
    if (answer) return "it opened";
    if (answer.error().kind() != errc::incompatible) return answer.error().what();
    return std::string("incompatible: ") + answer.error().what();
}

template <class Storage>
void other_types_are_refused() {
    using S = on_disk<std::uint64_t, std::string, Storage>;
    const coffer::fs::simulated disk;
    S::open("/s", {}, disk).put(1u, "one");
    for (const bool reads : {false, true}) {
        const std::string value =
            refused<on_disk<std::uint64_t, std::uint64_t, Storage>>(disk, reads);
        CHECK_THAT(value, t::ContainsSubstring("incompatible: ") && t::ContainsSubstring("value"));
        const std::string found = coffer::detail::describe<std::string>();
        const std::string expected = coffer::detail::describe<std::uint64_t>();
        CHECK(value.find(found) < value.find(expected));  // found first, then expected
        CHECK(value.find(expected) != std::string::npos);
        CHECK_THAT((refused<on_disk<std::string, std::string, Storage>>(disk, reads)),
                   t::ContainsSubstring("incompatible: ") && t::ContainsSubstring("key"));
        CHECK_THAT((refused<on_disk<std::int64_t, std::string, Storage>>(disk, reads)),
                   t::ContainsSubstring("incompatible: ") && t::ContainsSubstring("key"));
    }
    CHECK(S::open("/s", {}, disk).get(1u) == "one");  // nothing was changed
}

}  // namespace

TEST_CASE("other types are incompatible: file_log") {
    other_types_are_refused<storage::file_log>();
}
TEST_CASE("other types are incompatible: mmap") {
    other_types_are_refused<storage::mmap>();
}

// ---- iteration while the store changes ----------------------------------------------------------

namespace {

/// A key present throughout a walk is met exactly once, one absent throughout never.
template <class S>
void weakly_consistent(S store) {
    for (int i = 0; i < 2000; i += 2) store.put(i, 0);
    std::multiset<int> met;
    int other = 1;
    for (auto&& [key, value] : store) {
        met.insert(key);
        if (key % 4 == 0) store.put(key, 1);              // overwritten
        store.put(100'000 + other, 2);                    // inserted: may be met
        if (other > 9) store.erase(100'000 + other - 8);  // erased again
        if (other % 500 == 0) store.compact();
        if (++other > 6000) break;
    }
    for (int i = 0; i < 2000; ++i) CHECK(met.count(i) == (i % 2 == 0 ? 1U : 0U));
}

}  // namespace

TEST_CASE("a walk over hash while the store changes") {
    weakly_consistent(coffer::store<int, int, storage::map, threading::multi>());
}
TEST_CASE("a walk over sorted while the store changes") {
    weakly_consistent(coffer::store<int, int, storage::map, order::sorted, threading::single>());
}

TEST_CASE("a store on sorted is a range of the standard library") {
    in_memory<int, int> store;
    for (int i = 0; i < 50; ++i) store.put(i, i * i);
    using S = decltype(store);
    static_assert(std::ranges::input_range<const S>);
    static_assert(std::ranges::bidirectional_range<S::range_type> &&
                  std::ranges::view<S::range_type> && std::ranges::borrowed_range<S::range_type> &&
                  std::ranges::common_range<S::range_type>);
    auto keys = [](auto&& range) {
        std::vector<int> out;
        for (auto&& each : range) out.push_back(each.key);
        return out;
    };
    CHECK(keys(store.from(10) | std::views::take(3)) == std::vector<int>{10, 11, 12});
    CHECK(keys(store.scan(5, 40) | std::views::reverse | std::views::take(2)) ==
          std::vector<int>{40, 39});
    CHECK(keys(store.range(5, 40) | std::views::reverse | std::views::drop(33)) ==
          std::vector<int>{6, 5});
    CHECK(keys(store.from(0) | std::views::filter([](auto&& each) { return each.value % 7 == 0; }) |
               std::views::take(3)) == std::vector<int>{0, 7, 14});
    CHECK(keys(std::as_const(store) | std::views::drop(48)) == std::vector<int>{48, 49});
    CHECK(std::ranges::distance(store.from(0)) == 50);
    CHECK((*std::ranges::prev(store.lower_bound(20))).key == 19);
    CHECK(store.lower_bound(99) == store.end());
    CHECK(store.upper_bound(49) == store.end());
}
