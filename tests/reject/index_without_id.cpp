// expect: a coffer index policy needs  static constexpr coffer::policy_id id
#include <coffer/store.hpp>
#include "../archetypes/minimal_index.hpp"

struct lame : archetype::list {
#ifndef COFFER_ACCEPT
    struct id {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
