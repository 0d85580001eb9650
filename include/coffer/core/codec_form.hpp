// coffer/core/codec_form.hpp: what the library knows of every type that it can store.
//
// `form<T>` is specialised for each kind of type (codec_scalar.hpp, codec_run.hpp,
// codec_members.hpp, codec_sequence.hpp, codec_coded.hpp); `form_of<T>` is the form in force: that
// of T's codec if it has one. The rest of the library sees only key_codec and value_codec of
// codec.hpp.
//
// A form has no data. R is the role, Q a type whose values may stand for a T:
//
// | member                     | result           | meaning                                       |
// |----------------------------|------------------|-----------------------------------------------|
// | `is`, `extent`, `parts`    | constants, types | the structure: fingerprint and description    |
// | `fixed()`                  | std::size_t      | of every encoding in both roles, or varies    |
// | `flat<R>()`                | bool             | the encoding is the object's own bytes        |
// | `matches<Q>()`             | match            | may a Q stand for a T; is every Q also a T    |
// | `put<R>(scratch, q)`       | void             | adds an encoding that shows where it ends     |
// | `take<R>(reader)`          | optional<T>      | the inverse; none after a problem             |
// | `put_whole<R>(scratch, q)` | void             | for an outermost value: the end is the end    |
// | `take_whole<R>(reader)`    | optional<T>      | the inverse; its caller looks for bytes left  |
// | `lends<R, Q>()`            | bool             | a Q holds its outermost encoding in memory    |
// | `lend<R>(q)`               | bytes            | that memory                                   |
#ifndef COFFER_CORE_CODEC_FORM_HPP
#define COFFER_CORE_CODEC_FORM_HPP

#include <coffer/core/codec_of.hpp>
#include <coffer/core/coding.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <type_traits>

namespace coffer::detail {

/// Stored in fingerprints: the numbers never change.
enum class kind : unsigned char {
    boolean = 1,
    unsigned_number = 2,
    signed_number = 3,
    character = 4,
    floating = 5,
    text = 6,
    blob = 7,
    optional = 8,
    list = 9,
    array = 10,
    tuple = 11,
    coded = 12,
};

/// checked: some values of Q are no T (-1 for an unsigned number), which put() finds out.
enum class match : unsigned char { no, checked, exact };

inline constexpr std::size_t varies = static_cast<std::size_t>(-1);

/// Empty for what cannot be stored.
template <class T>
struct form {};

template <class T>
struct coded_form;

template <class T>
using form_of = std::conditional_t<has_codec<T>, coded_form<T>, form<T>>;

template <class T>
concept has_form = requires { form_of<T>::is; };

template <class Q, class T>
[[nodiscard]] consteval match match_of() {
    if constexpr (has_form<T>) {
        return form_of<T>::template matches<std::remove_cvref_t<Q>>();
    } else {
        return match::no;
    }
}

[[nodiscard]] constexpr match weakest(std::initializer_list<match> matches) noexcept {
    match worst = match::exact;
    for (const match each : matches) worst = each < worst ? each : worst;
    return worst;
}

/// The sum of sizes of which any may vary.
[[nodiscard]] constexpr std::size_t sum(std::initializer_list<std::size_t> sizes) noexcept {
    std::size_t total = 0;
    for (const std::size_t size : sizes) {
        if (size == varies) return varies;
        total += size;
    }
    return total;
}

template <class T>
[[nodiscard]] bytes object_bytes(const T* first, std::size_t count) noexcept {
    return {reinterpret_cast<const std::byte*>(first), count * sizeof(T)};
}

/// For forms whose outermost encoding is the same as inside another type.
template <class T>
struct whole_as_part {
    template <role R, class Q>
    static void put_whole(scratch& out, const Q& q) {
        form_of<T>::template put<R>(out, q);
    }
    template <role R>
    static std::optional<T> take_whole(reader& in) {
        return form_of<T>::template take<R>(in);
    }
    template <role R, class Q>
    static consteval bool lends() {
        return std::same_as<Q, T> && form_of<T>::template flat<R>();
    }
    template <role R>
    static bytes lend(const T& value) noexcept {
        return object_bytes(std::addressof(value), 1);
    }
};

/// Reads a flat T.
template <class T>
[[nodiscard]] std::optional<T> take_object(reader& in) {
    const std::byte* const at = in.take(sizeof(T));
    if (at == nullptr) return std::nullopt;
    struct alignas(T) image {
        std::byte raw[sizeof(T)];
    } copied;
    std::memcpy(copied.raw, at, sizeof(T));
    return std::bit_cast<T>(copied);
}

}  // namespace coffer::detail

#endif
