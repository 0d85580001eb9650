// tests/index/table_model.hpp: what every index table must do, asked of any of them.
//
// Records are strings in a vector: a ref names one of them (`record_set`), `record_keys` is the
// `keys` object of one operation. On these stand
//   indexed<Index, Threading>   a table with its epoch and memory, and the calls in engine order
//   against_map(...)            random operations, compared with a std::map after each
//   beside_readers(...)         one writer and some readers of keys that must never be missed
//   image_of, kept_memory       what save() hands out, and a memory that gives it back
// All key strings are made by the caller (number -> string), so that a test chooses their shape.
#ifndef COFFER_TESTS_INDEX_TABLE_MODEL_HPP
#define COFFER_TESTS_INDEX_TABLE_MODEL_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/epoch.hpp>
#include <coffer/core/memory.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/index/concept.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace t {

using coffer::bytes;
using coffer::detail::bound;
using coffer::detail::held_bound;
using coffer::detail::ref;

/// SplitMix64: the same numbers on every machine.
class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) : state_(seed) {}
    std::uint64_t operator()() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t limit) { return (*this)() % limit; }

private:
    std::uint64_t state_;
};

/// All records ever written. The number of a record is bits 0..46 of its ref; bit 47 is set for odd
/// numbers, so that a table that drops or interprets a bit of the 48 is found out.
class record_set {
public:
    record_set() : keys_(1) {}

    /// Not while a thread reads, unless reserve() has made room.
    ref add(std::string key) {
        keys_.push_back(std::move(key));
        const ref number = keys_.size() - 1;
        return number | (number & 1) << 47;
    }
    void reserve(std::size_t count) { keys_.reserve(count + 1); }
    [[nodiscard]] std::size_t size() const { return keys_.size() - 1; }

    [[nodiscard]] bool knows(ref r) const {
        const ref number = r & ~(ref{1} << 47);
        return number != 0 && number < keys_.size() && r == (number | (number & 1) << 47);
    }
    /// Empty for a ref that add() has not given out.
    [[nodiscard]] const std::string& operator[](ref r) const {
        return knows(r) ? keys_[static_cast<std::size_t>(r & ~(ref{1} << 47))] : keys_[0];
    }

private:
    std::vector<std::string> keys_;
};

/// The `keys` of one operation; counts what was asked, and how often with a ref nobody gave out.
class record_keys {
public:
    explicit record_keys(const record_set& records) : records_(&records) {}
    bool matches(ref r, bytes key) noexcept {
        ++asked;
        if (!records_->knows(r)) return ++unknown, false;
        return coffer::equal(coffer::as_bytes((*records_)[r]), key);
    }
    bytes key_of(ref r) noexcept {
        ++asked;
        if (!records_->knows(r)) return ++unknown, bytes{};
        return coffer::as_bytes((*records_)[r]);
    }
    void prefetch(ref r) noexcept { unknown += !records_->knows(r); }
    [[nodiscard]] bool failed() const noexcept { return false; }

    std::uint64_t asked = 0;
    std::uint64_t unknown = 0;

private:
    const record_set* records_;
};

/// Pieces of memory by region and number.
using image = std::map<std::pair<unsigned, unsigned>, std::vector<std::byte>>;

/// Memory in which an image lies when a table first asks for it.
class kept_memory {
public:
    explicit kept_memory(const image& pieces) : kept_(&pieces) {}
    coffer::result<std::byte*> allocate(unsigned region, unsigned number, std::size_t size) {
        if (size > most) return coffer::fail(coffer::errc::no_space, "more than a test needs");
        auto fresh = heap_.allocate(region, number, size);
        const auto kept = kept_->find({region, number});
        if (!fresh || kept == kept_->end()) return fresh;
        if (kept->second.size() > size) {
            return coffer::fail(coffer::errc::corruption, "larger than its place");
        }
        std::memcpy(*fresh, kept->second.data(), kept->second.size());
        return fresh;
    }

private:
    static constexpr std::size_t most = std::size_t{1} << 30;

