// expect: a coffer medium needs  result<body> prepare(directory*, std::string_view, std::uint64_t)
#include <coffer/store.hpp>
#include "../archetypes/minimal_storage.hpp"

template <class FS>
struct half : archetype::memory_medium<FS> {
    using archetype::memory_medium<FS>::memory_medium;
#ifndef COFFER_ACCEPT
    void prepare() = delete;
#endif
};
struct lame : archetype::in_memory {
    template <class FS>
    using medium = half<FS>;
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
