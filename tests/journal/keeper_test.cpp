// Who keeps the index: the medium that names a keeper has its own, all others one that keeps nothing.
#include <coffer/journal/keeper.hpp>
#include <coffer/storage/map.hpp>
#include <coffer/storage/mmap.hpp>

#include "catch.hpp"
#include "scene.hpp"

#include <type_traits>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::threading::multi;
using coffer::threading::single;
using nobody = keeper_of<scene::medium, multi>;

}  // namespace

TEST_CASE("mapped files keep an index; others do not", "[keeper]") {
    STATIC_REQUIRE_FALSE(nobody::kept);
    STATIC_REQUIRE_FALSE(keeper_of<map_medium<scene::disk>, single>::kept);
    STATIC_REQUIRE(keeper_of<mmap_medium<scene::disk>, single>::kept);
    STATIC_REQUIRE(std::is_empty_v<nobody>);
    STATIC_REQUIRE(std::is_same_v<nobody::memory, image_memory<scene::disk>>);
}

TEST_CASE("a keeper that keeps nothing answers everything with nothing", "[keeper]") {
    nobody it;
    std::uint64_t generation = 7;
    auto memory = it.fresh_memory(generation);
    CHECK(generation == 7);
    CHECK(memory.allocate(0, 0, 4096).has_value());
    CHECK(it.state(3) == nullptr);
    CHECK(it.fresh_state(3, 9) == nullptr);
}
