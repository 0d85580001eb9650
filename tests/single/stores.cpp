// The stores of the sample that is asked some of the laws against the single header: one of each
// storage and index, and each durability, threading and file system among them. The preset `single`
// asks everything.
#include "laws/registry.hpp"

namespace {

namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace index = coffer::index;
namespace threading = coffer::threading;
namespace fs = coffer::fs;

template <class... Policies>
std::vector<laws::combination> one() {
    return {laws::combination_of<Policies...>()};
}

}  // namespace

std::vector<laws::combination> laws::map_hash() {
    return one<storage::map, durability::buffered, index::hash, threading::single, fs::native>();
}
std::vector<laws::combination> laws::map_sorted() {
    return one<storage::map, durability::sync, index::sorted, threading::multi, fs::simulated>();
}
std::vector<laws::combination> laws::file_log_hash() {
    return one<storage::file_log, durability::sync, index::hash, threading::multi, fs::native>();
}
std::vector<laws::combination> laws::file_log_sorted() {
    return one<storage::file_log, durability::async, index::sorted, threading::multi,
               fs::simulated>();
}
std::vector<laws::combination> laws::mmap_hash() {
    return one<storage::mmap, durability::write_through, index::hash, threading::single,
               fs::simulated>();
}
std::vector<laws::combination> laws::mmap_sorted() {
    return one<storage::mmap, durability::buffered, index::sorted, threading::multi, fs::native>();
}
