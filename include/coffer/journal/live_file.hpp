// coffer/journal/live_file.hpp: the file LIVE while it is used.
//
// The memory of the index is a map of the file: what is stored there is with the system, and there
// it is when the process has been killed. A change of the index is announced before and told
// afterwards, so that the next process knows whether it may believe what it finds, and what to
// redo. Stores of one thread reach the system's memory in the order in which the processor carries
// them out; only the compiler must be kept from another order.
//
// I1  boot is not 0 only while the file holds the index of a store that is open, or was when its
//     process ended, and all that is not in the file can be told from the log.
// I2  Whatever cannot be kept (no room on the disk, no map) is in the memory of the process from
//     then on, and boot is 0: a cache never makes a write fail.
// I3  A place of the table of pieces that has a name is whole.
// Threads: as keeper.hpp says; pieces are made under a lock of their own.
// Cost: a change of the index stores nine words more.
#ifndef COFFER_JOURNAL_LIVE_FILE_HPP
#define COFFER_JOURNAL_LIVE_FILE_HPP

#include <coffer/core/growing.hpp>
#include <coffer/core/memory.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/format/image.hpp>
#include <coffer/format/live.hpp>
#include <coffer/format/names.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/segment_file.hpp>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coffer::detail {

template <file_system FS, threading_policy Threading>
class live_file {
    using directory = typename FS::directory;
    using file = typename FS::file;
    using mapping = typename FS::mapping;
    using lock = lock_of<typename Threading::mutex>;
    static constexpr unsigned state_region = 0;  // of generation 0

public:
    static constexpr bool kept = true;
    using segment_state = kept_segment<Threading>;

    live_file() = default;
    live_file(const live_file&) = delete;
    live_file& operator=(const live_file&) = delete;

    /// The memory of one index (index/concept.hpp).
    class memory {
    public:
        memory() = default;
        memory(live_file& of, std::uint64_t generation) : held_(&of), generation_(generation) {}
        memory(memory&& other) noexcept
            : held_(std::exchange(other.held_, nullptr)),
              generation_(other.generation_),
              own_(std::move(other.own_)) {}
        memory& operator=(memory&& other) noexcept {
            std::swap(held_, other.held_);
            std::swap(generation_, other.generation_);
            std::swap(own_, other.own_);
            return *this;
        }
        ~memory() {
            if (held_ != nullptr) held_->release(generation_);
        }

        [[nodiscard]] result<std::byte*> allocate(unsigned region, unsigned number,
                                                  std::size_t size) {
            if (held_ == nullptr) return own_.allocate(region, number, size);
            return held_->allocate(generation_, region, number, size, own_);
        }

    private:
        live_file* held_ = nullptr;
        std::uint64_t generation_ = 0;
        heap_memory own_;
    };

    // ---- beginning and end ----

    /// A new file in the place of an old one; of no use to anybody before arm().
    void create(directory& folder, const store_id& store, policy_id index,
                std::uint64_t min_free_bytes) {
        close();
        folder_ = &folder;
        min_free_bytes_ = min_free_bytes;
        store_ = store;
        entries_ = 0;  // not those of a file that was opened and did not fit
        static_cast<void>(folder.remove(live_name));
        auto made = folder.create(live_name);
        if (!made) {  // then the old one must not be believed
            if (auto old = folder.open(live_name, fs::access::write))
                static_cast<void>(old->resize(0));
            return;
        }
        file_ = std::make_unique<file>(std::move(*made));
        if (!has_space(live_head_size) || !file_->reserve(0, live_head_size)) return give_up();
        auto head = file_->map(0, live_head_size, fs::access::write);
        if (!head) return give_up();
        head_ = std::make_unique<mapping>(std::move(*head));
        writable_ = true;
        write_live_head(head_->data(), store, index);
        adopt_head(head_->data());
        words_->end = live_head_size;
        words_->small_end = live_at::in_head;
        words_->generation = next_generation_ = 1;
        disk_bytes_.store(words_->end, std::memory_order_relaxed);
    }

