// coffer/core/aggregate.hpp: the members of a class, named by it or seen by the compiler.
//
// Named: `static constexpr auto coffer_fields = coffer::fields(&T::a, &T::b);` inside the class
// lists the members that are stored, in that order. What it leaves out is not stored, and its word
// is final. One that names only members of base classes does not count: it may be the list of a
// base, which would lose what the class adds. Who means it writes static_cast<M T::*>(&T::member).
//
// Seen: a plain aggregate of up to 16 members needs nothing. Members are counted by how many `{}`
// its braces take, then bound by a structured binding of that many names. The binding is the proof:
// it compiles only if the names are exactly all the members. The checks before it exist so that a
// type that the count cannot judge gets a sentence instead of the compiler's words, and so that
// what binds but would not survive (a bit-field, a reference) is refused:
//
//   1  no base class, and no tuple protocol that would hide members from the binding;
//   2  behind the counted members there is no further one that `{}` cannot initialise;
//   3  no member is a union, also no nameless one;
//   4  every member can be bound to a plain reference (no bit-field) and is no reference itself;
//   5  laying the members out one after the other, each aligned as its type is, gives the size of
//      the class: no packing, no member that shares another one's place.
//
// Cost: all of it at compile time, about three small checks per member, once per type.
#ifndef COFFER_CORE_AGGREGATE_HPP
#define COFFER_CORE_AGGREGATE_HPP

#include <coffer/core/coding.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coffer {

namespace detail {

template <class... Pointer>
struct field_list {
    std::tuple<Pointer...> pointers;
};

}  // namespace detail

/// The members that are stored, as pointers to members.
template <class... Pointer>
    requires(std::is_member_object_pointer_v<Pointer> && ...)
[[nodiscard]] constexpr detail::field_list<Pointer...> fields(Pointer... pointers) noexcept {
    return {std::tuple<Pointer...>(pointers...)};
}

namespace detail {

/// Does the class name its members?
template <class T>
concept names_fields = std::is_class_v<T> && requires { T::coffer_fields.pointers; };

/// A list that names only members of its bases is taken for theirs.
template <class T, class... Member, class... Owner>
[[nodiscard]] consteval bool names_own_fields(const field_list<Member Owner::*...>&) {
    return sizeof...(Owner) == 0 || (std::is_same_v<T, Owner> || ...);
}

inline constexpr std::size_t most_members = 16;

/// Stand-ins for an initialiser: convertible to any value, to any lvalue, to a base, to a union.
struct any_value {
    template <class M>
    operator M() const;
};
struct any_lvalue {
    template <class M>
    operator M&() const;
};
template <class T>
struct any_base {
    template <class M>
        requires(std::is_base_of_v<M, T> && !std::is_same_v<M, T>)
    operator M() const;
};
struct any_union {
    template <class M>
        requires std::is_union_v<M>
    operator M() const;
};

/// Can N members be initialised by `{}` and the next one by a Last?
template <class T, class Last, std::size_t N>
[[nodiscard]] consteval bool takes() {
    if constexpr (N == 0) {
        return requires { T{Last{}}; };
    } else if constexpr (N == 1) {
        return requires { T{{}, Last{}}; };
    } else if constexpr (N == 2) {
        return requires { T{{}, {}, Last{}}; };
    } else if constexpr (N == 3) {
        return requires { T{{}, {}, {}, Last{}}; };
    } else if constexpr (N == 4) {
        return requires { T{{}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 5) {
        return requires { T{{}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 6) {
        return requires { T{{}, {}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 7) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 8) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 9) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 10) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 11) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 12) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 13) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 14) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 15) {
        return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Last{}}; };
    } else if constexpr (N == 16) {
        return requires {
            T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Last{}};
        };
    } else {
        return false;
    }
}

