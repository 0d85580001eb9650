// What many threads may rely on, over every combination under threading::multi.
//
// COFFER_THREAD_OPS is the number of operations that each thread makes. Threads expect by throwing;
// the thread that made them reports.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eventually.hpp"
#include "law.hpp"
#include "model.hpp"
#include "together.hpp"

using namespace laws;

namespace {

std::size_t operations() {
    return static_cast<std::size_t>(number_from("COFFER_THREAD_OPS", 150));
}

// ---- everything at once -------------------------------------------------------------------------

/// One of the threads: keys of its own, of which it knows everything, and keys of all, whose values
/// name their key.
class resident {
public:
    resident(any_store& store, std::size_t number)
        : store_(&store), mine_("t" + std::to_string(number) + ":"), random_(number + 1) {}

    void step() {
        switch (random_.below(16)) {
            case 0:
            case 1:
            case 2:
                return put();
            case 3:
                return insert();
            case 4:
                return erase();
            case 5:
                return batch();
            case 6:
                return put_of_all();
            case 7:
            case 8:
                return get_of_all();
            case 9:
                return walk();
            case 10:
                return random_.one_in(20) ? good(store_->compact()) : get();
            case 11:
                return random_.one_in(8) ? good(store_->sync()) : good(store_->flush());
            default:
                return get();
        }
    }

    /// The same data behind another object.
    void go_on_in(any_store& reopened) { store_ = &reopened; }

    /// Whatever happened meanwhile, its own keys are as it left them.
    void check_all() {
        for (const auto& [key, value] : model_)
            expect(good(store_->get(key)) == value, "its own key is as it left it");
        walk();
    }

private:
    std::string key() { return mine_ + std::to_string(random_.below(30)); }
    std::string value() {
        return std::string(random_.below(120), static_cast<char>('a' + random_.below(26)));
    }
    static std::string key_of_all(std::size_t number) { return "all:" + std::to_string(number); }

    void put() {
        const std::string at = key();
        model_[at] = value();
        good(store_->put(at, model_[at]));
        expect(good(store_->get(at)) == model_[at], "G-D3: it reads what it wrote");
    }
    void insert() {
        const std::string at = key();
        const std::string what = value();
        expect(good(store_->insert(at, what)) == model_.emplace(at, what).second,
               "insert knows its keys");
    }
    void erase() {
        const std::string at = key();
        expect(good(store_->erase(at)) == (model_.erase(at) == 1), "erase knows its keys");
        expect(!good(store_->contains(at)), "it sees what it erased");
    }
    void batch() {
        changes all;
        for (std::size_t i = random_.below(6) + 1; i > 0; --i) {
            all.push_back(
                {random_.one_in(3) ? change::kind::erase : change::kind::put, key(), value()});
        }
        good(store_->write(all));
        carry_out(model_, all);
        for (const change& each : all) {
            const auto found = good(store_->get(each.key));
            expect(found ? model_.count(each.key) == 1 && model_[each.key] == *found
                         : model_.count(each.key) == 0,
                   "it reads what its batch wrote");
        }
    }
    void get() {
        const std::string at = key();
        const auto found = good(store_->get(at));
        expect(found ? model_.count(at) == 1 && model_[at] == *found : model_.count(at) == 0,
               "its keys are as it left them");
    }

    void put_of_all() {
        const std::string one = key_of_all(random_.below(10));
        const std::string other = key_of_all(random_.below(10));
        switch (random_.below(4)) {
            case 0:
                return good(store_->put(one, one + "!" + value()));
            case 1:
                return static_cast<void>(good(store_->insert(one, one + "!" + value())));
            case 2:
                return static_cast<void>(good(store_->erase(one)));
            default:
                break;
        }
        good(store_->write({{change::kind::put, one, one + "!" + value()},
                            {change::kind::erase, other},
                            {change::kind::put, other, other + "!"}}));
    }
    void get_of_all() {
        const std::string one = key_of_all(random_.below(10));
        const auto found = random_.one_in(2) ? good(store_->get(one)) : good(store_->view(one));
        expect(!found || found->starts_with(one + "!"),
               "a value is one that was written to its key");
    }

