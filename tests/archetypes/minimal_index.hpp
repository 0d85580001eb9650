// tests/archetypes/minimal_index.hpp: the smallest index: a list of refs that is searched through.
//
// A cell is never used again, so a walk meets every key once. Everything happens under one lock.
#ifndef COFFER_TESTS_ARCHETYPES_MINIMAL_INDEX_HPP
#define COFFER_TESTS_ARCHETYPES_MINIMAL_INDEX_HPP

#include <coffer/index/concept.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace archetype {

template <class Threading, class Memory>
class list_table {
    using ref = coffer::detail::ref;
    using bound = coffer::detail::bound;
    using held_bound = coffer::detail::held_bound;
    using lock = coffer::lock_of<typename Threading::mutex>;

public:
    struct lookup {
        coffer::bytes key;
    };
    struct place {
        coffer::detail::ref ref;
        std::size_t at;
    };
    struct cursor {
        std::size_t at = 0;
    };

    list_table(coffer::detail::epoch<Threading>&, Memory memory) : memory_(std::move(memory)) {}
    list_table(const list_table&) = delete;
    list_table& operator=(const list_table&) = delete;

    coffer::result<void> start(std::uint64_t) { return {}; }

    lookup probe(coffer::bytes key) const { return {key}; }
    void prefetch(const lookup&) const {}
    template <class Keys>
    ref find(const lookup& probe, Keys& keys) const {
        return seek(probe.key, keys).ref;
    }
    template <class Keys>
    place locate(const lookup& probe, Keys& keys) {
        return seek(probe.key, keys);
    }

    void put(const place& at, ref where) {
        const lock hold(mutex_);
        if (at.at == cells_.size()) cells_.push_back(0);
        cells_[at.at] = where;
    }
    void remove(const place& at) {
        const lock hold(mutex_);
        cells_[at.at] = 0;
    }

    bool ready(std::size_t count, std::uint64_t) {
        const lock hold(mutex_);
        return cells_.capacity() - cells_.size() >= count;
    }
    coffer::result<void> prepare(std::size_t count, std::uint64_t) {
        const lock hold(mutex_);
        cells_.reserve(cells_.size() + count);
        return {};
    }

    bool step(cursor& at, std::vector<ref>& refs) const {
        const lock hold(mutex_);
        if (at.at < cells_.size() && cells_[at.at] != 0) refs.push_back(cells_[at.at]);
        return ++at.at < cells_.size();
    }
    template <class Keys>
    bool ascend(held_bound& from, std::vector<ref>& refs, Keys& keys) const {
        return next(from, refs, keys, 1);
    }
    template <class Keys>
    bool descend(held_bound& from, std::vector<ref>& refs, Keys& keys) const {
        return next(from, refs, keys, -1);
    }

    std::size_t memory() const { return cells_.capacity() * sizeof(ref); }

    /// Piece 0 holds how many refs piece 1 has.
    template <class Sink>
    coffer::result<void> save(Sink&& sink) {
        const std::uint64_t count = cells_.size();
        if (auto done = sink(0U, 0U, raw(&count, sizeof(count))); !done) return done;
        return cells_.empty() ? coffer::result<void>()
                              : sink(0U, 1U, raw(cells_.data(), cells_.size() * sizeof(ref)));
    }
    coffer::result<void> adopt() {
        auto head = memory_.allocate(0, 0, sizeof(std::uint64_t));
        if (!head) return head.failure();
        std::uint64_t count = 0;
        std::memcpy(&count, *head, sizeof(count));
        if (count == 0) return {};
        auto cells = memory_.allocate(0, 1, static_cast<std::size_t>(count) * sizeof(ref));
        if (!cells) return cells.failure();
        cells_.resize(static_cast<std::size_t>(count));
        std::memcpy(cells_.data(), *cells, cells_.size() * sizeof(ref));
        return {};
    }

private:
    static coffer::bytes raw(const void* from, std::size_t size) {
        return {static_cast<const std::byte*>(from), size};
    }

    template <class Keys>
    place seek(coffer::bytes key, Keys& keys) const {
        const lock hold(mutex_);
        for (std::size_t at = 0; at < cells_.size(); ++at) {
            if (cells_[at] != 0 && keys.matches(cells_[at], key)) return {cells_[at], at};
        }
        return {0, cells_.size()};
    }

    /// The key closest to `from` in one direction.
    template <class Keys>
    bool next(held_bound& from, std::vector<ref>& refs, Keys& keys, int direction) const {
        const lock hold(mutex_);
        const auto behind = [direction](coffer::bytes key, coffer::bytes than) {
            return direction > 0 ? coffer::compare(key, than) > 0 : coffer::compare(key, than) < 0;
        };
        ref best = 0;
        std::vector<std::byte> best_key;
        for (const ref each : cells_) {
            if (each == 0) continue;
            const coffer::bytes key = keys.key_of(each);
            const bool inside = from.is == bound::kind::open || behind(key, from.key) ||
                                (from.is == bound::kind::including && coffer::equal(key, from.key));
            if (!inside || (best != 0 && behind(key, best_key))) continue;
            best = each;
            best_key.assign(key.begin(), key.end());
        }
        if (best == 0) return false;
        refs.push_back(best);
        from.move_to(best_key);
        return true;
    }

    Memory memory_;
    mutable typename Threading::mutex mutex_;
    std::vector<ref> cells_;
};

struct list {
    static constexpr coffer::policy_id id{"list", 1};
    static constexpr bool ordered = true;
    template <class Threading, class Memory, std::size_t>
    using table = list_table<Threading, Memory>;
};

static_assert(coffer::index_policy<list>);

}  // namespace archetype

#endif
