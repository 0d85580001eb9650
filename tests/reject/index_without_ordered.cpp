// expect: a coffer index policy needs  static constexpr bool ordered
#include <coffer/store.hpp>
#include "../archetypes/minimal_index.hpp"

struct lame : archetype::list {
#ifndef COFFER_ACCEPT
    struct ordered {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