    /// Finds the index that an earlier process left, if it may be believed: as it was on this
    /// `boot`, or because of its checks. False: there is none.
    [[nodiscard]] bool open(directory& folder, const store_id& store, policy_id index,
                            std::uint64_t boot, bool writes, std::uint64_t min_free_bytes) {
        close();
        folder_ = &folder;
        min_free_bytes_ = min_free_bytes;
        store_ = store;
        auto opened = folder.open(live_name, writes ? fs::access::write : fs::access::read);
        if (!opened) return false;
        auto size = opened->size();
        if (!size || *size < live_head_size) return false;
        file_ = std::make_unique<file>(std::move(*opened));
        if (load_head(writes) && is_live_head(base_, store, index) &&
            plausible(*words_, pieces_, *size) && is_believed(boot, writes) && has_blocks() &&
            load_states()) {
            next_generation_ = words_->generation;
            entries_ = progress().entries;
            disk_bytes_.store(words_->end, std::memory_order_relaxed);
            return true;
        }
        close();
        return false;
    }

    [[nodiscard]] const live_words& words() const noexcept { return *words_; }
    [[nodiscard]] const live_progress& progress() const noexcept {
        return words_->progress[words_->which & 1];
    }

    /// While the store is being opened nothing may be believed.
    void disarm() noexcept {
        if (writable_) words_->boot.store(0, std::memory_order_relaxed);
        keep_order();
    }
    /// The store is open, and all of its log is in the index: told() has said so.
    void arm(std::uint64_t boot, position durable) noexcept {
        if (!writable_ || lost_) return;
        words_->busy = words_->intent.where = words_->sealed = 0;
        words_->durable = durable.word();
        keep_order();
        words_->boot.store(moment(boot), std::memory_order_relaxed);
    }

    /// The log has ended: gives everything checks, and makes it durable. `save(sink)` hands out the
    /// pieces of the index. Nobody else uses the store.
    template <class Save>
    [[nodiscard]] result<void> seal(Save&& save) {
        if (!writable_ || lost_) return {};
        words_->sealed = 0;
        auto checked = save([this](unsigned region, unsigned number, bytes used) -> result<void> {
            return check_piece(live_name_of(words_->generation, region, number), used);
        });
        if (!checked) return checked;
        for (unsigned number = 0; find(live_name_of(0, state_region, number)) != nullptr;
             ++number) {
            const live_piece& each = *find(live_name_of(0, state_region, number));
            auto done =
                check_piece(each.name, {memory_of(each), static_cast<std::size_t>(each.size)});
            if (!done) return done;
        }
        if (auto done = file_->sync(); !done) return done;
        words_->sealed = progress().applied;
        words_->seal = live_seal(*words_, table(), store_);
        head_->stored(0, live_head_size);
        if (auto done = head_->sync(0, live_head_size); !done) return done;
        return folder_->sync();
    }

    /// The store is closed: the file may be another process's from now on.
    void end() noexcept {
        const auto alone = lock(making_);
        writable_ = false;
    }

    /// What was found is of no use.
    void close() noexcept {
        maps_.clear();
        head_.reset();
        file_.reset();
        words_ = &nowhere_;
        pieces_ = nullptr;
        base_ = nullptr;
        writable_ = checks_ = lost_ = finding_ = false;
        disk_bytes_.store(0, std::memory_order_relaxed);
        states_.emplace();
    }

    // ---- what the log tells ----

    class change_under_way {
    public:
        explicit change_under_way(live_file& of) noexcept : of_(of) { of_.begin_change(); }
        ~change_under_way() { of_.end_change(); }
        change_under_way(const change_under_way&) = delete;
        change_under_way& operator=(const change_under_way&) = delete;

    private:
        live_file& of_;
    };

    [[nodiscard]] change_under_way change() noexcept { return change_under_way(*this); }
    void begin_change() noexcept {
        ++words_->busy;
        keep_order();
    }
    void end_change() noexcept {
        keep_order();
        --words_->busy;
    }

    void intend(std::uint64_t where, std::uint64_t previous, std::uint64_t dead) noexcept {
        words_->intent.previous = previous;
        words_->intent.dead = dead;
        keep_order();
        words_->intent.where = where;
        keep_order();
    }

    void told(position place, std::uint64_t last, std::uint64_t commits) noexcept {
        keep_order();
        const std::uint64_t other = 1 - (words_->which & 1);
        words_->progress[other] = {place.word(), commits, entries_, last};
        keep_order();
        words_->which = other;
        keep_order();
        words_->intent.where = 0;
    }

