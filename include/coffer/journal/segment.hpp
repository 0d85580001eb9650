// coffer/journal/segment.hpp: one segment of the log as the running store holds it.
//
// A segment is a file (or, for `map`, memory) with a header and records. Its life:
//
//   prepared -> active -> full -> settled -> removed
//
// prepared: blocks reserved, all zero, under its final name; not yet part of the log.
// active: the one that takes records. full: sealed by a mark, may still have bytes to hand over.
// settled: cut to its end, read-only. removed: cleaned, and nobody reads it any more.
//
// A medium says how the bytes of a segment are held:
//
// | expression               | result        | promise                                           |
// |--------------------------|---------------|---------------------------------------------------|
// | `M::file_system_type`    | type          | where it keeps them                               |
// | `M::persistent`          | bool          | there are files                                   |
// | `M::hands_over`          | bool          | bytes reach the system only by write_out          |
// | `M(fs, options)`         |               | once for each log                                 |
// | `m.prepare(dir, name, size)` | result<body> | a new file of reserved zeros, writable memory over it; none if it fails: no_space |
// | `m.open(dir, name, end)` | result<body>  | an existing segment of `end` bytes, for reading. persistent only |
// | `body.memory()`          | std::byte*    | where its bytes are; null: only read_at reaches them |
// | `body.stored(o, n)`      | void          | bytes [o, o+n) of the memory were written         |
// | `body.write_out(o, n)`   | result<void>  | hands [o, o+n) to the system                      |
// | `body.sync(end)`         | result<void>  | what was handed over below `end` is durable       |
// | `body.settle(end)`       | result<leaving> | cuts the file to `end`; no writes follow. memory() may have moved: `leaving` frees what readers may still see |
// | `body.read_at(o, span)`  | result<void>  | for bodies without memory                         |
// | `M::template keeper<T>`  | type          | optional: keeps the index for the next process, keeper.hpp |
// | `body.write_again(from, end)` | result<void> | of an opened segment: writes [from, end) once more as it is |
#ifndef COFFER_JOURNAL_SEGMENT_HPP
#define COFFER_JOURNAL_SEGMENT_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/epoch.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/format/live.hpp>
#include <coffer/format/position.hpp>
#include <coffer/format/record.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/found_segment.hpp>
#include <coffer/journal/log_state.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace coffer::detail {

/// Memory that readers may still see: to be freed by free(context, what), unless free is null.
struct leaving {
    void (*free)(void* context, void* what) noexcept = nullptr;
    void* context = nullptr;
    void* what = nullptr;
};

namespace need {

template <class M>
concept medium_types = std::movable<typename M::body> && file_system<typename M::file_system_type>;
template <class M>
concept medium_facts = requires {
    { M::persistent } -> std::convertible_to<bool>;
    { M::hands_over } -> std::convertible_to<bool>;
};
template <class M>
concept medium_made = std::constructible_from<M, typename M::file_system_type, const log_options&>;
template <class M>
concept medium_prepare =
    requires(M& medium, typename M::file_system_type::directory* folder, std::string_view name) {
        { medium.prepare(folder, name, std::uint64_t{}) } -> std::same_as<result<typename M::body>>;
    };
template <class M>
concept medium_open =
    requires(M& medium, typename M::file_system_type::directory* folder, std::string_view name) {
        { medium.open(folder, name, std::uint64_t{}) } -> std::same_as<result<typename M::body>>;
    };
template <class B>
concept body_memory = requires(const B& body) {
    { body.memory() } -> std::same_as<std::byte*>;
};
template <class B>
concept body_stored = requires(B& body, std::uint64_t at) { body.stored(at, at); };
template <class B>
concept body_write_out = requires(B& body, std::uint64_t at) {
    { body.write_out(at, at) } -> std::same_as<result<void>>;
};
template <class B>
concept body_sync = requires(B& body, std::uint64_t end) {
    { body.sync(end) } -> std::same_as<result<void>>;
};
template <class B>
concept body_settle = requires(B& body, std::uint64_t end) {
    { body.settle(end) } -> std::same_as<result<leaving>>;
};
template <class B>
concept body_read_at = requires(const B& body, std::uint64_t at, mutable_bytes into) {
    { body.read_at(at, into) } -> std::same_as<result<void>>;
};
template <class B>
concept body_write_again = requires(B& body, std::uint64_t at) {
    { body.write_again(at, at) } -> std::same_as<result<void>>;
};
template <class B>
concept segment_body = body_memory<B> && body_stored<B> && body_write_out<B> && body_sync<B> &&
                       body_settle<B> && body_read_at<B> && body_write_again<B>;

}  // namespace need

template <class M>
concept segment_medium =
    need::medium_types<M> && need::medium_facts<M> && need::medium_made<M> &&
    need::medium_prepare<M> &&
    (!M::persistent || need::medium_open<M>)&&need::segment_body<typename M::body>;

