// Suite S3: every call of a workload fails, once and for ever.
//
// For each kind of call and each number, one run in which that call fails. Whatever that leads to:
//
//   - each operation returns, with success, the error that was injected, or errc::poisoned; a read
//     that ends as if the file did is corruption
//   - the running store shows what returned; a failed write is not seen where the policy hides it
//   - after a sync of a segment has failed, every write is refused as poisoned until reopened, and
//     reads go on
//   - a write that was refused for lack of space, before it had a place, changed nothing
//   - killed, or without power at the end, the store opens with a prefix of what was written, each
//     failed write there or not, and keeps that
//   - the same where a call of that open fails, too, once: it answers the error that was injected or
//     opens, and the next one finds all of it
//
// Of the calls of that open one is tried for each run, after either end. With COFFER_CRASH_SCALE=1 one
// in sixteen, after both; with more, each.
#include "catch.hpp"

#include "crash/campaign.hpp"
#include "crash/scenes.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace crash;
using coffer::errc;
using coffer::fs::call;
using coffer::fs::fault;

const workload everything{operation::put_small, operation::put_large, operation::batch,
                          operation::sync,      operation::put_large, operation::erase,
                          operation::overwrite, operation::flush,     operation::put_large,
                          operation::compact,   operation::put_small, operation::reopen,
                          operation::put_small};

// The stores see three kinds of error and no number of the system: which numbers are which kind is
// what tests/fs/native_test.cpp shows.
constexpr call kinds[] = {
    call::open_directory, call::make_directory, call::list,   call::create,
    call::open,           call::rename,         call::remove, call::sync_directory,
    call::size,           call::read,           call::write,  call::resize,
    call::reserve,        call::sync,           call::lock,   call::map,
    call::sync_map,       call::free_bytes};

struct injected {
    call kind;
    std::uint64_t number;
    fault answer;

    [[nodiscard]] std::string told() const {
        return std::string(name_of(kind)) + " number " + std::to_string(number) + " fails " +
               (answer.lasting ? "for ever" : "once") +
               (answer.carried_out ? ", as if the file ended,"
                                   : " with " + coffer::make_error_code(answer.code).message()) +
               (answer.length != 0 || answer.carried_out
                    ? " after " + std::to_string(answer.length) + " bytes"
                    : "");
    }
};

class sweep {
public:
    explicit sweep(const simulated_subject& of) : of_(&of), in_(closed_scene(of, 7000)) {}

    void all() {
        for (const auto& [kind, sizes] : calls_of_a_clean_run()) {
            for (std::uint64_t number = 1; number <= sizes.size(); ++number) {
                for (const bool forever : {false, true}) {
                    fail({kind, number, {errc::io_error, EIO, forever, 0}});
                    fail({kind, number, {errc::permission_denied, EACCES, forever, 0}});
                    if (kind == call::read) end_within(number, sizes[number - 1], forever);
                    if (!takes_space(kind)) continue;
                    fail({kind, number, {errc::no_space, ENOSPC, forever, 0}});
                    if (kind == call::write) fail_within(number, sizes[number - 1], forever);
                }
            }
        }
        proof::tell("S3 failing calls", of_->name,
                    {runs_, "runs", violations_.count(), watch_.seconds() - again_seconds_, 0});
        proof::tell("S3 failing calls of the recovery after", of_->name,
                    {again_, "opens", violations_.count(), again_seconds_, 0});
        for (const std::string& each : violations_.told()) UNSCOPED_INFO(each);
        CHECK(violations_.count() == 0);
        // A call that a thread makes in one run may be missing in the next.
        CHECK(runs_ > 100);
        CHECK(reached_ * 10 >= played_ * 9);
    }

private:
    static bool takes_space(call kind) {
        return kind == call::write || kind == call::reserve || kind == call::create ||
               kind == call::sync || kind == call::sync_map || kind == call::sync_directory;
    }

    /// How many bytes each call of each kind is about, in a run in which none fails.
    [[nodiscard]] std::map<call, std::vector<std::uint64_t>> calls_of_a_clean_run() const {
        run clean(*of_, in_);
        clean.disk().set_traced(true);
        clean.play(everything, everything.size() + 2);
        std::map<call, std::vector<std::uint64_t>> sizes;
        for (const auto& each : clean.disk().take_trace()) {
            for (const call kind : kinds) {
                if (each.is == kind) sizes[kind].push_back(each.length);
            }
        }
        return sizes;
    }

    /// A read of `size` bytes ends before any of them, in the middle and before the last.
    void end_within(std::uint64_t number, std::uint64_t size, bool forever) {
        std::set<std::uint64_t> lengths{0, size / 2, size - 1};
        for (const std::uint64_t length : lengths) {
            fault ends = fault::shortened(length);
            ends.lasting = forever;
            if (length < size) fail({call::read, number, ends});
        }
    }

    /// A write of `size` bytes fails after the first, one in the middle and the last but one.
    void fail_within(std::uint64_t number, std::uint64_t size, bool forever) {
        std::uint64_t before = 0;
        for (const std::uint64_t length : {std::uint64_t{1}, size / 2, size - 1}) {
            if (std::exchange(before, length) >= length || length >= size) continue;
            fail({call::write, number, {errc::no_space, ENOSPC, forever, length}});
            if (!forever) fail({call::write, number, {errc::io_error, EIO, forever, length}});
        }
    }

