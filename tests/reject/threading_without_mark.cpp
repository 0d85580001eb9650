// expect: a coffer threading policy needs  static std::uintptr_t this_thread()
#include <coffer/store.hpp>
#include "../archetypes/minimal_threading.hpp"

struct lame : archetype::threads {
#ifndef COFFER_ACCEPT
    struct this_thread {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
