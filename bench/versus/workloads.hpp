// bench/versus/workloads.hpp: what every subject is asked to do, each run in a process of its own.
//
// A subject S is a store behind a small face; all of them are called alike, through std::string:
//
// | expression                    | promise                                                         |
// |-------------------------------|-----------------------------------------------------------------|
// | `S(folder, durable, entries)` | opens the store in a folder, with room for so many entries; durable: every put is on the disk when it returns |
// | `s.put(key, value)`           | inserts or overwrites                                           |
// | `s.get(key, out)`             | copies the value into a string that is used again; false: none  |
// | `s.erase(key)`                |                                                                 |
// | `s.write(keys, values, n)`    | optional: n entries as one batch                                |
// | `s.get_many(keys, out)`       | optional: some lookups at once; how many were found             |
// | `s.scan(visit)`               | optional: all entries in key order                              |
// | `s.scan_from(key, n, visit)`  | optional: n entries from a key on                               |
// | `s.flush()`                   | what was put is with the operating system                       |
// | `s.sync()`                    | what was put is on the disk                                     |
// | destruction                   | closes                                                          |
// | `S::persistent`, `S::threads` | does it outlive the process; may several threads use it         |
//
// Figures are nanoseconds per operation. Inserts end with flush(), inside the timed region;
// `synced_ns` is the same with sync() and closing. Every run checks what it reads.
#ifndef COFFER_BENCH_VERSUS_WORKLOADS_HPP
#define COFFER_BENCH_VERSUS_WORKLOADS_HPP

#include "data.hpp"
#include "measure.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace versus {

struct request {
    std::string subject;
    std::string workload;
    std::size_t count;
    std::string folder;
};

inline void must(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "versus: wrong answer: %s\n", what);
    std::exit(1);
}

template <class S>
class runs {
public:
    explicit runs(const request& asked) : asked_(asked), data_(asked.count) {
        std::filesystem::remove_all(asked_.folder);
        std::filesystem::create_directories(asked_.folder);
    }
    ~runs() { std::filesystem::remove_all(asked_.folder); }
    runs(const runs&) = delete;
    runs& operator=(const runs&) = delete;

    /// False: the subject cannot do this.
    bool run() {
        const std::string& name = asked_.workload;
        if (name == "insert_in_order") return insert(in_order(), 1), true;
        if (name == "insert_at_random") return insert(shuffled(count(), 1), 1), true;
        if (name == "insert_2_threads") return S::threads && (insert(in_order(), 2), true);
        if (name == "insert_batch") return batches();
        if (name == "put_latency") return put_latency(), true;
        if (name == "get_in_order") return reads(in_order()), true;
        if (name == "get_at_random") return reads(shuffled(count(), 2)), true;
        if (name == "get_16") return groups(shuffled(count(), 2));
        if (name == "get_hot") return reads(hot()), true;
        if (name == "get_missing") return missing(), true;
        if (name == "scan") return scan();
        if (name == "seek_10") return seek();
        if (name == "overwrite") return overwrite(), true;
        if (name == "erase_in_order") return erases(in_order()), true;
        if (name == "erase_at_random") return erases(shuffled(count(), 4)), true;
        if (name == "read_while_writing") return S::threads && (read_while_writing(), true);
        if (name == "space") return S::persistent && (space(), true);
        if (name == "reopen") return S::persistent && (reopen(false), true);
        if (name == "reopen_killed") return S::persistent && (reopen(true), true);
        for (const int writers : {1, 2, 4, 8}) {
            if (name == "durable_" + std::to_string(writers)) {
                return S::persistent && (S::threads || writers == 1) && (durable(writers), true);
            }
        }
        if (name.size() == 6 && name.starts_with("ycsb_")) return ycsb(name[5]);
        return false;
    }

private:
    using order = std::vector<std::uint32_t>;

