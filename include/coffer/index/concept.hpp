// coffer/index/concept.hpp: the index axis. How is a key found?
//
// An index maps a key to a `ref`: where the newest record of that key is. It holds no keys; it asks
// its caller for the key behind a ref. One writer at a time changes it; under `threading::multi`
// readers run beside that writer without a lock and without a store to shared memory.
//
// A policy `X` is an empty type:
//
// | expression                      | result         | promise                                     |
// |---------------------------------|----------------|---------------------------------------------|
// | `X::id`                         | policy_id      | name and version of its image on disk       |
// | `X::ordered`                    | constexpr bool | has ascend and descend                      |
// | `X::template table<T, M, N>`    | type           | the index for threading T, memory M; N: the size of every encoded key if all are equal and at most 8, else 0 |
//
// A table `t` (constructed as `table(epoch&, M)`; neither copyable nor movable):
//
// | expression                      | result         | who    | promise                            |
// |---------------------------------|----------------|--------|------------------------------------|
// | `t.start(seed)`                 | result<void>   | writer | empty; once, before anything else  |
// | `t.probe(key)`                  | table::lookup  | any    | what a lookup needs; refers to `key`; can be made empty |
// | `t.prefetch(probe)`             | void           | any    | a hint that a lookup or a change follows |
// | `t.approach(probe)`             | void           | any    | optional, called in its place before lookups of a group: finds the way first; `probe` keeps how far it has come |
// | `t.likely(probe)`               | ref            | any    | optional: what find will give, as far as can be told without a look at keys: 0 for nothing, a ref whose key may still differ, or `unclear` |
// | `t.find(probe, keys)`           | ref            | any    | 0: absent (or keys.failed())       |
// | `t.locate(probe, keys)`         | table::place   | writer | `place.ref` is 0 when absent; valid until the next change of the table |
// | `t.put(place, ref)`             | void           | writer | inserts or overwrites; allocates nothing if ready() held or place.ref is not 0 |
// | `t.remove(place)`               | void           | writer | place.ref is not 0                 |
// | `t.ready(n, key_bytes)`         | bool           | writer | the next n puts, of keys of so many bytes together, allocate nothing; 0 puts never do |
// | `t.prepare(n, key_bytes)`       | result<void>   | one at a time, beside writer and readers | makes ready(n, key_bytes) true |
// | `t.step(cursor, refs)`          | bool           | any    | appends the next few refs in walk order; false: the walk is over; `cursor` begins as table::cursor{} |
// | `t.ascend(from, refs, keys)`    | bool           | any    | appends the next few refs above `from`, ascending, and moves `from` behind them or, where from.moved is false, may leave that to the caller; false: those, if any, are the last. ordered only |
// | `t.descend(from, refs, keys)`   | bool           | any    | the same below, descending. ordered only |
// | `t.memory()`                    | std::size_t    | any    | bytes held                         |
// | `t.save(sink)`                  | result<void>   | writer | hands the used part of each piece of its memory to `sink(region, number, bytes) -> result<void>` |
// | `t.adopt()`                     | result<void>   | writer | instead of start(), where the memory gives back what save() handed out: goes on with it; errc::corruption, and no harm, when that cannot be a table |
//
// A key present throughout a walk (by step, or by repeated ascend or descend) is met exactly once,
// whatever is inserted, erased, overwritten or grown meanwhile.
//
// The caller of find, ascend and descend holds an epoch pin for the length of the call, so that
// what `keys` shows stays in place. `keys` is the caller's view of the records for one operation:
//
// | expression              | result | promise                                                     |
// |-------------------------|--------|-------------------------------------------------------------|
// | `keys.matches(r, key)`  | bool   | is `key` the key behind `r`; false also when it cannot be read |
// | `keys.key_of(r)`        | bytes  | the key; empty when it cannot be read; valid until the next call on `keys` |
// | `keys.prefetch(r)`      | void   | a hint that the key behind r will be asked for, or its record shown |
// | `keys.failed()`         | bool   | something could not be read: the answer of the table is void |
//
// Memory `M` gives zeroed memory in lasting places, released when `M` is destroyed:
//
// | expression                       | result             | promise                                |
// |----------------------------------|--------------------|----------------------------------------|
// | `m.allocate(region, n, size)`    | result<std::byte*> | the n-th piece of a region (a small number); 64-byte aligned, zeroed unless it has come back from an earlier run |
#ifndef COFFER_INDEX_CONCEPT_HPP
#define COFFER_INDEX_CONCEPT_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/epoch.hpp>
#include <coffer/core/held_bytes.hpp>
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
inline constexpr ref unclear = UINT64_MAX;  // no ref