template <class B>
consteval void explain_segment_body() {
    static_assert(need::body_memory<B>,
                  "a body of a coffer medium needs  std::byte* memory() const");
    static_assert(need::body_stored<B>,
                  "a body of a coffer medium needs  void stored(std::uint64_t, std::uint64_t)");
    static_assert(need::body_write_out<B>,
                  "a body of a coffer medium needs  "
                  "result<void> write_out(std::uint64_t, std::uint64_t)");
    static_assert(need::body_sync<B>,
                  "a body of a coffer medium needs  result<void> sync(std::uint64_t)");
    static_assert(need::body_settle<B>,
                  "a body of a coffer medium needs  result<leaving> settle(std::uint64_t)");
    static_assert(need::body_read_at<B>,
                  "a body of a coffer medium needs  "
                  "result<void> read_at(std::uint64_t, mutable_bytes) const");
    static_assert(need::body_write_again<B>,
                  "a body of a coffer medium needs  "
                  "result<void> write_again(std::uint64_t, std::uint64_t)");
}

/// Does not compile unless segment_medium<M>, and says what M lacks.
template <class M>
consteval bool explain_segment_medium() {
    static_assert(need::medium_types<M>,
                  "a coffer medium needs  class body  that is movable, and  file_system_type");
    static_assert(need::medium_facts<M>,
                  "a coffer medium needs  static constexpr bool persistent and hands_over");
    if constexpr (need::medium_types<M> && need::medium_facts<M>) {
        static_assert(need::medium_made<M>,
                      "a coffer medium is made from a file system and const log_options&");
        static_assert(need::medium_prepare<M>,
                      "a coffer medium needs  "
                      "result<body> prepare(directory*, std::string_view, std::uint64_t)");
        static_assert(!M::persistent || need::medium_open<M>,
                      "a coffer medium that is persistent needs  "
                      "result<body> open(directory*, std::string_view, std::uint64_t)");
        explain_segment_body<typename M::body>();
    }
    return segment_medium<M>;
}

/// What every segment keeps for the mark of a hand-over and for its last mark.
inline constexpr std::uint64_t tail_room = 2 * mark_size;

/// Retired when it was taken out of the log.
template <class Body, threading_policy Threading>
struct segment : retired {
    using state = kept_segment<Threading>;

    /// `kept`: where what is dead in it is counted; null: here.
    segment(Body holder, std::uint64_t number, std::uint32_t place, std::uint64_t room,
            std::uint64_t check_seed, state* kept = nullptr)
        : body(std::move(holder)),
          id(number),
          slot(place),
          capacity(room),
          seed(check_seed),
          dead(kept != nullptr ? kept->dead : own_.dead),
          tombstones(kept != nullptr ? kept->tombstones : own_.tombstones) {}

    Body body;
    const std::uint64_t id;
    const std::uint32_t slot;
    std::uint64_t capacity;  // bytes that can be appended to, header included
    const std::uint64_t seed;

    // Changed in the writer's section.
    std::uint64_t begin = 0;  // where records begin
    std::uint64_t end = 0;    // where the next one goes
    bool full = false;
    bool torn = false;            // ends without a mark: by a crash, or by what was taken back,
                                  // which readers may look at: it is not settled in this run
    bool has_clear = false;       // may go only when no older segment is left
    bool damaged = false;         // cleaning found a record that it must not copy
    decltype(state::dead)& dead;  // bytes no longer needed
    std::uint64_t& tombstones;    // bytes of its erase records

    // Changed by whoever has a turn: to hand over the first and the last, to sync the others; the
    // last two inside the section, too, since cleaning asks for them there.
    std::uint64_t handed = 0;
    std::uint64_t doubtful =
        UINT64_MAX;  // of an earlier run: what lies from here on may not be on disk
    std::uint64_t synced = 0;
    bool settled = false;

    /// Does a commit of `size` bytes fit, with what is kept for marks behind it?
    [[nodiscard]] bool fits(std::uint64_t size) const noexcept {
        return !full && capacity - end >= size + tail_room;
    }

    /// `size` bytes of it are no longer needed; in the writer's section.
    void count_dead(std::uint64_t size) noexcept {
        dead.store(dead.load(std::memory_order_relaxed) + size, std::memory_order_relaxed);
    }

    /// Goes on as a settled segment of an earlier run.
    void take_up(const found_segment& found) noexcept {
        begin = found.begin;
        end = handed = found.end;
        synced = doubtful = found.durable;
        full = settled = true;
        torn = found.torn;
    }

    /// Makes all before `upto` durable. Of bytes of an earlier run that nothing shows to be durable
    /// the last sync may have failed, which leaves pages that no sync writes any more. So they are
    /// written once more, as they are.
    [[nodiscard]] result<void> sync(std::uint64_t upto) {
        if (synced == upto) return {};
        if (doubtful < upto) {
            if (auto done = body.write_again(doubtful, upto); !done) return done;
            doubtful = upto;
        }
        return body.sync(upto);
    }

    /// Frees what its body has left when it was settled, as soon as no reader sees it.
    void let_go(epoch<Threading>& readers, const leaving& left) noexcept {
        if (left.free == nullptr) return;
        left_.what = left;
        readers.retire(
            left_,
            [](void*, retired& thing) noexcept {
                const leaving& gone = static_cast<held_memory&>(thing).what;
                gone.free(gone.context, gone.what);
            },
            nullptr);
    }

private:
    struct held_memory : retired {
        leaving what;
    };

    held_memory left_;
    state own_;
};

/// What one hand-over or sync is to do to a segment: up to where, and whether that is all of it.
template <class Segment>
struct task {
    Segment* segment = nullptr;
    std::uint64_t end = 0;
    bool full = false;
};

}  // namespace coffer::detail

#endif
