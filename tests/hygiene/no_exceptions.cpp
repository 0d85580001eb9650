// tests/hygiene/no_exceptions.cpp: every header under -fno-exceptions -fno-rtti, and a store.
#include "every_header.hpp"

#include <cstdio>
#include <string>

int main() {
    using users = coffer::store<std::string, std::string, coffer::storage::file_log>;
    auto db = users::try_open("plain.coffer");
    if (!db) {
        std::fprintf(stderr, "%s\n", db.error().what());
        return 1;
    }
    if (!db->try_put("ada", "lovelace")) return 2;
    auto name = db->try_get("ada");
    if (!name || *name != "lovelace") return 3;
    return db->try_close() ? 0 : 4;
}
