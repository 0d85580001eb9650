// coffer/journal/space_reserve.hpp: disk space that is held back for what frees space.
//
// A log frees space by writing: erases, copies of the cleaner, records that drop a segment. On a
// full disk they need room that nobody else has taken. So a store that is written to holds a file
// of zeros, RESERVE, and gives it up for them; ordinary writes wait until it is held again. Erases
// may use three quarters of it, so that cleaning finds room behind them.
//
// Invariant: held() only while this object's own file of the whole size exists.
// Threads: one caller at a time. Failure: hold() answers no_space and leaves no file; or what the
// disk answers when the file of a process that was killed cannot be removed.
#ifndef COFFER_JOURNAL_SPACE_RESERVE_HPP
#define COFFER_JOURNAL_SPACE_RESERVE_HPP

#include <coffer/core/result.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/segment_header.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/segment_file.hpp>

#include <algorithm>
#include <cstdint>

namespace coffer::detail {

/// What a record is written for.
enum class purpose : unsigned char { change, erase, clean };

/// Enough for some ten thousand erases, and for what lives in a segment that is mostly dead.
[[nodiscard]] constexpr std::uint64_t reserve_size(std::uint64_t segment_bytes) noexcept {
    constexpr std::uint64_t most = 1024 * 1024;
    return (std::min)(most, (segment_bytes + header_unit - 1) / header_unit * header_unit);
}

template <file_system FS>
class space_reserve {
    using directory = typename FS::directory;

public:
    [[nodiscard]] bool held() const noexcept { return held_; }

    [[nodiscard]] result<void> hold(directory& folder, std::uint64_t size) {
        if (held_) return {};
        if (auto gone = folder.remove(reserve_name); !gone) {  // of a process that was killed
            if (gone.error().kind() != errc::not_found) return gone;
        }
        if (auto made = make_reserved_file(folder, reserve_name, size); !made) {
            return made.failure();
        }
        held_ = true;
        return {};
    }

    /// Gives the space back to the disk. False: there was none.
    [[nodiscard]] bool release(directory& folder) {
        held_ = false;
        return folder.remove(reserve_name).has_value();
    }

private:
    bool held_ = false;
};

}  // namespace coffer::detail

#endif
