// coffer/format/image.hpp: the file INDEX, an image of the index at one place in the log.
//
//   offset  size  field
//   0       8     magic: 89 'C' 'O' 'F' 'I' 'D' 'X' 0A
//   8       4     format version
//   12      4     byte order and word size of the machine: 0x01020304, plus 0x40 on 64 bits
//   16      16    store id
//   32      16    name of the index policy, padded with zeros
//   48      4     version of the index policy
//   52      4     number n of segments
//   56      8     position up to which the log is in the image
//   64      8     commits up to there
//   72      8     entries
//   80      8     where the table of pieces begins
//   88      8     check of the table of pieces, seeded with the store id
//   96      48 n  segments: id, begin, end, dead bytes, bytes of tombstones, slot (32 bits), flags
//                 (32 bits: 1 cut off by a crash, 2 has a clear)
//   ..      8     check of everything before it, seeded with the store id
//   ..            pieces: the memory of the index; from 64 KiB on at a multiple of 64 KiB, from
//                 2 MiB on of 2 MiB, so that each can be mapped; zeros between them
//   ..      32 m  table of pieces, up to the end of the file: region (32 bits), number (32 bits),
//                 offset, size, check: of each block of 2 MiB, seeded with the one before, the
//                 first with the store id
//
// An image is a cache: one that does not fit in any respect is ignored, and the log is replayed.
#ifndef COFFER_FORMAT_IMAGE_HPP
#define COFFER_FORMAT_IMAGE_HPP

#include <coffer/config/version.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/policy.hpp>
#include <coffer/format/identity.hpp>
#include <coffer/format/position.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace coffer::detail {

inline constexpr std::uint64_t image_magic = 0x0A584449464F4389;

struct image_segment {
    std::uint64_t id = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t dead = 0;
    std::uint64_t tombstones = 0;
    std::uint32_t slot = 0;
    bool torn = false;
    bool has_clear = false;
};

/// Part of the memory of an index, as its save() hands it out.
struct image_piece {
    std::uint32_t region = 0;
    std::uint32_t number = 0;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t check = 0;
};

inline constexpr std::size_t image_block = std::size_t{2} << 20;
inline constexpr std::size_t least_mapped_piece = std::size_t{64} << 10;
inline constexpr std::size_t image_piece_size = 32;
inline constexpr std::size_t most_image_pieces = 4096;

struct image_header {
    store_id store;
    policy_id index{"", 0};
    position upto;
    std::uint64_t commits = 0;
    std::uint64_t entries = 0;
    std::uint64_t table = 0;
    std::uint64_t table_check = 0;
    std::vector<image_segment> segments;
};

namespace image_at {
inline constexpr std::size_t magic = 0, format = magic + 8, machine = format + 4,
                             store = machine + 4, index = store + 16, index_version = index + 16,
                             count = index_version + 4, upto = count + 4, commits = upto + 8,
                             entries = commits + 8, table = entries + 8, table_check = table + 8,
                             segments = table_check + 8;
inline constexpr std::size_t segment_size = 48;
}  // namespace image_at
static_assert(image_at::segments == 96);

[[nodiscard]] constexpr std::uint32_t image_machine() noexcept {
    return (std::endian::native == std::endian::little ? 0x01020304U : 0x04030201U) +
           (sizeof(void*) == 8 ? 0x40U : 0U);
}

[[nodiscard]] constexpr std::size_t image_header_size(std::size_t segments) noexcept {
    return image_at::segments + segments * image_at::segment_size + 8;
}

[[nodiscard]] inline std::vector<std::byte> write_image_header(const image_header& from) {
    std::vector<std::byte> image(image_header_size(from.segments.size()));
    std::byte* const to = image.data();
    store_le(to + image_at::magic, image_magic);
    store_le(to + image_at::format, std::uint32_t{COFFER_FORMAT_VERSION});
    store_le(to + image_at::machine, image_machine());
    store_le(to + image_at::store, from.store.low);
    store_le(to + image_at::store + 8, from.store.high);
    copy(to + image_at::index, as_bytes(from.index.name.substr(0, 15)));
    store_le(to + image_at::index_version, from.index.version);
    store_le(to + image_at::count, static_cast<std::uint32_t>(from.segments.size()));
    store_le(to + image_at::upto, from.upto.word());
    store_le(to + image_at::commits, from.commits);
    store_le(to + image_at::entries, from.entries);
    store_le(to + image_at::table, from.table);
    store_le(to + image_at::table_check, from.table_check);
    std::byte* at = to + image_at::segments;
    for (const image_segment& each : from.segments) {
        store_le(at, each.id);
        store_le(at + 8, each.begin);
        store_le(at + 16, each.end);
        store_le(at + 24, each.dead);
        store_le(at + 32, each.tombstones);
        store_le(at + 40, each.slot);
        store_le(at + 44, (each.torn ? 1U : 0U) | (each.has_clear ? 2U : 0U));
        at += image_at::segment_size;
    }
    store_le(at, hash64({to, static_cast<std::size_t>(at - to)}, from.store.low));
    return image;
}

