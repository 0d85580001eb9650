// coffer/index/sorted_image.hpp: the B+tree of `sorted` as bytes and back.
//
// An image is the memory of the tree, laid out anew: nodes level by level from the root, each
// level in key order, and the chains in the order of the nodes that refer to them. So what every
// number in it must be follows from what came before, and restore() needs no more than to see that
// it is so: then each node and each chunk has one owner, and no number leads out of the image.
//
//     8 words                    layout, granules, chunks, root, inner nodes, height, longest, 0
//     32 words for each granule  nodes as in memory, unlocked; zeros where nothing is
//     4 words for each chunk     all but the first, which is never used
//
// All words are little-endian. Whether keys, images and separators are in order is not checked: an
// image in which they are not gives wrong answers, as would one with wrong refs.
#ifndef COFFER_INDEX_SORTED_IMAGE_HPP
#define COFFER_INDEX_SORTED_IMAGE_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/result.hpp>
#include <coffer/index/sorted_chain.hpp>
#include <coffer/index/sorted_inner.hpp>
#include <coffer/index/sorted_node.hpp>
#include <coffer/index/sorted_pool.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coffer::detail {

inline constexpr std::size_t image_header_words = 8;

/// Gives nodes and chains the numbers they have in an image.
template <class Pool>
struct image_numbering {
    std::uint64_t granules = 0;
    std::uint64_t chunks = 1;

    [[nodiscard]] node_id node(bool compact) noexcept {
        const std::uint64_t at = Pool::place_of(granules, granules_of(compact));
        granules = at + granules_of(compact);
        return static_cast<node_id>(at << 1 | (compact ? 1 : 0));
    }
    [[nodiscard]] std::uint32_t chain(std::size_t size) noexcept {
        const std::uint64_t at = chunks;
        chunks += chunks_of(size);
        return static_cast<std::uint32_t>(at);
    }
};

/// Calls `each(chain)` for the chains that a node owns, in order.
template <class Pool, class Each>
void for_chains(typename Pool::node node, Each&& each) {
    if constexpr (!Pool::exact) {
        const node_meta meta = node.meta();
        if (meta.level() != 0) {
            for (unsigned i = 1; i < meta.count(); ++i) each(chain_of(node.entry(i)));
        } else if (meta.prefix() > inline_prefix) {
            each(prefix_chain(node, meta));
        }
    }
}

/// Collects words and hands them on in larger pieces.
template <class Sink>
class word_sink {
    static constexpr std::size_t piece = std::size_t{1} << 16;

public:
    explicit word_sink(Sink& sink) : sink_(sink), buffer_(piece) {}

    [[nodiscard]] result<void> put(std::uint64_t word) {
        store_le(buffer_.data() + used_, word);
        used_ += 8;
        return used_ == piece ? flush() : result<void>();
    }
    [[nodiscard]] result<void> flush() {
        const std::size_t full = used_;
        used_ = 0;
        if (full == 0) return {};
        return sink_(bytes(buffer_.data(), full));
    }

private:
    Sink& sink_;
    std::vector<std::byte> buffer_;
    std::size_t used_ = 0;
};

template <class Pool, class Sink>
class sorted_saver {
    using node = typename Pool::node;

public:
    sorted_saver(const Pool& pool, Sink& sink) : pool_(pool), out_(sink) {}

