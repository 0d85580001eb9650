// expect: (one is a reference)
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct T {
    int target;
};
#else
struct T {
    const int& target;
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
