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
    bool full = true;
    bool settled = false;
    std::uint64_t synced = 0;
};
using coffer::detail::position;
using list = coffer::detail::segment_list<segment>;

segment& add(list& to, std::uint64_t id, bool is_synced = false) {
    static_cast<void>(coffer::detail::enter_ready(to, [] { return 0; }));
    return to.add(std::make_unique<segment>(segment{id}), is_synced);
}

std::vector<std::uint64_t> ids(const list& of) {
    std::vector<std::uint64_t> out;
    for (const auto& each : of.all()) out.push_back(each->id);
    return out;
}

std::vector<std::uint64_t> unsynced(const list& of, position upto = position(1000, 0)) {
    std::vector<std::uint64_t> out;
    for (auto next = of.next_unsynced(0, upto); next.segment != nullptr;
         next = of.next_unsynced(next.segment->id, upto)) {
        out.push_back(next.segment->id);
    }
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
    CHECK(unsynced(all) == std::vector<std::uint64_t>{1, 5});
    CHECK(all.take(second)->id == 2);
    CHECK(ids(all) == std::vector<std::uint64_t>{1, 5});

    all.note_synced(position(2, 0));
    CHECK(first.synced == 100);
    CHECK(unsynced(all) == std::vector<std::uint64_t>{1, 5});  // it will still be cut to its end
    first.settled = true;
    all.note_synced(position(2, 0));
    CHECK(unsynced(all) == std::vector<std::uint64_t>{5});
}

TEST_CASE("what there is to do before a place in the log ends there", "[journal]") {
    list all;
    add(all, 3);
    segment& last = add(all, 7);
    const position inside(7, 60);
    CHECK(unsynced(all, position(6, 60)) == std::vector<std::uint64_t>{3});
    const auto older = all.next_unsynced(0, inside);
    CHECK((older.segment->id == 3 && older.end == 100 && older.full));
    const auto newer = all.next_unsynced(3, inside);
    CHECK((newer.segment == &last && newer.end == 60 && !newer.full));
    CHECK(all.next_unsynced(3, position(7, 100)).full);
    CHECK(all.next_unsynced(7, inside).segment == nullptr);
    last.settled = true;
    all.note_synced(inside);
    CHECK(last.synced == 60);
    CHECK(unsynced(all) == std::vector<std::uint64_t>{3, 7});
}

TEST_CASE("a list that is ready takes one more without an allocation", "[journal]") {
    list all;
    for (std::uint64_t id = 1; id <= 1000; ++id) {
        static_cast<void>(coffer::detail::enter_ready(all, [] { return 0; }));
        REQUIRE(all.ready());
        const auto* const rooms = all.all().data();
        all.add(std::make_unique<segment>(segment{id}), id % 3 == 0);
        CHECK(all.all().data() == rooms);
    }
    CHECK(all.size() == 1000);
    CHECK(unsynced(all, position(2000, 0)).size() == 667);
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
