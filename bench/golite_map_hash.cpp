// bench/golite_map_hash.cpp: the workloads of golite.hpp over storage::map and index::hash.
#include "golite.hpp"

void bench::golite_map_hash() {
    golite_for<coffer::storage::map, coffer::index::hash>("map/hash");
}
