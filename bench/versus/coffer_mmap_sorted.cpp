// bench/versus/coffer_mmap_sorted.cpp: the subjects over storage::mmap and index::sorted.
#include "coffer_subject.hpp"

void versus::add_mmap_sorted() {
    add_coffer<coffer::storage::mmap, coffer::index::sorted>("mmap/sorted");
}
