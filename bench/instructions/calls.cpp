// bench/instructions/calls.cpp: the calls whose instructions scripts/instructions counts.
//
//   coffer_instructions                        prints every store and call, a pair on each line
//   coffer_instructions STORE CALL N FOLDER    does 2 N operations; the store lies in FOLDER
//
// Callgrind, started with --instr-atstart=no --collect-atstart=no, counts what this thread does for
// the second N operations and nothing else: neither the making of the data nor opening and filling
// the store, but as much growth as it takes to double. An operation is one entry, also in a batch,
// a group or a scan, and the loop around it. All stores are buffered.
//
// One binary gives the same counts in every run: the data are the same, and so are the seed and the
// time that a store sees. Nothing is cleaned, and every segment has the same size, since both
// depend on when the background thread finds time.
#include <coffer/coffer.hpp>

#include "../versus/data.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <valgrind/callgrind.h>

namespace {

/// The files of the system, with a clock that stands still and numbers that only look random.
struct steady : coffer::fs::native {
    [[nodiscard]] std::uint64_t now() const noexcept { return 1; }
    [[nodiscard]] std::uint64_t coarse_now() const noexcept { return 1; }
    template <class Condition, class Lock>
    void wait_until(Condition& condition, Lock& lock, std::uint64_t) const {
        condition.wait(lock);  // no other time will come
    }
    void random(coffer::mutable_bytes into) const noexcept {
        versus::random_numbers numbers(1);
        for (std::byte& each : into) each = static_cast<std::byte>(numbers() >> 56);
    }
};

void must(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "coffer_instructions: wrong answer: %s\n", what);
    std::exit(1);
}

/// work(from, to) does operations [from, to); those from `count` on are counted.
template <class Work>
void halves(std::size_t count, Work&& work) {
    for (const bool counted : {false, true}) {
        if (counted) {
            CALLGRIND_START_INSTRUMENTATION;
            CALLGRIND_TOGGLE_COLLECT;
        }
        work(counted ? count : 0, counted ? 2 * count : count);
        if (counted) {
            CALLGRIND_TOGGLE_COLLECT;
            CALLGRIND_STOP_INSTRUMENTATION;
        }
    }
}

template <class Store>
class calls {
public:
    calls(std::size_t count, const std::string& folder)
        : count_(count),
          data_(2 * count, {}),
          order_(versus::shuffled(2 * count, 1)),
          folder_(folder),
          store_(Store::open(folder, chosen())) {}

    /// The calls by name, with what runs each of them.
    [[nodiscard]] static std::map<std::string, void (calls::*)()> all() {
        std::map<std::string, void (calls::*)()> out = {
            {"put_in_order", &calls::put_in_order},   {"put_at_random", &calls::put_at_random},
            {"put_over", &calls::put_over},           {"batch_1000", &calls::batch_1000},
            {"view_in_order", &calls::view_in_order}, {"view_at_random", &calls::view_at_random},
            {"view_missing", &calls::view_missing},   {"get_at_random", &calls::get_at_random},
            {"get_many_16", &calls::get_many_16},     {"erase_at_random", &calls::erase_at_random}};
        if constexpr (Store::ordered) {
            out["scan"] = &calls::scan;
            out["seek_10"] = &calls::seek_10;
        }
        return out;
    }

private:
    [[nodiscard]] static coffer::options chosen() {
        coffer::options out;
        out.segment_bytes = std::uint64_t{1} << 20;  // the first one's size
        out.auto_compact = false;
        return out;
    }
    /// Puts every entry, and into the files where there are any: reads from files are checked.
    void fill() {
        for (std::size_t i = 0; i < data_.size(); ++i) store_.put(data_.keys[i], data_.values[i]);
        if constexpr (!Store::volatile_) {
            store_.close();
            store_ = Store::open(folder_, chosen());
        }
    }

    // ---- writing ----

