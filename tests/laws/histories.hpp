// tests/laws/histories.hpp: short concurrent histories on one store, each of them judged.
//
// In each history two to four clients make four to twelve calls each on the same four keys, begun
// together: puts, inserts, erases, batches and clears; gets, views and contains; get_many, scans of
// some of the keys or all, both ways, and walks over the store. Beside them one thread makes the
// index grow, with fresh keys between those of the clients, and one cleans: compact, sync, flush.
// When all are done the four keys are read once more, so that no write is lost unseen; what they
// hold then is where the next history on them begins. A clear empties the store, and so its index,
// which grows again; in half of the runs all the time. In half of the stores there are keys that
// are there throughout, which every walk must meet. After a few runs the store is closed and opened:
// it shows what it has shown.
//
//     trial some(ordered, seed);
//     some.run(store, 20);  // histories number 0 to 19 of this seed; the next 20, ...
//     some.told();          // what happened
//
// The calls of a history follow from the seed, its number and the number of its run's first; how
// threads meet does not. A call that fails ends the trial: run() throws. A history that cannot have
// been is counted, and the first is kept.
#ifndef COFFER_TESTS_LAWS_HISTORIES_HPP
#define COFFER_TESTS_LAWS_HISTORIES_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "any_store.hpp"
#include "history_client.hpp"
#include "law.hpp"
#include "linearizability.hpp"
#include "model.hpp"
#include "proof.hpp"
#include "restless.hpp"
#include "together.hpp"

namespace laws {

/// Threads meet here: none goes on before all have come. Those that wait look for a while before
/// they let others run, so that all go on at once where there are cores for them.
class meeting {
public:
    explicit meeting(std::size_t count) : count_(count) {}
    void arrive() {
        const std::size_t round = round_.load();
        if (arrived_.fetch_add(1) + 1 == count_) {
            arrived_ = 0;
            round_ = round + 1;
        }
        for (int looks = 0; round_.load() == round; ++looks) {
            if (looks > 200) std::this_thread::yield();
        }
    }

private:
    std::size_t count_;
    std::atomic<std::size_t> arrived_{0};
    std::atomic<std::size_t> round_{0};
};

/// Makes the index grow while clients work: each key is fresh, and lies between theirs.
class grower {
    static constexpr std::uint64_t until_hash_splits = 960;  // it begins with room for so many

public:
    /// Up to `most` keys, or, where an index would not grow with them, more.
    void step(any_store& store, const key_group& keys, std::size_t most, random_numbers& random) {
        if (made_.size() > 4000) made_.clear();  // they stay; a clear takes them
        const bool small = good(store.size()) < until_hash_splits;
        changes all;
        for (std::size_t i = small ? 1000 + random.below(1000) : random.below(most); i > 0; --i) {
            made_.push_back(keys.prefix + std::to_string(random.below(4) * 2 + 1) + "/" +
                            std::to_string(count_++));
            all.push_back({change::kind::put, made_.back(), std::string(random.below(60), 'f')});
        }
        for (std::size_t i = random.below(8); i > 0 && !made_.empty(); --i)
            all.push_back({change::kind::erase, made_[random.below(made_.size())], {}});
        if (small || random.one_in(2)) return good(store.write(all));
        for (const change& each : all) {
            if (each.is == change::kind::put) {
                good(store.put(each.key, each.value));
            } else {
                static_cast<void>(good(store.erase(each.key)));
            }
        }
    }

private:
    std::vector<std::string> made_;
    std::uint64_t count_ = 0;
};

inline void clean(any_store& store, random_numbers& random) {
    switch (random.below(6)) {
        case 0:
        case 1:
            return good(store.compact());
        case 2:
            return good(store.sync());
        case 3:
            return good(store.flush());
        default:
            return;
    }
}

// ---- many of them -------------------------------------------------------------------------------

class trial {
    static constexpr std::size_t most_clients = 4;
    static constexpr std::uint32_t values_of_client = 64;  // a batch takes up to five
    static constexpr std::uint32_t values_of_history = most_clients * values_of_client;
    static constexpr std::uint64_t all_over = UINT64_MAX;

    /// What differs from run to run. In a surge the index is emptied and grows again all the time.
    struct setting {
        std::size_t clients;
        bool grows;
        bool cleans;
        bool surges;
    };

public:
    trial(bool ordered, std::uint64_t seed) : ordered_(ordered), seed_(seed) {
        for (std::size_t i = 0; i < key_groups; ++i) keys_.emplace_back(i);
    }

    /// The next histories are on this store, which is empty; with keys that are there throughout?
    void begin_anew(any_store& store, bool keeps) {
        state_ = {};
        grower_ = {};
        kept_ = kept_keys(keeps ? 200 : 0);
        changes all;
        kept_.put_all(all);
        good(store.write(all));
    }

