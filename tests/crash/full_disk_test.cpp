// Suite S12: the disk becomes full at every byte of a workload.
//
// One run for each size of the disk, from what the store takes when it begins to what it takes at
// most. Whatever there is no room for:
//
//   - each operation returns, with success or with no_space, which changes nothing and poisons nothing
//   - the running store shows what returned
//   - killed at the end, it opens on the disk that is still full, or says no_space and opens for
//     reading; either way it shows what it has to show
//   - with room again it opens, killed or without power, and goes on
//
// COFFER_CRASH_SCALE  how many sizes are taken: 500 times this, evenly spread; the default, 0.1, takes
//                     fifty. A number above a hundred takes every size.
#include "catch.hpp"

#include "crash/campaign.hpp"
#include "crash/scenes.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace {

using namespace crash;
using coffer::errc;

const workload everything{operation::put_small, operation::put_large, operation::batch,
                          operation::sync,      operation::put_large, operation::erase,
                          operation::overwrite, operation::flush,     operation::put_large,
                          operation::compact,   operation::put_small, operation::reopen,
                          operation::put_small, operation::put_large};

constexpr std::uint64_t plenty = std::uint64_t{1} << 40;

/// Bytes that the files on it take.
std::uint64_t taken(const simulated& disk) {
    disk.set_capacity(plenty);
    return plenty - disk.open_directory("/").value().free_bytes().value();
}

class filling {
public:
    explicit filling(const simulated_subject& of) : of_(&of), in_(closed_scene(of, 7000)) {}

    void all() {
        const std::uint64_t least = taken(in_.disk.process_killed());
        const std::uint64_t most = most_taken();
        REQUIRE(most > least);
        const double sizes = 500 * scale();
        const auto stride =
            static_cast<std::uint64_t>(static_cast<double>(most - least) / sizes) | 1;
        for (std::uint64_t size = least; size <= most; size += stride) fill(size);
        proof::tell("S12 full disks", of_->name,
                    {runs_, "sizes of the disk", violations_.count(), watch_.seconds(), 0});
        for (const std::string& each : violations_.told()) UNSCOPED_INFO(each);
        CHECK((refused_ > 0 || !proof::only().empty()));
        CHECK(violations_.count() == 0);
    }

private:
    [[nodiscard]] std::uint64_t most_taken() const {
        std::mutex guard;
        std::uint64_t most = 0;
        run clean(*of_, in_);
        clean.watch_steps([&](const coffer::fs::step&, const simulated& disk) {
            const std::uint64_t now = taken(disk);
            const std::unique_lock<std::mutex> held(guard);
            most = (std::max)(most, now);
        });
        clean.play(everything, everything.size() + 2);
        return most;
    }

    void fill(std::uint64_t size) {
        ++runs_;
        if (!proof::is_asked([&] { return where(size); })) return;
        run played(*of_, in_);
        played.expect_full_disk();
        played.disk().set_capacity(size);
        played.play(everything, everything.size() + 2);
        for (const violation& each : played.violations()) note(size, each.where + ": " + each.what);
        for (const run::event& each : played.events()) {
            refused_ += each.failure == errc::no_space;
            if (each.failure && *each.failure != errc::no_space) {
                note(size,
                     each.what + " answers " + coffer::make_error_code(*each.failure).message());
            }
        }
        REQUIRE(!played.points().empty());
        check_end(size, played.points().back());
    }

    void check_end(std::uint64_t size, const point& end) {
        const judge verdicts(*of_, in_.chosen);
        if (auto bad = still_full(end.disk.process_killed(), *end.may.after_kill)) {
            note(size, "on the disk that is still full: " + *bad);
        }
        const simulated killed = end.disk.process_killed();
        killed.set_capacity(plenty);
        if (auto bad = verdicts.examine(killed, *end.may.after_kill)) {
            note(size, "killed, with room again: " + *bad);
        }
        coffer::fs::crash_limits few;
        few.exhaustive = 3;
        few.pairs = few.random = 1;
        few.most = 2;
        end.disk.for_each_crash_state(
            coffer::fs::crash_profile::p2, few,
            [&](const simulated& after, const std::string& subset) {
                after.set_capacity(plenty);
                if (auto bad = verdicts.examine(after, *end.may.after_power_cut)) {
                    note(size,
                         "after a power cut, with room again, on disk " + subset + ": " + *bad);
                }
            });
    }

    [[nodiscard]] judge::verdict still_full(const simulated& disk, const expectation& may) const {
        auto store = of_->open(folder, in_.chosen, disk);
        if (!store) {
            if (store.error().kind() != errc::no_space) {
                return std::string("open: ") + store.error().what();
            }
            store = of_->open_read_only(folder, in_.chosen, disk);
            if (!store) return std::string("open for reading: ") + store.error().what();
        }
        auto found = (*store)->all();
        if (!found) return std::string("reading everything: ") + found.error().what();
        if (!may.allows(*found)) return "holds " + told(*found) + ", expected " + may.told();
        return {};
    }

    void note(std::uint64_t size, const std::string& violation) {
        violations_.add_case(where(size), violation);
    }
    [[nodiscard]] std::string where(std::uint64_t size) const {
        return of_->name + ", a disk of " + std::to_string(size) + " bytes";
    }

    const simulated_subject* of_;
    scene in_;
    proof::stopwatch watch_;
    std::uint64_t runs_ = 0;
    std::uint64_t refused_ = 0;
    proof::violations violations_;
};

}  // namespace

TEST_CASE("a disk that becomes full at any byte under file_log", "[crash]") {
    for (const auto& each : file_log_hash()) filling(each).all();
    for (const auto& each : file_log_sorted()) filling(each).all();
}

TEST_CASE("a disk that becomes full at any byte under mmap", "[crash]") {
    for (const auto& each : mmap_hash()) filling(each).all();
    for (const auto& each : mmap_sorted()) filling(each).all();
}
