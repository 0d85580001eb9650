// expect: coffer cannot store a pointer
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
using T = std::string;
#else
using T = const char*;
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
