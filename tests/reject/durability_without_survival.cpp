// expect: a coffer durability policy needs  static constexpr bool survives_process_crash
#include <coffer/store.hpp>
#include "../archetypes/minimal_durability.hpp"

struct lame : archetype::syncing {
#ifndef COFFER_ACCEPT
    struct survives_system_crash {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