    [[nodiscard]] std::size_t count() const { return data_.size(); }
    [[nodiscard]] S open(bool synced = false) const {
        return S(asked_.folder, synced, asked_.count);
    }
    [[nodiscard]] order in_order() const {
        order all(count());
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint32_t>(i);
        return all;
    }
    [[nodiscard]] order hot() const {
        order all(count());
        random_numbers random(3);
        for (auto& each : all) each = static_cast<std::uint32_t>(random.below(1000) * 7 % count());
        return all;
    }
    void load(S& store) const {
        if constexpr (requires { store.write(data_.keys.data(), data_.values.data(), count()); }) {
            for (std::size_t at = 0; at < count(); at += 1000) {
                store.write(&data_.keys[at], &data_.values[at],
                            (std::min)(count() - at, size_t{1000}));
            }
        } else {
            for (std::size_t i = 0; i < count(); ++i) store.put(data_.keys[i], data_.values[i]);
        }
    }
    void say(double seconds, std::size_t operations) const {
        tell(asked_.subject, asked_.workload, count(),
             {{"ns", seconds * 1e9 / double(operations)}});
    }

    void insert(const order& places, std::size_t threads) {
        std::optional<S> store(open());
        const double began = now();
        const auto part = [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i) {
                store->put(data_.keys[places[i]], data_.values[places[i]]);
            }
        };
        {
            std::vector<std::thread> others;
            const std::size_t share = places.size() / threads;
            for (std::size_t i = 1; i < threads; ++i) {
                others.emplace_back(part, i * share,
                                    i + 1 == threads ? places.size() : (i + 1) * share);
            }
            part(0, threads == 1 ? places.size() : share);
            for (auto& each : others) each.join();
        }
        store->flush();
        finish(store, began, now(), threads);
    }
    bool batches() {
        if constexpr (requires(S& s) {
                          s.write(data_.keys.data(), data_.values.data(), count());
                      }) {
            std::optional<S> store(open());
            const double began = now();
            load(*store);
            store->flush();
            finish(store, began, now(), 1);
            return true;
        }
        return false;
    }
    void finish(std::optional<S>& store, double began, double put, std::size_t threads) {
        const double memory = private_bytes() - data_bytes_;
        std::string out;
        for (std::size_t i = 0; i < count(); i += 997) {
            must(store->get(data_.keys[i], out) && out == data_.values[i], "a value after inserts");
        }
        const double before_sync = now();
        store->sync();
        store.reset();
        const double per = 1e9 / double(count());
        const double wall = put - began;
        tell(asked_.subject, asked_.workload, count(),
             {{"ns", wall * per * double(threads)},
              {"synced_ns", (wall + now() - before_sync) * per * double(threads)},
              {"memory", memory / double(count())}});
    }

    void put_latency() {
        S store = open();
        latencies times;
        for (const std::uint32_t at : shuffled(count(), 1)) {
            const double began = now();
            store.put(data_.keys[at], data_.values[at]);
            times.add(now() - began);
        }
        tell_latencies(times);
    }
    void tell_latencies(latencies& times) const {
        tell(asked_.subject, asked_.workload, count(),
             {{"ns", times.at(0.5)},
              {"p99", times.at(0.99)},
              {"p999", times.at(0.999)},
              {"max", times.at(1)}});
    }

    void reads(const order& places) {
        S store = open();
        load(store);
        std::string out;
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < count() / 10; ++i) store.get(data_.keys[places[i]], out);
        const double began = now();
        for (const std::uint32_t at : places) {
            must(store.get(data_.keys[at], out), "a key that is there");
            bytes += out.size();
        }
        say(now() - began, places.size());
        must(bytes == places.size() * 100, "the size of the values");
        must(out == data_.values[places.back()], "the last value");
    }
    bool groups(const order& places) {
        constexpr std::size_t group = 16;
        if constexpr (requires(S& s, std::vector<std::string_view>& k,
                               std::span<std::optional<std::string>> o) { s.get_many(k, o); }) {
            S store = open();
            load(store);
            std::optional<std::string> out[group];
            std::vector<std::string_view> keys(group);
            std::size_t found = 0, asked = 0;
            const double began = now();
            for (std::size_t at = 0; at + group <= places.size(); at += group) {
                for (std::size_t i = 0; i < group; ++i) keys[i] = data_.keys[places[at + i]];
                found += store.get_many(keys, out);
                asked += group;
            }
            say(now() - began, asked);
            must(found == asked, "keys that are there");
            return true;
        }
        return false;
    }
    void missing() {
        S store = open();
        load(store);
        std::vector<std::string> absent;
        for (const std::uint32_t at : shuffled(count(), 5)) absent.push_back(key_of(2 * at + 1));
        std::string out;
        std::size_t found = 0;
        const double began = now();
        for (const std::string& key : absent) found += store.get(key, out);
        say(now() - began, absent.size());
        must(found == 0, "keys that are not there");
    }

    bool scan() {
        if constexpr (requires(S& s) { s.scan([](std::string_view, std::string_view) {}); }) {
            S store = open();
            load(store);
            std::size_t entries = 0, bytes = 0;
            bool ascending = true;
            char last[16] = {};
            const double began = now();
            store.scan([&](std::string_view key, std::string_view value) {
                ascending = ascending && std::string_view(last, 16) < key;
                key.copy(last, 16);
                ++entries;
                bytes += value.size();
            });
            say(now() - began, entries);
            must(entries == count() && bytes == 100 * count() && ascending, "a scan");
            return true;
        }
        return false;
    }
    bool seek() {
        if constexpr (requires(S& s) {
                          s.scan_from(data_.keys[0], 10, [](std::string_view, std::string_view) {});
                      }) {
            S store = open();
            load(store);
            const order places = shuffled(count(), 6);
            const std::size_t seeks = count() / 10;
            std::size_t entries = 0;
            const double began = now();
            for (std::size_t i = 0; i < seeks; ++i) {
                store.scan_from(data_.keys[places[i]], 10,
                                [&](std::string_view, std::string_view) { ++entries; });
            }
            say(now() - began, seeks);
            must(entries > 9 * seeks, "short scans");
            return true;
        }
        return false;
    }

    void overwrite() {
        S store = open();
        load(store);
        latencies times;
        const std::size_t rounds = 3;
        const double began = now();
        for (std::size_t round = 0; round < rounds; ++round) {
            const order places = shuffled(count(), 10 + round);
            for (std::size_t i = 0; i < places.size(); ++i) {
                const double before = i % 16 == 0 ? now() : 0;
                store.put(data_.keys[places[i]], data_.values[places[i]]);
                if (i % 16 == 0) times.add(now() - before);
            }
        }
        store.flush();
        const double seconds = now() - began;
        tell(asked_.subject, asked_.workload, count(),
             {{"ns", seconds * 1e9 / double(rounds * count())},
              {"p99", times.at(0.99)},
              {"p999", times.at(0.999)},
              {"max", times.at(1)},
              {"space",
               S::persistent ? bytes_on_disk(asked_.folder) / (116.0 * double(count())) : 0}});
    }
    void erases(const order& places) {
        S store = open();
        load(store);
        const double began = now();
        for (const std::uint32_t at : places) store.erase(data_.keys[at]);
        store.flush();
        say(now() - began, places.size());
        std::string out;
        must(!store.get(data_.keys[places[0]], out), "an erased key");
    }
    void read_while_writing() {
        S store = open();
        load(store);
        std::atomic<bool> over{false};
        std::atomic<std::size_t> written{0};
        std::thread writer([&] {
            random_numbers random(8);
            while (!over.load(std::memory_order_relaxed)) {
                const std::size_t at = random.below(count());
                store.put(data_.keys[at], data_.values[at]);
                written.fetch_add(1, std::memory_order_relaxed);
                std::this_thread::sleep_for(std::chrono::microseconds(50));
            }
        });
        const order places = shuffled(count(), 2);
        std::string out;
        const double began = now();
        for (const std::uint32_t at : places) must(store.get(data_.keys[at], out), "a key");
        say(now() - began, places.size());
        over = true;
        writer.join();
    }

    void durable(int writers) {
        S store = open(true);
        const std::size_t each = (std::min)(count(), std::size_t{4000} * (writers > 2 ? 2 : 1)) /
                                 static_cast<std::size_t>(writers);
        const double began = now();
        std::vector<std::thread> all;
        for (int w = 0; w < writers; ++w) {
            all.emplace_back([&, w] {
                const std::size_t first = static_cast<std::size_t>(w) * each;
                for (std::size_t i = first; i < first + each; ++i) {
                    store.put(data_.keys[i], data_.values[i]);
                }
            });
        }
        for (auto& one : all) one.join();
        say(now() - began, each * static_cast<std::size_t>(writers));
    }

    void space() {
        {
            S store = open();
            load(store);
            store.sync();
        }
        tell(asked_.subject, asked_.workload, count(),
             {{"bytes", bytes_on_disk(asked_.folder) / double(count())}});
    }
    /// Open, first get, and the same after the process that wrote was killed.
    void reopen(bool killed) {
        const ::pid_t child = ::fork();
        if (child == 0) {
            {
                S store = open();
                load(store);
                store.flush();
                if (killed) ::kill(::getpid(), SIGKILL);
            }
            std::_Exit(0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        must(killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0,
             "the child that fills the store");
        std::string out;
        const double began = now();
        S store = open();
        const bool found = store.get(data_.keys[count() / 2], out);
        const double seconds = now() - began;
        must(found && out == data_.values[count() / 2], "a value after reopening");
        tell(asked_.subject, asked_.workload, count(), {{"ns", seconds * 1e9}});
    }

    /// Cooper et al., "Benchmarking Cloud Serving Systems with YCSB", 2010; 100-byte values.
    bool ycsb(char letter) {
        S store = open();
        load(store);
        zipfian zipf(count(), 9);
        random_numbers random(10);
        std::string out;
        std::size_t next = count();
        std::size_t seen = 0;
        struct share {
            double update, insert, scan, modify;
        };
        const std::map<char, share> mixes = {{'A', {0.5, 0, 0, 0}},     {'B', {0.05, 0, 0, 0}},
                                             {'C', {0, 0, 0, 0}},       {'D', {0, 0.05, 0, 0}},
                                             {'E', {0, 0.05, 0.95, 0}}, {'F', {0, 0, 0, 0.5}}};
        const auto found = mixes.find(letter);
        if (found == mixes.end()) return false;
        const share mix = found->second;
        constexpr bool scans =
            requires(S& s) { s.scan_from(out, 10, [](std::string_view, std::string_view) {}); };
        if (mix.scan != 0 && !scans) return false;
        struct operation {
            double kind;
            std::uint32_t at;
            std::uint32_t length;
        };
        std::vector<operation> all(letter == 'E' ? count() / 10 : count());
        for (operation& each : all) {
            each = {random.unit(), static_cast<std::uint32_t>(zipf()),
                    static_cast<std::uint32_t>(1 + random.below(100))};
        }
        std::vector<std::string> fresh;
        for (std::size_t i = 0; i < all.size() / 10 + 100; ++i)
            fresh.push_back(key_of(2 * (next + i)));
        std::size_t inserted = 0;
        const double began = now();
        for (const operation& each : all) {
            std::size_t at = each.at;
            if (each.kind < mix.update) {
                store.put(data_.keys[at], data_.values[at]);
            } else if (each.kind < mix.update + mix.insert) {
                if (inserted < fresh.size()) store.put(fresh[inserted++], data_.values[at]);
            } else if (each.kind < mix.update + mix.insert + mix.modify) {
                seen += store.get(data_.keys[at], out);
                store.put(data_.keys[at], data_.values[at]);
            } else if (mix.scan != 0) {
                if constexpr (scans) {
                    store.scan_from(data_.keys[at], each.length,
                                    [&](std::string_view, std::string_view) { ++seen; });
                }
            } else if (letter == 'D') {  // the newest are read most
                const std::size_t all_keys = count() + inserted;
                const std::size_t back = at % 1000;
                const std::size_t which = all_keys - 1 - back;
                seen +=
                    store.get(which < count() ? data_.keys[which] : fresh[which - count()], out);
            } else {
                seen += store.get(data_.keys[at], out);
            }
        }
        store.flush();
        say(now() - began, all.size());
        must(seen != 0, "reads of a mix");
        return true;
    }

    request asked_;
    data_set data_;
    double data_bytes_ = private_bytes();
};

using runner = std::function<bool(const request&)>;

/// The subjects of one program, by name.
inline std::map<std::string, runner>& subjects() {
    static std::map<std::string, runner> all;
    return all;
}

template <class S>
void add(const std::string& name) {
    subjects()[name] = [](const request& asked) { return runs<S>(asked).run(); };
}

/// `program subject workload entries folder`; without arguments: the names of the subjects. Exit
/// code 3: the subject cannot do that.
inline int main_of(int argc, char** argv) {
    if (argc == 1) {
        for (const auto& [name, run] : subjects()) std::printf("%s\n", name.c_str());
        return 0;
    }
    if (argc != 5 || subjects().count(argv[1]) == 0) {
        std::fprintf(stderr, "usage: %s [subject workload entries folder]\n", argv[0]);
        return 2;
    }
    const request asked{argv[1], argv[2], std::strtoull(argv[3], nullptr, 10), argv[4]};
    return subjects().at(argv[1])(asked) ? 0 : 3;
}

}  // namespace versus

#endif
