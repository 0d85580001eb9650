// expect: a coffer file system needs  result<void> file::reserve(std::uint64_t, std::uint64_t)
#include <coffer/store.hpp>
#include "../archetypes/minimal_fs.hpp"

struct lame : archetype::disk {
#ifndef COFFER_ACCEPT
    struct file : archetype::disk::file {
        void reserve() = delete;
    };
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
