// bench/versus/stage.hpp: one run of workloads on one subject: its data, its folder, its reports.
#ifndef COFFER_BENCH_VERSUS_STAGE_HPP
#define COFFER_BENCH_VERSUS_STAGE_HPP

#include "../warm_memory.hpp"
#include "data.hpp"
#include "measure.hpp"
#include "subject.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace versus {

using order = std::vector<std::uint32_t>;

/// Calls work(from, to, thread) for equal parts of [0, count), each on a thread of its own.
template <class Work>
void spread(std::size_t count, std::size_t threads, Work&& work) {
    std::vector<std::thread> others;
    const std::size_t share = count / threads;
    for (std::size_t i = 1; i < threads; ++i) {
        others.emplace_back(
            [&, i] { work(i * share, i + 1 == threads ? count : (i + 1) * share, i); });
    }
    work(0, threads == 1 ? count : share, 0);
    for (auto& each : others) each.join();
}

template <class S>
class stage {
public:
    static constexpr std::size_t batch = 1000;

    explicit stage(const request& asked) : asked_(asked), data_(asked.count, asked.shape) {
        std::filesystem::remove_all(asked_.folder);
        std::filesystem::create_directories(asked_.folder);
    }
    ~stage() { std::filesystem::remove_all(asked_.folder); }
    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;

    /// What is reported from now on is of this workload.
    void announce(const std::string& workload) { asked_.workload = workload; }

    [[nodiscard]] std::size_t count() const { return data_.size(); }
    [[nodiscard]] const std::string& key(std::size_t i) const { return data_.keys[i]; }
    [[nodiscard]] const std::string& value(std::size_t i) const { return data_.values[i]; }
    /// What is at `places`, laid out in that order.
    [[nodiscard]] data_set entries(const order& places) const { return {data_, places, true}; }
    [[nodiscard]] std::vector<std::string> keys(const order& places) const {
        return data_set(data_, places, false).keys;
    }
    [[nodiscard]] std::size_t value_bytes() const { return asked_.shape.value_bytes; }
    [[nodiscard]] std::string absent(std::uint64_t number) const {
        return absent_key(number, asked_.shape.key_bytes);
    }
    [[nodiscard]] S open(bool durable = false) const {
        return S(asked_.folder, durable, asked_.count);
    }

    /// Just before the clock starts: memory for so many writes, whoever does them.
    void warm_up(std::size_t writes) const {
        constexpr std::size_t most = 5;  // times an entry: what a file and a container take of it
        bench::warm_memory(writes * most * static_cast<std::size_t>(entry_bytes()));
    }

    /// `n` entries from `from` on, as one batch.
    void write(S& store, std::size_t from, std::size_t n) const
        requires writes_batches<S>
    {
        store.write(&data_.keys[from], &data_.values[from], n);
    }
    void bulk(S& store) const
        requires loads_bulk<S>
    {
        store.bulk(data_.keys.data(), data_.values.data(), count());
    }
    /// All entries in order, by batches where there are some.
    void load(S& store) const {
        if constexpr (writes_batches<S>) {
            for (std::size_t at = 0; at < count(); at += batch) {
                write(store, at, (std::min)(count() - at, batch));
            }
        } else {
            for (std::size_t i = 0; i < count(); ++i) store.put(key(i), value(i));
        }
    }
    /// Is the value of entry `i` what was put?
    void check(S& store, std::size_t i) const {
        std::string out;
        must(store.get(key(i), out) && (keeps_nothing<S> || out == value(i)),
             "a value that was put");
    }

    /// Bytes on disk over the bytes of all keys and values.
    [[nodiscard]] double space() const {
        return bytes_on_disk(asked_.folder) / entry_bytes() / double(count());
    }
    [[nodiscard]] double disk_bytes() const { return bytes_on_disk(asked_.folder); }
    [[nodiscard]] double entry_bytes() const { return asked_.shape.bytes(); }

    void report(const figures& all) const { tell(asked_.subject, asked_.workload, count(), all); }
    /// Time and allocations of one of `operations`, done by `threads` at once.
    void say(const taken& all, std::size_t operations, std::size_t threads = 1) const {
        report(per_operation(all, operations, threads));
    }
    [[nodiscard]] static figures per_operation(const taken& all, std::size_t operations,
                                               std::size_t threads = 1) {
        return {{"ns", all.seconds * 1e9 * double(threads) / double(operations)},
                {"allocs", all.allocations / double(operations)}};
    }
    /// The distribution of single calls.
    static void add(figures& to, latencies& times) {
        to.insert(to.end(), {{"p50", times.at(0.5)},
                             {"p99", times.at(0.99)},
                             {"p999", times.at(0.999)},
                             {"max", times.at(1)}});
    }

private:
    request asked_;
    data_set data_;
};

}  // namespace versus

#endif
