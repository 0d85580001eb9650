// expect: a coffer file system needs  void random(mutable_bytes)
#include <coffer/store.hpp>
#include "../archetypes/minimal_fs.hpp"

struct lame : archetype::disk {
#ifndef COFFER_ACCEPT
    struct random {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
