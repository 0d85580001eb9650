// expect: coffer cannot store a pointer
#include <coffer/store.hpp>
#include <string>

#ifdef COFFER_ACCEPT
using value = std::string;
#else
using value = const char*;
#endif

using S = coffer::store<int, value>;

static_assert(sizeof(S) != 0);

int main() {}