    void count(std::uint64_t entries) noexcept { entries_ = entries; }
    void durable(position place) noexcept { words_->durable = place.word(); }
    /// As large as the file has grown.
    [[nodiscard]] std::uint64_t disk_bytes() const noexcept {
        return disk_bytes_.load(std::memory_order_relaxed);
    }

    /// Where the state of a segment is; null: nowhere. Makes room for it, one caller at a time.
    [[nodiscard]] segment_state* state(std::uint32_t slot) {
        state_memory room{this};
        while (writable_ && !lost_ && states_->capacity() <= slot) {
            if (!states_->grow(room, state_region)) give_up();
        }
        if (states_->capacity() <= slot) return nullptr;
        words_->slot_count = states_->capacity();
        return &(*states_)[slot];
    }
    [[nodiscard]] segment_state* fresh_state(std::uint32_t slot, std::uint64_t id) {
        segment_state* const found = state(slot);
        if (found == nullptr) return found;
        found->dead.store(0, std::memory_order_relaxed);
        found->tombstones = found->begin = found->end = 0;
        found->flags = segment_state::prepared;
        found->id = id;
        return found;
    }

    template <class Segment>
    void keep(const Segment& of) noexcept {
        if (of.slot >= states_->capacity()) return;
        segment_state& to = (*states_)[of.slot];
        to.begin = of.begin;
        to.end = of.end;
        to.flags = (of.torn ? segment_state::torn : 0) |
                   (of.has_clear ? segment_state::has_clear : 0) |
                   (of.full ? 0 : segment_state::active);
        to.id = of.id;
    }
    void drop(std::uint32_t slot) noexcept {
        const auto under_way = change();
        if (slot < states_->capacity()) (*states_)[slot].id = 0;
    }
    /// As far as there are any.
    [[nodiscard]] std::uint32_t slot_count() const noexcept {
        return static_cast<std::uint32_t>(states_->capacity());
    }

    void give_up() noexcept {
        lost_ = true;
        disarm();
    }

    // ---- indexes ----

    [[nodiscard]] memory fresh_memory(std::uint64_t& generation) {
        if (!writable_ || lost_) return {};
        const auto alone = lock(making_);
        return memory(*this, generation = ++next_generation_);
    }
    /// The memory of the index that was found; found() ends the search for its pieces.
    [[nodiscard]] memory found_memory(std::uint64_t& generation) {
        return memory(*this, generation = words_->generation);
    }
    void found() noexcept {
        finding_ = checks_ = false;
        // What no index has asked for is not of this index, or holds what nobody has checked.
        for (std::uint64_t i = 0; i < words_->pieces; ++i) {
            if (!brought_[static_cast<std::size_t>(i)]) pieces_[i].name = 0;
        }
        if (!writable_) file_.reset();
    }
    void use(std::uint64_t generation) {
        const auto alone = lock(making_);
        words_->generation = generation;
    }

private:
    /// Pieces of the state of segments; they are never asked from anywhere else.
    struct state_memory {
        live_file* of;
        [[nodiscard]] result<std::byte*> allocate(unsigned region, unsigned number,
                                                  std::size_t size) {
            return of->allocate(0, region, number, size, of->own_);
        }
    };

    // ---- opening ----

    void adopt_head(std::byte* at) {
        maps_.resize(most_live_pieces);
        brought_.assign(most_live_pieces, false);
        base_ = at;
        words_ = reinterpret_cast<live_words*>(at + live_at::words);
        pieces_ = reinterpret_cast<live_piece*>(at + live_at::pieces);
    }

    [[nodiscard]] bool load_head(bool writes) {
        writable_ = writes;
        if (writes) {
            auto head = file_->map(0, live_head_size, fs::access::write);
            if (!head) return false;
            head_ = std::make_unique<mapping>(std::move(*head));
            adopt_head(head_->data());
            return true;
        }
        auto room = own_.allocate(0, 0, live_head_size);
        if (!room) return false;
        auto got = file_->read_at(0, {*room, live_head_size});
        adopt_head(*room);
        return got && *got == live_head_size;
    }

