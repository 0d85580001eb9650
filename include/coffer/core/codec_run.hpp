// coffer/core/codec_run.hpp: the forms of text (std::string, std::vector<char>) and of bytes
// (std::vector of std::byte or unsigned char).
//
// | place     | key                                    | value                      |
// |-----------|----------------------------------------|----------------------------|
// | outermost | the bytes                              | the bytes                  |
// | inside    | the bytes with 00 as 00 FF; then 00 00 | length (varint), the bytes |
//
// So "a" < "a\0" < "aa" holds inside tuples too, and whatever follows cannot change it. Anything
// that shows its bytes may stand for one: no string is made to look one up. A character array
// counts up to its first NUL, as a literal does; std::array<char, N> counts in full.
#ifndef COFFER_CORE_CODEC_RUN_HPP
#define COFFER_CORE_CODEC_RUN_HPP

#include <coffer/core/codec_form.hpp>

#include <concepts>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace coffer::detail {

template <class Q>
inline constexpr bool is_char_array = false;
template <std::size_t N>
inline constexpr bool is_char_array<char[N]> = true;

template <class Q, class View>
concept shown_as = std::is_convertible_v<const Q&, View> && !std::is_null_pointer_v<Q>;

template <class Q>
concept shows_bytes =
    shown_as<Q, std::span<const std::byte>> || shown_as<Q, std::span<const unsigned char>>;

template <class Q>
concept shows_text = is_char_array<Q> || shown_as<Q, std::string_view> ||
                     shown_as<Q, std::span<const char>> || shown_as<Q, std::span<const std::byte>>;

template <class Q>
[[nodiscard]] bytes run_of(const Q& q) noexcept {
    if constexpr (is_char_array<Q>) {
        const void* const nul = std::memchr(q, 0, sizeof(Q));
        return object_bytes(q, nul == nullptr
                                   ? sizeof(Q)
                                   : static_cast<std::size_t>(static_cast<const char*>(nul) - q));
    } else if constexpr (shown_as<Q, std::string_view>) {
        return as_bytes(static_cast<std::string_view>(q));
    } else if constexpr (shown_as<Q, std::span<const char>>) {
        const std::span<const char> shown = q;
        return object_bytes(shown.data(), shown.size());
    } else if constexpr (shown_as<Q, std::span<const std::byte>>) {
        return q;
    } else {
        const std::span<const unsigned char> shown = q;
        return object_bytes(shown.data(), shown.size());
    }
}

inline void put_escaped(scratch& out, bytes run) {
    while (!run.empty()) {
        const void* const zero = std::memchr(run.data(), 0, run.size());
        if (zero == nullptr) break;
        const auto ahead =
            static_cast<std::size_t>(static_cast<const std::byte*>(zero) - run.data()) + 1;
        out.append(run.first(ahead));
        out.append(0xFF);
        run = run.subspan(ahead);
    }
    out.append(run);
    std::memset(out.extend(2), 0, 2);
}

/// Calls `add(bytes)` for each piece of an escaped run. False after a problem.
template <class Add>
[[nodiscard]] bool take_escaped(reader& in, Add&& add) {
    for (;;) {
        const bytes left = in.peek();
        const void* const zero = left.empty() ? nullptr : std::memchr(left.data(), 0, left.size());
        if (zero == nullptr) {
            in.fail("a text without its end");
            return false;
        }
        const auto ahead =
            static_cast<std::size_t>(static_cast<const std::byte*>(zero) - left.data());
        const std::byte* const mark = in.take(ahead + 2);
        if (mark == nullptr) return false;
        const auto after = static_cast<unsigned>(mark[ahead + 1]);
        if (after == 0) {
            add(left.first(ahead));
            return true;
        }
        if (after != 0xFF) {
            in.fail("a zero in a text that is neither escaped nor its end");
            return false;
        }
        add(left.first(ahead + 1));
    }
}

/// T is a container of E, one byte each.
template <class T, class E, kind Kind>
struct run_form {
    static constexpr kind is = Kind;
    static constexpr std::size_t extent = 1;
    using parts = types<>;

    static consteval std::size_t fixed() { return varies; }
    template <role R>
    static consteval bool flat() {
        return false;
    }
    template <class Q>
    static consteval match matches() {
        constexpr bool shown = Kind == kind::text ? shows_text<Q> : shows_bytes<Q>;
        return shown ? match::exact : match::no;
    }
    template <role R, class Q>
    static void put(scratch& out, const Q& q) {
        const bytes run = run_of(q);
        if constexpr (R == role::key) {
            put_escaped(out, run);
        } else {
            out.append_length(run.size());
            out.append(run);
        }
    }
    template <role R>
    static std::optional<T> take(reader& in) {
        if constexpr (R == role::key) {
            std::optional<T> run(std::in_place);
            const auto add = [&run](bytes piece) {
                run->insert(run->end(), first(piece), last(piece));
            };
            if (!take_escaped(in, add)) run.reset();
            return run;
        } else {
            const std::uint64_t length = in.take_length();
            if (length > in.left()) in.fail("they end early");
            if (!in.good()) return std::nullopt;
            const auto size = static_cast<std::size_t>(length);
            return made_of({in.take(size), size});
        }
    }
    template <role R, class Q>
    static void put_whole(scratch& out, const Q& q) {
        out.append(run_of(q));
    }
    template <role R>
    static std::optional<T> take_whole(reader& in) {
        return made_of(in.take_rest());
    }
    template <role R, class Q>
    static consteval bool lends() {
        return true;
    }
    template <role R, class Q>
    static bytes lend(const Q& q) noexcept {
        return run_of(q);
    }

private:
    static const E* first(bytes run) noexcept { return reinterpret_cast<const E*>(run.data()); }
    static const E* last(bytes run) noexcept { return first(run) + run.size(); }
    static std::optional<T> made_of(bytes run) {
        return std::optional<T>(std::in_place, first(run), last(run));
    }
};

template <class A>
struct form<std::basic_string<char, std::char_traits<char>, A>>
    : run_form<std::basic_string<char, std::char_traits<char>, A>, char, kind::text> {};

template <class A>
struct form<std::vector<char, A>> : run_form<std::vector<char, A>, char, kind::text> {};

template <class A>
struct form<std::vector<std::byte, A>>
    : run_form<std::vector<std::byte, A>, std::byte, kind::blob> {};

template <class A>
struct form<std::vector<unsigned char, A>>
    : run_form<std::vector<unsigned char, A>, unsigned char, kind::blob> {};

}  // namespace coffer::detail

#endif
