// coffer/storage/resuming.hpp: a store goes on with the index that an earlier process left.
//
// Where the medium has a keeper (journal/keeper.hpp) the index is in a file, and so is what of the
// log's state is not in the log. If that may be believed, opening reads the last bytes of the log
// and nothing else: the change of the index that was under way is done again, and what had reached
// the log but not the index is told to it.
//
// G1  Anything that does not fit (a file that is longer or shorter than it was, one that was not
//     there, torn bytes, a batch) is left to the long way, which judges it. Until the index is
//     taken over nothing was changed.
// G2  What is believed is the index, not the records: reads check them as always.
// Cost: a map of each segment and of each piece of the index.
#ifndef COFFER_STORAGE_RESUMING_HPP
#define COFFER_STORAGE_RESUMING_HPP

#include <coffer/format/live.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>
#include <coffer/journal/found_segment.hpp>
#include <coffer/journal/segment_file.hpp>
#include <coffer/journal/segment_scan.hpp>
#include <coffer/storage/replay.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coffer::detail {

template <class Records>
class resumption {
    using file_system_type = typename Records::file_system_type;
    using directory = typename file_system_type::directory;
    using keeper_type = typename Records::log_type::keeper_type;
    using segment_type = typename Records::segment_type;
    using keys = typename Records::keys;
    using state = typename keeper_type::segment_state;

    struct tail_record {
        record_type type;
        std::uint64_t offset;
        std::size_t size;
    };
    struct found : found_segment {
        std::uint32_t slot;
        bool has_clear;
    };

public:
    resumption(Records& records, directory& folder, const store_id& id) noexcept
        : records_(&records), keeper_(&records.journal.keeper()), folder_(&folder), id_(id) {}

    /// Is there anything that fits? Changes nothing if there is not.
    /// `all_durable`: nothing may be left that is not on stable storage.
    [[nodiscard]] result<bool> look(policy_id index, std::uint64_t boot, bool writes,
                                    bool all_durable) {
        auto fits = find(index, boot, writes, all_durable);
        if (!fits || !*fits) {
            table_.reset();
            keeper_->close();
        }
        return fits;
    }

    /// Was the log closed?
    [[nodiscard]] bool clean() const noexcept { return clean_; }

    /// Does a file torn-... hold what lies, or lay, behind the end of the last segment?
    [[nodiscard]] bool is_torn() const noexcept { return torn_; }

    /// Log and index are what they were; after look() has said that they can be.
    [[nodiscard]] result<void> go_on(std::unique_ptr<directory> folder) {
        auto& journal = records_->journal;
        folder_ = folder.get();
        const position durable = position::of_word(keeper_->words().durable);
        const live_progress progress = keeper_->progress();
        if (auto started = journal.start(std::move(folder), id_, next_id_); !started)
            return started;
        records_->replace_index(std::move(table_));
        records_->set_count(progress.entries);
        for (found& each : live_) {
            each.durable = durable >= position(each.id, each.end) ? each.end
                           : durable.segment() == each.id         ? durable.offset()
                                                                  : 0;
            auto adopted = journal.adopt(each, each.slot);
            if (!adopted) return adopted.failure();
            (*adopted)->has_clear = each.has_clear;
            keeper_->keep(**adopted);
        }
        auto told = tell_tail(**std::prev(journal.segments().end()), progress.commits);
        if (!told) return told.failure();
        const std::uint64_t last =
            records_of_tail_.empty() ? keeper_->progress().last : records_of_tail_.back().offset;
        journal.recovered(position(live_.back().id, live_.back().end), durable, *told, last);
        if (journal.options().read_only) return {};
        for (const std::uint32_t slot : slots_) keeper_->drop(slot);
        return {};
    }

