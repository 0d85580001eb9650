// coffer/core/codec_scalar.hpp: the forms of bool, integers, characters, enumerations and floats.
//
// | type        | key                                        | value                  |
// |-------------|--------------------------------------------|------------------------|
// | bool        | 0 or 1                                     | the same               |
// | unsigned    | big-endian                                 | little-endian          |
// | signed      | sign bit flipped, big-endian               | little-endian          |
// | char        | one byte, unsigned on every machine        | the same               |
// | enumeration | as its underlying type                     | the same               |
// | float,      | negative: every bit flipped; else the sign | the bits as they are,  |
// | double      | bit; big-endian                            | little-endian          |
//
// Among keys -0 is +0, and there is one NaN, above +infinity; values keep every bit. char is
// ordered as std::string orders it, which differs from `<` where char is signed.
//
// An enumeration needs an underlying type of its own, so that each stored number is one of its
// values. wchar_t is an integer of whatever size and sign it has: stores of it do not travel.
#ifndef COFFER_CORE_CODEC_SCALAR_HPP
#define COFFER_CORE_CODEC_SCALAR_HPP

#include <coffer/core/codec_form.hpp>
#include <coffer/core/endian.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

namespace coffer::detail {

template <class T>
concept whole_number = std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8;

template <class T>
concept real_number =
    (std::same_as<T, float> || std::same_as<T, double>)&&std::numeric_limits<T>::is_iec559;

/// An enumeration whose values are all those of its underlying type.
template <class T>
concept whole_enumeration = std::is_enum_v<T> && requires { T{std::underlying_type_t<T>{}}; };

template <std::size_t Size>
using word_of = std::conditional_t<
    Size == 1, std::uint8_t,
    std::conditional_t<Size == 2, std::uint16_t,
                       std::conditional_t<Size == 4, std::uint32_t, std::uint64_t>>>;

template <role R, std::unsigned_integral Word>
void put_word(scratch& out, Word word) {
    std::byte* const to = out.extend(sizeof(Word));
    if constexpr (R == role::key) {
        store_be(to, word);
    } else {
        store_le(to, word);
    }
}

template <role R, std::unsigned_integral Word>
[[nodiscard]] bool take_word(reader& in, Word& word) noexcept {
    const std::byte* const at = in.take(sizeof(Word));
    if (at == nullptr) [[unlikely]]
        return false;
    word = R == role::key ? load_be<Word>(at) : load_le<Word>(at);
    return true;
}

template <>
struct form<bool> : whole_as_part<bool> {
    static constexpr kind is = kind::boolean;
    static constexpr std::size_t extent = 1;
    using parts = types<>;

    static consteval std::size_t fixed() { return 1; }
    template <role R>
    static consteval bool flat() {
        return false;  // reading a bool that is neither 0 nor 1 is undefined
    }
    template <class Q>
    static consteval match matches() {
        return std::same_as<Q, bool> ? match::exact : match::no;
    }
    template <role R>
    static void put(scratch& out, bool value) {
        out.append(static_cast<unsigned char>(value));
    }
    template <role R>
    static std::optional<bool> take(reader& in) noexcept {
        std::uint8_t byte = 0;
        if (!take_word<R>(in, byte)) return std::nullopt;
        if (byte > 1) {
            in.fail("a bool that is neither 0 nor 1");
            return std::nullopt;
        }
        return byte == 1;
    }
};

template <whole_number T>
struct form<T> : whole_as_part<T> {
    using word = word_of<sizeof(T)>;
    static constexpr bool is_signed = std::is_signed_v<T> && !std::same_as<T, char>;
    static constexpr word flip =
        is_signed ? static_cast<word>(word{1} << (8 * sizeof(T) - 1)) : word{0};

    static constexpr kind is = std::same_as<T, char> ? kind::character
                               : is_signed           ? kind::signed_number
                                                     : kind::unsigned_number;
    static constexpr std::size_t extent = sizeof(T);
    using parts = types<>;

