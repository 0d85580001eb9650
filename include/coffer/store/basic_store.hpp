// coffer/store/basic_store.hpp: the typed store: what a program holds.
//
// One owning pointer: moves are cheap and noexcept; a store that was closed or moved from answers
// errc::closed. Every fallible operation x has one implementation, try_x, which returns a result; x
// throws what try_x would have returned, and so do lower_bound, upper_bound and iterators, in whose
// place try_for_each reads a range. Where exceptions are off only try_x is of use.
//
// Keys and values are typed through codec_of; lookups and writes take whatever encodes the same
// (std::string_view or a literal for std::string) without an allocation. Any key bytes are legal,
// empty ones included. Bounds: keys 64 KiB, values 4 GiB - 1, encoded.
//
// Threads: under threading::multi every member may be called from any thread, but close, refresh,
// move and destruction need the store to themselves. Reads take no lock.
#ifndef COFFER_STORE_BASIC_STORE_HPP
#define COFFER_STORE_BASIC_STORE_HPP

#include <coffer/core/codec.hpp>
#include <coffer/storage/engine.hpp>
#include <coffer/store/batch.hpp>
#include <coffer/store/key_group.hpp>
#include <coffer/store/ordered.hpp>
#include <coffer/store/walk.hpp>

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coffer {

namespace detail {

/// Accepts strings and anything like std::filesystem::path, without including it.
template <class Path>
[[nodiscard]] std::string path_text(const Path& path) {
    if constexpr (std::is_convertible_v<const Path&, std::string_view>) {
        return std::string(std::string_view(path));
    } else if constexpr (requires { path.u8string().data(); }) {  // UTF-8 on every system
        const auto text = path.u8string();
        return {reinterpret_cast<const char*>(text.data()), text.size()};
    } else {
        static_assert(
            requires {
                { path.string() } -> std::convertible_to<std::string>;
            }, "coffer: a path is a string or has string(), as std::filesystem::path");
        return path.string();
    }
}

/// What the folder of a store of these types says of itself.
template <class Key, class Value, class Storage>
[[nodiscard]] identity identity_of() {
    identity self;
    self.storage = std::string(Storage::id.name);
    self.storage_version = Storage::id.version;
    self.key = fingerprint_of<Key>;
    self.value = fingerprint_of<Value>;
    self.key_words = describe<Key>();
    self.value_words = describe<Value>();
    return self;
}

}  // namespace detail

template <class Key, class Value, storage_policy Storage, durability_policy Durability,
          index_policy Index, threading_policy Threading, file_system FS>
class basic_store {
    static_assert(explain_storable<Key>() && explain_storable<Value>());
    using key_codec = detail::key_codec<Key>;
    using value_codec = detail::value_codec<Value>;
    template <class K>
    using room_for = typename key_codec::template room_for<K>;
    using engine = detail::engine<Storage, Durability, Index, Threading, FS,
                                  (key_codec::fixed_size <= 8 ? key_codec::fixed_size : 0)>;

public:
    using key_type = Key;
    using mapped_type = Value;
    using value_type = entry<Key, Value>;
    using batch = basic_batch<Key, Value>;
    using storage_type = Storage;
    using durability_type = Durability;
    using index_type = Index;
    using threading_type = Threading;
    using file_system_type = FS;
    using range_type = detail::ordered_range<engine, Key, Value>;

    static constexpr bool volatile_ = !Storage::persistent;  // NOLINT: volatile is a keyword
    static constexpr bool survives_process_crash =
        Storage::persistent && (Durability::survives_process_crash || !Storage::hands_over);
    static constexpr bool survives_system_crash =
        Storage::persistent && Durability::survives_system_crash;
    static constexpr bool ordered = Index::ordered;
    static constexpr bool concurrent = Threading::concurrent;

    // ---- opening and closing ----

    /// Opens the store in folder `path`, or makes it. On storage::map the path is ignored.
    template <class Path>
    [[nodiscard]] static result<basic_store> try_open(const Path& path, const options& chosen = {},
                                                      FS system = {}) {
        return opened(detail::path_text(path), chosen, system, false);
    }
    template <class Path>
    [[nodiscard]] static basic_store open(const Path& path, const options& chosen = {},
                                          FS system = {}) {
        return try_open(path, chosen, system).value();
    }

    /// Opens an existing store without writing, beside readers and a writer; on `map` as open().
    template <class Path>
    [[nodiscard]] static result<basic_store> try_open_read_only(const Path& path,
                                                                const options& chosen = {},
                                                                FS system = {}) {
        return opened(detail::path_text(path), chosen, system, true);
    }
    template <class Path>
    [[nodiscard]] static basic_store open_read_only(const Path& path, const options& chosen = {},
                                                    FS system = {}) {
        return try_open_read_only(path, chosen, system).value();
    }

    basic_store()
        requires(!Storage::persistent)
        : basic_store(open(std::string_view())) {}
    basic_store(basic_store&&) noexcept = default;
    basic_store& operator=(basic_store&&) noexcept = default;
    ~basic_store() = default;

    /// sync(), a mark of a clean end, and release of the lock. Reports what the destructor cannot.
    [[nodiscard]] result<void> try_close() {
        if (!engine_) return {};
        const auto gone = std::move(engine_);  // closed on every way out
        return gone->close();
    }
    void close() { try_close().value(); }
    [[nodiscard]] bool is_open() const noexcept { return engine_ != nullptr; }

    // ---- reading ----

    template <detail::key_like<Key> K>
    [[nodiscard]] result<std::optional<Value>> try_get(const K& key) const {
        result<std::optional<Value>> found{std::optional<Value>()};
        auto seen = look(key, [&](bytes value) { return value_codec::assign(*found, value); });
        if (!seen) return seen.failure();
        return found;
    }
    template <detail::key_like<Key> K>
    [[nodiscard]] std::optional<Value> get(const K& key) const {
        std::optional<Value> found;
        look(key, [&](bytes value) { return value_codec::assign(found, value); }).value();
        return found;
    }

    /// Calls `f` with the value in place, pinned for the call: a std::string_view for strings, a
    /// span of bytes for byte runs, else the decoded value. False: there is none. `f` must not
    /// write to this store.
    template <detail::key_like<Key> K, class F>
    [[nodiscard]] result<bool> try_view(const K& key, F&& f) const {
        return look(key, [&](bytes value) { return value_codec::show(value, f); });
    }
    template <detail::key_like<Key> K, class F>
    bool view(const K& key, F&& f) const {
        const auto take = [&](bytes value) { return value_codec::show(value, f); };
        return look<detail::thrown<bool>>(key, take).value;
    }

    /// Looks up all of `keys`, a few at a time so that their cache misses overlap; `out[i]` becomes
    /// what get(keys[i]) would be; a string there is used again. `out` has a place for every key.
    template <class Keys>
    [[nodiscard]] result<void> try_get_many(const Keys& keys,
                                            std::span<std::optional<Value>> out) const {
        if (!engine_) return closed();
        detail::key_group<key_codec, decltype(std::begin(keys)), engine::group_size> group;
        std::size_t i = 0;
        const auto flush_group = [&]() -> result<void> {
            result<void> decoded;
            std::size_t next = 0;  // of the group; those before it have their answer
            const auto absent_before = [&](std::size_t at) {
                for (; next < at; ++next) out[group.place(next)].reset();
                ++next;
            };
            const auto take = [&](std::size_t at, bytes value) {
                absent_before(at);
                if (auto done = value_codec::assign(out[group.place(at)], value); !done)
                    decoded = std::move(done);
            };
            auto done = engine_->lookup_group(group.keys(), take);
            absent_before(group.size());
            group.clear();
            if (!done) return done;
            return decoded;
        };
        for (auto&& key : keys) {
            if (i == out.size()) {
                return fail(errc::invalid_argument, "get_many: fewer places than keys");
            }
            if (key_codec::fits(key)) {
                group.add(std::forward<decltype(key)>(key), i);
            } else {
                out[i].reset();
            }
            ++i;
            if (!group.full()) continue;
            if (auto done = flush_group(); !done) return done;
        }
        return group.empty() ? result<void>() : flush_group();
    }
    template <class Keys>
    void get_many(const Keys& keys, std::span<std::optional<Value>> out) const {
        try_get_many(keys, out).value();
    }

    template <detail::key_like<Key> K>
    [[nodiscard]] result<bool> try_contains(const K& key) const {
        return look(key, [](bytes) {});
    }
    template <detail::key_like<Key> K>
    [[nodiscard]] bool contains(const K& key) const {
        return look<detail::thrown<bool>>(key, [](bytes) {}).value;
    }

    [[nodiscard]] result<std::uint64_t> try_size() const {
        if (auto may = usable(); !may) return may.failure();
        return engine_->size();
    }
    [[nodiscard]] std::uint64_t size() const { return try_size().value(); }
    [[nodiscard]] result<bool> try_empty() const {
        if (auto may = usable(); !may) return may.failure();
        return engine_->size() == 0;
    }
    [[nodiscard]] bool empty() const { return try_empty().value(); }

    // ---- writing ----

    /// Inserts or overwrites.
    template <detail::key_like<Key> K, detail::value_like<Value> V>
    [[nodiscard]] result<void> try_put(const K& key, const V& value) {
        auto done = put_if(key, value, detail::condition::none);
        if (!done) return done.failure();
        return {};
    }
    template <detail::key_like<Key> K, detail::value_like<Value> V>
    void put(const K& key, const V& value) {
        try_put(key, value).value();
    }

    /// Inserts only if the key is absent; says whether it did.
    template <detail::key_like<Key> K, detail::value_like<Value> V>
    [[nodiscard]] result<bool> try_insert(const K& key, const V& value) {
        return put_if(key, value, detail::condition::absent);
    }
    template <detail::key_like<Key> K, detail::value_like<Value> V>
    bool insert(const K& key, const V& value) {
        return try_insert(key, value).value();
    }

    /// Erases the key; says whether it was there. Erasing what is absent is no error.
    template <detail::key_like<Key> K>
    [[nodiscard]] result<bool> try_erase(const K& key) {
        if (!engine_) return closed();
        if (!key_codec::fits(key)) return false;
        room_for<K> room;
        return engine_->write(detail::record_type::erase, key_codec::view(key, room), {},
                              detail::condition::present);
    }
    template <detail::key_like<Key> K>
    bool erase(const K& key) {
        return try_erase(key).value();
    }

    /// All or nothing, for readers and for crashes.
    [[nodiscard]] result<void> try_write(const batch& all) {
        if (!engine_) return closed();
        return engine_->write(all.changes());
    }
    void write(const batch& all) { try_write(all).value(); }

    [[nodiscard]] result<void> try_clear() {
        batch all;
        all.clear();
        return try_write(all);
    }
    void clear() { try_clear().value(); }

    // ---- iteration ----

    /// Every entry, by value: in key order on `sorted`, else in no particular order.
    [[nodiscard]] auto begin() const {
        if constexpr (ordered)
            return everything().begin();
        else
            return detail::walk_iterator<engine, Key, Value>(running());
    }
    [[nodiscard]] auto end() const {
        if constexpr (ordered) {
            return everything().end();
        } else {
            return std::default_sentinel;
        }
    }

    /// Calls f(key, value) for every entry, without a copy where view() makes none. If f returns
    /// bool, false ends the walk. `f` must not write to this store.
    template <class F>
    [[nodiscard]] result<void> try_for_each(F&& f) const {
        if (!engine_) return closed();
        if constexpr (ordered) {
            return try_for_each(everything(), f);
        } else {
            typename engine::cursor at{};
            std::vector<detail::ref> refs;
            result<void> shown;
            bool go_on = true;
            for (bool more = true; more && go_on;) {
                auto next = engine_->step(at, refs, [&](bytes key, bytes value) {
                    if (go_on) go_on = detail::show_entry<Key, Value>(key, value, f, shown);
                });
                if (!next) return next.failure();
                more = *next;
            }
            return shown;
        }
    }
    template <class F>
    void for_each(F&& f) const {
        try_for_each(f).value();
    }

    /// The same over the keys of a range, also one that was made before a refresh().
    template <class F>
    [[nodiscard]] result<void> try_for_each(const range_type& range, F&& f) const {
        return show<false>(range, f);
    }
    template <class F>
    void for_each(const range_type& range, F&& f) const {
        try_for_each(range, f).value();
    }

    /// for_each from the last key to the first.
    template <class F>
    [[nodiscard]] result<void> try_for_each_back(const range_type& range, F&& f) const {
        return show<true>(range, f);
    }
    template <class F>
    [[nodiscard]] result<void> try_for_each_back(F&& f) const
        requires ordered
    {
        if (!engine_) return closed();
        return try_for_each_back(everything(), f);
    }
    template <class F>
    void for_each_back(const range_type& range, F&& f) const {
        try_for_each_back(range, f).value();
    }
    template <class F>
    void for_each_back(F&& f) const
        requires ordered
    {
        try_for_each_back(f).value();
    }

    // A range says that it cannot be read (closed store, bound that no key can be) when it is read:
    // for_each answers it, begin() throws it.

    /// Keys from `first` to `last`, both ends included.
    template <class First, class Last>
    [[nodiscard]] range_type scan(const First& first, const Last& last) const {
        needs_order();
        return within(side(first, detail::bound::kind::including),
                      side(last, detail::bound::kind::including));
    }
    /// Keys from `from` to before `to`.
    template <class From, class To>
    [[nodiscard]] range_type range(const From& from, const To& to) const {
        needs_order();
        return within(side(from, detail::bound::kind::including),
                      side(to, detail::bound::kind::excluding));
    }
    /// Keys from `first` on.
    template <class First>
    [[nodiscard]] range_type from(const First& first) const {
        needs_order();
        return within(side(first, detail::bound::kind::including), detail::held_bound());
    }
    /// Keys that begin with `start`; for keys that are strings or runs of bytes.
    template <class Start>
    [[nodiscard]] range_type prefix(const Start& start) const {
        needs_order();
        static_assert(
            std::is_same_v<Key, std::string> || std::is_same_v<Key, std::vector<std::byte>>,
            "coffer: prefix() is for keys that are std::string or std::vector<std::byte>; for "
            "other keys use range(from, to)");
        auto low = side(start, detail::bound::kind::including);
        auto high = low ? detail::behind_prefix(low->key) : detail::held_bound();
        return within(std::move(low), std::move(high));
    }

    /// The first entry not before `key`, and the first behind it; end() when there is none.
    template <class K>
    [[nodiscard]] auto lower_bound(const K& key) const {
        needs_order();
        return everything().at(side(key, detail::bound::kind::including).value());
    }
    template <class K>
    [[nodiscard]] auto upper_bound(const K& key) const {
        needs_order();
        return everything().at(side(key, detail::bound::kind::excluding).value());
    }

    /// Erases the keys from `from` to before `to` as one batch; says how many.
    template <class From, class To>
    [[nodiscard]] result<std::uint64_t> try_erase_range(const From& from, const To& to) {
        needs_order();
        if (!engine_) return closed();
        detail::change_list changes;
        auto listed = range(from, to).template show<false>(*engine_, [&](bytes key, bytes) {
            changes.add(detail::record_type::erase, key, {});
            return true;
        });
        if (!listed) return listed.failure();
        if (auto done = engine_->write(changes); !done) return done.failure();
        return changes.size();
    }
    template <class From, class To>
    std::uint64_t erase_range(const From& from, const To& to) {
        return try_erase_range(from, to).value();
    }

    // ---- durability, space, figures ----

    /// Hands every accepted write to the operating system; tries again what failed before.
    [[nodiscard]] result<void> try_flush() {
        return engine_ ? engine_->flush() : result<void>(closed());
    }
    void flush() { try_flush().value(); }

    /// Makes every write that returned before this call durable.
    [[nodiscard]] result<void> try_sync() {
        return engine_ ? engine_->sync() : result<void>(closed());
    }
    void sync() { try_sync().value(); }

    /// Reclaims the space of what is dead now, but for segments with next to nothing of it.
    [[nodiscard]] result<void> try_compact() {
        return engine_ ? engine_->compact() : result<void>(closed());
    }
    void compact() { try_compact().value(); }

    [[nodiscard]] result<store_stats> try_stats() const {
        if (auto may = usable(); !may) return may.failure();
        return engine_->stats();
    }
    [[nodiscard]] store_stats stats() const { return try_stats().value(); }

    /// What open() found.
    [[nodiscard]] result<recovery_report> try_recovery() const {
        if (!engine_) return closed();
        return engine_->report();
    }
    [[nodiscard]] recovery_report recovery() const { return try_recovery().value(); }

    /// Reads and checks everything.
    [[nodiscard]] result<verify_report> try_verify() const {
        if (!engine_) return closed();
        return engine_->verify();
    }
    [[nodiscard]] verify_report verify() const { return try_verify().value(); }

    /// A store opened for reading moves on to what the writer has handed over since, at the path
    /// that it was opened with; a writer is always there already. No other thread may use this
    /// store meanwhile; its iterators end here.
    [[nodiscard]] result<void> try_refresh() {
        if (auto may = usable(); !may || !engine_->is_read_only()) return may;
        auto again = engine::open(path_, options_, system_, own(), true);
        if (!again) return again.failure();
        if ((*again)->id() != engine_->id()) {
            return fail(errc::not_found, "another store has taken the place of this one", path_);
        }
        engine_ = std::move(*again);
        return {};
    }
    void refresh() { try_refresh().value(); }

private:
    basic_store(typename engine::owner made, std::string path, const options& chosen, FS system)
        : engine_(std::move(made)), path_(std::move(path)), options_(chosen), system_(system) {}

    [[nodiscard]] static auto own() { return detail::identity_of<Key, Value, Storage>(); }

    [[nodiscard]] static result<basic_store> opened(std::string path, const options& chosen,
                                                    FS system, bool reads) {
        auto made = engine::open(path, chosen, system, own(), reads && Storage::persistent);
        if (!made) return made.failure();
        return basic_store(std::move(*made), std::move(path), chosen, system);
    }

    [[nodiscard]] result<void> usable() const {
        return engine_ ? engine_->usable() : result<void>(closed());
    }
    [[nodiscard]] static failure closed() {
        return fail(errc::closed, "the store was closed or moved from; open it again");
    }
    [[nodiscard]] const engine& running() const {
        if (!engine_) detail::raise(closed().cause());
        return *engine_;
    }

    static constexpr void needs_order() {
        static_assert(
            ordered,
            "coffer: scan, range, from, prefix, lower_bound, upper_bound and erase_range need "
            "keys in order, and a hash index has none: name coffer::index::sorted");
    }

    /// Hands the value to `take(bytes)`, which may answer a result<void>. False: there is none.
    template <class Answer = result<bool>, class K, class Take>
    [[nodiscard]] Answer look(const K& key, Take&& take) const {
        if (!engine_) [[unlikely]]
            return closed();
        if (!key_codec::fits(key)) return false;
        room_for<K> room;
        if constexpr (std::is_void_v<std::invoke_result_t<Take&, bytes>>) {
            return engine_->template lookup<Answer>(key_codec::view(key, room), take);
        } else {
            result<void> taken;
            auto seen = engine_->template lookup<Answer>(key_codec::view(key, room), [&](bytes v) {
                if (auto done = take(v); !done) taken = std::move(done);
            });
            if (!taken) return taken.failure();
            return seen;
        }
    }

    template <class K, class V>
    [[nodiscard]] result<bool> put_if(const K& key, const V& value, detail::condition when) {
        if (!engine_) [[unlikely]]
            return closed();
        if (!key_codec::fits(key) || !value_codec::fits(value)) {
            return fail(errc::invalid_argument,
                        "a number is outside the range of the type that is stored");
        }
        room_for<K> key_room;
        typename value_codec::template room_for<V> value_room;
        return engine_->write(detail::record_type::put, key_codec::view(key, key_room),
                              value_codec::view(value, value_room), when);
    }

    template <bool Descending, class F>
    [[nodiscard]] result<void> show(const range_type& range, F& f) const {
        if (!engine_) return closed();
        result<void> shown;
        auto done = range.template show<Descending>(*engine_, [&](bytes key, bytes value) {
            return detail::show_entry<Key, Value>(key, value, f, shown);
        });
        if (done && !shown) return shown;
        return done;
    }

    [[nodiscard]] range_type everything() const {
        return within(detail::held_bound(), detail::held_bound());
    }

    template <class K>
    [[nodiscard]] static result<detail::held_bound> side(const K& key, detail::bound::kind is) {
        static_assert(detail::key_like<K, Key>,
                      "coffer: this type does not encode as a key of this store");
        if (!key_codec::fits(key)) {
            return fail(errc::invalid_argument,
                        "a bound of a range is outside the range of the key type");
        }
        room_for<K> room;
        const bytes encoded = key_codec::view(key, room);
        return detail::held_bound{is, encoded};
    }

    /// What cannot be read says so when it is read.
    [[nodiscard]] range_type within(result<detail::held_bound> low,
                                    result<detail::held_bound> high) const {
        if (!engine_) return range_type(closed().cause());
        if (!low) return range_type(low.error());
        if (!high) return range_type(high.error());
        return range_type(engine_->presence(), {std::move(*low), std::move(*high)});
    }

    typename engine::owner engine_;
    std::string path_;
    options options_;
    FS system_;
};

}  // namespace coffer

#endif
