// The stores of storage::mmap over index::sorted, behind the face that the laws ask.
#include "registry.hpp"

std::vector<laws::combination> laws::mmap_sorted() {
    return combinations_of<coffer::storage::mmap, coffer::index::sorted>();
}
