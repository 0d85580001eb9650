// coffer/core/codec.hpp: typed keys and values as bytes, and back.
//
// The face that the store sees. A key is encoded so that comparing bytes compares values; a value
// so that it costs least. Both roles are the same code (codec_form.hpp) with another leaf: the
// order of a key costs what a value need not pay, and a float as a key loses what a value must
// keep.
//
// | type of Key or Value                      | may be looked up and put as                      |
// |-------------------------------------------|--------------------------------------------------|
// | std::string                               | string_view, const char*, literals, byte spans   |
// | std::vector<std::byte>                    | spans, arrays and vectors of bytes               |
// | integers                                  | every integer: the number is checked, not cut    |
// | float, double                             | what converts to it without loss, by its type    |
// | pair, tuple, array, vector, optional      | the same of what their elements may be           |
// | a type with a codec                       | what its pack() takes                            |
// | anything else                             | itself                                           |
//
// Outermost strings and byte runs are the caller's own bytes: nothing is copied. Small keys are
// built in the scratch, larger ones on the heap.
//
// Failure: decode() gives errc::corruption, in words, for bytes that are no encoding of the type;
// it reads nothing outside them and allocates no more than they can back. A number that the type
// cannot hold is found by fits(), which a store asks first; view() of one ends the program.
#ifndef COFFER_CORE_CODEC_HPP
#define COFFER_CORE_CODEC_HPP

#include <coffer/config/assert.hpp>
#include <coffer/config/platform.hpp>
#include <coffer/core/codec_explain.hpp>
#include <coffer/core/codec_form.hpp>
#include <coffer/core/coding.hpp>
#include <coffer/core/fingerprint.hpp>

#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace coffer::detail {

/// May a Q stand for a key or value of type T? Q may be a reference.
template <class Q, class T>
concept encodes_as = match_of<Q, T>() != match::no;

template <class Q, class T>
concept key_like = encodes_as<Q, T>;

template <class Q, class T>
concept value_like = encodes_as<Q, T>;

template <role R, class T>
struct role_codec {
    static_assert(explain_storable<T>());

    /// The size of every encoding if all have the same, else 0.
    static constexpr std::size_t fixed_size =
        form_of<T>::fixed() == varies ? std::size_t{0} : form_of<T>::fixed();

    /// Is every Q also a T? Else ask fits().
    template <encodes_as<T> Q>
    static constexpr bool always_fits = match_of<Q, T>() == match::exact;

    /// Is `query` a T: no number in it is outside the range of its place.
    template <encodes_as<T> Q>
    [[nodiscard]] static bool fits(const Q& query) {
        if constexpr (always_fits<Q>) {
            return true;
        } else {
            scratch tried;
            form_of<T>::template put_whole<R>(tried, query);
            return tried.fits();
        }
    }

    /// Where view() builds the encoding of a Q; nothing where a Q lends its own bytes.
    template <encodes_as<T> Q>
    using room_for = std::conditional_t<form_of<T>::template lends<R, Q>(), no_scratch, scratch>;

    /// The encoding of `query`, which fits: in `query` itself or in `room`, valid while neither
    /// changes.
    template <encodes_as<T> Q, class Room>
    [[nodiscard]] static bytes view(const Q& query, [[maybe_unused]] Room& room) {
        if constexpr (form_of<T>::template lends<R, Q>()) {
            return form_of<T>::template lend<R>(query);
        } else {
            room.clear();
            form_of<T>::template put_whole<R>(room, query);
            if constexpr (!always_fits<Q>) {
                if (!room.fits()) [[unlikely]]
                    end_of_range();
            }
            return room.view();
        }
    }

    [[nodiscard]] static result<T> decode(bytes encoded) {
        reader in(encoded);
        std::optional<T> value = form_of<T>::template take_whole<R>(in);
        if (in.left() != 0) in.fail("bytes are left over");
        if (!in.good()) [[unlikely]]
            return in.told_of(describe<T>());
        return result<T>(*std::move(value));
    }

private:
    [[noreturn]] COFFER_NOINLINE static void end_of_range() {
        COFFER_ASSERT(false, "a number outside the range of the type that is stored: ask fits()");
        std::abort();
    }
};

template <class T>
struct key_codec : role_codec<role::key, T> {};

template <class T>
struct value_codec : role_codec<role::value, T> {
    /// Makes `to` the value; a string that is there keeps its memory.
    [[nodiscard]] static COFFER_ALWAYS_INLINE result<void> assign(std::optional<T>& to,
                                                                  bytes encoded) {
        if constexpr (std::is_same_v<T, std::string>) {
            if (to) {
                to->assign(as_text(encoded));
            } else {
                to.emplace(as_text(encoded));
            }
        } else {
            result<T> value = role_codec<role::value, T>::decode(encoded);
            if (!value) {
                to.reset();
                return value.failure();
            }
            to.emplace(*std::move(value));
        }
        return {};
    }

    /// Calls `f` with the value: a std::string_view for text, bytes for byte runs, both in place;
    /// else a const T&. Answers result<void>, or nothing where nothing can fail.
    template <class F>
    static auto show(bytes encoded, F&& f) {
        if constexpr (form_of<T>::is == kind::text) {
            std::forward<F>(f)(as_text(encoded));
        } else if constexpr (form_of<T>::is == kind::blob) {
            std::forward<F>(f)(encoded);
        } else {
            result<T> value = role_codec<role::value, T>::decode(encoded);
            if (!value) return result<void>(value.failure());
            std::forward<F>(f)(std::as_const(*value));
            return result<void>();
        }
    }
};

}  // namespace coffer::detail

#endif
