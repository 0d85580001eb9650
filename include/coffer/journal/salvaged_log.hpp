// coffer/journal/salvaged_log.hpp: what is left of a log, read in spite of damage.
//
// Recovery refuses a log that is not what was written. This reads it all the same: every record
// that is sound (sifting.hpp), in the order of the log, and as lost every stretch between two.
//
// What belongs to the log is what the newest readable header says: the segments that it lists, its
// own, and any behind it; less those that later drop records name. Where a header says that the one
// before it ended, that one ends: what lies behind was never part of the log.
//
// L1  A record is shown only if V1 to V4 of format/record.hpp hold for it.
// L2  A commit that was never finished is not shown; one whose end is lost is, as far as it goes.
// L3  Nothing is written, and nobody writes meanwhile: LOCK is held.
// Failure: only what leaves no choice: no folder, another type, a store in use, no memory, or
// neither an identity nor any header from which the checks of this store follow.
// Cost: one segment in memory, and the newest read twice. Threads: one.
#ifndef COFFER_JOURNAL_SALVAGED_LOG_HPP
#define COFFER_JOURNAL_SALVAGED_LOG_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/result.hpp>
#include <coffer/format/identity.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>
#include <coffer/format/segment_header.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/segment_scan.hpp>
#include <coffer/journal/sifting.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer {

/// What salvage() found, and what it did not.
struct salvage_report {
    /// A stretch of a segment in which no record can be read.
    struct loss {
        std::uint64_t segment;  ///< its id, which is its file's name in hexadecimal
        std::uint64_t begin;    ///< the first byte, or that of the record that holds it
        std::uint64_t end;      ///< behind the last one; UINT64_MAX where nothing tells it any more
        bool at_end;            ///< of the log: a write that a crash cut off looks the same
    };
    std::uint64_t records = 0;           ///< puts, erases and clears that were read and done again
    std::uint64_t entries = 0;           ///< in the new store
    std::uint64_t broken_batches = 0;    ///< of which something was done, and the end is lost
    std::vector<loss> losses;            ///< by segment and place
    std::vector<std::uint64_t> missing;  ///< segments of which there is no file that opens
    bool identity = true;                ///< the file STORE was whole, and names these types

    /// Nothing is lost but what a crash may have cut off.
    [[nodiscard]] bool ok() const noexcept {
        return identity && missing.empty() && broken_batches == 0 &&
               std::all_of(losses.begin(), losses.end(),
                           [](const loss& each) { return each.at_end; });
    }
};

namespace detail {

template <file_system FS>
class salvaged_log {
    struct part {
        std::uint64_t id = 0;
        bool born = false;  // has a valid header
        bool counts = true;
        bool exact = false;  // `end` is known; else the records end where the zeros begin
        std::uint64_t end = 0;
        segment_header header;
    };

public:
    explicit salvaged_log(salvage_report& report) noexcept : report_(&report) {}

    /// Finds out what there is in the folder.
    [[nodiscard]] result<void> open(FS& system, std::string_view path, const identity& expected) {
        auto folder = system.open_directory(path);
        if (!folder) return folder.failure();
        folder_.emplace(std::move(*folder));
        if (auto locked = take_lock(); !locked) return locked;
        if (auto read = read_names(); !read) return read;
        if (auto read = read_store(expected); !read) return read;
        for (part& each : parts_) read_header(each);
        if (auto known = know_store(); !known) return known;
        choose_parts();
        return leave_dropped();
    }

    /// Calls `visit(record)`, a result<bool>, with every record that changed something, in order;
    /// false: it could not be done again, which is a loss.
    template <class Visit>
    [[nodiscard]] result<void> walk(Visit&& visit) {
        for (const part& each : parts_) {
            if (!each.counts) continue;
            if (auto loaded = load(each); !loaded) return loaded;
            if (auto done = show(each, visit); !done) return done;
        }
        return {};
    }

private:
    // ---- the folder ----

    [[nodiscard]] result<void> take_lock() {
        auto opened = folder_->open(lock_name, fs::access::read);
        if (!opened) {
            if (opened.error().kind() == errc::not_found) return {};
            return opened.failure();
        }
        lock_.emplace(std::move(*opened));
        auto taken = lock_->try_lock();
        if (!taken) return taken.failure();
        if (*taken) return {};
        return fail(errc::locked, "a process is using this store; close it there, then salvage",
                    folder_->path());
    }

    [[nodiscard]] result<void> read_names() {
        auto names = folder_->list();
        if (!names) return names.failure();
        for (const std::string& name : *names) {
            const std::uint64_t id = segment_id_of(name);
            if (id == 0 || id > largest_segment_id) continue;
            parts_.emplace_back();
            parts_.back().id = id;
        }
        std::sort(parts_.begin(), parts_.end(),
                  [](const part& left, const part& right) { return left.id < right.id; });
        return {};
    }

