// bench/versus/coffer_file_log_hash.cpp: the subjects over storage::file_log and index::hash.
#include "coffer_subject.hpp"

void versus::add_file_log_hash() {
    add_coffer<coffer::storage::file_log, coffer::index::hash>("file_log/hash");
}
