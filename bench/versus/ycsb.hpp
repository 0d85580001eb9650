// bench/versus/ycsb.hpp: the mixes of YCSB (Cooper et al., "Benchmarking Cloud Serving Systems with
// YCSB", 2010) on a store that was filled before.
//
// | mix | operations                                                | keys                          |
// |-----|-----------------------------------------------------------|-------------------------------|
// | A   | 50 % get, 50 % put                                        | zipfian, scattered            |
// | B   | 95 % get, 5 % put                                         | zipfian, scattered            |
// | C   | get                                                       | zipfian, scattered            |
// | D   | 95 % get, 5 % put of a new key                            | zipfian, the newest most      |
// | E   | 95 % scan of 1 to 100 entries, 5 % put of a new key       | zipfian, scattered            |
// | F   | 50 % get, 50 % get and put of the same key                | zipfian, scattered            |
//
// Each but D also with all keys alike: `uniform`. New keys lie anywhere between the old ones. A run
// has as many operations as the store entries, a tenth of them for E. With two threads each does
// half of them; the newest keys are to each those that it put itself, and then those that were
// loaded. What is drawn is drawn before the clock starts; flush() ends the timed region.
#ifndef COFFER_BENCH_VERSUS_YCSB_HPP
#define COFFER_BENCH_VERSUS_YCSB_HPP

#include "stage.hpp"

#include <atomic>

namespace versus {

struct mix {
    char name;
    double puts, inserts, scans, changes;  // the rest are gets
    bool newest = false;
    bool uniform = false;
};

inline constexpr mix mixes[] = {
    {'A', 0.5, 0, 0, 0},        {'B', 0.05, 0, 0, 0},    {'C', 0, 0, 0, 0},
    {'D', 0, 0.05, 0, 0, true}, {'E', 0, 0.05, 0.95, 0}, {'F', 0, 0, 0, 0.5},
};

/// What one thread does, operation by operation, with the keys and values that it takes.
class script {
public:
    enum class kind : unsigned char { get, put, insert, scan, change };
    struct operation {
        kind what;
        std::uint32_t length;  // of a scan
        std::string key;
        std::string value;  // of what is put
    };

    /// `fresh`: numbers of absent keys, of which this thread takes those from `first_fresh` on.
    template <class S>
    script(const stage<S>& on, const mix& of, std::size_t operations, zipfian& zipf,
           random_numbers& random, const order& fresh, std::size_t first_fresh) {
        all.reserve(operations);
        for (std::size_t i = 0; i < operations; ++i) {
            const std::uint64_t rank = of.uniform ? random.below(on.count()) : zipf.rank();
            const kind what = drawn(of, random.unit());
            // From the newest backwards, or anywhere.
            const std::size_t place = of.newest ? on.count() + inserted.size() - 1 - rank
                                      : of.uniform ? rank
                                                   : zipf.scrambled(rank);
            const bool old = place < on.count();
            all.push_back({what,
                           static_cast<std::uint32_t>(1 + random.below(100)),
                           old ? on.key(place) : inserted[place - on.count()],
                           {}});
            if (what == kind::insert) {
                inserted.push_back(
                    on.absent(fresh[(first_fresh + inserted.size()) % fresh.size()]));
                all.back().key = inserted.back();
            }
            if (what == kind::put || what == kind::insert || what == kind::change)
                all.back().value = on.value(old ? place : 0);
        }
    }

    std::vector<operation> all;
    std::vector<std::string> inserted;  // keys, in their order

private:
    static kind drawn(const mix& of, double number) {
        if ((number -= of.puts) < 0) return kind::put;
        if ((number -= of.inserts) < 0) return kind::insert;
        if ((number -= of.scans) < 0) return kind::scan;
        if ((number -= of.changes) < 0) return kind::change;
        return kind::get;
    }
};

/// Does all of a script; how many entries it read.
template <class S>
std::size_t play(S& store, const script& of) {
    std::size_t seen = 0;
    std::string out;
    for (const auto& each : of.all) {
        switch (each.what) {
            case script::kind::get:
                seen += store.get(each.key, out);
                break;
            case script::kind::put:
            case script::kind::insert:
                store.put(each.key, each.value);
                break;
            case script::kind::change:
                seen += store.get(each.key, out);
                store.put(each.key, each.value);
                break;
            case script::kind::scan:
                if constexpr (seeks<S>) {
                    store.scan_from(each.key, each.length,
                                    [&](std::string_view, std::string_view) { ++seen; });
                }
                break;
        }
    }
    return seen;
}

template <class S>
bool ycsb(const stage<S>& on, const mix& of, std::size_t threads) {
    if ((of.scans != 0 && !seeks<S>) || (threads != 1 && !S::threads)) return false;
    const std::size_t operations = on.count() / (of.scans != 0 ? 10 : 1) / threads * threads;
    std::vector<script> scripts;
    {
        const order fresh = shuffled(on.count(), 11);
        zipfian zipf(on.count(), 9);
        random_numbers random(10);
        for (std::size_t i = 0; i < threads; ++i) {
            scripts.emplace_back(on, of, operations / threads, zipf, random, fresh,
                                 i * fresh.size() / threads);
        }
    }
    S store = on.open();
    on.load(store);
    std::atomic<std::size_t> seen{0};
    on.warm_up(operations);
    const stopwatch watch;
    spread(threads, threads, [&](std::size_t, std::size_t, std::size_t thread) {
        seen += play(store, scripts[thread]);
    });
    store.flush();
    on.say(watch.stop(), operations, threads);
    std::size_t expected = 0;
    for (const script& each : scripts) {
        for (const auto& one : each.all) {
            expected += one.what == script::kind::get || one.what == script::kind::change ||
                        one.what == script::kind::scan;
        }
    }
    must(seen >= expected, "reads of a mix");
    for (const script& each : scripts) {
        std::string out;
        if (!each.inserted.empty()) must(store.get(each.inserted.back(), out), "a key of a mix");
    }
    return true;
}

}  // namespace versus

#endif
