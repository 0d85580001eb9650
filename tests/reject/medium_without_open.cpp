// expect: a coffer medium that is persistent needs
#include <coffer/store.hpp>
#include "../archetypes/minimal_storage.hpp"

template <class FS>
struct half : archetype::file_medium<FS> {
    using archetype::file_medium<FS>::file_medium;
#ifndef COFFER_ACCEPT
    void open() = delete;
#endif
};
struct lame : archetype::in_files {
    template <class FS>
    using medium = half<FS>;
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
