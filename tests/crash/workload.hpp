// tests/crash/workload.hpp: short runs of a store on a simulated disk, and every moment in them.
//
// A `run` opens a store, does a few operations of the alphabet below, closes it, and keeps a copy of
// the disk before each call that changes it and after each operation: the points at which the
// process may end or the power fail. What a point may leave is known from a history. Points are
// judged afterwards, so that judging does not disturb the run.
#ifndef COFFER_TESTS_CRASH_WORKLOAD_HPP
#define COFFER_TESTS_CRASH_WORKLOAD_HPP

#include "crash/oracle.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crash {

using coffer::fs::simulated;

enum class operation : unsigned char {
    put_small,
    put_empty,
    put_large,
    overwrite,
    erase,
    batch,
    batch_same_key,
    sync,
    flush,
    compact,
    reopen,
    fail_next_sync,
    wait,  // time passes: policies with an interval act on it
};
inline constexpr std::string_view operation_names[] = {
    "put-small", "put-empty", "put-large", "overwrite", "erase",          "batch", "batch-same-key",
    "sync",      "flush",     "compact",   "reopen",    "fail-next-sync", "wait"};
inline constexpr std::size_t alphabet = 12;  // wait stands apart

using workload = std::vector<operation>;

inline std::string told(const workload& all) {
    std::string text;
    for (const operation each : all) {
        text += text.empty() ? "" : ", ";
        text += operation_names[static_cast<unsigned>(each)];
    }
    return text;
}

/// Where a workload runs.
struct scene {
    std::string name;
    simulated disk;          // copied for each run
    contents held;           // by the store on it
    coffer::options chosen;
    std::size_t large;       // size of a large value

    [[nodiscard]] static coffer::options tiny_options() {
        coffer::options chosen;
        chosen.segment_bytes = 16 * 1024;
        return chosen;
    }
};

inline constexpr const char* folder = "/s";

struct point {
    simulated disk;
    prospects may;
    std::string where;
};

class run {
public:
    run(const simulated_subject& of, const scene& in)
        : of_(&of), scene_(&in), disk_(in.disk.process_killed()), told_(of, in.held) {}
    run(const run&) = delete;
    run& operator=(const run&) = delete;
    ~run() { disk_.clear_hooks_for_test(); }

private:
    const simulated_subject* of_;
    const scene* scene_;
    simulated disk_;
    history told_;
};

}  // namespace crash

#endif
