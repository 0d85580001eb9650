// tests/schedules/scheduled.hpp: threads that run one at a time, in every order.
//
// `scheduled` is a threading policy whose threads are fibers. Before each call on an atomic, a mutex
// or a condition another fiber may run; which one does is a choice, and `explore` runs a scenario
// once for each sequence of choices: all with at most `departures` from the plain order, in which a
// thread runs until it waits and then the first that can goes on (Emmi, Qadeer and Rakamaric,
// "Delay-bounded scheduling", 2011). Bounding preemptions only, and trying everything wherever a
// thread waits, gave more than half a million schedules of nine calls with one preemption.
//
//     explore(2, 1'000'000, [] {
//         store db = store::open(...);               // scheduled is its threading policy
//         scheduled::thread other([&] { ... });
//         ...
//         other.join();
//         if (...) throw std::runtime_error("...");  // with the choices that led there
//     });
//
// A deadlock ends the program, and says so. Memory is sequentially consistent: what a weaker order
// does is ThreadSanitizer's and the histories' to find. Threads: one, the caller's.
#ifndef COFFER_TESTS_SCHEDULES_SCHEDULED_HPP
#define COFFER_TESTS_SCHEDULES_SCHEDULED_HPP

#include <coffer/core/threading.hpp>

#include <ucontext.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace schedules {

/// One of `of` ways to go on.
struct choice {
    std::uint32_t taken;
    std::uint32_t of;
};

class scheduler {
    static constexpr std::size_t stack_size = std::size_t{256} * 1024;
    static constexpr std::uint64_t patience =
        3000;  // points before a thread that looks lets others run
    static constexpr std::uint64_t endless = 5'000'000;

    struct fiber {
        ucontext_t context;
        std::unique_ptr<std::byte[]> stack;
        std::function<void()> work;
        std::size_t hint = 0;
        const void* waits_for = nullptr;
        bool done = false;
    };

public:
    scheduler(std::vector<choice> prefix, unsigned departures)
        : choices_(std::move(prefix)), left_(departures) {
        fibers_.push_back(std::make_unique<fiber>());  // the caller
        current() = this;
    }
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;
    ~scheduler() { current() = nullptr; }

    [[nodiscard]] static scheduler*& current() noexcept {
        static scheduler* only = nullptr;
        return only;
    }
    [[nodiscard]] std::vector<choice>& choices() noexcept { return choices_; }
    [[nodiscard]] std::uint64_t moment() noexcept { return ++moments_; }
    [[nodiscard]] std::size_t running() const noexcept { return running_; }
    [[nodiscard]] std::size_t& hint() noexcept { return fibers_[running_]->hint; }
    /// What told() has said of a schedule.
    void will_take(const char* choices) {
        std::istringstream from(choices);
        std::size_t place = 0;
        std::uint32_t taken = 0;
        for (char colon = 0; from >> place >> colon >> taken;) wanted_[place] = taken;
    }
    /// Only while this is on are there choices.
    void set_exploring(bool on) noexcept { exploring_ = on; }

    [[nodiscard]] std::size_t spawn(std::function<void()> work) {
        auto made = std::make_unique<fiber>();
        made->work = std::move(work);
        made->stack = std::unique_ptr<std::byte[]>(new std::byte[stack_size]);
        ::getcontext(&made->context);
        made->context.uc_stack.ss_sp = made->stack.get();
        made->context.uc_stack.ss_size = stack_size;
        made->context.uc_link = nullptr;
        ::makecontext(&made->context, &scheduler::begin, 0);
        fibers_.push_back(std::move(made));
        return fibers_.size() - 1;
    }