    [[nodiscard]] result<void> run() {
        order_.push_back(static_cast<node_id>(pool_.now().root.load(std::memory_order_acquire)));
        image_numbering<Pool> total;
        for (std::size_t i = 0; i < order_.size(); ++i) {
            static_cast<void>(total.node(is_small(order_[i])));
            const node from = pool_.at(order_[i]);
            const node_meta meta = from.meta();
            for_chains<Pool>(from, [&](std::uint32_t chain) {
                static_cast<void>(total.chain(pool_.chain_size(chain)));
            });
            if (meta.level() == 0) continue;
            for (unsigned e = 0; e < meta.count(); ++e) {
                order_.push_back(child_of(from.entry(e)));
            }
        }
        const auto& now = pool_.now();
        for (const std::uint64_t word :
             {Pool::layout, total.granules, total.chunks,
              std::uint64_t{image_numbering<Pool>{}.node(is_small(order_[0]))},
              now.inner.load(std::memory_order_relaxed), now.height.load(std::memory_order_relaxed),
              now.longest.load(std::memory_order_relaxed), std::uint64_t{0}}) {
            if (auto put = out_.put(word); !put) return put;
        }
        if (auto put = nodes(); !put) return put;
        if (auto put = chains(); !put) return put;
        return out_.flush();
    }

private:
    [[nodiscard]] result<void> nodes() {
        image_numbering<Pool> own, given;  // given: to children and chains
        static_cast<void>(given.node(is_small(order_[0])));
        std::uint64_t written = 0;  // granules
        for (const node_id id : order_) {
            const std::uint64_t at = own.node(is_small(id)) >> 1;
            for (; written < at; ++written) {
                for (unsigned i = 0; i < granule_words; ++i) {
                    if (auto put = out_.put(0); !put) return put;
                }
            }
            if (auto put = one(pool_.at(id), given); !put) return put;
            written = own.granules;
        }
        return {};
    }
    [[nodiscard]] result<void> one(node from, image_numbering<Pool>& given) {
        const node_meta meta = from.meta();
        std::uint64_t words[large_granules * granule_words] = {};
        words[1] = meta.word;
        words[2] = from.prefix_word(0);
        words[3] = from.prefix_word(1);
        std::uint64_t* const heads = words + node_header_words;
        std::uint64_t* const entries = heads + from.capacity();
        for (unsigned i = 0; i < meta.count(); ++i) {
            heads[i] = from.head(i);
            entries[i] = from.entry(i);
        }
        if (meta.level() != 0) {
            for (unsigned i = 0; i < meta.count(); ++i) {
                const std::uint32_t chain = chain_of(entries[i]);
                entries[i] =
                    inner_entry(Pool::exact || i == 0 ? 0 : given.chain(pool_.chain_size(chain)),
                                given.node(is_small(child_of(entries[i]))));
            }
        } else if (meta.prefix() > inline_prefix) {
            words[2] = given.chain(pool_.chain_size(prefix_chain(from, meta)));
            words[3] = 0;
        }
        for (unsigned i = 0; i < node_header_words + 2 * from.capacity(); ++i) {
            if (auto put = out_.put(words[i]); !put) return put;
        }
        return {};
    }
    [[nodiscard]] result<void> chains() {
        result<void> done;
        std::uint64_t number = 0;
        for (const node_id id : order_) {
            for_chains<Pool>(pool_.at(id), [&](std::uint32_t chain) {
                const std::size_t size = pool_.chain_size(chain);
                chain_reader<Pool> from(pool_, chain);
                for (std::uint64_t left = chunks_of(size), first = left; left != 0; --left) {
                    ++number;
                    const std::uint64_t next = left == 1 ? 0 : number + 1;
                    if (done) done = out_.put(next | (left == first ? size << 32 : 0));
                    for (unsigned i = 1; i < chunk_words; ++i) {
                        const std::uint64_t word = from.next();
                        if (done) done = out_.put(word);
                    }
                }
            });
            if (!done) break;
        }
        return done;
    }

    const Pool& pool_;
    word_sink<Sink> out_;
    std::vector<node_id> order_;  // the nodes as they are in the image
};

template <class Pool, class Source>
class sorted_loader {
    using node = typename Pool::node;

public:
    sorted_loader(Pool& pool, Source& source) : pool_(pool), source_(source) {}

    [[nodiscard]] result<void> run() {
        std::byte raw[8 * image_header_words] = {};
        if (auto got = source_(mutable_bytes(raw)); !got) return got;
        std::uint64_t words[image_header_words];
        for (std::size_t i = 0; i < image_header_words; ++i) {
            words[i] = load_le<std::uint64_t>(raw + 8 * i);
        }
        granules_ = words[1];
        chunks_ = words[2];
        const std::uint64_t height = words[5];
        if (words[0] != Pool::layout || granules_ >> 31 != 0 || chunks_ >> 32 != 0 ||
            words[3] > no_node || height == 0 || height > most_image_height ||
            words[6] > longest_key) {
            return damaged();
        }
        if (auto had = pool_.reset(0, 1); !had) return had;
        if (auto got = read(); !got) return got;
        longest_ = words[6];
        const auto root = static_cast<node_id>(words[3]);
        if (!tree(root, static_cast<unsigned>(height - 1)) || inner_ != words[4] ||
            found_.granules != granules_ || found_.chunks != chunks_) {
            return damaged();
        }
        if (auto had = pool_.reset(granules_, chunks_); !had) return had;
        pool_.publish(root, height, inner_, longest_);
        return {};
    }

private:
    static result<void> damaged() {
        return fail(errc::corruption, "the image of the index is not one: rebuild it from the log");
    }
    /// Fills the memory piece by piece, none before the ones below it have come.
    [[nodiscard]] result<void> read() {
        for (std::uint64_t at = 0; at < granules_;) {
            if (auto had = pool_.reach(at + 1, 0); !had) return had;
            const std::uint64_t end = (std::min)(granules_, Pool::granules_until(at));
            if (auto got = words(pool_.granule_at(at).words, (end - at) * granule_words); !got) {
                return got;
            }
            at = end;
        }
        for (std::uint64_t at = 1; at < chunks_ && !Pool::exact;) {
            if (auto had = pool_.reach(0, at + 1); !had) return had;
            const std::uint64_t end = (std::min)(chunks_, Pool::chunks_until(at));
            if (auto got = words(pool_.chunk_at(static_cast<std::uint32_t>(at)).words,
                                 (end - at) * chunk_words);
                !got) {
                return got;
            }
            at = end;
        }
        return {};
    }
    [[nodiscard]] result<void> words(typename node::word* to, std::uint64_t count) {
        auto* const raw = reinterpret_cast<std::byte*>(to);
        auto got = source_(mutable_bytes(raw, static_cast<std::size_t>(8 * count)));
        if constexpr (std::endian::native != std::endian::little) {
            for (std::uint64_t i = 0; got && i < count; ++i) {
                to[i].store(load_le<std::uint64_t>(raw + 8 * i), std::memory_order_relaxed);
            }
        }
        return got;
    }

