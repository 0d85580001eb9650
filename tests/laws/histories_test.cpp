// Short concurrent histories on every combination under threading::multi are linearizable, and the
// judge finds those of stores that are broken.
//
// scripts/proof runs more of them: COFFER_HISTORIES says how many.
#include "histories.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "forwarding.hpp"
#include "law.hpp"

using namespace laws;

namespace {

void ask_all_of(combination::storage_kind storage) {
    over([=](const combination& each) { return each.concurrent && each.storage == storage; },
         histories_are_linearizable);
}

}  // namespace

TEST_CASE("histories: every combination of map") {
    ask_all_of(combination::storage_kind::map);
}
TEST_CASE("histories: every combination of file_log") {
    ask_all_of(combination::storage_kind::file_log);
}
TEST_CASE("histories: every combination of mmap") {
    ask_all_of(combination::storage_kind::mmap);
}

// ---- stores that are broken ---------------------------------------------------------------------

namespace {

/// Says it has put, and has not.
struct loses_puts : forwarding {
    using forwarding::forwarding;
    result<void> put(std::string_view key, std::string_view value) override {
        if (now_and_then(30)) return {};
        return to_->put(key, value);
    }
};

/// Returns from a put before anybody can see it: the next one, or a sync, carries it out.
struct puts_late : forwarding {
    using forwarding::forwarding;
    result<void> put(std::string_view key, std::string_view value) override {
        const std::lock_guard hold(mutex);
        const row before = std::exchange(waiting, row{std::string(key), std::string(value)});
        return before.key.empty() ? result<void>() : to_->put(before.key, before.value);
    }
    std::mutex mutex;
    row waiting;
};

/// Shows what a key held when somebody looked before.
struct reads_old : forwarding {
    using forwarding::forwarding;
    result<std::optional<std::string>> get(std::string_view key) const override {
        const std::lock_guard hold(mutex);
        auto& old = seen[std::string(key)];
        if (now_and_then(20)) return old;
        auto found = to_->get(key);
        if (found) old = *found;
        return found;
    }
    mutable std::mutex mutex;
    mutable std::map<std::string, std::optional<std::string>> seen;
};

/// Writes a batch one operation after the other.
struct writes_halves : forwarding {
    using forwarding::forwarding;
    result<void> write(const changes& all) override {
        for (const change& each : all) {
            if (auto done = to_->write({each}); !done) return done;
            std::this_thread::yield();
        }
        return {};
    }
};

/// Looks, and then writes.
struct inserts_twice : forwarding {
    using forwarding::forwarding;
    result<bool> insert(std::string_view key, std::string_view value) override {
        const bool there = good(to_->contains(key));
        if (there) return false;
        std::this_thread::yield();
        good(to_->put(key, value));
        return true;
    }
};
struct erases_twice : forwarding {
    using forwarding::forwarding;
    result<bool> erase(std::string_view key) override {
        const bool there = good(to_->contains(key));
        std::this_thread::yield();
        good(to_->erase(key));
        return there;
    }
};

/// Leaves a row out.
struct scans_miss : forwarding {
    using forwarding::forwarding;
    result<rows> in(const part& wanted, bool reversed, std::size_t most) const override {
        auto found = to_->in(wanted, reversed, most);
        if (found && !found->empty() && now_and_then(10)) found->pop_back();
        return found;
    }
};

/// Shows a row that is gone: what the scan before has shown.
struct scans_old : forwarding {
    using forwarding::forwarding;
    result<rows> for_each_in(const part& wanted, bool reversed, std::size_t most) const override {
        auto found = to_->for_each_in(wanted, reversed, most);
        const std::lock_guard hold(mutex);
        if (!found || reversed) return found;
        rows& before = seen[wanted.low + ' ' + wanted.high];
        if (now_and_then(4)) return before;
        return before = std::move(*found);
    }
    mutable std::mutex mutex;
    mutable std::map<std::string, rows> seen;
};

/// The last of many is another's.
struct many_are_mixed : forwarding {
    using forwarding::forwarding;
    result<std::vector<std::optional<std::string>>> get_many(const std::vector<std::string>& keys,
                                                             std::size_t places) const override {
        auto found = to_->get_many(keys, places);
        if (found && now_and_then(20)) found->back() = found->front();
        return found;
    }
};

/// A store in memory, sorted, behind `Broken`: how many histories until one cannot be; 0: none.
template <class Broken>
std::uint64_t histories_until_found(std::uint64_t at_most = 5000) {
    for (const combination& choice : combinations()) {
        if (!choice.concurrent || !choice.ordered || choice.persistent) continue;
        opened store(choice);
        Broken broken(*store);
        trial some(choice.ordered, 1);
        while (some.violations() == 0 && some.histories() < at_most) some.run(broken, 10);
        return some.violations() == 0 ? 0 : some.histories();
    }
    return 0;
}

}  // namespace

TEST_CASE("histories: broken stores are found") {
    CHECK(histories_until_found<forwarding>(100) == 0);
    CHECK(histories_until_found<loses_puts>() > 0);
    CHECK(histories_until_found<puts_late>() > 0);
    CHECK(histories_until_found<reads_old>() > 0);
    CHECK(histories_until_found<writes_halves>() > 0);
    CHECK(histories_until_found<inserts_twice>() > 0);
    CHECK(histories_until_found<erases_twice>() > 0);
    CHECK(histories_until_found<scans_miss>() > 0);
    CHECK(histories_until_found<scans_old>() > 0);
    CHECK(histories_until_found<many_are_mixed>() > 0);
}
