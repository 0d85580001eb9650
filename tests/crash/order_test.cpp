// Suite S17: what must be durable before what, watched call by call in every short workload.
//
//   W1  a file gets the name STORE or INDEX only when its bytes are durable
//   W2  a segment is removed only when the note of it is durable, and everything before that note;
//       but an open may remove what it has written again
//   W3  no segment is synced while an older one still has bytes that are not durable; but a tail
//       that open() writes again replaces the older ones
//   W4  a segment's name is new: larger than every name before
//   W5  bytes that were written to a segment are neither changed nor cut away; but a header comes
//       last when open() writes a tail again
//   W6  under `sync`, when a write has returned, its bytes, its segment's name and STORE are
//       durable
//
// That no reader sees a write of `sync` before it is durable is what tests/schedules shows.
#include "catch.hpp"

#include "crash/campaign.hpp"
#include "crash/scenes.hpp"

#include <coffer/format/identity.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>
#include <coffer/journal/segment_scan.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace crash;
using coffer::fs::call;
using coffer::fs::step;

std::uint64_t segment_of(const std::string& path) {
    return coffer::detail::segment_id_of(path.substr(path.rfind('/') + 1));
}

/// The segment among whose durable bytes is a drop record of segment `id`; 0: there is none.
std::uint64_t durable_drop_of(const simulated& disk, std::uint64_t id) {
    using namespace coffer::detail;
    const simulated left = disk.power_lost();
    const auto self = left.read_file("/s/STORE");
    if (!self) return 0;
    const store_id store = read_identity(*self, "").value().id;
    for (const std::string& path : left.files()) {
        const std::uint64_t segment = segment_of(path);
        if (segment == 0 || segment == id) continue;
        const auto held = left.read_file(path).value();
        const std::uint64_t own_seed = segment_seed(store.low, store.high, segment);
        record found;
        for (std::size_t at = header_unit; at < held.size(); at += offset_unit) {
            if (read_record(held.data() + at, held.data() + held.size(), own_seed, at, found) &&
                found.type == record_type::drop &&
                load_le<std::uint64_t>(found.value.data()) == id) {
                return segment;
            }
        }
    }
    return 0;
}

/// Are all segments before `note` durable, but for `gone`?
bool is_durable_before(const simulated& disk, std::uint64_t note, std::uint64_t gone) {
    for (const std::string& path : disk.files()) {
        const std::uint64_t each = segment_of(path);
        if (each != 0 && each != gone && each < note && disk.unsynced_bytes(path) != 0)
            return false;
    }
    return true;
}

class watch {
public:
    explicit watch(const simulated_subject& of) : of_(&of) {}

    void before(const step& next, const simulated& disk) {
        const std::unique_lock<std::mutex> held(guard_);
        const std::uint64_t segment = segment_of(next.path);
        check_written_again(disk);
        if (next.is == call::rename) {
            const auto bytes = disk.read_file(next.path);
            need(bytes && disk.is_durable(next.path, 0, bytes->size()), "W1", next);
        }
        if (segment == 0) return;
        if (next.is == call::create) {
            need(segment > newest_, "W4", next);
            newest_ = segment;
        }
        if (next.is == call::remove && has_bytes(disk, next.path)) {
            const std::uint64_t note = durable_drop_of(disk, segment);
            need((note != 0 && is_durable_before(disk, note, segment)) || in_open_, "W2", next);
        }
        if (next.is == call::sync || next.is == call::sync_map) {
            for (const std::string& path : disk.files()) {
                const std::uint64_t other = segment_of(path);
                if (other == 0 || other >= segment) continue;
                need(disk.unsynced_bytes(path) == 0 || in_open_, "W3", next);
            }
        }
        if (next.is == call::write || next.is == call::stored) {
            const bool header = next.offset == 0 && in_open_;
            if (next.offset < written_[segment] && !header) again_ = {next, bytes_at(disk, next)};
            written_[segment] = (std::max)(written_[segment], next.offset + next.length);
        }
        if (next.is == call::resize) need(next.offset >= written_[segment], "W5", next);
    }

