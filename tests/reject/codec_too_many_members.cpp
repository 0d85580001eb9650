// expect: (it has more than 16)
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct T {
    int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
};
#else
struct T {
    int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q;
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
