// bench/versus/coffer_map_hash.cpp: the subjects over storage::map and index::hash.
#include "coffer_subject.hpp"

void versus::add_map_hash() {
    add_coffer<coffer::storage::map, coffer::index::hash>("map/hash");
}
