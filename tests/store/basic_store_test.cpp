// What the store itself decides: ranges that cannot be read, the places of get_many, refresh,
// forked children.
#include <coffer/store/basic_store.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <ranges>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using coffer::errc;
using coffer::fs::simulated;
using S = coffer::store<std::uint8_t, std::string, coffer::index::sorted, simulated,
                        coffer::durability::buffered>;

template <class Range>
errc reading(const S& db, const Range& range) {
    const auto done = db.try_for_each(range, [](int, std::string_view) {});
    REQUIRE_FALSE(done);
    return done.error().kind();
}

template <class Range>
errc thrown_by_begin(const Range& range) {
    try {
        static_cast<void>(range.begin());
    } catch (const coffer::error& thrown) {
        return thrown.kind();
    }
    FAIL("nothing was thrown");
    return {};
}

/// Every other element of some that lie one behind the other, as a column of a matrix.
struct column {
    struct iterator {
        using value_type = double;
        using difference_type = std::ptrdiff_t;
        const double* at;
        const double& operator*() const { return *at; }
        iterator& operator++() {
            at += 2;
            return *this;
        }
        iterator operator++(int) {
            iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const iterator&) const = default;
    };
    const double* from;
    std::size_t count;
    [[nodiscard]] const double* data() const { return from; }
    [[nodiscard]] std::size_t size() const { return count; }
    [[nodiscard]] iterator begin() const { return {from}; }
    [[nodiscard]] iterator end() const { return {from + 2 * count}; }
};

/// A system that has reached its limit of threads.
struct no_threads : coffer::threading::multi {
    struct thread {
        thread() = default;
        template <class Work>
        explicit thread(const Work&) {
            throw std::system_error(EAGAIN, std::generic_category());
        }
        [[nodiscard]] bool joinable() const { return false; }
        void join() {}
    };
};

}  // namespace

TEST_CASE("a range says that it cannot be read when it is read", "[basic_store]") {
    S db = S::open("/db", {}, simulated());
    db.put(7, "seven");
    const auto beyond = db.scan(0, 300);
    CHECK(reading(db, beyond) == errc::invalid_argument);
    CHECK_THROWS_AS(beyond.begin(), coffer::error);
    CHECK(reading(db, db.range(-1, 5)) == errc::invalid_argument);
    CHECK(reading(db, db.from(1000)) == errc::invalid_argument);
    CHECK_THROWS_AS(db.lower_bound(-1), coffer::error);
    CHECK((*db.lower_bound(7)).value == "seven");
    CHECK(db.upper_bound(7) == db.end());

    S closed = S::open("/other", {}, simulated());
    closed.close();
    CHECK(reading(closed, closed.scan(1, 2)) == errc::closed);
    CHECK(reading(closed, closed.range(1, 2)) == errc::closed);
    CHECK(reading(closed, closed.from(1)) == errc::closed);
    CHECK_THROWS_AS(closed.begin(), coffer::error);
    CHECK_THROWS_AS(closed.upper_bound(1), coffer::error);
}

TEST_CASE("a range outlives what it was made by, for the store that reads it", "[basic_store]") {
    const simulated disk;
    S writer = S::open("/db", {}, disk);
    for (const int key : {1, 2, 3}) writer.put(key, "v");
    writer.flush();
    S reader = S::open_read_only("/db", {}, disk);
    const auto some = reader.range(2, 9);
    for (int round = 0; round < 3; ++round) {
        int seen = 0;
        reader.for_each(some, [&](int, std::string_view) { ++seen; });
        reader.for_each_back(some, [&](int, std::string_view) { ++seen; });
        CHECK(seen == 2 * (2 + round));
        writer.put(4 + round, "v");
        writer.flush();
        reader.refresh();
        CHECK(thrown_by_begin(some) == errc::closed);
    }
    const auto all = writer.range(0, 9);
    CHECK((*all.begin()).key == 1);
    S moved = std::move(writer);  // takes the ranges along
    CHECK((*all.begin()).key == 1);
    writer = std::move(moved);
    writer.close();
    CHECK(thrown_by_begin(all) == errc::closed);
    const auto orphan = S::open("/other", {}, disk).from(0);
    CHECK(thrown_by_begin(orphan) == errc::closed);
    CHECK(reading(writer, all) == errc::closed);
    reader.close();
    CHECK(reading(reader, some) == errc::closed);
}

