// bench/versus/coffer_file_log_sorted.cpp: the subjects over storage::file_log and index::sorted.
#include "coffer_subject.hpp"

void versus::add_file_log_sorted() {
    add_coffer<coffer::storage::file_log, coffer::index::sorted>("file_log/sorted");
    add_coffer_of_numbers<coffer::storage::file_log, coffer::index::sorted>("file_log/sorted");
}
