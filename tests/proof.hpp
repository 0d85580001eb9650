// tests/proof.hpp: what a suite of the proof says about its run.
//
// One line for each subject, which scripts/proof finds in the output and adds up for each suite:
//
//     proof | S3 failing calls | file_log sync hash multi | 1210 runs | 0 violations | 0.93 s | 0
//
// The last number is the seed; 0: nothing was drawn. What a violation prints says how to see it
// again: COFFER_ONLY with the description of a case leaves out all others.
#ifndef COFFER_TESTS_PROOF_HPP
#define COFFER_TESTS_PROOF_HPP

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace proof {

class stopwatch {
public:
    [[nodiscard]] double seconds() const {
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun_;
        return taken.count();
    }

private:
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

/// COFFER_ONLY; empty: every case.
inline const std::string& only() {
    static const std::string chosen = [] {
        const char* const text = std::getenv("COFFER_ONLY");
        return std::string(text != nullptr ? text : "");
    }();
    return chosen;
}
/// Is the case that `told()` describes to be done?
template <class Told>
bool is_asked(Told&& told) {
    return only().empty() || told() == only();
}

/// What went wrong: all of it is counted, and of each sort the first two are kept for people. Of one
/// sort is what begins alike, numbers aside.
class violations {
public:
    void add(const std::string& where, const std::string& what) {
        ++count_;
        std::string sort;
        for (const char each : what) {
            if (sort.size() < 60 && (each < '0' || each > '9')) sort.push_back(each);
        }
        if (++sorts_[sort] <= 2) told_.push_back(where + ": " + what);
    }

    /// Of a case that is_asked() about.
    void add_case(const std::string& which, const std::string& what) {
        add("COFFER_ONLY='" + which + "'", what);
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] const std::vector<std::string>& told() const noexcept { return told_; }

private:
    std::uint64_t count_ = 0;
    std::map<std::string, unsigned> sorts_;
    std::vector<std::string> told_;
};

struct outcome {
    std::uint64_t cases;
    const char* unit;
    std::uint64_t violations;
    double seconds;
    std::uint64_t seed = 0;
};

/// `suite` is its number in docs/proof.md and its name: "S3 failing calls".
inline void tell(const char* suite, const std::string& subject, const outcome& of) {
    std::printf("proof | %s | %s | %llu %s | %llu violations | %.3f s | %llu\n", suite,
                subject.c_str(), static_cast<unsigned long long>(of.cases), of.unit,
                static_cast<unsigned long long>(of.violations), of.seconds,
                static_cast<unsigned long long>(of.seed));
    std::fflush(stdout);
}

}  // namespace proof

#endif
