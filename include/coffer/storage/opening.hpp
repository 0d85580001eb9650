// coffer/storage/opening.hpp: from a path to a store whose state is known.
//
// Opening for writing:
//   1  the folder is made if it is not there; one on another machine is refused, unless that was
//      allowed; LOCK is taken before anything else is read
//   2  STORE says who the store is; where there is none, the store is made: first segment, synced,
//      then STORE by temporary file, sync, rename, directory sync. An unfinished making counts as
//      none
//   3  the short way: an image of the index that ends where the log does, INDEX or LIVE, is used
//      if it fits, and of the log little is read. If it does not, the long way follows
//   4  the survey of the log (journal/recovery.hpp), which changes nothing and may refuse
//   5  the index is made from the log, which may refuse too
//   6  what is torn is kept aside. A sync may have failed before the end: then the page cache shows
//      what the disk does not hold, and no later sync would bring it there. So under `sync` the
//      commits behind the durable place are written to a new segment and synced before open
//      answers; under the other policies the first sync writes those bytes again
//   7  files that are not part of the log go; those that once were, after the log is durable. The
//      room that a killed run had reserved behind its last record goes back to the disk
//
// Opening for reading does 2 to 5 only: it takes no lock and writes nothing. What is refused has
// changed no file but LOCK, which names its holder, and LIVE.
#ifndef COFFER_STORAGE_OPENING_HPP
#define COFFER_STORAGE_OPENING_HPP

#include <coffer/format/identity.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/segment_header.hpp>
#include <coffer/journal/recovery.hpp>
#include <coffer/journal/segment_file.hpp>
#include <coffer/storage/imaging.hpp>
#include <coffer/storage/records.hpp>
#include <coffer/storage/replay.hpp>
#include <coffer/storage/resuming.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer {

/// What open() found.
struct recovery_report {
    bool created = false;             ///< there was no store: it was made
    bool clean = true;                ///< the last close() was complete
    std::uint64_t entries = 0;        ///< entries after recovery
    std::uint64_t commits = 0;        ///< commits of the store up to here
    std::uint64_t dropped_bytes = 0;  ///< bytes of an unfinished tail that were cut off
    std::string kept_aside;           ///< the last of the files (torn-...) that hold those bytes
    std::uint64_t rewritten = 0;      ///< records copied from behind the durable place
};

namespace detail {

template <class Records, bool RewritesTail>
class opener {
    using file_system_type = typename Records::file_system_type;
    using directory = typename file_system_type::directory;
    using file = typename file_system_type::file;
    static constexpr bool keeps = Records::log_type::keeper_type::kept;

public:
    opener(Records& records, file_system_type system, const identity& expected, policy_id index)
        : records_(&records), system_(system), expected_(expected), index_(index) {}

    [[nodiscard]] result<recovery_report> open(std::string_view path, std::uint64_t lock_timeout,
                                               bool allow_network) {
        auto opened = open_folder(path);
        if (!opened && opened.error().kind() != errc::not_found) return opened.failure();
        if (!opened) {
            if (auto made = make_folder(path); !made) return made.failure();
        }
        if (!allow_network && folder_->is_remote()) {
            return fail(errc::invalid_argument,
                        "the folder lies on a network file system, where locks and syncs may not "
                        "be kept; choose a local one, or set options.allow_network",
                        path);
        }
        if (auto locked = take_lock(lock_timeout); !locked) return locked.failure();
        auto found = read_store();
        if (!found) return found.failure();
        if (!*found) {
            if (auto empty = check_empty(); !empty) return empty.failure();
        }
        if (!*found && opened) {  // whoever made the folder may have ended before it was durable
            if (auto durable = system_.make_directory(path); !durable) return durable.failure();
        }
        if (auto told = tell_holder(); !told) return told.failure();
        auto started = *found ? recover(true) : create();
        if (!started) return started.failure();
        give_back_room();
        if constexpr (keeps) {
            records_->journal.told();
            records_->journal.keeper().arm(system_.boot_id(), records_->journal.durable());
        }
        return std::move(report_);
    }

