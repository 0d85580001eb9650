// tests/crash/salvaging.hpp: what salvage is to bring back from a damaged store, and to say of it.
//
//   every record whose bytes are what they were is done again, in order, and nothing else is
//   every other one is in a stretch that is reported, but where the log may have ended before it
//   what no damage touched is not reported
//   the damaged folder is left as it is
#ifndef COFFER_TESTS_CRASH_SALVAGING_HPP
#define COFFER_TESTS_CRASH_SALVAGING_HPP

#include "crash/past.hpp"
#include "crash/subject.hpp"
#include "store/placed_records.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace crash {

class salvaging {
    using files = std::map<std::string, std::vector<std::byte>>;

public:
    salvaging(const simulated_subject& of, const past& in)
        : of_(&of),
          chosen_(in.chosen),
          sound_(files_of(in.disk)),
          log_(placed::records_of(in.disk, folder)) {
        REQUIRE(placed::without(log_, [](const placed::record&) { return false; }) == in.held);
    }

    /// Is a change not what it was, although a record behind it is? A mark may be no part of the log
    /// any more: the next segment goes on where it began.
    [[nodiscard]] bool has_hole(const simulated& damaged) const {
        const std::vector<bool> hit = hits(files_of(damaged));
        std::size_t first = 0;
        while (first < hit.size() && !(hit[first] && changes(log_[first]))) ++first;
        return std::find(hit.begin() + static_cast<std::ptrdiff_t>(first), hit.end(), false) !=
               hit.end();
    }

    /// Empty: right.
    [[nodiscard]] std::optional<std::string> judge(const simulated& damaged) const {
        const files before = files_of(damaged);
        const std::vector<bool> hit = hits(before);
        auto told = of_->salvage(folder, saved, chosen_, damaged);
        if (files after = files_of(damaged); after != before)
            return "salvage changes the old store";
        if (!told) {
            if (may_refuse(before, hit) && told.error().kind() == coffer::errc::corruption)
                return {};
            return std::string("salvage: ") + told.error().what();
        }
        if (auto bad = judge_contents(damaged, *told, hit)) return bad;
        return judge_report(*told, before, hit);
    }

private:
    static constexpr const char* saved = "/new";

    /// Of the old store what salvage reads: what else there is says nothing of its records.
    static files files_of(const simulated& disk) {
        files out;
        for (const std::string& path : disk.files()) {
            if (is_log(path) || is_identity(path)) out.emplace(path, disk.read_file(path).value());
        }
        return out;
    }
    static bool is_log(const std::string& path) {
        return path.starts_with(folder) && path.ends_with(coffer::detail::log_suffix);
    }
    static bool is_identity(const std::string& path) {
        return path.starts_with(folder) && path.ends_with(coffer::detail::store_name);
    }

    [[nodiscard]] std::vector<bool> hits(const files& now) const {
        std::vector<bool> out;
        for (const placed::record& each : log_) out.push_back(!is_whole(each, now));
        return out;
    }
    static bool changes(const placed::record& each) {
        using coffer::detail::record_type;
        return each.type == record_type::put || each.type == record_type::erase ||
               each.type == record_type::clear;
    }
    [[nodiscard]] bool is_whole(const placed::record& each, const files& now) const {
        const auto file = now.find(each.path);
        return file != now.end() && file->second.size() >= each.end &&
               same(each.path, file->second, each.begin, each.end);
    }
    [[nodiscard]] bool same(const std::string& path, const std::vector<std::byte>& now,
                            std::uint64_t begin, std::uint64_t end) const {
        const std::vector<std::byte>& was = sound_.at(path);
        return was.size() >= end && std::equal(was.begin() + static_cast<std::ptrdiff_t>(begin),
                                               was.begin() + static_cast<std::ptrdiff_t>(end),
                                               now.begin() + static_cast<std::ptrdiff_t>(begin));
    }

    /// When no record is left, or nothing from which their checks follow.
    [[nodiscard]] bool may_refuse(const files& now, const std::vector<bool>& hit) const {
        if (std::find(hit.begin(), hit.end(), false) == hit.end()) return true;
        return std::all_of(now.begin(), now.end(), [&](const auto& each) {
            const std::size_t size =
                is_log(each.first) ? coffer::detail::header_unit : sound_.at(each.first).size();
            return each.second.size() < size || !same(each.first, each.second, 0, size);
        });
    }

    [[nodiscard]] std::optional<std::string> judge_contents(const simulated& disk,
                                                            const coffer::salvage_report& told,
                                                            const std::vector<bool>& hit) const {
        auto store = of_->open(saved, chosen_, disk);
        if (!store) return std::string("what was salvaged: ") + store.error().what();
        auto found = (*store)->all();
        if (!found) return std::string("what was salvaged: ") + found.error().what();
        if (told.entries != found->size()) return "salvage tells of another number of entries";
        // A commit may be without its end because it was never finished: then it is not done.
        std::size_t unfinished = log_.size();
        while (unfinished > 0 && hit[unfinished - 1]) --unfinished;
        while (unfinished > 0 && !hit[unfinished - 1] && log_[unfinished - 1].more) --unfinished;
        const auto number = [&](const placed::record& each) {
            return static_cast<std::size_t>(&each - log_.data());
        };
        const contents all = placed::without(
            log_, [&](const placed::record& each) -> bool { return hit[number(each)]; });
        if (*found == all) return {};
        const contents finished = placed::without(log_, [&](const placed::record& each) {
            return hit[number(each)] || number(each) >= unfinished;
        });
        if (*found == finished) return {};
        return "salvage brings back " + crash::told(*found) + ", not " + crash::told(all);
    }

    [[nodiscard]] std::optional<std::string> judge_report(const coffer::salvage_report& told,
                                                          const files& now,
                                                          const std::vector<bool>& hit) const {
        bool follows = false;  // a record that is whole
        for (std::size_t i = log_.size(); i-- > 0;) {
            follows = follows || !hit[i];
            if (hit[i] && follows && !reports(told, log_[i]))
                return "salvage does not report what is lost at " + log_[i].path + " " +
                       std::to_string(log_[i].begin);
        }
        const bool untouched = now == sound_;
        if (untouched && !(told.ok() && told.losses.empty()))
            return "salvage reports what is sound";
        return {};
    }
    static bool reports(const coffer::salvage_report& told, const placed::record& lost) {
        const auto& gone = told.missing;
        return std::find(gone.begin(), gone.end(), lost.segment) != gone.end() ||
               std::any_of(told.losses.begin(), told.losses.end(), [&](const auto& each) {
                   return each.segment == lost.segment && each.begin < lost.end &&
                          each.end > lost.begin && !each.at_end;
               });
    }

    const simulated_subject* of_;
    coffer::options chosen_;
    files sound_;
    std::vector<placed::record> log_;
};

}  // namespace crash

#endif
