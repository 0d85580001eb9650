// coffer/core/fingerprint.hpp: what a stored type is, as a number and in words.
//
// The number is kept with the data and compared when it is opened; the words go into the message
// when it differs. Both follow the structure that is encoded, not the names that C++ has for it:
//
// | type                               | in words              | equal to                        |
// |------------------------------------|-----------------------|---------------------------------|
// | bool, char, float, double          | bool, char, f32, f64  | nothing else                    |
// | integers                           | u8 to u64, i8 to i64  | all of that width and sign      |
// | enumerations                       | the underlying type's | that integer                    |
// | std::string, vector<char>          | string                | each other, not bytes           |
// | vectors of std::byte or unsigned char | bytes              | each other, not string          |
// | pair, tuple, aggregate, coffer_fields | tuple(u32,string)  | all with the same members       |
// | array, vector, optional            | array(u8,4), list(u8) | the same of equal elements      |
// | a type with a codec                | date.1(tuple(i32,u8)) | same name, version and `stored` |
//
// So a renamed member or type, or int for long, opens; a member more, fewer or elsewhere does not.
#ifndef COFFER_CORE_FINGERPRINT_HPP
#define COFFER_CORE_FINGERPRINT_HPP

#include <coffer/core/codec_form.hpp>
#include <coffer/core/hash.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coffer::detail {

/// Changes if the bytes of any kind of type ever do.
inline constexpr std::uint64_t codec_generation = 1;

template <class T>
[[nodiscard]] consteval std::uint64_t fingerprint_from(std::uint64_t before);

template <class... Part>
[[nodiscard]] consteval std::uint64_t fingerprint_along(std::uint64_t before, types<Part...>) {
    ((before = fingerprint_from<Part>(before)), ...);
    return before;
}

template <class T>
[[nodiscard]] consteval std::uint64_t fingerprint_from(std::uint64_t before) {
    using form = form_of<T>;
    std::uint64_t print = mix(static_cast<std::uint64_t>(form::is), before);
    print = mix(form::extent, print);
    if constexpr (form::is == kind::coded) {
        const std::string_view name = codec_of<T>::id.name;
        for (const char c : name) print = mix(static_cast<unsigned char>(c), print);
        print = mix(name.size(), print);
    }
    return fingerprint_along(print, typename form::parts{});
}

template <class T>
inline constexpr std::uint64_t fingerprint_of = fingerprint_from<T>(codec_generation);

template <class T>
void describe_to(std::string& words);

template <class... Part>
void describe_all_to(std::string& words, types<Part...>) {
    [[maybe_unused]] const char* between = "";
    ((words.append(between), between = ",", describe_to<Part>(words)), ...);
}

template <class T>
void describe_to(std::string& words) {
    using form = form_of<T>;
    const auto size = [&words](const char* letter) {
        words.append(letter).append(std::to_string(form::extent * 8));
    };
    switch (form::is) {
        case kind::boolean:
            words.append("bool");
            return;
        case kind::unsigned_number:
            size("u");
            return;
        case kind::signed_number:
            size("i");
            return;
        case kind::character:
            words.append("char");
            return;
        case kind::floating:
            size("f");
            return;
        case kind::text:
            words.append("string");
            return;
        case kind::blob:
            words.append("bytes");
            return;
        case kind::optional:
            words.append("optional(");
            break;
        case kind::list:
            words.append("list(");
            break;
        case kind::array:
            words.append("array(");
            break;
        case kind::tuple:
            words.append("tuple(");
            break;
        case kind::coded:
            if constexpr (form::is == kind::coded) words.append(codec_of<T>::id.name);
            words.append(".").append(std::to_string(form::extent)).append("(");
            break;
    }
    describe_all_to(words, typename form::parts{});
    if (form::is == kind::array) words.append(",").append(std::to_string(form::extent));
    words.append(")");
}

/// A type in words, of at most 200 characters.
template <class T>
[[nodiscard]] COFFER_NOINLINE std::string describe() {
    constexpr std::size_t most = 200;
    std::string words;
    describe_to<T>(words);
    if (words.size() > most) words.replace(most - 3, std::string::npos, "...");
    return words;
}

}  // namespace coffer::detail

#endif
