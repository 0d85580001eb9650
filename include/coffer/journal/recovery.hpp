// coffer/journal/recovery.hpp: what a folder holds, and where its log ends.
//
// survey() reads names, headers and the unsealed tail, and changes no file. It finds the chain of
// segments that hang together, the end of the last whole commit in it, and the highest place that
// any mark or header calls durable; from these it tells a torn tail from damage:
//
//   nothing beyond the end was ever durable  ->  torn tail: the log ends there
//   something was                            ->  errc::corruption, and no file is touched
//   a block cannot be read                   ->  errc::io_error, and no file is touched
//
// R1  A segment continues the log only if its header names the place where the one before it ends.
// R2  Every live segment (listed by the first header of the tail, less later drop records) exists.
// R3  A segment below the tail ends with a mark at the end of its file, and there its successor
//     goes on if it is still there; or it ends where the last header that lists it says that a
//     crash cut it.
// R4  Zeros behind the end are room that was reserved; they are no sign of damage by themselves.
//
// Cost: one read of the tail segments; of the others a header and the last bytes.
#ifndef COFFER_JOURNAL_RECOVERY_HPP
#define COFFER_JOURNAL_RECOVERY_HPP

#include <coffer/core/result.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>
#include <coffer/format/segment_header.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/found_segment.hpp>
#include <coffer/journal/segment_file.hpp>
#include <coffer/journal/segment_scan.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace coffer::detail {

/// A segment file that is not part of the log.
struct dead_segment {
    std::uint64_t id = 0;
    bool torn = false;   // cut off by a crash, and not empty: kept aside
    bool blank = false;  // prepared, and never part of the log
};

struct survey_result {
    std::vector<found_segment> live;  // by id; the last ones are the tail
    position end;                     // behind the last whole commit
    position durable;                 // below here everything is known to be durable
    std::uint64_t commits = 0;        // up to `end`
    std::uint64_t next_id = 1;        // above every id in the folder
    std::uint64_t walked_from = 0;    // every record of the segments from this id on was checked
    bool clean = false;               // the log ends with an end record
    std::uint64_t torn_bytes = 0;     // behind `end`, without zeros at the very end
    std::vector<dead_segment> dead;   // files that are not part of the log
    std::vector<std::string> temporaries;
};

template <file_system FS>
class surveyor {
    struct candidate {
        std::uint64_t id;
        std::uint64_t size;
        bool born;  // has a valid header
        segment_header header;
    };

public:
    surveyor(typename FS::directory& folder, const store_id& store)
        : folder_(&folder), store_(store), scan_(folder, store) {}

    [[nodiscard]] result<survey_result> survey() {
        if (auto done = read_names(); !done) return done.failure();
        if (auto done = read_headers(); !done) return done.failure();
        const auto newest = std::find_if(candidates_.rbegin(), candidates_.rend(),
                                         [](const candidate& each) { return each.born; });
        if (newest == candidates_.rend()) {
            return fail(errc::corruption,
                        "the folder has an identity but no readable segment; "
                        "restore the segment files from a copy of the store",
                        folder_->path());
        }
        if (auto done = walk_chain(*newest); !done) return done.failure();
        if (auto done = judge_rest(); !done) return done.failure();
        if (auto done = list_live(); !done) return done.failure();
        return std::move(out_);
    }

    /// The scanner, for replaying what survey() found.
    [[nodiscard]] segment_scanner<FS>& scanner() noexcept { return scan_; }

private:
    [[nodiscard]] failure damaged(std::string sentence, std::uint64_t id,
                                  std::uint64_t offset) const {
        return fail(errc::corruption,
                    sentence.append("; nothing was changed: restore the file from a copy, or save "
                                    "what is left with coffer::salvage"),
                    std::string(folder_->path()).append("/").append(segment_name(id)), 0, offset);
    }

