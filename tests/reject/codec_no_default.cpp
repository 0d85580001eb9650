// expect: (one cannot be initialised by {})
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct inner {
    int number;
};
struct T {
    int before;
    inner last;
};
#else
struct inner {
    explicit inner(int start) : number(start) {}
    int number;
};
struct T {
    int before;
    inner last;
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
