// bench/versus/inserts.hpp: workloads that fill a store.
//
// The timed region ends with flush(): what was put is with the operating system. `synced_ns` is the
// same with sync() and closing. `memory`: private memory of the process that the store took, bytes
// per entry; `index` and `buffers`: what the store says of its own, bytes in all.
#ifndef COFFER_BENCH_VERSUS_INSERTS_HPP
#define COFFER_BENCH_VERSUS_INSERTS_HPP

#include "stage.hpp"

#include <optional>

namespace versus {

/// Runs `work(store)` on an empty store; `sample` are places of entries that are there afterwards.
template <class S, class Work>
bool fill(const stage<S>& on, const order& sample, std::size_t operations, std::size_t threads,
          figures more, Work&& work) {
    on.warm_up(operations);
    const double before = private_bytes();
    std::optional<S> store(on.open());
    const stopwatch watch;
    work(*store);
    store->flush();
    const taken put = watch.stop();
    const double memory = private_bytes() - before;
    for (std::size_t i = 0; i < sample.size(); i += 997) on.check(*store, sample[i]);
    figures all = on.per_operation(put, operations, threads);
    all.insert(all.end(), more.begin(), more.end());
    all.emplace_back("memory", memory / double(on.count()));
    if constexpr (knows_its_index<S>) {
        all.emplace_back("index", double(store->index_bytes()));
        all.emplace_back("buffers", double(store->buffer_bytes()));
    }
    const stopwatch rest;
    store->sync();
    store.reset();
    const double seconds = put.seconds + rest.stop().seconds;
    all.emplace_back("synced_ns", seconds * 1e9 * double(threads) / double(operations));
    on.report(all);
    return true;
}

template <class S>
bool insert(const stage<S>& on, const order& places, std::size_t threads = 1,
            const figures& more = {}) {
    const data_set all = on.entries(places);
    return fill(on, places, places.size(), threads, more, [&](S& store) {
        spread(places.size(), threads, [&](std::size_t from, std::size_t to, std::size_t) {
            for (std::size_t i = from; i < to; ++i) store.put(all.keys[i], all.values[i]);
        });
    });
}

/// Keys drawn at random, so that about 37 of 100 are never drawn and as many puts overwrite;
/// `unique`: the share of different keys.
template <class S>
bool fill_at_random(const stage<S>& on) {
    order places(on.count());
    std::vector<bool> drawn(on.count());
    std::size_t unique = 0;
    random_numbers random(7);
    for (auto& each : places) {
        each = static_cast<std::uint32_t>(random.below(on.count()));
        unique += static_cast<std::size_t>(!drawn[each]);
        drawn[each] = true;
    }
    return insert(on, places, 1, {{"unique", double(unique) / double(on.count())}});
}

template <class S>
bool insert_batch(const stage<S>& on) {
    if constexpr (writes_batches<S>) {
        return fill(on, in_order(on.count()), on.count(), 1, {}, [&](S& store) { on.load(store); });
    }
    return false;
}

template <class S>
bool insert_bulk(const stage<S>& on) {
    if constexpr (loads_bulk<S>) {
        return fill(on, in_order(on.count()), on.count(), 1, {}, [&](S& store) { on.bulk(store); });
    }
    return false;
}

/// Every put is timed by itself: the distribution while the index grows.
template <class S>
bool put_latency(const stage<S>& on) {
    const data_set all = on.entries(shuffled(on.count(), 1));
    latencies times(all.size());
    on.warm_up(all.size());
    S store = on.open();
    const stopwatch watch;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double began = now();
        store.put(all.keys[i], all.values[i]);
        times.add(now() - began);
    }
    figures found = on.per_operation(watch.stop(), all.size());
    on.add(found, times);
    on.report(found);
    return true;
}

/// Every put waits for the disk; a few thousand of them, in all threads together.
template <class S>
bool durable(const stage<S>& on, std::size_t writers) {
    if constexpr (S::durable) {
        if (!S::threads && writers != 1) return false;
        const std::size_t most = writers > 2 ? 8000 : 4000;
        const std::size_t puts = (std::min)(on.count(), most) / writers * writers;
        S store = on.open(true);
        const stopwatch watch;
        spread(puts, writers, [&](std::size_t from, std::size_t to, std::size_t) {
            for (std::size_t i = from; i < to; ++i) store.put(on.key(i), on.value(i));
        });
        on.say(watch.stop(), puts);
        on.check(store, puts - 1);
        return true;
    }
    return false;
}

/// Batches of 1000, each on the disk when it returns; at most 100 of them.
template <class S>
bool durable_batch(const stage<S>& on) {
    if constexpr (S::durable && writes_batches<S>) {
        const std::size_t entries = (std::min)(on.count(), 100 * on.batch);
        S store = on.open(true);
        const stopwatch watch;
        for (std::size_t at = 0; at < entries; at += on.batch) {
            on.write(store, at, (std::min)(on.batch, entries - at));
        }
        on.say(watch.stop(), entries);
        on.check(store, entries - 1);
        return true;
    }
    return false;
}

}  // namespace versus

#endif
