// expect: two file systems are named
#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#ifdef COFFER_ACCEPT
using S = coffer::store<int, int, coffer::fs::native>;
#else
using S = coffer::store<int, int, coffer::fs::native, coffer::fs::simulated>;
#endif

static_assert(sizeof(S) != 0);

int main() {}
