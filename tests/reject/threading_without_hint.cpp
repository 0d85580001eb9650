// expect: a coffer threading policy needs  static std::size_t& thread_hint()
#include <coffer/store.hpp>
#include "../archetypes/minimal_threading.hpp"

struct lame : archetype::threads {
#ifndef COFFER_ACCEPT
    struct thread_hint {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
