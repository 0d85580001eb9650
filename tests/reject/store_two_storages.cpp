// expect: two storage policies are named
#include <coffer/store.hpp>

#ifdef COFFER_ACCEPT
using S = coffer::store<int, int, coffer::storage::map>;
#else
using S = coffer::store<int, int, coffer::storage::map, coffer::storage::file_log>;
#endif

static_assert(sizeof(S) != 0);

int main() {}