    [[nodiscard]] result<recovery_report> open_read_only(std::string_view path) {
        if (auto opened = open_folder(path); !opened) return opened.failure();
        auto found = read_store();
        if (!found) return found.failure();
        if (!*found)
            return fail(errc::not_found, "there is no store in this folder; open() makes one",
                        path);
        if (auto done = recover(false); !done) return done.failure();
        return std::move(report_);
    }

    /// Keeps the store locked as long as it lives.
    [[nodiscard]] std::unique_ptr<file> take_lock_file() noexcept { return std::move(lock_); }

    /// Names of files that may be removed when nobody waits.
    [[nodiscard]] std::vector<std::string> take_needless() noexcept { return std::move(needless_); }

private:
    [[nodiscard]] result<void> open_folder(std::string_view path) {
        auto folder = system_.open_directory(path);
        if (!folder) return folder.failure();
        folder_ = std::make_unique<directory>(std::move(*folder));
        return {};
    }

    [[nodiscard]] result<void> make_folder(std::string_view path) {
        auto made = system_.make_directory(path);
        if (!made) return made.failure();
        return open_folder(path);
    }

    // ---- 1: the lock ----

    /// Opens LOCK, or makes it where there is a store or may be one.
    [[nodiscard]] result<file> open_lock() {
        auto opened = folder_->open(lock_name, fs::access::write);
        if (opened || opened.error().kind() != errc::not_found) return opened;
        auto found = read_store();
        if (!found) return found.failure();
        if (!*found) {
            if (auto ours = check_names(); !ours) return ours.failure();
        }
        auto made = folder_->create(lock_name);
        if (made) return made;
        opened = folder_->open(lock_name, fs::access::write);  // somebody else was faster
        return opened || opened.error().kind() != errc::not_found ? std::move(opened)
                                                                  : std::move(made);
    }

    /// Nothing of anybody else's may lie in a folder that is to become a store.
    [[nodiscard]] result<void> check_names() const {
        auto names = folder_->list();
        if (!names) return names.failure();
        for (const std::string& name : *names) {
            if (!is_ours(name)) return is_somebodys(name);
        }
        return {};
    }
    [[nodiscard]] failure is_somebodys(std::string_view name) const {
        return fail(errc::invalid_argument,
                    std::string("the folder holds other files (\"")
                        .append(name)
                        .append("\") and no store; choose an empty or a new folder"),
                    folder_->path());
    }

    [[nodiscard]] result<void> take_lock(std::uint64_t timeout) {
        auto opened = open_lock();
        if (!opened) return opened.failure();
        lock_ = std::make_unique<file>(std::move(*opened));
        const std::uint64_t until = system_.now() + timeout;
        threading::multi::mutex mutex;
        threading::multi::condition never_notified;
        for (;;) {
            auto taken = lock_->try_lock();
            if (!taken) return taken.failure();
            if (*taken) break;
            const std::uint64_t now = system_.now();
            if (now >= until) return held_by_other();
            auto hold = lock_of<threading::multi::mutex>(mutex);
            constexpr std::uint64_t pause = 5'000'000;
            system_.wait_until(never_notified, hold, (std::min)(until, now + pause));
        }
        return {};
    }

    /// Writes down for people who holds the lock. Not before it is known that LOCK is a store's.
    [[nodiscard]] result<void> tell_holder() {
        std::string pid = std::to_string(system_.process_id());
        pid.append(20 - pid.size(), ' ').append("\n");  // as long as any: covers the last one
        auto told = lock_->write_at(0, as_bytes(pid));
        if (!told && told.error().kind() != errc::no_space) return told;
        return {};  // a full disk is opened to be emptied; who holds it is unknown then
    }