    void put_in_order() {
        halves(count_, [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i) store_.put(data_.keys[i], data_.values[i]);
        });
        must(store_.size() == data_.size(), "the number of entries put in order");
    }
    void put_at_random() {
        halves(count_, [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i) {
                store_.put(data_.keys[order_[i]], data_.values[order_[i]]);
            }
        });
        must(store_.size() == data_.size(), "the number of entries put at random");
    }
    void put_over() {
        fill();
        put_at_random();
    }
    void batch_1000() {
        typename Store::batch batch;
        halves(count_, [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i) {
                batch.put(data_.keys[i], data_.values[i]);
                if (batch.size() < 1000 && i + 1 < to) continue;
                store_.write(batch);
                batch.reset();
            }
        });
        must(store_.size() == data_.size(), "the number of entries put in batches");
    }
    void erase_at_random() {
        fill();
        halves(count_, [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i) store_.erase(data_.keys[order_[i]]);
        });
        must(store_.empty(), "a store whose entries were erased");
    }

    // ---- reading ----

    /// Views the keys that key_of(i) names for each operation i.
    template <class KeyOf>
    void view(std::size_t present, KeyOf&& key_of) {
        std::size_t bytes = 0;
        halves(count_, [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i) {
                store_.view(key_of(i), [&](std::string_view value) { bytes += value.size(); });
            }
        });
        must(bytes == present * 100, "the size of the values viewed");
    }
    void view_in_order() {
        fill();
        view(data_.size(), [&](std::size_t i) -> const std::string& { return data_.keys[i]; });
    }
    void view_at_random() {
        fill();
        view(data_.size(),
             [&](std::size_t i) -> const std::string& { return data_.keys[order_[i]]; });
    }
    void view_missing() {
        std::vector<std::string> absent;
        for (const std::uint32_t each : order_)
            absent.push_back(versus::absent_key(each, data_.keys[0].size()));
        fill();
        view(0, [&](std::size_t i) -> const std::string& { return absent[i]; });
    }
    void get_at_random() {
        fill();
        std::size_t bytes = 0;
        halves(count_, [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i) {
                bytes += store_.get(data_.keys[order_[i]]).value().size();
            }
        });
        must(bytes == data_.size() * 100, "the size of the values got");
    }
    void get_many_16() {
        fill();
        std::vector<std::string_view> keys;
        std::vector<std::optional<std::string>> out(16);
        std::size_t bytes = 0;
        halves(count_, [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i) {
                keys.push_back(data_.keys[order_[i]]);
                if (keys.size() < out.size() && i + 1 < to) continue;
                store_.get_many(keys, out);
                for (std::size_t k = 0; k < keys.size(); ++k) bytes += out[k].value().size();
                keys.clear();
            }
        });
        must(bytes == data_.size() * 100, "the size of the values got in groups");
    }
    void scan()
        requires Store::ordered
    {
        fill();
        std::size_t bytes = 0;
        halves(count_, [&](std::size_t from, std::size_t to) {
            std::size_t left = to - from;
            store_.for_each(store_.from(data_.keys[from]),
                            [&](std::string_view, std::string_view value) {
                                bytes += value.size();
                                return --left != 0;
                            });
        });
        must(bytes == data_.size() * 100, "the size of the values scanned");
    }
    /// The ten entries from a key on, keys at random.
    void seek_10()
        requires Store::ordered
    {
        fill();
        std::size_t entries = 0;
        halves(count_, [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i) {
                std::size_t left = 10;
                store_.for_each(store_.from(data_.keys[order_[i]]),
                                [&](std::string_view, std::string_view) {
                                    ++entries;
                                    return --left != 0;
                                });
            }
        });
        must(entries > data_.size() * 10 - 100, "the number of entries behind keys");
    }

    std::size_t count_;
    versus::data_set data_;
    std::vector<std::uint32_t> order_;
    std::string folder_;
    Store store_;
};

struct request {
    std::string store;
    std::string call;
    std::size_t count;
    std::string folder;
};

/// Does what is asked of this store, or, if nothing is, prints its calls. True: it was meant.
template <class... Policies>
bool offer(const std::string& name, const request& asked) {
    using store =
        coffer::store<std::string, std::string, Policies..., steady, coffer::durability::buffered>;
    if (!asked.store.empty() && asked.store != name) return false;
    const auto all = calls<store>::all();
    if (asked.store.empty()) {
        for (const auto& [call, run] : all) std::printf("%s %s\n", name.c_str(), call.c_str());
        return true;
    }
    const auto found = all.find(asked.call);
    if (found == all.end()) return false;
    calls<store> one(asked.count, asked.folder);
    (one.*found->second)();
    return true;
}

bool offer_all(const request& asked) {
    using coffer::index::hash;
    using coffer::index::sorted;
    using coffer::storage::file_log;
    using coffer::storage::map;
    using coffer::storage::mmap;
    using coffer::threading::single;
    bool any = false;
    any |= offer<file_log, hash>("file_log/hash", asked);
    any |= offer<file_log, sorted>("file_log/sorted", asked);
    any |= offer<file_log, hash, single>("file_log/hash/single", asked);
    any |= offer<file_log, sorted, single>("file_log/sorted/single", asked);
    any |= offer<map, hash>("map/hash", asked);
    any |= offer<map, sorted>("map/sorted", asked);
    any |= offer<mmap, hash>("mmap/hash", asked);
    return any;
}

}  // namespace

int main(int argc, char** argv) {
    request asked = {};
    if (argc == 5) asked = {argv[1], argv[2], std::strtoull(argv[3], nullptr, 10), argv[4]};
    if ((argc == 1 || (argc == 5 && asked.count != 0)) && offer_all(asked)) return 0;
    std::fprintf(stderr, "usage: %s [STORE CALL N FOLDER]\n", argv[0]);
    return 2;
}
