// expect: coffer does not know how to store this type
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct T {
    int value;
};
#else
class T {
    int value_;

public:
    explicit T(int value) : value_(value) {}
    int value() const { return value_; }
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
