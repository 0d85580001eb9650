// expect: a coffer file system needs  std::uint64_t coarse_now(); it may return now()
#include <coffer/store.hpp>
#include "../archetypes/minimal_fs.hpp"

struct lame : archetype::disk {
#ifndef COFFER_ACCEPT
    void coarse_now() = delete;
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
