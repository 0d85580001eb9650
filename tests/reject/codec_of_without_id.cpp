// expect: coffer::codec_of<T> needs  static constexpr coffer::policy_id id
#include <coffer/core/codec.hpp>

struct thing {
    int number;
};

template <>
struct coffer::codec_of<thing> {
#ifdef COFFER_ACCEPT
    static constexpr coffer::policy_id id{"thing", 1};
#endif
    using stored = int;
    static int pack(const thing& t) { return t.number; }
    static thing unpack(int number) { return {number}; }
};

static_assert(sizeof(coffer::detail::key_codec<std::vector<thing>>) != 0);

int main() {}
