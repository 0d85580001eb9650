// tests/format/hex.hpp: bytes written as hexadecimal digits, for golden files of the format.
#ifndef COFFER_TESTS_FORMAT_HEX_HPP
#define COFFER_TESTS_FORMAT_HEX_HPP

#include <coffer/core/bytes.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hex {

inline std::string of(coffer::bytes run) {
    std::string out;
    for (const std::byte each : run) {
        const auto value = static_cast<unsigned>(each);
        out.push_back("0123456789abcdef"[value >> 4]);
        out.push_back("0123456789abcdef"[value & 15]);
    }
    return out;
}

/// Pairs of digits; blanks are skipped, and `(n)` behind a pair repeats that byte n times in all.
inline std::vector<std::byte> to_bytes(std::string_view text) {
    std::vector<std::byte> out;
    const auto digit = [](char c) {
        return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    };
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == ' ' || text[at] == '\n') {
            ++at;
        } else if (text[at] == '(') {
            std::size_t count = 0;
            for (++at; text[at] != ')'; ++at) count = 10 * count + digit(text[at]);
            out.insert(out.end(), count - 1, out.back());
            ++at;
        } else {
            out.push_back(static_cast<std::byte>(digit(text[at]) << 4 | digit(text[at + 1])));
            at += 2;
        }
    }
    return out;
}

}  // namespace hex

#endif
