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
#include <coffer/storage/writer.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace coffer {

template <class Key, class Value>
class basic_batch {
    using key_codec = detail::key_codec<Key>;
    using value_codec = detail::value_codec<Value>;

    struct operation {
        detail::record_type type;
        std::size_t at;
        std::size_t key;
        std::size_t value;
    };

public:
    template <detail::key_like<Key> K, detail::value_like<Value> V>
    [[nodiscard]] result<void> try_put(const K& key, const V& value) {
        if (!key_codec::fits(key) || !value_codec::fits(value)) return out_of_range();
        detail::scratch key_room;
        detail::scratch value_room;
        add(detail::record_type::put, key_codec::view(key, key_room),
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
        detail::scratch room;
        add(detail::record_type::erase, key_codec::view(key, room), {});
    }

    /// As an operation: everything that the store held before is erased. See reset() to empty the
    /// batch itself.
    void clear() { add(detail::record_type::clear, {}, {}); }

    void reset() noexcept { operations_.clear(); }

    [[nodiscard]] std::size_t size() const noexcept { return operations_.size(); }
    [[nodiscard]] bool empty() const noexcept { return operations_.empty(); }

    /// For stores: the operations as encoded runs, valid until the batch changes.
    [[nodiscard]] std::vector<detail::change> changes() const {
        std::vector<detail::change> out;
        out.reserve(operations_.size());
        const bytes all(bytes_);
        for (const operation& each : operations_) {
            out.push_back({each.type, all.subspan(each.at, each.key),
                           all.subspan(each.at + each.key, each.value)});
        }
        return out;
    }

private:
    [[nodiscard]] static failure out_of_range() {
        return fail(errc::invalid_argument,
                    "a number is outside the range of the type that is stored");
    }

    void add(detail::record_type type, bytes key, bytes value) {
        const std::size_t at = end();
        const std::size_t needed = at + key.size() + value.size();
        if (bytes_.size() < needed) bytes_.resize((std::max)(needed, 2 * bytes_.size()));
        copy(bytes_.data() + at, key);
        copy(bytes_.data() + at + key.size(), value);
        operations_.push_back({type, at, key.size(), value.size()});
    }

    /// Where the bytes of the operations end.
    [[nodiscard]] std::size_t end() const noexcept {
        if (operations_.empty()) return 0;
        const operation& last = operations_.back();
        return last.at + last.key + last.value;
    }

    std::vector<std::byte> bytes_;  // room, larger than what is used
    std::vector<operation> operations_;
};

}  // namespace coffer

#endif
