// coffer/store/ordered.hpp: ranges of entries in key order, forwards and backwards.
//
// A view over the keys between two bounds: bidirectional, borrowed, composes with std::views.
// Iterators keep the key they stand on, not a place: each step that leaves their chunk looks the
// next key up again, so inserts, erases, growth and compaction meanwhile are no concern. Weakly
// consistent as walk.hpp says. close() and refresh() end iterators; a range says errc::closed then.
//
// I1  What is before an iterator's chunk is looked up once, by whichever copy of the iterator asks
//     first. std::reverse_iterator steps a copy back to show an entry, and then steps itself: both
//     come to the same one, whatever is written in between.
// I2  A step that throws leaves the iterator where it was.
// I3  Two iterators are equal when they stand on equal keys. One that came backwards is equal to
//     begin(), too, when nothing is before it: the entry that was the first may be gone.
#ifndef COFFER_STORE_ORDERED_HPP
#define COFFER_STORE_ORDERED_HPP

#include <coffer/core/held_bytes.hpp>
#include <coffer/core/threading.hpp>
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
    held_bound low;
    held_bound high;
    friend bool operator==(const limits&, const limits&) = default;

    /// Is a key that a walk has come to still inside?
    template <bool Descending>
    [[nodiscard]] bool holds(bytes key) const noexcept {
        return Descending ? above_low(key) : below_high(key);
    }

private:
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
[[nodiscard]] inline held_bound behind_prefix(held_bytes start) {
    std::size_t size = start.size();
    while (size != 0 && start.data()[size - 1] == std::byte{0xFF}) --size;
    if (size == 0) return {};
    start.resize(size);
    std::byte& last = start.data()[size - 1];
    last = static_cast<std::byte>(static_cast<unsigned>(last) + 1);
    return {bound::kind::excluding, std::move(start)};
}

/// Reads the next entries behind `from` in one direction, visible ones only, within `within`;
/// nothing when there are none. Large values end a chunk early.
template <bool Descending, class Engine>
[[nodiscard]] result<std::shared_ptr<const chunk>> read_chunk(const Engine& of, held_bound from,
                                                              const limits& within) {
    constexpr std::size_t most_held = 64 * 1024;
    auto out = std::make_shared<chunk>();
    std::vector<ref> refs;
    for (bool more = true; more && out->empty();) {
        auto shown = of.template step_in_order<Descending>(from, refs, [&](bytes key, bytes value) {
            if (!within.template holds<Descending>(key)) return false;
            out->add(key, value);
            return out->held() < most_held;
        });
        if (!shown) return shown.failure();
        more = *shown;
    }
    return std::shared_ptr<const chunk>(std::move(out));
}

/// A chunk that iterators stand in, and the one before it as the first of them found it (I1).
template <class Threading>
class stretch {
    using held = const std::shared_ptr<const chunk>;

public:
    stretch(std::shared_ptr<const chunk> entries, bool backwards)
        : entries_(std::move(entries)), backwards_(backwards) {}
    stretch(const stretch&) = delete;
    stretch& operator=(const stretch&) = delete;
    ~stretch() { delete before_.load(std::memory_order_relaxed); }

    /// Behind the last entry there are none.
    [[nodiscard]] const chunk* entries() const noexcept { return entries_.get(); }
    /// Were they read backwards?
    [[nodiscard]] bool backwards() const noexcept { return backwards_; }

    template <class Read>
    [[nodiscard]] const std::shared_ptr<const chunk>& before(Read&& read) const {
        held* seen = before_.load(std::memory_order_acquire);
        if (seen != nullptr) return *seen;
        auto mine = std::make_unique<held>(read());
        if (!before_.compare_exchange_strong(seen, mine.get(), std::memory_order_acq_rel))
            return *seen;
        return *mine.release();
    }

private:
    std::shared_ptr<const chunk> entries_;
    bool backwards_;
    mutable typename Threading::template atomic<held*> before_{nullptr};
};

template <class Engine, class Key, class Value>
class ordered_iterator {
    using stretch_type = stretch<typename Engine::records_type::threading_type>;

public:
    using value_type = entry<Key, Value>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::bidirectional_iterator_tag;
    using iterator_category = std::input_iterator_tag;  // operator* yields values, not references

    ordered_iterator() = default;
    ordered_iterator(const Engine& of, std::shared_ptr<const limits> within, bool at_end)
        : of_(&of), within_(std::move(within)), first_(!at_end) {
        if (at_end) {
            here_ = std::make_shared<const stretch_type>(nullptr, false);
        } else {
            load(within_->low);
        }
    }
    /// The first entry of `within` at or behind `from`.
    ordered_iterator(const Engine& of, std::shared_ptr<const limits> within, held_bound from)
        : of_(&of), within_(std::move(within)) {
        load(std::move(from));
    }

    [[nodiscard]] value_type operator*() const { return entry_of<Key, Value>(*entries(), place()); }