    [[nodiscard]] failure held_by_other() {
        std::byte text[24];
        auto got = lock_->read_at(0, text);
        std::string pid;
        for (std::size_t i = 0; got && i < *got; ++i) {
            const char digit = static_cast<char>(text[i]);
            if (digit < '0' || digit > '9') break;
            pid.push_back(digit);
        }
        const bool here = pid == std::to_string(system_.process_id());
        if (pid.empty()) pid = "unknown";
        return fail(
            errc::locked,
            here ? "this process (pid " + pid + ") has this store open; use that one, or close it"
                 : "another process is using this store (pid " + pid +
                       "); close it there, open it read-only, or wait with options.lock_timeout",
            folder_->path());
    }

    // ---- 2: identity ----

    /// False: there is no store yet.
    [[nodiscard]] result<bool> read_store() {
        auto opened = folder_->open(store_name, fs::access::read);
        if (!opened) {
            if (opened.error().kind() == errc::not_found) return false;
            return opened.failure();
        }
        std::vector<std::byte> image(identity_at::size + 1);
        auto got = opened->read_at(0, image);
        if (!got) return got.failure();
        auto found = read_identity({image.data(), *got}, opened->path());
        if (!found) return found.failure();
        if (auto same = check_identity(*found, expected_, opened->path()); !same)
            return same.failure();
        id_ = found->id;
        return true;
    }

    [[nodiscard]] result<void> create() {
        std::byte random[16];
        system_.random(random);
        id_ = {load_le<std::uint64_t>(random), load_le<std::uint64_t>(random + 8)};
        identity self = expected_;
        self.id = id_;
        auto& journal = records_->journal;
        directory& folder = *folder_;
        begin_keeping();
        if (auto started = journal.start(std::move(folder_), id_, 1); !started) return started;
        if (auto made = new_index(); !made) return made;
        if (auto made = journal.begin_segment(); !made) return made;
        if (auto synced = journal.sync(); !synced) return synced;
        report_.created = true;
        return write_store(folder, write_identity(self));
    }

    [[nodiscard]] static result<void> write_store(directory& folder, const identity_image& image) {
        const std::string temporary = std::string(store_name).append(new_suffix);
        auto made = folder.create(temporary);
        if (!made) return made.failure();
        if (auto done = made->write_at(0, image); !done) return done;
        if (auto done = made->sync(); !done) return done;
        if (auto done = folder.rename(temporary, store_name); !done) return done;
        return folder.sync();
    }

    /// The folder may hold what an unfinished making left, and nothing else.
    [[nodiscard]] result<void> check_empty() {
        if (auto ours = check_names(); !ours) return ours;
        auto names = folder_->list();
        if (!names) return names.failure();
        segment_scanner<file_system_type> scan(*folder_, id_);
        for (const std::string& name : *names) {
            if (segment_id_of(name) == 0) continue;
            if (auto loaded = scan.load(segment_id_of(name)); !loaded) return loaded;
            if (scan.used() > header_unit) {
                return fail(errc::corruption,
                            "the store's identity file is missing but its segments are there; "
                            "restore STORE from a copy, or save what is left with coffer::salvage",
                            folder_->path());
            }
        }
        for (const std::string& name : *names) {
            auto ours = is_left_over(name);
            if (!ours) return ours.failure();
            if (!*ours) return is_somebodys(name);
        }
        for (const std::string& name : *names) {
            if (!is_temporary(name) && segment_id_of(name) == 0) continue;
            if (auto gone = folder_->remove(name); !gone) return gone;
        }
        return {};
    }

