// bench/golite_mmap_sorted.cpp: the workloads of golite.hpp over storage::mmap and index::sorted.
#include "golite.hpp"

void bench::golite_mmap_sorted() {
    golite_for<coffer::storage::mmap, coffer::index::sorted>("mmap/sorted");
}
