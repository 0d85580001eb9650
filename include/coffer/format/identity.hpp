// coffer/format/identity.hpp: the file STORE, which says what a folder holds.
//
//   offset  size  field
//   0       8     magic: 89 'C' 'O' 'F' 'F' 'E' 'R' 0A
//   8       4     format version
//   12      4     version of the storage policy
//   16      16    store id, random
//   32      16    name of the storage policy, padded with zeros
//   48      8     fingerprint of the key type
//   56      8     fingerprint of the value type
//   64      220   key type in words: one byte of length, text, zeros
//   284     220   value type in words, likewise
//   504     8     check of the bytes before it, seeded with the magic
//
// The words serve messages only; fingerprints decide.
#ifndef COFFER_FORMAT_IDENTITY_HPP
#define COFFER_FORMAT_IDENTITY_HPP

#include <coffer/config/version.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/policy.hpp>
#include <coffer/core/result.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace coffer::detail {

inline constexpr std::uint64_t store_magic = 0x0A524546464F4389;

struct store_id {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    friend bool operator==(const store_id&, const store_id&) = default;
};

struct identity {
    store_id id;
    std::uint32_t format = COFFER_FORMAT_VERSION;
    std::string storage;
    std::uint32_t storage_version = 0;
    std::uint64_t key = 0;
    std::uint64_t value = 0;
    std::string key_words;
    std::string value_words;
};

namespace identity_at {
inline constexpr std::size_t magic = 0, format = magic + 8, storage_version = format + 4,
                             id = storage_version + 4, storage = id + 16, key = storage + 16,
                             value = key + 8, key_words = value + 8, value_words = key_words + 220,
                             check = value_words + 220, size = check + 8;
}  // namespace identity_at
static_assert(identity_at::size == 512);

using identity_image = std::array<std::byte, identity_at::size>;

[[nodiscard]] inline identity_image write_identity(const identity& from) {
    identity_image image{};
    std::byte* const to = image.data();
    store_le(to + identity_at::magic, store_magic);
    store_le(to + identity_at::format, from.format);
    store_le(to + identity_at::storage_version, from.storage_version);
    store_le(to + identity_at::id, from.id.low);
    store_le(to + identity_at::id + 8, from.id.high);
    copy(to + identity_at::storage, as_bytes(std::string_view(from.storage).substr(0, 15)));
    store_le(to + identity_at::key, from.key);
    store_le(to + identity_at::value, from.value);
    const auto put_words = [&](std::size_t at, std::string_view words) {
        words = words.substr(0, 219);
        image[at] = static_cast<std::byte>(words.size());
        copy(to + at + 1, as_bytes(words));
    };
    put_words(identity_at::key_words, from.key_words);
    put_words(identity_at::value_words, from.value_words);
    store_le(to + identity_at::check, hash64({to, identity_at::check}, store_magic));
    return image;
}

/// Is this what somebody wrote as an identity, of whatever format?
[[nodiscard]] inline bool has_sound_check(bytes image) noexcept {
    return image.size() == identity_at::size &&
           load_le<std::uint64_t>(image.data() + identity_at::check) ==
               hash64(image.first(identity_at::check), store_magic);
}

[[nodiscard]] inline result<identity> read_identity(bytes image, std::string_view path) {
    if (image.size() < 8 || load_le<std::uint64_t>(image.data()) != store_magic) {
        return fail(errc::corruption,
                    "this file does not begin as a coffer store does; if the folder "
                    "holds something else, choose another path",
                    path, 0, 0);
    }
    if (image.size() >= 12) {
        const auto format = load_le<std::uint32_t>(image.data() + identity_at::format);
        if (format > COFFER_FORMAT_VERSION && format < 0x10000) {
            return fail(errc::incompatible,
                        "the store has format version " + std::to_string(format) +
                            ", this program reads version " +
                            std::to_string(COFFER_FORMAT_VERSION) + "; open it with a newer coffer",
                        path);
        }
    }
    const std::byte* const at = image.data();
    if (!has_sound_check(image)) {
        return fail(errc::corruption,
                    "the identity of the store is damaged; restore this file from a "
                    "copy of the store",
                    path, 0, 0);
    }
    identity out;
    out.format = load_le<std::uint32_t>(at + identity_at::format);
    if (out.format != COFFER_FORMAT_VERSION) {
        return fail(errc::incompatible,
                    "the store has format version " + std::to_string(out.format) +
                        ", this program reads version " + std::to_string(COFFER_FORMAT_VERSION) +
                        "; copy its entries with the coffer that wrote it",
                    path);
    }
    out.storage_version = load_le<std::uint32_t>(at + identity_at::storage_version);
    out.id = {load_le<std::uint64_t>(at + identity_at::id),
              load_le<std::uint64_t>(at + identity_at::id + 8)};
    const auto name = as_text({at + identity_at::storage, 16});
    out.storage = name.substr(0, (std::min)(name.find('\0'), name.size()));
    out.key = load_le<std::uint64_t>(at + identity_at::key);
    out.value = load_le<std::uint64_t>(at + identity_at::value);
    const auto words = [&](std::size_t place) {
        const auto size = (std::min)(static_cast<std::size_t>(at[place]), std::size_t{219});
        return std::string(as_text({at + place + 1, size}));
    };
    out.key_words = words(identity_at::key_words);
    out.value_words = words(identity_at::value_words);
    return out;
}

/// Is the store that `found` describes the one that a program with `expected` may open?
[[nodiscard]] inline result<void> check_identity(const identity& found, const identity& expected,
                                                 std::string_view path) {
    const auto differ = [&](std::string_view what, const std::string& is,
                            const std::string& wanted) {
        return fail(errc::incompatible,
                    std::string("the store was written with ")
                        .append(what)
                        .append(" ")
                        .append(is)
                        .append(", this program expects ")
                        .append(wanted)
                        .append("; open it with the type that wrote it, or choose another path"),
                    path);
    };
    if (found.storage != expected.storage || found.storage_version != expected.storage_version) {
        return differ("storage policy",
                      found.storage + " version " + std::to_string(found.storage_version),
                      expected.storage + " version " + std::to_string(expected.storage_version));
    }
    if (found.key != expected.key)
        return differ("keys of type", found.key_words, expected.key_words);
    if (found.value != expected.value) {
        return differ("values of type", found.value_words, expected.value_words);
    }
    return {};
}

}  // namespace coffer::detail

#endif
