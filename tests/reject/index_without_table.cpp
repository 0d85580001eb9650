// expect: template <class Threading, class Memory, std::size_t KeySize> table
#include <coffer/store.hpp>
#include "../archetypes/minimal_index.hpp"

struct lame : archetype::list {
#ifndef COFFER_ACCEPT
    struct table {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
