// bench/versus/coffer_map_sorted.cpp: the subjects over storage::map and index::sorted.
#include "coffer_subject.hpp"

void versus::add_map_sorted() {
    add_coffer<coffer::storage::map, coffer::index::sorted>("map/sorted");
}