    /// Those that are not the first of theirs, as place:taken.
    [[nodiscard]] static std::string told(const std::vector<choice>& all) {
        std::string out;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].taken != 0)
                out += " " + std::to_string(i) + ":" + std::to_string(all[i].taken);
        }
        return out.empty() ? " none" : out;
    }

    /// Another thread may run now.
    void point() {
        if (++points_ > endless) give_up("the threads run for ever");
        if (++since_switch_ > patience) return yield();
        if (!exploring_ || left_ == 0) return;
        const std::size_t others = count_enabled() - 1;
        if (others == 0) return;
        const std::uint32_t taken = choose(static_cast<std::uint32_t>(others + 1));
        if (taken == 0) return;
        --left_;
        switch_to(enabled_other(taken - 1));
    }

    /// Lets the next one run that can.
    void yield() {
        for (std::size_t i = 1; i < fibers_.size(); ++i) {
            const std::size_t next = (running_ + i) % fibers_.size();
            if (is_enabled(next)) return switch_to(next);
        }
        since_switch_ = 0;
    }

    /// The running thread goes on after wake(on).
    void block(const void* on) {
        fibers_[running_]->waits_for = on;
        leave();
    }
    void wake(const void* on, bool all) noexcept {
        for (const auto& each : fibers_) {
            if (each->waits_for != on) continue;
            each->waits_for = nullptr;
            if (!all) return;
        }
    }

    void join(std::size_t number) {
        while (!fibers_[number]->done) block(fibers_[number].get());
    }

private:
    static void begin() {
        scheduler& here = *current();
        fiber& self = *here.fibers_[here.running_];
        self.work();
        self.done = true;
        here.wake(&self, true);
        here.leave();
    }

    [[nodiscard]] bool is_enabled(std::size_t number) const noexcept {
        return !fibers_[number]->done && fibers_[number]->waits_for == nullptr;
    }
    [[nodiscard]] std::size_t count_enabled() const noexcept {
        std::size_t count = 0;
        for (std::size_t i = 0; i < fibers_.size(); ++i) count += is_enabled(i);
        return count;
    }
    [[nodiscard]] std::size_t enabled_other(std::uint32_t number) const noexcept {
        for (std::size_t i = 0; i < fibers_.size(); ++i) {
            if (i != running_ && is_enabled(i) && number-- == 0) return i;
        }
        return running_;
    }

    /// The running thread cannot go on.
    void leave() {
        const std::size_t enabled = count_enabled();
        if (enabled == 0) give_up("no thread can go on: a deadlock");
        const bool chooses = exploring_ && left_ != 0 && enabled > 1;
        const std::uint32_t taken = chooses ? choose(static_cast<std::uint32_t>(enabled)) : 0;
        left_ -= taken != 0 ? 1 : 0;
        switch_to(enabled_other(taken));
    }

    [[nodiscard]] std::uint32_t choose(std::uint32_t of) {
        if (depth_ == choices_.size()) {
            const auto wanted = wanted_.find(depth_);
            choices_.push_back({wanted != wanted_.end() ? wanted->second : 0, of});
        }
        const choice& here = choices_[depth_++];
        if (here.of != of)
            give_up("the same choices lead elsewhere: the scenario is not repeatable");
        return here.taken;
    }

    void switch_to(std::size_t next) {
        fiber& from = *fibers_[running_];
        since_switch_ = 0;
        running_ = next;
        ::swapcontext(&from.context, &fibers_[next]->context);
    }

    [[noreturn]] void give_up(const char* why) {
        std::fprintf(stderr, "schedules: %s; choices:%s\n", why, told(choices_).c_str());
        std::abort();
    }

    std::vector<std::unique_ptr<fiber>> fibers_;
    std::vector<choice> choices_;
    std::map<std::size_t, std::uint32_t> wanted_;  // place: what to take there
    std::size_t depth_ = 0;
    std::size_t running_ = 0;
    unsigned left_;
    bool exploring_ = false;
    std::uint64_t points_ = 0;
    std::uint64_t since_switch_ = 0;
    std::uint64_t moments_ = 0;
};

inline void point() {
    if (scheduler* const all = scheduler::current()) all->point();
}

template <class T>
class atomic {
public:
    atomic() noexcept : value_() {}
    atomic(T value) noexcept : value_(value) {}  // NOLINT: as std::atomic
    atomic(const atomic&) = delete;
    atomic& operator=(const atomic&) = delete;

    T load(std::memory_order = std::memory_order_seq_cst) const {
        point();
        return value_;
    }
    void store(T value, std::memory_order = std::memory_order_seq_cst) {
        point();
        value_ = value;
    }
    T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
        point();
        return std::exchange(value_, value);
    }
    T fetch_add(T value, std::memory_order = std::memory_order_seq_cst) {
        point();
        return std::exchange(value_, static_cast<T>(value_ + value));
    }
    T fetch_sub(T value, std::memory_order = std::memory_order_seq_cst) {
        point();
        return std::exchange(value_, static_cast<T>(value_ - value));
    }
    bool compare_exchange_strong(T& expected, T value,
                                 std::memory_order = std::memory_order_seq_cst) {
        point();
        if (value_ != expected) {
            expected = value_;
            return false;
        }
        value_ = value;
        return true;
    }
    void wait(T value, std::memory_order = std::memory_order_seq_cst) const {
        point();
        while (value_ == value && scheduler::current() != nullptr)
            scheduler::current()->block(this);
    }
    void notify_all() {
        point();
        if (scheduler* const all = scheduler::current()) all->wake(this, true);
    }

