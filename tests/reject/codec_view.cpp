// expect: coffer cannot store a view, which owns nothing
#include <coffer/core/codec.hpp>

#ifdef COFFER_ACCEPT
using T = std::pair<int, std::string>;
#else
using T = std::pair<int, std::string_view>;
#endif

static_assert(sizeof(coffer::detail::key_codec<T>) != 0);

int main() {}