    /// A walk meets its own keys, which nobody else changes, exactly as they are.
    void walk() {
        rows found = good(random_.one_in(2) ? store_->iterate() : store_->for_each());
        std::set<std::string> met;
        map_model own;
        for (const row& each : found) {
            expect(met.insert(each.key).second, "a walk meets no key twice");
            if (each.key.starts_with(mine_)) own.emplace(each.key, each.value);
            expect(!each.key.starts_with("all:") || each.value.starts_with(each.key + "!"),
                   "nor a value of another key");
        }
        expect(own == model_, "a walk meets every key that is there throughout");
        const auto ranged = store_->in({part::kind::prefix, mine_, {}}, random_.one_in(2));
        if (!ranged) return fails(ranged, errc::invalid_argument);  // on hash
        map_model in_order;
        for (const row& each : *ranged) in_order.emplace(each.key, each.value);
        expect(in_order == model_ && ranged->size() == model_.size(), "so does a range");
    }

    any_store* store_;
    std::string mine_;
    random_numbers random_;
    map_model model_;
};

void everything_at_once(const combination& choice) {
    coffer::options chosen = small_segments();
    chosen.buffer_bytes = 5000;
    chosen.max_bytes = 20'000;
    chosen.max_delay = std::chrono::milliseconds(1);
    chosen.interval = std::chrono::milliseconds(1);
    opened store(choice, chosen);
    const std::size_t count = choice.simulated ? operations() : operations() / 4;
    std::vector<resident> residents;
    for (std::size_t i = 0; i < 8; ++i) residents.emplace_back(*store, i);
    together(8, [&](std::size_t i) {
        for (std::size_t n = 0; n < count; ++n) residents[i].step();
        residents[i].check_all();
    });
    for (resident& each : residents) each.check_all();
    expect(good(store->verify()).ok(), "nothing is damaged");
    expect(good(store->size()) == good(store->iterate()).size(), "size counts the entries");
    if (choice.persistent) store.reopen();
    for (resident& each : residents) each.go_on_in(*store);
    for (resident& each : residents) each.check_all();
    if (choice.persistent) expect(good(store->recovery()).clean, "closed, so clean");
}

// ---- batches ------------------------------------------------------------------------------------

/// Readers see all of a batch or none: whoever has seen the n-th write to one key never sees an
/// older one to another. With `clears` each batch begins with clear, and readers still never miss a
/// key.
void batches_are_seen_whole(const combination& choice, bool clears) {
    opened store(choice, small_segments());
    constexpr std::size_t keys = 5;
    const std::size_t count = choice.simulated ? operations() * 2 : operations() / 2;
    const auto batch = [&](std::size_t number) {
        changes out;
        if (clears) out.push_back({change::kind::clear});
        for (std::size_t i = 0; i < keys; ++i)
            out.push_back({change::kind::put, std::to_string(i), std::to_string(number)});
        if (!clears)
            out.push_back(
                {change::kind::put, "fill" + std::to_string(number % 50), std::string(200, 'f')});
        return out;
    };
    good(store->write(batch(0)));
    std::atomic<bool> over{false};
    together(5, [&](std::size_t thread) {
        if (thread == 0) {
            const at_scope_end done([&] { over = true; });
            for (std::size_t n = 1; n <= count; ++n) good(store->write(batch(n)));
        } else if (thread == 1) {
            while (!over) {
                good(store->flush());
                good(store->compact());
            }
        } else {
            random_numbers random(thread);
            std::uint64_t latest = 0;
            const auto saw = [&](const std::optional<std::string>& value) {
                expect(value.has_value(), "no batch is seen half: a key is missing");
                const std::uint64_t number = std::stoull(*value);
                expect(number >= latest,
                       "no batch is seen half: an older value behind a newer one");
                latest = number;
            };
            const std::vector<std::string> all = {"0", "1", "2", "3", "4"};
            while (!over) {
                for (int i = 0; i < 20; ++i)
                    saw(good(store->get(std::to_string(random.below(keys)))));
                for (const auto& each : good(store->get_many(all, all.size()))) saw(each);
            }
        }
    });
    for (std::size_t i = 0; i < keys; ++i)
        expect(good(store->get(std::to_string(i))) == std::to_string(count),
               "the last batch stays");
}

// ---- conditional writes -------------------------------------------------------------------------

void conditional_writes_are_exclusive(const combination& choice) {
    opened store(choice, small_segments());
    const std::size_t rounds =
        (std::max)(std::size_t{10}, choice.simulated ? operations() / 3 : operations() / 10);
    constexpr std::size_t contenders = 8;
    std::vector<std::atomic<int>> inserted(rounds);
    std::vector<std::atomic<int>> erased(rounds);
    std::vector<std::atomic<std::size_t>> winner(rounds);
    const auto key = [](std::size_t round) { return "round" + std::to_string(round); };
    together(contenders, [&](std::size_t me) {
        for (std::size_t i = 0; i < rounds; ++i) {
            if (!good(store->insert(key(i), std::to_string(me)))) continue;
            ++inserted[i];
            winner[i] = me;
            expect(good(store->get(key(i))) == std::to_string(me), "who won reads its own");
        }
    });
    for (std::size_t i = 0; i < rounds; ++i) {
        expect(inserted[i] == 1, "of many inserts exactly one wins");
        expect(good(store->get(key(i))) == std::to_string(winner[i].load()),
               "and its value is the one that is there");
    }
    expect(good(store->size()) == rounds, "each counts once");
    together(contenders, [&](std::size_t) {
        for (std::size_t i = 0; i < rounds; ++i) {
            if (good(store->erase(key(i)))) ++erased[i];
        }
    });
    for (std::size_t i = 0; i < rounds; ++i)
        expect(erased[i] == 1, "of many erases exactly one wins");
    expect(good(store->empty()) && good(store->iterate()).empty(), "and nothing is left");
}

/// size() is linearizable: it counts every put that had returned before it was called, also where
/// another thread's sync() is what made that put true.
void size_counts_what_returned(const combination& choice) {
    opened store(choice, small_segments());
    const std::size_t count = choice.simulated ? operations() : operations() / 10;
    std::atomic<int> writing{4};
    std::atomic<std::uint64_t> begun{0};
    std::atomic<std::uint64_t> returned{0};
    const auto counted = [&] {
        const std::uint64_t least = returned;
        const std::uint64_t size = good(store->size());
        const std::uint64_t most = begun;
        expect(least <= size, "size counts what had returned before");
        expect(size <= most, "and nothing that had not begun");
    };
    together(6, [&](std::size_t me) {
        if (me >= 4) {
            while (writing != 0) {
                good(me == 4 ? store->sync() : store->flush());
                counted();
            }
            return;
        }
        const at_scope_end less([&] { --writing; });
        for (std::size_t i = 1; i <= count; ++i) {
            const std::string key = std::to_string(me) + ":" + std::to_string(i);
            ++begun;
            if (i % 3 == 0) {
                good(store->write({{change::kind::put, key, "v"}, {change::kind::put, key, "w"}}));
            } else {
                good(store->put(key, "v"));
            }
            ++returned;
            counted();
        }
    });
    expect(good(store->size()) == 4 * count, "and in the end, all");
}

// ---- growth -------------------------------------------------------------------------------------

/// Keys that stay are never missed, while others come and go, the index grows and segments are
/// cleaned.
void readers_miss_nothing(const combination& choice) {
    opened store(choice, small_segments());
    constexpr std::size_t stable = 120;
    for (std::size_t i = 0; i < stable; ++i)
        good(store->put("stays" + std::to_string(i), std::to_string(i)));
    const std::size_t count = choice.simulated ? operations() * 10 : operations();
    std::atomic<bool> over{false};
    together(4, [&](std::size_t thread) {
        if (thread == 0) {
            const at_scope_end done([&] { over = true; });
            changes some;
            for (std::size_t i = 0; i < count; ++i) {
                some.push_back(
                    {change::kind::put, "goes" + std::to_string(i), std::string(50, 'g')});
                if (i > 300)
                    some.push_back({change::kind::erase, "goes" + std::to_string(i - 300), {}});
                if (some.size() < 20) continue;
                good(store->write(some));
                some.clear();
                good(store->put("stays" + std::to_string(i % stable), std::to_string(i % stable)));
            }
        } else if (thread == 1) {
            while (!over) good(store->compact());
        } else {
            random_numbers random(thread);
            while (!over) {
                for (int i = 0; i < 50; ++i) {
                    const std::string number = std::to_string(random.below(stable));
                    expect(good(store->get("stays" + number)) == number,
                           "a key that stays is always found");
                }
                std::multiset<std::string> met;
                for (const row& each : good(store->iterate())) {
                    if (each.key.starts_with("stays")) met.insert(each.key);
                }
                expect(met.size() == stable &&
                           std::set<std::string>(met.begin(), met.end()).size() == stable,
                       "a walk meets every key that stays, once");
            }
        }
    });
}

// ---- readers do not wait ------------------------------------------------------------------------

/// Holds one thread inside the first call of one kind that it makes on the simulated disk.
class gate {
public:
    explicit gate(coffer::fs::call kind) : kind_(kind) {}

