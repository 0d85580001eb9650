// bench/allocations.hpp: how often the process has allocated.
//
// allocations.cpp replaces the global operator new with one that counts, each thread for itself.
// Libraries that the program links call it too; what they take with malloc is not seen.
#ifndef COFFER_BENCH_ALLOCATIONS_HPP
#define COFFER_BENCH_ALLOCATIONS_HPP

#include <cstddef>

namespace bench {

[[nodiscard]] std::size_t allocations() noexcept;

}  // namespace bench

#endif
