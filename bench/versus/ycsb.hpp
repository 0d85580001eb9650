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
// New keys lie anywhere between the old ones. A run has as many operations as the store entries, a
// tenth of them for E. With two threads each does half of them; the newest keys are to each those
// that it put itself, and then those that were loaded. What is drawn is drawn before the clock
// starts; flush() ends the timed region.
#ifndef COFFER_BENCH_VERSUS_YCSB_HPP
#define COFFER_BENCH_VERSUS_YCSB_HPP

#include "stage.hpp"

#include <atomic>

namespace versus {

struct mix {
    char name;
    double puts, inserts, scans, changes;  // the rest are gets
    bool newest = false;
};

inline constexpr mix mixes[] = {
    {'A', 0.5, 0, 0, 0},        {'B', 0.05, 0, 0, 0},    {'C', 0, 0, 0, 0},
    {'D', 0, 0.05, 0, 0, true}, {'E', 0, 0.05, 0.95, 0}, {'F', 0, 0, 0, 0.5},
};

/// What one thread does.
class script {
public:
    enum class kind : unsigned char { get, put, insert, scan, change };
    struct operation {
        kind what;
        std::uint32_t place;   // of the entry; counted from the newest if the mix asks for it
        std::uint32_t length;  // of a scan
    };

    /// `fresh`: numbers of absent keys, of which this thread takes those from `first_fresh` on.
    script(const mix& of, std::size_t operations, zipfian& zipf, random_numbers& random,
           const order& fresh, std::size_t first_fresh) {
        for (std::size_t i = 0; i < operations; ++i) {
            const std::uint64_t rank = zipf.rank();
            const std::uint64_t place = of.newest ? rank : zipf.scrambled(rank);
            const kind what = drawn(of, random.unit());
            if (what == kind::insert) {
                keys.push_back(absent_key(fresh[(first_fresh + keys.size()) % fresh.size()]));
            }
            all.push_back({what, static_cast<std::uint32_t>(place),
                           static_cast<std::uint32_t>(1 + random.below(100))});
        }
    }

    std::vector<operation> all;
    std::vector<std::string> keys;  // of the inserts, in their order

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
std::size_t play(const stage<S>& on, S& store, const script& of, bool newest) {
    std::size_t seen = 0, inserted = 0;
    std::string out;
    for (const auto& each : of.all) {
        std::size_t at = each.place;
        switch (each.what) {
            case script::kind::get:
                if (newest) {
                    at = on.count() + inserted - 1 - at;
                    const bool old = at < on.count();
                    seen += store.get(old ? on.key(at) : of.keys[at - on.count()], out);
                } else {
                    seen += store.get(on.key(at), out);
                }
                break;
            case script::kind::put:
                store.put(on.key(at), on.value(at));
                break;
            case script::kind::insert:
                store.put(of.keys[inserted++], on.value(at));
                break;
            case script::kind::change:
                seen += store.get(on.key(at), out);
                store.put(on.key(at), on.value(at));
                break;
            case script::kind::scan:
                if constexpr (seeks<S>) {
                    store.scan_from(on.key(at), each.length,
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
            scripts.emplace_back(of, operations / threads, zipf, random, fresh,
                                 i * fresh.size() / threads);
        }
    }
    S store = on.open();
    on.load(store);
    std::atomic<std::size_t> seen{0};
    const stopwatch watch;
    spread(threads, threads, [&](std::size_t, std::size_t, std::size_t thread) {
        seen += play(on, store, scripts[thread], of.newest);
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
        if (!each.keys.empty()) must(store.get(each.keys.back(), out), "a key of a mix");
    }
    return true;
}

}  // namespace versus

#endif
