// tests/proof.hpp: what a suite of the proof says about its run.
//
// One line for each subject, which scripts/proof finds in the output and adds up for each suite:
//
//     proof | S3 failing calls | file_log sync hash multi | 1210 runs | 0 violations | 0.93 s | 0
//
// The last number is the seed; 0: nothing was drawn.
#ifndef COFFER_TESTS_PROOF_HPP
#define COFFER_TESTS_PROOF_HPP

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

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