    /// Can a making that did not end have left it? What is in it a power cut may have destroyed:
    /// its size tells, or that it begins as it would.
    [[nodiscard]] result<bool> is_left_over(const std::string& name) {
        if (name == lock_name || name.starts_with(torn_prefix)) return true;
        auto opened = folder_->open(name, fs::access::read);
        if (!opened) return opened.failure();
        auto size = opened->size();
        if (!size) return size.failure();
        if (name == std::string(store_name).append(new_suffix)) return *size <= identity_at::size;
        const bool in_units = *size % header_unit == 0;
        if (name == live_name || name == reserve_name) return in_units;
        std::byte start[8] = {};
        if (auto got = opened->read_at(0, start); !got) return got.failure();
        const auto word = load_le<std::uint64_t>(start);
        const std::uint64_t id = segment_id_of(name);
        return id == 0 ? word == 0 : word == segment_magic || (in_units && id == 1);
    }

    // ---- 3 to 6 ----

    [[nodiscard]] result<void> new_index() {
        auto index = records_->make_index();
        if (!index) return index.failure();
        records_->replace_index(std::move(*index));
        return {};
    }

    /// An index that is kept begins with its log.
    void begin_keeping() {
        if constexpr (keeps) {
            auto& journal = records_->journal;
            journal.keeper().create(*folder_, id_, index_, journal.options().min_free_bytes);
        }
    }

    [[nodiscard]] result<void> recover(bool writes) {
        auto quick = open_quickly(writes);
        if (!quick) return quick.failure();
        if (!*quick) {
            if (auto done = recover_from_log(writes); !done) return done;
        }
        report_.entries = records_->size();
        report_.commits = records_->journal.commits();
        return {};
    }

    [[nodiscard]] result<void> recover_from_log(bool writes) {
        surveyor<file_system_type> surveyor(*folder_, id_);
        auto survey = surveyor.survey();
        if (!survey) return survey.failure();
        report_.clean = survey->clean;
        report_.dropped_bytes = survey->clean ? 0 : survey->torn_bytes;
        if (!survey->clean && survey->torn_bytes == 0) unsealed_ = survey->end;
        const std::vector<torn_part> torn = torn_parts(*survey);
        saved_commits<Records> saved;
        if (writes && RewritesTail && !survey->clean) {
            if (auto done = saved.cut(*survey, surveyor.scanner()); !done) return done;
        }
        image_loader<Records> image;
        bool imaged = false;
        if constexpr (!keeps) {
            imaged = image.open(*folder_, id_, index_) && image.header().upto <= survey->end &&
                     image.fits(survey->live) && image.load(*records_);
        }
        if (writes) begin_keeping();
        if (auto built = build(survey->live, survey->next_id, imaged ? &image : nullptr,
                               survey->walked_from, surveyor.scanner());
            !built)
            return built;
        records_->journal.recovered(survey->end, survey->durable, survey->commits);
        if (writes) {  // not before all was judged: what is refused stays as it is
            if (auto kept = keep_aside(torn, surveyor.scanner()); !kept) return kept;
        }
        if (saved.count() != 0) {
            if (auto done = saved.write(*records_); !done) return done;
            report_.rewritten = saved.count();
        }
        if (writes) {
            if (auto swept = sweep(*survey); !swept) return swept;
        }
        return {};
    }

    /// Makes the log of the segments that were found, and the index, unless `image` has loaded it;
    /// those from id `walked_from` on were read and checked a moment ago.
    [[nodiscard]] result<void> build(const std::vector<found_segment>& live, std::uint64_t next_id,
                                     const image_loader<Records>* image, std::uint64_t walked_from,
                                     segment_scanner<file_system_type>& scan) {
        if (auto started = start(live, next_id, image); !started) return started;
        const std::uint64_t imaged = image != nullptr ? image->header().upto.segment() : 0;
        replay<Records> onto(*records_);
        for (const auto& each : records_->journal.segments()) {
            if (each->id <= imaged) continue;
            if (auto done = scan.load(each->id, each->end, each->body); !done) return done;
            auto done = each->id >= walked_from ? onto.template segment<false>(*each, scan)
                                                : onto.template segment<true>(*each, scan);
            if (!done) return done;
        }
        return {};
    }

