// The store types of mmap_sorted().
#include "crash/adapter.hpp"

std::vector<crash::simulated_subject> crash::mmap_sorted() {
    return under_every_durability<coffer::storage::mmap, coffer::index::sorted,
                                  coffer::fs::simulated>();
}
