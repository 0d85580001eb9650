// bench/golite_file_log_hash.cpp: the workloads of golite.hpp over storage::file_log and
// index::hash.
#include "golite.hpp"

void bench::golite_file_log_hash() {
    golite_for<coffer::storage::file_log, coffer::index::hash>("file_log/hash");
}
