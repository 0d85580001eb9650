// expect: coffer::codec_of<T> needs  static T (or result<T>) unpack(stored&&)
#include <coffer/core/codec.hpp>

struct thing {
    int number;
};

template <>
struct coffer::codec_of<thing> {
    static constexpr coffer::policy_id id{"thing", 1};
    using stored = int;
    static int pack(const thing& t) { return t.number; }
#ifdef COFFER_ACCEPT
    static thing unpack(int number) { return {number}; }
#else
    static std::string unpack(int) { return {}; }
#endif
};

static_assert(sizeof(coffer::detail::key_codec<std::vector<thing>>) != 0);

int main() {}
