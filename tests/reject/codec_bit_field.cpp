// expect: (one is a bit-field)
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct T {
    int few;
    int rest;
};
#else
struct T {
    int few : 20;
    int rest : 20;
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