    static consteval std::size_t fixed() { return sizeof(T); }
    template <role R>
    static consteval bool flat() {
        if (R == role::key) return sizeof(T) == 1 && flip == 0;
        return sizeof(T) == 1 || std::endian::native == std::endian::little;
    }
    template <class Q>
    static consteval match matches() {
        if constexpr (std::same_as<Q, T>) {
            return match::exact;
        } else if constexpr (whole_number<Q>) {
            using from = std::numeric_limits<Q>;
            return same_number((from::min)()) && same_number((from::max)()) ? match::exact
                                                                            : match::checked;
        } else {
            return match::no;
        }
    }
    template <role R, whole_number Q>
    static void put(scratch& out, Q q) {
        if constexpr (matches<Q>() == match::checked) {
            if (!same_number(q)) [[unlikely]]
                out.refuse();
        }
        const word bits = static_cast<word>(static_cast<T>(q));
        put_word<R>(out, R == role::key ? static_cast<word>(bits ^ flip) : bits);
    }
    template <role R>
    static std::optional<T> take(reader& in) noexcept {
        word bits = 0;
        if (!take_word<R>(in, bits)) return std::nullopt;
        return static_cast<T>(R == role::key ? static_cast<word>(bits ^ flip) : bits);
    }

private:
    template <class Q>
    static constexpr bool same_number(Q q) noexcept {
        const T converted = static_cast<T>(q);
        return static_cast<Q>(converted) == q && (converted < T{0}) == (q < Q{0});
    }
};

template <whole_enumeration T>
struct form<T> : whole_as_part<T> {
    using number = std::underlying_type_t<T>;

    static constexpr kind is = form<number>::is;
    static constexpr std::size_t extent = form<number>::extent;
    using parts = types<>;

    static consteval std::size_t fixed() { return form<number>::fixed(); }
    template <role R>
    static consteval bool flat() {
        return form<number>::template flat<R>();
    }
    template <class Q>
    static consteval match matches() {
        return std::same_as<Q, T> ? match::exact : match::no;
    }
    template <role R>
    static void put(scratch& out, T value) {
        form<number>::template put<R>(out, static_cast<number>(value));
    }
    template <role R>
    static std::optional<T> take(reader& in) noexcept {
        const std::optional<number> value = form<number>::template take<R>(in);
        if (!value) return std::nullopt;
        return static_cast<T>(*value);
    }
};

template <real_number T>
struct form<T> : whole_as_part<T> {
    using word = word_of<sizeof(T)>;
    static constexpr word sign = static_cast<word>(word{1} << (8 * sizeof(T) - 1));
    static constexpr word infinity = std::bit_cast<word>(std::numeric_limits<T>::infinity());
    static constexpr word one_nan =  // quiet, positive, no payload
        static_cast<word>(infinity | (word{1} << (std::numeric_limits<T>::digits - 2)));

    static constexpr kind is = kind::floating;
    static constexpr std::size_t extent = sizeof(T);
    using parts = types<>;

    static consteval std::size_t fixed() { return sizeof(T); }
    template <role R>
    static consteval bool flat() {
        return R == role::value && std::endian::native == std::endian::little;
    }
    template <class Q>
    static consteval match matches() {
        if constexpr (real_number<Q> || whole_number<Q>) {
            constexpr int digits = std::numeric_limits<Q>::digits;
            return digits <= std::numeric_limits<T>::digits ? match::exact : match::no;
        } else {
            return match::no;
        }
    }
    template <role R, class Q>
    static void put(scratch& out, Q q) {
        const T value = static_cast<T>(q);
        word bits = std::bit_cast<word>(value);
        if constexpr (R == role::key) {
            if ((bits & ~sign) > infinity) bits = one_nan;
            if (bits == sign) bits = 0;  // -0
            bits = (bits & sign) != 0 ? static_cast<word>(~bits) : static_cast<word>(bits ^ sign);
        }
        put_word<R>(out, bits);
    }
    template <role R>
    static std::optional<T> take(reader& in) noexcept {
        word bits = 0;
        if (!take_word<R>(in, bits)) return std::nullopt;
        if constexpr (R == role::key) {
            bits = (bits & sign) != 0 ? static_cast<word>(bits ^ sign) : static_cast<word>(~bits);
            const bool another_nan = (bits & ~sign) > infinity && bits != one_nan;
            if (another_nan || bits == sign) {
                in.fail("a float that no key encodes to");
                return std::nullopt;
            }
        }
        return std::bit_cast<T>(bits);
    }
};

}  // namespace coffer::detail

#endif
