// expect: a hash index has none: name coffer::index::sorted
#include <coffer/store.hpp>
#include <string>

#ifdef COFFER_ACCEPT
using chosen = coffer::index::sorted;
#else
using chosen = coffer::index::hash;
#endif

using S = coffer::store<std::string, int, coffer::storage::map, chosen>;

void call(S& db) {
    static_cast<void>(db.erase_range("a", "b"));
}

int main() {}
