// The list of segments: order, runs, and room that is made before it is needed.
#include <coffer/journal/segment_list.hpp>

#include "catch.hpp"

#include <memory>
#include <vector>

namespace {

struct segment {
    std::uint64_t id;
    std::uint64_t end = 100;
    bool torn = false;
    bool settled = false;
    std::uint64_t synced = 0;
};
using list = coffer::detail::segment_list<segment>;

segment& add(list& to, std::uint64_t id, bool is_synced = false) {
    coffer::detail::make_ready(to, [] { return 0; });
    return to.add(std::make_unique<segment>(segment{id}), is_synced);
}

std::vector<std::uint64_t> ids(const list& of) {
    std::vector<std::uint64_t> out;
    for (const auto& each : of.all()) out.push_back(each->id);
    return out;
}

}  // namespace

TEST_CASE("segments are listed in their order, and taken out", "[journal]") {
    list all;
    CHECK_FALSE(all.ready());
    segment& first = add(all, 1);
    segment& second = add(all, 2, true);
    add(all, 5);
    CHECK(ids(all) == std::vector<std::uint64_t>{1, 2, 5});
    CHECK(all.bytes() == 300);
    CHECK(all.unsynced().size() == 2);
    CHECK(all.take(second)->id == 2);
    CHECK(ids(all) == std::vector<std::uint64_t>{1, 5});

    first.synced = 100;
    all.forget_synced();
    CHECK(all.unsynced().size() == 2);  // durable, but it will still be cut to its end
    first.settled = true;
    all.forget_synced();
    REQUIRE(all.unsynced().size() == 1);
    CHECK(all.unsynced()[0]->id == 5);
}

TEST_CASE("a list that is ready takes one more without an allocation", "[journal]") {
    list all;
    for (std::uint64_t id = 1; id <= 1000; ++id) {
        coffer::detail::make_ready(all, [] { return 0; });
        REQUIRE(all.ready());
        const auto* const rooms = all.all().data();
        const auto* const unsynced = all.unsynced().data();
        all.add(std::make_unique<segment>(segment{id}), id % 3 == 0);
        CHECK(all.all().data() == rooms);
        CHECK(all.unsynced().data() == unsynced);
    }
    CHECK(all.size() == 1000);
    CHECK(all.unsynced().size() == 667);
}

TEST_CASE("runs join what follows, but for segments that a crash cut off", "[journal]") {
    list all;
    for (const std::uint64_t id : {3U, 4U, 5U, 8U, 9U}) add(all, id);
    add(all, 10).torn = true;
    add(all, 11);
    const auto& runs = all.runs();
    REQUIRE(runs.size() == 4);
    CHECK((runs[0].first == 3 && runs[0].count == 3 && runs[0].end == 0));
    CHECK((runs[1].first == 8 && runs[1].count == 2 && runs[1].end == 0));
    CHECK((runs[2].first == 10 && runs[2].count == 1 && runs[2].end == 100));
    CHECK((runs[3].first == 11 && runs[3].count == 1 && runs[3].end == 0));
    CHECK(&all.runs() == &runs);
    CHECK(all.runs().size() == 4);
}