    /// The next `count` histories. Between two runs the store may be closed and opened again.
    void run(any_store& store, std::size_t count) {
        std::vector<std::array<client, most_clients>> all;
        for (std::size_t i = 0; i < count; ++i) all.push_back(clients_of(store, number_ + i));
        random_numbers random = random_of(number_);
        now_ = {2 + random.below(most_clients - 1), !random.one_in(3), !random.one_in(3),
                random.one_in(2)};
        meeting meet(now_.clients);
        begun_ = 0;
        broken_ = false;
        try {
            together(now_.clients + 2, [&](std::size_t who) {
                if (who < now_.clients) return take_part(who, all, meet);
                if (who == now_.clients ? !now_.grows : !now_.cleans) return;
                beside(who, [&](std::uint64_t number, random_numbers& some) {
                    if (who != now_.clients) return clean(store, some);
                    grower_.step(store, group_of(number), now_.surges ? 300 : 24, some);
                });
            });
        } catch (const std::exception& broken) {
            expect(false, "histories from " + std::to_string(number_) + " of seed " +
                              std::to_string(seed_) + " go well; but " + broken.what());
        }
        for (const auto& each : all) judge(each);
    }

    [[nodiscard]] std::uint64_t histories() const noexcept { return number_; }
    [[nodiscard]] std::uint64_t violations() const noexcept { return violations_; }
    /// The first history that cannot be.
    [[nodiscard]] const std::string& first_violation() const noexcept { return first_violation_; }

    /// Overlap: of what was noted of a key, how much while another thread wrote to it.
    [[nodiscard]] std::string told() const {
        const std::uint64_t percent = events_ == 0 ? 0 : 100 * overlapping_ / events_;
        return std::to_string(calls_) + " operations, " + std::to_string(percent) + " % overlap";
    }

private:
    [[nodiscard]] const key_group& group_of(std::uint64_t number) const {
        return keys_[static_cast<std::size_t>(number % key_groups)];
    }
    [[nodiscard]] random_numbers random_of(std::uint64_t number) const {
        return random_numbers((seed_ << 40) + number * (most_clients + 1));
    }

    [[nodiscard]] std::array<client, most_clients> clients_of(any_store& store,
                                                              std::uint64_t number) {
        const auto one = [&](std::size_t who) {
            const auto first =
                static_cast<std::uint32_t>(number * values_of_history + who * values_of_client + 1);
            return client(store, group_of(number), kept_, ordered_, who, first,
                          random_of(number)() + who + 1);
        };
        return {one(0), one(1), one(2), one(3)};
    }

    /// All clients of a history agree on whether they pause and may clear.
    void work(client& one, std::uint64_t number, std::size_t who) const {
        random_numbers random = random_of(number);
        const bool pauses = !random.one_in(3);
        const bool clears = random.one_in(now_.surges ? 8 : 60);
        for (std::size_t i = 0; i < who; ++i) random();
        one.work(4 + random.below(9), pauses, clears);
    }

    /// Does `some` unless a thread has failed; keeps what it throws, which ends this run.
    template <class F>
    void unless_broken(std::exception_ptr& failed, F&& some) {
        if (broken_) return;
        try {
            some();
        } catch (...) {
            failed = std::current_exception();
            broken_ = true;
        }
    }

    void take_part(std::size_t who, std::vector<std::array<client, most_clients>>& all,
                   meeting& meet) {
        std::exception_ptr failed;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (who == 0) tell_begun(i + 1);
            meet.arrive();
            unless_broken(failed, [&] { work(all[i][who], number_ + i, who); });
            meet.arrive();
            if (who == 0) unless_broken(failed, [&] { all[i][who].read_all(); });
        }
        if (who == 0) tell_begun(all_over);
        if (failed) std::rethrow_exception(failed);
    }

    void tell_begun(std::uint64_t count) {
        begun_ = count;
        begun_.notify_all();
    }
    /// Does `some` once for each history, while it goes on or later.
    template <class F>
    void beside(std::size_t who, F&& some) {
        std::exception_ptr failed;
        random_numbers random(random_of(number_)() + who);
        for (std::uint64_t met = 0;;) {
            const std::uint64_t begun = begun_;
            if (begun == all_over) break;
            if (met == begun) {
                begun_.wait(begun);
            } else {
                unless_broken(failed, [&] { some(number_ + met, random); });
                ++met;
            }
        }
        if (failed) std::rethrow_exception(failed);
    }

    void judge(const std::array<client, most_clients>& each) {
        history all;
        for (const client& one : each) {
            count_overlapping(one.seen, each);
            all.insert(all.end(), one.seen.begin(), one.seen.end());
            calls_ += one.calls;
        }
        key_values& state = state_[static_cast<std::size_t>(number_ % key_groups)];
        const key_values before = state;
        const std::string wrong = impossible(all, before);
        if (!wrong.empty() && violations_++ == 0) {
            first_violation_ = "history " + std::to_string(number_) + " of seed " +
                               std::to_string(seed_) + " cannot have been: " + wrong +
                               "\nall of it:" + laws::told(all, before);
        }
        const bool cleared =
            std::any_of(all.begin(), all.end(), [](const event& one) { return one.clears; });
        if (cleared) state_ = {};
        const history& last = each[0].seen;
        for (std::size_t key = 0; key < history_keys; ++key)
            state[key] = last[last.size() - history_keys + key].value;
        ++number_;
    }

