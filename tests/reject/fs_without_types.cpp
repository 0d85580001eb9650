// expect: a coffer file system needs  class directory, file, mapping and fork_mark
#include "../archetypes/minimal_fs.hpp"
#include <coffer/store.hpp>

struct lame : archetype::disk {
#ifndef COFFER_ACCEPT
    static void mapping();
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