    const image* kept_;
    coffer::detail::heap_memory heap_;
};

/// A table with all that it needs, not yet started; its memory gives back the pieces of `from`.
template <class Table, class Threading>
struct indexed_table {
    using table_type = Table;
    using threading_type = Threading;

    explicit indexed_table(image from = {})
        : kept(std::move(from)), table(epoch, kept_memory(kept)) {}

    image kept;
    coffer::detail::epoch<Threading> epoch;
    Table table;
    record_set records;

    bool start(std::uint64_t seed = 42) { return table.start(seed).has_value(); }

    /// As the engine does it: prepare, locate, put. False: there is no room.
    bool put(const std::string& key, ref where) {
        const std::size_t size = key.size();
        if (!table.ready(1, size) && (!table.prepare(1, size) || !table.ready(1, size))) {
            return false;
        }
        record_keys keys(records);
        const auto probe = table.probe(coffer::as_bytes(key));
        table.put(table.locate(probe, keys), where);
        if (++changes_ % 64 == 0) static_cast<void>(epoch.reclaim());
        return keys.unknown == 0;
    }
    bool put(const std::string& key) { return put(key, records.add(key)); }

    /// True when the key was there.
    bool remove(const std::string& key) {
        record_keys keys(records);
        const auto probe = table.probe(coffer::as_bytes(key));
        const auto place = table.locate(probe, keys);
        if (place.ref == 0) return false;
        table.remove(place);
        if (++changes_ % 64 == 0) static_cast<void>(epoch.reclaim());
        return true;
    }

    [[nodiscard]] ref find(const std::string& key) {
        const auto pin = epoch.enter();
        auto probe = table.probe(coffer::as_bytes(key));
        thread_local unsigned finds = 0;  // as in a group, and as alone
        if constexpr (requires { table.approach(probe); }) {
            if (++finds % 2 == 0) table.approach(probe);
        }
        table.prefetch(probe);
        return find(probe);
    }
    /// With a probe of an earlier time; the caller holds a pin.
    [[nodiscard]] ref find(const typename Table::lookup& probe) {
        record_keys keys(records);
        return table.find(probe, keys);
    }

    [[nodiscard]] ref likely(const std::string& key)
        requires requires(const Table& of, bytes run) { of.likely(of.probe(run)); }
    {
        const auto pin = epoch.enter();
        return table.likely(table.probe(coffer::as_bytes(key)));
    }

    /// All refs in walk order.
    [[nodiscard]] std::vector<ref> walk() {
        const auto pin = epoch.enter();
        std::vector<ref> refs;
        typename Table::cursor cursor{};
        while (table.step(cursor, refs)) {
        }
        return refs;
    }

    /// All refs between an end and the other by repeated ascend or descend.
    [[nodiscard]] std::vector<ref> ascending(bound from = {})
        requires coffer::detail::need::index_order<Table>
    {
        return ordered(from, [&](held_bound& end, std::vector<ref>& refs, record_keys& keys) {
            return table.ascend(end, refs, keys);
        });
    }
    [[nodiscard]] std::vector<ref> descending(bound from = {})
        requires coffer::detail::need::index_order<Table>
    {
        return ordered(from, [&](held_bound& end, std::vector<ref>& refs, record_keys& keys) {
            return table.descend(end, refs, keys);
        });
    }

private:
    template <class More>
    std::vector<ref> ordered(bound from, More more) {
        const auto pin = epoch.enter();
        std::vector<ref> all;
        held_bound end{from.is, from.key};
        for (bool on = true; on;) {
            const std::size_t before = all.size();
            record_keys keys(records);
            on = more(end, all, keys);
            if (on && all.size() == before) {  // against the concept; 0 is in no right answer
                all.push_back(0);
                break;
            }
            if (on && !end.moved) end.move_to(coffer::as_bytes(records[all.back()]));
        }
        return all;
    }

