// coffer/journal/found_segment.hpp: what recovery knows of one live segment.
#ifndef COFFER_JOURNAL_FOUND_SEGMENT_HPP
#define COFFER_JOURNAL_FOUND_SEGMENT_HPP

#include <cstdint>

namespace coffer::detail {

struct found_segment {
    std::uint64_t id = 0;
    std::uint64_t begin = 0;    // where its records begin
    std::uint64_t end = 0;      // where they end
    bool torn = false;          // ended by a crash, not by a mark
    std::uint64_t durable = 0;  // below here it is known to be on stable storage
};

}  // namespace coffer::detail

#endif
