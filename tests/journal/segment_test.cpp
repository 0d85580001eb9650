// Segments and their media: what a medium must offer, and what a fresh segment is.
#include <coffer/journal/segment.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/storage/file_log.hpp>
#include <coffer/storage/map.hpp>
#include <coffer/storage/mmap.hpp>

#include "../archetypes/minimal_storage.hpp"
#include "catch.hpp"

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using disk = coffer::fs::simulated;

struct no_medium {};

struct without_open : archetype::file_medium<disk> {
    using file_medium::file_medium;
    void open() = delete;
};

struct volatile_without_open : archetype::memory_medium<disk> {
    using memory_medium::memory_medium;
};

}  // namespace

TEST_CASE("what is a medium", "[segment]") {
    static_assert(segment_medium<file_log_medium<disk>>);
    static_assert(segment_medium<mmap_medium<disk>>);
    static_assert(segment_medium<map_medium<disk>>);
    static_assert(segment_medium<archetype::file_medium<disk>>);
    static_assert(segment_medium<volatile_without_open>);  // nothing to open
    static_assert(!segment_medium<without_open>);
    static_assert(!segment_medium<no_medium>);
    static_assert(!segment_medium<int>);
    CHECK(explain_segment_medium<file_log_medium<disk>>());
}

TEST_CASE("a fresh segment holds nothing and promises nothing", "[segment]") {
    using body = archetype::memory_medium<disk>::body;
    segment<body, coffer::threading::multi> fresh(body(4096), 7, 3, 4096, 99);
    CHECK(fresh.id == 7);
    CHECK(fresh.slot == 3);
    CHECK(fresh.capacity == 4096);
    CHECK(fresh.seed == 99);
    CHECK(fresh.begin == 0);
    CHECK(fresh.end == 0);
    CHECK(fresh.handed == 0);
    CHECK(fresh.synced == 0);
    CHECK(fresh.dead.load() == 0);
    CHECK_FALSE(fresh.full);
    CHECK_FALSE(fresh.settled);
    CHECK_FALSE(fresh.torn);
    CHECK_FALSE(fresh.has_clear);
    CHECK_FALSE(fresh.damaged);
}
