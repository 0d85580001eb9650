// tests/crash/campaign.hpp: every crash of every short workload of one combination of policies.
//
//   for each workload (at most two operations of the alphabet, or as many as asked) in each scene
//     for each point (before each call that changes the disk, and after each operation)
//       P0   the process is killed
//       P1   the power fails on a disk that behaves as ext4 and xfs do
//       P2   the power fails on a disk that keeps no order between two syncs
//       P3   worse than a disk may do: an honest refusal counts as right
//         the store is opened on every state that this can leave, and judged
//
// A store is opened once on each image; under every further expectation what it held then is what is
// judged. The earlier operations' points are those of a shorter workload, so they are left to that
// one. A share of the images is also recovered with a crash at each step of the recovery, and that
// again: S2.
//
// COFFER_CRASH_SCALE  the share of the crash states that is built and judged, of P3 a fourth of it: 1
//                     is all of them, with every subset of up to twelve parts; more than 1 draws so
//                     many times as many subsets where there are too many for all. The default,
//                     0.03, is for every commit.
// COFFER_CRASH_OPERATIONS  how many operations a workload has at most; the default is 2.
// COFFER_CRASH_SEED   which images and subsets are drawn where not all of them are judged.
// COFFER_CRASH_ONLY   what a violation prints; does that one alone.
// COFFER_IMAGES       a folder, for the hashes of the images of each subject: scripts/proof counts
//                     those that differ among all.
#ifndef COFFER_TESTS_CRASH_CAMPAIGN_HPP
#define COFFER_TESTS_CRASH_CAMPAIGN_HPP

#include "crash/judge.hpp"
#include "crash/workload.hpp"
#include "proof.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace crash {

inline std::uint64_t seed() {
    static const std::uint64_t chosen = [] {
        const char* const text = std::getenv("COFFER_CRASH_SEED");
        return text != nullptr ? std::strtoull(text, nullptr, 10) : 20261121;
    }();
    return chosen;
}
/// What a violation printed, to be done alone; empty: everything.
inline std::string only() {
    const char* const chosen = std::getenv("COFFER_CRASH_ONLY");
    return chosen != nullptr ? chosen : "";
}

/// Of the images that are judged so many are recovered with crashes.
inline constexpr double share_interrupted = 0.003;

inline bool sanitized() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
    return __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
    return false;
#endif
}

inline double scale() {
    const char* const chosen = std::getenv("COFFER_CRASH_SCALE");
    return chosen != nullptr ? std::atof(chosen) : sanitized() ? 0.01 : 0.03;
}

inline std::size_t most_operations() {
    const char* const chosen = std::getenv("COFFER_CRASH_OPERATIONS");
    return chosen != nullptr ? static_cast<std::size_t>(std::atoi(chosen)) : 2;
}

/// Takes `share` of what it is asked about, by hash, so that a run can be repeated.
inline bool drawn(std::uint64_t hash, double share) {
    constexpr double all = 18446744073709551616.0;
    return share >= 1 || static_cast<double>(coffer::detail::mix(hash, seed())) < share * all;
}

struct tally {
    std::uint64_t workloads = 0;
    std::uint64_t points = 0;
    std::uint64_t images = 0;  // distinct ones that were judged, by hash
    std::uint64_t set = 0;     // all of those hashes as one: equal for equal sets
    std::uint64_t judged = 0;  // images, each under each of its expectations
    std::uint64_t again = 0;   // images judged of crashes during a recovery
    std::uint64_t worse = 0;   // images that may be refused
    std::uint64_t refused = 0;
    double seconds = 0;
    double again_seconds = 0;  // of these

