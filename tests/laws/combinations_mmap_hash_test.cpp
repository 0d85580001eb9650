// The stores of storage::mmap over index::hash, behind the face that the laws ask.
#include "registry.hpp"

std::vector<laws::combination> laws::mmap_hash() {
    return combinations_of<coffer::storage::mmap, coffer::index::hash>();
}