    void watch_this_thread() {
        const std::lock_guard hold(mutex_);
        watched_ = std::this_thread::get_id();
    }
    void before(const coffer::fs::step& next) {
        std::unique_lock hold(mutex_);
        if (held_ || next.is != kind_ || watched_ != std::this_thread::get_id()) return;
        held_ = true;
        changed_.notify_all();
        changed_.wait(hold, [&] { return released_; });
    }
    /// The thread has done its work without being held.
    void finish() {
        const std::lock_guard hold(mutex_);
        finished_ = true;
        changed_.notify_all();
    }
    [[nodiscard]] bool wait_until_held() {
        std::unique_lock hold(mutex_);
        changed_.wait(hold, [&] { return held_ || finished_; });
        return held_;
    }
    /// False: `done` did not become true within a minute.
    [[nodiscard]] bool wait_for(const std::atomic<bool>& done) {
        std::unique_lock hold(mutex_);
        return changed_.wait_for(hold, std::chrono::minutes(1), [&] { return done.load(); });
    }
    void tell() {
        const std::lock_guard hold(mutex_);
        changed_.notify_all();
    }
    void release() {
        const std::lock_guard hold(mutex_);
        released_ = true;
        changed_.notify_all();
    }

private:
    coffer::fs::call kind_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::thread::id watched_;
    bool held_ = false;
    bool released_ = false;
    bool finished_ = false;
};

constexpr std::size_t still = 60;

std::string still_key(std::size_t number) {
    return "still" + std::to_string(number);
}

/// Every kind of read.
void read_all(const any_store& store, bool ordered) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < still; ++i) {
        keys.push_back(still_key(i));
        expect(good(store.get(keys[i])) == std::to_string(i) &&
                   good(store.view(keys[i])) == std::to_string(i) && good(store.contains(keys[i])),
               "a read while a writer is held");
    }
    expect(good(store.get_many(keys, still)).at(3) == "3" && good(store.size()) >= still,
           "get_many, size");
    expect(!good(store.get("absent")), "a lookup of what is not there");
    expect(good(store.iterate()).size() >= still && good(store.for_each()).size() >= still,
           "a walk");
    if (!ordered) return;
    expect(good(store.in({part::kind::prefix, "still", {}}, true)).size() == still, "a range");
    expect(good(store.lower_bound("still", 1)).size() == 1 &&
               good(store.for_each_in({part::kind::from, {}, {}})).size() >= still,
           "bounds");
}