    /// The file's memory is that of the kernel which runs now, and of this mount.
    [[nodiscard]] std::uint64_t moment(std::uint64_t boot) const noexcept {
        const std::uint64_t self = file_->identity();
        return boot == 0 || self == 0 ? 0 : mix(boot, self) | 1;
    }

    /// As has_blocks(piece), of the head.
    [[nodiscard]] bool has_blocks() {
        return !checks_ || !writable_ || file_->reserve(0, live_head_size).has_value();
    }

    /// A reader may meet the file of a process that goes on: only checks count.
    [[nodiscard]] bool is_believed(std::uint64_t boot, bool writes) noexcept {
        const bool whole = words_->sealed != 0 && words_->sealed == progress().applied &&
                           words_->seal == live_seal(*words_, table(), store_);
        const std::uint64_t now = moment(boot);
        checks_ = !writes || now == 0 || words_->boot.load(std::memory_order_relaxed) != now;
        return checks_ ? whole : words_->busy == 0 && (whole || words_->sealed == 0);
    }

    [[nodiscard]] bool load_states() {
        state_memory room{this};
        finding_ = true;
        bool done = true;
        while (done && states_->capacity() < words_->slot_count) {
            done = states_->grow(room, state_region).has_value();
        }
        return done;
    }

    // ---- pieces ----

    [[nodiscard]] bytes table() const noexcept {
        return {base_ + live_at::pieces,
                static_cast<std::size_t>(words_->pieces) * sizeof(live_piece)};
    }
    [[nodiscard]] live_piece* find(std::uint64_t name) noexcept {
        for (std::uint64_t i = 0; i < words_->pieces; ++i) {
            if (pieces_[i].name == name) return &pieces_[i];
        }
        return nullptr;
    }
    [[nodiscard]] std::size_t index_of(const live_piece& each) const noexcept {
        return static_cast<std::size_t>(&each - pieces_);
    }

    [[nodiscard]] result<std::byte*> allocate(std::uint64_t generation, unsigned region,
                                              unsigned number, std::size_t size, heap_memory& own) {
        const auto alone = lock(making_);
        const std::uint64_t name = live_name_of(generation, region, number);
        if (pieces_ != nullptr) {
            if (live_piece* const there = find(name)) return bring(*there, size, own);
        }
        if (finding_) {
            return fail(errc::corruption, "the index that was kept is not whole: rebuild it");
        }
        if (writable_ && !lost_) {
            if (std::byte* const made = make(name, size)) return made;
            give_up();
        }
        return own.allocate(region, number, size);  // I2
    }

    [[nodiscard]] static bool is_small(const live_piece& each) noexcept {
        return each.offset < live_head_size;
    }
    /// A file that was copied may have holes, which a full disk would not let anybody fill (I2).
    [[nodiscard]] bool has_blocks(const live_piece& each) {
        return is_small(each) || file_->reserve(each.offset, each.size).has_value();
    }
    /// Where a piece is that is in the head, or mapped.
    [[nodiscard]] std::byte* memory_of(const live_piece& each) noexcept {
        return is_small(each) ? base_ + each.offset : maps_[index_of(each)]->data();
    }

    /// A piece that is there: as it is on this boot, else as its check says.
    [[nodiscard]] result<std::byte*> bring(live_piece& from, std::size_t size, heap_memory& own) {
        if (from.size != size) {
            return fail(errc::corruption, "the index that was kept is not whole: rebuild it");
        }
        std::byte* at = nullptr;
        brought_[index_of(from)] = true;
        if (writable_ || is_small(from)) {
            if (checks_ && writable_ && !has_blocks(from))
                return fail(errc::no_space, "there is no room for the index");
            if (!map_piece(from)) return fail(errc::io_error, "cannot map the index");
            at = memory_of(from);
        } else {
            auto room = own.allocate(0, 0, size);
            if (!room) return room;
            at = *room;
            const auto into = mutable_bytes(at, static_cast<std::size_t>(from.used));
            if (auto got = read_whole(*file_, from.offset, into); !got) return got.failure();
        }
        const bytes used(at, static_cast<std::size_t>(from.used));
        if (checks_ && image_piece_check(used, store_) != from.check) {
            return fail(errc::corruption, "the index that was kept is damaged: rebuild it");
        }
        if (checks_) std::memset(at + from.used, 0, size - static_cast<std::size_t>(from.used));
        return at;
    }

