// bench/versus/measure.hpp: clocks, the process's memory and its allocations, the size of a folder,
// and one line of JSON for each run.
#ifndef COFFER_BENCH_VERSUS_MEASURE_HPP
#define COFFER_BENCH_VERSUS_MEASURE_HPP

#include "../allocations.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace versus {

/// Seconds since some moment.
inline double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// What a stretch of work took.
struct taken {
    double seconds;
    double allocations;  // of the whole process
};

class stopwatch {
public:
    [[nodiscard]] taken stop() const {
        const double seconds = now() - began_;
        return {seconds, static_cast<double>(bench::allocations() - allocations_)};
    }

private:
    std::size_t allocations_ = bench::allocations();
    double began_ = now();
};

/// Bytes of blocks that the files below `folder` take.
inline double bytes_on_disk(const std::string& folder) {
    double sum = 0;
    std::error_code none;
    for (const auto& each : std::filesystem::recursive_directory_iterator(folder, none)) {
        struct stat found = {};
        if (each.is_regular_file(none) && ::stat(each.path().c_str(), &found) == 0) {
            sum += 512.0 * static_cast<double>(found.st_blocks);
        }
    }
    return sum;
}

/// The number behind `name` in a file of /proc; 0 if there is none.
inline double proc_number(const char* file, std::string_view name) {
    std::ifstream in(file);
    std::string word;
    while (in >> word) {
        if (word != name) continue;
        double number = 0;
        in >> number;
        return number;
    }
    return 0;
}

/// Bytes of memory of the process that no file backs.
inline double private_bytes() {
    return proc_number("/proc/self/status", "RssAnon:") * 1024;
}

/// Bytes that the process has caused to be written to a disk so far.
inline double written_bytes() {
    return proc_number("/proc/self/io", "write_bytes:");
}

/// Times of single calls, in nanoseconds.
class latencies {
public:
    explicit latencies(std::size_t expected) { all_.reserve(expected); }
    void add(double seconds) { all_.push_back(static_cast<float>(seconds * 1e9)); }
    [[nodiscard]] double at(double share) {
        if (all_.empty()) return 0;
        std::sort(all_.begin(), all_.end());
        const auto place = static_cast<std::size_t>(share * double(all_.size()));
        return all_[(std::min)(place, all_.size() - 1)];
    }

private:
    std::vector<float> all_;
};

using figures = std::vector<std::pair<std::string_view, double>>;

/// One line for the program that collects them.
inline void tell(std::string_view subject, std::string_view workload, std::size_t count,
                 const figures& all) {
    std::printf("{\"subject\": \"%s\", \"workload\": \"%s\", \"n\": %zu",
                std::string(subject).c_str(), std::string(workload).c_str(), count);
    for (const auto& [name, value] : all) {
        std::printf(", \"%s\": %.6g", std::string(name).c_str(), value);
    }
    std::printf("}\n");
    std::fflush(stdout);
}

}  // namespace versus

#endif