TEST_CASE("a view with strides is stored as its elements", "[basic_store]") {
    coffer::store<int, std::vector<double>, coffer::storage::map> columns;
    const std::array<double, 6> matrix{1, 10, 2, 20, 3, 30};
    columns.put(1, column{matrix.data(), 3});
    columns.put(2, column{matrix.data() + 1, 3});
    CHECK(columns.get(1) == std::vector<double>{1, 2, 3});
    CHECK(columns.get(2) == std::vector<double>{10, 20, 30});
}

TEST_CASE("get_many takes keys that are made while it walks", "[basic_store]") {
    S db = S::open("/db", {}, simulated());
    for (int key = 0; key < 40; ++key) db.put(key, std::to_string(key));
    std::vector<std::optional<std::string>> out(40);
    db.get_many(std::views::iota(std::uint8_t{0}, std::uint8_t{40}), out);
    for (std::size_t i = 0; i < 40; ++i) CHECK(out[i] == std::to_string(i));

    using key = std::array<unsigned char, 3>;
    auto other = coffer::store<key, int, coffer::storage::map>::open("");
    auto named = coffer::store<std::string, int, coffer::storage::map>::open("");
    const auto array_of = [](int i) { return key{static_cast<unsigned char>(i), 1, 2}; };
    const auto name_of = [](int i) { return std::string(30, 'n') + std::to_string(i); };
    for (int i = 0; i < 40; ++i) {
        other.put(array_of(i), i);
        named.put(name_of(i), i);
    }
    std::vector<std::optional<int>> numbers(40);
    other.get_many(std::views::iota(0, 40) | std::views::transform(array_of), numbers);
    for (int i = 0; i < 40; ++i) CHECK(numbers[static_cast<std::size_t>(i)] == i);
    const char words[][3] = {"aa", "bb", "no"};
    named.put("aa", 1);
    named.put("bb", 2);
    named.get_many(words, numbers);
    CHECK((numbers[0] == 1 && numbers[1] == 2 && !numbers[2]));
    std::istringstream text("bb no aa bb aa");  // each key lies in the iterator
    named.get_many(std::ranges::subrange(std::istream_iterator<std::string>(text),
                                         std::istream_iterator<std::string>()),
                   numbers);
    CHECK((numbers[0] == 2 && !numbers[1] && numbers[2] == 1 && numbers[3] == 2));
    CHECK(numbers[4] == 1);
    named.get_many(std::views::iota(10, 30) | std::views::transform(name_of), numbers);
    for (int i = 10; i < 30; ++i) CHECK(numbers[static_cast<std::size_t>(i - 10)] == i);
}

TEST_CASE("get_many leaves nothing of what was in its places", "[basic_store]") {
    S db = S::open("/db", {}, simulated());
    std::vector<int> keys;
    for (int key = 0; key < 50; ++key) {
        if (key % 3 != 0) db.put(static_cast<std::uint8_t>(key), "v" + std::to_string(key));
        keys.push_back(key % 7 == 0 ? 1000 + key : key);  // some can be no key of this store
    }
    std::vector<std::optional<std::string>> out(60, "of an earlier call, and longer than a value");
    db.get_many(keys, out);
    for (std::size_t i = 0; i < 60; ++i) {
        CAPTURE(i);
        if (i >= 50) {
            CHECK(out[i] == "of an earlier call, and longer than a value");
        } else if (i % 3 == 0 || i % 7 == 0) {
            CHECK_FALSE(out[i].has_value());
        } else {
            CHECK(out[i] == "v" + std::to_string(i));
        }
    }
    const char* const kept = out[50]->data();
    out[1] = std::move(out[50]);
    db.get_many(keys, out);
    CHECK(out[1] == "v1");
    CHECK(out[1]->data() == kept);  // its memory was used again
}

TEST_CASE("a callback may read, and the one of that read again", "[basic_store]") {
    S db = S::open("/db", {}, simulated());
    db.put(1, "one");
    int deepest = 0;
    const std::function<void(int)> look = [&](int depth) {
        deepest = depth;
        if (depth < 300) db.view(1, [&](std::string_view) { look(depth + 1); });
    };
    look(0);
    CHECK(deepest == 300);
}

