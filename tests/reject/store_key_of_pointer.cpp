// expect: coffer cannot store a pointer
#include <coffer/store.hpp>
#include <string>

#ifdef COFFER_ACCEPT
using key = std::string;
#else
using key = const char*;
#endif

using S = coffer::store<key, int>;

static_assert(sizeof(S) != 0);

int main() {}
