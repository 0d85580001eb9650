// coffer/storage/stats.hpp: figures of one store.
#ifndef COFFER_STORAGE_STATS_HPP
#define COFFER_STORAGE_STATS_HPP

#include <cstdint>

namespace coffer {

/// Figures of this store only; bytes unless said otherwise.
struct store_stats {
    std::uint64_t entries = 0;         ///< keys present
    std::uint64_t log_bytes = 0;       ///< records, headers and marks in all segments
    std::uint64_t dead_bytes = 0;      ///< of these, what compaction may reclaim, marks included
    std::uint64_t segments = 0;        ///< how many
    std::uint64_t index_bytes = 0;     ///< memory of the index
    std::uint64_t commits = 0;         ///< since the store was made
    std::uint64_t unsynced_bytes = 0;  ///< accepted, not yet on stable storage
};

}  // namespace coffer

#endif
