// coffer/core/codec_explain.hpp: which types can be stored, and one sentence for each that cannot.
//
// `storable<T>` answers; `explain_storable<T>()` does not compile unless it holds, and its first
// error is the sentence. Both judge the members and elements of a type before they accept it.
#ifndef COFFER_CORE_CODEC_EXPLAIN_HPP
#define COFFER_CORE_CODEC_EXPLAIN_HPP

#include <coffer/core/aggregate.hpp>
#include <coffer/core/codec_coded.hpp>
#include <coffer/core/codec_form.hpp>
#include <coffer/core/codec_members.hpp>
#include <coffer/core/codec_run.hpp>
#include <coffer/core/codec_scalar.hpp>
#include <coffer/core/codec_sequence.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace coffer {

namespace detail {

/// What is wrong with a type on its own, whatever it is made of.
enum class objection {
    none,
    no_object,
    recursive,
    codec,
    pointer,
    c_array,
    view,
    enumeration,
    number,
    fields,
    inherited_fields,
    hollow,
    pack,
    base,
    too_many_members,
    union_member,
    reference_member,
    bit_field,
    packed,
    uncertain,
    unknown,
};

template <class T>
[[nodiscard]] consteval objection objection_to_members() {
    switch (sight_of<T>()) {
        case sight::complete:
            return objection::none;
        case sight::based:
            return objection::base;
        case sight::uncertain:
            return objection::uncertain;
        case sight::too_many:
            return objection::too_many_members;
        case sight::with_union:
            return objection::union_member;
        case sight::reference:
            return objection::reference_member;
        case sight::bit_field:
            return objection::bit_field;
        case sight::packed:
            return objection::packed;
    }
    return objection::uncertain;
}

template <class T, class Pointer>
concept settable_field =
    requires(T& object, Pointer pointer) { object.*pointer = std::move(object.*pointer); };

template <class T, class... Pointer>
[[nodiscard]] consteval bool can_set_fields(const field_list<Pointer...>&) {
    return (settable_field<T, Pointer> && ...);
}

/// Outer: the types that T is a part of.
template <class T, class... Outer>
[[nodiscard]] consteval objection objection_to() {
    if constexpr (!std::is_object_v<T> || !std::same_as<T, std::remove_cv_t<T>>) {
        return objection::no_object;
    } else if constexpr ((std::same_as<T, Outer> || ...)) {
        return objection::recursive;
    } else if constexpr (has_codec<T>) {
        return codec<T> ? objection::none : objection::codec;
    } else if constexpr (std::is_array_v<T>) {
        return objection::c_array;
    } else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> ||
                         std::is_null_pointer_v<T>) {
        return objection::pointer;
    } else if constexpr (borrows<T>) {
        return objection::view;
    } else if constexpr (std::is_enum_v<T>) {
        return whole_enumeration<T> ? objection::none : objection::enumeration;
    } else if constexpr (std::is_class_v<T> && names_fields<T>) {
        if (!names_own_fields<T>(T::coffer_fields)) return objection::inherited_fields;
        return std::default_initializable<T> && std::move_constructible<T> &&
                       can_set_fields<T>(T::coffer_fields)
                   ? objection::none
                   : objection::fields;
    } else if constexpr (has_form<T>) {
        return objection::none;
    } else if constexpr (std::is_class_v<T> && std::is_aggregate_v<T>) {
        return objection_to_members<T>();
    } else {
        return std::is_class_v<T> || std::is_union_v<T> ? objection::unknown : objection::number;
    }
}

/// What is wrong with a type whose parts can be stored.
template <class T>
[[nodiscard]] consteval objection objection_to_whole() {
    if constexpr (form_of<T>::is == kind::list) {
        return form_of<typename T::value_type>::fixed() == 0 ? objection::hollow : objection::none;
    } else if constexpr (form_of<T>::is == kind::coded) {
        return match_of<T, T>() == match::no ? objection::pack : objection::none;
    } else {
        return objection::none;
    }
}

template <class T, class... Outer>
[[nodiscard]] consteval bool can_store();

template <class... Outer, class... Part>
[[nodiscard]] consteval bool can_store_all(types<Part...>) {
    return (can_store<Part, Outer...>() && ...);
}

template <class T, class... Outer>
[[nodiscard]] consteval bool can_store() {
    if constexpr (objection_to<T, Outer...>() != objection::none) {
        return false;
    } else if constexpr (!can_store_all<T, Outer...>(typename form_of<T>::parts{})) {
        return false;
    } else {
        return objection_to_whole<T>() == objection::none;
    }
}

