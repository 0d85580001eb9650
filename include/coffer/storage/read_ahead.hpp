// coffer/storage/read_ahead.hpp: a guess at the record that a thread will read next.
//
// Keys that are read, erased or overwritten in the order in which they were put lie one behind the
// other in the log, and anywhere in an index by hash: every lookup would wait for a line of the
// index. So a thread remembers where its last record ended. If the next one begins there, it goes
// in the order of the log, as the read-ahead of file systems has it, and the records to come say
// what to fetch.
//
// I1  What is remembered is a hint and may be about another store: at worst a line is fetched that
//     nobody wants.
//
// Threads: each has one for all stores. Cost: a lookup at random pays a comparison and a store.
#ifndef COFFER_STORAGE_READ_AHEAD_HPP
#define COFFER_STORAGE_READ_AHEAD_HPP

#include <coffer/config/platform.hpp>
#include <coffer/format/position.hpp>

#include <cstddef>
#include <cstdint>

namespace coffer::detail {

class read_ahead {
public:
    /// A lookup has found the record of `size` bytes at `where`. If it follows the one before,
    /// fetch(address) is called for up to two records behind it, each once, and says how many bytes
    /// that one takes; 0 if it does not know.
    template <class Fetch>
    COFFER_ALWAYS_INLINE void passed(address where, std::size_t size, Fetch&& fetch) {
        const address next = where + size / offset_unit;
        const bool follows = where == next_;
        next_ = next;
        if (follows) [[unlikely]]
            go_on(fetch);
    }

private:
    // Eight records of a hundred bytes: what takes longer than to wait for memory once.
    static constexpr std::uint64_t reach = 1024 / offset_unit;

    template <class Fetch>
    COFFER_NOINLINE void go_on(Fetch fetch) {  // by value: what it holds needs no memory before
        if (fetched_ - next_ > reach) fetched_ = next_;  // that was in another place
        for (int i = 0; i < 2 && fetched_ - next_ < reach; ++i) {
            const std::size_t size = fetch(fetched_);
            if (size == 0) break;
            fetched_ += size / offset_unit;
        }
    }

    address next_ = 0;     // where the record begins that would follow; 0: none
    address fetched_ = 0;  // up to here records have been looked at
};

}  // namespace coffer::detail

#endif