/// How many `{}` the braces of T take, at most one more than most_members.
template <class T>
[[nodiscard]] consteval std::size_t member_count() {
    if constexpr (!requires { T{{}}; }) {
        return 0;
    } else if constexpr (!requires { T{{}, {}}; }) {
        return 1;
    } else if constexpr (!requires { T{{}, {}, {}}; }) {
        return 2;
    } else if constexpr (!requires { T{{}, {}, {}, {}}; }) {
        return 3;
    } else if constexpr (!requires { T{{}, {}, {}, {}, {}}; }) {
        return 4;
    } else if constexpr (!requires { T{{}, {}, {}, {}, {}, {}}; }) {
        return 5;
    } else if constexpr (!requires { T{{}, {}, {}, {}, {}, {}, {}}; }) {
        return 6;
    } else if constexpr (!requires { T{{}, {}, {}, {}, {}, {}, {}, {}}; }) {
        return 7;
    } else if constexpr (!requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}}; }) {
        return 8;
    } else if constexpr (!requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) {
        return 9;
    } else if constexpr (!requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) {
        return 10;
    } else if constexpr (!requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) {
        return 11;
    } else if constexpr (!requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) {
        return 12;
    } else if constexpr (!requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) {
        return 13;
    } else if constexpr (!requires {
                             T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
                         }) {
        return 14;
    } else if constexpr (!requires {
                             T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
                         }) {
        return 15;
    } else if constexpr (!requires {
                             T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
                         }) {
        return 16;
    } else {
        return most_members + 1;
    }
}

/// What a binding shows: the declared types, and whether plain references bind to all of them.
template <bool Plain, class... M>
struct seen {
    static constexpr bool plain = Plain;
};

/// Accepts lvalues, never a bit-field. Not defined.
void refer(auto&... member);

template <std::size_t N, class T, class F>
constexpr decltype(auto) bind_more(T& whole, F&& f) {
    if constexpr (N == 10) {
        auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9] = whole;
        return f(seen<requires { refer(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9); }, decltype(m0),
                      decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5),
                      decltype(m6), decltype(m7), decltype(m8), decltype(m9)>{},
                 m0, m1, m2, m3, m4, m5, m6, m7, m8, m9);
    } else if constexpr (N == 11) {
        auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10] = whole;
        return f(
            seen<requires { refer(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10); }, decltype(m0),
                 decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6),
                 decltype(m7), decltype(m8), decltype(m9), decltype(m10)>{},
            m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10);
    } else if constexpr (N == 12) {
        auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11] = whole;
        return f(seen<requires { refer(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11); },
                      decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                      decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                      decltype(m10), decltype(m11)>{},
                 m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11);
    } else if constexpr (N == 13) {
        auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12] = whole;
        return f(seen<requires { refer(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12); },
                      decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                      decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                      decltype(m10), decltype(m11), decltype(m12)>{},
                 m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12);
    } else if constexpr (N == 14) {
        auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13] = whole;
        return f(seen<requires {
                     refer(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13);
                 }, decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                      decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                      decltype(m10), decltype(m11), decltype(m12), decltype(m13)>{},
                 m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13);
    } else if constexpr (N == 15) {
        auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14] = whole;
        return f(seen<requires {
                     refer(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14);
                 }, decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                      decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                      decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14)>{},
                 m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14);
    } else if constexpr (N == 16) {
        auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15] = whole;
        return f(
            seen<requires {
                refer(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15);
            }, decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5),
                 decltype(m6), decltype(m7), decltype(m8), decltype(m9), decltype(m10),
                 decltype(m11), decltype(m12), decltype(m13), decltype(m14), decltype(m15)>{},
            m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15);
    } else {
        static_assert(N <= most_members);
    }
}

