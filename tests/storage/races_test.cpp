// What threads, failures and clears do to each other: each test is a bug that there was.
#include <coffer/coffer.hpp>

#include "catch.hpp"
#include "eventually.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using coffer::errc;
using namespace coffer;  // NOLINT: a test
using text = std::string;

template <class... Policies>
using store_on = store<text, text, fs::simulated, Policies...>;

options small() {
    options out;
    out.segment_bytes = 16 * 1024;
    return out;
}

/// An index whose tables say when they are prepared after their end.
struct slow_index {
    static constexpr policy_id id{"slow", 1};
    static constexpr bool ordered = false;
    static inline std::atomic<int> preparing{0};
    static inline std::atomic<bool> ended_early{false};

    template <class Threading, class Memory, std::size_t>
    class table : public coffer::detail::hash_table<Threading, Memory> {
        using base = coffer::detail::hash_table<Threading, Memory>;

    public:
        using base::base;
        ~table() { ended_early = ended_early || busy_; }
        result<void> prepare(std::size_t count, std::uint64_t key_bytes) {
            if (count != 5000) return base::prepare(count, key_bytes);
            busy_ = true;
            ++preparing;
            const bool before = ended_early;
            for (int i = 0; i < 20'000 && ended_early == before; ++i) std::this_thread::yield();
            if (ended_early != before) return {};  // there is no table any more
            busy_ = false;
            return base::prepare(count, key_bytes);
        }

    private:
        std::atomic<bool> busy_{false};
    };
};

}  // namespace

TEST_CASE("a clear does not end an index that is being prepared", "[races][threads]") {
    auto all = store_on<storage::map, slow_index>::open("");
    decltype(all)::batch many;
    for (int i = 0; i < 5000; ++i) many.put(std::to_string(i), "v");
    std::thread writing([&] { all.write(many); });
    while (slow_index::preparing == 0) std::this_thread::yield();
    all.clear();
    const bool ended = slow_index::ended_early;
    writing.join();
    CHECK_FALSE(ended);
    CHECK(all.size() == 5000);
}

TEMPLATE_TEST_CASE(
    "a write that failed is whole or absent for ever, whatever is cleaned afterwards", "[races]",
    durability::write_through, durability::sync) {
    const bool clears = GENERATE(false, true);
    fs::simulated disk;
    using subject = store_on<storage::file_log, TestType, threading::single>;
    const text large(3000, 'x');
    auto put_some = [&](auto& to, const char* name, int count, int keys) {
        for (int i = 0; i < count; ++i) {
            if (!to.try_put(name + std::to_string(i % keys), large)) return;
        }
    };
    {
        auto all = subject::open("/s", small(), disk);
        all.put("a", "old");
        put_some(all, "dead", 20, 2);
        put_some(all, "live", 10, 10);
        all.put("b", "old");
        put_some(all, "more", 20, 20);
        typename subject::batch change;
        if (clears) change.clear();
        change.put("a", "new");
        change.put("b", "new");
        disk.fail_call(1, {}, fs::call::write);
        REQUIRE(all.try_write(change).error().kind() == errc::io_error);
        CHECK(all.get("a") == "old");
        CHECK(all.get("b") == "old");
        static_cast<void>(all.try_flush());
        put_some(all, "other", 200, 1);
        static_cast<void>(all.try_compact());
        CHECK(all.get("a") == "old");
        static_cast<void>(all.try_close());
    }
    text seen;
    for (int i = 0; i < 2; ++i) {  // and what the first open has found, the second finds
        auto again = subject::open("/s", small(), disk);
        const text a = again.get("a").value_or("absent");
        CHECK(a == again.get("b").value_or("absent"));
        CHECK((a == "new" && clears) == (again.size() == 2));
        if (i == 1) CHECK(a == seen);
        seen = a;
        put_some(again, "other", 100, 1);
        again.erase("other0");
        again.compact();
        again.sync();
    }
}

