// The encodings of keys and values from any bytes: a value that encodes to the same bytes, or
// corruption.
#include <coffer/core/codec.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "fuzz/target.hpp"

namespace fuzz {
namespace {

struct part {
    std::int32_t number;
    std::string text;
};
struct whole {
    std::optional<std::string> name;
    std::vector<part> parts;
    double weight;
    bool valid;
};

template <class Codec>
void decode(coffer::bytes from) {
    const auto exact = std::make_unique<std::byte[]>(from.size());
    coffer::copy(exact.get(), from);
    const coffer::bytes alone(exact.get(), from.size());
    const auto value = Codec::decode(alone);
    if (!value) {
        need(value.error().kind() == coffer::errc::corruption,
             "bytes that are no value are corruption");
        return;
    }
    coffer::detail::scratch room;
    need(coffer::equal(Codec::view(*value, room), from), "a value has one form");
}

template <class T>
void both(coffer::bytes from) {
    decode<coffer::detail::key_codec<T>>(from);
    decode<coffer::detail::value_codec<T>>(from);
}

using any_type = void (*)(coffer::bytes);
constexpr any_type types[] = {
    both<std::string>,
    both<std::vector<std::byte>>,
    both<std::uint8_t>,
    both<std::int64_t>,
    both<double>,
    both<std::pair<std::string, std::uint32_t>>,
    both<std::tuple<std::int32_t, std::string, std::optional<float>>>,
    both<std::vector<std::string>>,
    both<std::vector<std::vector<std::uint16_t>>>,
    both<std::array<std::int16_t, 3>>,
    both<std::optional<std::string>>,
    both<whole>,
};
constexpr std::size_t count = sizeof types / sizeof types[0];

void any_bytes(coffer::bytes input) {
    if (input.empty()) return;
    types[static_cast<std::size_t>(input[0]) % count](input.subspan(1));
}

std::vector<run> seeds() {
    std::vector<run> out{{}};
    for (std::size_t i = 0; i < count; ++i) {
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, std::size_t{8}, std::size_t{24}}) {
            run one(size + 1, std::byte{1});
            one[0] = static_cast<std::byte>(i);
            out.push_back(one);
        }
    }
    return out;
}

}  // namespace

target codecs() {
    return {"codecs", any_bytes, seeds, false};
}

}  // namespace fuzz
