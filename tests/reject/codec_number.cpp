// expect: coffer cannot store this number
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
using T = double;
#else
using T = long double;
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
