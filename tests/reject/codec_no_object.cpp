// expect: coffer stores plain objects
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
using T = int;
#else
using T = const int;
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
