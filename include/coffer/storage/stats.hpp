// coffer/storage/stats.hpp: figures of one store, and the check of everything it holds.
#ifndef COFFER_STORAGE_STATS_HPP
#define COFFER_STORAGE_STATS_HPP

#include <coffer/core/result.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace coffer {

/// Figures of this store only; bytes unless said otherwise.
struct store_stats {
    std::uint64_t entries = 0;         ///< keys present
    std::uint64_t log_bytes = 0;       ///< records, headers and marks in all segments
    std::uint64_t dead_bytes = 0;      ///< of these, what compaction may reclaim
    std::uint64_t segments = 0;        ///< how many
    std::uint64_t index_bytes = 0;     ///< memory of the index
    std::uint64_t commits = 0;         ///< since the store was made
    std::uint64_t unsynced_bytes = 0;  ///< accepted, not yet on stable storage
};

/// What verify() found.
struct verify_report {
    struct damage {
        std::uint64_t segment;  ///< its id, which is its file's name in hexadecimal
        std::uint64_t offset;   ///< where the first damaged byte may be
    };
    std::uint64_t records = 0;  ///< read and checked
    std::uint64_t bytes = 0;
    std::vector<damage> damages;

    [[nodiscard]] bool ok() const noexcept { return damages.empty(); }
};

namespace detail {

/// Walks every segment of `records`. A damaged record ends the walk of its segment only.
template <class Records>
[[nodiscard]] result<verify_report> verify_log(Records& records) {
    struct part {
        std::uint64_t id, begin, end, seed;
        const std::byte* memory;
        const typename Records::segment_type* segment;
    };
    verify_report out;
    const auto pin = records.enter();
    std::vector<part> parts;
    {
        auto section = records.journal.enter();
        for (const auto& each : records.journal.segments()) {
            // Not body.memory(): whoever has the turn to hand over may be moving it.
            parts.push_back({each->id, each->begin, each->end, each->seed,
                             records.journal.table().base(each->slot), each.get()});
        }
    }
    std::vector<std::byte> contents;
    for (const part& each : parts) {
        const std::byte* base = each.memory;
        if (base == nullptr) {
            contents.resize(static_cast<std::size_t>(each.end));
            if (auto got = each.segment->body.read_at(0, contents); !got) return got.failure();
            base = contents.data();
        }
        record found;
        std::uint64_t at = each.begin;
        while (at < each.end && read_record(base + at, base + each.end, each.seed, at, found)) {
            at += found.size;
            ++out.records;
        }
        out.bytes += at - each.begin;
        if (at != each.end) out.damages.push_back({each.id, at});
    }
    return out;
}

}  // namespace detail
}  // namespace coffer

#endif
