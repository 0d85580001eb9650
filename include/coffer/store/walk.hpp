// coffer/store/walk.hpp: iteration over every entry, in no particular order.
//
// An input range. Weakly consistent: an entry present throughout is met exactly once, one absent
// throughout never; others may or may not be. Between steps it holds nothing of the store.
// Failure: an entry that cannot be read throws, and the iterator stands where it stood; for_each is
// the form that does not.
#ifndef COFFER_STORE_WALK_HPP
#define COFFER_STORE_WALK_HPP

#include <coffer/index/concept.hpp>
#include <coffer/store/entry.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace coffer::detail {

template <class Engine, class Key, class Value>
class walk_iterator {
public:
    using value_type = entry<Key, Value>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    walk_iterator() = default;
    explicit walk_iterator(const Engine& of) : of_(&of), chunk_(std::make_shared<chunk>()) {
        load();
    }

    [[nodiscard]] value_type operator*() const { return entry_of<Key, Value>(*chunk_, at_); }
    walk_iterator& operator++() {
        if (at_ + 1 == chunk_->size()) {
            load();
        } else {
            ++at_;
        }
        return *this;
    }
    void operator++(int) { ++*this; }

    friend bool operator==(const walk_iterator& left, std::default_sentinel_t) noexcept {
        return left.of_ == nullptr || (left.done_ && left.at_ == left.chunk_->size());
    }

private:
    void load() {
        constexpr std::size_t enough = 16;
        auto next = std::make_shared<chunk>();
        auto cursor = cursor_;
        bool more = !done_;
        while (more && next->size() < enough) {
            more = of_->step(cursor, refs_, [&](bytes key, bytes value) { next->add(key, value); })
                       .value();
        }
        cursor_ = std::move(cursor);
        chunk_ = std::move(next);
        done_ = !more;
        at_ = 0;
    }

    const Engine* of_ = nullptr;
    std::shared_ptr<chunk> chunk_;
    std::size_t at_ = 0;
    bool done_ = false;
    typename Engine::cursor cursor_{};
    std::vector<ref> refs_;
};

}  // namespace coffer::detail

#endif
