// The stores of storage::file_log over index::hash, behind the face that the laws ask.
#include "registry.hpp"

std::vector<laws::combination> laws::file_log_hash() {
    return combinations_of<coffer::storage::file_log, coffer::index::hash>();
}
