// expect: a coffer file system needs  result<void> directory::rename(std::string_view,
// std::string_view)
#include <coffer/store.hpp>
#include "../archetypes/minimal_fs.hpp"

struct lame : archetype::disk {
#ifndef COFFER_ACCEPT
    struct directory : archetype::disk::directory {
        void rename() = delete;
    };
#endif
};
using S = coffer::store<int, int, lame>;

static_assert(sizeof(S) != 0);

int main() {}
