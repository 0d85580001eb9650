// bench/golite_mmap_hash.cpp: the workloads of golite.hpp over storage::mmap and index::hash.
#include "golite.hpp"

void bench::golite_mmap_hash() {
    golite_for<coffer::storage::mmap, coffer::index::hash>("mmap/hash");
}