    /// Checks every node, in the order of the image.
    [[nodiscard]] bool tree(node_id root, unsigned level) {
        if (!next_node(root, level)) return false;
        image_numbering<Pool> passed;
        for (std::uint64_t parents = level != 0 ? 1 : 0; parents != 0; --parents) {
            const node parent = pool_.at(passed.node(false));
            const node_meta meta = parent.meta();
            ++inner_;
            for (unsigned i = 0; i < meta.count(); ++i) {
                if (!next_node(child_of(parent.entry(i)), meta.level() - 1)) return false;
                if (meta.level() > 1) ++parents;
            }
        }
        return true;
    }
    /// Is `id` the number of the next node, and that node a sound one?
    [[nodiscard]] bool next_node(node_id id, unsigned level) {
        if (id != found_.node(is_small(id)) || found_.granules > granules_) return false;
        const node at = pool_.at(id);
        const node_meta meta = at.meta();
        if (at.words()[0].load(std::memory_order_relaxed) != 0 || meta.level() != level ||
            meta.count() > at.capacity() || meta.prefix() > longest_key) {
            return false;
        }
        if (level != 0 && (is_small(id) || meta.count() == 0)) return false;
        const bool distant = meta.prefix() > inline_prefix;  // the prefix is in a chain
        if (distant && (Pool::exact || (level != 0 && meta.count() < 2))) return false;
        if (Pool::exact && meta.prefix() != 0) return false;
        bool sound = true, first = true;
        for_chains<Pool>(at, [&](std::uint32_t chain) {
            sound = sound && next_chain(chain, distant && first ? meta.prefix() : 0);
            first = false;
        });
        longest_ = (std::max)(longest_, std::uint64_t{meta.prefix()});
        return sound;
    }
    [[nodiscard]] bool next_chain(std::uint32_t chain, std::size_t least) {
        if (chain != found_.chunks || chain >= chunks_) return false;
        const std::size_t size = pool_.chain_size(chain);
        if (size > longest_key || size < least) return false;
        longest_ = (std::max)(longest_, std::uint64_t{size});
        static_cast<void>(found_.chain(size));
        if (found_.chunks > chunks_) return false;
        for (std::uint64_t at = chain; at < found_.chunks; ++at) {
            const std::uint64_t next = at + 1 == found_.chunks ? 0 : at + 1;
            if ((pool_.chain_word(static_cast<std::uint32_t>(at), 0) & 0xFFFFFFFF) != next) {
                return false;
            }
        }
        return true;
    }

    Pool& pool_;
    Source& source_;
    std::uint64_t granules_ = 0, chunks_ = 0;  // as the image says
    image_numbering<Pool> found_;              // as its nodes say
    std::uint64_t inner_ = 0;
    std::uint64_t longest_ = 0;
};

template <class Pool, class Sink>
[[nodiscard]] result<void> save_sorted(const Pool& pool, Sink& sink) {
    return sorted_saver<Pool, Sink>(pool, sink).run();
}
template <class Pool, class Source>
[[nodiscard]] result<void> restore_sorted(Pool& pool, Source& source) {
    return sorted_loader<Pool, Source>(pool, source).run();
}

}  // namespace coffer::detail

#endif
