// expect: coffer cannot store a C array: use std::array
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct T {
    std::array<int, 3> numbers;
};
#else
struct T {
    int numbers[3];
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
