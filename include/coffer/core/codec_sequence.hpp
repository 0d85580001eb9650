// coffer/core/codec_sequence.hpp: the forms of std::array, std::optional and std::vector.
//
// | type             | key                                     | value                        |
// |------------------|-----------------------------------------|------------------------------|
// | array<E, N>      | the N elements                          | the same                     |
// | optional<E>      | 00, or 01 and the element               | the same                     |
// | vector<E>        | 01 before each element, 00 at the end   | count (varint), the elements |
// | vector<E>, whole | the same                                | the elements alone, if all   |
// |                  |                                         | of one size; else the same   |
//
// Elements are encoded inside. So an absent optional comes before every present one, and a vector
// before those that it begins. Vectors of single bytes are runs: codec_run.hpp.
//
// Cost: numbers, and unpadded aggregates of them, are one memcpy as values, and none where the
// whole value is the caller's own array or vector; as keys the same holds for arrays of single
// bytes. Failure: a count that the bytes cannot hold is refused before anything is allocated, and
// memory is set aside ahead only as far as it is backed by bytes.
#ifndef COFFER_CORE_CODEC_SEQUENCE_HPP
#define COFFER_CORE_CODEC_SEQUENCE_HPP

#include <coffer/core/codec_form.hpp>
#include <coffer/core/codec_members.hpp>
#include <coffer/core/codec_run.hpp>
#include <coffer/core/codec_scalar.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coffer::detail {

template <class E, std::size_t N>
struct form<std::array<E, N>> : whole_as_part<std::array<E, N>> {
    using T = std::array<E, N>;
    static constexpr kind is = kind::array;
    static constexpr std::size_t extent = N;
    using parts = types<E>;

    static consteval std::size_t fixed() {
        if constexpr (N == 0) {
            return 0;
        } else {
            return form_of<E>::fixed() == varies ? varies : N * form_of<E>::fixed();
        }
    }
    template <role R>
    static consteval bool flat() {
        return N != 0 && form_of<E>::template flat<R>() && sizeof(T) == N * sizeof(E);
    }
    template <class Q>
    static consteval match matches() {
        if constexpr (std::same_as<Q, T>) {
            return match::exact;
        } else if constexpr (is_std_array<Q>) {
            return std::tuple_size_v<Q> == N ? match_of<typename Q::value_type, E>() : match::no;
        } else {
            return match::no;
        }
    }
    template <role R, class Q>
    static void put(scratch& out, const Q& q) {
        if constexpr (std::same_as<Q, T> && flat<R>()) {
            out.append(object_bytes(q.data(), N));
        } else {
            for (const auto& element : q) form_of<E>::template put<R>(out, element);
        }
    }
    template <role R>
    static std::optional<T> take(reader& in) {
        if constexpr (flat<R>()) {
            return take_object<T>(in);
        } else if constexpr (std::default_initializable<E> && std::movable<E>) {
            std::optional<T> whole(std::in_place);
            for (E& element : *whole) {
                auto taken = form_of<E>::template take<R>(in);
                if (!taken) return std::nullopt;
                element = *std::move(taken);
            }
            return whole;
        } else {
            return [&]<std::size_t... At>(std::index_sequence<At...>) {
                return made_of<T>{in, (void(At), form_of<E>::template take<R>(in))...}.whole;
            }(std::make_index_sequence<N>{});
        }
    }
};

template <class Q>
inline constexpr bool is_std_optional = false;
template <class E>
inline constexpr bool is_std_optional<std::optional<E>> = true;

template <class E>
struct form<std::optional<E>> : whole_as_part<std::optional<E>> {
    using T = std::optional<E>;
    static constexpr kind is = kind::optional;
    static constexpr std::size_t extent = 1;
    using parts = types<E>;

    static consteval std::size_t fixed() { return varies; }
    template <role R>
    static consteval bool flat() {
        return false;
    }
    template <class Q>
    static consteval match matches() {
        if constexpr (std::same_as<Q, T> || std::same_as<Q, std::nullopt_t>) {
            return match::exact;
        } else if constexpr (is_std_optional<Q> && !is_std_optional<E>) {
            return match_of<typename Q::value_type, E>();
        } else {
            return match_of<Q, E>();
        }
    }
    template <role R, class Q>
    static void put(scratch& out, const Q& q) {
        if constexpr (std::same_as<Q, std::nullopt_t>) {
            out.append(0);
        } else if constexpr (std::same_as<Q, T> || (is_std_optional<Q> && !is_std_optional<E>)) {
            out.append(q.has_value() ? 1 : 0);
            if (q.has_value()) form_of<E>::template put<R>(out, *q);
        } else {
            out.append(1);
            form_of<E>::template put<R>(out, q);
        }
    }
    template <role R>
    static std::optional<T> take(reader& in) {
        const std::optional<bool> present = form<bool>::take<R>(in);
        if (!present) return std::nullopt;
        if (!*present) return std::optional<T>(std::in_place);
        auto element = form_of<E>::template take<R>(in);
        if (!element) return std::nullopt;
        return std::optional<T>(std::in_place, std::in_place, *std::move(element));
    }
};

