// coffer/format/segment_header.hpp: the first bytes of a segment file.
//
//   offset  size  field
//   0       8     magic: 89 'C' 'O' 'F' 'S' 'E' 'G' 0A
//   8       4     format version
//   12      4     size of this header: a multiple of 4096
//   16      16    store id
//   32      8     segment id
//   40      8     position where the log goes on from: predecessor's id and end (0: none)
//   48      8     position below which the log was durable at the birth of this segment
//   56      8     commits before this segment
//   64      4     number n of runs
//   68      4     flags: 1, a mark behind which nothing follows says so; else zero
//   72      24 n  runs of older live segments: first id, how many, end
//   ..            zeros
//   size-8  8     check of all bytes before it, seeded with the segment
//
// A run with end 0 names segments that were filled and sealed: each ends with a mark at the end of
// its file. A run with an end names one segment that a crash cut off, and how many of its bytes
// count. The runs, less what later drop records name, are the live segments: one that is missing is
// damage. A header larger than 4 KiB is made where the runs need it.
#ifndef COFFER_FORMAT_SEGMENT_HEADER_HPP
#define COFFER_FORMAT_SEGMENT_HEADER_HPP

#include <coffer/config/version.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/format/identity.hpp>
#include <coffer/format/position.hpp>
#include <coffer/format/record.hpp>

#include <cstdint>
#include <cstring>
#include <vector>

namespace coffer::detail {

inline constexpr std::uint64_t segment_magic = 0x0A474553464F4389;
inline constexpr std::size_t header_unit = 4096;

struct segment_run {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t end = 0;  // bytes; 0: sealed
};

struct segment_header {
    store_id store;
    std::uint64_t id = 0;
    position predecessor;
    position durable;
    std::uint64_t commits = 0;
    bool tells_seal = true;  // a mark behind which nothing follows says so; not in the first stores
    std::vector<segment_run> live;
};

namespace header_at {
inline constexpr std::size_t magic = 0, format = magic + 8, size = format + 4, store = size + 4,
                             id = store + 16, predecessor = id + 8, durable = predecessor + 8,
                             commits = durable + 8, count = commits + 8, flags = count + 4,
                             runs = flags + 4;
inline constexpr std::uint32_t tells_seal = 1;
inline constexpr std::size_t run_size = 24, check_size = 8;
}  // namespace header_at
static_assert(header_at::runs == 72);

[[nodiscard]] constexpr std::size_t header_size(std::size_t runs) noexcept {
    const std::size_t needed = header_at::runs + runs * header_at::run_size + header_at::check_size;
    return (needed + header_unit - 1) / header_unit * header_unit;
}

/// Writes header_size(from.live.size()) bytes at `to`.
inline void write_segment_header(std::byte* to, const segment_header& from) noexcept {
    const std::size_t size = header_size(from.live.size());
    std::memset(to, 0, size);
    store_le(to + header_at::magic, segment_magic);
    store_le(to + header_at::format, std::uint32_t{COFFER_FORMAT_VERSION});
    store_le(to + header_at::size, static_cast<std::uint32_t>(size));
    store_le(to + header_at::store, from.store.low);
    store_le(to + header_at::store + 8, from.store.high);
    store_le(to + header_at::id, from.id);
    store_le(to + header_at::predecessor, from.predecessor.word());
    store_le(to + header_at::durable, from.durable.word());
    store_le(to + header_at::commits, from.commits);
    store_le(to + header_at::count, static_cast<std::uint32_t>(from.live.size()));
    store_le(to + header_at::flags, from.tells_seal ? header_at::tells_seal : 0U);
    std::byte* at = to + header_at::runs;
    for (const segment_run& run : from.live) {
        store_le(at, run.first);
        store_le(at + 8, run.count);
        store_le(at + 16, run.end);
        at += header_at::run_size;
    }
    const std::uint64_t seed = segment_seed(from.store.low, from.store.high, from.id);
    store_le(to + size - header_at::check_size, hash64({to, size - header_at::check_size}, seed));
}

/// The size that the header beginning with these 16 bytes claims; 0 when they begin none.
[[nodiscard]] inline std::size_t claimed_header_size(bytes start) noexcept {
    if (start.size() < 16 || load_le<std::uint64_t>(start.data()) != segment_magic) return 0;
    const std::size_t size = load_le<std::uint32_t>(start.data() + header_at::size);
    return size % header_unit == 0 && size <= header_size(most_slots) ? size : 0;
}

/// Reads the header of segment `id` of store `store`. False when these bytes are not it.
[[nodiscard]] inline bool read_segment_header(bytes from, const store_id& store, std::uint64_t id,
                                              segment_header& out) {
    const std::size_t size = claimed_header_size(from);
    if (size == 0 || size > from.size()) return false;
    const std::byte* const at = from.data();
    const std::uint64_t seed = segment_seed(store.low, store.high, id);
    if (load_le<std::uint64_t>(at + size - header_at::check_size) !=
        hash64({at, size - header_at::check_size}, seed)) {
        return false;
    }
    out.store = {load_le<std::uint64_t>(at + header_at::store),
                 load_le<std::uint64_t>(at + header_at::store + 8)};
    out.id = load_le<std::uint64_t>(at + header_at::id);
    if (!(out.store == store) || out.id != id) return false;
    out.predecessor = position::of_word(load_le<std::uint64_t>(at + header_at::predecessor));
    out.durable = position::of_word(load_le<std::uint64_t>(at + header_at::durable));
    out.commits = load_le<std::uint64_t>(at + header_at::commits);
    out.tells_seal =
        (load_le<std::uint32_t>(at + header_at::flags) & header_at::tells_seal) != 0;
    const std::size_t count = load_le<std::uint32_t>(at + header_at::count);
    if (count > (size - header_at::runs - header_at::check_size) / header_at::run_size)
        return false;
    out.live.resize(count);
    const std::byte* run = at + header_at::runs;
    std::uint64_t next = 1;  // runs ascend, so that no id is in two of them
    for (segment_run& each : out.live) {
        each = {load_le<std::uint64_t>(run), load_le<std::uint64_t>(run + 8),
                load_le<std::uint64_t>(run + 16)};
        if (each.first < next || each.count == 0 || each.first >= id ||
            each.count > id - each.first) {
            return false;
        }
        next = each.first + each.count;
        run += header_at::run_size;
    }
    return true;
}

}  // namespace coffer::detail

#endif
