// coffer/store.hpp: the name that users write, and presets that read like sentences.
//
//   coffer::store<Key, Value, Policies...>
//
// Policies come in any order, at most one per axis; what is not named is the default: file_log,
// sync, hash, multi, native. It is an alias, so two spellings of one choice are one type.
#ifndef COFFER_STORE_HPP
#define COFFER_STORE_HPP

#include <coffer/durability/async.hpp>
#include <coffer/durability/buffered.hpp>
#include <coffer/durability/sync.hpp>
#include <coffer/durability/write_through.hpp>
#include <coffer/index/hash.hpp>
#include <coffer/index/sorted.hpp>
#include <coffer/storage/file_log.hpp>
#include <coffer/storage/map.hpp>
#include <coffer/storage/mmap.hpp>
#include <coffer/store/basic_store.hpp>
#include <coffer/store/select.hpp>

#include <concepts>
#include <type_traits>

namespace coffer {

template <class Key, class Value, class... Policies>
using store =
    basic_store<Key, Value,
                typename detail::selection<Policies...>::template on<detail::storage_axis>,
                typename detail::selection<Policies...>::template on<detail::durability_axis>,
                typename detail::selection<Policies...>::template on<detail::index_axis>,
                typename detail::selection<Policies...>::template on<detail::threading_axis>,
                typename detail::selection<Policies...>::template on<detail::fs_axis>>;

namespace detail {

template <class Store, class... Changed>
struct rebound;

template <class Key, class Value, class... Old, class... Changed>
struct rebound<basic_store<Key, Value, Old...>, Changed...> {
    using wanted = selection<Changed...>;
    template <class Axis>
    using on = typename pick<Axis, typename selection<Old...>::template on<Axis>, Changed...>::type;
    using type = basic_store<Key, Value, on<storage_axis>, on<durability_axis>, on<index_axis>,
                             on<threading_axis>, on<fs_axis>>;
    static_assert(sizeof(wanted) != 0);
};

}  // namespace detail

/// The same store with some axes changed: rebind<production, storage::map> is its twin in memory.
template <class Store, class... Changed>
using rebind = typename detail::rebound<Store, Changed...>::type;

/// On disk when put() returns; survives power loss.
template <class Key, class Value>
using durable_store = store<Key, Value, storage::file_log, durability::sync, index::hash>;

/// The same with keys in order.
template <class Key, class Value>
using ordered_store = store<Key, Value, storage::file_log, durability::sync, index::sorted>;

/// Fast writes; a worker begins to make the oldest durable after 100 ms. A crash costs what had not
/// come to the disk yet.
template <class Key, class Value>
using fast_store = store<Key, Value, storage::file_log, durability::async, index::hash>;

/// In memory, for caches: nothing persists.
template <class Key, class Value>
using cache_store = store<Key, Value, storage::map, index::hash>;

/// In memory with keys in order, for one thread: the smallest thing that has every call.
template <class Key, class Value>
using test_store = store<Key, Value, storage::map, index::sorted, threading::single>;

/// Is S a store of these keys and values, whatever its policies?
template <class S, class Key, class Value>
concept store_of =
    std::same_as<typename S::key_type, Key> && std::same_as<typename S::mapped_type, Value> &&
    requires(S& store, const S& shown, const Key& key, const Value& value,
             typename S::batch& batch) {
        store.put(key, value);
        shown.get(key);
        store.erase(key);
        store.write(batch);
        { shown.size() } -> std::same_as<std::uint64_t>;
    };

}  // namespace coffer

#endif
