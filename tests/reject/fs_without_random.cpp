// expect: a coffer file system needs  void random(mutable_bytes)
#include "../archetypes/minimal_fs.hpp"
#include <coffer/store.hpp>

struct lame : archetype::disk {
#ifndef COFFER_ACCEPT
    struct random {};
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