    void tell(const std::string& name, std::uint64_t violations) const {
        const double rest = seconds - again_seconds;
        std::printf("%s: the set of images is %016llx\n", name.c_str(),
                    static_cast<unsigned long long>(set));
        proof::tell("S1 crash states", name, {images, "images", violations, rest, seed()});
        proof::tell("S1 crash states, each expectation", name,
                    {judged, "judgements", violations, rest, seed()});
        proof::tell("S2 crashes in recovery", name,
                    {again, "images", violations, again_seconds, seed()});
        std::printf("%s: of %llu that were worse than disks may be %llu were refused\n",
                    name.c_str(), static_cast<unsigned long long>(worse),
                    static_cast<unsigned long long>(refused));
    }
};

class campaign {
    enum class profile : unsigned char { p0, p1, p2, p3 };
    static constexpr std::string_view profile_names[] = {"p0", "p1", "p2", "p3"};

public:
    explicit campaign(const simulated_subject& of, double scale = crash::scale())
        : of_(&of), scale_(scale), only_(only()) {
        limits_.seed = seed();
        if (scale_ < 1) {
            limits_.exhaustive = 8;
            limits_.pairs = 40;
            limits_.random = 24;
        } else {
            limits_.random = static_cast<std::size_t>(256 * scale_);
        }
    }

    /// All workloads of at most `most` operations, of those for which `wanted(workload)`.
    template <class Wanted>
    void cover(const scene& in, std::size_t most, Wanted&& wanted) {
        const proof::stopwatch watch;
        workload none;
        extend(in, none, most, wanted);
        tally_.seconds += watch.seconds();
    }
    void cover(const scene& in, std::size_t most) {
        cover(in, most, [](const workload&) { return true; });
    }
    /// One workload, at all of its points.
    void cover(const scene& in, const workload& one) {
        const proof::stopwatch watch;
        all_failures(in, one, 0);
        tally_.seconds += watch.seconds();
    }

    [[nodiscard]] const tally& result() const noexcept { return tally_; }
    [[nodiscard]] const proof::violations& violations() const noexcept { return violations_; }
    /// The hashes of all images, for COFFER_IMAGES.
    void keep_images(const std::string& name) const {
        const char* const in = std::getenv("COFFER_IMAGES");
        if (in == nullptr) return;
        const std::vector<std::uint64_t> all(images_.begin(), images_.end());
        std::FILE* const to = std::fopen((std::string(in) + "/" + name).c_str(), "wb");
        const bool kept = to != nullptr && std::fwrite(all.data(), sizeof(all[0]), all.size(),
                                                       to) == all.size();
        if (to == nullptr || std::fclose(to) != 0 || !kept)
            throw std::runtime_error("cannot keep the hashes of " + name + " in " + in);
    }

private:
    /// `all`, and every workload that begins with it.
    template <class Wanted>
    void extend(const scene& in, workload& all, std::size_t most, Wanted& wanted) {
        if (wanted(all)) all_failures(in, all, all.size());
        if (all.size() == most) return;
        for (std::size_t next = 0; next < alphabet; ++next) {
            all.push_back(operation(next));
            extend(in, all, most, wanted);
            all.pop_back();
        }
    }

    /// With a sync to fail, once for each way in which a disk can fail it, and for the second sync
    /// too, because the next one may be of a file that has nothing to lose. F2 reports success, so
    /// that no store can keep its word without power; it may only not show what never was.
    void all_failures(const scene& in, const workload& all, std::size_t from) {
        using coffer::fs::sync_failure;
        struct mode {
            sync_failure is;
            const char* name;
        };
        bool fails = false;
        for (const operation each : all) fails |= each == operation::fail_next_sync;
        if (!fails) return play(in, all, from);
        for (const mode each :
             {mode{sync_failure::lost, "F1"}, mode{sync_failure::late, "F2"},
              mode{sync_failure::lost_with_size, "F3"}, mode{sync_failure::reverted, "F4"}}) {
            for (const std::uint64_t number : {1U, 2U}) {
                scene with = in;
                with.disk = in.disk.process_killed();
                with.disk.set_sync_failure(each.is);
                with.failing = number;
                with.reverts = each.is == sync_failure::reverted;
                with.lies = each.is == sync_failure::late;
                with.name += std::string(" ") + each.name + (number == 1 ? "" : " second");
                play(with, all, from);
            }
        }
    }