    [[nodiscard]] result<void> read_names() {
        auto names = folder_->list();
        if (!names) return names.failure();
        for (std::string& name : *names) {
            if (const std::uint64_t id = segment_id_of(name); id != 0 && id <= largest_segment_id) {
                candidates_.push_back({id, 0, false, {}});
                out_.next_id = (std::max)(out_.next_id, id + 1);
            } else if (is_temporary(name)) {
                out_.temporaries.push_back(std::move(name));
            } else if (const auto torn = torn_id_of(name); torn <= largest_segment_id) {
                out_.next_id = (std::max)(out_.next_id, torn + 1);
            }
        }
        std::sort(candidates_.begin(), candidates_.end(),
                  [](const candidate& left, const candidate& right) { return left.id < right.id; });
        return {};
    }

    [[nodiscard]] result<void> read_headers() {
        std::vector<std::byte> buffer;
        std::uint64_t largest = 0;
        for (candidate& each : candidates_) {
            auto file = folder_->open(segment_name(each.id), fs::access::read);
            if (!file) return file.failure();
            auto size = file->size();
            if (!size) return size.failure();
            each.size = *size;
            largest = (std::max)(largest, each.size);
            buffer.resize(
                static_cast<std::size_t>((std::min)(each.size, std::uint64_t{header_unit})));
            if (auto got = read_whole(*file, 0, buffer); !got) return got;
            const std::size_t claimed = claimed_header_size(buffer);
            if (claimed > buffer.size() && claimed <= each.size) {
                buffer.resize(claimed);
                if (auto got = read_whole(*file, 0, buffer); !got) return got;
            }
            each.born = read_segment_header(buffer, store_, each.id, each.header);
            if (!each.born && is_another(buffer)) {
                return damaged("the file holds another segment: it was renamed or replaced",
                               each.id, 0);
            }
        }
        return scan_.reserve(largest);
    }

    /// Do these bytes begin as some segment of this store does?
    [[nodiscard]] bool is_another(bytes from) const {
        if (claimed_header_size(from) == 0 || from.size() < header_unit) return false;
        segment_header found;
        const auto id = load_le<std::uint64_t>(from.data() + header_at::id);
        return read_segment_header(from, store_, id, found);
    }

    [[nodiscard]] candidate* find(std::uint64_t id) noexcept {
        const auto at = std::lower_bound(
            candidates_.begin(), candidates_.end(), id,
            [](const candidate& each, std::uint64_t wanted) { return each.id < wanted; });
        return at != candidates_.end() && at->id == id ? &*at : nullptr;
    }

    /// A place where a later segment says that the log goes on.
    struct joint {
        candidate* next;
        std::uint64_t offset;
        std::uint64_t commits = 0;  // in this segment before it
        bool reached = false;       // a commit ends there
    };
    /// A mark or a drop record, and where it ends.
    struct note {
        std::uint64_t end;
        record_type type;
        std::uint64_t word;
        bool seals = false;
    };
    /// May this mark be the last record of a segment that is whole?
    [[nodiscard]] static bool can_end(const segment_header& header, bool seals) noexcept {
        return seals || !header.tells_seal;
    }

    /// Newest first: where two segments continue one, the newer holds all of the older, because a
    /// recovery wrote it, its header last.
    [[nodiscard]] std::vector<joint> joints_of(const candidate& at) {
        std::vector<joint> out;
        for (auto each = candidates_.rbegin(); each != candidates_.rend() && each->id > at.id;
             ++each) {
            const position from = each->header.predecessor;
            if (each->born && from.segment() == at.id) out.push_back({&*each, from.offset()});
        }
        return out;
    }

    /// Follows the log from the highest place that is known to be durable. Everything below it is
    /// complete, and no segment from it on can have been removed: a segment goes only after a mark
    /// behind it says that the log is durable past what removed it.
    [[nodiscard]] result<void> walk_chain(candidate& newest) {
        for (const candidate& each : candidates_) {
            if (each.born) out_.durable = (std::max)(out_.durable, each.header.durable);
        }
        if (auto done = note_claims(newest); !done) return done;
        candidate* at = &newest;
        for (candidate& each : candidates_) {
            if (each.born && each.id >= out_.durable.segment() && each.id < at->id) at = &each;
        }
        first_ = at;
        out_.walked_from = at->id;
        out_.commits = at->header.commits;
        while (at != nullptr) {
            auto next = walk(*at);
            if (!next) return next.failure();
            at = *next;
        }
        return {};
    }

