// tests/odr/two.cpp: a second translation unit with the same stores.
#include "side.hpp"

#include <coffer/coffer.hpp>

using users = coffer::store<std::string, std::string, coffer::storage::file_log>;

std::string second_get(const std::string& path, const std::string& key) {
    auto db = users::open(path);
    return db.get(key).value_or("absent");
}
