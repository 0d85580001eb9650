// Pending writes: one store commits any number of slots; before it readers see what was before.
#include <coffer/storage/pending.hpp>

#include "catch.hpp"

#include <atomic>
#include <thread>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
namespace threading = coffer::threading;

struct world {
    epoch<threading::single> readers;
    pending_writes<threading::single> pending{readers};
    world() { pending.prepare(64).value(); }
};

constexpr address old_record = make_address(1, 4096);
constexpr address new_record = make_address(2, 4096);
constexpr address third_record = make_address(2, 8192);

}  // namespace

TEST_CASE("a plain slot stands for itself", "[pending]") {
    const world all;
    CHECK_FALSE(is_pending(old_record));
    CHECK_FALSE(is_pending(make_address(most_slots - 1, largest_segment - 4)));
    CHECK(all.pending.resolve(0) == 0);
    CHECK(all.pending.resolve(old_record) == old_record);
    CHECK(all.pending.bearer(old_record) == old_record);
}

TEST_CASE("a pending put: before the commit what was before, then the record", "[pending]") {
    world all;
    const position end(7, 5000);
    const ref slot = all.pending.install(new_record, false, old_record, end);
    const ref fresh = all.pending.install(third_record, false, 0, end);
    CHECK(is_pending(slot));
    CHECK(slot != fresh);
    CHECK(all.pending.resolve(slot) == old_record);
    CHECK(all.pending.resolve(fresh) == 0);
    CHECK(all.pending.bearer(slot) == new_record);  // it bears the key all the same
    CHECK(all.pending.end_of(slot) == end);
    CHECK(all.pending.previous_of(slot) == old_record);
    CHECK_FALSE(all.pending.erases(slot));

    all.pending.commit(position(7, 4996));
    CHECK(all.pending.resolve(slot) == old_record);
    all.pending.commit(end);
    CHECK(all.pending.resolve(slot) == new_record);
    CHECK(all.pending.resolve(fresh) == third_record);
}

TEST_CASE("a pending erase: nothing is there after the commit", "[pending]") {
    world all;
    const ref slot = all.pending.install(new_record, true, old_record, position(7, 5000));
    CHECK(all.pending.erases(slot));
    CHECK(all.pending.resolve(slot) == old_record);
    CHECK(all.pending.bearer(slot) == new_record);
    all.pending.commit(position(7, 5000));
    CHECK(all.pending.resolve(slot) == 0);
}

TEST_CASE("a chain of writes to one key shows the newest that committed", "[pending]") {
    world all;
    const ref first = all.pending.install(new_record, false, old_record, position(7, 5000));
    const ref second = all.pending.install(third_record, false, first, position(7, 6000));
    CHECK(all.pending.resolve(second) == old_record);
    all.pending.commit(position(7, 5000));
    CHECK(all.pending.resolve(second) == new_record);
    all.pending.commit(position(7, 6000));
    CHECK(all.pending.resolve(second) == third_record);
    all.pending.set_previous(second, old_record);
    CHECK(all.pending.previous_of(second) == old_record);
}

TEST_CASE("a record may lead while anything of its chain may become true", "[pending]") {
    world all;
    const ref first = all.pending.install(new_record, false, old_record, position(7, 5000));
    const ref second = all.pending.install(third_record, true, first, position(7, 6000));
    for (const address each : {old_record, new_record, third_record})
        CHECK(all.pending.may_lead(second, each));
    CHECK(all.pending.may_lead(first, old_record));
    CHECK_FALSE(all.pending.may_lead(first, third_record));
    CHECK_FALSE(all.pending.may_lead(second, make_address(1, 64)));
    CHECK_FALSE(all.pending.may_lead(0, old_record));
    CHECK(all.pending.may_lead(old_record, old_record));
}

TEST_CASE("P4: a batch that is hidden is seen all at once", "[pending]") {
    world all;
    const address before = make_address(2, 4092);
    const address first = make_address(2, 4096);
    const address last = make_address(2, largest_segment - offset_unit);
    const address elsewhere = make_address(3, 4096);
    REQUIRE(all.pending.hide(first));
    const position end(9, 8192);
    const ref over = all.pending.install(last, false, old_record, end);
    const ref erased = all.pending.install(last, true, old_record, end);
    all.pending.commit(end);
    CHECK(all.pending.resolve(first) == 0);
    CHECK(all.pending.resolve(last) == 0);
    CHECK(all.pending.resolve(before) == before);
    CHECK(all.pending.resolve(elsewhere) == elsewhere);
    CHECK(all.pending.resolve(0) == 0);
    CHECK(all.pending.resolve(over) == old_record);
    CHECK(all.pending.resolve(erased) == old_record);
    all.pending.show();
    CHECK(all.pending.resolve(first) == first);
    CHECK(all.pending.resolve(last) == last);
    CHECK(all.pending.resolve(over) == last);
    CHECK(all.pending.resolve(erased) == 0);
}

TEST_CASE("P2: what is committed only grows", "[pending]") {
    world all;
    all.pending.commit(position(7, 5000));
    all.pending.commit(position(6, 9000));
    all.pending.commit(position());
    CHECK(all.pending.committed() == position(7, 5000));
}

