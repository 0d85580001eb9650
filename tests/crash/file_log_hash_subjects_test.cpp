// The store types of file_log_hash().
#include "crash/adapter.hpp"

std::vector<crash::simulated_subject> crash::file_log_hash() {
    return under_every_durability<coffer::storage::file_log, coffer::index::hash,
                                  coffer::fs::simulated>();
}