/// An end of a range of keys.
struct bound {
    enum class kind : unsigned char { open, including, excluding };  // open: no end
    kind is = kind::open;
    bytes key = {};
};

/// One that holds its key, and moves on with a walk: at first to the last key, which costs nothing
/// if the walk ends there, and then to wherever the table would go on.
struct held_bound {
    bound::kind is = bound::kind::open;
    held_bytes key = {};
    bool moved = false;

    [[nodiscard]] bound as_bound() const noexcept { return {is, key}; }
    void move_to(bytes last) {
        is = bound::kind::excluding;
        key.assign(last);
        moved = true;
    }
    friend bool operator==(const held_bound&, const held_bound&) = default;
};

/// A reading of records that knows none: to check that a table fits the concept.
struct no_keys {
    bool matches(ref, bytes) noexcept;
    bytes key_of(ref) noexcept;
    void prefetch(ref) const noexcept;
    bool failed() const noexcept;
};

/// What a table is saved to, likewise.
using no_sink = result<void> (*)(unsigned region, unsigned number, bytes);

namespace need {

template <class T>
concept index_start = requires(T& table, std::uint64_t seed) {
    { table.start(seed) } -> std::same_as<result<void>>;
};
template <class T>
concept index_probe =
    std::default_initializable<typename T::lookup> && requires(const T& table, bytes key) {
        { table.probe(key) } -> std::same_as<typename T::lookup>;
    };
template <class T>
concept index_prefetch =
    requires(const T& table, const typename T::lookup& probe) { table.prefetch(probe); };
template <class T>
concept index_find = requires(const T& table, const typename T::lookup& probe, no_keys& keys) {
    { table.find(probe, keys) } -> std::same_as<ref>;
};
template <class T>
concept index_locate = requires(T& table, const typename T::lookup& probe, no_keys& keys,
                                const typename T::place& place) {
    { table.locate(probe, keys) } -> std::same_as<typename T::place>;
    { place.ref } -> std::convertible_to<ref>;
};
template <class T>
concept index_put =
    requires(T& table, const typename T::place& place, ref where) { table.put(place, where); };
template <class T>
concept index_remove = requires(T& table, const typename T::place& place) { table.remove(place); };
template <class T>
concept index_ready = requires(T& table, std::size_t count, std::uint64_t key_bytes) {
    { table.ready(count, key_bytes) } -> std::same_as<bool>;
};
template <class T>
concept index_prepare = requires(T& table, std::size_t count, std::uint64_t key_bytes) {
    { table.prepare(count, key_bytes) } -> std::same_as<result<void>>;
};
template <class T>
concept index_step = std::default_initializable<typename T::cursor> &&
                     requires(const T& table, typename T::cursor& cursor, std::vector<ref>& refs) {
                         { table.step(cursor, refs) } -> std::same_as<bool>;
                     };
template <class T>
concept index_memory = requires(const T& table) {
    { table.memory() } -> std::convertible_to<std::size_t>;
};
template <class T>
concept index_save = requires(T& table, no_sink sink) {
    { table.save(sink) } -> std::same_as<result<void>>;
};
template <class T>
concept index_adopt = requires(T& table) {
    { table.adopt() } -> std::same_as<result<void>>;
};
template <class T>
concept index_order =
    requires(const T& table, held_bound& from, std::vector<ref>& refs, no_keys& keys) {
        { table.ascend(from, refs, keys) } -> std::same_as<bool>;
        { table.descend(from, refs, keys) } -> std::same_as<bool>;
    };

template <class X>
concept index_id = requires {
    { X::id } -> std::convertible_to<policy_id>;
};
template <class X>
concept index_ordered = requires {
    { X::ordered } -> std::convertible_to<bool>;
};
template <class X, class Threading, class Memory, std::size_t KeySize>
concept index_with_table = requires { typename X::template table<Threading, Memory, KeySize>; };

}  // namespace need

