// A group of keys: those of a range that holds them are lent, those that it makes are kept.
#include <coffer/store/key_group.hpp>

#include <coffer/core/codec.hpp>

#include "catch.hpp"

#include <ranges>
#include <string>
#include <utility>

namespace {

using codec = coffer::detail::key_codec<std::string>;

template <class Group>
void is_full(Group& group) {
    CHECK(group.full());
    CHECK(group.size() == 3);
    CHECK(group.place(0) == 4);
    CHECK(group.place(2) == 6);
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(coffer::as_text(group.keys()[i]) == std::string(40, static_cast<char>('a' + i)));
}

}  // namespace

TEST_CASE("keys of a range that holds them are lent", "[key_group]") {
    coffer::detail::key_group<codec, const std::string*, 3> group;
    CHECK(group.empty());
    const std::string all[] = {std::string(40, 'a'), std::string(40, 'b'), std::string(40, 'c')};
    for (std::size_t i = 0; i < 3; ++i) group.add(all[i], i + 4);
    is_full(group);
    CHECK(static_cast<const void*>(group.keys()[1].data()) == all[1].data());
    group.clear();
    CHECK(group.empty());
    CHECK(group.keys().empty());
}

TEST_CASE("keys that a range makes are kept until the group is cleared", "[key_group]") {
    const auto make = [](int i) { return std::string(1, static_cast<char>(i)); };
    auto made_ones = std::views::iota(0, 3) | std::views::transform(make);
    coffer::detail::key_group<codec, decltype(made_ones.begin()), 3> group;
    for (int round = 0; round < 2; ++round) {
        for (std::size_t i = 0; i < 3; ++i) {
            std::string made(40, static_cast<char>('a' + i));
            group.add(std::move(made), i + 4);
        }
        is_full(group);
        group.clear();
    }
}
