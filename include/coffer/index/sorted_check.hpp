// coffer/index/sorted_check.hpp: is a B+tree of `sorted` that has come back one?
//
// The memory of a tree may come from a file. What is in it is what was written, as far as a check
// can tell; but a file can be made by anybody. So before a tree is taken over every number in it
// that leads somewhere is followed: each node and each chunk has at most one owner, and none lies
// outside of the memory. Then no walk leaves the tree or goes round in a ring.
//
// Whether keys, images and separators are in order is not checked: a tree in which they are not
// gives wrong answers, as would one with wrong refs.
// Cost: the first words of every node, one cache line of 12 or 16; one pass over the chains.
#ifndef COFFER_INDEX_SORTED_CHECK_HPP
#define COFFER_INDEX_SORTED_CHECK_HPP

#include <coffer/index/sorted_chain.hpp>
#include <coffer/index/sorted_inner.hpp>
#include <coffer/index/sorted_node.hpp>
#include <coffer/index/sorted_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coffer::detail {

template <class Pool>
class sorted_checker {
    using node = typename Pool::node;
    using state = typename Pool::state;

public:
    /// Of a pool whose memory reaches as far as its state says.
    explicit sorted_checker(const Pool& pool)
        : pool_(pool),
          granules_(static_cast<std::size_t>(load(pool.now().granules))),
          chunks_(Pool::exact ? 1 : static_cast<std::size_t>(load(pool.now().chunks))) {
        chunks_[0] = true;  // never used
    }

    [[nodiscard]] bool sound() {
        const state& now = pool_.now();
        const std::uint64_t root = load(now.root);
        const std::uint64_t height = load(now.height);
        if (root >= no_node || height == 0 || height > most_tree_height) return false;
        if (!tree(static_cast<node_id>(root), static_cast<unsigned>(height - 1)) ||
            inner_ != load(now.inner) || longest_ > load(now.longest)) {
            return false;
        }
        return free_nodes(load(now.free_small), true) && free_nodes(load(now.free_large), false) &&
               chunks(load(now.free_chunk)) != unsound;
    }

private:
    static constexpr std::uint64_t unsound = ~std::uint64_t{0};

    template <class Word>
    [[nodiscard]] static std::uint64_t load(const Word& from) noexcept {
        return from.load(std::memory_order_relaxed);
    }

    /// Level by level from the root.
    [[nodiscard]] bool tree(node_id root, unsigned level) {
        std::vector<node_id> row{root};
        for (;; --level) {
            std::vector<node_id> below;
            for (const node_id id : row) {
                if (!claim(id) || !is_node(pool_.at(id), is_small(id), level)) return false;
                if (level == 0) continue;
                const node parent = pool_.at(id);
                for (unsigned i = 0; i < parent.meta().count(); ++i) {
                    below.push_back(child_of(parent.entry(i)));
                }
                ++inner_;
            }
            if (level == 0) return true;
            row.swap(below);
        }
    }

    [[nodiscard]] bool is_node(node at, bool compact, unsigned level) {
        const node_meta meta = at.meta();
        if (meta.level() != level || meta.count() > at.capacity() || meta.prefix() > longest_key) {
            return false;
        }
        if (level != 0 && (compact || meta.count() == 0)) return false;
        const bool distant = meta.prefix() > inline_prefix;  // the prefix is in a chain
        if (distant && (Pool::exact || (level != 0 && meta.count() < 2))) return false;
        if (Pool::exact && meta.prefix() != 0) return false;
        longest_ = longest_ < meta.prefix() ? meta.prefix() : longest_;
        // Who last wrote may have had no use for versions, or this one was free then.
        if ((load(at.words()[0]) & 1) != 0) at.unlock();
        if constexpr (Pool::exact) {
            return true;
        } else if (level == 0) {
            return !distant || is_chain(prefix_chain(at, meta), meta.prefix());
        } else {
            bool sound = true;
            for (unsigned i = 1; i < meta.count() && sound; ++i) {
                sound = is_chain(chain_of(at.entry(i)), distant && i == 1 ? meta.prefix() : 0);
            }
            return sound;
        }
    }

    /// Of `least` bytes or more, and as many chunks as its size asks for.
    [[nodiscard]] bool is_chain(std::uint32_t first, std::size_t least) {
        if (first == 0 || first >= chunks_.size()) return false;
        const std::size_t size = pool_.chain_size(first);
        longest_ = longest_ < size ? size : longest_;
        return size <= longest_key && size >= least && chunks(first) == chunks_of(size);
    }

    /// Claims a row of chunks, and says how many they are.
    [[nodiscard]] std::uint64_t chunks(std::uint64_t at) {
        std::uint64_t count = 0;
        for (; at != 0; at = pool_.chain_word(static_cast<std::uint32_t>(at), 0) & 0xFFFFFFFF) {
            if (at >= chunks_.size() || chunks_[static_cast<std::size_t>(at)]) return unsound;
            chunks_[static_cast<std::size_t>(at)] = true;
            ++count;
        }
        return count;
    }

    [[nodiscard]] bool free_nodes(std::uint64_t at, bool compact) {
        while (at != no_node) {
            const auto id = static_cast<node_id>(at);
            if (at > no_node || is_small(id) != compact || !claim(id)) return false;
            at = pool_.at(id).prefix_word(0);
        }
        return true;
    }

    [[nodiscard]] bool claim(node_id id) {
        const std::size_t first = id >> 1;
        const unsigned size = granules_of(is_small(id));
        if (first + size > granules_.size() || Pool::place_of(first, size) != first) return false;
        for (std::size_t at = first; at < first + size; ++at) {
            if (granules_[at]) return false;
            granules_[at] = true;
        }
        return true;
    }

    const Pool& pool_;
    std::vector<bool> granules_, chunks_;  // that have an owner
    std::uint64_t inner_ = 0;
    std::uint64_t longest_ = 0;
};

}  // namespace coffer::detail

#endif
