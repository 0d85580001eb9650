// bench/golite_file_log_sorted.cpp: the workloads of golite.hpp over storage::file_log and
// index::sorted.
#include "golite.hpp"

void bench::golite_file_log_sorted() {
    golite_for<coffer::storage::file_log, coffer::index::sorted>("file_log/sorted");
}
