// expect: prefix() is for keys that are std::string or std::vector<std::byte>
#include <coffer/store.hpp>
#include <string>

#ifdef COFFER_ACCEPT
using key = std::string;
#else
using key = int;
#endif

using S = coffer::store<key, int, coffer::storage::map, coffer::index::sorted>;

void call(const S& db, const key& start) {
    static_cast<void>(db.prefix(start));
}

int main() {}
