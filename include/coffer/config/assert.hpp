// coffer/config/assert.hpp: the one assertion, which users may replace.
//
// COFFER_ASSERT(condition, "sentence") states what a caller or the library itself must have
// ensured. It is never the check of anything that a file, a user's value or the system can get
// wrong: those are typed errors. Define COFFER_ASSERT before the first include to route failures
// elsewhere; by default it is the standard assert, which NDEBUG removes.
#ifndef COFFER_CONFIG_ASSERT_HPP
#define COFFER_CONFIG_ASSERT_HPP

#ifndef COFFER_ASSERT
#include <cassert>
#define COFFER_ASSERT(condition, sentence) assert((condition) && (sentence))
#endif

#endif