    /// Segments that were prepared and not used: of no use to anybody.
    [[nodiscard]] std::vector<std::string> take_needless() noexcept { return std::move(blank_); }

private:
    [[nodiscard]] result<bool> find(policy_id index, std::uint64_t boot, bool writes,
                                    bool all_durable) {
        if (!keeper_->open(*folder_, id_, index, boot, writes,
                           records_->journal.options().min_free_bytes)) {
            return false;
        }
        applied_ = position::of_word(keeper_->progress().applied);
        if (!list_segments()) return false;
        auto names = check_names();
        if (!names || !*names) return names;
        for (found& each : live_) {
            auto size = size_of(each);
            if (!size) return size.failure();
            if (*size < each.end) return false;
            each.torn = each.torn || *size != each.end;
        }
        auto read = read_tail();
        if (!read || !*read) return read;
        // Durable bytes behind the end there are none: no check covers that word, and a log that
        // believed it would never sync again.
        const std::uint64_t end = position(live_.back().id, live_.back().end).word();
        const std::uint64_t durable = keeper_->words().durable;
        if (durable > end || (all_durable && !clean_ && durable < end)) return false;
        std::uint64_t generation = 0;
        auto memory = keeper_->found_memory(generation);
        table_ = records_->make_unstarted_index(std::move(memory), generation);
        if (!table_->adopt()) return false;
        keeper_->disarm();
        keeper_->found();
        return true;
    }

    /// The segments by their state, in order of ids; false: they cannot be those of a log.
    [[nodiscard]] bool list_segments() {
        for (std::uint32_t slot = 0; slot < keeper_->slot_count(); ++slot) {
            const state& each = *keeper_->state(slot);
            if (each.id == 0) continue;
            if ((each.flags & state::prepared) != 0) {
                prepared_.push_back(each.id);
                slots_.push_back(slot);
                continue;
            }
            const bool active = (each.flags & state::active) != 0;
            if (active && each.id != applied_.segment()) return false;
            found one{};
            one.id = each.id;
            one.begin = each.begin;
            one.end = active ? applied_.offset() : each.end;
            one.torn = active || (each.flags & state::torn) != 0;
            one.slot = slot;
            one.has_clear = (each.flags & state::has_clear) != 0;
            const bool sound = one.begin >= header_unit && one.begin <= one.end;
            if (!sound || one.id > largest_segment_id) return false;
            live_.push_back(one);
        }
        std::sort(live_.begin(), live_.end(),
                  [](const found& left, const found& right) { return left.id < right.id; });
        const auto same = [](const found& left, const found& right) { return left.id == right.id; };
        return !live_.empty() && live_.back().id == applied_.segment() &&
               live_.back().end == applied_.offset() &&
               std::adjacent_find(live_.begin(), live_.end(), same) == live_.end();
    }

    /// A file of which nobody knows is left to the long way, unless it is a segment that was
    /// prepared and not used.
    [[nodiscard]] result<bool> check_names() {
        auto names = folder_->list();
        if (!names) return names.failure();
        next_id_ = live_.back().id + 1;
        segment_scanner<file_system_type> scan(*folder_, id_);
        for (std::string& name : *names) {
            if (is_temporary(name)) return false;
            if (const auto torn = torn_id_of(name); torn <= largest_segment_id) {
                next_id_ = (std::max)(next_id_, torn + 1);
                torn_ = torn_ || torn == live_.back().id;
            }
            const std::uint64_t id = segment_id_of(name);
            if (id == 0 || std::any_of(live_.begin(), live_.end(),
                                       [&](const found& each) { return each.id == id; })) {
                continue;
            }
            if (id < live_.back().id || id > largest_segment_id) return false;
            const bool known = std::find(prepared_.begin(), prepared_.end(), id) != prepared_.end();
            auto blank = known ? scan.begins_blank(id) : scan.is_blank(id);
            if (!blank || !*blank) return blank;
            next_id_ = (std::max)(next_id_, id + 1);
            blank_.push_back(std::move(name));
        }
        return true;
    }

    [[nodiscard]] result<std::uint64_t> size_of(const found& each) {
        auto opened = folder_->open(segment_name(each.id), fs::access::read);
        if (!opened) {
            if (opened.error().kind() == errc::not_found) return std::uint64_t{0};
            return opened.failure();
        }
        return opened->size();
    }

    /// The records behind those that are in the index: puts and erases that stand alone, and marks;
    /// false: there is something else, or what the index knew last is not there.
    [[nodiscard]] result<bool> read_tail() {
        found& last = live_.back();
        const std::uint64_t known = keeper_->progress().last;
        const std::uint64_t from = known != 0 ? known : last.end;
        if (from < last.begin || from > last.end) return false;
        auto opened = folder_->open(segment_name(last.id), fs::access::read);
        if (!opened) return opened.failure();
        auto size = opened->size();
        if (!size) return size.failure();
        if (*size > largest_segment) return false;
        constexpr std::uint64_t piece = 64 * 1024;
        for (std::uint64_t wanted = last.end - from + piece;; wanted *= 16) {
            const std::uint64_t left = *size - (std::min)(*size, from);
            tail_.resize(static_cast<std::size_t>((std::min)(wanted, left)));
            if (auto got = read_whole(*opened, from, tail_); !got) return got.failure();
            from_ = from;
            const tail found_tail = walk(known != 0, last);
            if (found_tail == tail::fits) return true;
            if (found_tail == tail::unfit || wanted >= left) return false;
        }
    }

