// expect: coffer::codec_of<T> needs  using stored
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
    using stored = thing;
#endif
    static int pack(const thing& t) { return t.number; }
    static thing unpack(int number) { return {number}; }
};

static_assert(sizeof(coffer::detail::key_codec<std::vector<thing>>) != 0);

int main() {}
