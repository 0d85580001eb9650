// examples/crash_test_your_schema.cpp: does your data stay sound, whatever a power cut does to it?
//
//   g++ -std=c++20 -O1 -I single_include examples/crash_test_your_schema.cpp -o /tmp/crash -pthread
//   /tmp/crash
//
// A bank of two accounts, and one rule: no transfer makes or loses money. The store lies on a disk
// in memory. Before each change of that disk, and after the last, the power is cut: the store is
// opened on every disk that the cut can leave, and the rule is checked there. Then every call of
// the same work fails once. Both are done to two versions of a transfer: as one batch, which keeps
// the rule, and as two puts, which does not: the test must find that, and say where.
//
// For your own schema, replace the types, the work and the rule. Ends with 0 if one batch is sound
// and the fault of two puts was found.
#include <coffer/coffer.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

namespace {

using coffer::fs::simulated;

// ---- your types ----

struct account {
    std::string owner;
    std::int64_t cents = 0;
};

// Your store with two changes: a disk in memory, and one thread, so that each run is the same.
using bank =
    coffer::store<std::uint32_t, account, coffer::fs::simulated, coffer::threading::single>;

constexpr const char* folder = "/bank";
constexpr std::uint32_t ada = 1, bob = 2;

// ---- your work ----

void found(bank& db) {
    bank::batch both;
    both.put(ada, account{"Ada", 10'000});
    both.put(bob, account{"Bob", 0});
    db.write(both);
}

using transfer = void (*)(bank& db, std::int64_t cents);

void in_one_batch(bank& db, std::int64_t cents) {
    account from = db.get(ada).value(), to = db.get(bob).value();
    from.cents -= cents;
    to.cents += cents;
    bank::batch both;
    both.put(ada, from);
    both.put(bob, to);
    db.write(both);
}

void as_two_puts(bank& db, std::int64_t cents) {
    account from = db.get(ada).value(), to = db.get(bob).value();
    from.cents -= cents;
    to.cents += cents;
    db.put(ada, from);
    db.put(bob, to);
}

void work(bank& db, transfer move) {
    for (const std::int64_t cents : {2'500, 100, -600}) move(db, cents);
    db.compact();
    move(db, 1);
    db.close();
}

// ---- your rule ----

/// What is wrong with the store on this disk; empty: nothing.
std::string broken(const simulated& disk) {
    const auto db = bank::open(folder, {}, disk);
    std::int64_t sum = 0;
    db.for_each([&](std::uint32_t, const account& each) { sum += each.cents; });
    return sum == 10'000 ? std::string() : "the accounts hold " + std::to_string(sum) + " cents";
}

// ---- the test ----

struct verdict {
    std::uint64_t states = 0;
    std::uint64_t broken = 0;
    std::string first;  // what was wrong, and where

    void note(const std::string& wrong, const std::string& where) {
        ++states;
        if (!wrong.empty() && ++broken == 1) first = wrong + " " + where;
    }
};

/// Cuts the power at every step of the work.
verdict cut_power(transfer move) {
    verdict all;
    const simulated disk;
    const auto cut = [&](const std::string& when) {
        disk.for_each_crash_state(coffer::fs::crash_profile::p2, {},
                                  [&](const simulated& after, const std::string& told) {
                                      all.note(broken(after), when + ", on disk " + told);
                                  });
    };
    auto db = bank::open(folder, {}, disk);
    found(db);
    disk.set_step_hook([&](const coffer::fs::step& next) {
        cut("before " + std::string(coffer::fs::name_of(next.is)) + " of " + next.path);
    });
    work(db, move);
    disk.clear_step_hook();
    cut("at the end");
    return all;
}

/// Lets each call of the work fail, and looks at what the next process finds.
verdict fail_calls(transfer move) {
    verdict all;
    for (std::uint64_t number = 1;; ++number) {
        const simulated disk;
        auto db = bank::open(folder, {}, disk);
        found(db);
        disk.fail_call(number);
        try {
            work(db, move);
        } catch (const coffer::error&) {  // the program gives up
        }
        if (disk.faults() == 0) return all;
        all.note(broken(disk.process_killed()), "after call " + std::to_string(number) + " failed");
    }
}

verdict examine(const char* name, transfer move) {
    verdict all = cut_power(move);
    const verdict failed = fail_calls(move);
    std::printf("%-14s %6llu crash states, %4llu failed calls, %4llu broken\n", name,
                static_cast<unsigned long long>(all.states),
                static_cast<unsigned long long>(failed.states),
                static_cast<unsigned long long>(all.broken + failed.broken));
    if (all.broken == 0) all.first = failed.first;
    if (!all.first.empty()) std::printf("               %s\n", all.first.c_str());
    all.broken += failed.broken;
    return all;
}

}  // namespace

int main() {
    try {
        const verdict good = examine("one batch", in_one_batch);
        const verdict bad = examine("two puts", as_two_puts);
        return good.broken == 0 && bad.broken != 0 ? 0 : 1;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "crash_test_your_schema: %s\n", failure.what());
        return 1;
    }
}
