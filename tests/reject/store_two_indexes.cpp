// expect: two index policies are named
#include <coffer/store.hpp>

#ifdef COFFER_ACCEPT
using S = coffer::store<int, int, coffer::index::hash>;
#else
using S = coffer::store<int, int, coffer::index::hash, coffer::index::sorted>;
#endif

static_assert(sizeof(S) != 0);

int main() {}
