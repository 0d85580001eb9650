// tests/archetypes/minimal_codec.hpp: the smallest codec, and a type that offers nothing else.
//
// `sealed` cannot be default-constructed, copied, assigned or compared; what stores it may ask only
// what the table of coffer/core/codec_of.hpp says.
#ifndef COFFER_TESTS_ARCHETYPES_MINIMAL_CODEC_HPP
#define COFFER_TESTS_ARCHETYPES_MINIMAL_CODEC_HPP

#include <coffer/core/codec_of.hpp>

#include <string>

namespace archetype {

class sealed {
public:
    explicit sealed(std::string text) : text_(std::move(text)) {}
    sealed(sealed&&) = default;
    sealed& operator=(sealed&&) = delete;

    const std::string& text() const { return text_; }

private:
    std::string text_;
};

}  // namespace archetype

template <>
struct coffer::codec_of<archetype::sealed> {
    static constexpr coffer::policy_id id{"sealed", 1};
    using stored = std::string;
    static const std::string& pack(const archetype::sealed& value) { return value.text(); }
    static archetype::sealed unpack(std::string text) { return archetype::sealed(std::move(text)); }
};

#endif
