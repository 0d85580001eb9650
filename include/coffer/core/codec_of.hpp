// coffer/core/codec_of.hpp: how a type of the user's own is stored.
//
// A codec says which storable type stands for yours, and converts both ways. It never touches a
// byte, so whatever it does cannot break the order of keys, read out of bounds or run into the next
// member of a tuple: all of that belongs to the type that stands for yours.
//
//     template <>
//     struct coffer::codec_of<date> {
//         static constexpr coffer::policy_id id{"date", 1};
//         using stored = std::tuple<std::int32_t, std::uint8_t, std::uint8_t>;
//         static stored pack(const date& d) { return {d.year, d.month, d.day}; }
//         static date unpack(const stored& s) { return std::make_from_tuple<date>(s); }
//     };
//
// | member             | result                | promise                                       |
// |--------------------|-----------------------|-----------------------------------------------|
// | `id`               | policy_id             | name and version, part of the fingerprint     |
// | `stored`           | type                  | can be stored itself, and is not T            |
// | `pack(const T&)`   | `stored`, or what may | never fails; equal values pack alike; a view  |
// |                    | stand for one         | in it lasts as long as the argument           |
// | `unpack(stored&&)` | T, or result<T>       | inverse of pack; refuses what pack never made |
//
// The version changes when `stored` or its meaning does. As a key, T is ordered as `stored` is.
// Optional: `pack(q)` for other types lets them look up a T without making one; `unpack` may take a
// std::string_view (or bytes) when `stored` is a std::string (or vector of std::byte), which then
// saves a copy. All members are static; no object of a codec is ever made. They are called from any
// thread that uses the store, also inside its locks: they must not call the store.
#ifndef COFFER_CORE_CODEC_OF_HPP
#define COFFER_CORE_CODEC_OF_HPP

#include <coffer/core/policy.hpp>
#include <coffer/core/result.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coffer {

/// Specialise for a type of your own, before anything stores one.
template <class T>
struct codec_of;

namespace detail {

template <class T>
concept has_codec = requires { sizeof(codec_of<T>); };

[[nodiscard]] constexpr bool is_policy_name(std::string_view name) noexcept {
    for (const char c : name) {
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return !name.empty() && name.size() <= 15;
}

namespace need {

template <class T>
concept codec_id = requires {
    { codec_of<T>::id } -> std::convertible_to<policy_id>;
};

template <class T>
concept codec_name = codec_id<T> && is_policy_name(codec_of<T>::id.name);

template <class T>
concept codec_stored =
    requires { typename codec_of<T>::stored; } && !std::same_as<typename codec_of<T>::stored, T>;

template <class T>
concept codec_pack = requires(const T& value) { codec_of<T>::pack(value); };

template <class T>
concept codec_unpack = requires(typename codec_of<T>::stored stored) {
    { codec_of<T>::unpack(std::move(stored)) } -> std::convertible_to<result<T>>;
};

}  // namespace need

}  // namespace detail

/// May `codec_of<T>` stand for T? Its `stored` is judged on its own.
template <class T>
concept codec =
    detail::has_codec<T> && detail::need::codec_name<T> && detail::need::codec_stored<T> &&
    detail::need::codec_pack<T> && detail::need::codec_unpack<T>;

/// Does not compile unless codec<T>, and says which member is missing.
template <class T>
consteval bool explain_codec() {
    static_assert(detail::need::codec_id<T>,
                  "coffer::codec_of<T> needs  static constexpr coffer::policy_id id{\"name\", 1}");
    static_assert(!detail::need::codec_id<T> || detail::need::codec_name<T>,
                  "coffer::codec_of<T>: the name in id has 1 to 15 characters of a-z, 0-9 and _");
    static_assert(detail::need::codec_stored<T>,
                  "coffer::codec_of<T> needs  using stored = a type, not T, that can be stored");
    static_assert(detail::need::codec_pack<T>,
                  "coffer::codec_of<T> needs  static stored pack(const T&)");
    static_assert(!detail::need::codec_stored<T> || detail::need::codec_unpack<T>,
                  "coffer::codec_of<T> needs  static T (or result<T>) unpack(stored&&)");
    return codec<T>;
}

}  // namespace coffer

#endif
