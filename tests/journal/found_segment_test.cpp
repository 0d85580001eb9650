// What recovery knows of a segment is what the log makes of it.
#include <coffer/journal/found_segment.hpp>

#include "catch.hpp"
#include "scene.hpp"

using coffer::detail::found_segment;
using coffer::detail::most_slots;

TEST_CASE("a segment that was found is full and read-only, as long as it was found",
          "[found_segment]") {
    const scene::disk disk;
    scene::segment_file file(5);
    file.put("a", "1").put("b", "2").zeros(100);
    file.save(disk);
    auto log = scene::begun(disk, scene::small(), 6);

    found_segment found;
    found.id = 5;
    found.begin = scene::unit;
    found.end = file.size() - 100;
    found.torn = true;
    found.durable = scene::unit;
    auto adopted = log->adopt(found, most_slots);
    REQUIRE(adopted);
    const auto& segment = **adopted;
    CHECK(segment.id == 5);
    CHECK(segment.begin == scene::unit);
    CHECK(segment.end == found.end);
    CHECK(segment.torn);
    CHECK(segment.full);
    CHECK(segment.settled);
    CHECK(segment.handed == found.end);
    CHECK(segment.synced != found.end);  // nothing shows that the end is durable
    CHECK(coffer::as_text(
              scene::at(*log, coffer::detail::make_address(segment.slot, scene::unit)).key) == "a");
    CHECK(log->table().at(coffer::detail::make_address(segment.slot, found.end)).at == nullptr);
}

TEST_CASE("nothing is known of a segment by default", "[found_segment]") {
    const found_segment none;
    CHECK(none.id == 0);
    CHECK(none.end == 0);
    CHECK_FALSE(none.torn);
    CHECK(none.durable == 0);
}
