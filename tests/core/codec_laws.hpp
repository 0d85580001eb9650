// tests/core/codec_laws.hpp: what holds for the encoding of every type, in both roles.
//
// round trip   decode(view(v)) is v
// order        comparing key bytes compares values, as a whole and inside a tuple
// one form     what decodes encodes to the same bytes again, so equal values have equal bytes
// no trust     every truncation and every change of bytes gives an answer: a value or corruption
//
// Bytes are decoded from a heap block of their exact size, so that a sanitizer sees any other
// access.
#ifndef COFFER_TESTS_CORE_CODEC_LAWS_HPP
#define COFFER_TESTS_CORE_CODEC_LAWS_HPP

#include <coffer/core/codec.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "catch.hpp"

namespace laws {

using coffer::bytes;
namespace d = coffer::detail;

using run = std::vector<std::byte>;

inline std::string hex(bytes from) {
    std::string out;
    for (const std::byte b : from) {
        out.push_back("0123456789abcdef"[static_cast<unsigned>(b) >> 4]);
        out.push_back("0123456789abcdef"[static_cast<unsigned>(b) & 15]);
    }
    return out;
}

/// One assertion for all templates: Catch's own are slow to compile by the hundred.
inline void must(bool holds, const char* law, bytes about) {
    if (!holds) FAIL(law << ": " << hex(about));
}

template <class Codec, class Q>
run encoded(const Q& q) {
    d::scratch room;
    const bytes seen = Codec::view(q, room);
    return run(seen.begin(), seen.end());
}

template <class T, class Q = T>
std::string key_hex(const Q& q) {
    return hex(encoded<d::key_codec<T>>(q));
}
template <class T, class Q = T>
std::string value_hex(const Q& q) {
    return hex(encoded<d::value_codec<T>>(q));
}

template <class Codec>
auto decoded(bytes from) {
    const auto exact = std::make_unique<std::byte[]>(from.size());
    coffer::copy(exact.get(), from);
    return Codec::decode(bytes(exact.get(), from.size()));
}

template <class T>
using two = std::tuple<T, std::uint8_t>;

/// One value, by `same(a, b)`.
template <class Codec, class T, class Same>
void returns(const T& value, Same same) {
    const run as_bytes = encoded<Codec>(value);
    const auto back = decoded<Codec>(as_bytes);
    must(back.has_value() && same(*back, value), "round trip", as_bytes);
    must(encoded<Codec>(*back) == as_bytes, "one form", as_bytes);
    constexpr std::size_t fixed = Codec::fixed_size;
    must(fixed == 0 || as_bytes.size() == fixed, "fixed size", as_bytes);
}

template <class Codec>
void survives(bytes from) {
    const auto answer = decoded<Codec>(from);
    if (answer.has_value()) {
        must(coffer::equal(encoded<Codec>(*answer), from), "one form", from);
    } else {
        must(answer.error().kind() == coffer::errc::corruption, "corruption", from);
    }
}

/// Truncations, single-byte changes and noise, none of which may do harm.
template <class Codec>
void survives_damage(const run& good, std::mt19937& random) {
    for (std::size_t cut = 0; cut <= good.size(); ++cut) survives<Codec>(bytes(good).first(cut));
    run changed = good;
    changed.push_back(std::byte{1});
    survives<Codec>(changed);
    for (int i = 0; i < 64 && !good.empty(); ++i) {
        changed = good;
        changed[random() % changed.size()] = static_cast<std::byte>(random());
        survives<Codec>(changed);
    }
    for (int i = 0; i < 64; ++i) {
        changed.resize(random() % 40);
        for (std::byte& b : changed) {
            const auto drawn =
                static_cast<unsigned>(random());  // bytes that mean something come often
            b = static_cast<std::byte>(drawn % 4 == 0 ? drawn >> 8 : (drawn >> 8) % 3 * 0x7F);
        }
        survives<Codec>(changed);
    }
}

template <class T, class Same = std::equal_to<T>>
void hold_without_order(const std::vector<T>& values, Same same = {}) {
    std::mt19937 random(20240607);
    for (const T& value : values) {
        returns<d::key_codec<T>>(value, same);
        returns<d::value_codec<T>>(value, same);
        survives_damage<d::key_codec<T>>(encoded<d::key_codec<T>>(value), random);
        survives_damage<d::value_codec<T>>(encoded<d::value_codec<T>>(value), random);
        const auto same_two = [&](const two<T>& a, const two<T>& b) {
            return same(std::get<0>(a), std::get<0>(b)) && std::get<1>(a) == std::get<1>(b);
        };
        const two<T> inside(value, std::uint8_t{7});
        returns<d::key_codec<two<T>>>(inside, same_two);
        returns<d::value_codec<two<T>>>(inside, same_two);
        const run with_end = encoded<d::key_codec<two<T>>>(inside);
        for (std::size_t cut = 0; cut < with_end.size(); ++cut) {  // shows where it ends
            const bytes shorter = bytes(with_end).first(cut);
            must(!decoded<d::key_codec<two<T>>>(shorter).has_value(), "own end", shorter);
        }
        survives_damage<d::key_codec<two<T>>>(with_end, random);
        survives_damage<d::value_codec<two<T>>>(encoded<d::value_codec<two<T>>>(inside), random);
    }
}

/// `less` is the order that keys promise.
template <class T, class Less = std::less<T>, class Same = std::equal_to<T>>
void hold(const std::vector<T>& values, Less less = {}, Same same = {}) {
    hold_without_order(values, same);
    for (const T& a : values) {
        for (const T& b : values) {
            const run one = encoded<d::key_codec<T>>(a);
            const auto order = coffer::compare(one, encoded<d::key_codec<T>>(b));
            must((order < 0) == less(a, b) && (order == 0) == same(a, b), "order", one);
            const run high = encoded<d::key_codec<two<T>>>(two<T>(a, std::uint8_t{255}));
            const run low = encoded<d::key_codec<two<T>>>(two<T>(b, std::uint8_t{0}));
            must((coffer::compare(high, low) < 0) == less(a, b), "order inside", high);
        }
    }
    CHECK(!values.empty());
}

}  // namespace laws

#endif