    std::uint64_t changes_ = 0;
};

template <class Index, class Threading = coffer::threading::single, std::size_t KeySize = 0>
using indexed =
    indexed_table<typename Index::template table<Threading, kept_memory, KeySize>, Threading>;

/// The pieces that save() hands out.
template <class Table>
image image_of(const Table& table) {
    image pieces;
    const auto done = table.save([&](unsigned region, unsigned number, bytes piece) {
        REQUIRE_FALSE(piece.empty());
        REQUIRE(pieces.try_emplace({region, number}, piece.begin(), piece.end()).second);
        return coffer::result<void>();
    });
    REQUIRE(done.has_value());
    return pieces;
}

inline std::size_t size_of(const image& pieces) {
    std::size_t sum = 0;
    for (const auto& [name, piece] : pieces) sum += piece.size();
    return sum;
}

/// The byte of an image at a place among all of them.
inline std::byte& byte_at(image& pieces, std::size_t at) {
    for (auto& [name, piece] : pieces) {
        if (at < piece.size()) return piece[at];
        at -= piece.size();
    }
    FAIL("beyond the image");
    return pieces.begin()->second[0];
}

/// Compares everything that a table shows with what it should hold.
template <class Indexed>
void require_same(Indexed& subject, const std::map<std::string, ref>& expected) {
    std::vector<ref> all;
    for (const auto& [key, where] : expected) all.push_back(where);
    std::sort(all.begin(), all.end());
    std::vector<ref> met = subject.walk();
    std::sort(met.begin(), met.end());
    REQUIRE(met == all);
    std::size_t wrong = 0;
    for (const auto& [key, where] : expected) wrong += subject.find(key) != where;
    REQUIRE(wrong == 0);
    if constexpr (coffer::detail::need::index_order<typename Indexed::table_type>) {
        std::vector<ref> in_order;
        for (const auto& [key, where] : expected) in_order.push_back(where);
        REQUIRE(subject.ascending() == in_order);
        std::reverse(in_order.begin(), in_order.end());
        REQUIRE(subject.descending() == in_order);
    }
}

/// Looks for every key that there may be, in order: tables may remember where a lookup ended.
template <class Indexed, class MakeKey>
void require_same_in_order(Indexed& subject, const std::map<std::string, ref>& expected,
                           std::size_t key_count, MakeKey make_key) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < key_count; ++i) names.insert(make_key(i));
    std::size_t wrong = 0;
    for (const std::string& name : names) {
        const auto held = expected.find(name);
        const ref there = held == expected.end() ? 0 : held->second;
        wrong += subject.find(name) != there;
        if constexpr (requires { subject.likely(name); }) {
            const ref guess = subject.likely(name);
            wrong += guess == 0 && there != 0;
            wrong +=
                guess != coffer::detail::unclear && guess != 0 && !subject.records.knows(guess);
        }
    }
    REQUIRE(wrong == 0);
}

/// What the random driver does, in parts of 100; the rest are finds.
struct mix {
    unsigned puts = 40;     // of a random key: new or an overwrite
    unsigned removes = 25;  // of a random key: there or not
};

/// `operations` random ones on the first `key_count` keys of `make_key(number)`; the answer of each
/// is compared with `expected`, which begins and ends equal to the contents of the table.
template <class Indexed, class MakeKey>
void against_map(Indexed& subject, std::map<std::string, ref>& expected, std::uint64_t seed,
                 std::size_t operations, std::size_t key_count, MakeKey make_key, mix parts = {}) {
    random_numbers random(seed);
    const std::size_t check_every = operations / 8 + 1;
    for (std::size_t i = 0; i < operations; ++i) {
        const std::string key = make_key(random.below(key_count));
        const auto held = expected.find(key);
        const std::uint64_t choice = random.below(100);
        bool right = true;
        if (choice < parts.puts) {
            const ref where = subject.records.add(key);
            right = subject.put(key, where);
            expected[key] = where;
        } else if (choice < parts.puts + parts.removes) {
            right = subject.remove(key) == (held != expected.end());
            if (held != expected.end()) expected.erase(held);
        } else {
            right = subject.find(key) == (held == expected.end() ? 0 : held->second);
        }
        if (!right) FAIL("operation " << i << " of seed " << seed << " on key " << key);
        if (i % check_every == check_every - 1) require_same(subject, expected);
    }
    require_same(subject, expected);
    require_same_in_order(subject, expected, key_count, make_key);
}