template <class T>
concept index_table =
    need::index_start<T> && need::index_probe<T> && need::index_prefetch<T> &&
    need::index_find<T> && need::index_locate<T> && need::index_put<T> && need::index_remove<T> &&
    need::index_ready<T> && need::index_prepare<T> && need::index_step<T> &&
    need::index_memory<T> && need::index_save<T> && need::index_adopt<T>;

/// Does not compile unless T is a table (in order, if `Ordered`), and says what T lacks.
template <class T, bool Ordered>
consteval bool explain_index_table() {
    static_assert(need::index_start<T>,
                  "a coffer index table needs  result<void> start(std::uint64_t seed)");
    static_assert(need::index_probe<T>,
                  "a coffer index table needs  class lookup  and  lookup probe(bytes) const");
    static_assert(!need::index_probe<T> || need::index_prefetch<T>,
                  "a coffer index table needs  void prefetch(const lookup&) const");
    static_assert(!need::index_probe<T> || need::index_find<T>,
                  "a coffer index table needs  ref find(const lookup&, Keys&) const");
    static_assert(!need::index_probe<T> || need::index_locate<T>,
                  "a coffer index table needs  class place  with a ref, and  "
                  "place locate(const lookup&, Keys&)");
    static_assert(!need::index_locate<T> || need::index_put<T>,
                  "a coffer index table needs  void put(const place&, ref)");
    static_assert(!need::index_locate<T> || need::index_remove<T>,
                  "a coffer index table needs  void remove(const place&)");
    static_assert(
        need::index_ready<T>,
        "a coffer index table needs  bool ready(std::size_t count, std::uint64_t key_bytes)");
    static_assert(need::index_prepare<T>,
                  "a coffer index table needs  "
                  "result<void> prepare(std::size_t count, std::uint64_t key_bytes)");
    static_assert(need::index_step<T>,
                  "a coffer index table needs  class cursor  and  "
                  "bool step(cursor&, std::vector<ref>&) const");
    static_assert(need::index_memory<T>, "a coffer index table needs  std::size_t memory() const");
    static_assert(need::index_save<T>, "a coffer index table needs  result<void> save(Sink)");
    static_assert(need::index_adopt<T>, "a coffer index table needs  result<void> adopt()");
    static_assert(!Ordered || need::index_order<T>,
                  "a coffer index table whose policy says ordered needs  bool ascend  and  bool "
                  "descend(held_bound&, std::vector<ref>&, Keys&) const");
    return index_table<T> && (!Ordered || need::index_order<T>);
}

}  // namespace detail

template <class X>
concept index_policy = detail::need::index_id<X> && detail::need::index_ordered<X>;

/// Does not compile unless index_policy<X>, and says what X lacks.
template <class X>
consteval bool explain_index_policy() {
    static_assert(detail::need::index_id<X>,
                  "a coffer index policy needs  static constexpr coffer::policy_id id");
    static_assert(detail::need::index_ordered<X>,
                  "a coffer index policy needs  static constexpr bool ordered");
    return index_policy<X>;
}

}  // namespace coffer

#endif
