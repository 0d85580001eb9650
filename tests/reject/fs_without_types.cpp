// expect: a coffer file system needs  class directory, file, mapping and fork_mark
#include <coffer/store.hpp>
#include "../archetypes/minimal_fs.hpp"

struct lame : archetype::disk {
#ifndef COFFER_ACCEPT
private:
    using archetype::disk::mapping;
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
