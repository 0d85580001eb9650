// expect: a policy must belong to one axis
#include <coffer/store.hpp>
#include "../archetypes/minimal_durability.hpp"

struct both : archetype::syncing {
#ifndef COFFER_ACCEPT
    static constexpr coffer::policy_id id{"both", 1};
    static constexpr bool ordered = false;
#endif
};
using S = coffer::store<int, int, both>;

static_assert(sizeof(S) != 0);

int main() {}