    void fail(const injected& what) {
        ++runs_;
        if (!proof::is_asked([&] { return where(what); })) return;
        ++played_;
        run played(*of_, in_);
        const bool before_a_place = what.answer.code == errc::no_space &&
                                    (what.kind == call::create || what.kind == call::reserve);
        before_a_place ? played.expect_full_disk() : played.expect_failures();
        played.disk().fail_call(what.number, what.answer, what.kind);
        played.play(everything, everything.size() + 2);
        reached_ += played.disk().faults() != 0;
        for (const violation& each : played.violations()) note(what, each.where + ": " + each.what);
        check_events(what, played.events());
        REQUIRE(!played.points().empty());
        check_end(what, played.points().back());
    }

    /// What each operation may answer, and that a failed sync poisons.
    void check_events(const injected& what, const std::vector<run::event>& events) {
        bool may_be_poisoned = false;
        bool poisoned = false;
        std::uint64_t before = 0;
        for (const run::event& each : events) {
            const bool hit = each.faults != before;
            before = each.faults;
            if (each.what == "open") may_be_poisoned = poisoned = false;
            may_be_poisoned |= hit;
            const bool refused = each.failure && *each.failure == errc::poisoned;
            const bool is_injected =
                each.failure && (*each.failure == what.answer.code ||
                                 (what.answer.carried_out && *each.failure == errc::corruption));
            if (each.failure && !is_injected && !(refused && may_be_poisoned)) {
                note(what, each.what + " answers " + name(*each.failure));
            }
            if (poisoned && !refused && each.what != "close") {
                note(what, each.what + " is not refused though a sync has failed");
            }
            if (hit && each.failure && each.what != "open" && poisons(what.kind)) poisoned = true;
        }
    }

    static bool poisons(call kind) {
        return kind == call::sync || kind == call::sync_map || kind == call::sync_directory;
    }
    static std::string name(errc code) { return coffer::make_error_code(code).message(); }

    void check_end(const injected& what, const point& end) {
        const judge verdicts(*of_, in_.chosen);
        if (auto bad = verdicts.examine(end.disk.process_killed(), *end.may.after_kill)) {
            note(what, "after a kill at the end: " + *bad);
        }
        const expectation& cut = *end.may.after_power_cut;
        if (scale() >= 1 || runs_ % 2 == 0)
            fail_again(what, "killed", end.disk.process_killed(), *end.may.after_kill, cut);
        if (scale() >= 1 || runs_ % 2 != 0)
            fail_again(what, "without power", end.disk.power_lost(), cut, cut);
        coffer::fs::crash_limits few;
        few.exhaustive = 3;
        few.pairs = few.random = 1;
        few.most = sanitized() ? 1 : 3;
        end.disk.for_each_crash_state(
            coffer::fs::crash_profile::p2, few,
            [&](const simulated& after, const std::string& subset) {
                if (auto bad = verdicts.examine(after, *end.may.after_power_cut)) {
                    note(what, "after a power cut at the end, on disk " + subset + ": " + *bad);
                }
            });
    }

    /// A call of the open that recovers `left` fails, too.
    void fail_again(const injected& what, const char* how, const simulated& left,
                    const expectation& may, const expectation& may_after_power_cut) {
        const proof::stopwatch watch;
        const judge verdicts(*of_, in_.chosen);
        const std::uint64_t all = calls_of_open(left.process_killed());
        const std::uint64_t step = scale() > 1 ? 1 : scale() == 1 ? 16 : all;
        std::uint64_t number = 1 + coffer::detail::mix(runs_, seed()) % (std::min)(step, all);
        for (; number <= all; number += step) {
            const simulated disk = left.process_killed();
            disk.fail_call(number, {errc::io_error, EIO, false, 0});
            const auto opened = verdicts.open(disk);
            disk.clear_faults();
            const std::string where =
                std::string(how) + ", and call " + std::to_string(number) + " of the open fails: ";
            if (!opened && opened.error().kind() != errc::io_error)
                note(what, where + opened.error().what());
            if (auto bad = verdicts.examine(disk.process_killed(), may)) note(what, where + *bad);
            if (auto bad = verdicts.examine(disk.power_lost(), may_after_power_cut))
                note(what, where + "then the power: " + *bad);
            ++again_;
        }
        again_seconds_ += watch.seconds();
    }

    [[nodiscard]] std::uint64_t calls_of_open(const simulated& disk) const {
        const std::uint64_t before = disk.calls();
        const auto opened = judge(*of_, in_.chosen).open(disk);
        return disk.calls() - before;
    }

    [[nodiscard]] std::string where(const injected& what) const {
        return of_->name + ": " + what.told();
    }
    void note(const injected& what, const std::string& violation) {
        violations_.add_case(where(what), violation);
    }

    const simulated_subject* of_;
    scene in_;
    proof::stopwatch watch_;
    std::uint64_t runs_ = 0;
    std::uint64_t played_ = 0;   // of these
    std::uint64_t reached_ = 0;  // of those, in which the call was made and failed
    std::uint64_t again_ = 0;  // recoveries of which a call fails
    double again_seconds_ = 0;
    proof::violations violations_;
};

}  // namespace

TEST_CASE("every call of file_log fails, once and for ever", "[crash]") {
    for (const auto& each : file_log_hash()) sweep(each).all();
    for (const auto& each : file_log_sorted()) sweep(each).all();
}

TEST_CASE("every call of mmap fails, once and for ever", "[crash]") {
    for (const auto& each : mmap_hash()) sweep(each).all();
    for (const auto& each : mmap_sorted()) sweep(each).all();
}
