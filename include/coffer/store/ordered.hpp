// coffer/store/ordered.hpp: ranges of entries in key order, forwards and backwards.
//
// A view over the keys between two bounds: bidirectional, borrowed, composes with std::views.
// Iterators keep the key they stand on, not a place: each step that leaves their chunk looks the
// next key up again, so inserts, erases, growth and compaction meanwhile are no concern. Weakly
// consistent as walk.hpp says. Two iterators are equal when they stand on equal keys.
#ifndef COFFER_STORE_ORDERED_HPP
#define COFFER_STORE_ORDERED_HPP

#include <coffer/index/concept.hpp>
#include <coffer/store/entry.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>  // declares enable_view and enable_borrowed_range without the cost of <ranges>
#include <utility>
#include <vector>

namespace coffer::detail {

/// The two ends of a range, with their keys.
struct limits {
    struct side {
        bound::kind is = bound::kind::open;
        std::vector<std::byte> key = {};
        [[nodiscard]] bound as_bound() const noexcept { return {is, key}; }
    };
    side low;
    side high;

    [[nodiscard]] bool below_high(bytes key) const noexcept {
        if (high.is == bound::kind::open) return true;
        const auto order = compare(key, high.key);
        return order < 0 || (order == 0 && high.is == bound::kind::including);
    }
    [[nodiscard]] bool above_low(bytes key) const noexcept {
        if (low.is == bound::kind::open) return true;
        const auto order = compare(key, low.key);
        return order > 0 || (order == 0 && low.is == bound::kind::including);
    }
};

/// The end of all keys that begin with `start`: its last byte that is not 0xFF, counted up.
[[nodiscard]] inline limits::side behind_prefix(std::vector<std::byte> start) {
    while (!start.empty() && start.back() == std::byte{0xFF}) start.pop_back();
    if (start.empty()) return {};
    start.back() = static_cast<std::byte>(static_cast<unsigned>(start.back()) + 1);
    return {bound::kind::excluding, std::move(start)};
}

/// Reads the next entries behind `from` in one direction, visible ones only, within `within`;
/// nothing when there are none.
template <bool Descending, class Engine>
[[nodiscard]] result<std::shared_ptr<const chunk>> read_chunk(const Engine& of, bound from,
                                                              const limits& within) {
    auto out = std::make_shared<chunk>();
    std::vector<ref> slots;
    std::vector<std::byte> last;
    for (;;) {
        bool inside = true;
        auto more = of.template step_in_order<Descending>(
            from, slots, [&](bytes key, bytes value, bool visible) {
                inside = inside && (Descending ? within.above_low(key) : within.below_high(key));
                if (!inside) return;
                if (visible) out->add(key, value);
                last.assign(key.begin(), key.end());
            });
        if (!more) return more.failure();
        if (!*more || !inside || !out->empty()) break;
        from = {bound::kind::excluding, last};
    }
    return std::shared_ptr<const chunk>(std::move(out));
}

template <class Engine, class Key, class Value>
class ordered_iterator {
public:
    using value_type = entry<Key, Value>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::bidirectional_iterator_tag;
    using iterator_category = std::input_iterator_tag;  // operator* yields values, not references

    ordered_iterator() = default;
    ordered_iterator(const Engine& of, std::shared_ptr<const limits> within, bool at_end)
        : of_(&of), within_(std::move(within)) {
        if (!at_end) load<false>(within_->low.as_bound());
    }
    /// The first entry of `within` at or behind `from`.
    ordered_iterator(const Engine& of, std::shared_ptr<const limits> within, bound from)
        : of_(&of), within_(std::move(within)) {
        load<false>(from);
    }

    [[nodiscard]] value_type operator*() const { return entry_of<Key, Value>(*chunk_, place()); }

