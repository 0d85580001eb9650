// coffer/storage/options.hpp: what may be chosen when a store is opened.
//
// Every default is safe and works at once; none needs to be set. Sizes are bytes.
#ifndef COFFER_STORAGE_OPTIONS_HPP
#define COFFER_STORAGE_OPTIONS_HPP

#include <coffer/core/result.hpp>
#include <coffer/durability/concept.hpp>
#include <coffer/format/position.hpp>
#include <coffer/journal/log_state.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace coffer {

enum class log_level : unsigned char { info, warning, error };

/// The 100 MiB that a careful operator may want to keep free: a value for options::min_free_bytes.
inline constexpr std::uint64_t careful_free_bytes = std::uint64_t{100} << 20;

struct options {
    /// Open for writing also where another machine holds the files (NFS, SMB, ...): locks and syncs
    /// may not reach the other machines that use them. Otherwise errc::invalid_argument.
    bool allow_network = false;

    /// Waits this long for another process to close the store before answering errc::locked.
    std::chrono::nanoseconds lock_timeout{0};

    /// `buffered`: never more than this waits to be handed over, and after this delay a hand-over
    /// begins (under threading::single at the first write behind it).
    std::uint64_t buffer_bytes = std::uint64_t{4} << 20;
    std::chrono::nanoseconds interval = std::chrono::seconds(1);

    /// `async`: the worker starts a sync when this much waits, or after this delay.
    std::uint64_t max_bytes = std::uint64_t{64} << 20;
    std::chrono::nanoseconds max_delay = std::chrono::milliseconds(100);

    /// Writers wait for a sync when more than this is not on stable storage (all policies but
    /// `sync`).
    std::uint64_t max_unsynced_bytes = std::uint64_t{256} << 20;

    /// The largest batch. It lies in memory and in one segment.
    std::uint64_t max_batch_bytes = std::uint64_t{64} << 20;

    /// Size of a full-grown segment file; a young store begins with small ones.
    std::uint64_t segment_bytes = std::uint64_t{64} << 20;

    /// Refuse writes with errc::no_space when the disk has less than this left. 0: off.
    std::uint64_t min_free_bytes = 0;

    /// Check every record that is read from a file.
    bool verify_reads = true;

    /// Read settled segments, and an index that was kept, through maps; false: with pread, so that
    /// a read error of the disk is an error code instead of a signal, and a write that meets an old
    /// record of its key reads it while others wait. Ignored by `mmap`; always false on 32 bits.
    bool map_reads = true;

    /// Reclaim the space of dead records in the background. Where writes leave more of them than is
    /// cleaned meanwhile, a write waits for that, up to 2 ms.
    bool auto_compact = true;

    /// Called with what the library has to say; it never prints. May be called from any thread, in
    /// the midst of a call: it must not use the store.
    void (*log)(void* context, log_level level, std::string_view message) = nullptr;
    void* log_context = nullptr;
};

namespace detail {

[[nodiscard]] inline log_options log_options_of(const options& from, bool read_only) noexcept {
    log_options out;
    out.segment_bytes = from.segment_bytes;
    out.first_segment_bytes =
        from.segment_bytes < out.first_segment_bytes ? from.segment_bytes : out.first_segment_bytes;
    out.part_bytes = (std::max)(from.buffer_bytes / 16 * 4, std::uint64_t{64 * 1024});
    out.min_free_bytes = from.min_free_bytes;
    out.verify_reads = from.verify_reads;
    out.map_reads = from.map_reads;
    out.read_only = read_only;
    return out;
}

[[nodiscard]] inline pace pace_of(const options& from) noexcept {
    return {from.buffer_bytes, static_cast<std::uint64_t>(from.interval.count()), from.max_bytes,
            static_cast<std::uint64_t>(from.max_delay.count()), from.max_unsynced_bytes};
}

[[nodiscard]] inline result<void> check_options(const options& given, std::string_view path) {
    const auto refuse = [&](std::string_view sentence) {
        return fail(errc::invalid_argument, sentence, path);
    };
    constexpr std::uint64_t least_segment = 16 * 1024;
    if (given.segment_bytes < least_segment || given.segment_bytes > largest_segment / 2) {
        return refuse("options.segment_bytes must be between 16 KiB and 4 GiB");
    }
    if (given.max_batch_bytes == 0 || given.max_batch_bytes > largest_segment / 2) {
        return refuse("options.max_batch_bytes must be between 1 and 4 GiB");
    }
    if (given.interval.count() <= 0 || given.max_delay.count() <= 0 ||
        given.lock_timeout.count() < 0) {
        return refuse("options.interval and max_delay must be positive, lock_timeout not negative");
    }
    if (given.max_bytes == 0 || given.max_unsynced_bytes == 0) {
        return refuse("options.max_bytes and max_unsynced_bytes must be positive");
    }
    return {};
}

}  // namespace detail
}  // namespace coffer

#endif
