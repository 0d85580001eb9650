// The segment table: where an address leads, how far it may be followed, and who owns the slot.
#include <coffer/journal/segment_table.hpp>

#include "catch.hpp"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header

struct segment_of_test {
    std::uint64_t id;
    std::uint32_t slot;
    std::uint64_t seed;
};

using table = segment_table<coffer::threading::multi, segment_of_test>;

}  // namespace

TEST_CASE("an address leads into the segment of its slot, up to its limit", "[segment_table]") {
    table all;
    REQUIRE(all.start());
    std::vector<std::byte> first(100);
    std::vector<std::byte> last(200);
    segment_of_test one{7, 0, 70};
    segment_of_test other{9, most_slots - 1, 90};
    all.publish(one, first.data(), first.size(), false);
    all.publish(other, last.data(), last.size(), true);

    auto view = all.at(make_address(0, 88));  // the smallest record fits
    CHECK(view.at == first.data() + 88);
    CHECK(view.limit == first.data() + 100);
    CHECK(view.end == 100);
    CHECK(view.seed == 70);
    CHECK(view.offset == 88);
    CHECK_FALSE(view.verify);

    view = all.at(make_address(most_slots - 1, 0));
    CHECK(view.at == last.data());
    CHECK(view.limit == last.data() + 200);
    CHECK(view.seed == 90);
    CHECK(view.verify);

    CHECK(all.owner(0) == &one);
    CHECK(all.id_of(make_address(most_slots - 1, 4)) == 9);
    all.prefetch(make_address(0, 4));
}

TEST_CASE("I3: an address behind which no record fits, or of an empty slot, leads nowhere",
          "[segment_table]") {
    table all;
    REQUIRE(all.start());
    std::vector<std::byte> memory(100);
    segment_of_test one{7, 3, 70};
    all.publish(one, memory.data(), memory.size(), true);
    for (const std::uint64_t offset : {92U, 96U, 100U, 104U})
        CHECK(all.at(make_address(3, offset)).at == nullptr);
    CHECK(all.at(make_address(3, largest_segment - 4)).at == nullptr);
    CHECK(all.at(make_address(3, 100)).owner == nullptr);
    CHECK(all.at(make_address(4, 0)).at == nullptr);
    CHECK(all.at(make_address(4, 0)).owner == nullptr);
    CHECK(all.id_of(make_address(4, 0)) == 0);
    all.prefetch(make_address(4, 0));
}

TEST_CASE("a segment without memory is read from its body", "[segment_table]") {
    table all;
    REQUIRE(all.start());
    segment_of_test one{7, 3, 70};
    all.publish(one, nullptr, 100, true);
    const auto view = all.at(make_address(3, 40));
    CHECK(view.at == nullptr);
    CHECK(view.owner == &one);
    CHECK(view.end == 100);
    CHECK(view.offset == 40);
    CHECK(view.verify);
}

TEST_CASE("I2: a slot that was cleared leads nowhere until it is given out again",
          "[segment_table]") {
    table all;
    REQUIRE(all.start());
    std::vector<std::byte> memory(100);
    segment_of_test one{7, 3, 70};
    segment_of_test next{8, 3, 80};
    all.publish(one, memory.data(), memory.size(), true);
    all.clear(3);
    CHECK(all.at(make_address(3, 0)).at == nullptr);
    CHECK(all.at(make_address(3, 0)).owner == nullptr);
    CHECK(all.owner(3) == nullptr);
    CHECK(all.id_of(make_address(3, 0)) == 0);
    all.publish(next, memory.data(), 50, false);
    CHECK(all.id_of(make_address(3, 0)) == 8);
    CHECK(all.at(make_address(3, 36)).limit == memory.data() + 50);
}

TEST_CASE("readers see the old memory of a segment or the new one, never a mixture",
          "[segment_table][threads]") {
    // A segment is settled: its memory moves while readers follow addresses into it.
    table all;
    REQUIRE(all.start());
    std::vector<std::byte> before(4096, std::byte{1});
    std::vector<std::byte> after(4096, std::byte{1});
    segment_of_test one{7, 3, 70};
    all.publish(one, before.data(), before.size(), false);
    std::atomic<bool> over{false};
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<std::uint64_t> looks{0};
    std::thread reader([&] {
        while (!over.load()) {
            const auto view = all.at(make_address(3, 4084));
            if (view.at == nullptr || *view.at != std::byte{1} || view.seed != 70) ++wrong;
            ++looks;
        }
    });
    for (int i = 0; i < 2000 || looks.load() < 100; ++i) {
        all.publish(one, (i % 2 == 0 ? after : before).data(), 4096, i % 2 == 0);
    }
    over = true;
    reader.join();
    CHECK(wrong.load() == 0);
}
