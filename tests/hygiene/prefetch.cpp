// tests/hygiene/prefetch.cpp: compiled to assembly by prefetch.cmake, which looks for a call.
//
// A function that only prefetches has no effect on anything that the language knows. g++ 12 takes
// it for pure and drops its calls, unless COFFER_PREFETCHED keeps it from that.
#include <coffer/config/platform.hpp>

struct lines {
    const char* first;
    COFFER_NOINLINE void ask_for_them() const noexcept {
        for (int i = 0; i < 3; ++i) COFFER_PREFETCH(first + 64 * i);
        COFFER_PREFETCHED();
    }
};

void caller(const lines& of);
void caller(const lines& of) {
    of.ask_for_them();
}