    enum class tail : unsigned char { fits, unfit, cut };  // cut: with more bytes it may fit

    /// Walks the bytes of the tail.
    [[nodiscard]] tail walk(bool known, found& last) {
        const std::uint64_t seed = segment_seed(id_.low, id_.high, last.id);
        const std::byte* const limit = tail_.data() + tail_.size();
        records_of_tail_.clear();
        std::uint64_t at = from_;
        record each;
        for (const std::byte* next = tail_.data(); next < limit; next += each.size) {
            if (!read_record(next, limit, seed, at, each)) break;
            const std::uint64_t begin = std::exchange(at, at + each.size);
            if (known && begin == from_) {
                if (at != applied_.offset()) return tail::unfit;
                clean_ = each.type == record_type::end && !last.torn;
                continue;
            }
            const bool does = !each.more && !clean_ &&
                              (each.type == record_type::put || each.type == record_type::erase ||
                               each.type == record_type::mark);
            if (!does) return tail::unfit;
            records_of_tail_.push_back({each.type, begin, each.size});
        }
        const bytes rest = bytes(tail_).subspan(static_cast<std::size_t>(at - from_));
        // What is torn has a head of its own, or belongs to a record that is longer than this.
        if (at < applied_.offset() || size_without_zeros(rest) != 0) return tail::cut;
        last.end = at;
        return tail::fits;
    }

    /// Does again what was under way, tells the index the rest; commits there are then.
    [[nodiscard]] result<std::uint64_t> tell_tail(segment_type& in, std::uint64_t commits) {
        const live_intent intent = keeper_->words().intent;  // the others write theirs there
        replay<Records> onto(*records_);
        for (const tail_record& each : records_of_tail_) {
            record again;
            const std::byte* const at = tail_.data() + (each.offset - from_);
            if (!parse_record(at, at + each.size, again)) break;
            const address place = make_address(in.slot, each.offset);
            if (each.type != record_type::mark) ++commits;
            auto done = (intent.where & ~intent_erases) == place ? redo(again, place, intent)
                                                                 : onto.apply(in, again, place);
            if (!done) return done.failure();
        }
        return commits;
    }

    /// The change that was under way, however much of it had been done.
    [[nodiscard]] result<void> redo(const record& each, address where, const live_intent& intent) {
        auto& table = records_->index();
        const auto probe = table.probe(each.key);
        if constexpr (requires { table.mend(probe); }) table.mend(probe);
        const bool erases = each.type == record_type::erase;
        const std::size_t added = erases ? 0 : 1;
        const std::size_t size = each.key.size();
        auto ready = table.ready(added, size) ? result<void>() : table.prepare(added, size);
        if (!ready) return ready;
        keys known(*records_);
        const auto place = table.locate(probe, known);
        if (known.failed()) return known.reader().cause();
        if (erases && place.ref != 0) table.remove(place);
        if (!erases && place.ref != where) table.put(place, where);
        if (intent.previous != 0) {
            segment_type* const owner = records_->journal.table().owner(slot_of(intent.previous));
            if (owner != nullptr) owner->dead.store(intent.dead);
        }
        records_->add_count(erases ? -1 : intent.previous == 0 ? 1 : 0);
        if constexpr (requires { table.recount(records_->size()); })
            table.recount(records_->size());
        return {};
    }

    Records* records_;
    keeper_type* keeper_;
    directory* folder_;
    store_id id_;
    position applied_;
    std::vector<found> live_;
    std::vector<std::uint64_t> prepared_;
    std::vector<std::uint32_t> slots_;  // theirs
    std::vector<std::string> blank_;
    std::uint64_t next_id_ = 1;
    std::vector<std::byte> tail_;
    std::vector<tail_record> records_of_tail_;
    std::uint64_t from_ = 0;  // where tail_ begins
    bool clean_ = false;
    bool torn_ = false;
    typename Records::owned_index table_;
};

}  // namespace coffer::detail

#endif
