// expect: a coffer file system needs  result<mapping> file::copy(std::uint64_t, std::uint64_t, std::uint64_t)
#include <coffer/store.hpp>
#include "../archetypes/minimal_fs.hpp"

struct lame : archetype::disk {
#ifndef COFFER_ACCEPT
    struct file : archetype::disk::file {
        void copy() = delete;
    };
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
