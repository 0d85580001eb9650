// coffer/journal/room.hpp: how large the next segment is, and its making.
//
// A young store has small segments: each is as large as a sixteenth of all before it, from
// first_segment_bytes up to segment_bytes. So a store needs little disk and memory beyond what it
// holds, and the part of it that cannot be cleaned yet is small. A segment is never
// smaller than the commit that it is made for; where the disk has less room than usual, it is
// halved down to that.
//
// Failure: no_space, before anything of the commit was written.
#ifndef COFFER_JOURNAL_ROOM_HPP
#define COFFER_JOURNAL_ROOM_HPP

#include <coffer/core/result.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/segment_header.hpp>
#include <coffer/journal/log_state.hpp>
#include <coffer/journal/segment.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace coffer::detail {

[[nodiscard]] inline failure no_number_left() {
    return fail(errc::no_space,
                "no number is left for another segment, because a file in the folder has the "
                "highest of all; open the store again, or copy it into a new one");
}

struct room {
    std::uint64_t least;
    std::uint64_t usual;
};

/// How large a segment is that has nothing large to take, in a log of so many bytes.
[[nodiscard]] inline std::uint64_t usual_segment(std::uint64_t log,
                                                 const log_options& options) noexcept {
    return (std::min)(options.segment_bytes, (std::max)(options.first_segment_bytes, log / 16));
}

/// Room for a commit of `size` bytes in a log of `runs` segments that hold `live` bytes.
[[nodiscard]] inline result<room> room_for(std::uint64_t size, std::uint64_t live, std::size_t runs,
                                           const log_options& options) {
    constexpr std::uint64_t most = largest_segment / 2 + 2 * max_key_size;  // any one record
    if (size > most) {
        return fail(errc::too_large, "a commit of " + std::to_string(size) +
                                         " bytes exceeds the largest segment; split it");
    }
    const auto whole_units = [](std::uint64_t bytes) {
        return (bytes + header_unit - 1) / header_unit * header_unit;
    };
    const std::uint64_t needed = header_size(runs + 2) + size + tail_room;
    const std::uint64_t least = whole_units(needed);
    return room{least, (std::max)(least, whole_units(usual_segment(live, options)))};
}

/// Of a reserve and what is left of the active segment, the bytes that live records of a segment to
/// be cleaned may take, in a log of `runs` segments.
[[nodiscard]] constexpr std::uint64_t room_to_clean(std::uint64_t reserve, std::uint64_t left,
                                                    std::size_t runs) noexcept {
    const std::uint64_t needs = header_size(runs + 1) + 2 * tail_room;
    return (std::max)(reserve, needs) - needs + (std::max)(left, tail_room) - tail_room;
}

template <class Medium>
struct made_body {
    typename Medium::body body;
    std::uint64_t capacity;
};

/// A body as large as `wanted` says, or as the disk and min_free_bytes allow. What frees space may
/// go below that.
template <class Medium, class Directory>
[[nodiscard]] result<made_body<Medium>> make_body(Medium& medium, Directory* folder,
                                                  const log_options& options, std::string_view name,
                                                  room wanted, bool frees_space) {
    std::uint64_t capacity = wanted.usual;
    if (Medium::persistent && options.min_free_bytes != 0 && !frees_space) {
        auto free = folder->free_bytes();
        if (!free) return free.failure();
        if (*free < wanted.least || *free - wanted.least < options.min_free_bytes) {
            return fail(errc::no_space,
                        "insufficient disk space: " + std::to_string(*free) +
                            " bytes available, min_free_bytes asks for " +
                            std::to_string(options.min_free_bytes) +
                            "; free some, or lower the option",
                        folder->path());
        }
        const std::uint64_t most = (*free - options.min_free_bytes) / header_unit * header_unit;
        capacity = (std::min)(capacity, most);
    }
    for (;;) {
        auto body = medium.prepare(folder, name, capacity);
        if (body) return made_body<Medium>{std::move(*body), capacity};
        if (body.error().kind() != errc::no_space || capacity == wanted.least) {
            return body.failure();
        }
        capacity = (std::max)(wanted.least, capacity / 2 / header_unit * header_unit);
    }
}

/// Takes back what make_body has made for segment `number`: its memory, and its file if memory
/// allows.
template <class Medium, class Directory>
void unmake_body(made_body<Medium>& made, Directory* folder, std::uint64_t number) noexcept {
    { const auto gone = std::move(made.body); }
    if constexpr (Medium::persistent) {
        static_cast<void>(if_memory_allows(
            [&] { static_cast<void>(folder->remove(segment_name(number))); }));
    }
}

}  // namespace coffer::detail

#endif
