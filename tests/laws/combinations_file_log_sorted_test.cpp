// The stores of storage::file_log over index::sorted, behind the face that the laws ask.
#include "registry.hpp"

std::vector<laws::combination> laws::file_log_sorted() {
    return combinations_of<coffer::storage::file_log, coffer::index::sorted>();
}
