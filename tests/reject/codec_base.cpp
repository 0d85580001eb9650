// expect: coffer cannot prove that it sees every member of this type: specialise coffer::codec_of
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
struct T {
    int first;
    int second;
};
#else
struct base {
    int first;
};
struct T : base {
    int second;
};
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
