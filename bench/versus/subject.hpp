// bench/versus/subject.hpp: the small face behind which every store is asked.
//
// A subject S is a store; all of them are called alike, through std::string:
//
// | expression                    | promise                                                         |
// |-------------------------------|-----------------------------------------------------------------|
// | `S(folder, durable, entries)` | opens the store in a folder, with room for so many entries; durable: every write is on the disk when it returns |
// | `s.put(key, value)`           | inserts or overwrites                                           |
// | `s.get(key, out)`             | copies the value into a string that is used again; false: none  |
// | `s.erase(key)`                |                                                                 |
// | `s.write(keys, values, n)`    | optional: n entries as one batch                                |
// | `s.bulk(keys, values, n)`     | optional: n entries in its own way to load many                 |
// | `s.get_many(keys, out)`       | optional: some lookups at once; how many were found             |
// | `s.scan(visit)`               | optional: all entries in key order                              |
// | `s.scan_back(visit)`          | optional: all entries, the last key first                       |
// | `s.scan_from(key, n, visit)`  | optional: n entries from a key on                               |
// | `s.compact()`                 | optional: gives back the space of what is dead                  |
// | `s.index_bytes()`             | optional: memory of the index                                   |
// | `s.buffer_bytes()`            | optional: the most that its buffers may take in memory          |
// | `s.flush()`                   | what was put is with the operating system                       |
// | `s.sync()`                    | what was put is on the disk                                     |
// | destruction                   | closes                                                          |
// | `S::persistent`               | does it outlive the process                                     |
// | `S::durable`                  | may it be opened so that every write is on the disk             |
// | `S::threads`                  | may several threads use it at once                              |
// | `S::keeps_nothing`            | optional: the subject that shows what calling it takes          |
#ifndef COFFER_BENCH_VERSUS_SUBJECT_HPP
#define COFFER_BENCH_VERSUS_SUBJECT_HPP

#include "data.hpp"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace versus {

/// What the command line asks for.
struct request {
    std::string subject;
    std::string workload;
    std::size_t count;
    std::string folder;
    entry_shape shape = {};
};

inline void must(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "versus: wrong answer: %s\n", what);
    std::exit(1);
}

using visitor = void (*)(std::string_view, std::string_view);

template <class S>
concept writes_batches = requires(S& s, const std::string* all) { s.write(all, all, 1); };

template <class S>
concept loads_bulk = requires(S& s, const std::string* all) { s.bulk(all, all, 1); };

template <class S>
concept gets_many = requires(S& s, const std::vector<std::string_view>& keys,
                             std::span<std::optional<std::string>> out) { s.get_many(keys, out); };

template <class S>
concept scans = requires(S& s, visitor visit) { s.scan(visit); };

template <class S>
concept scans_back = requires(S& s, visitor visit) { s.scan_back(visit); };

template <class S>
concept seeks =
    requires(S& s, const std::string& key, visitor visit) { s.scan_from(key, 10, visit); };

template <class S>
concept keeps_nothing = requires { S::keeps_nothing; };

template <class S>
concept compacts = requires(S& s) { s.compact(); };

template <class S>
concept knows_its_index = requires(S& s) {
    s.index_bytes();
    s.buffer_bytes();
};

}  // namespace versus

#endif
