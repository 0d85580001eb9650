// coffer/store/batch.hpp: several writes that happen together or not at all.
//
// A batch collects operations in memory; `write(batch)` of a store of the same key and value types
// makes them one commit. Operations count in their order; a later one on the same key wins. A batch
// may be written more than once, and to several stores.
#ifndef COFFER_STORE_BATCH_HPP
#define COFFER_STORE_BATCH_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/codec.hpp>
#include <coffer/core/result.hpp>
#include <coffer/storage/changes.hpp>

#include <cstddef>

namespace coffer {

template <class Key, class Value>
class basic_batch {
    using key_codec = detail::key_codec<Key>;
    using value_codec = detail::value_codec<Value>;

public:
    template <detail::key_like<Key> K, detail::value_like<Value> V>
    [[nodiscard]] result<void> try_put(const K& key, const V& value) {
        if (!key_codec::fits(key) || !value_codec::fits(value)) return out_of_range();
        typename key_codec::template room_for<K> key_room;
        typename value_codec::template room_for<V> value_room;
        changes_.add(detail::record_type::put, key_codec::view(key, key_room),
                     value_codec::view(value, value_room));
        return {};
    }
    template <detail::key_like<Key> K, detail::value_like<Value> V>
    void put(const K& key, const V& value) {
        try_put(key, value).value();
    }

    /// Erasing what is absent is no error. A key outside the range of its type is absent.
    template <detail::key_like<Key> K>
    void erase(const K& key) {
        if (!key_codec::fits(key)) return;
        typename key_codec::template room_for<K> room;
        changes_.add(detail::record_type::erase, key_codec::view(key, room), {});
    }

    /// As an operation: everything that the store held before is erased. See reset() to empty the
    /// batch itself.
    void clear() { changes_.add(detail::record_type::clear, {}, {}); }

    void reset() noexcept { changes_.clear(); }

    [[nodiscard]] std::size_t size() const noexcept { return changes_.size(); }
    [[nodiscard]] bool empty() const noexcept { return changes_.empty(); }

    /// For stores.
    [[nodiscard]] const detail::change_list& changes() const noexcept { return changes_; }

private:
    [[nodiscard]] static failure out_of_range() {
        return fail(errc::invalid_argument,
                    "a number is outside the range of the type that is stored");
    }

    detail::change_list changes_;
};

}  // namespace coffer

#endif
