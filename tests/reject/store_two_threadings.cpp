// expect: two threading policies are named
#include <coffer/store.hpp>

#ifdef COFFER_ACCEPT
using S = coffer::store<int, int, coffer::threading::multi>;
#else
using S = coffer::store<int, int, coffer::threading::multi, coffer::threading::single>;
#endif

static_assert(sizeof(S) != 0);

int main() {}
