// expect: (they are packed, overlapping, bit-fields or aligned by hand)
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct tag {};
struct T {
    tag mark;
    int number;
};
#else
struct tag {};
struct T {
    [[no_unique_address]] tag mark;
    int number;
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