/// What the held writer does: enough to meet every kind of call.
class held_writer {
public:
    explicit held_writer(any_store& store) : store_(&store) {}

    void work() {
        for (int i = 0; i < 60; ++i) {
            put("new" + std::to_string(i));
            if (i % 10 == 5)
                good(store_->write({{change::kind::put, "x", "1"},
                                    {change::kind::erase, "new" + std::to_string(i)},
                                    {change::kind::put, "y", "2"}}));
            if (i % 10 == 7) good(store_->erase("new" + std::to_string(i)));
            if (i % 20 == 13) good(store_->flush());
        }
        good(store_->compact());
        good(store_->sync());
    }

    /// The key of the put that is under way; none between puts.
    [[nodiscard]] std::optional<std::string> putting() {
        const std::lock_guard hold(mutex_);
        return key_;
    }

private:
    void put(const std::string& key) {
        set(key);
        good(store_->put(key, std::string(600, 'n')));
        set({});
    }
    void set(std::optional<std::string> key) {
        const std::lock_guard hold(mutex_);
        key_ = std::move(key);
    }

    any_store* store_;
    std::mutex mutex_;
    std::optional<std::string> key_;
};

/// Is every kind of read done while a writer is inside a call of this kind? False: it made none.
bool reads_pass_a_writer_in(const combination& choice, coffer::fs::call kind) {
    opened store(choice, small_segments());
    for (std::size_t i = 0; i < still; ++i) good(store->put(still_key(i), std::to_string(i)));
    good(store->sync());

    const auto at = std::make_shared<gate>(kind);
    store.where.disk.set_step_hook([at](const coffer::fs::step& next) { at->before(next); });
    held_writer writer(*store);
    std::exception_ptr broken_writer;
    std::thread writing([&] {
        at->watch_this_thread();
        try {
            writer.work();
        } catch (...) {
            broken_writer = std::current_exception();
        }
        at->finish();
    });
    const bool held = at->wait_until_held();
    bool passed = true;
    std::string seen_early;
    std::exception_ptr broken_reader;
    if (held) {
        std::atomic<bool> done{false};
        std::thread reading([&] {
            try {
                read_all(*store, choice.ordered);
                // Under sync, and write_through where bytes are handed over, nobody sees it yet.
                const bool hides =
                    choice.durability == combination::durability_kind::sync ||
                    (choice.durability == combination::durability_kind::write_through &&
                     choice.storage == combination::storage_kind::file_log);
                const auto key = writer.putting();
                if (hides && key && good(store->get(*key))) seen_early = *key;
            } catch (...) {
                broken_reader = std::current_exception();
            }
            done = true;
            at->tell();
        });
        passed = at->wait_for(done);
        at->release();
        reading.join();
    }
    writing.join();
    store.where.disk.clear_step_hook();
    const std::string name = coffer::fs::name_of(kind);
    expect(passed, "reads do not wait for a writer inside " + name);
    expect(seen_early.empty(),
           "nobody sees a write whose promise does not hold yet, held inside " + name);
    if (broken_reader) std::rethrow_exception(broken_reader);
    if (broken_writer) std::rethrow_exception(broken_writer);
    read_all(*store, choice.ordered);
    return held;
}

