// Suites S1 and S2: no crash of any short workload leaves what the contract does not allow.
#include "catch.hpp"

#include "crash/campaign.hpp"
#include "crash/scenes.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace crash;

/// The cases in which a segment becomes full: they end in operations that write, or follow one.
bool fills(const workload& all) {
    return all.size() == 2 && (all[0] == operation::put_large || all[0] == operation::batch);
}

/// Those that begin with an index that this process has kept, or that have one operation at most.
bool reopens(const workload& all) {
    return all.size() < 2 || all[0] == operation::reopen;
}

void tell(const campaign& all, const std::string& name) {
    all.result().tell(name, all.violations().count());
    all.keep_images(name);
    for (const std::string& each : all.violations().told()) UNSCOPED_INFO(each);
    CHECK(all.violations().count() == 0);
    const bool few = all.result().worse < 100;  // of which chance may refuse the most
    CHECK((few || all.result().refused <= all.result().worse / 2));  // refusing all is no answer
}

/// Threads are slow to start, and a store without them makes the same calls of the disk: where only
/// a share is judged, those with them have every other pair of operations.
bool is_due(const simulated_subject& of, const workload& all) {
    if (all.size() < 2 || scale() >= 1 || !of.concurrent) return true;
    return (static_cast<unsigned>(all[0]) + static_cast<unsigned>(all[1]) + of.sorted) % 2 == 0;
}

/// How much was judged.
std::uint64_t examine(const simulated_subject& of) {
    campaign all(of);
    all.cover(empty_scene(), 1, [](const workload& each) {
        return each.empty() || each[0] == operation::put_small || each[0] == operation::sync;
    });
    const auto due = [&](const workload& each) { return is_due(of, each); };
    all.cover(closed_scene(of), most_operations(), due);
    all.cover(closed_scene(of, 7000), 2,
              [&](const workload& each) { return fills(each) && due(each); });
    all.cover(closed_scene(of, 20000), 1, [](const workload& each) {
        return each.size() == 1 && each[0] == operation::put_large;
    });
    all.cover(killed_scene(of), 1);
    all.cover(killed_long_scene(of), {operation::sync, operation::put_small, operation::sync});
    all.cover(closed_scene(of), {operation::fail_next_sync, operation::overwrite, operation::reopen,
                                 operation::put_small});
    all.cover(closed_scene(of),
              {operation::put_small, operation::fail_next_sync, operation::reopen});
    all.cover(closed_scene(of),
              {operation::put_small, operation::wait, operation::overwrite, operation::wait});
    tell(all, of.name);
    // Its crashes leave so many parts that more subsets of them than each once would take hours.
    campaign indexed(of, (std::min)(scale() / 2, 1.0));
    indexed.cover(indexed_scene(of), 2,
                  [&](const workload& each) { return reopens(each) && due(each); });
    tell(indexed, of.name + ", indexed");
    return all.result().judged + indexed.result().judged;
}

void examine_all(const std::vector<simulated_subject>& of, const std::string& beginning) {
    const bool is_meant = only().empty() || only().rfind(beginning, 0) == 0;
    std::uint64_t judged = 0;
    for (const simulated_subject& each : of) {
        if (each.name.rfind(beginning, 0) == 0) judged += examine(each);
    }
    INFO("nothing was judged; COFFER_CRASH_ONLY: " << only());
    CHECK((judged > 0) == is_meant);
}

}  // namespace

TEST_CASE("crash states of file_log under sync", "[crash]") {
    examine_all(every_subject(), "file_log sync");
}
TEST_CASE("crash states of file_log under write_through", "[crash]") {
    examine_all(every_subject(), "file_log write_through");
}
TEST_CASE("crash states of file_log under buffered", "[crash]") {
    examine_all(every_subject(), "file_log buffered");
}
TEST_CASE("crash states of file_log under async", "[crash]") {
    examine_all(every_subject(), "file_log async");
}
TEST_CASE("crash states of mmap under sync", "[crash]") {
    examine_all(every_subject(), "mmap sync");
}
TEST_CASE("crash states of mmap under write_through", "[crash]") {
    examine_all(every_subject(), "mmap write_through");
}
TEST_CASE("crash states of mmap under buffered", "[crash]") {
    examine_all(every_subject(), "mmap buffered");
}
TEST_CASE("crash states of mmap under async", "[crash]") {
    examine_all(every_subject(), "mmap async");
}

// For one thread: no other has to be waited for, so that more crashes can be tried.
TEST_CASE("crash states of file_log for one thread", "[crash]") {
    examine_all(single_threaded(), "file_log");
}
TEST_CASE("crash states of mmap with sync for one thread", "[crash]") {
    examine_all(single_threaded(), "mmap sync");
}
TEST_CASE("crash states of mmap with write_through for one thread", "[crash]") {
    examine_all(single_threaded(), "mmap write_through");
}
TEST_CASE("crash states of mmap with buffered for one thread", "[crash]") {
    examine_all(single_threaded(), "mmap buffered");
}
TEST_CASE("crash states of mmap with async for one thread", "[crash]") {
    examine_all(single_threaded(), "mmap async");
}
