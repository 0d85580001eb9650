// tests/eventually.hpp: waiting for what other threads do: for long, and not for ever.
#ifndef COFFER_TESTS_EVENTUALLY_HPP
#define COFFER_TESTS_EVENTUALLY_HPP

#include <chrono>
#include <thread>

namespace t {

/// Does `holds()` become true within half a minute? Others run meanwhile.
template <class Holds>
[[nodiscard]] bool eventually(Holds holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::yield();
    }
    return true;
}

}  // namespace t

#endif