void readers_never_wait(const combination& choice) {
    using coffer::fs::call;
    int held = 0;
    for (const call kind :
         {call::create, call::rename, call::remove, call::sync_directory, call::write, call::resize,
          call::reserve, call::sync, call::stored, call::sync_map}) {
        held += reads_pass_a_writer_in(choice, kind) ? 1 : 0;
    }
    expect(held >= 4, "the writer was held inside several kinds of calls");
}

// ---- threads end --------------------------------------------------------------------------------

std::set<std::string> threads_of_this_process() {
    std::set<std::string> all;
    for (const auto& each : std::filesystem::directory_iterator("/proc/self/task"))
        all.insert(each.path().filename().string());
    return all;
}

/// A thread that was joined may be listed a moment longer.
bool none_is_new(const std::set<std::string>& before) {
    return t::eventually([&] {
        const std::set<std::string> now = threads_of_this_process();
        return std::includes(before.begin(), before.end(), now.begin(), now.end());
    });
}

// A-D12: no background thread outlives close().
void no_thread_outlives_close(const combination& choice) {
    const std::set<std::string> before = threads_of_this_process();
    opened store(choice);
    good(store->put("k", "v"));
    good(store->close());
    expect(none_is_new(before), "close() ends the store's threads");
    store.open();
    store.destroy();
    expect(none_is_new(before), "so does the destructor");
}

}  // namespace

TEST_CASE("threads: everything at once") {
    over(where_concurrent, everything_at_once);
}
TEST_CASE("threads: batches are seen whole") {
    over(where_concurrent,
         [](const combination& choice) { batches_are_seen_whole(choice, false); });
}
TEST_CASE("threads: batches with clear are seen whole") {
    over(where_concurrent, [](const combination& choice) { batches_are_seen_whole(choice, true); });
}
TEST_CASE("threads: conditional writes are exclusive") {
    over(where_concurrent, conditional_writes_are_exclusive);
}
TEST_CASE("threads: size counts what returned") {
    over(where_concurrent, size_counts_what_returned);
}
TEST_CASE("threads: readers miss nothing") {
    over(where_concurrent, readers_miss_nothing);
}
TEST_CASE("threads: readers never wait") {
    over(
        [](const combination& choice) {
            return choice.concurrent && choice.persistent && choice.simulated;
        },
        readers_never_wait);
}
TEST_CASE("threads: none outlives its store") {
    if (!std::filesystem::exists("/proc/self/task")) return;
    std::thread([] {}).join();  // a sanitizer starts a thread of its own with the first one
    over(everywhere, no_thread_outlives_close);
}
