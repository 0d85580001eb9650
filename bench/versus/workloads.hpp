// bench/versus/workloads.hpp: what every subject is asked to do, each run in a process of its own;
// those that only read, from get_in_order to seek_10, may share a process and the store it filled.
//
// | workload                         | one operation                                    | db_bench, others            |
// |----------------------------------|--------------------------------------------------|-----------------------------|
// | insert_in_order                  | put, ascending keys                              | fillseq, InsertSequential   |
// | insert_at_random                 | put, each key once, in random order              | filluniquerandom            |
// | fill_at_random                   | put, keys drawn at random, some again            | fillrandom                  |
// | insert_2_threads                 | put, each thread its own ascending keys          | InsertConcurrent            |
// | insert_batch                     | an entry of batches of 1000                      | fillbatch, InsertBatch      |
// | insert_bulk                      | an entry of one piece                            | redb's bulk load            |
// | put_latency                      | put, each one timed, random order                |                             |
// | durable_1, _2, _4, _8            | put that waits for the disk, so many threads     | fillsync                    |
// | durable_batch                    | an entry of batches of 1000 that wait            | redb's batch writes         |
// | get_in_order                     | get, ascending keys                              | GetSequential               |
// | get_at_random                    | get, random order                                | readrandom                  |
// | get_2_threads                    | get, random order, half for each thread          | GetConcurrent               |
// | get_16                           | a key of 16 in one call, random order            | multireadrandom             |
// | get_hot                          | get of 1000 keys at random                       | readhot                     |
// | get_hot_percent                  | get of 1 % of the keys at random                 | readhot                     |
// | get_missing                      | get of a key that is not there                   | readmissing                 |
// | scan, scan_back                  | an entry, in key order and against it            | readseq, readreverse        |
// | seek_10                          | a key at random and 10 entries from it           | seekrandom --seek_nexts=10  |
// | read_while_writing               | get, random order; another thread puts           | readwhilewriting            |
// | overwrite                        | put of a key that is there, random order         | overwrite                   |
// | erase_in_order, erase_at_random  | erase                                            | deleteseq, deleterandom     |
// | compact                          | a live entry of compacting the whole store       | compact                     |
// | space                            | (bytes per entry, closed)                        |                             |
// | reopen, reopen_killed            | open and a first get, after a close, after kill  | open                        |
// | ycsb_A to ycsb_F                 | ycsb.hpp                                         | YCSB                        |
// | ycsb_A_uniform and so on         | the same without popular keys                    | YCSB                        |
// | ycsb_A_2, ycsb_A_uniform_2 ...   | the same of two threads                          | YCSB                        |
//
// `ns`: nanoseconds per operation; with threads, of one thread, so that twice as many threads at
// the same speed have the same figure; of durable ones, wall time over all operations. `allocs`:
// calls of operator new per operation in the timed region. Every run checks what it reads.
#ifndef COFFER_BENCH_VERSUS_WORKLOADS_HPP
#define COFFER_BENCH_VERSUS_WORKLOADS_HPP

#include "changes.hpp"
#include "inserts.hpp"
#include "reads.hpp"
#include "stage.hpp"
#include "subject.hpp"
#include "ycsb.hpp"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace versus {

/// False: the subject cannot do this.
template <class S>
using workload = std::function<bool(const stage<S>&)>;

/// The same on a store that holds all entries, and does so afterwards.
template <class S>
using reading = std::function<bool(const stage<S>&, S&)>;

template <class S>
std::map<std::string, reading<S>> readings() {
    using on_stage = const stage<S>&;
    const auto mixed = [](std::size_t n) { return shuffled(n, 2); };
    return {
        {"get_in_order", [](on_stage on, S& in) { return get(on, in, in_order(on.count())); }},
        {"get_at_random", [=](on_stage on, S& in) { return get(on, in, mixed(on.count())); }},
        {"get_2_threads",
         [=](on_stage on, S& in) { return S::threads && get(on, in, mixed(on.count()), 2); }},
        {"get_hot", [](on_stage on, S& in) { return get_hot(on, in, 1000); }},
        {"get_hot_percent", [](on_stage on, S& in) { return get_hot(on, in, on.count() / 100); }},
        {"get_16", get_16<S>},
        {"get_missing", get_missing<S>},
        {"scan", scan<S>},
        {"scan_back", scan_back<S>},
        {"seek_10", seek_10<S>},
    };
}

