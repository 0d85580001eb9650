// expect: coffer_fields needs a type that can be default-constructed
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct T {
    int value = 0;
    static constexpr auto coffer_fields = coffer::fields(&T::value);
};
#else
struct T {
    explicit T(int start) : value(start) {}
    int value;
    static constexpr auto coffer_fields = coffer::fields(&T::value);
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