TEST_CASE(
    "P1: descriptors are taken oldest first as far as they committed, newest first when "
    "they failed",
    "[pending]") {
    world all;
    const ref a = all.pending.install(new_record, false, 0, position(7, 5000));
    const ref b1 = all.pending.install(new_record, false, 0, position(7, 6000));
    const ref b2 = all.pending.install(new_record, false, 0, position(7, 6000));
    const ref c = all.pending.install(new_record, false, 0, position(7, 7000));
    CHECK(all.pending.take_committed(position(7, 4996)) == 0);
    CHECK(all.pending.take_committed(position(7, 5000)) == a);
    CHECK(all.pending.take_committed(position(7, 5000)) == 0);

    CHECK(all.pending.take_failed(position(7, 6500)) == 0);  // no such commit
    CHECK(all.pending.take_failed(position(7, 6000)) == b2);
    CHECK(all.pending.take_failed(position(7, 6000)) == b1);
    CHECK(all.pending.take_failed(position(7, 6000)) == 0);
    CHECK_FALSE(all.pending.empty());
    CHECK(all.pending.take_committed(position(8, 0)) == c);
    CHECK(all.pending.empty());
}

TEST_CASE("P3: a descriptor is used again only when no reader of its time is left", "[pending]") {
    epoch<threading::multi> readers;
    pending_writes<threading::multi> pending(readers);
    REQUIRE(pending.prepare(1));
    const ref slot = pending.install(new_record, false, old_record, position(7, 5000));
    {
        const auto pin = readers.enter();
        pending.commit(position(7, 5000));
        CHECK(pending.take_committed(position(7, 5000)) == slot);
        pending.retire(slot);
        pending.reclaim();
        const ref other = pending.install(third_record, false, 0, position(7, 6000));
        CHECK(other != slot);
        CHECK(pending.resolve(slot) == new_record);  // for the reader that still holds it
        pending.reclaim();
        CHECK(pending.install(third_record, false, 0, position(7, 6500)) != slot);
    }
    pending.reclaim();
    CHECK(pending.install(third_record, false, 0, position(7, 7000)) == slot);
}

TEST_CASE("ready says how many descriptors there is memory for", "[pending]") {
    epoch<threading::single> readers;
    pending_writes<threading::single> pending(readers);
    CHECK(pending.ready(0));
    CHECK_FALSE(pending.ready(1));
    REQUIRE(pending.prepare(100));
    CHECK(pending.ready(100));
    for (int i = 0; i < 100; ++i) {
        REQUIRE(pending.ready(1));
        static_cast<void>(pending.install(new_record, false, 0, position(7, 5000)));
    }
    REQUIRE(pending.prepare(1000));
    CHECK(pending.ready(1000));
}

TEST_CASE("a slot of a damaged image that names no descriptor leads to no record", "[pending]") {
    const world all;
    for (const ref bad : {pending_bit | 64, pending_bit | 1'000'000, ref_mask}) {
        REQUIRE(is_pending(bad));
        const address where = all.pending.resolve(bad);
        CHECK_FALSE(is_pending(where));
        CHECK(offset_of(where) == largest_segment - 4);  // behind the end of every segment
        CHECK(all.pending.bearer(bad) == where);
    }
}

TEST_CASE("readers see all of a commit or nothing of it", "[pending][threads]") {
    // Two slots change together, again and again; a reader that finds the second one changed finds
    // the first one changed, too.
    epoch<threading::multi> readers;
    pending_writes<threading::multi> pending(readers);
    REQUIRE(pending.prepare(4096));
    std::atomic<ref> first{make_address(1, 4096)};
    std::atomic<ref> second{make_address(2, 4096)};
    std::atomic<bool> over{false};
    std::atomic<std::uint64_t> torn{0};
    std::atomic<std::uint64_t> looks{0};
    std::thread reader([&] {
        while (!over.load()) {
            const auto pin = readers.enter();
            const address later = pending.resolve(second.load(std::memory_order_acquire));
            const address sooner = pending.resolve(first.load(std::memory_order_acquire));
            if (offset_of(sooner) < offset_of(later)) ++torn;
            ++looks;
        }
    });
    for (std::uint64_t round = 2; round < 3000 || looks.load() < 1000; ++round) {
        const std::uint64_t offset = 4096 + 4 * round;
        const position end(1, offset);
        REQUIRE(pending.prepare(2));
        const ref a = pending.install(make_address(1, offset), false, first.load(), end);
        first.store(a, std::memory_order_release);
        const ref b = pending.install(make_address(2, offset), false, second.load(), end);
        second.store(b, std::memory_order_release);
        pending.commit(end);
        for (ref taken = pending.take_committed(end); taken != 0;
             taken = pending.take_committed(end)) {
            (taken == a ? first : second).store(pending.bearer(taken), std::memory_order_release);
            pending.retire(taken);
        }
        pending.reclaim();
    }
    over = true;
    reader.join();
    CHECK(torn.load() == 0);
}