    /// Starts the log over `live`, and an empty index unless `image` has loaded one.
    [[nodiscard]] result<void> start(const std::vector<found_segment>& live, std::uint64_t next_id,
                                     const image_loader<Records>* image) {
        auto& journal = records_->journal;
        if (auto started = journal.start(std::move(folder_), id_, next_id); !started)
            return started;
        if (image == nullptr) {
            if (auto made = new_index(); !made) return made;
        }
        for (const found_segment& each : live) {
            const image_segment* known = image != nullptr ? image->find(each.id) : nullptr;
            auto adopted = journal.adopt(each, known != nullptr ? known->slot : most_slots);
            if (!adopted) return adopted.failure();
            if (known == nullptr) continue;
            (*adopted)->dead.store(known->dead);
            (*adopted)->tombstones = known->tombstones;
            (*adopted)->has_clear = known->has_clear;
        }
        return {};
    }

    // ---- the short ways ----

    /// False: go the long way, which judges what does not fit.
    [[nodiscard]] result<bool> open_quickly(bool writes) {
        if constexpr (keeps) {
            resumption<Records> last(*records_, *folder_, id_);
            auto fits = last.look(index_, system_.boot_id(), writes, RewritesTail);
            if (!fits || !*fits) return fits;
            report_.clean = last.clean();
            if (auto done = last.go_on(std::move(folder_)); !done) return done.failure();
            if (writes) needless_ = last.take_needless();
            if (!last.clean() && !last.is_torn()) unsealed_ = records_->journal.tail();
            return true;
        } else {
            static_cast<void>(writes);
            return open_closed();
        }
    }

    /// A log that was closed, with an image of its index at its end: nothing else need be read.
    [[nodiscard]] result<bool> open_closed() {
        image_loader<Records> image;
        if (!image.open(*folder_, id_, index_)) return false;
        const position end = image.header().upto;
        auto names = folder_->list();
        if (!names) return names.failure();
        for (const std::string& name : *names) {
            const std::uint64_t id = segment_id_of(name);
            if (is_temporary(name) || id > end.segment() || (id != 0 && image.find(id) == nullptr))
                return false;
        }
        std::vector<found_segment> live;
        for (const image_segment& each : image.header().segments) {
            const bool last = each.id == end.segment();
            auto whole = has_bytes(each, last);
            if (!whole) return whole.failure();
            if (!*whole) return false;
            live.push_back(
                {each.id, each.begin, each.end, each.torn, last ? each.end - mark_size : each.end});
        }
        if (live.empty() || position(live.back().id, live.back().end) != end) return false;
        if (!image.load(*records_)) return false;  // then nothing of it is believed
        segment_scanner<file_system_type> scan(*folder_, id_);
        auto built = build(live, end.segment() + 1, &image, largest_segment_id + 1, scan);
        if (!built) return built.failure();
        records_->journal.recovered(end, position(end.segment(), end.offset() - mark_size),
                                    image.header().commits);
        return true;
    }

    /// Is the file of `each` as long as it was, and, for the last one, does it end with an end
    /// record?
    [[nodiscard]] result<bool> has_bytes(const image_segment& each, bool last) {
        auto opened = folder_->open(segment_name(each.id), fs::access::read);
        if (!opened) {
            if (opened.error().kind() == errc::not_found) return false;
            return opened.failure();
        }
        auto size = opened->size();
        if (!size) return size.failure();
        if (each.torn ? *size < each.end : *size != each.end) return false;
        if (!last) return true;
        std::byte mark[mark_size];
        const std::uint64_t offset = each.end - mark_size;
        if (each.end < header_unit + mark_size) return false;
        if (auto got = read_whole(*opened, offset, mark); !got) return got.failure();
        record found;
        return found_end(mark, each.id, offset, found);
    }

    [[nodiscard]] bool found_end(const std::byte* at, std::uint64_t id, std::uint64_t offset,
                                 record& found) const {
        return read_record(at, at + mark_size, segment_seed(id_.low, id_.high, id), offset,
                           found) &&
               found.type == record_type::end;
    }