TEST_CASE("size never shows a clear half done", "[races][threads]") {
    auto all = store_on<storage::map>::open("");
    decltype(all)::batch five;
    five.clear();
    for (int i = 0; i < 5; ++i) five.put(std::to_string(i), "v");
    all.write(five);
    std::atomic<bool> over{false};
    std::thread writing([&] {
        for (int i = 0; i < 20'000; ++i) all.write(five);
        over = true;
    });
    std::uint64_t wrong = 0;
    while (!over) wrong += all.size() != 5;
    writing.join();
    CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("verify beside writers finds no damage", "[races][threads]", storage::file_log,
                   storage::mmap) {
    options chosen = small();
    chosen.map_reads = GENERATE(false, true);
    auto all = store_on<TestType, durability::write_through>::open("/s", chosen);
    std::atomic<bool> over{false};
    std::thread writing([&] {
        for (int i = 0; i < 1000; ++i) {
            all.put(std::to_string(i % 50), text(300, 'x'));
            if (i % 20 == 0) all.sync();
        }
        over = true;
    });
    bool good = true;
    while (!over) {
        auto found = all.try_verify();
        good = good && found && found->ok();
    }
    writing.join();
    CHECK(good);
}

TEST_CASE("a worker that a failed hand-over has stopped goes on after flush", "[races][threads]") {
    fs::simulated disk;
    options chosen;
    chosen.max_bytes = 64 * 1024;
    auto all = store_on<storage::file_log, durability::async>::open("/s", chosen, disk);
    disk.fail_call(1, {}, fs::call::write);
    for (int i = 0; i < 8; ++i) static_cast<void>(all.try_put("k", text(1000, 'x')));
    while (all.try_put("k", "v")) std::this_thread::yield();
    all.flush();  // nothing comes behind it
    CHECK(t::eventually([&] {
        disk.advance(10'000'000);
        return all.stats().unsynced_bytes == 0;
    }));
}

TEST_CASE("a clear does not wait for ever beside writers", "[races][threads]") {
    fs::simulated disk;
    disk.set_step_hook([](const fs::step& next) {
        for (int i = 0; i < 500 && next.is == fs::call::sync; ++i) std::this_thread::yield();
    });
    auto all = store_on<storage::file_log, durability::sync>::open("/s", {}, disk);
    std::atomic<bool> over{false};
    std::atomic<int> puts{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i) {
        writers.emplace_back([&, i] {
            for (; !over; ++puts) all.put(std::to_string(i), "v");
        });
    }
    while (puts < 20) std::this_thread::yield();
    int most = 0;
    for (int i = 0; i < 10; ++i) {
        const int before = puts;
        all.clear();
        most = (std::max)(most, puts - before);
    }
    over = true;
    for (std::thread& each : writers) each.join();
    CHECK(most < 10'000);  // those of some time slices
    disk.clear_step_hook();
}

TEMPLATE_TEST_CASE("a walk over a batch that clears and puts again meets every key once", "[races]",
                   index::hash, index::sorted) {
    auto all = store_on<storage::map, TestType, threading::single>::open("");
    typename decltype(all)::batch same;
    same.clear();
    const int keys = GENERATE(300, 1000, 5000);
    for (int i = 0; i < keys; ++i) same.put(std::to_string(i), "v");
    all.write(same);
    for (int i = 0; i < 3000; ++i) all.put("goes" + std::to_string(i), "v");  // a larger table
    std::multiset<text> met;
    int at = 0;
    for (auto each = all.begin(); each != all.end(); ++each) {
        const text key = (*each).key;
        if (!key.starts_with("goes")) met.insert(key);
        if (++at % 150 == 0) all.write(same);
    }
    CHECK(met.size() == static_cast<std::size_t>(keys));
    CHECK(std::set<text>(met.begin(), met.end()).size() == static_cast<std::size_t>(keys));
}

TEST_CASE("a full disk is emptied by clear and compact", "[races]") {
    fs::simulated disk;
    disk.set_capacity(400 * 1024);
    options chosen = small();
    chosen.auto_compact = false;
    auto all = store_on<storage::file_log, threading::single>::open("/s", chosen, disk);
    int count = 0;
    while (all.try_put(std::to_string(count), text(500, 'x'))) ++count;
    CHECK(all.try_clear());
    CHECK(all.try_compact());
    CHECK(all.try_put("new", text(500, 'x')));
}