    void count_overlapping(const history& of, const std::array<client, most_clients>& all) {
        for (const event& one : of) {
            ++events_;
            overlapping_ += std::any_of(all.begin(), all.end(), [&](const client& other) {
                return &other.seen != &of &&
                       std::any_of(other.seen.begin(), other.seen.end(), [&](const event& beside) {
                           return beside.called <= one.returned && one.called <= beside.returned &&
                                  meet_at_a_key(one, beside);
                       });
            });
        }
    }
    [[nodiscard]] static bool meet_at_a_key(const event& one, const event& writer) {
        for (std::size_t key = 0; key < history_keys; ++key) {
            if (one.touches(key) && writer.writes_to(key)) return true;
        }
        return false;
    }

    bool ordered_;
    std::uint64_t seed_;
    std::uint64_t number_ = 0;
    setting now_ = {};
    std::vector<key_group> keys_;
    std::array<key_values, key_groups> state_ = {};
    grower grower_;
    kept_keys kept_;
    std::atomic<std::uint64_t> begun_{0};  // histories of this run
    std::atomic<bool> broken_{false};
    std::uint64_t calls_ = 0;
    std::uint64_t events_ = 0;
    std::uint64_t overlapping_ = 0;
    std::uint64_t violations_ = 0;
    std::string first_violation_;
};

// ---- the law ------------------------------------------------------------------------------------

/// Records, hand-overs and segments so small that all of them change all the time.
[[nodiscard]] inline coffer::options busy_options(bool maps) {
    coffer::options out = small_segments();
    out.buffer_bytes = 3000;
    out.max_bytes = 6000;
    out.interval = out.max_delay = std::chrono::milliseconds(1);
    out.max_unsynced_bytes = 50'000;
    out.map_reads = maps;
    return out;
}

[[nodiscard]] inline rows all_of(any_store& store) {
    rows out = good(store.iterate());
    std::sort(out.begin(), out.end(), [](const row& a, const row& b) { return a.key < b.key; });
    return out;
}
/// Nobody uses the store: it counts what it shows, and shows it again when it has been opened again.
inline void expect_to_stay(opened& store, bool persistent) {
    const rows before = all_of(*store);
    expect(good(store->size()) == before.size(), "size() is the number of entries");
    if (!persistent) return;
    store.reopen();
    const rows after = all_of(*store);
    const auto differ = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
    const std::string was = differ.first == before.end() ? "nothing" : differ.first->key;
    const std::string is = differ.second == after.end() ? "nothing" : differ.second->key;
    expect(before == after, "what a store shows stays; but " + was + " came back as " + is);
}

/// COFFER_HISTORIES is how many. COFFER_SEED begins others; COFFER_SEED and COFFER_ONLY make those
/// again that a report names.
inline void histories_are_linearizable(const combination& choice) {
    constexpr std::uint64_t in_a_run = 20;
    const proof::stopwatch watch;
    const std::uint64_t seed = number_from("COFFER_SEED", 1);
    const std::uint64_t count = number_from("COFFER_HISTORIES", choice.simulated ? 300 : 30);
    const std::uint64_t in_a_store = (std::min)((count + 3) / 4, std::uint64_t{200});
    trial some(choice.ordered, seed);
    for (std::uint64_t stores = 0; some.histories() < count; ++stores) {
        opened store(choice, busy_options(stores % 2 == 0));
        some.begin_anew(*store, stores % 4 < 2);
        // The simulated disk lets others go first, as a real one does, and its clock moves on.
        const coffer::fs::simulated& disk = store.where.disk;
        disk.set_step_hook([&disk](const coffer::fs::step&) {
            disk.advance(20'000);
            if (now_and_then(4)) std::this_thread::yield();
        });
        const at_scope_end still([&] { disk.clear_step_hook(); });
        const std::uint64_t last = (std::min)(count, some.histories() + in_a_store);
        for (std::uint64_t runs = 1; some.histories() < last; ++runs) {
            some.run(*store,
                     static_cast<std::size_t>((std::min)(last - some.histories(), in_a_run)));
            if (runs % 3 == 0 || some.histories() == last) expect_to_stay(store, choice.persistent);
        }
        expect(good(store->verify()).ok(), "nothing is damaged");
    }
    proof::tell("S8 concurrent histories", choice.name + ", " + some.told(),
                {some.histories(), "histories", some.violations(), watch.seconds(), seed});
    expect(some.violations() == 0, some.first_violation());
}

}  // namespace laws

#endif
