// bench/golite_map_sorted.cpp: the workloads of golite.hpp over storage::map and index::sorted.
#include "golite.hpp"

void bench::golite_map_sorted() {
    golite_for<coffer::storage::map, coffer::index::sorted>("map/sorted");
}