/// How long and how wide beside_readers() runs.
struct load {
    std::size_t stable_keys = 2000;      // there from before the first reader to after the last
    std::size_t volatile_keys = 20'000;  // inserted, overwritten and erased meanwhile
    std::size_t changes = 200'000;
    std::size_t readers = 2;
    std::uint64_t seed = 1;
};

/// What the readers saw that must not be.
struct complaints {
    std::atomic<std::uint64_t> lost{0};         // a stable key was absent
    std::atomic<std::uint64_t> foreign{0};      // a ref of another key, or of no record
    std::atomic<std::uint64_t> older{0};        // a reader saw a stable key go back in time
    std::atomic<std::uint64_t> phantom{0};      // a key was found that was never put
    std::atomic<std::uint64_t> walks_wrong{0};  // a walk missed or repeated a stable key
    std::atomic<std::uint64_t> order_wrong{0};  // ascend or descend out of order
    std::atomic<std::uint64_t> finds{0};
    std::atomic<std::uint64_t> walks{0};
};

/// True when `refs` holds each stable key exactly once and only known refs.
inline bool each_stable_once(const std::vector<ref>& refs, const record_set& records,
                             const std::set<std::string>& stable) {
    std::map<std::string, int> met;
    for (const ref r : refs) {
        if (!records.knows(r)) return false;
        if (stable.count(records[r]) != 0) ++met[records[r]];
    }
    return met.size() == stable.size() &&
           std::all_of(met.begin(), met.end(), [](const auto& each) { return each.second == 1; });
}

/// One reader of beside_readers(): finds, walks and, if the table is ordered, scans until `stop`.
template <class Indexed, class MakeKey>
void read_beside(Indexed& subject, const load& size, MakeKey make_key, std::uint64_t seed,
                 const std::set<std::string>& stable, const std::atomic<bool>& stop,
                 complaints& seen) {
    random_numbers random(seed);
    std::map<std::string, ref> newest;
    auto next = stable.begin();
    const auto number_of = [](ref r) { return r & ~(ref{1} << 47); };
    while (!stop.load(std::memory_order_relaxed)) {
        for (std::size_t i = 0; i < 2000 && !stop.load(std::memory_order_relaxed); ++i) {
            const std::uint64_t kind = random.below(8);
            if (kind < 6) {
                // One by one in order, or any.
                if (next == stable.end()) next = stable.begin();
                const std::string key =
                    i % 512 < 256 ? *next++ : make_key(random.below(size.stable_keys));
                const ref r = subject.find(key);
                if (r == 0) {
                    ++seen.lost;
                } else if (!subject.records.knows(r) || subject.records[r] != key) {
                    ++seen.foreign;
                } else {
                    ref& last = newest[key];
                    if (number_of(r) < last) ++seen.older;
                    last = number_of(r);
                }
            } else if (kind == 6) {
                const std::string key =
                    make_key(size.stable_keys + random.below(size.volatile_keys));
                const ref r = subject.find(key);
                if (r != 0 && (!subject.records.knows(r) || subject.records[r] != key)) {
                    ++seen.foreign;
                }
            } else {
                const auto never = size.stable_keys + size.volatile_keys + random.below(1000);
                if (subject.find(make_key(never)) != 0) ++seen.phantom;
            }
            ++seen.finds;
        }
        if (!each_stable_once(subject.walk(), subject.records, stable)) ++seen.walks_wrong;
        ++seen.walks;
        if constexpr (coffer::detail::need::index_order<typename Indexed::table_type>) {
            const auto check = [&](std::vector<ref> refs) {
                for (std::size_t i = 1; i < refs.size(); ++i) {
                    if (subject.records[refs[i - 1]] >= subject.records[refs[i]]) {
                        ++seen.order_wrong;
                        return;
                    }
                }
                if (!each_stable_once(refs, subject.records, stable)) ++seen.walks_wrong;
            };
            check(subject.ascending());
            std::vector<ref> down = subject.descending();
            std::reverse(down.begin(), down.end());
            check(std::move(down));
        }
    }
}