    ordered_iterator& operator++() {
        if (++at_ == chunk_->size())
            load<false>({bound::kind::excluding, chunk_->key(place_of(at_ - 1))});
        return *this;
    }
    ordered_iterator operator++(int) {
        auto before = *this;
        ++*this;
        return before;
    }
    ordered_iterator& operator--() {
        if (!chunk_) {
            load<true>(within_->high.as_bound());
        } else if (at_ == 0) {
            load<true>({bound::kind::excluding, chunk_->key(place_of(0))});
        } else {
            --at_;
        }
        return *this;
    }
    ordered_iterator operator--(int) {
        auto before = *this;
        --*this;
        return before;
    }

    friend bool operator==(const ordered_iterator& left, const ordered_iterator& right) noexcept {
        if (!left.chunk_ || !right.chunk_) return !left.chunk_ && !right.chunk_;
        return equal(left.chunk_->key(left.place()), right.chunk_->key(right.place()));
    }

private:
    /// at_ counts ascending; a chunk that was read backwards lies the other way round.
    [[nodiscard]] std::size_t place_of(std::size_t at) const noexcept {
        return backwards_ ? chunk_->size() - 1 - at : at;
    }
    [[nodiscard]] std::size_t place() const noexcept { return place_of(at_); }

    template <bool Descending>
    void load(bound from) {
        auto next = read_chunk<Descending>(*of_, from, *within_).value();
        chunk_ = next->empty() ? nullptr : std::move(next);
        backwards_ = Descending;
        at_ = Descending && chunk_ ? chunk_->size() - 1 : 0;
    }

    const Engine* of_ = nullptr;
    std::shared_ptr<const limits> within_;
    std::shared_ptr<const chunk> chunk_;  // null: behind the last entry
    std::size_t at_ = 0;
    bool backwards_ = false;
};

template <class Engine, class Key, class Value>
class ordered_range {
public:
    using iterator = ordered_iterator<Engine, Key, Value>;

    /// Without a store a range is empty.
    ordered_range() = default;
    ordered_range(const Engine& of, limits within)
        : of_(&of), within_(std::make_shared<const limits>(std::move(within))) {}
    /// A range that cannot be read, and why.
    explicit ordered_range(const error& broken) : broken_(std::make_shared<const error>(broken)) {}

    [[nodiscard]] iterator begin() const {
        if (broken_) raise(*broken_);
        return of_ == nullptr ? iterator() : iterator(*of_, within_, false);
    }
    [[nodiscard]] iterator end() const {
        return of_ == nullptr ? iterator() : iterator(*of_, within_, true);
    }

    /// The first entry at or behind `from`.
    [[nodiscard]] iterator at(const limits::side& from) const {
        if (broken_) raise(*broken_);
        return iterator(*of_, within_, from.as_bound());
    }

    /// For for_each: shows every entry in order without a copy for each.
    template <class Show>
    [[nodiscard]] result<void> show(Show&& shown) const {
        if (broken_) return failure(*broken_);
        if (of_ == nullptr) return {};
        std::vector<ref> slots;
        std::vector<std::byte> last = within_->low.key;
        bound from{within_->low.is, last};
        for (bool inside = true; inside;) {
            std::vector<std::byte> next;
            auto more = of_->template step_in_order<false>(
                from, slots, [&](bytes key, bytes value, bool visible) {
                    inside = inside && within_->below_high(key);
                    if (!inside) return;
                    if (visible && !shown(key, value)) inside = false;
                    next.assign(key.begin(), key.end());
                });
            if (!more) return more.failure();
            if (!*more) break;
            last.swap(next);
            from = {bound::kind::excluding, last};
        }
        return {};
    }

private:
    const Engine* of_ = nullptr;
    std::shared_ptr<const limits> within_;
    std::shared_ptr<const error> broken_;
};

}  // namespace coffer::detail

template <class Engine, class Key, class Value>
inline constexpr bool std::ranges::enable_view<coffer::detail::ordered_range<Engine, Key, Value>> =
    true;

template <class Engine, class Key, class Value>
inline constexpr bool
    std::ranges::enable_borrowed_range<coffer::detail::ordered_range<Engine, Key, Value>> = true;

#endif
