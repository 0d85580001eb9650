// coffer/format/live.hpp: the file LIVE, an index that lives in a file.
//
// A store that keeps its records in mapped files keeps its index in one, too. LIVE is the memory of
// the index, and what of the log's state is not in the log; so it is what it was when a process
// has been killed, as long as the system runs. At a clean end it gets checks, and lasts.
//
//   offset  size   field
//   0       8      magic: 89 'C' 'O' 'F' 'L' 'I' 'V' 0A
//   8       4      format version
//   12      4      byte order and word size of the machine, as in INDEX
//   16      16     store id
//   32      16     name of the index policy, padded with zeros
//   48      4      version of the index policy
//   52      4      zero
//   56      8      check of everything before it, seeded with the store id
//   64      208    live_words, below, in the machine's byte order
//   4096    40 n   table of pieces: name, offset, size; bytes used and their check when sealed
//   16384          pieces at multiples of 64, if they end before 65536
//   65536          pieces, at multiples of 64 KiB, those of 2 MiB and more at multiples of that
//
// The name of a piece is 1 (1 bit), its generation (31 bits), region (16 bits) and number (16
// bits); an index that takes the place of another has a generation of its own. Name 0 is free room.
// Generation 0, region 0 is the state of the segments: kept_segment, by slot.
//
// LIVE is a cache: one that does not fit in any respect is ignored, and the log is replayed.
#ifndef COFFER_FORMAT_LIVE_HPP
#define COFFER_FORMAT_LIVE_HPP

#include <coffer/config/version.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/policy.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/format/identity.hpp>
#include <coffer/format/image.hpp>
#include <coffer/format/position.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace coffer::detail {

inline constexpr std::uint64_t live_magic = 0x0A56494C464F4389;
inline constexpr std::size_t live_head_size = std::size_t{64} << 10;

namespace live_at {
inline constexpr std::size_t magic = 0, format = magic + 8, machine = format + 4,
                             store = machine + 4, index = store + 16, index_version = index + 16,
                             check = index_version + 8, words = check + 8, pieces = 4096,
                             in_head = 16384;
}  // namespace live_at
static_assert(live_at::words == 64);

/// How far the index has come. Two of them, so that one store moves on from one to the other.
struct live_progress {
    std::uint64_t applied;  // position: what lies before it is in the index
    std::uint64_t commits;
    std::uint64_t entries;
    std::uint64_t last;  // offset of the record that ends at `applied`
};

/// The one change of the index that is under way: to do it again does no harm.
struct live_intent {
    std::uint64_t where;     // address of the record, 0: none; top bit: it erases
    std::uint64_t previous;  // what the index said before
    std::uint64_t dead;      // what is dead in the segment of `previous` afterwards
};

/// What changes while the store is used.
struct live_words {
    threading::multi::atomic<std::uint64_t> boot;  // and file for which the rest holds; 0: for none
    std::uint64_t busy;                            // changes under way that no intent describes
    std::uint64_t which;                           // of `progress`
    std::uint64_t generation;                      // of the index
    std::uint64_t durable;     // position: what lies before it is on stable storage
    std::uint64_t pieces;      // places used in the table of pieces
    std::uint64_t end;         // where the next piece may begin
    std::uint64_t small_end;   // likewise of those in the head
    std::uint64_t slot_count;  // segments that their state has room for

    live_intent intent;
    std::uint64_t unused[4];

    live_progress progress[2];

    std::uint64_t sealed;  // position: where the log ended cleanly, 0: it goes on
    std::uint64_t seal;    // check of what is sealed
};
static_assert(sizeof(live_words) == 208 && live_at::words + sizeof(live_words) < live_at::pieces);

inline constexpr std::uint64_t intent_erases = std::uint64_t{1} << 63;

struct live_piece {
    std::uint64_t name;
    std::uint64_t offset;
    std::uint64_t size;
    std::uint64_t used;
    std::uint64_t check;
};
inline constexpr std::size_t most_live_pieces =
    (live_at::in_head - live_at::pieces) / sizeof(live_piece);

