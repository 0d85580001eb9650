// coffer/index/concept.hpp: the index axis. How is a key found?
//
// An index maps a key to a `ref`: where the newest record of that key is. It holds no keys; it asks
// its caller for the key behind a ref. One writer at a time changes it; under `threading::multi`
// readers run beside that writer without a lock and without a store to shared memory.
//
// A policy `I` is an empty type:
//
// | expression                      | result         | promise |
// |---------------------------------|----------------|------------------------------------------------|
// | `I::id`                         | policy_id      | name and version of its image on disk | |
// `I::ordered`                    | constexpr bool | has ascend and descend | | `I::template
// table<T, M, N>`    | type           | the index for threading T, memory M; N: the size of every
// encoded key if all are equal and at most 8, else 0 |
//
// A table `t` (constructed as `table(epoch&, M)`; neither copyable nor movable):
//
// | expression                      | result         | who    | promise |
// |---------------------------------|----------------|--------|---------------------------------------|
// | `t.start(seed)`                 | result<void>   | writer | empty; once, before anything else |
// | `t.probe(key)`                  | table::lookup  | any    | what a lookup needs; refers to
// `key`  | | `t.prefetch(probe)`             | void           | any    | a hint that a lookup
// follows          | | `t.find(probe, keys)`           | ref            | any    | 0: absent (or
// keys.failed())          | | `t.locate(probe, keys)`         | table::place   | writer |
// `place.ref` is 0 when absent; valid until the next change of the table | | `t.put(place, ref)` |
// void           | writer | inserts or overwrites; allocates nothing if ready(1) held | |
// `t.remove(place)`               | void           | writer | place.ref is not 0 | | `t.ready(n)`
// | bool           | writer | the next n puts allocate nothing      | | `t.prepare(n)` |
// result<void>   | one at a time, beside writer and readers | makes ready(n) true | |
// `t.step(cursor, refs)`          | bool           | any    | appends the next few refs in walk
// order; false: the walk is over; `cursor` begins as table::cursor{} | | `t.ascend(bound, refs,
// keys)`   | void           | any    | appends the next few refs above `bound`, ascending; none:
// there are none. ordered only | | `t.descend(bound, refs, keys)`  | void           | any    | the
// same below, descending. ordered only | | `t.memory()`                    | std::size_t    | any
// | bytes held                            | | `t.save(sink)`                  | result<void>   |
// writer | hands its image to `sink(bytes) -> result<void>` piece by piece | | `t.restore(source)`
// | result<void>   | writer | instead of start(): fills itself by `source(mutable_bytes) ->
// result<void>`; an image that cannot be right is errc::corruption and does no harm |
//
// A key present throughout a walk (by step, or by repeated ascend or descend) is met exactly once,
// whatever is inserted, erased, overwritten or grown meanwhile.
//
// The caller of find, ascend and descend holds an epoch pin for the length of the call, so that
// what `keys` shows stays in place. `keys` is the caller's view of the records for one operation:
//
// | expression              | result | promise |
// |-------------------------|--------|----------------------------------------------------------------|
// | `keys.matches(r, key)`  | bool   | is `key` the key behind `r`; false also when it cannot be
// read | | `keys.key_of(r)`        | bytes  | the key; empty when it cannot be read; valid until
// the next call on `keys` | | `keys.failed()`         | bool   | something could not be read: the
// answer of the table is void   |
//
// Memory `M` gives zeroed memory in lasting places, released when `M` is destroyed:
//
// | expression                       | result             | promise |
// |----------------------------------|--------------------|------------------------------------------|
// | `m.allocate(region, n, size)`    | result<std::byte*> | the n-th piece of a region (a small
// number); 64-byte aligned, zeroed unless it has come back from an earlier run |
#ifndef COFFER_INDEX_CONCEPT_HPP
#define COFFER_INDEX_CONCEPT_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/epoch.hpp>
#include <coffer/core/policy.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coffer {

namespace detail {

/// Where a record is, in 48 bits; 0 is nowhere. The upper 16 bits belong to the index.
using ref = std::uint64_t;
inline constexpr unsigned ref_bits = 48;
inline constexpr ref ref_mask = (ref{1} << ref_bits) - 1;

/// An end of a range of keys.
struct bound {
    enum class kind : unsigned char { open, including, excluding };  // open: no end
    kind is = kind::open;
    bytes key = {};
};

/// A reading of records that knows none: to check that a table fits the concept.
struct no_keys {
    bool matches(ref, bytes) noexcept;
    bytes key_of(ref) noexcept;
    bool failed() const noexcept;
};

namespace need {

template <class T>
concept index_lookup =
    requires(const T& table, const typename T::lookup& probe, no_keys& keys, bytes key) {
        { table.probe(key) } -> std::same_as<typename T::lookup>;
        { table.find(probe, keys) } -> std::same_as<ref>;
        table.prefetch(probe);
    };

template <class T>
concept index_change = requires(T& table, const typename T::lookup& probe, typename T::place place,
                                no_keys& keys, ref where, std::size_t n) {
    { table.locate(probe, keys) } -> std::same_as<typename T::place>;
    { place.ref } -> std::convertible_to<ref>;
    table.put(place, where);
    table.remove(place);
    { table.ready(n) } -> std::same_as<bool>;
    { table.prepare(n) } -> std::same_as<result<void>>;
    { table.start(std::uint64_t{}) } -> std::same_as<result<void>>;
};

template <class T>
concept index_walk = requires(const T& table, typename T::cursor& cursor, std::vector<ref>& refs) {
    { table.step(cursor, refs) } -> std::same_as<bool>;
    { table.memory() } -> std::convertible_to<std::size_t>;
};

template <class T>
concept index_order =
    requires(const T& table, const bound& end, std::vector<ref>& refs, no_keys& keys) {
        table.ascend(end, refs, keys);
        table.descend(end, refs, keys);
    };

}  // namespace need

template <class T>
concept index_table = need::index_lookup<T> && need::index_change<T> && need::index_walk<T>;

}  // namespace detail

template <class I>
concept index_policy = requires {
    { I::id } -> std::convertible_to<policy_id>;
    { I::ordered } -> std::convertible_to<bool>;
};

}  // namespace coffer

#endif
