// coffer/storage/replay.hpp: the records of the log, told to the index again.
//
// replay follows a segment and does what its records did. saved_commits takes the commits behind
// the durable place out of a survey and writes them again in a segment that is synced before it
// counts.
//
// Failure: a record that is not what was written is errc::corruption with its file and offset.
#ifndef COFFER_STORAGE_REPLAY_HPP
#define COFFER_STORAGE_REPLAY_HPP

#include <coffer/format/record.hpp>
#include <coffer/journal/recovery.hpp>
#include <coffer/journal/segment_scan.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace coffer::detail {

template <class Records>
class replay {
    using segment_type = typename Records::segment_type;
    using keys = typename Records::keys;

public:
    explicit replay(Records& records) noexcept : records_(&records) {}

    /// Applies the records of `from`, whose file the scanner has loaded; a few at a time, so that
    /// the misses of their lookups overlap.
    /// `Checked` is segment_scanner::walk's.
    template <bool Checked, class Scanner>
    [[nodiscard]] result<void> segment(segment_type& from, Scanner& scan) {
        group_.clear();
        const auto visit = [&](const record& each, std::uint64_t offset) {
            const auto& table = records_->index();
            group_.push_back({each, make_address(from.slot, offset), table.probe(each.key)});
            if (each.type == record_type::put || each.type == record_type::erase)
                table.prefetch(group_.back().probe);
            // Behind a clear there is another index, with other probes.
            const bool ends = group_.size() == group_size || each.type == record_type::clear;
            return ends ? apply_group(from) : result<void>();
        };
        auto whole = scan.template walk<Checked>(from.begin, from.end, visit);
        if (!whole) return whole.failure();
        if (auto done = apply_group(from); !done) return done;
        if (*whole != from.end) {
            return fail(errc::corruption,
                        "a record is not what was written; nothing was changed: restore the file "
                        "from a copy, or save what is left with coffer::salvage",
                        scan.path(), 0, *whole);
        }
        return {};
    }

    /// Applies one record that lies at `where`.
    [[nodiscard]] result<void> apply(segment_type& in, const record& each, address where) {
        return apply(in, {each, where, records_->index().probe(each.key)});
    }

private:
    static constexpr std::size_t group_size = 16;
    struct waiting {
        record each;
        address where;
        typename Records::table_type::lookup probe;
    };

    [[nodiscard]] result<void> apply(segment_type& in, const waiting& next) {
        const record& each = next.each;
        if (each.type == record_type::clear) return clear(in, offset_of(next.where));
        if (each.type != record_type::put && each.type != record_type::erase) {
            in.count_dead(each.size);
            return {};
        }
        auto& table = records_->index();
        const std::size_t added = each.type == record_type::put;  // an erase needs no room
        if (!table.ready(added, each.key.size())) {
            if (auto made = table.prepare(added, each.key.size()); !made) return made;
        }
        keys known(*records_);
        const auto place = table.locate(next.probe, known);
        if (known.failed()) return known.reader().cause();
        if (each.type == record_type::put) {
            records_->put_plain(table, place, next.where);
        } else {
            in.tombstones += each.size;
            if (place.ref != 0) records_->remove_plain(table, place, next.where);
        }
        return {};
    }

    [[nodiscard]] result<void> apply_group(segment_type& in) {
        for (const waiting& next : group_) {
            if (auto done = apply(in, next); !done) return done;
        }
        group_.clear();
        return {};
    }

    [[nodiscard]] result<void> clear(segment_type& in, std::uint64_t offset) {
        auto fresh = records_->make_index();
        if (!fresh) return fresh.failure();
        records_->replace_index(std::move(*fresh));
        records_->journal.reclaim();
        records_->set_count(0);
        for (const auto& each : records_->journal.segments()) {
            if (each->id >= in.id) break;  // later ones are still to come
            each->dead.store(each->end - each->begin);
            each->tombstones = 0;
        }
        in.dead.store(offset - in.begin);
        in.tombstones = 0;
        in.has_clear = true;
        records_->journal.keeper().keep(in);
        return {};
    }

