// Suite S3, its second half: every call of an open fails, and every call of a close.
//
// Of stores that were closed, killed and without power, with everything that a crash leaves. For
// each call of their open one run in which that call fails, alone or with all that follow, and one
// for each call of the close of a store that was opened and written to. Whatever that leads to:
//
//   - the open shows what it shows without the failure, or answers the error that was injected; a
//     read that ends as if the file did is corruption or an error of the file system
//   - the next open shows it: nothing is lost by an open that failed, nor by a close
#include "catch.hpp"

#include "crash/campaign.hpp"
#include "crash/scenes.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace crash;
using coffer::errc;
using coffer::fs::call;
using coffer::fs::fault;

struct shape {
    std::string name;
    simulated disk;
    coffer::options chosen;
};

class sweep {
public:
    explicit sweep(const simulated_subject& of) : of_(&of) {}

    void all() {
        for (const shape& each : shapes()) {
            fail_each(each, "open", of_->open);
            fail_each(each, "open for reading", of_->open_read_only);
            fail_closes(each);
        }
        proof::tell("S3 failing calls of open and close", of_->name,
                    {runs_, "runs", violations_.count(), watch_.seconds(), 0});
        for (const std::string& each : violations_.told()) UNSCOPED_INFO(each);
        CHECK(violations_.count() == 0);
        CHECK((failed_ > 0 || !proof::only().empty()));
    }

private:
    using opening = simulated_subject::answer (*)(const std::string&, const coffer::options&,
                                                  simulated);

    [[nodiscard]] std::vector<shape> shapes() const {
        const scene closed = closed_scene(*of_);
        const scene killed = killed_scene(*of_);
        coffer::options with_room = closed.chosen;
        with_room.min_free_bytes = 1;
        std::vector<shape> out{
            {"closed", closed.disk.process_killed(), closed.chosen},
            {"closed, on the next boot", closed.disk.power_lost(), with_room},
            {"killed", killed.disk.process_killed(), with_room},
            {"large", large_disk(), coffer::options()},
        };
        add_crashes(closed, out);
        return out;
    }