private:
    T value_;
};

class mutex {
public:
    void lock() {
        point();
        while (locked_) scheduler::current()->block(this);
        locked_ = true;
    }
    bool try_lock() {
        point();
        return !std::exchange(locked_, true);
    }
    void unlock() {
        locked_ = false;
        if (scheduler* const all = scheduler::current()) all->wake(this, true);
    }

private:
    bool locked_ = false;
};

class condition {
public:
    void wait(std::unique_lock<mutex>& lock) {
        lock.unlock();
        scheduler::current()->block(this);
        lock.lock();
    }
    /// Time passes whenever nobody else has anything to do.
    template <class Duration>
    void wait_for(std::unique_lock<mutex>& lock, Duration) {
        lock.unlock();
        scheduler::current()->yield();
        lock.lock();
    }
    void notify_one() {
        if (scheduler* const all = scheduler::current()) all->wake(this, false);
    }
    void notify_all() {
        if (scheduler* const all = scheduler::current()) all->wake(this, true);
    }
};

class thread {
public:
    thread() = default;
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, thread>)
    explicit thread(F work)
        : number_(scheduler::current()->spawn(
              [held = std::make_shared<F>(std::move(work))] { (*held)(); })) {}
    thread(thread&& other) noexcept : number_(std::exchange(other.number_, 0)) {}
    thread& operator=(thread&& other) noexcept {
        number_ = std::exchange(other.number_, 0);
        return *this;
    }
    ~thread() = default;
    [[nodiscard]] bool joinable() const noexcept { return number_ != 0; }
    void join() { scheduler::current()->join(std::exchange(number_, 0)); }

private:
    std::size_t number_ = 0;
};

struct scheduled {
    static constexpr bool concurrent = true;
    template <class T>
    using atomic = schedules::atomic<T>;
    using mutex = schedules::mutex;
    using condition = schedules::condition;
    using thread = schedules::thread;
    static void yield() {
        if (scheduler* const all = scheduler::current()) all->yield();
    }
    [[nodiscard]] static std::uintptr_t this_thread() noexcept {
        const scheduler* const all = scheduler::current();
        return all == nullptr ? 64 : 64 * (all->running() + 1);
    }
    [[nodiscard]] static std::size_t& thread_hint() noexcept {
        static std::size_t without;
        scheduler* const all = scheduler::current();
        return all == nullptr ? without : all->hint();
    }
};

static_assert(coffer::threading_policy<scheduled>);

struct exploration {
    std::uint64_t schedules = 0;
    bool all = true;  // there are no others within the bound
};

/// Runs `scenario()` under each schedule with at most that many departures, but no more than
/// `most` of them. What it throws comes out with the choices that led there; COFFER_CHOICES is
/// these: the schedule that they make runs alone.
template <class Scenario>
exploration explore(unsigned departures, std::uint64_t most, Scenario&& scenario) {
    exploration out;
    std::vector<choice> prefix;
    const char* const chosen = std::getenv("COFFER_CHOICES");
    if (chosen != nullptr) most = 1;
    for (;;) {
        {
            scheduler one(std::move(prefix), departures);
            if (chosen != nullptr) one.will_take(chosen);
            try {
                scenario();
            } catch (const std::exception& broken) {
                throw std::runtime_error(std::string(broken.what()) + "; COFFER_CHOICES='" +
                                         scheduler::told(one.choices()) + "'");
            }
            prefix = std::move(one.choices());
        }
        ++out.schedules;
        while (!prefix.empty() && prefix.back().taken + 1 == prefix.back().of) prefix.pop_back();
        if (prefix.empty()) return out;
        if (out.schedules == most) {
            out.all = false;
            return out;
        }
        ++prefix.back().taken;
    }
}

}  // namespace schedules

#endif
