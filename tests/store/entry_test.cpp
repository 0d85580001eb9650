// Entries, and the chunks of encoded bytes from which iterators make them.
#include <coffer/config/platform.hpp>
#include <coffer/store/entry.hpp>

#include "catch.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using coffer::as_bytes;
using coffer::as_text;
using coffer::detail::chunk;

TEST_CASE("a chunk keeps what was added, in order, empty runs included", "[entry]") {
    chunk all;
    CHECK(all.empty());
    const std::vector<std::pair<std::string, std::string>> added{
        {"key", "value"}, {"", "v"}, {"k", ""}, {"", ""}, {std::string(5000, 'k'), "last"}};
    for (const auto& [key, value] : added) all.add(as_bytes(key), as_bytes(value));
    REQUIRE(all.size() == added.size());
    CHECK_FALSE(all.empty());
    for (std::size_t i = 0; i < added.size(); ++i) {
        CHECK(as_text(all.key(i)) == added[i].first);
        CHECK(as_text(all.value(i)) == added[i].second);
    }
}

TEST_CASE("an entry owns its key and value", "[entry]") {
    coffer::entry<std::string, std::vector<int>> out;
    {
        chunk all;
        coffer::detail::scratch room;
        const std::vector<int> list{1, 2, 3};
        const auto value = coffer::detail::value_codec<std::vector<int>>::view(list, room);
        all.add(as_bytes("ada"), value);
        out = coffer::detail::entry_of<std::string, std::vector<int>>(all, 0);
    }
    CHECK(out.key == "ada");
    CHECK(out.value == std::vector<int>{1, 2, 3});
    auto [key, value] = out;  // two members, in this order
    CHECK(key == "ada");
    CHECK(value.size() == 3);
    static_assert(std::is_aggregate_v<coffer::entry<int, int>>);
}

#if COFFER_HAS_EXCEPTIONS
TEST_CASE("bytes that are no key or value throw what decoding finds wrong", "[entry]") {
    chunk all;
    all.add(as_bytes("abc"), as_bytes("1234"));
    CHECK_THROWS_AS((coffer::detail::entry_of<std::uint32_t, std::uint32_t>(all, 0)),
                    coffer::error);
    chunk right;
    right.add(as_bytes("abcd"), as_bytes("123"));
    CHECK_THROWS_AS((coffer::detail::entry_of<std::uint32_t, std::uint32_t>(right, 0)),
                    coffer::error);
}
#endif
