// expect: encodes_as
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
inline constexpr float query = 0.5F;
#else
inline constexpr double query = 0.5;
#endif

int main() {
    coffer::detail::scratch room;
    return coffer::detail::key_codec<float>::view(query, room).empty() ? 1 : 0;
}