    /// What the marks of the newest segment call durable.
    [[nodiscard]] result<void> note_claims(const candidate& newest) {
        if (auto done = scan_.load(newest.id); !done) return done;
        auto whole = scan_.walk(header_size(newest.header.live.size()), newest.size,
                                [&](const record& each, std::uint64_t) {
                                    mark_body body;
                                    if (read_mark(each, body)) {
                                        out_.durable = (std::max)(out_.durable, body.durable);
                                    }
                                    return result<void>();
                                });
        if (!whole) return whole.failure();
        return {};
    }

    /// Takes in one segment of the tail, up to where another goes on: R1. Returns that one, or
    /// null.
    [[nodiscard]] result<candidate*> walk(candidate& at) {
        if (auto done = scan_.load(at.id); !done) return done.failure();
        at.size = scan_.contents().size();
        const std::uint64_t begin = header_size(at.header.live.size());
        std::vector<joint> joints = joints_of(at);
        std::vector<note> notes;
        std::uint64_t commits = 0;
        const auto reach = [&](std::uint64_t end) {
            for (joint& each : joints) {
                if (each.offset == end) each.reached = true, each.commits = commits;
            }
        };
        reach(begin);
        const auto take_in = [&](const record& each, std::uint64_t offset) -> result<void> {
            mark_body body;
            if (read_mark(each, body)) {
                notes.push_back({offset + each.size, each.type, body.durable.word(), body.seals});
            } else {
                if (each.type == record_type::drop && each.value.size() == 8) {
                    const auto dropped = load_le<std::uint64_t>(each.value.data());
                    if (dropped >= at.id) {
                        return damaged("a record drops a segment that is not older", at.id, offset);
                    }
                    notes.push_back({offset + each.size, each.type, dropped});
                }
                if (!each.more) ++commits;
            }
            if (!each.more) reach(offset + each.size);
            return {};
        };
        auto whole = scan_.walk(begin, at.size, take_in);
        if (!whole) return whole.failure();
        const auto joined = std::find_if(joints.begin(), joints.end(),
                                         [](const joint& each) { return each.reached; });
        const bool goes_on = joined != joints.end();
        const std::uint64_t end = goes_on ? joined->offset : *whole;
        out_.commits += goes_on ? joined->commits : commits;
        take(at, begin, end, notes);
        return goes_on ? joined->next : nullptr;
    }

    void take(const candidate& at, std::uint64_t begin, std::uint64_t end,
              const std::vector<note>& notes) {
        out_.end = position(at.id, end);
        out_.durable = (std::max)(out_.durable, at.header.durable);
        bool marked = false;
        out_.clean = false;
        for (const note& each : notes) {
            if (each.end > end) break;
            if (each.type == record_type::drop) {
                dropped_.push_back(each.word);
                continue;
            }
            out_.durable = (std::max)(out_.durable, position::of_word(each.word));
            marked = each.end == end && end == at.size && can_end(at.header, each.seals);
            out_.clean = marked && each.type == record_type::end;
        }
        tail_.push_back({at.id, begin, end, !marked, 0});
        beyond_ = (std::max)(beyond_, scan_.durable_claim(end));
        out_.torn_bytes = scan_.used() > end ? scan_.used() - end : 0;
    }

    /// Whatever lies behind the end: torn, unless something there was durable.
    [[nodiscard]] result<void> judge_rest() {
        const auto in_tail = [&](std::uint64_t id) {
            return std::any_of(tail_.begin(), tail_.end(),
                               [&](const found_segment& each) { return each.id == id; });
        };
        for (const candidate& each : candidates_) {
            if (each.id <= first_->id || in_tail(each.id)) continue;
            if (each.born) {
                beyond_ = (std::max)(beyond_, each.header.durable);
            } else {
                auto blank = scan_.is_blank(each.id);
                if (!blank) return blank.failure();
                if (*blank) {
                    out_.dead.push_back({each.id, false, true});
                    continue;
                }
            }
            if (auto done = scan_.load(each.id); !done) return done;
            beyond_ = (std::max)(beyond_, scan_.durable_claim(header_unit));
            out_.dead.push_back({each.id, scan_.used() != 0});
        }
        if ((std::max)(beyond_, out_.durable) > out_.end) {
            return damaged("a record below the durable mark is not what was written",
                           out_.end.segment(), out_.end.offset());
        }
        return {};
    }