    /// Bytes of a segment that are not of the log.
    struct torn_part {
        std::uint64_t segment;
        std::uint64_t begin;
        std::uint64_t size;  // UINT64_MAX: up to its end
    };

    [[nodiscard]] static std::vector<torn_part> torn_parts(const survey_result& survey) {
        std::vector<torn_part> parts;
        if (!survey.clean && survey.torn_bytes != 0) {
            parts.push_back({survey.end.segment(), survey.end.offset(), survey.torn_bytes});
        }
        for (const dead_segment& each : survey.dead) {
            if (each.torn) parts.push_back({each.id, 0, UINT64_MAX});
        }
        return parts;
    }

    /// Copies them to files of their own: nothing that was ever written is thrown away unseen.
    [[nodiscard]] result<void> keep_aside(const std::vector<torn_part>& parts,
                                          segment_scanner<file_system_type>& scan) {
        for (const torn_part& each : parts) {
            if (auto done = scan.load(each.segment); !done) return done;
            const bytes all = scan.contents();
            const bytes torn = all.subspan(static_cast<std::size_t>(each.begin));
            const std::uint64_t size = (std::min)(each.size, std::uint64_t{torn.size()});
            const std::string name = torn_name(each.segment, each.begin);
            const bytes all_of_it = torn.first(static_cast<std::size_t>(size));
            auto done = write_aside(name, all_of_it);
            // The reserve is there so that a full disk can be emptied, which begins with an open.
            if (!done && done.error().kind() == errc::no_space &&
                records_->journal.folder()->remove(reserve_name)) {
                done = write_aside(name, all_of_it);
            }
            if (!done) return done;
            if (each.size == UINT64_MAX) report_.dropped_bytes += size;  // of no tail
        }
        return {};
    }

    [[nodiscard]] result<void> write_aside(const std::string& name, bytes torn) {
        directory& folder = *records_->journal.folder();
        report_.kept_aside = std::string(folder.path()).append("/").append(name);
        // It may be there: an open that did not finish has made it.
        auto aside = folder.open(name, fs::access::write);
        if (!aside && aside.error().kind() == errc::not_found) aside = folder.create(name);
        if (!aside) return aside.failure();
        if (auto done = aside->write_at(0, torn); !done) return done;
        if (auto done = aside->sync(); !done) return done;
        return folder.sync();
    }

    [[nodiscard]] result<void> sweep(const survey_result& survey) {
        auto& journal = records_->journal;
        const bool had_records = std::any_of(survey.dead.begin(), survey.dead.end(),
                                             [](const dead_segment& each) { return !each.blank; });
        if (had_records) {
            if (auto synced = journal.sync(); !synced) return synced;
        }
        for (const dead_segment& each : survey.dead) {
            if (auto gone = journal.folder()->remove(segment_name(each.id)); !gone) return gone;
        }
        for (const std::string& each : survey.temporaries) {
            if (auto gone = journal.folder()->remove(each); !gone) return gone;
        }
        return {};
    }

    /// Cuts the segment that a killed run was writing to its end. Where that fails it stays long,
    /// which is no loss.
    void give_back_room() {
        const position end = unsealed_;
        if (end == position()) return;
        auto last =
            records_->journal.folder()->open(segment_name(end.segment()), fs::access::write);
        if (!last) return;
        const auto size = last->size();
        if (size && *size > end.offset()) static_cast<void>(last->resize(end.offset()));
    }

    Records* records_;
    file_system_type system_;
    identity expected_;
    policy_id index_;
    store_id id_;
    position unsealed_;  // where the log ended, if behind it is nothing but reserved room
    std::unique_ptr<directory> folder_;
    std::unique_ptr<file> lock_;
    std::vector<std::string> needless_;
    recovery_report report_;
};

}  // namespace detail
}  // namespace coffer

#endif
