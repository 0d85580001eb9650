// The same workload on either file system, for scripts/fidelity.
//
//   fidelity_workload <subject> simulated         prints the calls on the simulated disk
//   fidelity_workload <subject> native <folder>   makes them in a folder, for strace to see
//   fidelity_workload                             prints the subjects
//
// Without a thread of the library, so that the order of calls is the program's: no async, and
// cleaning only when it is asked for.
#include <coffer/coffer.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>

namespace {

namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace index = coffer::index;

coffer::options chosen() {
    coffer::options out;
    out.segment_bytes = 64 * 1024;
    out.buffer_bytes = 8 * 1024;
    out.interval = std::chrono::hours(1);
    out.auto_compact = false;
    return out;
}

template <class Store, class FS>
void work(const std::string& path, const FS& system) {
    std::mt19937 random(42);
    Store db = Store::open(path, chosen(), system);
    for (int i = 0; i < 400; ++i) {
        const std::string key = "key " + std::to_string(random() % 60);
        switch (random() % 24) {
            case 0:
                db.erase(key);
                break;
            case 1: {
                typename Store::batch all;
                for (int k = 0; k < 5; ++k) all.put(key + std::to_string(k), "of a batch");
                all.erase(key);
                db.write(all);
                break;
            }
            case 2:
                db.flush();
                break;
            case 3:
                db.sync();
                break;
            case 4:
                if (i % 3 == 0) db.compact();
                break;
            case 5:
                static_cast<void>(db.get(key));
                break;
            case 6:
                if (i % 4 != 0) break;
                db.close();
                db = Store::open(path, chosen(), system);
                break;
            case 7:
                if (i % 7 == 0) db.clear();
                break;
            case 8:
                static_cast<void>(db.verify());
                break;
            case 9:
                Store::open_read_only(path, chosen(), system).for_each([](auto&&, auto&&) {});
                break;
            default:
                db.put(key, std::string(random() % 3000, 'v'));
                break;
        }
    }
    db.close();
}

template <class FS, class... Policies>
using store = coffer::store<std::string, std::string, FS, coffer::threading::single, Policies...>;

void print(const coffer::fs::step& each) {
    const auto name = [](const std::string& path) {
        const std::string last = path.substr(path.rfind('/') + 1);
        return path == "/s" ? std::string(".") : last.empty() ? path : last;
    };
    std::printf("%s %s %s %llu %llu\n", name_of(each.is), name(each.path).c_str(),
                each.to.empty() ? "-" : name(each.to).c_str(),
                static_cast<unsigned long long>(each.offset),
                static_cast<unsigned long long>(each.length));
}

template <class... Policies>
int run(int count, char** arguments) {
    if (count == 3 && std::strcmp(arguments[2], "simulated") == 0) {
        const coffer::fs::simulated disk;
        disk.set_traced(true);
        work<store<coffer::fs::simulated, Policies...>>("/s", disk);
        for (const coffer::fs::step& each : disk.take_trace()) print(each);
        return 0;
    }
    if (count == 4 && std::strcmp(arguments[2], "native") == 0) {
        work<store<coffer::fs::native, Policies...>>(arguments[3], coffer::fs::native());
        return 0;
    }
    std::fprintf(stderr, "fidelity_workload: simulated, or native and a folder\n");
    return 2;
}

struct subject {
    const char* name;
    int (*run)(int, char**);
};

constexpr subject subjects[] = {
    {"file_log-sync-hash", run<storage::file_log, durability::sync, index::hash>},
    {"file_log-sync-sorted", run<storage::file_log, durability::sync, index::sorted>},
    {"file_log-write_through-hash", run<storage::file_log, durability::write_through, index::hash>},
    {"file_log-write_through-sorted",
     run<storage::file_log, durability::write_through, index::sorted>},
    {"file_log-buffered-hash", run<storage::file_log, durability::buffered, index::hash>},
    {"file_log-buffered-sorted", run<storage::file_log, durability::buffered, index::sorted>},
    {"mmap-sync-hash", run<storage::mmap, durability::sync, index::hash>},
    {"mmap-sync-sorted", run<storage::mmap, durability::sync, index::sorted>},
    {"mmap-write_through-hash", run<storage::mmap, durability::write_through, index::hash>},
    {"mmap-write_through-sorted", run<storage::mmap, durability::write_through, index::sorted>},
    {"mmap-buffered-hash", run<storage::mmap, durability::buffered, index::hash>},
    {"mmap-buffered-sorted", run<storage::mmap, durability::buffered, index::sorted>},
};

}  // namespace

int main(int count, char** arguments) {
    for (const subject& each : subjects) {
        if (count == 1) std::puts(each.name);
        if (count > 1 && std::strcmp(arguments[1], each.name) == 0)
            return each.run(count, arguments);
    }
    return count == 1 ? 0 : 2;
}
