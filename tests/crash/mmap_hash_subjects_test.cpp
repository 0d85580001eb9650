// The store types of mmap_hash().
#include "crash/adapter.hpp"

std::vector<crash::simulated_subject> crash::mmap_hash() {
    return under_every_durability<coffer::storage::mmap, coffer::index::hash,
                                  coffer::fs::simulated>();
}
