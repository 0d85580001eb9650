// expect: coffer_fields of this type names only members of its base class
#include <coffer/core/codec.hpp>

struct base {
    int value = 0;
    static constexpr auto coffer_fields = coffer::fields(&base::value);
};

#ifdef COFFER_ACCEPT
struct T : base {
    int more = 0;
    static constexpr auto coffer_fields = coffer::fields(&T::value, &T::more);
};
#else
struct T : base {
    int more = 0;
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
