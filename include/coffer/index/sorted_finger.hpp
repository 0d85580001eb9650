// coffer/index/sorted_finger.hpp: the leaf of `sorted` in which a thread last looked for a key.
//
// Keys that are read in order lie in one leaf for dozens of lookups, and each would come down to it
// from the root. So a thread keeps a finger on the leaf (the term is that of Guibas, McCreight,
// Plass and Roberts, "A new representation for linear lists", 1977) and looks there first, as long
// as that goes well: after three misses in a row it only watches whether two descents end in the
// same leaf. Lookups at random pay a few instructions for it.
//
// I1  A finger is a hint, as is the leaf that a lookup has come near. A leaf is believed if it is
//     one, if it does not change meanwhile, and if the key lies between its first and its last one:
//     then no other leaf can hold the key. A node that has left the tree has no entries
//     (sorted_pool: give), so nothing lies between them.
// I2  A pool is known by its serial number, which no later one has: a finger means no other tree
//     that lies in the same place.
//
// Threads: each has one finger for all trees of a kind; it is no part of the tree.
#ifndef COFFER_INDEX_SORTED_FINGER_HPP
#define COFFER_INDEX_SORTED_FINGER_HPP

#include <coffer/index/sorted_node.hpp>

#include <cstdint>

namespace coffer::detail {

class finger {
public:
    /// Is it worth a look?
    [[nodiscard]] bool points_into(std::uint64_t pool) const noexcept {
        return pool == pool_ && luck_ != 0;
    }
    [[nodiscard]] node_id leaf() const noexcept { return leaf_; }

    void hit() noexcept { luck_ = most_luck; }
    void missed() noexcept { --luck_; }
    /// A descent has ended in `leaf`.
    void came_to(std::uint64_t pool, node_id leaf) noexcept {
        if (leaf == leaf_ && pool == pool_) {
            luck_ = most_luck;
        } else {
            if (pool != pool_) luck_ = 0;
            pool_ = pool;
            leaf_ = leaf;
        }
    }

private:
    static constexpr std::uint32_t most_luck = 3;

    std::uint64_t pool_ = 0;  // 0: none
    node_id leaf_ = no_node;
    std::uint32_t luck_ = 0;  // misses that it may still have
};

}  // namespace coffer::detail

#endif
