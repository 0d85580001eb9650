// expect: coffer cannot store an enumeration whose underlying type is left to the compiler
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
enum T : int { red };
#else
enum T { red };
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
