// bench/versus/changes.hpp: workloads that change a filled store, its space, and opening it again.
#ifndef COFFER_BENCH_VERSUS_CHANGES_HPP
#define COFFER_BENCH_VERSUS_CHANGES_HPP

#include "stage.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace versus {

/// All entries three times at random, every put timed by itself, from the end of the one before it:
/// the distribution while the store compacts. `space`: bytes on disk over live bytes afterwards;
/// `written`: bytes that went to the disk over bytes that were put.
template <class S>
bool overwrite(const stage<S>& on) {
    constexpr std::size_t rounds = 3;
    order places;
    for (std::size_t round = 0; round < rounds; ++round) {
        const order next = shuffled(on.count(), 10 + round);
        places.insert(places.end(), next.begin(), next.end());
    }
    const data_set puts = on.entries(places);
    S store = on.open();
    on.load(store);
    store.sync();
    latencies times(places.size());
    const double written = written_bytes();
    on.warm_up(places.size());
    const stopwatch watch;
    double ended = now();
    for (std::size_t i = 0; i < puts.size(); ++i) {
        store.put(puts.keys[i], puts.values[i]);
        const double began = std::exchange(ended, now());
        times.add(ended - began);
    }
    store.flush();
    figures all = on.per_operation(watch.stop(), places.size());
    on.add(all, times);
    if constexpr (S::persistent) {
        all.emplace_back("space", on.space());
        store.sync();
        all.emplace_back("written",
                         (written_bytes() - written) / on.entry_bytes() / double(places.size()));
    }
    on.report(all);
    return true;
}

/// Reads at random while a second thread puts one entry every 50 us.
template <class S>
bool read_while_writing(const stage<S>& on) {
    if constexpr (S::threads) {
        const std::vector<std::string> keys = on.keys(shuffled(on.count(), 2));
        S store = on.open();
        on.load(store);
        std::atomic<bool> over{false};
        std::thread writer([&] {
            random_numbers random(8);
            while (!over.load(std::memory_order_relaxed)) {
                const std::size_t at = random.below(on.count());
                store.put(on.key(at), on.value(at));
                std::this_thread::sleep_for(std::chrono::microseconds(50));
            }
        });
        std::string out;
        const stopwatch watch;
        for (const std::string& key : keys) must(store.get(key, out), "a key");
        on.say(watch.stop(), keys.size());
        over = true;
        writer.join();
        return true;
    }
    return false;
}

template <class S>
bool erase(const stage<S>& on, const order& places) {
    const std::vector<std::string> keys = on.keys(places);
    S store = on.open();
    on.load(store);
    on.warm_up(keys.size());
    const stopwatch watch;
    for (const std::string& key : keys) store.erase(key);
    store.flush();
    on.say(watch.stop(), keys.size());
    std::string out;
    must(!store.get(keys[0], out), "an erased key");
    return true;
}

/// After all entries were overwritten twice at random: time for each live one, and bytes on disk
/// over live bytes, `loaded`, `before` compacting and `after`.
template <class S>
bool compact(const stage<S>& on) {
    if constexpr (compacts<S>) {
        S store = on.open();
        on.load(store);
        store.sync();
        const double loaded = on.space();
        for (std::size_t round = 0; round < 2; ++round) {
            for (const std::uint32_t at : shuffled(on.count(), 10 + round)) {
                store.put(on.key(at), on.value(at));
            }
        }
        store.sync();
        const double before = on.space();
        on.warm_up(on.count());
        const stopwatch watch;
        store.compact();
        figures all = on.per_operation(watch.stop(), on.count());
        if constexpr (S::persistent) {
            all.insert(all.end(), {{"loaded", loaded}, {"before", before}, {"after", on.space()}});
        }
        on.report(all);
        on.check(store, on.count() / 2);
        return true;
    }
    return false;
}

/// Bytes on disk per entry, closed.
template <class S>
bool space(const stage<S>& on) {
    if constexpr (S::persistent) {
        {
            S store = on.open();
            on.load(store);
            store.sync();
        }
        on.report({{"bytes", on.disk_bytes() / double(on.count())}});
        return true;
    }
    return false;
}

/// Opening and a first get, after another process closed the store, or was killed.
template <class S>
bool reopen(const stage<S>& on, bool killed) {
    if constexpr (S::persistent) {
        const ::pid_t child = ::fork();
        if (child == 0) {
            {
                S store = on.open();
                on.load(store);
                store.flush();
                if (killed) ::kill(::getpid(), SIGKILL);
            }
            std::_Exit(0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        must(killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0,
             "the child that fills the store");
        const std::size_t middle = on.count() / 2;
        std::string out;
        const stopwatch watch;
        S store = on.open();
        const bool found = store.get(on.key(middle), out);
        on.say(watch.stop(), 1);
        must(found && out == on.value(middle), "a value after reopening");
        return true;
    }
    return false;
}

}  // namespace versus

#endif