/// A range of known size that is no text: may stand for a vector.
template <class Q>
concept sized_range = !shown_as<Q, std::string_view> && requires(const Q& q) {
    { q.size() } -> std::convertible_to<std::size_t>;
    q.begin() != q.end();
    *q.begin();
};

template <class E, class A>
struct form<std::vector<E, A>> {
    using T = std::vector<E, A>;
    static constexpr kind is = kind::list;
    static constexpr std::size_t extent = 1;
    using parts = types<E>;

    static consteval std::size_t fixed() { return varies; }
    template <role R>
    static consteval bool flat() {
        return false;
    }
    template <class Q>
    static consteval match matches() {
        if constexpr (std::same_as<Q, T>) {
            return match::exact;
        } else if constexpr (sized_range<Q>) {
            return match_of<decltype(*std::declval<const Q&>().begin()), E>();
        } else {
            return match::no;
        }
    }
    template <role R, class Q>
    static void put(scratch& out, const Q& q) {
        if constexpr (R == role::key) {
            for (const auto& element : q) {
                out.append(1);
                form_of<E>::template put<R>(out, element);
            }
            out.append(0);
        } else {
            out.append_length(q.size());
            put_elements(out, q);
        }
    }
    template <role R>
    static std::optional<T> take(reader& in) {
        if constexpr (R == role::value) return take_elements(in, in.take_length());
        std::optional<T> list(std::in_place);
        for (;;) {
            const std::optional<bool> more = form<bool>::take<R>(in);
            if (!more) return std::nullopt;
            if (!*more) return list;
            auto element = form_of<E>::template take<R>(in);
            if (!element) return std::nullopt;
            list->push_back(*std::move(element));
        }
    }
    template <role R, class Q>
    static void put_whole(scratch& out, const Q& q) {
        if constexpr (bare<R>()) {
            put_elements(out, q);
        } else {
            put<R>(out, q);
        }
    }
    template <role R>
    static std::optional<T> take_whole(reader& in) {
        if constexpr (bare<R>()) {
            return take_elements(in, in.left() / form_of<E>::fixed());
        } else {
            return take<R>(in);
        }
    }
    template <role R, class Q>
    static consteval bool lends() {
        return bare<R>() && flat_in_memory<Q>();
    }
    template <role R, class Q>
    static bytes lend(const Q& q) noexcept {
        return object_bytes(q.data(), q.size());
    }

private:
    /// What an element takes at least; explain_storable() sees to it that none takes nothing.
    static constexpr std::size_t least = form_of<E>::fixed() == varies ? 1 : form_of<E>::fixed();

    /// Does the size of the whole say how many elements there are?
    template <role R>
    static consteval bool bare() {
        return R == role::value && form_of<E>::fixed() != varies;
    }
    template <class Q>
    static consteval bool flat_in_memory() {
        if constexpr (requires(const Q& q) {
                          { *q.data() } -> std::convertible_to<const E&>;
                          { q.begin() } -> std::contiguous_iterator;  // not a view with strides
                      }) {
            using shown = std::remove_cvref_t<decltype(*std::declval<const Q&>().data())>;
            return std::same_as<shown, E> && form_of<E>::template flat<role::value>();
        } else {
            return false;
        }
    }
    template <class Q>
    static void put_elements(scratch& out, const Q& q) {
        if constexpr (flat_in_memory<Q>()) {
            out.append(object_bytes(q.data(), q.size()));
        } else {
            for (const auto& element : q) form_of<E>::template put<role::value>(out, element);
        }
    }
    static std::optional<T> take_elements(reader& in, std::uint64_t count) {
        const std::size_t most = in.left() / least;
        if (count > most) in.fail("they end early");
        if (!in.good()) return std::nullopt;
        const auto size = static_cast<std::size_t>(count);
        std::optional<T> list(std::in_place);
        if constexpr (form_of<E>::template flat<role::value>() && std::default_initializable<E>) {
            list->resize(size);
            if (size != 0) std::memcpy(list->data(), in.take(size * sizeof(E)), size * sizeof(E));
        } else {
            const std::size_t backed = in.left() / sizeof(E) + 1;
            list->reserve(size < backed ? size : backed);
            for (std::size_t i = 0; i < size; ++i) {
                auto element = form_of<E>::template take<role::value>(in);
                if (!element) return std::nullopt;
                list->push_back(*std::move(element));
            }
        }
        return list;
    }
};

}  // namespace coffer::detail

#endif