    /// Large enough for an image of its index, and used after it was closed.
    [[nodiscard]] simulated large_disk() const {
        const simulated disk(1);
        for (int run = 0; run < 2; ++run) {
            auto store = of_->open(folder, coffer::options(), disk).value();
            for (int i = 0; i < 12; ++i) {
                store->put("key " + std::to_string(run + i), std::string(100'000, 'v')).value();
            }
            store->close().value();
        }
        return disk.process_killed();
    }

    /// What crashes leave of a workload that fills segments and cleans them.
    void add_crashes(const scene& in, std::vector<shape>& out) const {
        run played(*of_, in);
        played.play({operation::put_large, operation::batch, operation::put_large, operation::sync,
                     operation::overwrite, operation::compact, operation::put_small},
                    5);
        coffer::fs::crash_limits few;
        few.exhaustive = 2;
        few.pairs = few.random = 2;
        std::vector<shape> found;
        for (const point& each : played.points()) {
            each.disk.for_each_crash_state(
                coffer::fs::crash_profile::p2, few,
                [&](const simulated& after, const std::string& subset) {
                    found.push_back({each.where + ", on disk: " + subset, after, in.chosen});
                });
        }
        constexpr std::size_t kept = 20;
        for (std::size_t i = 0; i < kept && !found.empty(); ++i) {
            out.push_back(std::move(found[i * found.size() / kept]));
        }
    }

    void fail_each(const shape& in, const char* how, opening open) {
        const simulated clean = in.disk.process_killed();
        clean.set_traced(true);
        auto store = open(folder, in.chosen, clean);
        const std::vector<coffer::fs::step> calls = clean.take_trace();
        if (!store) return note(in, how, {}, store.error().what());
        const contents held = (*store)->all().value();
        store->reset();
        for (std::size_t i = 0; i < calls.size(); ++i) {
            if (calls[i].is == call::stored) continue;
            for (const fault& answer : faults) {
                fail(in, how, open, {i + 1, calls[i].is, answer}, held);
            }
            if (calls[i].is != call::read) continue;
            for (const std::uint64_t some : {std::uint64_t{0}, calls[i].length / 2}) {
                fail(in, how, open, {i + 1, calls[i].is, fault::shortened(some)}, held);
            }
        }
    }

    /// A put, and a close in which a call fails: what was there is there, and the put unless it was
    /// still in memory.
    void fail_closes(const shape& in) {
        std::size_t calls = 1;
        for (std::size_t number = 1; number <= calls; ++number) {
            for (const fault& answer : faults) {
                ++runs_;
                const simulated disk = in.disk.process_killed();
                auto store = of_->open(folder, in.chosen, disk).value();
                contents held = store->all().value();
                store->put("at the end", "a value").value();
                disk.set_traced(true);
                disk.fail_call(number, answer);
                auto closed = store->close();
                disk.clear_faults();
                const std::vector<coffer::fs::step> seen = disk.take_trace();
                calls = (std::max)(calls, seen.size());
                if (number > seen.size()) continue;
                const injected what{number, seen[number - 1].is, answer};
                if (!closed) {
                    ++failed_;
                    const errc kind = closed.error().kind();
                    if (kind != answer.code && kind != errc::poisoned) {
                        note(in, "close", what, closed.error().what());
                    }
                }
                store.reset();
                auto again = of_->open(folder, in.chosen, disk.process_killed());
                if (!again) {
                    note(in, "close", what, std::string("afterwards: ") + again.error().what());
                    continue;
                }
                const contents found = (*again)->all().value();
                const bool without = found == held;
                held["at the end"] = "a value";
                if (found != held && (closed || of_->keeps_after_kill() || !without)) {
                    note(in, "close", what, "something else afterwards");
                }
            }
        }
    }

    static constexpr fault faults[] = {{errc::io_error, EIO},
                                       {errc::io_error, EIO, true},
                                       {errc::no_space, ENOSPC},
                                       {errc::permission_denied, EACCES}};

    struct injected {
        std::size_t number;
        call is;
        fault answer;
    };

    void fail(const shape& in, const char* how, opening open, const injected& what,
              const contents& held) {
        ++runs_;
        if (!proof::is_asked([&] { return where(in, how, what); })) return;
        const simulated disk = in.disk.process_killed();
        disk.fail_call(what.number, what.answer);
        auto store = open(folder, in.chosen, disk);
        disk.clear_faults();
        if (store) {
            const auto found = (*store)->all();
            if (!found || *found != held) note(in, how, what, "another answer");
        } else {
            ++failed_;
            const errc kind = store.error().kind();
            if (kind != what.answer.code &&
                !(what.answer.carried_out && kind == errc::corruption)) {
                note(in, how, what, store.error().what());
            }
        }
        auto again = of_->open(folder, in.chosen, disk.process_killed());  // beside the first
        if (!again) return note(in, how, what, std::string("afterwards: ") + again.error().what());
        const auto found = (*again)->all();
        if (!found || *found != held) note(in, how, what, "something else afterwards");
    }

    [[nodiscard]] std::string where(const shape& in, const char* how, const injected& what) const {
        return of_->name + ", " + in.name + ": " + how + ", call " + std::to_string(what.number) +
               ", " + name_of(what.is) +
               (what.answer.carried_out
                    ? ", ends after " + std::to_string(what.answer.length) + " bytes"
                    : std::string(what.answer.lasting ? ", with all that follow" : "") +
                          ", fails with " + coffer::make_error_code(what.answer.code).message());
    }
    void note(const shape& in, const char* how, const injected& what, const std::string& bad) {
        violations_.add_case(where(in, how, what), bad);
    }

    const simulated_subject* of_;
    proof::stopwatch watch_;
    std::uint64_t runs_ = 0;
    std::uint64_t failed_ = 0;
    proof::violations violations_;
};

}  // namespace

TEST_CASE("every call of an open and a close of file_log fails", "[crash]") {
    for (const auto& each : file_log_hash()) sweep(each).all();
    for (const auto& each : file_log_sorted()) sweep(each).all();
}

TEST_CASE("every call of an open and a close of mmap fails", "[crash]") {
    for (const auto& each : mmap_hash()) sweep(each).all();
    for (const auto& each : mmap_sorted()) sweep(each).all();
}
