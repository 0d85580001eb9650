// tests/fuzz/stores.hpp: the stores that the targets open, and what they hold.
#ifndef COFFER_TESTS_FUZZ_STORES_HPP
#define COFFER_TESTS_FUZZ_STORES_HPP

#include <coffer/store.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "fuzz/target.hpp"

namespace fuzz {

using contents = std::map<std::string, std::string>;
using coffer::fs::simulated;

template <class... Policies>
using store =
    coffer::store<std::string, std::string, simulated, coffer::threading::single, Policies...>;

namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace index = coffer::index;

inline constexpr const char* place = "/s";

inline coffer::options small_options() {
    coffer::options chosen;
    chosen.segment_bytes = 16 * 1024;
    chosen.auto_compact = false;
    return chosen;
}

/// Makes the log so long that a close keeps the index. What does it is dead, so that no walk has to
/// read it.
template <class Store>
void lengthen(Store& db) {
    constexpr std::size_t size = 100'000;
    for (std::size_t sum = 0; sum < coffer::detail::least_log_for_image; sum += size)
        db.put("filler", std::string(size, '\0'));
    db.erase("filler");
}

/// Everything that a walk shows, each key once, and that get() answers with the same; else empty
/// and `failed`.
template <class Store>
contents all_of(const Store& db, bool& failed) {
    contents out;
    const auto walked = db.try_for_each([&](std::string_view key, std::string_view value) {
        need(out.emplace(key, value).second, "a walk shows a key once");
    });
    failed = !walked;
    if (failed) {
        need(walked.error().kind() == coffer::errc::corruption ||
                 walked.error().kind() == coffer::errc::io_error,
             std::string("a walk fails with corruption, but: ") + walked.error().what());
        return {};
    }
    for (const auto& [key, value] : out) {
        const auto got = db.try_get(key);
        need(got && *got == value, "get() answers as a walk does: " + key);
    }
    return out;
}

}  // namespace fuzz

#endif
