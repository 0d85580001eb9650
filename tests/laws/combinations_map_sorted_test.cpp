// The stores of storage::map over index::sorted, behind the face that the laws ask.
#include "registry.hpp"

std::vector<laws::combination> laws::map_sorted() {
    return combinations_of<coffer::storage::map, coffer::index::sorted>();
}
