// coffer/format/names.hpp: the names of the files in a store's folder.
//
//   STORE                    who the store is; written once
//   LOCK                     held by the writing process; never deleted, content for people
//   0000000000000007.log     segment 7
//   INDEX                    image of the index; may be deleted at any time
//   LIVE                     the index itself, of a store whose files are mapped; may be deleted
//                            while the store is closed
//   RESERVE                  zeros that are given up when the disk is full
//   torn-<id>-<offset>       bytes that recovery cut off and kept aside
//   STORE.new, INDEX.new     files in the making; removed by the next open
//
// Names come from integers, never from keys or from the contents of files.
#ifndef COFFER_FORMAT_NAMES_HPP
#define COFFER_FORMAT_NAMES_HPP

#include <cstdint>
#include <string>
#include <string_view>

namespace coffer::detail {

inline constexpr std::string_view store_name = "STORE";
inline constexpr std::string_view lock_name = "LOCK";
inline constexpr std::string_view image_name = "INDEX";
inline constexpr std::string_view live_name = "LIVE";
inline constexpr std::string_view reserve_name = "RESERVE";
inline constexpr std::string_view log_suffix = ".log";
inline constexpr std::string_view new_suffix = ".new";
inline constexpr std::string_view torn_prefix = "torn-";

[[nodiscard]] inline std::string hex_of(std::uint64_t number) {
    std::string digits(16, '0');
    for (std::size_t i = 16; i-- > 0; number >>= 4) digits[i] = "0123456789abcdef"[number & 15];
    return digits;
}

[[nodiscard]] inline std::string segment_name(std::uint64_t id,
                                              std::string_view suffix = log_suffix) {
    return hex_of(id).append(suffix);
}

[[nodiscard]] inline std::string torn_name(std::uint64_t id, std::uint64_t offset) {
    return std::string(torn_prefix).append(hex_of(id)).append("-").append(hex_of(offset));
}

/// The id in the name of a segment; 0 when it is no such name.
[[nodiscard]] inline std::uint64_t segment_id_of(std::string_view name,
                                                 std::string_view suffix = log_suffix) noexcept {
    if (name.size() != 16 + suffix.size() || name.substr(16) != suffix) return 0;
    std::uint64_t id = 0;
    for (const char digit : name.substr(0, 16)) {
        const bool decimal = digit >= '0' && digit <= '9';
        if (!decimal && !(digit >= 'a' && digit <= 'f')) return 0;
        id = id << 4 | static_cast<std::uint64_t>(decimal ? digit - '0' : digit - 'a' + 10);
    }
    return id;
}

/// The id of the segment that a file of torn bytes is of; 0 when it is no such name.
[[nodiscard]] inline std::uint64_t torn_id_of(std::string_view name) {
    if (!name.starts_with(torn_prefix) || name.size() < torn_prefix.size() + 16) return 0;
    return segment_id_of(std::string(name.substr(torn_prefix.size(), 16)).append(log_suffix));
}

/// A file in the making that an earlier run left behind.
[[nodiscard]] inline bool is_temporary(std::string_view name) noexcept {
    if (!name.ends_with(new_suffix)) return false;
    const std::string_view base = name.substr(0, name.size() - new_suffix.size());
    return base == store_name || base == image_name;
}

/// Is it a name that this library gives? Nobody else's file is ever changed or removed.
[[nodiscard]] inline bool is_ours(std::string_view name) noexcept {
    return name == store_name || name == lock_name || name == image_name || name == live_name ||
           name == reserve_name || is_temporary(name) || segment_id_of(name) != 0 ||
           name.starts_with(torn_prefix);
}

}  // namespace coffer::detail

#endif
