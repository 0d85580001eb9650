// expect: two durability policies are named
#include <coffer/store.hpp>

#ifdef COFFER_ACCEPT
using S = coffer::store<int, int, coffer::durability::sync>;
#else
using S = coffer::store<int, int, coffer::durability::sync, coffer::durability::async>;
#endif

static_assert(sizeof(S) != 0);

int main() {}