    void after_write(const simulated& disk) {
        if (of_->policy != durable::sync) return;
        const std::unique_lock<std::mutex> held(guard_);
        need(disk.is_durable("/s/STORE"), "W6", returned("/s/STORE"));
        for (const std::string& path : disk.files()) {
            if (segment_of(path) == 0 || !has_bytes(disk, path)) continue;
            need(disk.unsynced_bytes(path) == 0 && disk.is_name_durable(path), "W6",
                 returned(path));
        }
    }

    void set_in_open(bool on) {
        const std::unique_lock<std::mutex> held(guard_);
        in_open_ = on;
    }
    /// Segments that were there before; zeros at their ends are room that was reserved.
    void know(const simulated& disk) {
        for (const std::string& path : disk.files()) {
            newest_ = (std::max)(newest_, segment_of(path));
            const auto held = disk.read_file(path);
            if (held) written_[segment_of(path)] = coffer::detail::size_without_zeros(*held);
        }
    }

    [[nodiscard]] const std::vector<std::string>& broken() const noexcept { return broken_; }

private:
    static bool has_bytes(const simulated& disk, const std::string& path) {
        const auto held = disk.read_file(path);
        return held && std::any_of(held->begin(), held->end(),
                                   [](std::byte each) { return each != std::byte{0}; });
    }

    static std::vector<std::byte> bytes_at(const simulated& disk, const step& at) {
        auto held = disk.read_file(at.path).value_or(std::vector<std::byte>());
        held.resize((std::max)(held.size(), static_cast<std::size_t>(at.offset + at.length)));
        const auto from = held.begin() + static_cast<std::ptrdiff_t>(at.offset);
        return {from, from + static_cast<std::ptrdiff_t>(at.length)};
    }

    /// What was written over other bytes left them as they were.
    void check_written_again(const simulated& disk) {
        if (!again_) return;
        need(bytes_at(disk, again_->first) == again_->second, "W5", again_->first);
        again_.reset();
    }

    /// For W6: the call is over, and this file should have been durable.
    static step returned(const std::string& path) { return {call::write, path, {}, 0, 0}; }

    void need(bool holds, const char* rule, const step& at) {
        if (holds) return;
        broken_.push_back(std::string(rule) + " broken by " + name_of(at.is) + " " + at.path +
                          " [" + std::to_string(at.offset) + ", +" + std::to_string(at.length) +
                          ")");
    }

    const simulated_subject* of_;
    std::mutex guard_;
    std::uint64_t newest_ = 0;
    std::map<std::uint64_t, std::uint64_t> written_;  // segment: end of what was written
    std::optional<std::pair<step, std::vector<std::byte>>> again_;  // and what was there before
    bool in_open_ = false;
    std::vector<std::string> broken_;
};

struct counts {
    std::uint64_t calls = 0;
    std::uint64_t broken = 0;
};

void watch_one(const simulated_subject& of, const scene& in, const workload& all, counts& sum) {
    const auto where = [&] { return of.name + "|" + in.name + "|" + told(all); };
    if (!proof::is_asked(where)) return;
    run played(of, in);
    watch rules(of);
    rules.know(in.disk);
    played.watch_steps([&](const step& next, const simulated& disk) {
        rules.set_in_open(played.is_opening());
        rules.before(next, disk);
    });
    played.watch_writes([&](const simulated& disk) { rules.after_write(disk); });
    played.play(all, all.size() + 2);
    sum.calls += played.disk().steps();
    sum.broken += rules.broken().size();
    for (const std::string& each : rules.broken()) {
        UNSCOPED_INFO("COFFER_ONLY='" + where() + "': " + each);
    }
    CHECK(rules.broken().empty());
}

void watch_all(const simulated_subject& of) {
    const proof::stopwatch taken;
    counts sum;
    const scene scenes[] = {closed_scene(of), closed_scene(of, 7000), killed_scene(of)};
    watch_one(of, empty_scene(), {operation::put_small}, sum);
    for (const scene& in : scenes) {
        for (std::size_t first = 0; first < alphabet; ++first) {
            for (std::size_t second = 0; second < alphabet; ++second) {
                watch_one(of, in, {operation(first), operation(second)}, sum);
            }
        }
    }
    proof::tell("S17 order of writes", of.name,
                {sum.calls, "calls that change the disk", sum.broken, taken.seconds(), 0});
}

}  // namespace

TEST_CASE("nothing is written, renamed or removed before what it needs is durable", "[crash]") {
    for (const simulated_subject& each : every_subject()) watch_all(each);
}
