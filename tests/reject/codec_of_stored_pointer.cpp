// expect: coffer cannot store a pointer
#include <coffer/core/codec.hpp>

struct thing {
    int number;
};

template <>
struct coffer::codec_of<thing> {
    static constexpr coffer::policy_id id{"thing", 1};
#ifdef COFFER_ACCEPT
    using stored = int;
#else
    using stored = int*;
#endif
#ifdef COFFER_ACCEPT
    static int pack(const thing& t) { return t.number; }
#else
    static int* pack(const thing&) { return nullptr; }
#endif
#ifdef COFFER_ACCEPT
    static thing unpack(int number) { return {number}; }
#else
    static thing unpack(int*) { return {}; }
#endif
};

static_assert(sizeof(coffer::detail::key_codec<std::vector<thing>>) != 0);

int main() {}
