// tests/durability/bench.hpp: a store on a simulated disk whose clock and calls a test holds.
//
// Nothing here sleeps: still() lets other threads run for a while and says whether something stayed as
// it was.
#ifndef COFFER_TESTS_DURABILITY_BENCH_HPP
#define COFFER_TESTS_DURABILITY_BENCH_HPP

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "eventually.hpp"

namespace bench {

using coffer::errc;
using coffer::fs::call;
using coffer::fs::fault;
using coffer::fs::simulated;
using coffer::fs::step;

template <class... Policies>
using store = coffer::store<std::string, std::string, simulated, Policies...>;

inline coffer::options small_options() {
    coffer::options chosen;
    chosen.segment_bytes = 64 * 1024;
    chosen.interval = std::chrono::seconds(1);
    chosen.max_delay = std::chrono::milliseconds(100);
    return chosen;
}

using t::eventually;

template <class Condition>
[[nodiscard]] bool still(Condition condition) {
    for (int i = 0; i < 2000; ++i) {
        if (!condition()) return false;
        std::this_thread::yield();
    }
    return true;
}

/// Waits until the background threads have nothing to do.
[[nodiscard]] inline bool settled(const simulated& disk) {
    return eventually([&] {
        const std::uint64_t steps = disk.steps();
        return still([&] { return disk.steps() == steps; });
    });
}

/// What a store of this type holds on a disk; none if it cannot be opened.
template <class Store>
[[nodiscard]] std::optional<std::string> found_on(const simulated& disk, const std::string& key) {
    return Store::open("/s", small_options(), disk).get(key);
}
template <class Store>
[[nodiscard]] bool is_with_system(const simulated& disk, const std::string& key) {
    return found_on<Store>(disk.process_killed(), key).has_value();
}
template <class Store>
[[nodiscard]] bool is_durable(const simulated& disk, const std::string& key) {
    return found_on<Store>(disk.power_lost(), key).has_value();
}

template <class Result>
[[nodiscard]] std::optional<errc> failure_of(const Result& done) {
    if (done) return {};
    return done.error().kind();
}

/// While it is closed, calls of one kind on segments wait before they happen.
class gate {
public:
    gate(const simulated& disk, call kind) : disk_(disk) {
        disk.set_step_hook([this, kind](const step& next) {
            if (next.is != kind || next.path.find(".log") == std::string::npos) return;
            waiting_.fetch_add(1);
            while (closed_.load()) std::this_thread::yield();
            waiting_.fetch_sub(1);
        });
    }
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;
    ~gate() {
        open();
        disk_.clear_step_hook();
    }
    void close() { closed_.store(true); }
    void open() { closed_.store(false); }
    [[nodiscard]] bool holds_somebody() const { return closed_.load() && waiting_.load() != 0; }

private:
    simulated disk_;
    std::atomic<bool> closed_{false};
    std::atomic<int> waiting_{0};
};

}  // namespace bench

#endif