    void play(const scene& in, const workload& all, std::size_t from) {
        where_ = of_->name + "|" + in.name + "|" + told(all);
        if (!only_.empty() && only_.rfind(where_ + "|", 0) != 0) return;
        judge_ = judge(*of_, in.chosen);
        lies_ = in.lies;
        ++tally_.workloads;
        run played(*of_, in);
        played.play(all, from);
        for (const violation& each : played.violations()) {
            note("run", each.where, each.what);
        }
        tally_.points += played.points().size();
        for (std::size_t i = 0; i < played.points().size(); ++i) {
            const point& each = played.points()[i];
            for (const profile with : {profile::p0, profile::p1, profile::p2, profile::p3}) {
                crash_at(each, i, with);
            }
        }
    }

    void crash_at(const point& at, std::size_t number, profile with) {
        const std::string name =
            std::to_string(number) + "|" + std::string(profile_names[static_cast<unsigned>(with)]);
        if (!only_.empty() && only_.rfind(where_ + "|" + name + "|", 0) != 0) return;
        // Once a disk has lied an honest refusal is right there, too.
        const profile as = lies_ && at.faults != 0 ? profile::p3 : with;
        if (with == profile::p0) {
            consider(at.disk.process_killed(), at.may.after_kill, at, as, name + "|0",
                     "all that was written");
            return;
        }
        std::uint64_t count = 0;
        const auto& of = with == profile::p1   ? coffer::fs::crash_profile::p1
                         : with == profile::p2 ? coffer::fs::crash_profile::p2
                                               : coffer::fs::crash_profile::p3;
        coffer::fs::crash_limits limits = limits_;
        limits.share = with == profile::p3 ? scale_ / 4 : scale_;
        limits.seed += static_cast<std::uint64_t>(with);  // else P3 draws of what P2 has drawn
        if (with == profile::p3 && scale_ < 1)
            limits.exhaustive = 6, limits.pairs = limits.random = 16;
        at.disk.for_each_crash_state(
            of, limits, [&](const simulated& after, const std::string& subset) {
                consider(after, as == profile::p3 ? at.may.after_anything : at.may.after_power_cut,
                         at, as, name + "|" + std::to_string(count++), subset);
            });
    }

    void consider(const simulated& disk, const expected& may, const point& at, profile with,
                  const std::string& name, const std::string& subset) {
        // What a killed process leaves differs also by what of it is durable.
        const std::uint64_t durable = with == profile::p0 ? disk.power_lost().image_hash() : 0;
        const std::uint64_t image = disk.image_hash();
        const std::uint64_t hash = coffer::detail::mix(
            image ^ durable, may->hash() ^ static_cast<std::uint64_t>(with == profile::p3));
        if (only_.empty()) {
            if (!judged_.insert(hash).second) return;
        } else if (only_ != where_ + "|" + name) {
            return;
        }
        ++tally_.judged;
        if (images_.insert(image).second) {
            ++tally_.images;
            tally_.set += coffer::detail::mix(image, seed());
        }
        const std::string where = at.where + ", on disk: " + subset;
        if (with != profile::p3 && drawn(hash + 1, share_interrupted)) {
            const proof::stopwatch watch;
            interrupt(disk, may, with == profile::p0 ? at.may.after_power_cut : may, 3, name,
                      where);
            tally_.again_seconds += watch.seconds();
        }
        if (const auto bad = judged(disk, coffer::detail::mix(image, durable), *may, with)) {
            note(name, where, *bad);
        }
    }