    /// A new piece, or one that nobody needs any more; null: there is no room.
    [[nodiscard]] std::byte* make(std::uint64_t name, std::size_t size) {
        for (std::uint64_t i = 0; i < words_->pieces; ++i) {
            live_piece& each = pieces_[i];
            if (each.name != 0 || each.size != size || !has_blocks(each) || !map_piece(each))
                continue;
            std::memset(memory_of(each), 0, size);
            return give_name(each, name);
        }
        if (words_->pieces == most_live_pieces) return nullptr;
        live_piece& made = pieces_[words_->pieces];
        const bool in_head = live_head_size - words_->small_end >= size;
        std::uint64_t& end = in_head ? words_->small_end : words_->end;
        const std::uint64_t multiple = in_head               ? 64
                                       : size >= image_block ? image_block
                                                             : live_head_size;
        made = {0, (end + multiple - 1) / multiple * multiple, size, 0, 0};
        if (!in_head && (!has_space(size) || !file_->reserve(made.offset, size))) return nullptr;
        if (!map_piece(made)) return nullptr;
        keep_order();
        end = made.offset + (size + 63) / 64 * 64;
        disk_bytes_.store(words_->end, std::memory_order_relaxed);
        ++words_->pieces;
        return give_name(made, name);
    }

    [[nodiscard]] bool map_piece(const live_piece& of) {
        auto& held = maps_[index_of(of)];
        if (is_small(of) || held != nullptr) return true;
        auto mapped = file_->map(of.offset, of.size, fs::access::write);
        if (mapped) held = std::make_unique<mapping>(std::move(*mapped));
        return mapped.has_value();
    }
    [[nodiscard]] std::byte* give_name(live_piece& to, std::uint64_t name) noexcept {
        keep_order();
        to.name = name;
        return memory_of(to);
    }

    /// The index of this generation is gone: unless it is the one that is kept, so are its pieces.
    void release(std::uint64_t generation) noexcept {
        const auto alone = lock(making_);
        if (!writable_ || generation == words_->generation) return;
        for (std::uint64_t i = 0; i < words_->pieces; ++i) {
            if (pieces_[i].name >> 32 == live_name_of(generation, 0, 0) >> 32) pieces_[i].name = 0;
        }
    }

    [[nodiscard]] result<void> check_piece(std::uint64_t name, bytes used) {
        live_piece* const piece = find(name);
        if (piece == nullptr || used.size() > piece->size) {
            return fail(errc::io_error, "a part of the index is not in its file");
        }
        piece->used = used.size();
        piece->check = image_piece_check(used, store_);
        if (is_small(*piece)) return {};  // stored and synced with the head
        maps_[index_of(*piece)]->stored(0, used.size());
        return maps_[index_of(*piece)]->sync(0, used.size());
    }

    [[nodiscard]] bool has_space(std::uint64_t size) const {
        if (min_free_bytes_ == 0) return true;
        auto left = folder_->free_bytes();
        return left && *left >= size && *left - size >= min_free_bytes_;
    }

    directory* folder_ = nullptr;
    std::uint64_t min_free_bytes_ = 0;
    store_id store_;
    std::unique_ptr<file> file_;
    std::unique_ptr<mapping> head_;
    bool writable_ = false;
    bool checks_ = false;   // nothing is believed without its check
    bool finding_ = false;  // what is not there is not made
    live_words nowhere_{};  // where nothing is kept
    std::byte* base_ = nullptr;
    live_words* words_ = &nowhere_;
    live_piece* pieces_ = nullptr;
    std::uint64_t entries_ = 0;
    std::optional<growing<segment_state, Threading, 6>> states_{std::in_place};
    heap_memory own_;

    typename Threading::mutex making_;  // guards these
    std::uint64_t next_generation_ = 0;
    std::vector<std::unique_ptr<mapping>> maps_;  // by their place in the table of pieces
    std::vector<bool> brought_;                   // likewise: found, and taken over

    threading::multi::atomic<bool> lost_{false};
    typename Threading::template atomic<std::uint64_t> disk_bytes_{0};
};

}  // namespace coffer::detail

#endif
