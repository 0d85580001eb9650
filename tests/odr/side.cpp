// tests/odr/side.cpp: a shared object that shows nothing of its copy of coffer.
#include "side.hpp"

#include <coffer/coffer.hpp>

using users = coffer::store<std::string, std::string, coffer::storage::file_log>;

std::error_code side_open(const std::string& path) {
    auto opened = users::try_open(path);
    return opened ? std::error_code() : opened.error().code();
}

std::string side_get(const std::string& path, const std::string& key) {
    auto db = users::open(path);
    return db.get(key).value_or("absent");
}
