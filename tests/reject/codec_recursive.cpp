// expect: coffer cannot store a type that contains itself
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct leaf {
    int value;
};
struct T {
    int value;
    std::vector<leaf> children;
};
#else
struct T {
    int value;
    std::vector<T> children;
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
