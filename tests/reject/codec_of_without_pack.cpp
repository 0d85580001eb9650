// expect: coffer::codec_of<T> needs  static stored pack(const T&)
#include <coffer/core/codec.hpp>

struct thing {
    int number;
};

template <>
struct coffer::codec_of<thing> {
    static constexpr coffer::policy_id id{"thing", 1};
    using stored = int;
#ifdef COFFER_ACCEPT
    static int pack(const thing& t) { return t.number; }
#endif
    static thing unpack(int number) { return {number}; }
};

static_assert(sizeof(coffer::detail::key_codec<std::vector<thing>>) != 0);

int main() {}