/// Calls f(seen<...>{}, members of `whole`...).
template <std::size_t N, class T, class F>
constexpr decltype(auto) bind_members(T& whole, F&& f) {
    if constexpr (N == 0) {
        static_cast<void>(whole);
        return f(seen<true>{});
    } else if constexpr (N == 1) {
        auto& [m0] = whole;
        return f(seen<requires { refer(m0); }, decltype(m0)>{}, m0);
    } else if constexpr (N == 2) {
        auto& [m0, m1] = whole;
        return f(seen<requires { refer(m0, m1); }, decltype(m0), decltype(m1)>{}, m0, m1);
    } else if constexpr (N == 3) {
        auto& [m0, m1, m2] = whole;
        return f(seen<requires { refer(m0, m1, m2); }, decltype(m0), decltype(m1), decltype(m2)>{},
                 m0, m1, m2);
    } else if constexpr (N == 4) {
        auto& [m0, m1, m2, m3] = whole;
        return f(seen<requires {
                     refer(m0, m1, m2, m3);
                 }, decltype(m0), decltype(m1), decltype(m2), decltype(m3)>{}, m0, m1, m2, m3);
    } else if constexpr (N == 5) {
        auto& [m0, m1, m2, m3, m4] = whole;
        return f(seen<requires { refer(m0, m1, m2, m3, m4); }, decltype(m0), decltype(m1),
                      decltype(m2), decltype(m3), decltype(m4)>{},
                 m0, m1, m2, m3, m4);
    } else if constexpr (N == 6) {
        auto& [m0, m1, m2, m3, m4, m5] = whole;
        return f(seen<requires { refer(m0, m1, m2, m3, m4, m5); }, decltype(m0), decltype(m1),
                      decltype(m2), decltype(m3), decltype(m4), decltype(m5)>{},
                 m0, m1, m2, m3, m4, m5);
    } else if constexpr (N == 7) {
        auto& [m0, m1, m2, m3, m4, m5, m6] = whole;
        return f(seen<requires { refer(m0, m1, m2, m3, m4, m5, m6); }, decltype(m0), decltype(m1),
                      decltype(m2), decltype(m3), decltype(m4), decltype(m5), decltype(m6)>{},
                 m0, m1, m2, m3, m4, m5, m6);
    } else if constexpr (N == 8) {
        auto& [m0, m1, m2, m3, m4, m5, m6, m7] = whole;
        return f(seen<requires { refer(m0, m1, m2, m3, m4, m5, m6, m7); }, decltype(m0),
                      decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5),
                      decltype(m6), decltype(m7)>{},
                 m0, m1, m2, m3, m4, m5, m6, m7);
    } else if constexpr (N == 9) {
        auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8] = whole;
        return f(seen<requires { refer(m0, m1, m2, m3, m4, m5, m6, m7, m8); }, decltype(m0),
                      decltype(m1), decltype(m2), decltype(m3), decltype(m4), decltype(m5),
                      decltype(m6), decltype(m7), decltype(m8)>{},
                 m0, m1, m2, m3, m4, m5, m6, m7, m8);
    } else {
        return detail::bind_more<N>(whole, f);
    }
}

struct only_seen {
    template <bool Plain, class... M>
    constexpr seen<Plain, M...> operator()(seen<Plain, M...>, const auto&...) const noexcept {
        return {};
    }
};

template <class T, std::size_t N>
using seen_of = decltype(detail::bind_members<N>(std::declval<T&>(), only_seen{}));

template <class T, bool Plain, class... M>
[[nodiscard]] consteval bool fills(seen<Plain, M...>) {
    std::size_t end = 0;
    std::size_t widest = 1;
    const auto place = [&end, &widest](std::size_t size, std::size_t alignment) {
        end = (end + alignment - 1) / alignment * alignment + size;
        widest = alignment > widest ? alignment : widest;
    };
    (place(sizeof(M), alignof(M)), ...);
    return widest <= alignof(T) && (end + alignof(T) - 1) / alignof(T) * alignof(T) == sizeof(T);
}

template <bool Plain, class... M>
[[nodiscard]] consteval bool holds_reference(seen<Plain, M...>) {
    return (std::is_reference_v<M> || ...);
}

template <class T, std::size_t... At>
[[nodiscard]] consteval bool has_union(std::index_sequence<At...>) {
    return (takes<T, any_union, At>() || ...);
}

/// May the members of the aggregate T be trusted to be all of them; if not, why not?
enum class sight { complete, based, uncertain, too_many, with_union, reference, bit_field, packed };

template <class T>
[[nodiscard]] consteval sight sight_of() {
    if constexpr (requires { sizeof(std::tuple_size<T>); }) {
        return sight::uncertain;
    } else if constexpr (std::is_empty_v<T>) {
        return requires { T{}; } ? sight::complete : sight::uncertain;
    } else if constexpr (takes<T, any_base<T>, 0>()) {
        return sight::based;
    } else {
        constexpr std::size_t count = member_count<T>();
        if constexpr (count > most_members) {
            return sight::too_many;
        } else if constexpr (count == 0 || takes<T, any_value, count>() ||
                             takes<T, any_lvalue, count>()) {
            return sight::uncertain;
        } else if constexpr (has_union<T>(std::make_index_sequence<count>{})) {
            return sight::with_union;
        } else {
            using all = seen_of<T, count>;
            if (holds_reference(all{})) return sight::reference;
            if (!all::plain) return sight::bit_field;
            return fills<T>(all{}) ? sight::complete : sight::packed;
        }
    }
}

/// For an aggregate of complete sight.
template <class T>
inline constexpr std::size_t members_in = std::is_empty_v<T> ? 0 : member_count<T>();

template <bool Plain, class... M>
types<std::remove_cv_t<M>...> member_types(seen<Plain, M...>);

template <class T>
using members_of = decltype(member_types(seen_of<T, members_in<T>>{}));

}  // namespace detail

}  // namespace coffer

#endif