    Records* records_;
    std::vector<waiting> group_;
};

/// The commits that lie behind the durable place of a log whose end was not clean.
template <class Records>
class saved_commits {
    using scanner = segment_scanner<typename Records::file_system_type>;
    struct saved {
        record_type type;
        bool more;
        std::size_t at;  // of the key in bytes_; the value follows
        std::size_t key;
        std::size_t value;
    };

public:
    /// Takes them out of `survey`, whose log then ends at the durable place; where that lies in a
    /// segment that the tail has dropped, at the beginning of the one behind it: whoever looks for
    /// the log's end begins there, also when the dropped one is gone.
    [[nodiscard]] result<void> cut(survey_result& survey, scanner& scan) {
        auto& live = survey.live;
        std::size_t kept = live.size();
        while (kept > 1 && position(live[kept - 1].id, live[kept - 1].begin) > survey.durable &&
               live[kept - 2].id >= survey.durable.segment()) {
            --kept;
        }
        found_segment& last = live[kept - 1];
        const std::uint64_t end = survey.durable.segment() == last.id
                                      ? (std::max)(survey.durable.offset(), last.begin)
                                  : survey.durable.segment() > last.id ? last.end
                                                                       : last.begin;
        for (std::size_t i = kept - 1; i < live.size(); ++i) {
            auto done = take(live[i].id, i == kept - 1 ? end : live[i].begin, live[i].end, scan);
            if (!done) return done;
            if (i >= kept) survey.dead.push_back({live[i].id, false});
        }
        live.resize(kept);
        last.torn = last.torn || last.end != end;
        last.end = end;
        last.durable = end;
        survey.end = survey.durable = position(last.id, end);
        survey.commits -= commits_;
        return {};
    }

    [[nodiscard]] std::size_t count() const noexcept { return saved_.size(); }

    /// Writes them again, durably, and tells the index.
    [[nodiscard]] result<void> write(Records& records) {
        std::uint64_t size = 0;
        for (const saved& each : saved_) size += record_size(each.key, each.value);
        std::vector<address> places;
        places.reserve(saved_.size());
        auto done = records.journal.rewrite(size, [&](auto&& append) {
            for (const saved& each : saved_) {
                places.push_back(append(each.type, each.more, key_of(each), value_of(each)));
            }
        });
        if (!done) return done;
        replay<Records> onto(records);
        for (std::size_t i = 0; i < saved_.size(); ++i) {
            const saved& each = saved_[i];
            const record again{each.type, each.more, key_of(each), value_of(each),
                               record_size(each.key, each.value)};
            auto applied = onto.apply(*records.journal.active(), again, places[i]);
            if (!applied) return applied;
        }
        return {};
    }

private:
    [[nodiscard]] result<void> take(std::uint64_t id, std::uint64_t begin, std::uint64_t end,
                                    scanner& scan) {
        if (begin >= end) return {};
        if (auto loaded = scan.load(id); !loaded) return loaded;
        auto whole = scan.walk(begin, end, [&](const record& each, std::uint64_t) {
            if (each.type != record_type::mark && each.type != record_type::end) {
                saved_.push_back(
                    {each.type, each.more, bytes_.size(), each.key.size(), each.value.size()});
                bytes_.insert(bytes_.end(), each.key.begin(), each.key.end());
                bytes_.insert(bytes_.end(), each.value.begin(), each.value.end());
                if (!each.more) ++commits_;
            }
            return result<void>();
        });
        if (!whole) return whole.failure();
        return {};
    }

    [[nodiscard]] bytes key_of(const saved& each) const noexcept {
        return bytes(bytes_).subspan(each.at, each.key);
    }
    [[nodiscard]] bytes value_of(const saved& each) const noexcept {
        return bytes(bytes_).subspan(each.at + each.key, each.value);
    }

    std::vector<saved> saved_;
    std::vector<std::byte> bytes_;
    std::uint64_t commits_ = 0;
};

}  // namespace coffer::detail

#endif
