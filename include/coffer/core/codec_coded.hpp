// coffer/core/codec_coded.hpp: the form of a type that has a codec: that of what is stored for it.
//
// What pack() gives is encoded at once, before anything that it may point into is gone. Only when
// it shows memory of the caller's own object is that memory lent.
#ifndef COFFER_CORE_CODEC_CODED_HPP
#define COFFER_CORE_CODEC_CODED_HPP

#include <coffer/core/codec_form.hpp>
#include <coffer/core/codec_of.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coffer::detail {

/// Does a result of this type show memory that outlives it?
template <class P>
inline constexpr bool borrows = std::is_lvalue_reference_v<P>;
template <>
inline constexpr bool borrows<std::string_view> = true;
template <class E>
inline constexpr bool borrows<std::span<E>> = true;

template <class T>
struct coded_form {};

template <codec T>
struct coded_form<T> {
    using stored = typename codec_of<T>::stored;
    using inner = form_of<stored>;

    static constexpr kind is = kind::coded;
    static constexpr std::size_t extent = codec_of<T>::id.version;
    using parts = types<stored>;

    static consteval std::size_t fixed() { return inner::fixed(); }
    template <role R>
    static consteval bool flat() {
        return false;
    }
    template <class Q>
    static consteval match matches() {
        if constexpr (requires(const Q& q) { codec_of<T>::pack(q); }) {
            return match_of<packed<Q>, stored>();
        } else {
            return match::no;
        }
    }
    template <role R, class Q>
    static void put(scratch& out, const Q& q) {
        inner::template put<R>(out, codec_of<T>::pack(q));
    }
    template <role R>
    static std::optional<T> take(reader& in) {
        auto found = inner::template take<R>(in);
        if (!found) return std::nullopt;
        return unpacked(in, *std::move(found));
    }
    template <role R, class Q>
    static void put_whole(scratch& out, const Q& q) {
        inner::template put_whole<R>(out, codec_of<T>::pack(q));
    }
    template <role R>
    static std::optional<T> take_whole(reader& in) {
        if constexpr (inner::is == kind::text &&
                      requires(std::string_view run) { codec_of<T>::unpack(run); }) {
            return unpacked(in, as_text(in.take_rest()));
        } else if constexpr (inner::is == kind::blob &&
                             requires(bytes run) { codec_of<T>::unpack(run); }) {
            return unpacked(in, in.take_rest());
        } else {
            auto found = inner::template take_whole<R>(in);
            if (!found) return std::nullopt;
            return unpacked(in, *std::move(found));
        }
    }
    template <role R, class Q>
    static consteval bool lends() {
        if constexpr (std::same_as<Q, T> && borrows<packed<Q>>) {
            return inner::template lends<R, std::remove_cvref_t<packed<Q>>>();
        } else {
            return false;
        }
    }
    template <role R, class Q>
    static bytes lend(const Q& q) noexcept {
        return inner::template lend<R>(codec_of<T>::pack(q));
    }

private:
    template <class Q>
    using packed = decltype(codec_of<T>::pack(std::declval<const Q&>()));

    template <class Stored>
    static std::optional<T> unpacked(reader& in, Stored&& found) {
        if constexpr (std::same_as<decltype(codec_of<T>::unpack(std::forward<Stored>(found))),
                                   result<T>>) {
            result<T> made = codec_of<T>::unpack(std::forward<Stored>(found));
            if (!made) {
                in.fail(made.failure());
                return std::nullopt;
            }
            return std::optional<T>(std::in_place, *std::move(made));
        } else {
            return std::optional<T>(std::in_place,
                                    codec_of<T>::unpack(std::forward<Stored>(found)));
        }
    }
};

}  // namespace coffer::detail

#endif
