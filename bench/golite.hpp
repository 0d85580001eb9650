// bench/golite.hpp: the five workloads of the document that coffer's file store grew from.
//
//   insert_sequential   one thread, ascending numbers in the keys
//   insert_concurrent   two threads, each its own keys
//   insert_batch        one thread, batches of 1000
//   get_sequential      one thread, keys in the order of their insertion
//   get_concurrent      two threads, the same keys
//
// Keys are "users:keyN", values "valueN", as there; names that end in _100 have keys of 16 bytes
// and values of 100. One iteration is a whole run; a run of inserts ends with close(), inside the
// timed region. Keys and values are made before the clock starts. Reported: time per operation,
// operations per second, allocations per operation (of the whole process).
#ifndef COFFER_BENCH_GOLITE_HPP
#define COFFER_BENCH_GOLITE_HPP

#include "allocations.hpp"
#include "warm_memory.hpp"

#include <benchmark/benchmark.h>
#include <coffer/coffer.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

struct data {
    std::vector<std::string> keys;
    std::vector<std::string> values;
};

/// The shape of the document, or the standard one: 16 bytes to 100.
inline const data& data_of(std::size_t count, bool standard) {
    static data shapes[2];
    data& shape = shapes[standard ? 1 : 0];
    while (shape.keys.size() < count) {
        const auto number = static_cast<unsigned>(shape.keys.size());
        if (standard) {
            char key[17];
            std::snprintf(key, sizeof key, "%016u", number);
            std::string value(100, 'v');
            std::snprintf(value.data(), 11, "%010u", number);
            shape.keys.emplace_back(key);
            shape.values.push_back(std::move(value));
        } else {
            shape.keys.push_back("users:key" + std::to_string(number));
            shape.values.push_back("value" + std::to_string(number));
        }
    }
    return shape;
}

/// A store in a folder of its own, which goes with it.
template <class Store>
class fresh {
public:
    fresh() {
        std::filesystem::remove_all(path_);
        store_.emplace(Store::open(path_));
    }
    ~fresh() {
        store_.reset();
        std::filesystem::remove_all(path_);
    }
    fresh(const fresh&) = delete;
    fresh& operator=(const fresh&) = delete;
    Store& operator*() { return *store_; }

private:
    std::filesystem::path path_ = std::filesystem::current_path() / "bench.coffer";
    std::optional<Store> store_;
};

/// Adds the figures of one benchmark that did `operations` in each iteration.
inline void report(benchmark::State& state, std::size_t operations, std::size_t allocations) {
    const auto all = static_cast<double>(state.iterations()) * static_cast<double>(operations);
    state.SetItemsProcessed(static_cast<std::int64_t>(all));
    state.counters["time_per_op"] =
        benchmark::Counter(all, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["allocs_per_op"] = static_cast<double>(allocations) / all;
}

/// Runs `work(from, to)` over [0, count) on `threads` threads.
template <class Work>
void spread(std::size_t count, std::size_t threads, Work&& work) {
    std::vector<std::thread> others;
    const std::size_t share = count / threads;
    for (std::size_t i = 1; i < threads; ++i) {
        others.emplace_back(
            [&, i] { work(i * share, i + 1 == threads ? count : (i + 1) * share); });
    }
    work(0, threads == 1 ? count : share);
    for (std::thread& each : others) each.join();
}

template <class Store>
void insert(benchmark::State& state, std::size_t count, bool standard, std::size_t threads,
            std::size_t batch) {
    const data& in = data_of(count, standard);
    std::size_t allocated = 0;
    for (auto _ : state) {
        state.PauseTiming();
        warm_memory(count * 5 * (in.keys.back().size() + in.values.back().size()));
        fresh<Store> store;
        const std::size_t before = allocations();
        state.ResumeTiming();
        if (batch == 1) {
            spread(count, threads, [&](std::size_t from, std::size_t to) {
                for (std::size_t i = from; i < to; ++i) (*store).put(in.keys[i], in.values[i]);
            });
        } else {
            typename Store::batch all;
            for (std::size_t i = 0; i < count; ++i) {
                all.put(in.keys[i], in.values[i]);
                if (all.size() == batch || i + 1 == count) {
                    (*store).write(all);
                    all.reset();
                }
            }
        }
        (*store).close();
        state.PauseTiming();
        allocated += allocations() - before;
        state.ResumeTiming();
    }
    report(state, count, allocated);
}

template <class Store>
void get(benchmark::State& state, std::size_t count, bool standard, std::size_t threads) {
    const data& in = data_of(count, standard);
    fresh<Store> store;
    typename Store::batch all;
    for (std::size_t i = 0; i < count; ++i) {
        all.put(in.keys[i], in.values[i]);
        if (all.size() == 1000 || i + 1 == count) (*store).write(all), all.reset();
    }
    const std::size_t before = allocations();
    for (auto _ : state) {
        spread(count, threads, [&](std::size_t from, std::size_t to) {
            std::size_t found = 0;
            for (std::size_t i = from; i < to; ++i) {
                found += (*store).view(in.keys[i], [](std::string_view value) {
                    benchmark::DoNotOptimize(value.size());
                });
            }
            if (found != to - from) std::abort();
        });
    }
    report(state, count, allocations() - before);
}

/// Registers the five workloads, in both shapes, for `Store`.
template <class Store>
void golite(const std::string& name, std::size_t inserts, std::size_t gets) {
    for (const bool standard : {false, true}) {
        const auto add = [&](const char* workload, auto run) {
            const std::string full = std::string(workload) + (standard ? "_100/" : "/") + name;
            benchmark::RegisterBenchmark(full.c_str(), run)
                ->Unit(benchmark::kMillisecond)
                ->UseRealTime();
        };
        using state = benchmark::State&;
        add("insert_sequential", [=](state s) { insert<Store>(s, inserts, standard, 1, 1); });
        if constexpr (Store::concurrent) {
            add("insert_concurrent", [=](state s) { insert<Store>(s, inserts, standard, 2, 1); });
        }
        add("insert_batch", [=](state s) { insert<Store>(s, gets, standard, 1, 1000); });
        add("get_sequential", [=](state s) { get<Store>(s, gets, standard, 1); });
        if constexpr (Store::concurrent) {
            add("get_concurrent", [=](state s) { get<Store>(s, gets, standard, 2); });
        }
    }
}

/// Every durability policy and both ways of threading over one storage and one index; records in
/// memory are as durable under any policy, so `map` is there once. A durable insert waits for the
/// disk and one that is handed over for the system, so fewer of them make a run.
template <class Storage, class Index>
void golite_for(const std::string& name) {
    namespace durability = coffer::durability;
    constexpr std::size_t many = 1'000'000;
    const auto over = [&]<class Threading>(const std::string& threading, Threading) {
        const auto one = [&]<class Durability>(const char* promise, std::size_t inserts,
                                               Durability) {
            using text = std::string;
            using store = coffer::store<text, text, Storage, Index, Threading, Durability>;
            golite<store>(name + threading + promise, inserts, many);
        };
        one("/buffered", many, durability::buffered());
        if constexpr (Storage::persistent) {
            one("/async", many, durability::async());
            one("/write_through", many / 10, durability::write_through());
            one("/sync", many / 500, durability::sync());
        }
    };
    over("", coffer::threading::multi());
    over("/single", coffer::threading::single());
}

void golite_file_log_hash();
void golite_file_log_sorted();
void golite_mmap_hash();
void golite_mmap_sorted();
void golite_map_hash();
void golite_map_sorted();

}  // namespace bench

#endif