/// How many bytes the header that begins with these has; 0 when they begin none.
[[nodiscard]] inline std::size_t claimed_image_header(bytes start,
                                                      std::uint64_t file_size) noexcept {
    if (start.size() < image_at::segments) return 0;
    if (load_le<std::uint64_t>(start.data()) != image_magic) return 0;
    const std::size_t count = load_le<std::uint32_t>(start.data() + image_at::count);
    if (count > most_slots || image_header_size(count) > file_size) return 0;
    return image_header_size(count);
}

/// Reads the header of an image that this machine, store and index policy can use; else false.
/// Segments are in order of their ids, and each has a slot of its own.
[[nodiscard]] inline bool read_image_header(bytes from, const store_id& store, policy_id index,
                                            image_header& out) {
    const std::size_t size = claimed_image_header(from, from.size());
    if (size == 0) return false;
    const std::byte* const at = from.data();
    if (load_le<std::uint64_t>(at + size - 8) != hash64({at, size - 8}, store.low)) return false;
    if (load_le<std::uint32_t>(at + image_at::format) != COFFER_FORMAT_VERSION ||
        load_le<std::uint32_t>(at + image_at::machine) != image_machine()) {
        return false;
    }
    out.store = {load_le<std::uint64_t>(at + image_at::store),
                 load_le<std::uint64_t>(at + image_at::store + 8)};
    const auto name = as_text({at + image_at::index, 16});
    out.index = index;
    if (!(out.store == store) || name.substr(0, name.find('\0')) != index.name ||
        load_le<std::uint32_t>(at + image_at::index_version) != index.version) {
        return false;
    }
    out.upto = position::of_word(load_le<std::uint64_t>(at + image_at::upto));
    out.commits = load_le<std::uint64_t>(at + image_at::commits);
    out.entries = load_le<std::uint64_t>(at + image_at::entries);
    out.table = load_le<std::uint64_t>(at + image_at::table);
    out.table_check = load_le<std::uint64_t>(at + image_at::table_check);
    out.segments.resize(load_le<std::uint32_t>(at + image_at::count));
    std::vector<bool> taken(most_slots);
    std::uint64_t last = 0;
    const std::byte* run = at + image_at::segments;
    for (image_segment& each : out.segments) {
        const auto flags = load_le<std::uint32_t>(run + 44);
        each = {load_le<std::uint64_t>(run),
                load_le<std::uint64_t>(run + 8),
                load_le<std::uint64_t>(run + 16),
                load_le<std::uint64_t>(run + 24),
                load_le<std::uint64_t>(run + 32),
                load_le<std::uint32_t>(run + 40),
                (flags & 1) != 0,
                (flags & 2) != 0};
        if (each.slot >= most_slots || taken[each.slot] || each.begin > each.end) return false;
        if (each.id <= last) return false;
        taken[each.slot] = true;
        last = each.id;
        run += image_at::segment_size;
    }
    return true;
}

// ---- pieces ----

/// Where a piece of `size` bytes lies when those before it end at `end`.
[[nodiscard]] constexpr std::uint64_t image_piece_offset(std::uint64_t end,
                                                         std::uint64_t size) noexcept {
    const std::uint64_t multiple = size >= image_block          ? image_block
                                   : size >= least_mapped_piece ? least_mapped_piece
                                                                : 64;
    return (end + multiple - 1) / multiple * multiple;
}

[[nodiscard]] inline std::uint64_t image_piece_check(bytes piece, const store_id& store) noexcept {
    std::uint64_t check = store.low;
    while (!piece.empty()) {
        const std::size_t part = piece.size() < image_block ? piece.size() : image_block;
        check = hash64(piece.first(part), check);
        piece = piece.subspan(part);
    }
    return check;
}

/// The table of pieces, and its check.
[[nodiscard]] inline std::vector<std::byte> write_image_pieces(
    const std::vector<image_piece>& from) {
    std::vector<std::byte> table(from.size() * image_piece_size);
    std::byte* at = table.data();
    for (const image_piece& each : from) {
        store_le(at, each.region);
        store_le(at + 4, each.number);
        store_le(at + 8, each.offset);
        store_le(at + 16, each.size);
        store_le(at + 24, each.check);
        at += image_piece_size;
    }
    return table;
}
[[nodiscard]] inline std::uint64_t image_pieces_check(bytes table, const store_id& store) noexcept {
    return hash64(table, store.low);
}

/// Reads the table of the image with this header; false: it is none of use. Every piece lies
/// between header and table, where it can be mapped.
[[nodiscard]] inline bool read_image_pieces(bytes from, const image_header& header,
                                            std::vector<image_piece>& out) {
    if (from.size() % image_piece_size != 0 || from.size() / image_piece_size > most_image_pieces ||
        image_pieces_check(from, header.store) != header.table_check) {
        return false;
    }
    const std::uint64_t first = image_header_size(header.segments.size());
    out.resize(from.size() / image_piece_size);
    const std::byte* at = from.data();
    for (image_piece& each : out) {
        each = {load_le<std::uint32_t>(at), load_le<std::uint32_t>(at + 4),
                load_le<std::uint64_t>(at + 8), load_le<std::uint64_t>(at + 16),
                load_le<std::uint64_t>(at + 24)};
        if (each.offset < first || each.offset > header.table ||
            each.size > header.table - each.offset ||
            image_piece_offset(each.offset, each.size) != each.offset) {
            return false;
        }
        at += image_piece_size;
    }
    return true;
}

}  // namespace coffer::detail

#endif