template <class S>
std::map<std::string, workload<S>> workloads() {
    using on_stage = const stage<S>&;
    std::map<std::string, workload<S>> all = {
        {"insert_in_order", [](on_stage on) { return insert(on, in_order(on.count())); }},
        {"insert_at_random", [](on_stage on) { return insert(on, shuffled(on.count(), 1)); }},
        {"insert_2_threads",
         [](on_stage on) { return S::threads && insert(on, in_order(on.count()), 2); }},
        {"fill_at_random", fill_at_random<S>},
        {"insert_batch", insert_batch<S>},
        {"insert_bulk", insert_bulk<S>},
        {"put_latency", put_latency<S>},
        {"durable_batch", durable_batch<S>},
        {"read_while_writing", read_while_writing<S>},
        {"overwrite", overwrite<S>},
        {"erase_in_order", [](on_stage on) { return erase(on, in_order(on.count())); }},
        {"erase_at_random", [](on_stage on) { return erase(on, shuffled(on.count(), 4)); }},
        {"compact", compact<S>},
        {"space", space<S>},
        {"reopen", [](on_stage on) { return reopen(on, false); }},
        {"reopen_killed", [](on_stage on) { return reopen(on, true); }},
    };
    for (const std::size_t writers : {1U, 2U, 4U, 8U}) {
        all["durable_" + std::to_string(writers)] = [=](on_stage on) {
            return durable(on, writers);
        };
    }
    for (mix each : mixes) {
        for (const char* draw : {"", "_uniform"}) {
            each.uniform = *draw != '\0';
            if (each.uniform && each.newest) continue;
            const std::string name = std::string("ycsb_") + each.name + draw;
            all[name] = [each](on_stage on) { return ycsb(on, each, 1); };
            all[name + "_2"] = [each](on_stage on) { return ycsb(on, each, 2); };
        }
    }
    return all;
}

/// Does all that is asked; false: the subject can do none of it.
template <class S>
bool run(const request& asked) {
    const auto alone = workloads<S>();
    if (const auto found = alone.find(asked.workload); found != alone.end()) {
        return found->second(stage<S>(asked));
    }
    const auto all = readings<S>();
    std::vector<std::string> names;
    std::istringstream words(asked.workload);
    for (std::string name; std::getline(words, name, ',');) {
        if (all.count(name) == 0) {
            std::fprintf(stderr, "versus: %s is no workload%s\n", name.c_str(),
                         names.empty() ? "" : " that only reads");
            std::exit(2);
        }
        names.push_back(name);
    }
    stage<S> on(asked);
    S store = on.open();
    on.load(store);
    bool any = false;
    for (const std::string& name : names) {
        on.announce(name);
        any |= all.at(name)(on, store);
    }
    return any;
}

using runner = std::function<bool(const request&)>;

/// The subjects of one program, by name.
inline std::map<std::string, runner>& subjects() {
    static std::map<std::string, runner> all;
    return all;
}

template <class S>
void add(const std::string& name) {
    subjects()[name] = run<S>;
}

/// `program subject workload[,workload...] entries folder [bytes of a value [of a key [percent of a
/// value that is random]]]`; without arguments: the names of the subjects. Exit code 3: the subject
/// cannot do that.
inline int main_of(int argc, char** argv) {
    if (argc == 1) {
        for (const auto& each : subjects()) std::printf("%s\n", each.first.c_str());
        return 0;
    }
    request asked;
    if (argc >= 5 && argc <= 8) {
        asked = {argv[1], argv[2], std::strtoull(argv[3], nullptr, 10), argv[4]};
        if (argc > 5) asked.shape.value_bytes = std::strtoull(argv[5], nullptr, 10);
        if (argc > 6) asked.shape.key_bytes = std::strtoull(argv[6], nullptr, 10);
        if (argc > 7) asked.shape.random_percent = std::strtoull(argv[7], nullptr, 10);
    }
    const bool fits = (asked.shape.key_bytes == 8 || asked.shape.key_bytes >= 16) &&  // a number
                      asked.shape.random_percent <= 100;
    if (!fits || subjects().count(asked.subject) == 0) {
        std::fprintf(stderr,
                     "usage: %s [subject workload entries folder [bytes of a value [of a key "
                     "[percent of a value that is random]]]]; keys have 8 bytes, or 16 and more\n",
                     argv[0]);
        return 2;
    }
    return subjects().at(asked.subject)(asked) ? 0 : 3;
}

}  // namespace versus

#endif