/// One sentence for each reason why an aggregate is not taken apart.
template <objection Why>
consteval void explain_members() {
    static_assert(Why != objection::base,
                  "coffer cannot prove that it sees every member of this type: specialise "
                  "coffer::codec_of<T>, or name them in coffer_fields (it has a base class)");
    static_assert(Why != objection::too_many_members,
                  "coffer cannot prove that it sees every member of this type: specialise "
                  "coffer::codec_of<T>, or name them in coffer_fields (it has more than 16)");
    static_assert(Why != objection::union_member,
                  "coffer cannot prove that it sees every member of this type: specialise "
                  "coffer::codec_of<T>, or name them in coffer_fields (one may be a union)");
    static_assert(Why != objection::reference_member,
                  "coffer cannot prove that it sees every member of this type: specialise "
                  "coffer::codec_of<T>, or name them in coffer_fields (one is a reference)");
    static_assert(Why != objection::bit_field,
                  "coffer cannot prove that it sees every member of this type: specialise "
                  "coffer::codec_of<T>, or name them in coffer_fields (one is a bit-field)");
    static_assert(Why != objection::packed,
                  "coffer cannot prove that it sees every member of this type: specialise "
                  "coffer::codec_of<T>, or name them in coffer_fields (they are packed, "
                  "overlapping, bit-fields or aligned by hand)");
    static_assert(Why != objection::uncertain,
                  "coffer cannot prove that it sees every member of this type: specialise "
                  "coffer::codec_of<T>, or name them in coffer_fields (one cannot be "
                  "initialised by {})");
}

/// One sentence for each other reason.
template <objection Why>
consteval void explain_type() {
    static_assert(Why != objection::no_object,
                  "coffer stores plain objects: no reference, no const or volatile type");
    static_assert(Why != objection::recursive,
                  "coffer cannot store a type that contains itself: specialise "
                  "coffer::codec_of<T> with a stored type that does not");
    static_assert(Why != objection::pointer,
                  "coffer cannot store a pointer: what it points at is gone when the store is "
                  "opened again; store the value");
    static_assert(Why != objection::c_array, "coffer cannot store a C array: use std::array");
    static_assert(Why != objection::view,
                  "coffer cannot store a view, which owns nothing: store std::string or "
                  "std::vector, and use the view to put and to look up");
    static_assert(Why != objection::enumeration,
                  "coffer cannot store an enumeration whose underlying type is left to the "
                  "compiler: write it, as in  enum colour : int");
    static_assert(Why != objection::number,
                  "coffer cannot store this number: long double and 128-bit integers differ "
                  "between machines; store double, or two 64-bit integers");
    static_assert(
        Why != objection::fields,
        "coffer_fields needs a type that can be default-constructed and moved, and members "
        "that can be assigned: make it so, or specialise coffer::codec_of<T>");
    static_assert(Why != objection::inherited_fields,
                  "coffer_fields of this type names only members of its base class and may be that "
                  "one's: list all members in the class itself, with static_cast<M T::*>(&T::m) "
                  "where none is its own");
    static_assert(Why != objection::hollow,
                  "coffer cannot store a vector whose elements have no content: store its size");
    static_assert(Why != objection::pack,
                  "coffer::codec_of<T>: pack returns something that cannot stand for a stored");
    static_assert(Why != objection::unknown,
                  "coffer does not know how to store this type: specialise coffer::codec_of<T>, "
                  "or name its members in coffer_fields");
}

template <class T, class... Outer>
consteval bool explain_parts();

template <class... Outer, class... Part>
consteval bool explain_each(types<Part...>) {
    return (explain_parts<Part, Outer...>() && ...);
}

template <class T, class... Outer>
consteval bool explain_parts() {
    constexpr objection why = objection_to<T, Outer...>();
    explain_type<why>();
    explain_members<why>();
    if constexpr (why == objection::codec) return explain_codec<T>();
    if constexpr (why == objection::none) {
        if constexpr (explain_each<T, Outer...>(typename form_of<T>::parts{})) {
            explain_type<objection_to_whole<T>()>();
        }
    }
    return can_store<T, Outer...>();
}

}  // namespace detail

/// Can a store hold a T as key and as value?
template <class T>
concept storable = detail::can_store<T>();

/// Does not compile unless storable<T>, and says why.
template <class T>
consteval bool explain_storable() {
    return detail::explain_parts<T>();
}

}  // namespace coffer

#endif
