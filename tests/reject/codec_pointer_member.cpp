// expect: coffer cannot store a pointer
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct T {
    int number;
    int other;
};
#else
struct T {
    int number;
    int* other;
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
