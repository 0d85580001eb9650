// expect: a coffer durability driver whose policy says hides_until_kept needs  position kept()
#include <coffer/store.hpp>
#include "../archetypes/minimal_durability.hpp"

template <class Log>
struct half : archetype::syncing_driver<Log> {
    using archetype::syncing_driver<Log>::syncing_driver;
#ifndef COFFER_ACCEPT
    void kept() = delete;
#endif
};
struct lame : archetype::syncing {
    template <class Log>
    using driver = half<Log>;
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
