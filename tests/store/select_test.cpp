// Choosing policies: any order, one per axis, defaults for the rest, one type for one choice.
#include <coffer/store/select.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "../archetypes/minimal_durability.hpp"
#include "../archetypes/minimal_fs.hpp"
#include "../archetypes/minimal_index.hpp"
#include "../archetypes/minimal_storage.hpp"
#include "../archetypes/minimal_threading.hpp"
#include "catch.hpp"

#include <concepts>
#include <string>
#include <vector>

namespace {

using namespace coffer;  // NOLINT: a test of names

template <class Axis, class... Ps>
using chosen = typename detail::selection<Ps...>::template on<Axis>;

struct plain {};
struct only_a_name {
    static constexpr policy_id id{"only_a_name", 1};
};
struct half_storage {
    static constexpr bool persistent = true;
};
struct half_index {
    static constexpr bool ordered = true;
};
struct half_durability {
    static constexpr bool needs_worker = true;
};

}  // namespace

TEST_CASE("what is not named is the default", "[select]") {
    STATIC_REQUIRE(std::same_as<chosen<detail::storage_axis>, storage::file_log>);
    STATIC_REQUIRE(std::same_as<chosen<detail::durability_axis>, durability::sync>);
    STATIC_REQUIRE(std::same_as<chosen<detail::index_axis>, coffer::index::hash>);
    STATIC_REQUIRE(std::same_as<chosen<detail::threading_axis>, threading::multi>);
    STATIC_REQUIRE(std::same_as<chosen<detail::fs_axis>, fs::native>);
    STATIC_REQUIRE(std::same_as<store<int, int>,
                                store<int, int, fs::native, threading::multi, storage::file_log,
                                      durability::sync, coffer::index::hash>>);
}

TEST_CASE("policies may come in any order; two spellings of a choice are one type", "[select]") {
    using one = store<int, int, storage::map, coffer::index::sorted, threading::single>;
    using two = store<int, int, threading::single, storage::map, coffer::index::sorted>;
    STATIC_REQUIRE(std::same_as<one, two>);
    STATIC_REQUIRE(std::same_as<one::storage_type, storage::map>);
    STATIC_REQUIRE(std::same_as<one::index_type, coffer::index::sorted>);
    STATIC_REQUIRE(std::same_as<one::durability_type, durability::sync>);
    STATIC_REQUIRE(!std::same_as<one, store<int, int, storage::map>>);
}

TEST_CASE("each policy belongs to the axis whose concept it satisfies, and to no other",
          "[select]") {
    using detail::axes_of;
    STATIC_REQUIRE(axes_of<storage::map> == 1 && storage_policy<storage::map>);
    STATIC_REQUIRE(axes_of<durability::async> == 1 && durability_policy<durability::async>);
    STATIC_REQUIRE(axes_of<coffer::index::sorted> == 1 && index_policy<coffer::index::sorted>);
    STATIC_REQUIRE(axes_of<threading::single> == 1 && threading_policy<threading::single>);
    STATIC_REQUIRE(axes_of<fs::simulated> == 1 && file_system<fs::simulated>);
    STATIC_REQUIRE(axes_of<archetype::in_files> == 1 && axes_of<archetype::syncing> == 1 &&
                   axes_of<archetype::list> == 1 && axes_of<archetype::threads> == 1 &&
                   axes_of<archetype::disk> == 1);
    STATIC_REQUIRE(axes_of<plain> == 0 && axes_of<int> == 0 && axes_of<std::string> == 0 &&
                   axes_of<std::vector<int>> == 0 && axes_of<only_a_name> == 0);
}

TEST_CASE("a type that is no policy was meant for the axis of which it has a member", "[select]") {
    STATIC_REQUIRE(detail::meant_for_storage<half_storage> && !storage_policy<half_storage>);
    STATIC_REQUIRE(detail::meant_for_index<half_index> && !index_policy<half_index>);
    STATIC_REQUIRE(detail::meant_for_durability<half_durability>);
    STATIC_REQUIRE(!detail::meant_for_storage<half_index>);
    STATIC_REQUIRE(!detail::meant_for_index<half_storage>);
    STATIC_REQUIRE(!detail::meant_for_storage<plain> && !detail::meant_for_durability<plain> &&
                   !detail::meant_for_index<plain> && !detail::meant_for_threading<plain> &&
                   !detail::meant_for_fs<plain>);
    STATIC_REQUIRE(!detail::meant_for_fs<std::string> && !detail::meant_for_index<std::string>);
}

TEST_CASE("every policy explains itself by being one", "[select]") {
    STATIC_REQUIRE(detail::explain_policy<storage::mmap>());
    STATIC_REQUIRE(detail::explain_policy<archetype::disk>());
    STATIC_REQUIRE(explain_storage_policy<archetype::in_memory>());
    STATIC_REQUIRE(explain_durability_policy<durability::buffered>());
    STATIC_REQUIRE(explain_index_policy<archetype::list>());
    STATIC_REQUIRE(explain_threading_policy<archetype::threads>());
    STATIC_REQUIRE(explain_file_system<fs::native>());
}
