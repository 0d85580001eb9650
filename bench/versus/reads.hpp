// bench/versus/reads.hpp: workloads that read a store that was filled before, and leave it as it
// was, so that one process does several of them.
#ifndef COFFER_BENCH_VERSUS_READS_HPP
#define COFFER_BENCH_VERSUS_READS_HPP

#include "stage.hpp"

#include <optional>

namespace versus {

/// Keys drawn at random from `different` of them.
inline order drawn_from(std::size_t different, std::size_t count) {
    order all(count);
    random_numbers random(3);
    for (auto& each : all) {
        each = static_cast<std::uint32_t>(random.below((std::max)(different, std::size_t{1})) * 7 %
                                          count);
    }
    return all;
}

/// Gets what `key(i)` names, for each i below the number of `places`, which says what that is.
template <class S, class Key>
bool get_each(const stage<S>& on, S& store, const order& places, std::size_t threads, Key&& key) {
    std::string out;
    for (std::size_t i = 0; i < on.count() / 10; ++i) store.get(key(i), out);
    const stopwatch watch;
    spread(places.size(), threads, [&](std::size_t from, std::size_t to, std::size_t) {
        std::string found;
        std::size_t bytes = 0;
        for (std::size_t i = from; i < to; ++i) {
            must(store.get(key(i), found), "a key that is there");
            bytes += found.size();
        }
        must(bytes == (to - from) * on.value_bytes(), "the size of the values");
        must(keeps_nothing<S> || found == on.value(places[to - 1]), "the last value");
    });
    on.say(watch.stop(), places.size(), threads);
    return true;
}

template <class S>
bool get(const stage<S>& on, S& store, const order& places, std::size_t threads = 1) {
    const std::vector<std::string> keys = on.keys(places);
    return get_each(on, store, places, threads,
                    [&](std::size_t i) -> const std::string& { return keys[i]; });
}

/// `different` keys again and again: they stay in the caches where they are.
template <class S>
bool get_hot(const stage<S>& on, S& store, std::size_t different) {
    const order places = drawn_from(different, on.count());
    return get_each(on, store, places, 1,
                    [&](std::size_t i) -> const std::string& { return on.key(places[i]); });
}

/// 16 at random in one call.
template <class S>
bool get_16(const stage<S>& on, S& store) {
    if constexpr (gets_many<S>) {
        constexpr std::size_t group = 16;
        const std::vector<std::string> all = on.keys(shuffled(on.count(), 2));
        std::optional<std::string> out[group];
        std::vector<std::string_view> keys(group);
        std::size_t found = 0, asked = 0;
        const stopwatch watch;
        for (std::size_t at = 0; at + group <= all.size(); at += group) {
            for (std::size_t i = 0; i < group; ++i) keys[i] = all[at + i];
            found += store.get_many(keys, out);
            asked += group;
        }
        on.say(watch.stop(), asked);
        must(found == asked, "keys that are there");
        must(out[0] && out[0]->size() == on.value_bytes(), "a value of a group");
        return true;
    }
    return false;
}

template <class S>
bool get_missing(const stage<S>& on, S& store) {
    std::vector<std::string> absent;
    for (const std::uint32_t at : shuffled(on.count(), 5)) absent.push_back(on.absent(at));
    std::string out;
    std::size_t found = 0;
    const stopwatch watch;
    for (const std::string& key : absent) found += store.get(key, out);
    on.say(watch.stop(), absent.size());
    must(keeps_nothing<S> || found == 0, "keys that are not there");
    return true;
}

/// All entries, counted and looked at; `walk(store, visit)` shows them in order, or against it.
template <class S, class Walk>
bool scan_with(const stage<S>& on, S& store, bool ascending, Walk&& walk) {
    std::size_t entries = 0, bytes = 0;
    bool sorted = true;
    std::string last(64, '\0');
    const stopwatch watch;
    walk(store, [&](std::string_view key, std::string_view value) {
        sorted = sorted && (entries == 0 || (last < key) == ascending);
        last.assign(key);
        ++entries;
        bytes += value.size();
    });
    on.say(watch.stop(), entries);
    must(entries == on.count() && bytes == on.value_bytes() * on.count() && sorted, "a scan");
    return true;
}

template <class S>
bool scan(const stage<S>& on, S& store) {
    if constexpr (scans<S>) {
        return scan_with(on, store, true, [](S& of, auto&& visit) { of.scan(visit); });
    }
    return false;
}

template <class S>
bool scan_back(const stage<S>& on, S& store) {
    if constexpr (scans_back<S>) {
        return scan_with(on, store, false, [](S& of, auto&& visit) { of.scan_back(visit); });
    }
    return false;
}

/// A key at random and the ten entries from it on.
template <class S>
bool seek_10(const stage<S>& on, S& store) {
    if constexpr (seeks<S>) {
        order places = shuffled(on.count(), 6);
        places.resize(on.count() / 10);
        const std::vector<std::string> keys = on.keys(places);
        std::size_t entries = 0;
        const stopwatch watch;
        for (const std::string& key : keys) {
            store.scan_from(key, 10, [&](std::string_view, std::string_view) { ++entries; });
        }
        on.say(watch.stop(), keys.size());
        must(entries > 9 * keys.size(), "short scans");
        return true;
    }
    return false;
}

}  // namespace versus

#endif
