// expect: (one may be a union)
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct T {
    int kind;
    int number;
};
#else
struct T {
    int kind;
    union {
        int number;
        float real;
    };
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
