// coffer/store/key_group.hpp: some keys of a range, as the bytes that a group of lookups asks for.
//
// I1  The bytes of a key last until clear(), whether the range holds its keys or makes each while
//     it is walked: one that is made, or that lies in an iterator, is kept here.
// Threads: one. Cost: a move, or a copy, for a key that is kept. Failure: that of it.
#ifndef COFFER_STORE_KEY_GROUP_HPP
#define COFFER_STORE_KEY_GROUP_HPP

#include <coffer/core/bytes.hpp>

#include <cstddef>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace coffer::detail {

/// At most `Most` keys of a range with iterators of this type.
template <class Codec, class Iterator, std::size_t Most>
class key_group {
    using element = decltype(*std::declval<Iterator&>());
    using key = std::remove_cvref_t<element>;
    static constexpr bool keeps =
        !std::is_lvalue_reference_v<element> || !std::forward_iterator<Iterator>;
    struct nothing {};

public:
    key_group() = default;
    key_group(const key_group&) = delete;
    key_group& operator=(const key_group&) = delete;

    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] bool full() const noexcept { return count_ == Most; }

    /// The key number `place` of the range, which fits.
    template <class E>
    void add(E&& each, std::size_t place) {
        places_[count_] = place;
        if constexpr (keeps) {
            const key& kept = kept_[count_].emplace(std::forward<E>(each));
            bytes_[count_] = Codec::view(kept, rooms_[count_]);
        } else {
            bytes_[count_] = Codec::view(each, rooms_[count_]);
        }
        ++count_;
    }
    void clear() noexcept { count_ = 0; }

    [[nodiscard]] std::span<const bytes> keys() const noexcept { return {bytes_, count_}; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] std::size_t place(std::size_t i) const noexcept { return places_[i]; }

private:
    std::size_t count_ = 0;
    bytes bytes_[Most];
    std::size_t places_[Most];
    typename Codec::template room_for<key> rooms_[Most];
    std::conditional_t<keeps, std::optional<key>, nothing> kept_[keeps ? Most : 1];
};

}  // namespace coffer::detail

#endif
