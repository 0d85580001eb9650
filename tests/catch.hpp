// tests/catch.hpp: Catch2 2.13 or 3, whichever is installed.
//
// Tests use what both have; `t::` names the few things that differ. Assertions stay on the main
// thread: threads report through atomics.
#ifndef COFFER_TESTS_CATCH_HPP
#define COFFER_TESTS_CATCH_HPP

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
namespace t {
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
}  // namespace t
#else
#include <catch2/catch.hpp>
namespace t {
using Catch::Detail::Approx;
inline auto ContainsSubstring(const std::string& part) { return Catch::Matchers::Contains(part); }
}  // namespace t
#endif

#endif
