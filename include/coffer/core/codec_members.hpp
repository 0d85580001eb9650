// coffer/core/codec_members.hpp: the forms of std::pair, std::tuple and classes: a run of members.
//
// In both roles the encodings of the members, inside, one after the other. So keys compare member
// by member. Which members a class has is the matter of aggregate.hpp; a pair, a tuple and a class
// of the same members are encoded alike and are one structure to the fingerprint.
//
// Cost: an unpadded aggregate of flat members is one memcpy; else each member's own cost.
#ifndef COFFER_CORE_CODEC_MEMBERS_HPP
#define COFFER_CORE_CODEC_MEMBERS_HPP

#include <coffer/core/aggregate.hpp>
#include <coffer/core/codec_form.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coffer::detail {

/// What several types have together.
template <class List>
struct all_of;

template <class... E>
struct all_of<types<E...>> {
    static constexpr std::size_t count = sizeof...(E);

    static consteval std::size_t fixed() { return sum({form_of<E>::fixed()...}); }
    template <role R>
    static consteval bool flat() {
        return (form_of<E>::template flat<R>() && ...);
    }
    template <role R, class... Q>
    static void put(scratch& out, const Q&... q) {
        static_assert(sizeof...(Q) == sizeof...(E));
        (form_of<E>::template put<R>(out, q), ...);
    }
    template <class... Q>
    static consteval match matches(types<Q...>) {
        if constexpr (sizeof...(Q) == sizeof...(E)) {
            return weakest({match_of<Q, E>()...});
        } else {
            return match::no;
        }
    }
};

/// Makes a T of its parts. List-initialise it: that takes the parts from left to right.
template <class T>
struct made_of {
    std::optional<T> whole;

    template <class... E>
    explicit made_of(reader& in, std::optional<E>... part) {
        if (!in.good()) return;
        if constexpr (std::is_aggregate_v<T>) {
            whole.emplace(T{*std::move(part)...});
        } else {
            whole.emplace(*std::move(part)...);
        }
    }
};

template <role R, class T, class... E>
[[nodiscard]] std::optional<T> take_parts(reader& in, types<E...>) {
    return made_of<T>{in, form_of<E>::template take<R>(in)...}.whole;
}

/// The types in a pair or tuple; types<void> for anything else.
template <class Q>
struct elements_of {
    using type = types<void>;
};
template <class... E>
struct elements_of<std::tuple<E...>> {
    using type = types<E...>;
};
template <class A, class B>
struct elements_of<std::pair<A, B>> {
    using type = types<A, B>;
};

template <class T>
struct tuple_form : whole_as_part<T> {
    static constexpr kind is = kind::tuple;
    using parts = typename elements_of<T>::type;
    using all = all_of<parts>;
    static constexpr std::size_t extent = all::count;

    static consteval std::size_t fixed() { return all::fixed(); }
    template <role R>
    static consteval bool flat() {
        return false;  // nothing says where std::tuple keeps its elements
    }
    template <class Q>
    static consteval match matches() {
        if constexpr (std::same_as<Q, T>) {
            return match::exact;
        } else {
            return all::matches(typename elements_of<Q>::type{});
        }
    }
    template <role R, class Q>
    static void put(scratch& out, const Q& q) {
        [&]<std::size_t... At>(std::index_sequence<At...>) {
            all::template put<R>(out, std::get<At>(q)...);
        }(std::make_index_sequence<all::count>{});
    }
    template <role R>
    static std::optional<T> take(reader& in) {
        return take_parts<R, T>(in, parts{});
    }
};

template <class... E>
struct form<std::tuple<E...>> : tuple_form<std::tuple<E...>> {};

template <class A, class B>
struct form<std::pair<A, B>> : tuple_form<std::pair<A, B>> {};

template <class T>
inline constexpr bool is_std_array = false;
template <class E, std::size_t N>
inline constexpr bool is_std_array<std::array<E, N>> = true;

/// An aggregate whose members the compiler shows.
template <class T>
concept plain_aggregate = std::is_class_v<T> && std::is_aggregate_v<T> && !is_std_array<T> &&
                          !names_fields<T> && sight_of<T>() == sight::complete;

template <plain_aggregate T>
struct form<T> : whole_as_part<T> {
    static constexpr kind is = kind::tuple;
    using parts = members_of<T>;
    using all = all_of<parts>;
    static constexpr std::size_t extent = all::count;

    static consteval std::size_t fixed() { return all::fixed(); }
    template <role R>
    static consteval bool flat() {
        if constexpr (std::is_trivially_copyable_v<T> && all::template flat<R>()) {
            return all::fixed() == sizeof(T);  // no padding: the members are the object
        } else {
            return false;
        }
    }
    template <class Q>
    static consteval match matches() {
        return std::same_as<Q, T> ? match::exact : match::no;
    }
    template <role R>
    static void put(scratch& out, const T& value) {
        if constexpr (flat<R>()) {
            out.append(object_bytes(std::addressof(value), 1));
        } else {
            detail::bind_members<all::count>(value, [&out](auto, const auto&... member) {
                all::template put<R>(out, member...);
            });
        }
    }
    template <role R>
    static std::optional<T> take(reader& in) {
        if constexpr (flat<R>()) {
            return take_object<T>(in);
        } else {
            return take_parts<R, T>(in, parts{});
        }
    }
};

/// The types that pointers to members of a T point at.
template <class T, class... Pointer>
types<std::remove_cvref_t<decltype(std::declval<T&>().*std::declval<Pointer>())>...> pointed_at(
    const field_list<Pointer...>&);

template <names_fields T>
struct form<T> : whole_as_part<T> {
    static constexpr kind is = kind::tuple;
    using parts = decltype(pointed_at<T>(T::coffer_fields));
    using all = all_of<parts>;
    static constexpr std::size_t extent = all::count;

    static consteval std::size_t fixed() { return all::fixed(); }
    template <role R>
    static consteval bool flat() {
        return false;
    }
    template <class Q>
    static consteval match matches() {
        return std::same_as<Q, T> ? match::exact : match::no;
    }
    template <role R>
    static void put(scratch& out, const T& value) {
        std::apply([&](auto... pointer) { all::template put<R>(out, value.*pointer...); },
                   T::coffer_fields.pointers);
    }
    template <role R>
    static std::optional<T> take(reader& in) {
        std::optional<T> whole(std::in_place);
        std::apply([&](auto... pointer) { (set<R>(in, (*whole).*pointer), ...); },
                   T::coffer_fields.pointers);
        if (!in.good()) whole.reset();
        return whole;
    }

private:
    template <role R, class M>
    static void set(reader& in, M& member) {
        if (auto value = form_of<M>::template take<R>(in)) member = *std::move(value);
    }
};

}  // namespace coffer::detail

#endif