    /// R2 and R3.
    [[nodiscard]] result<void> list_live() {
        std::sort(dropped_.begin(), dropped_.end());
        for (const segment_run& run : first_->header.live) {
            for (std::uint64_t id = run.first; id < run.first + run.count; ++id) {
                if (is_dropped(id)) continue;
                const candidate* each = find(id);
                if (each == nullptr) return damaged("a live segment is missing", id, 0);
                if (!each->born) return damaged("the header of a live segment is damaged", id, 0);
                const std::uint64_t cut = cut_of(id);
                auto sealed = sealed_end(*each, cut);
                if (!sealed) return sealed.failure();
                const std::uint64_t begin = header_size(each->header.live.size());
                out_.live.push_back({id, begin, *sealed, cut != 0, *sealed});
            }
        }
        for (found_segment& each : tail_) {
            if (is_dropped(each.id)) continue;
            each.durable = out_.durable >= position(each.id, each.end) ? each.end
                           : out_.durable.segment() == each.id         ? out_.durable.offset()
                                                                       : 0;
            out_.live.push_back(each);
        }
        for (const candidate& each : candidates_) {
            const bool is_live =
                std::any_of(out_.live.begin(), out_.live.end(),
                            [&](const found_segment& one) { return one.id == each.id; });
            if (!is_live && each.id <= first_->id) out_.dead.push_back({each.id, false});
        }
        return {};
    }

    [[nodiscard]] bool is_dropped(std::uint64_t id) const noexcept {
        return std::binary_search(dropped_.begin(), dropped_.end(), id);
    }

    /// Where a crash has cut a segment below the tail, 0 if none has, by the last header that lists
    /// it: one from before the crash may call sealed what never was, and be durable since.
    [[nodiscard]] std::uint64_t cut_of(std::uint64_t id) noexcept {
        std::uint64_t cut = 0;
        for (const found_segment& each : tail_) {
            for (const segment_run& run : find(each.id)->header.live) {
                if (id - run.first < run.count) cut = run.end;
            }
        }
        return cut;
    }

    /// Where a segment below the tail ends: R3.
    [[nodiscard]] result<std::uint64_t> sealed_end(const candidate& each, std::uint64_t cut) {
        if (cut != 0) {
            if (cut > each.size)
                return damaged("a segment is shorter than its records", each.id, each.size);
            return cut;
        }
        auto file = folder_->open(segment_name(each.id), fs::access::read);
        if (!file) return file.failure();
        std::byte last[mark_size];
        if (each.size < header_unit + mark_size)
            return damaged("a sealed segment was cut", each.id, each.size);
        const std::uint64_t offset = each.size - mark_size;
        if (auto got = read_whole(*file, offset, last); !got) return got.failure();
        record mark;
        mark_body body;
        const std::uint64_t seed = segment_seed(store_.low, store_.high, each.id);
        if (!read_record(last, last + mark_size, seed, offset, mark) || !read_mark(mark, body) ||
            !can_end(each.header, body.seals)) {
            return damaged("a sealed segment does not end with its mark", each.id, offset);
        }
        if (goes_on_elsewhere(each)) {
            return damaged("a segment is shorter than its successor says", each.id, each.size);
        }
        return each.size;
    }

    /// Do the segments that name this one as their predecessor all name another end of it?
    [[nodiscard]] bool goes_on_elsewhere(const candidate& sealed) const noexcept {
        bool named = false;
        for (const candidate& each : candidates_) {
            if (!each.born || each.header.predecessor.segment() != sealed.id) continue;
            if (each.header.predecessor.offset() == sealed.size) return false;
            named = true;
        }
        return named;
    }

    typename FS::directory* folder_;
    store_id store_;
    segment_scanner<FS> scan_;
    std::vector<candidate> candidates_;
    candidate* first_ = nullptr;  // where the walk began
    std::vector<found_segment> tail_;
    std::vector<std::uint64_t> dropped_;
    position beyond_;  // the highest place that anything behind the end calls durable
    survey_result out_;
};

}  // namespace coffer::detail

#endif
