// bench/versus/coffer_mmap_hash.cpp: the subjects over storage::mmap and index::hash.
#include "coffer_subject.hpp"

void versus::add_mmap_hash() {
    add_coffer<coffer::storage::mmap, coffer::index::hash>("mmap/hash");
}
