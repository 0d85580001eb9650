// coffer/format/record.hpp: one record of the log, between bytes and struct.
//
//   offset  size    field
//   0       8       check: check64 of everything behind it, padding included, seeded with its place
//   8       1       head: bits 0..3 type, bits 4..6 zero, bit 7 `more` (the commit goes on)
//   9       1..3    key size, varint
//   ..      1..5    value size, varint
//   ..      k       key
//   ..      v       value
//   ..      0..3    zeros up to a multiple of 4
//
// V1  The check matches; so all-zero bytes, bytes of another place and torn bytes are no record.
// V2  The type is known, the reserved bits and the padding are zero.
// V3  Sizes are the shortest varints, within the bounds, and the record ends inside its segment.
// V4  Only put has a value of the user's; erase has a key only; clear has neither; mark and end
//     have a `mark_body` as their value, drop has a segment id. Whoever uses one asks for that.
//
// Pure functions of bytes: no state, no threads, no failure but "this is no record here".
#ifndef COFFER_FORMAT_RECORD_HPP
#define COFFER_FORMAT_RECORD_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/check.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/varint.hpp>
#include <coffer/format/position.hpp>

#include <cstddef>
#include <cstdint>

namespace coffer {

inline constexpr std::size_t max_key_size = std::size_t{64} * 1024;  // encoded bytes
inline constexpr std::uint64_t max_value_size = 0xFFFFFFFF;          // encoded bytes

namespace detail {

enum class record_type : std::uint8_t {
    put = 1,
    erase = 2,
    clear = 3,
    mark = 4,
    drop = 5,
    end = 6
};

inline constexpr std::size_t check_size = 8;
inline constexpr std::size_t smallest_record = 12;
inline constexpr std::byte more_bit{0x80};

/// A record as it lies in memory; the runs point into it.
struct record {
    record_type type{};
    bool more = false;
    bytes key;
    bytes value;
    std::size_t size = 0;  // with check and padding
};

[[nodiscard]] constexpr std::size_t padded(std::size_t size) noexcept {
    return (size + (offset_unit - 1)) & ~std::size_t{offset_unit - 1};
}

[[nodiscard]] constexpr std::size_t record_size(std::size_t key, std::size_t value) noexcept {
    return padded(check_size + 1 + varint_size(key) + varint_size(value) + key + value);
}

/// What all checks of one segment have in common.
[[nodiscard]] constexpr std::uint64_t segment_seed(std::uint64_t id_low, std::uint64_t id_high,
                                                   std::uint64_t segment) noexcept {
    return mix(segment, id_low ^ mix(id_high, 0));
}

[[nodiscard]] COFFER_ALWAYS_INLINE std::uint64_t record_check(const std::byte* at,
                                                              std::size_t size, std::uint64_t seed,
                                                              std::uint64_t offset) noexcept {
    return check64({at + check_size, size - check_size}, seed + offset);
}

/// Writes a record at `to`, all but its check; `size` is record_size(key.size(), value.size()).
/// Returns where the key is.
inline std::byte* lay_out_record(std::byte* to, std::size_t size, record_type type, bool more,
                                 bytes key, bytes value) noexcept {
    store_le<std::uint32_t>(to + size - offset_unit, 0);  // the padding, before the value
    std::byte* at = to + check_size;
    *at++ = static_cast<std::byte>(type) | (more ? more_bit : std::byte{0});
    at = put_varint(at, key.size());
    at = put_varint(at, value.size());
    copy(at, key);
    copy(at + key.size(), value);
    return at;
}

/// Gives the record of `size` bytes that was laid out at `to`, `offset` in its segment, its check.
inline void write_record_check(std::byte* to, std::size_t size, std::uint64_t seed,
                               std::uint64_t offset) noexcept {
    store_le(to, record_check(to, size, seed, offset));
}

/// Both, for a record that lies at `offset` in its segment.
inline void write_record(std::byte* to, record_type type, bool more, bytes key, bytes value,
                         std::uint64_t seed, std::uint64_t offset) noexcept {
    const std::size_t size = record_size(key.size(), value.size());
    lay_out_record(to, size, type, more, key, value);
    write_record_check(to, size, seed, offset);
}

/// Of a record that was laid out there.
[[nodiscard]] inline record_type type_of_record(const std::byte* at) noexcept {
    return static_cast<record_type>(at[check_size] & std::byte{0x0F});
}

/// Key and value behind the sizes of the record at `at`; false when they do not fit.
[[nodiscard]] COFFER_ALWAYS_INLINE bool place_runs(const std::byte* at, const std::byte* next,
                                                   const std::byte* limit, std::uint64_t key,
                                                   std::uint64_t value, record& out) noexcept {
    constexpr std::uint64_t pad = offset_unit - 1;
    const std::uint64_t size = (static_cast<std::uint64_t>(next - at) + key + value + pad) & ~pad;
    if (size > static_cast<std::uint64_t>(limit - at)) return false;
    out.key = {next, static_cast<std::size_t>(key)};
    out.value = {next + key, static_cast<std::size_t>(value)};
    out.size = static_cast<std::size_t>(size);
    return true;
}

[[nodiscard]] COFFER_NOINLINE inline bool parse_any_record(const std::byte* at,
                                                           const std::byte* limit,
                                                           record& out) noexcept {
    if (limit - at < static_cast<std::ptrdiff_t>(smallest_record)) return false;
    const std::byte head = at[check_size];
    const auto type = static_cast<std::uint8_t>(head & std::byte{0x0F});
    if (type < 1 || type > 6 || (head & std::byte{0x70}) != std::byte{0}) return false;
    out.type = static_cast<record_type>(type);
    out.more = (head & more_bit) != std::byte{0};
    std::uint64_t key = 0;
    std::uint64_t value = 0;
    const std::byte* next = get_varint(at + check_size + 1, limit, key);
    if (next == nullptr || key > max_key_size) return false;
    next = get_varint(next, limit, value);
    if (next == nullptr || value > max_value_size) return false;
    return place_runs(at, next, limit, key, value, out);
}

/// Whether the size of the value, in the upper half of `head`, takes one byte or two.
[[nodiscard]] constexpr bool has_short_value(std::uint32_t head) noexcept {
    return (head & 0x800000) == 0 || (head >> 24) - 1 < 0x7F;
}
/// A put with has_short_value(head), where `head` is what follows the check of the record at `at`
/// and the size of the key takes one byte: nearly all records.
[[nodiscard]] COFFER_ALWAYS_INLINE bool place_short_put(const std::byte* at, std::uint32_t head,
                                                        const std::byte* limit, std::uint64_t key,
                                                        record& out) noexcept {
    const bool two = (head & 0x800000) != 0;
    std::uint32_t value = head >> 16 & 0xFF;
    if (two) value = (value & 0x7F) | head >> 24 << 7;
    out.type = record_type::put;
    out.more = (head & 0x80) != 0;
    return place_runs(at, at + check_size + (two ? 4 : 3), limit, key, value, out);
}

/// Reads the record that begins at `at` and ends at or before `limit`, without its check and its
/// padding: V2, V3. False when there is none. Safe on any bytes.
[[nodiscard]] COFFER_ALWAYS_INLINE bool parse_record(const std::byte* at, const std::byte* limit,
                                                     record& out) noexcept {
    if (limit - at >= static_cast<std::ptrdiff_t>(smallest_record)) [[likely]] {
        const auto head = load_le<std::uint32_t>(at + check_size);
        constexpr auto put = static_cast<std::uint32_t>(record_type::put);
        if ((head & 0x807F) == put && has_short_value(head)) [[likely]] {
            return place_short_put(at, head, limit, head >> 8 & 0x7F, out);
        }
    }
    record any;  // so that `out` need not lie in memory where it is not of this kind
    if (!parse_any_record(at, limit, any)) return false;
    out = any;
    return true;
}

/// parse_record of a put that bears `key`; what its head says is compared with what it would be.
[[nodiscard]] COFFER_ALWAYS_INLINE bool parse_put_of(bytes key, const std::byte* at,
                                                     const std::byte* limit,
                                                     record& out) noexcept {
    if (limit - at >= static_cast<std::ptrdiff_t>(smallest_record) && key.size() < 128) [[likely]] {
        const auto head = load_le<std::uint32_t>(at + check_size);
        constexpr auto put = static_cast<std::uint32_t>(record_type::put);
        if ((head & 0xFF7F) == (put | key.size() << 8) && has_short_value(head)) [[likely]] {
            return place_short_put(at, head, limit, key.size(), out) && equal(out.key, key);
        }
    }
    record any;
    if (!parse_any_record(at, limit, any) || any.type != record_type::put || !equal(any.key, key))
        return false;
    out = any;
    return true;
}

/// parse_record, the check and the padding: V1 to V3.
[[nodiscard]] inline bool read_record(const std::byte* at, const std::byte* limit,
                                      std::uint64_t seed, std::uint64_t offset,
                                      record& out) noexcept {
    if (!parse_record(at, limit, out) ||
        load_le<std::uint64_t>(at) != record_check(at, out.size, seed, offset)) {
        return false;
    }
    for (const std::byte* pad = out.value.data() + out.value.size(); pad != at + out.size; ++pad) {
        if (*pad != std::byte{0}) return false;
    }
    return true;
}

/// The value of a mark and of an end: what was durable when it was written.
struct mark_body {
    position durable;           // everything before this place was on stable storage
    std::uint64_t commits = 0;  // commits since the store was made, up to here
    bool seals = false;         // nothing follows in its segment

    static constexpr std::size_t size = 16;
    static constexpr std::uint64_t seal_bit = std::uint64_t{1} << 63;
};
inline constexpr std::size_t mark_size = record_size(0, mark_body::size);
static_assert(mark_size == 28);

inline void write_mark(std::byte* to, const mark_body& body) noexcept {
    store_le(to, body.durable.word());
    store_le(to + 8, body.commits | (body.seals ? mark_body::seal_bit : 0));
}

[[nodiscard]] inline bool read_mark(const record& from, mark_body& out) noexcept {
    if ((from.type != record_type::mark && from.type != record_type::end) ||
        from.value.size() != mark_body::size || !from.key.empty()) {
        return false;
    }
    out.durable = position::of_word(load_le<std::uint64_t>(from.value.data()));
    const auto commits = load_le<std::uint64_t>(from.value.data() + 8);
    out.commits = commits & ~mark_body::seal_bit;
    out.seals = from.type == record_type::end || commits != out.commits;
    return true;
}

}  // namespace detail
}  // namespace coffer

#endif
