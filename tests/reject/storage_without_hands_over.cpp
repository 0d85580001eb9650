// expect: a coffer storage policy needs  static constexpr bool hands_over
#include <coffer/store.hpp>
#include "../archetypes/minimal_storage.hpp"

struct lame : archetype::in_memory {
#ifndef COFFER_ACCEPT
    struct hands_over {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
