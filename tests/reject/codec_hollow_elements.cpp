// expect: coffer cannot store a vector whose elements have no content
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
using T = std::vector<std::tuple<int>>;
#else
using T = std::vector<std::tuple<>>;
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
