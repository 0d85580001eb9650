// tests/storage/parts.hpp: log, index and writer of a store, put together by hand, with a durability
// policy that does as it is told.
#ifndef COFFER_TESTS_STORAGE_PARTS_HPP
#define COFFER_TESTS_STORAGE_PARTS_HPP

#include <coffer/durability/concept.hpp>
#include <coffer/index/hash.hpp>
#include <coffer/storage/records.hpp>
#include <coffer/storage/writer.hpp>

#include "../journal/scene.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace parts {

using coffer::detail::position;
using coffer::detail::record_type;

/// Promises hold at once, unless it is told otherwise.
struct told_driver {
    bool refuses_before = false;
    bool refuses_after = false;
    bool waits = false;  // the promise holds for nothing yet
    position held;
    std::function<void()> meanwhile = [] {};  // while a writer waits for its promise
    int before = 0;
    int after = 0;

    coffer::result<void> before_write() {
        ++before;
        if (refuses_before) return coffer::fail(coffer::errc::poisoned, "before");
        return {};
    }
    template <class Then>
    coffer::result<void> after_write(position place, Then&& then) {
        ++after;
        meanwhile();
        if (refuses_after) return coffer::fail(coffer::errc::io_error, "after");
        if (waits) return {};
        held = (std::max)(held, place);
        then(held);
        return {};
    }
    [[nodiscard]] position kept() const { return held; }
};

struct no_thread {
    void wake() {}
    void cleared() {}
};

template <bool Hides, class Threading = coffer::threading::single,
          class Index = coffer::index::hash>
struct world {
    using state = coffer::detail::records<scene::medium, Index, Threading, 0>;
    using index_type = Index;
    using writer_type = coffer::detail::writer<state, told_driver, no_thread, Hides>;

    explicit world(std::uint64_t max_batch = 10000,
                   const coffer::detail::log_options& chosen = scene::small())
        : all(disk, chosen), writer(all, driver, wake, max_batch) {
        all.journal.start(scene::folder(disk), scene::id, 1).value();
        all.replace_index(all.make_index().value());
    }

    coffer::result<bool> put(std::string_view key, std::string_view value,
                             coffer::detail::condition when = coffer::detail::condition::none) {
        return writer.write(record_type::put, coffer::as_bytes(key), coffer::as_bytes(value), when);
    }
    coffer::result<bool> erase(std::string_view key) {
        return writer.write(record_type::erase, coffer::as_bytes(key), {},
                            coffer::detail::condition::present);
    }
    std::string get(std::string_view key) const {
        std::string out = "absent";
        auto found = all.lookup(coffer::as_bytes(key),
                                [&](coffer::bytes value) { out = coffer::as_text(value); });
        return found ? out : "unreadable";
    }
    [[nodiscard]] position tail() const { return all.journal.tail(); }

    scene::disk disk;
    state all;
    told_driver driver;
    no_thread wake;
    writer_type writer;
};

}  // namespace parts

#endif
