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
// | expression                     | result       | promise |
// |--------------------------------|--------------|------------------------------------------------------|
// | `M::persistent`                | bool         | there are files | | `M::hands_over` | bool |
// bytes reach the system only by write_out             | | `m.prepare(dir, name, size)`   |
// result<body> | a new file of reserved zeros, writable memory over it; no_space if there is no
// room | | `m.open(dir, name, end)`       | result<body> | an existing segment of `end` bytes, for
// reading      | | `body.memory()`                | std::byte*   | where its bytes are; null: only
// read_at reaches them | | `body.stored(o, n)`            | void         | bytes [o, o+n) of the
// memory were written            | | `body.write_out(o, n)`         | result<void> | hands [o, o+n)
// to the system                         | | `body.sync(end)`               | result<void> | what
// was handed over below `end` is durable          | | `body.settle(end)`             |
// result<leaving> | cuts the file to `end`; no writes follow. memory() may have moved: `leaving`
// frees what readers may still see | | `body.read_at(o, span)`        | result<void> | for bodies
// without memory                            |
#ifndef COFFER_JOURNAL_SEGMENT_HPP
#define COFFER_JOURNAL_SEGMENT_HPP

#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/format/position.hpp>
#include <coffer/format/segment_header.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace coffer::detail {

/// Memory that readers may still see: to be freed by free(context, what), unless free is null.
struct leaving {
    void (*free)(void*, std::uint64_t) noexcept = nullptr;
    void* context = nullptr;
    std::uint64_t what = 0;
};

template <class Body, threading_policy Threading>
struct segment {
    segment(Body holder, std::uint64_t number, std::uint32_t place, std::uint64_t room,
            std::uint64_t check_seed)
        : body(std::move(holder)), id(number), slot(place), capacity(room), seed(check_seed) {}

    Body body;
    const std::uint64_t id;
    const std::uint32_t slot;
    std::uint64_t capacity;  // bytes that can be appended to, header included
    const std::uint64_t seed;

    // Changed in the writer's section.
    std::uint64_t begin = 0;  // where records begin
    std::uint64_t end = 0;    // where the next one goes
    bool full = false;
    bool torn = false;             // ended by a crash, not by a mark
    bool has_clear = false;        // may go only when no older segment is left
    bool damaged = false;          // cleaning found a record that it must not copy
    std::uint64_t tombstones = 0;  // bytes of its erase records
    typename Threading::template atomic<std::uint64_t> dead{0};  // bytes no longer needed

    // Changed by whoever has the turn of I/O.
    std::uint64_t handed = 0;
    std::uint64_t synced = 0;
    bool settled = false;
};

}  // namespace coffer::detail

#endif
