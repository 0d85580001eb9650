// tests/laws/history_client.hpp: a thread whose calls are judged. It notes what it asked, what the
// answer was, and when.
//
// What a call promises decides what is noted. Single keys and batches: one event. get_many and
// scans promise no one moment for all their keys: a read of each, as long as the whole call.
#ifndef COFFER_TESTS_LAWS_HISTORY_CLIENT_HPP
#define COFFER_TESTS_LAWS_HISTORY_CLIENT_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "any_store.hpp"
#include "law.hpp"
#include "linearizability.hpp"
#include "model.hpp"

namespace laws {

/// Now, by the one clock of the machine, which every thread reads and none writes. A counter that
/// each call adds to would do for moments, too; but threads that add to one word order each other's
/// memory, and what the store itself leaves in disorder would be hidden from the judge, as would
/// its races from ThreadSanitizer. Intervals are sound: the clock does not run backwards, from one
/// thread to another either, and equal moments count as overlapping. The exchanges are on a word of
/// the thread's own: they order nothing between threads, but hold what the call does to memory
/// between its two moments.
[[nodiscard]] inline std::uint64_t moment() {
    static thread_local std::atomic<std::uint64_t> own{0};
    own.exchange(1);
    const auto now = static_cast<std::uint64_t>(
        std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
    own.exchange(now);
    return now;
}

inline constexpr std::size_t key_groups = 8;

/// The keys of one history. Those of half the groups differ only behind what an index keeps.
struct key_group {
    explicit key_group(std::size_t number)
        : prefix("g" + std::to_string(number) + (number % 2 == 0 ? "/" : "/all begin like this/")) {
        for (std::size_t i = 0; i < history_keys; ++i) names[i] = prefix + std::to_string(2 * i);
    }
    std::string prefix;
    std::array<std::string, history_keys> names;
};

/// A value as it is stored: some short, some long enough to fill segments.
[[nodiscard]] inline std::string text_of(std::uint32_t value) {
    return std::to_string(value) + std::string(value % 9 == 0 ? 900 : value % 97, '.');
}
[[nodiscard]] inline std::uint32_t value_of(const std::optional<std::string>& text) {
    if (!text) return 0;
    const auto value = static_cast<std::uint32_t>(std::strtoul(text->c_str(), nullptr, 10));
    expect(value != 0 && *text == text_of(value), "a value is one that was written: " + *text);
    return value;
}

/// What a scan showed of the keys `first` to `last` of a group, as reads of each.
/// A walk in no order may meet a key twice: if it was away in between.
[[nodiscard]] inline history reads_in(const rows& shown, const key_group& keys, std::size_t first,
                                      std::size_t last, const event& during) {
    history out;
    for (std::size_t key = first; key <= last; ++key) {
        event each = during;
        each.key = key;
        int met = 0;
        for (const row& found : shown) {
            if (found.key != keys.names[key]) continue;
            each.value = value_of(found.value);
            out.push_back(each);
            ++met;
        }
        if (met == 1) continue;
        each.value = 0;
        out.push_back(each);
    }
    return out;
}

inline void expect_in_order(const rows& shown, bool reversed) {
    for (std::size_t i = 1; i < shown.size(); ++i) {
        const row& first = shown[reversed ? i : i - 1];
        const row& second = shown[reversed ? i - 1 : i];
        if (first.key < second.key) continue;
        expect(false, "a scan meets keys in order, each once: " + std::to_string(i) + " of " +
                          std::to_string(shown.size()) + (reversed ? " backwards: " : ": ") +
                          shown[i - 1].key + ", then " + shown[i].key);
    }
}

/// Keys that are there throughout: who clears puts them again in the same batch. Every lookup finds
/// them, and a walk or scan meets each exactly once, whatever the index does meanwhile. They lie
/// between the keys that make the index grow; no other key ends like them.
class kept_keys {
public:
    explicit kept_keys(std::size_t count = 0) {
        for (std::size_t i = 0; i < count; ++i) {
            names_.push_back(key_group(i % key_groups).prefix +
                             std::to_string(i / key_groups % 4 * 2 + 1) + "/" + std::to_string(i) +
                             "+");
        }
        std::sort(names_.begin(), names_.end());
    }
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

    void put_all(changes& into) const {
        for (const std::string& each : names_) into.push_back({change::kind::put, each, each});
    }

    /// `shown` is what there is from `low` to `high`.
    void expect_in(const rows& shown, std::string_view low, std::string_view high) const {
        std::vector<std::string> met;
        for (const row& each : shown) {
            if (!each.key.ends_with('+')) continue;
            expect_value(each.key, each.value);
            met.push_back(each.key);
        }
        std::sort(met.begin(), met.end());
        std::size_t i = 0;
        for (const std::string& each : names_) {
            if (each < low || high < each) continue;
            std::size_t times = 0;
            for (; i < met.size() && met[i] == each; ++i) ++times;
            if (times == 1) continue;
            expect(false, "what is there throughout is met once, not " + std::to_string(times) +
                              " times: " + each);
        }
    }
    static void expect_value(const std::string& name, const std::optional<std::string>& found) {
        if (found != name) expect(false, "what is there throughout is found: " + name);
    }

private:
    std::vector<std::string> names_;
};

/// One of the threads whose calls are judged.
class client {
public:
    /// `first_value`: its values count on from there.
    client(any_store& store, const key_group& keys, const kept_keys& kept, bool ordered,
           std::size_t thread, std::uint32_t first_value, std::uint64_t seed)
        : store_(&store),
          keys_(&keys),
          kept_(&kept),
          ordered_(ordered),
          thread_(thread),
          next_value_(first_value),
          random_(seed) {}

    /// `pauses`: it lets others go first, now and then. `clears`: it may.
    void work(std::size_t count, bool pauses, bool clears) {
        for (std::size_t i = 0; i < count; ++i) {
            if (pauses && random_.one_in(6)) std::this_thread::yield();
            if (pauses) linger(random_.below(150));
            call(clears);
        }
    }
    /// Looks at each key when all is over.
    void read_all() {
        for (std::size_t key = 0; key < history_keys; ++key) get(key);
    }

    history seen;
    std::uint64_t calls = 0;

private:
    static void linger(std::size_t looks) {
        static thread_local std::atomic<std::size_t> looked{0};
        for (std::size_t i = 0; i < looks; ++i) looked.store(i, std::memory_order_relaxed);
    }

    void call(bool clears) {
        const std::size_t key = random_.below(random_.one_in(2) ? 1 : history_keys);
        ++calls;
        if (keeps() && random_.one_in(4)) return get_kept();
        // An index that is made anew in the middle of a walk must not show again what it has shown.
        if (keeps() && clears && thread_ == 0 && random_.one_in(2)) return walk();
        switch (random_.below(40)) {
            case 0:
                return !clears ? get(key) : keeps() ? batch(true) : clear();
            case 1:
                return clears || random_.one_in(3) ? walk() : has(key);
            case 2:
                return good(random_.one_in(2) ? store_->flush() : store_->sync());
            case 3:
            case 4:
                return has(key);
            case 5:
            case 6:
            case 7:
                return view(key);
            case 8:
            case 9:
            case 10:
                return get_many();
            case 11:
            case 12:
            case 13:
            case 14:
                return ordered_ ? scan() : clears ? walk() : get(key);
            case 15:
            case 16:
            case 17:
            case 18:
            case 19:
                return batch(clears && random_.one_in(4));
            case 20:
            case 21:
            case 22:
            case 23:
                return erase(key);
            case 24:
            case 25:
            case 26:
                return insert(key);
            case 27:
            case 28:
            case 29:
            case 30:
            case 31:
                return put(key);
            default:
                return get(key);
        }
    }

    [[nodiscard]] bool keeps() const noexcept { return !kept_->names().empty(); }

    event begin(event::kind is, const char* call, std::size_t key = 0) {
        event each;
        each.is = is;
        each.key = key;
        each.call = call;
        each.thread = thread_;
        each.called = moment();
        return each;
    }
    static void end(event& each) { each.returned = moment(); }

    void put(std::size_t key) {
        const std::uint32_t value = next_value_++;
        const std::string text = text_of(value);
        event each = begin(event::kind::put, "put", key);
        auto done = store_->put(keys_->names[key], text);
        end(each);
        good(std::move(done));
        each.value = value;
        seen.push_back(each);
    }
    void insert(std::size_t key) {
        const std::uint32_t value = next_value_++;
        const std::string text = text_of(value);
        event each = begin(event::kind::insert, "insert", key);
        auto done = store_->insert(keys_->names[key], text);
        end(each);
        each.answer = good(std::move(done));
        each.value = value;
        seen.push_back(each);
    }
    void erase(std::size_t key) {
        event each = begin(event::kind::erase, "erase", key);
        auto done = store_->erase(keys_->names[key]);
        end(each);
        each.answer = good(std::move(done));
        seen.push_back(each);
    }
    void clear() {
        event each = begin(event::kind::batch, "clear");
        auto done = store_->clear();
        end(each);
        good(std::move(done));
        each.clears = true;
        seen.push_back(each);
    }
    void batch(bool clears) {
        const std::uint32_t value = next_value_++;
        changes all;
        if (clears) {
            all.push_back({change::kind::clear});
            kept_->put_all(all);
        }
        std::array<std::optional<std::uint32_t>, history_keys> writes;
        for (std::size_t key = 0; key < history_keys; ++key) {
            if (random_.one_in(3)) continue;
            const bool erases = random_.one_in(4);
            writes[key] = erases ? 0 : value;
            // What the same batch takes back is never seen.
            if (random_.one_in(4)) {
                all.push_back({change::kind::put, keys_->names[key], text_of(next_value_++)});
            }
            all.push_back({erases ? change::kind::erase : change::kind::put, keys_->names[key],
                           erases ? "" : text_of(value)});
        }
        event each = begin(event::kind::batch, "batch");
        auto done = store_->write(all);
        end(each);
        good(std::move(done));
        each.writes = writes;
        each.clears = clears;
        seen.push_back(each);
    }

    void get(std::size_t key) {
        event each = begin(event::kind::get, "get", key);
        auto found = store_->get(keys_->names[key]);
        end(each);
        each.value = value_of(good(std::move(found)));
        seen.push_back(each);
    }
    void view(std::size_t key) {
        event each = begin(event::kind::get, "view", key);
        auto found = store_->view(keys_->names[key]);
        end(each);
        each.value = value_of(good(std::move(found)));
        seen.push_back(each);
    }
    void has(std::size_t key) {
        event each = begin(event::kind::has, "contains", key);
        auto found = store_->contains(keys_->names[key]);
        end(each);
        each.answer = good(std::move(found));
        seen.push_back(each);
    }
    void get_many() {
        const std::vector<std::string> asked(keys_->names.rbegin(), keys_->names.rend());
        event each = begin(event::kind::get, "get_many");
        auto found = store_->get_many(asked, asked.size());
        end(each);
        const auto values = good(std::move(found));
        for (std::size_t key = 0; key < history_keys; ++key) {
            each.key = key;
            each.value = value_of(values[history_keys - 1 - key]);
            seen.push_back(each);
        }
    }

    /// Nothing to be judged: there is one answer.
    void get_kept() {
        std::vector<std::string> some;
        for (std::size_t i = random_.one_in(2) ? 1 : 20; i > 0; --i)
            some.push_back(kept_->names()[random_.below(kept_->names().size())]);
        if (some.size() > 1) {
            const auto found = good(store_->get_many(some, some.size()));
            for (std::size_t i = 0; i < some.size(); ++i)
                kept_keys::expect_value(some[i], found[i]);
        } else if (random_.one_in(2)) {
            kept_keys::expect_value(some[0], good(store_->get(some[0])));
        } else {
            const bool there = good(store_->contains(some[0]));
            kept_keys::expect_value(some[0], there ? some[0] : std::optional<std::string>());
        }
    }

    void scan() {
        std::size_t first = random_.below(history_keys);
        std::size_t last = random_.below(history_keys);
        if (last < first) std::swap(first, last);
        part wanted{part::kind::scan, keys_->names[first], keys_->names[last]};
        if (random_.one_in(3)) {
            first = 0;
            last = history_keys - 1;
            wanted = {part::kind::prefix, keys_->prefix, {}};
        }
        const bool visits = random_.one_in(3);
        const bool reversed = random_.one_in(3);
        event each = begin(event::kind::get, visits     ? "visit"
                                             : reversed ? "scan backwards"
                                                        : "scan");
        auto found = visits ? store_->for_each_in(wanted, reversed) : store_->in(wanted, reversed);
        end(each);
        const rows shown = good(std::move(found));
        expect_in_order(shown, reversed);
        kept_->expect_in(shown, wanted.low, wanted.high.empty() ? wanted.low + '~' : wanted.high);
        take(shown, first, last, each);
    }
    void walk() {
        const bool visits = random_.one_in(2);
        event each = begin(event::kind::get, visits ? "for_each" : "walk");
        auto found = visits ? store_->for_each() : store_->iterate();
        end(each);
        const rows shown = good(std::move(found));
        if (ordered_) expect_in_order(shown, false);
        kept_->expect_in(shown, "", "~");
        take(shown, 0, history_keys - 1, each);
    }
    void take(const rows& shown, std::size_t first, std::size_t last, const event& during) {
        const history reads = reads_in(shown, *keys_, first, last, during);
        seen.insert(seen.end(), reads.begin(), reads.end());
    }

    any_store* store_;
    const key_group* keys_;
    const kept_keys* kept_;
    bool ordered_;
    std::size_t thread_;
    std::uint32_t next_value_;
    random_numbers random_;
};

}  // namespace laws

#endif
