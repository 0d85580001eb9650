// expect: one of the types given after Key and Value is none of them
#include <coffer/store.hpp>
#include <memory>

#ifdef COFFER_ACCEPT
using S = coffer::store<int, int, coffer::index::hash>;
#else
using S = coffer::store<int, int, std::allocator<int>>;
#endif

static_assert(sizeof(S) != 0);

int main() {}