    /// Who the store is, if its own file still says so.
    [[nodiscard]] result<void> read_store(const identity& expected) {
        const auto lost = [this] {
            report_->identity = false;
            return result<void>();
        };
        auto opened = folder_->open(store_name, fs::access::read);
        if (!opened) return lost();
        std::vector<std::byte> image(identity_at::size + 1);
        auto got = opened->read_at(0, image);
        if (!got) return lost();
        const bytes contents(image.data(), *got);
        auto found = read_identity(contents, opened->path());
        if (!found && found.error().kind() == errc::incompatible) {
            if (has_sound_check(contents)) return found.failure();
            newer_.emplace(found.failure());
        }
        if (!found) return lost();
        if (auto same = check_identity(*found, expected, opened->path()); !same) return same;
        store_ = found->id;
        return {};
    }

    /// A header names its store itself: of the first one the others must be.
    void read_header(part& of) {
        auto file = folder_->open(segment_name(of.id), fs::access::read);
        if (!file) return;
        std::vector<std::byte> buffer(header_unit);
        auto got = file->read_at(0, buffer);
        if (!got || *got < header_unit) return;
        auto size = file->size();
        const std::size_t claimed = claimed_header_size(buffer);
        if (size && claimed > buffer.size() && claimed <= *size) {
            buffer.resize(claimed);
            got = file->read_at(0, buffer);
            if (!got || *got < claimed) return;
        }
        const store_id own{load_le<std::uint64_t>(buffer.data() + header_at::store),
                           load_le<std::uint64_t>(buffer.data() + header_at::store + 8)};
        const store_id wanted = store_.value_or(own);
        of.born = read_segment_header(buffer, wanted, of.id, of.header);
        if (of.born) store_ = wanted;
    }

    [[nodiscard]] result<void> know_store() {
        if (store_ && !parts_.empty()) return {};
        if (newer_) return std::move(*newer_);
        if (store_ || parts_.empty()) {
            return fail(parts_.empty() && !report_->identity ? errc::not_found : errc::corruption,
                        "the folder holds no segment of a store; nothing is left to salvage",
                        folder_->path());
        }
        return fail(errc::corruption,
                    "neither the identity nor any segment header can be read, and without them no "
                    "record; restore the file STORE from a copy, then salvage",
                    folder_->path());
    }

    // ---- what belongs to the log ----

    [[nodiscard]] part* find(std::uint64_t id) noexcept {
        const auto at = std::lower_bound(
            parts_.begin(), parts_.end(), id,
            [](const part& each, std::uint64_t wanted) { return each.id < wanted; });
        return at != parts_.end() && at->id == id ? &*at : nullptr;
    }

    void choose_parts() {
        const auto newest = std::find_if(parts_.rbegin(), parts_.rend(),
                                         [](const part& each) { return each.born; });
        if (newest == parts_.rend()) return;
        newest_ = last_ = newest->id;
        for (part& each : parts_) each.counts = each.id >= newest_;
        for (const segment_run& run : newest->header.live) {
            for (std::uint64_t id = run.first;
                 id < run.first + run.count && report_->missing.size() < most_slots; ++id) {
                part* const listed = find(id);
                if (listed == nullptr) {
                    report_->missing.push_back(id);
                    continue;
                }
                listed->counts = true;
                listed->exact = run.end != 0;
                listed->end = run.end;
            }
        }
        for (const part& each : parts_) {
            if (!each.born || !each.counts) continue;
            part* const before = find(each.header.predecessor.segment());
            if (before == nullptr || before->id >= each.id) continue;
            before->exact = true;
            before->end = each.header.predecessor.offset();
        }
    }

    /// A segment that was emptied is gone, or about to go: its tombstones may be gone already.
    [[nodiscard]] result<void> leave_dropped() {
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            if (parts_[i].id < newest_) continue;
            if (auto loaded = load(parts_[i]); !loaded) return loaded;
            const std::uint64_t end = end_of(parts_[i]);
            const bool begun = has_header(parts_[i]);
            record found;
            for (std::uint64_t at = begin_of(parts_[i]); at < end; at += found.size) {
                at = sift_.next(at, end, found);
                if (at == end) break;
                if (begun) last_ = parts_[i].id;
                if (found.type != record_type::drop || found.value.size() != 8) continue;
                const auto id = load_le<std::uint64_t>(found.value.data());
                if (part* const dropped = find(id); dropped != nullptr && id < parts_[i].id)
                    dropped->counts = false;
                std::erase(report_->missing, id);
            }
        }
        return {};
    }

    // ---- one segment ----

