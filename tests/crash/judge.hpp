// tests/crash/judge.hpp: is this disk one that the contract allows?
//
// A judge opens a store on a disk that came out of a crash and holds it against an expectation:
//
//   1  it opens, by itself, and what it holds is allowed; every way to read it agrees, and what was
//      cut off is kept aside
//   2  a reader that opened it before shows the same, and has changed nothing
//   3  a second crash straight after leaves the same (and under `sync`, a power cut does)
//   4  it takes a write, and a crash then leaves what the policy promises of both
//   5  it closes, and holds exactly both when the power fails after that
//   6  nothing lies about in the folder that belongs to nothing
//
// Where damage goes beyond what a disk may do, a typed refusal is as good as a right answer, and any
// earlier state is one: what a disk makes zeros of at the end of the log leaves no trace. R6.
#ifndef COFFER_TESTS_CRASH_JUDGE_HPP
#define COFFER_TESTS_CRASH_JUDGE_HPP

#include "crash/oracle.hpp"
#include "crash/workload.hpp"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace crash {

class judge {
public:
    using verdict = std::optional<std::string>;    // empty: as it should be
    using outcome = std::optional<std::uint64_t>;  // the digest of what is held; empty: refused

    judge(const simulated_subject& of, const coffer::options& chosen)
        : of_(&of), chosen_(&chosen) {}

    [[nodiscard]] simulated_subject::answer open(const simulated& disk) const {
        return of_->open(folder, *chosen_, disk);
    }

    /// 1 to 6, or all but 2 and 4. The disk is used up.
    [[nodiscard]] verdict examine(const simulated& disk, const expectation& may,
                                  outcome* found = nullptr, bool thorough = true) const {
        const simulated before = thorough ? disk.process_killed() : disk;
        auto opened = open(disk);
        if (!opened) return std::string("open: ") + opened.error().what();
        contents held;
        if (auto bad = read(**opened, may, held)) return bad;
        if (auto bad = keeps_aside(disk, (*opened)->recovery())) return bad;
        if (found != nullptr) *found = digest(held);
        if (auto bad = crash_again(disk, held)) return bad;
        if (thorough) {
            if (auto bad = shown_to_readers(before, held, (*opened)->recovery().created))
                return bad;
        }
        return go_on(disk, std::move(*opened), std::move(held), thorough);
    }

    /// R6: refused, or one of `may`, and every way to read it agrees.
    [[nodiscard]] verdict survive(const simulated& disk, const expectation& may,
                                  outcome& found) const {
        found = {};
        auto opened = open(disk);
        if (!opened) return refused(opened.error(), "open");
        auto held = (*opened)->all();
        if (!held) return refused(held.error(), "reading everything");
        if (!may.allows(*held)) return "holds " + told(*held) + ", expected " + may.told();
        if (auto bad = agrees(**opened, *held)) return bad;
        auto checked = (*opened)->verify();
        if (!checked) return refused(checked.error(), "verify");
        found = digest(*held);
        return {};
    }

    /// By a store that then ends as a killed process does: `exactly` this, or `else_this`.
    [[nodiscard]] verdict holds(const simulated& disk, const contents& exactly,
                                const contents* else_this = nullptr) const {
        auto opened = open(disk);
        if (!opened) return std::string("open: ") + opened.error().what();
        auto found = (*opened)->all();
        if (!found) return std::string("reading everything: ") + found.error().what();
        if (*found == exactly || (else_this != nullptr && *found == *else_this)) return {};
        return "holds " + told(*found) + ", expected " + told(exactly);
    }

private:
    [[nodiscard]] static verdict refused(const coffer::error& cause, const char* doing) {
        if (cause.kind() == coffer::errc::corruption || cause.kind() == coffer::errc::io_error)
            return {};
        return std::string(doing) + ": neither corruption nor an I/O error: " + cause.what();
    }

    [[nodiscard]] static verdict read(opened& store, const expectation& may, contents& held) {
        auto found = store.all();
        if (!found) return std::string("reading everything: ") + found.error().what();
        held = std::move(*found);
        if (!may.allows(held)) return "holds " + told(held) + ", expected " + may.told();
        if (auto bad = agrees(store, held)) return bad;
        auto checked = store.verify();
        if (!checked) return std::string("verify: ") + checked.error().what();
        if (!checked->ok()) return "verify() finds damage";
        return {};
    }

