// coffer/store/entry.hpp: what iteration yields, and the piece of a store that an iterator holds.
//
// An `entry` owns its key and value. Iterators read a few entries at a time into a `chunk` of
// encoded bytes, shared by their copies, so that copying an iterator is cheap and none of them
// holds back the store between steps.
#ifndef COFFER_STORE_ENTRY_HPP
#define COFFER_STORE_ENTRY_HPP

#include <coffer/config/assert.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/codec.hpp>
#include <coffer/core/result.hpp>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace coffer {

template <class Key, class Value>
struct entry {
    Key key;
    Value value;
};

namespace detail {

class chunk {
    struct piece {
        std::size_t key;  // where it begins; the value follows it
        std::size_t value;
        std::size_t end;
    };

public:
    void add(bytes key, bytes value) {
        const std::size_t at = bytes_.size();
        bytes_.insert(bytes_.end(), key.begin(), key.end());
        bytes_.insert(bytes_.end(), value.begin(), value.end());
        pieces_.push_back({at, at + key.size(), bytes_.size()});
    }

    [[nodiscard]] std::size_t size() const noexcept { return pieces_.size(); }
    [[nodiscard]] bool empty() const noexcept { return pieces_.empty(); }
    /// Bytes of all keys and values.
    [[nodiscard]] std::size_t held() const noexcept { return bytes_.size(); }
    [[nodiscard]] bytes key(std::size_t i) const noexcept {
        COFFER_ASSERT(i < size(), "an iterator stands on no entry");
        return bytes(bytes_).subspan(pieces_[i].key, pieces_[i].value - pieces_[i].key);
    }
    [[nodiscard]] bytes value(std::size_t i) const noexcept {
        COFFER_ASSERT(i < size(), "an iterator stands on no entry");
        return bytes(bytes_).subspan(pieces_[i].value, pieces_[i].end - pieces_[i].value);
    }

private:
    std::vector<std::byte> bytes_;
    std::vector<piece> pieces_;
};

/// Decodes entry `i`; throws what decoding finds wrong.
template <class Key, class Value>
[[nodiscard]] entry<Key, Value> entry_of(const chunk& from, std::size_t i) {
    return {key_codec<Key>::decode(from.key(i)).value(),
            value_codec<Value>::decode(from.value(i)).value()};
}

/// Calls f(key, value) with an entry, decoded as far as need be. Returns whether to go on: false
/// when `f` says so, or with what decoding finds wrong in `shown`.
template <class Key, class Value, class F>
[[nodiscard]] bool show_entry(bytes key, bytes value, F& f, result<void>& shown) {
    bool go_on = true;
    const auto call = [&](const auto& k, const auto& v) {
        if constexpr (std::is_same_v<decltype(f(k, v)), bool>) {
            go_on = f(k, v);
        } else {
            f(k, v);
        }
    };
    const auto with_key = [&](const auto& k) {
        const auto with_both = [&](const auto& v) { call(k, v); };
        if constexpr (std::is_void_v<decltype(value_codec<Value>::show(value, with_both))>) {
            value_codec<Value>::show(value, with_both);
        } else if (auto inner = value_codec<Value>::show(value, with_both); !inner) [[unlikely]] {
            shown = std::move(inner);
            go_on = false;
        }
    };
    if constexpr (std::is_same_v<Key, std::string>) {
        with_key(as_text(key));
    } else if constexpr (std::is_same_v<Key, std::vector<std::byte>>) {
        with_key(key);
    } else {
        auto decoded = key_codec<Key>::decode(key);
        if (!decoded) {
            shown = decoded.failure();
            return false;
        }
        with_key(std::as_const(*decoded));
    }
    return go_on;
}

}  // namespace detail
}  // namespace coffer

#endif