    /// Takes in its whole file, as far as it can be read; one that cannot be opened is missing.
    [[nodiscard]] result<void> load(const part& of) {
        auto file = folder_->open(segment_name(of.id), fs::access::read);
        auto size = file ? file->size() : result<std::uint64_t>(std::uint64_t{0});
        const bool there = file && size && *size <= largest_segment;
        auto& missing = report_->missing;
        if (!there && std::find(missing.begin(), missing.end(), of.id) == missing.end())
            missing.push_back(of.id);
        return sift_.load(there ? *size : 0, [&](std::uint64_t at, mutable_bytes into) {
            auto got = file->read_at(at, into);
            return got && *got == into.size();
        });
    }

    /// Was a header written? An open that rewrites the end of a log writes it last.
    [[nodiscard]] bool has_header(const part& of) const noexcept {
        const bytes contents = sift_.contents();
        const std::size_t size = (std::min)(contents.size(), header_unit);
        return of.born || size_without_zeros(contents.first(size)) != 0;
    }

    [[nodiscard]] static std::uint64_t begin_of(const part& of) noexcept {
        return of.born ? header_size(of.header.live.size()) : 0;
    }
    /// Behind which place no record begins; tells the sifter how far one may reach.
    [[nodiscard]] std::uint64_t end_of(const part& of) noexcept {
        const bytes contents = sift_.contents();
        std::uint64_t limit = contents.size() & ~std::uint64_t{offset_unit - 1};
        if (of.exact) limit = (std::min)(of.end, limit);
        sift_.expect(segment_seed(store_->low, store_->high, of.id), limit);
        if (of.exact || of.id < last_) return limit;
        // Behind the end lies room that was reserved; the zeros before it may be a value's own.
        return (std::min)(
            (std::max)(std::uint64_t{padded(size_without_zeros(contents))}, sift_.unread()), limit);
    }

    template <class Visit>
    [[nodiscard]] result<void> show(const part& of, Visit& visit) {
        const std::uint64_t end = end_of(of);
        std::vector<std::pair<record, std::uint64_t>> commit;  // not yet finished
        const auto finish = [&]() -> result<void> {
            for (const auto& [each, at] : commit) {
                auto done = visit(each);
                if (!done) return done.failure();
                if (*done) {
                    ++report_->records;
                } else {
                    lose(of, at, at + each.size, false);
                }
            }
            commit.clear();
            return {};
        };
        record found;
        bool sealed = false;  // what was read last is a mark
        bool lost = false;    // or it was nothing
        for (std::uint64_t at = begin_of(of); at < end;) {
            const std::uint64_t next = sift_.next(at, end, found);
            if (next != at) {
                if (!commit.empty()) ++report_->broken_batches;
                if (auto done = finish(); !done) return done;
                lose(of, at, next,
                     next == end && !of.exact && of.id >= last_ && sift_.unread() <= at);
                lost = next == end;
                sealed = false;
                at = next;
                if (at == end) break;
            }
            go_on();
            mark_body mark;
            sealed = read_mark(found, mark) && (mark.seals || (of.born && !of.header.tells_seal));
            if (changes(found)) commit.emplace_back(found, at);
            if (!found.more) {
                if (auto done = finish(); !done) return done;
            }
            at += found.size;
        }
        // One that was filled ends with a mark, another where a header says.
        if (of.exact ? end < of.end : of.id < last_ && !sealed) {
            if (!commit.empty()) ++report_->broken_batches;
            if (auto done = finish(); !done) return done;
            const std::uint64_t to = of.exact ? of.end : UINT64_MAX;
            if (lost) {
                report_->losses.back().end = to;
            } else {
                lose(of, end, to, false);
            }
        }
        return {};
    }

    void lose(const part& of, std::uint64_t begin, std::uint64_t end, bool at_end) {
        report_->losses.push_back({of.id, begin, end, at_end});
    }
    /// A record follows what was lost until now.
    void go_on() noexcept {
        for (; followed_ < report_->losses.size(); ++followed_) {
            report_->losses[followed_].at_end = false;
        }
    }

    [[nodiscard]] static bool changes(const record& each) noexcept {
        return each.type == record_type::put || each.type == record_type::erase ||
               each.type == record_type::clear;
    }

    salvage_report* report_;
    std::optional<typename FS::directory> folder_;
    std::optional<typename FS::file> lock_;
    std::optional<store_id> store_;
    std::optional<failure> newer_;  // a STORE that may be damaged says that a newer coffer wrote it
    std::vector<part> parts_;       // by id
    std::uint64_t newest_ = 0;      // the newest with a header
    std::uint64_t last_ = 0;        // the last with a header, or with ruins of one and a record
    std::size_t followed_ = 0;      // so many losses have a record behind them
    sifter sift_;
};

}  // namespace detail
}  // namespace coffer

#endif