    /// By a store that is opened on `disk`, unless one was on this `image` and nothing was wrong.
    judge::verdict judged(const simulated& disk, std::uint64_t image, const expectation& may,
                          profile with) {
        const bool refusable = with == profile::p3;
        tally_.worse += refusable;
        const auto knows = [&](const auto& outcomes) {
            const auto before = outcomes.find(image);
            if (before == outcomes.end()) return false;
            tally_.refused += !before->second;
            return !before->second || may.allows(*before->second);
        };
        if (only_.empty() && (knows(examined_) || (refusable && knows(survived_)))) return {};
        judge::outcome held;
        auto bad = refusable ? judge_.survive(disk, may, held)
                             : judge_.examine(disk, may, &held, image % 4 == 0 || !only_.empty());
        if (!bad) (refusable ? survived_ : examined_).emplace(image, held);
        tally_.refused += refusable && !bad && !held;
        return bad;
    }

    /// S2: opens a copy, with a crash at each step of that, and again in what such a crash left.
    void interrupt(const simulated& found, const expected& after_kill,
                   const expected& after_power_cut, unsigned generations, const std::string& name,
                   const std::string& where) {
        const std::vector<simulated> moments = steps_of_open(found.process_killed());
        for (std::size_t i = 0; i < moments.size(); ++i) {
            const std::string step = where + ", then at step " + std::to_string(i) + " of open";
            examine_again(moments[i].process_killed(), after_kill, name, step + ", killed");
            coffer::fs::crash_limits few = limits_;
            few.exhaustive = 5;
            few.pairs = few.random = 4;
            moments[i].for_each_crash_state(
                coffer::fs::crash_profile::p2, few,
                [&](const simulated& after, const std::string& subset) {
                    const std::uint64_t hash = after.image_hash();
                    if (!drawn(hash + 2, 0.1)) return;
                    const std::string cut = step + ", on disk: " + subset;
                    if (generations > 1 && drawn(hash + 3, 0.1)) {
                        interrupt(after, after_power_cut, after_power_cut, generations - 1, name,
                                  cut);
                    }
                    examine_again(after, after_power_cut, name, cut);
                });
        }
    }

    [[nodiscard]] std::vector<simulated> steps_of_open(const simulated& disk) const {
        std::mutex guard;
        std::vector<simulated> moments;
        disk.set_step_hook([&](const coffer::fs::step&) {
            const std::unique_lock<std::mutex> held(guard);
            moments.push_back(disk.process_killed());
        });
        auto opened = judge_.open(disk);
        disk.clear_step_hook();
        return moments;
    }

    void examine_again(const simulated& disk, const expected& may, const std::string& name,
                       const std::string& where) {
        const std::uint64_t hash = coffer::detail::mix(disk.image_hash(), may->hash());
        if (only_.empty() && !judged_.insert(hash).second) return;
        ++tally_.again;
        if (const auto bad = judge_.examine(disk, *may, nullptr, false)) note(name, where, *bad);
    }

    void note(const std::string& name, const std::string& where, const std::string& what) {
        std::string again = "COFFER_CRASH_SCALE=" + std::to_string(scale()) + " ";
        if (const char* set = std::getenv("COFFER_CRASH_OPERATIONS"))
            again += std::string("COFFER_CRASH_OPERATIONS=") + set + " ";
        again += "COFFER_CRASH_SEED=" + std::to_string(seed()) + " COFFER_CRASH_ONLY='" + where_ +
                 "|" + name + "'";
        violations_.add(again + ": " + where, what);
    }

    const simulated_subject* of_;
    double scale_;
    std::string only_;
    coffer::fs::crash_limits limits_;
    judge judge_{*of_, default_options()};
    std::unordered_set<std::uint64_t> judged_;  // images with expectations
    std::unordered_set<std::uint64_t> images_;
    std::unordered_map<std::uint64_t, judge::outcome> examined_;  // images, as a crash leaves them
    std::unordered_map<std::uint64_t, judge::outcome> survived_;  // of those that may be refused
    bool lies_ = false;  // the disk of the scene that is played
    std::string where_;
    tally tally_;
    proof::violations violations_;

    static const coffer::options& default_options() {
        static const coffer::options chosen;
        return chosen;
    }
};

}  // namespace crash

#endif