    /// What a walk has shown, get() and size() say, too.
    [[nodiscard]] static verdict agrees(opened& store, const contents& held) {
        if (store.size() != held.size()) return "size() is " + std::to_string(store.size());
        for (const char* key : {"a", "b", "c", "", "large", "small0", "twice", "absent"}) {
            auto got = store.get(key);
            if (!got) return std::string("get: ") + got.error().what();
            const auto at = held.find(key);
            if (got->has_value() != (at != held.end()) || (*got && **got != at->second)) {
                return std::string("get and the walk differ about ") + key;
            }
        }
        return {};
    }

    /// R7, of what an open has cut off.
    [[nodiscard]] static verdict keeps_aside(const simulated& disk,
                                             const coffer::recovery_report& report) {
        if (report.dropped_bytes == 0) return {};
        if (!disk.read_file(report.kept_aside))
            return "what was cut off is not kept aside: " + report.kept_aside;
        std::uint64_t kept = 0;  // a file for each segment that was cut
        for (const std::string& path : disk.files()) {
            if (path.find("/torn-") != std::string::npos) kept += disk.read_file(path)->size();
        }
        if (kept >= report.dropped_bytes) return {};
        return "of " + std::to_string(report.dropped_bytes) + " bytes that were cut off " +
               std::to_string(kept) + " are kept aside";
    }

    /// Who only reads sees of `disk` what the writer's open found, `created` or not.
    [[nodiscard]] verdict shown_to_readers(const simulated& disk, const contents& held,
                                           bool created) const {
        const std::uint64_t before = disk.image_hash();
        {
            auto reader = of_->open_read_only(folder, *chosen_, disk);
            if (!reader) {
                if (created && reader.error().kind() == coffer::errc::not_found) return {};
                return std::string("open for reading: ") + reader.error().what();
            }
            auto found = (*reader)->all();
            if (!found) return std::string("reading everything: ") + found.error().what();
            if (created || *found != held)
                return "shows " + told(*found) + " to readers, and to a writer " + told(held);
        }
        if (disk.image_hash() != before) return "an open for reading has changed the disk";
        return {};
    }

    /// R5.
    [[nodiscard]] verdict crash_again(const simulated& disk, const contents& held) const {
        if (auto bad = holds(disk.process_killed(), held)) return "killed after open, " + *bad;
        if (!of_->keeps_after_power_cut()) return {};
        if (auto bad = holds(disk.power_lost(), held)) return "power lost after open, " + *bad;
        return {};
    }

    /// R1 and R2 of a crash after recovery and one write.
    [[nodiscard]] verdict crash_behind_write(const simulated& disk, const contents& before,
                                             const contents& after) const {
        const contents* const lost = of_->keeps_after_kill() ? nullptr : &before;
        if (auto bad = holds(disk.process_killed(), after, lost))
            return "killed after recovery and a write, " + *bad;
        if (!of_->keeps_after_power_cut()) return {};
        if (auto bad = holds(disk.power_lost(), after))
            return "power lost after recovery and a write, " + *bad;
        return {};
    }

    [[nodiscard]] verdict go_on(const simulated& disk, std::unique_ptr<opened> store, contents held,
                                bool thorough) const {
        const contents before = held;
        auto put = store->put("after", "the crash");
        if (!put) return std::string("put after recovery: ") + put.error().what();
        held["after"] = "the crash";
        if (thorough) {
            if (auto bad = crash_behind_write(disk, before, held)) return bad;
        }
        auto closed = store->close();
        if (!closed) return std::string("close after recovery: ") + closed.error().what();
        store.reset();
        const simulated cut = disk.power_lost();
        auto again = open(cut);
        if (!again) return std::string("open after a clean close: ") + again.error().what();
        if (!(*again)->recovery().clean) return "a clean close is not recognised";
        auto found = (*again)->all();
        if (!found) return std::string("reading after a clean close: ") + found.error().what();
        if (*found != held) {
            return "holds " + told(*found) + " after a clean close, expected " + told(held);
        }
        return tidy(cut, (*again)->stats());
    }

    /// R7.
    [[nodiscard]] static verdict tidy(const simulated& disk, const coffer::store_stats& shown) {
        std::uint64_t segments = 0;
        for (const std::string& path : disk.files()) {
            if (path.ends_with(".new")) return "left a temporary file: " + path;
            if (path.ends_with(".log")) ++segments;
        }
        if (segments == shown.segments) return {};
        return "there are " + std::to_string(segments) + " segment files, and " +
               std::to_string(shown.segments) + " segments in the log";
    }

    const simulated_subject* of_;
    const coffer::options* chosen_;
};

}  // namespace crash

#endif
