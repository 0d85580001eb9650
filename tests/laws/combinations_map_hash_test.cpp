// The stores of storage::map over index::hash, behind the face that the laws ask.
#include "registry.hpp"

std::vector<laws::combination> laws::map_hash() {
    return combinations_of<coffer::storage::map, coffer::index::hash>();
}
