// expect: a coffer index table whose policy says ordered needs
#include <coffer/store.hpp>
#include "../archetypes/minimal_index.hpp"

template <class Threading, class Memory>
struct half : archetype::list_table<Threading, Memory> {
    using archetype::list_table<Threading, Memory>::list_table;
#ifndef COFFER_ACCEPT
    bool descend() = delete;
#endif
};
struct lame : archetype::list {
    template <class Threading, class Memory, std::size_t>
    using table = half<Threading, Memory>;
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