TEST_CASE("where the system makes no thread, the first write says so", "[basic_store]") {
    const simulated disk;
    S::open("/db", {}, disk).put(1, "one");
    using threadless = coffer::store<std::uint8_t, std::string, coffer::index::sorted, simulated,
                                     coffer::durability::write_through, no_threads>;
    const auto refused = [](const auto& answer) {
        REQUIRE_FALSE(answer);
        CHECK(answer.error().kind() == errc::io_error);
        CHECK(answer.error().os_code() == EAGAIN);
    };
    {
        threadless db = threadless::open("/db", {}, disk);
        refused(db.try_put(7, "lost"));
        refused(db.try_insert(7, "lost"));
        refused(db.try_erase(1));
        refused(db.try_clear());
        refused(db.try_flush());
        refused(db.try_sync());
        refused(db.try_compact());
        CHECK(db.size() == 1);
        CHECK(db.get(1) == "one");
        CHECK(db.try_close());
    }
    S db = S::open("/db", {}, disk);
    CHECK(db.size() == 1);
    CHECK(db.get(1) == "one");
}

TEST_CASE("where the system makes no thread for what an open leaves to do, the open says so",
          "[basic_store]") {
    const simulated disk;
    S db = S::open("/db", {}, disk);
    db.put(1, "one");
    db.flush();
    using threadless = coffer::store<std::uint8_t, std::string, coffer::index::sorted, simulated,
                                     coffer::durability::async, no_threads>;
    const simulated killed = disk.process_killed();  // the record waits for a sync
    const auto refused = threadless::try_open("/db", {}, killed);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::io_error);
    CHECK(refused.error().os_code() == EAGAIN);
    CHECK(S::open("/db", {}, killed).get(1) == "one");
}

TEST_CASE("refresh moves a reader on, and leaves a writer alone", "[basic_store]") {
    const simulated disk;
    S writer = S::open("/db", {}, disk);
    writer.put(1, "one");
    writer.refresh();
    CHECK(writer.get(1) == "one");
    writer.put(2, "two");
    writer.flush();
    S reader = S::open_read_only("/db", {}, disk);
    CHECK(reader.size() == 2);
    writer.put(3, "three");
    writer.flush();
    CHECK(reader.size() == 2);
    reader.refresh();
    CHECK(reader.size() == 3);
    CHECK(reader.try_put(4, "four").error().kind() == errc::read_only);
}

TEST_CASE("refresh does not go over to another store", "[basic_store]") {
    const simulated disk;
    S::open("/db", {}, disk).put(1, "of the first");
    S::open("/other", {}, disk).put(1, "of the other");
    S reader = S::open_read_only("/db", {}, disk);
    for (const std::string& path : disk.files()) {
        if (path.starts_with("/db/")) REQUIRE(disk.remove_file(path));
    }
    for (const std::string& path : disk.files()) {
        if (!path.starts_with("/other/")) continue;
        REQUIRE(disk.write_file("/db/" + path.substr(7), *disk.read_file(path)));
    }
    CHECK(reader.try_refresh().error().kind() == errc::not_found);
    CHECK(reader.get(1) == "of the first");
}

TEST_CASE("every call of a forked child is refused", "[basic_store]") {
    const simulated disk;
    S db = S::open("/db", {}, disk);
    db.put(1, "one");
    disk.pretend_forked(true);
    const auto refused = [](const auto& answer) {
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().kind() == errc::forked);
    };
    S::batch all;
    all.put(2, "two");
    std::vector<std::optional<std::string>> out(1);
    refused(db.try_get(1));
    refused(db.try_view(1, [](std::string_view) {}));
    refused(db.try_get_many(std::vector<int>{1}, out));
    refused(db.try_contains(1));
    refused(db.try_size());
    refused(db.try_empty());
    refused(db.try_for_each([](int, std::string_view) {}));
    CHECK_THROWS_AS(static_cast<void>(db.begin()), coffer::error);
    refused(db.try_put(1, "other"));
    refused(db.try_insert(2, "other"));
    refused(db.try_erase(1));
    refused(db.try_write(all));
    refused(db.try_clear());
    refused(db.try_flush());
    refused(db.try_sync());
    refused(db.try_compact());
    refused(db.try_verify());
    refused(db.try_stats());
    refused(db.try_refresh());
    CHECK(db.try_recovery().has_value());
    CHECK(db.is_open());
    refused(db.try_close());
}
