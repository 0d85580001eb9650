// expect: a coffer threading policy needs  static constexpr bool concurrent
#include "../archetypes/minimal_threading.hpp"
#include <coffer/store.hpp>

struct lame : archetype::threads {
#ifndef COFFER_ACCEPT
    struct concurrent {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