[[nodiscard]] constexpr std::uint64_t live_name_of(std::uint64_t generation, unsigned region,
                                                   unsigned number) noexcept {
    return (std::uint64_t{1} << 31 | generation) << 32 | std::uint64_t{region} << 16 |
           std::uint64_t{number};
}

/// What of a segment is not in the log, or only where it would take long to find.
template <threading_policy Threading>
struct alignas(64) kept_segment {
    static constexpr std::uint64_t torn = 1, has_clear = 2, active = 4, prepared = 8;

    typename Threading::template atomic<std::uint64_t> dead{0};  // bytes no longer needed
    std::uint64_t tombstones = 0;                                // bytes of its erase records
    std::uint64_t id = 0;                                        // 0: the slot is free
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // not of the active one
    std::uint64_t flags = 0;
};

/// Writes what never changes: everything before the words.
inline void write_live_head(std::byte* to, const store_id& store, policy_id index) noexcept {
    store_le(to + live_at::magic, live_magic);
    store_le(to + live_at::format, std::uint32_t{COFFER_FORMAT_VERSION});
    store_le(to + live_at::machine, image_machine());
    store_le(to + live_at::store, store.low);
    store_le(to + live_at::store + 8, store.high);
    copy(to + live_at::index, as_bytes(index.name.substr(0, 15)));
    store_le(to + live_at::index_version, index.version);
    store_le(to + live_at::check, hash64({to, live_at::check}, store.low));
}

/// Is it the head of the LIVE of this store and index, as this machine writes it?
[[nodiscard]] inline bool is_live_head(const std::byte* at, const store_id& store,
                                       policy_id index) noexcept {
    const auto name = as_text({at + live_at::index, 16});
    return load_le<std::uint64_t>(at + live_at::magic) == live_magic &&
           load_le<std::uint32_t>(at + live_at::format) == COFFER_FORMAT_VERSION &&
           load_le<std::uint32_t>(at + live_at::machine) == image_machine() &&
           load_le<std::uint64_t>(at + live_at::store) == store.low &&
           load_le<std::uint64_t>(at + live_at::store + 8) == store.high &&
           name.substr(0, name.find('\0')) == index.name &&
           load_le<std::uint32_t>(at + live_at::index_version) == index.version &&
           load_le<std::uint64_t>(at + live_at::check) == hash64({at, live_at::check}, store.low);
}

/// The check of a sealed head: of what the words say and of the table of pieces.
[[nodiscard]] inline std::uint64_t live_seal(const live_words& words, bytes pieces,
                                             const store_id& store) noexcept {
    const live_progress& now = words.progress[words.which & 1];
    const std::uint64_t all[] = {words.sealed, words.generation, words.pieces,
                                 words.end,    words.small_end,  words.slot_count,
                                 now.applied,  now.commits,      now.entries};
    std::byte said[sizeof all];
    for (std::size_t i = 0; i < std::size(all); ++i) store_le(said + 8 * i, all[i]);
    return hash64(pieces, hash64(said, store.low));
}

/// Numbers that lead nowhere outside of a file of `size` bytes, and pieces that lie apart.
[[nodiscard]] inline bool plausible(const live_words& words, const live_piece* pieces,
                                    std::uint64_t size) noexcept {
    if (words.pieces > most_live_pieces || words.slot_count > most_slots || words.which > 1 ||
        words.end < live_head_size || words.end > size || words.small_end < live_at::in_head ||
        words.small_end > live_head_size || words.small_end % 64 != 0 || words.generation == 0 ||
        words.generation >> 31 != 0) {
        return false;
    }
    std::uint64_t behind = live_head_size;  // those before
    std::uint64_t small_behind = live_at::in_head;
    for (std::uint64_t i = 0; i < words.pieces; ++i) {
        const live_piece& each = pieces[i];
        const bool in_head = each.offset < live_head_size;
        const std::uint64_t end = in_head ? words.small_end : words.end;
        std::uint64_t& from = in_head ? small_behind : behind;
        if (each.offset % (in_head ? 64 : live_head_size) != 0 || each.offset < from ||
            each.offset > end || each.size > end - each.offset || each.used > each.size) {
            return false;
        }
        from = each.offset + each.size;
    }
    return true;
}

}  // namespace coffer::detail

#endif
