// The store types of file_log_sorted().
#include "crash/adapter.hpp"

std::vector<crash::simulated_subject> crash::file_log_sorted() {
    return under_every_durability<coffer::storage::file_log, coffer::index::sorted,
                                  coffer::fs::simulated>();
}
