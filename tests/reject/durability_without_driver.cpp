// expect: a coffer durability policy needs  template <class Log> driver
#include <coffer/store.hpp>
#include "../archetypes/minimal_durability.hpp"

struct lame : archetype::syncing {
#ifndef COFFER_ACCEPT
    struct driver {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