    ordered_iterator& operator++() {
        const chunk& mine = *entries();
        if (at_ + 1 == mine.size()) {
            load(beside(mine.key(place())));
        } else {
            ++at_;
        }
        first_ = false;
        return *this;
    }
    ordered_iterator operator++(int) {
        auto before = *this;
        ++*this;
        return before;
    }
    ordered_iterator& operator--() {
        if (at_ != 0) {
            --at_;
        } else {
            stand_in(before(), true);
        }
        first_ = false;
        back_ = true;
        return *this;
    }
    ordered_iterator operator--(int) {
        auto before = *this;
        --*this;
        return before;
    }

    friend bool operator==(const ordered_iterator& left, const ordered_iterator& right) {
        const chunk* const ours = left.entries();
        const chunk* const theirs = right.entries();
        if (ours != nullptr && theirs != nullptr
                ? equal(ours->key(left.place()), theirs->key(right.place()))
                : ours == theirs)
            return true;
        if (right.first_ && !left.first_) return left.is_first_of(right);
        // A loop that goes forwards asks this of its end, which has not moved.
        return left.first_ && right.back_ && right.is_first_of(left);
    }

private:
    /// None: behind the last entry.
    [[nodiscard]] const chunk* entries() const noexcept {
        return here_ ? here_->entries() : nullptr;
    }
    /// at_ counts ascending; a chunk that was read backwards lies the other way round.
    [[nodiscard]] std::size_t place_of(std::size_t at) const noexcept {
        return here_->backwards() ? entries()->size() - 1 - at : at;
    }
    [[nodiscard]] std::size_t place() const noexcept { return place_of(at_); }

    /// Everything above, or below, a key.
    [[nodiscard]] static held_bound beside(bytes key) {
        return {bound::kind::excluding, key};
    }

    void load(held_bound from) {
        stand_in(read_chunk<false>(*of_, std::move(from), *within_).value(), false);
    }
    void stand_in(std::shared_ptr<const chunk> next, bool backwards) {
        if (next->empty()) next = nullptr;
        const std::size_t at = backwards && next ? next->size() - 1 : 0;
        here_ = std::make_shared<const stretch_type>(std::move(next), backwards);
        at_ = at;
    }

    /// The entries before all of this chunk.
    [[nodiscard]] const std::shared_ptr<const chunk>& before() const {
        return here_->before([&] {
            const chunk* const mine = entries();
            return read_chunk<true>(
                       *of_, mine == nullptr ? within_->high : beside(mine->key(place_of(0))),
                       *within_)
                .value();
        });
    }
    /// Is nothing before it in the range of which `begun` was the first?
    [[nodiscard]] bool is_first_of(const ordered_iterator& begun) const {
        return at_ == 0 && of_ == begun.of_ &&
               (within_ == begun.within_ || *within_ == *begun.within_) && before()->empty();
    }

    const Engine* of_ = nullptr;
    std::shared_ptr<const limits> within_;
    std::shared_ptr<const stretch_type> here_;
    std::size_t at_ = 0;
    bool first_ = false;  // from begin(), and has not moved
    bool back_ = false;   // has moved backwards
};

template <class Engine, class Key, class Value>
class ordered_range {
public:
    using iterator = ordered_iterator<Engine, Key, Value>;

    /// Without a store a range is empty.
    ordered_range() = default;
    ordered_range(std::shared_ptr<const Engine* const> of, limits within)
        : of_(std::move(of)), within_(std::move(within)) {}
    /// A range that cannot be read, and why.
    explicit ordered_range(const error& broken) : broken_(std::make_shared<const error>(broken)) {}

    [[nodiscard]] iterator begin() const {
        if (broken_) raise(*broken_);
        return of_ == nullptr ? iterator() : iterator(living(), shared_limits(), false);
    }
    [[nodiscard]] iterator end() const {
        return of_ == nullptr ? iterator() : iterator(living(), shared_limits(), true);
    }

    /// The first entry at or behind `from`.
    [[nodiscard]] iterator at(const held_bound& from) const {
        if (broken_) raise(*broken_);
        return iterator(living(), shared_limits(), from);
    }

    /// For for_each: shows every entry that `of` holds of it in order, or against it, without a
    /// copy for each, until shown(key, value) answers false.
    template <bool Descending, class Show>
    [[nodiscard]] result<void> show(const Engine& of, Show&& shown) const {
        if (broken_) return failure(*broken_);
        if (of_ == nullptr) return {};
        std::vector<ref> refs;
        refs.reserve(64);  // as many as most steps find
        held_bound from = Descending ? within_.high : within_.low;
        for (bool more = true; more;) {
            auto next =
                of.template step_in_order<Descending>(from, refs, [&](bytes key, bytes value) {
                    return within_.template holds<Descending>(key) && shown(key, value);
                });
            if (!next) return next.failure();
            more = *next;
        }
        return {};
    }

private:
    [[nodiscard]] const Engine& living() const {
        if (*of_ == nullptr) {
            raise(fail(errc::closed,
                       "the store of this range was closed or refreshed; ask for the "
                       "range again")
                      .cause());
        }
        return **of_;
    }
    /// Of iterators and their copies, which outlive the range.
    [[nodiscard]] std::shared_ptr<const limits> shared_limits() const {
        return std::make_shared<const limits>(within_);
    }

    std::shared_ptr<const Engine* const> of_;  // null in there: gone
    limits within_;
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