/// This thread changes the table while readers look. Volatile keys come and go (the table grows:
/// most changes are inserts while few are there), stable ones are overwritten and always found.
template <class Indexed, class MakeKey>
void beside_readers(Indexed& subject, const load& size, MakeKey make_key) {
    subject.records.reserve(subject.records.size() + 2 * size.stable_keys + size.changes);
    std::set<std::string> stable;
    std::vector<bool> there(size.volatile_keys);
    for (std::size_t i = 0; i < size.stable_keys; ++i) {
        const std::string key = make_key(i);
        if (i < size.volatile_keys) {  // so that stable keys do not have all the first places
            REQUIRE(subject.put(make_key(size.stable_keys + i)));
            there[i] = true;
        }
        stable.insert(key);
        REQUIRE(subject.put(key));
    }
    // A record is published by the put that names it: make them all beforehand, so that the
    // vector itself does not change under a reader.
    random_numbers random(size.seed);
    struct change {
        std::string key;
        ref where;  // 0: remove
    };
    std::vector<change> changes;
    for (std::size_t i = 0; i < size.changes; ++i) {
        if (random.below(4) == 0) {
            const std::string key = make_key(random.below(size.stable_keys));
            changes.push_back({key, subject.records.add(key)});
            continue;
        }
        const std::size_t which = random.below(size.volatile_keys);
        const std::string key = make_key(size.stable_keys + which);
        const bool remove = there[which] && random.below(3) != 0;
        there[which] = !remove;
        changes.push_back({key, remove ? 0 : subject.records.add(key)});
    }

    complaints seen;
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (std::size_t i = 0; i < size.readers; ++i) {
        readers.emplace_back([&, i] {
            read_beside(subject, size, make_key, size.seed + 100 + i, stable, stop, seen);
        });
    }
    bool done = true;
    for (const change& each : changes) {
        done = (each.where == 0 ? subject.remove(each.key) : subject.put(each.key, each.where)) &&
               done;
    }
    while (seen.walks.load() < size.readers) std::this_thread::yield();
    stop = true;
    for (std::thread& reader : readers) reader.join();

    REQUIRE(done);
    CHECK(seen.lost == 0);
    CHECK(seen.foreign == 0);
    CHECK(seen.older == 0);
    CHECK(seen.phantom == 0);
    CHECK(seen.walks_wrong == 0);
    CHECK(seen.order_wrong == 0);
    CHECK(seen.finds > 0);

    std::map<std::string, ref> expected;
    for (std::size_t i = 0; i < size.stable_keys; ++i) {
        expected[make_key(i)] = subject.find(make_key(i));
    }
    for (std::size_t i = 0; i < (std::min)(size.stable_keys, size.volatile_keys); ++i) {
        const std::string key = make_key(size.stable_keys + i);
        if (const ref r = subject.find(key); r != 0) expected[key] = r;
    }
    for (const change& each : changes) {
        if (each.where == 0) {
            expected.erase(each.key);
        } else {
            expected[each.key] = each.where;
        }
    }
    require_same(subject, expected);
}

}  // namespace t

#endif
