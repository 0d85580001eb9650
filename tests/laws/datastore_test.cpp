// The conformance suite of go-datastore, asked of coffer: its basic and batch tests of every
// combination, its query tests through ranges and std::views. Keys are paths as there, already
// clean; a prefix selects what lies strictly below it. Where its calls answer ErrNotFound, ours
// answer with an empty optional; erasing what is absent is no error in both (A1).
#include <coffer/coffer.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "law.hpp"
#include "model.hpp"

using namespace laws;

namespace {

// ---- of every combination -----------------------------------------------------------------------

void basic_put_get(const combination& choice) {
    opened store(choice);
    const std::string value = "Hello Datastore!";
    const auto size_of = [&](std::string_view key) {
        const auto found = good(store->view(key));
        return found ? static_cast<int>(found->size()) : -1;
    };
    good(store->put("/foo", value));
    for (int i = 0; i < 2; ++i) {  // before and after a get
        expect(good(store->contains("/foo")), "has what was put");
        expect(size_of("/foo") == static_cast<int>(value.size()), "its size");
        expect(good(store->get("/foo")) == value, "its value");
    }
    expect(good(store->erase("/foo")), "delete");
    expect(!good(store->contains("/foo")) && size_of("/foo") == -1,
           "it is gone, and so is its size");
}

void not_founds(const combination& choice) {
    opened store(choice);
    expect(!good(store->get("/notreal")), "get of what is absent finds nothing");
    expect(!good(store->contains("/notreal")), "has says so");
    expect(!good(store->view("/notreal")), "so does the size");
    expect(!good(store->erase("/notreal")), "deleting it is no error");
}

void basic_sync(const combination& choice) {
    opened store(choice);
    good(store->sync());
    good(store->put("/prefix", "foo"));
    good(store->sync());
    good(store->put("/prefix/sub", "bar"));
    good(store->sync());
    good(store->sync());
    if (!choice.simulated || !choice.persistent) return;
    // What Sync promises there: a Put before it is observed after it, even if the program crashes.
    const place after(store.where.disk.power_lost(), "/store");
    const auto reopened = good(choice.try_open(after, {}, false));
    expect(good(reopened->get("/prefix")) == "foo" && good(reopened->get("/prefix/sub")) == "bar",
           "what was put before sync() is there after a crash");
}

void many_keys_and_query(const combination& choice) {
    opened store(choice);
    map_model input;
    for (int i = 0; i < 100; ++i) {
        const std::string name = std::to_string(i) + "key" + std::to_string(i);
        for (const char* folder : {"/", "/prefix/", "/prefix/sub/", "/capital/"}) {
            input[folder + name] = std::string(64, static_cast<char>(i));
        }
    }
    for (const auto& [key, value] : input) good(store->put(key, value));
    for (const auto& [key, value] : input)
        expect(good(store->get(key)) == value, "values come back");
    map_model found;
    for (const row& each : good(store->iterate())) found.emplace(each.key, each.value);
    expect(found == input, "a query for everything gives everything");
    for (const auto& [key, value] : input) good(store->erase(key));
    expect(good(store->empty()), "deleting all keys leaves none");
}

// ---- batches ------------------------------------------------------------------------------------

void batch(const combination& choice) {
    opened store(choice);
    changes blocks;
    for (std::size_t i = 0; i < 20; ++i) {
        blocks.push_back({change::kind::put, "/block" + std::to_string(i),
                          std::string(256 * 1024, static_cast<char>('A' + i))});
    }
    for (const change& each : blocks)
        expect(!good(store->get(each.key)), "nothing before the commit");
    good(store->write(blocks));
    for (const change& each : blocks) expect(good(store->get(each.key)) == each.value, "then, all");
}

void batch_delete(const combination& choice) {
    opened store(choice);
    changes all;
    for (int i = 0; i < 20; ++i) {
        all.push_back({change::kind::erase, "/key" + std::to_string(i), {}});
        good(store->put(all.back().key, std::string(16, 'b')));
    }
    good(store->write(all));
    for (const change& each : all) expect(!good(store->get(each.key)), "a batch deletes");
}

void batch_put_and_delete(const combination& choice) {
    opened store(choice);
    good(store->write({{change::kind::put, "/a", "\x01"},
                       {change::kind::put, "/b", "\x02"},
                       {change::kind::erase, "/a", {}},
                       {change::kind::erase, "/b", {}},
                       {change::kind::put, "/b", "\x03"}}));
    expect(!good(store->get("/a")), "the later delete wins");
    expect(good(store->get("/b")) == "\x03", "the latest put wins");
}

// ---- queries ------------------------------------------------------------------------------------

enum class order_by { nothing, key, key_descending, value, value_then_key };

/// Applied in this order: prefix, filter, order, offset, limit.
struct query {
    std::string prefix = {};
    std::function<bool(const row&)> filter = [](const row&) { return true; };
    order_by order = order_by::nothing;
    std::size_t offset = 0;
    std::size_t limit = 0;  // 0: no limit
};

/// "/foo" and "/foo/" select "/foo/bar", and neither "/foobar" nor "/foo"; "" and "/" select all.
std::string start_of(std::string prefix) {
    if (!prefix.ends_with('/')) prefix += '/';
    return prefix;
}

bool less_by(order_by order, const row& a, const row& b) {
    switch (order) {
        case order_by::nothing:
        case order_by::key:
            return a.key < b.key;
        case order_by::key_descending:
            return b.key < a.key;
        case order_by::value:
            return a.value < b.value;
        case order_by::value_then_key:
            break;
    }
    return a.value != b.value ? a.value < b.value : a.key < b.key;
}

/// The answer, from the list of what was put.
rows naive(const query& asked, rows all) {
    std::erase_if(all, [&](const row& each) {
        return !each.key.starts_with(start_of(asked.prefix)) || !asked.filter(each);
    });
    std::stable_sort(all.begin(), all.end(),
                     [&](const row& a, const row& b) { return less_by(asked.order, a, b); });
    all.erase(all.begin(),
              all.begin() + static_cast<std::ptrdiff_t>((std::min)(asked.offset, all.size())));
    if (asked.limit != 0 && all.size() > asked.limit) all.resize(asked.limit);
    return all;
}

template <class R>
rows listed(R&& range) {
    rows out;
    for (auto&& each : range) out.push_back({each.key, each.value});
    return out;
}

/// Offset and limit of what `range` gives.
template <class R>
rows paged(const query& asked, R&& range) {
    const auto matches = [&](const auto& each) { return asked.filter({each.key, each.value}); };
    auto rest = std::forward<R>(range) | std::views::filter(matches) |
                std::views::drop(static_cast<std::ptrdiff_t>(asked.offset));
    if (asked.limit == 0) return listed(rest);
    return listed(rest | std::views::take(static_cast<std::ptrdiff_t>(asked.limit)));
}

/// The answer, from a store: in order of keys a range has all that a query needs.
template <class S>
rows answer(const query& asked, const S& store) {
    if constexpr (S::ordered) {
        const auto below = store.prefix(start_of(asked.prefix));
        if (asked.order == order_by::nothing || asked.order == order_by::key)
            return paged(asked, below);
        if (asked.order == order_by::key_descending)
            return paged(asked, below | std::views::reverse);
    }
    rows found;
    store.for_each([&](std::string_view key, std::string_view value) {
        const row each{std::string(key), std::string(value)};
        if (key.starts_with(start_of(asked.prefix)) && asked.filter(each)) found.push_back(each);
    });
    std::sort(found.begin(), found.end(), [](const row& a, const row& b) { return a.key < b.key; });
    std::stable_sort(found.begin(), found.end(),
                     [&](const row& a, const row& b) { return less_by(asked.order, a, b); });
    const query rest{{}, [](const row&) { return true; }, {}, asked.offset, asked.limit};
    return paged(rest, found);
}

template <class S>
struct queried {
    explicit queried(std::size_t count = 100) {
        random_numbers random(count);
        for (const char* folder : {"/", "/prefix/", "/prefix/sub/"})
            add(folder, "key", count, random);
        add("/capital/", "KEY", count, random);
        std::sort(input.begin(), input.end(),
                  [](const row& a, const row& b) { return a.key < b.key; });
    }
    void add(const std::string& folder, const std::string& word, std::size_t count,
             random_numbers& random) {
        for (std::size_t i = 0; i < count; ++i) {
            std::string value(64, '\0');
            for (char& each : value) each = static_cast<char>(random());
            input.push_back({folder + std::to_string(i) + word + std::to_string(i), value});
            store.put(input.back().key, input.back().value);
        }
    }
    void check(const query& asked) const {
        INFO("prefix " << asked.prefix << ", order " << static_cast<int>(asked.order) << ", offset "
                       << asked.offset << ", limit " << asked.limit);
        CHECK(answer(asked, store) == naive(asked, input));
    }

    coffer::fs::simulated disk;
    S store = S::open("/datastore", {}, disk);
    rows input;
};

using by_key =
    coffer::store<std::string, std::string, coffer::index::sorted, coffer::fs::simulated>;
using by_hash = coffer::rebind<by_key, coffer::index::hash>;
using in_memory = coffer::rebind<by_key, coffer::storage::map, coffer::threading::single>;

const auto first_key = [](const row& each) { return each.key == "/0key0"; };
const auto before_two = [](const row& each) { return each.key < "/2"; };
const auto even_keys = [](const row& each) { return each.key.size() % 2 == 0; };

template <class S>
void all_queries() {
    const queried<S> asked;
    const auto everything = [](const row&) { return true; };
    for (const char* prefix :
         {"", "/", "/prefix", "/prefix/", "/prefix/sub/", "/0/", "/bad/", "/pre"}) {
        asked.check({prefix});  // Prefix
    }
    for (const order_by each : {order_by::nothing, order_by::key, order_by::key_descending,
                                order_by::value, order_by::value_then_key}) {
        asked.check({"", everything, each});  // Order
    }
    constexpr std::size_t n = 100;
    for (const auto& [offset, limit] :
         std::vector<std::pair<std::size_t, std::size_t>>{{0, n / 10},
                                                          {0, 0},
                                                          {n / 10, 0},
                                                          {n / 10, n / 10},
                                                          {n / 10, n / 5},
                                                          {n / 2, n / 5},
                                                          {n - 1, n / 5},
                                                          {n * 2, n / 5},
                                                          {n * 2, 0},
                                                          {n * 4 - 1, 0},
                                                          {n * 4, 0},
                                                          {n * 5, 3}}) {
        asked.check({"", everything, order_by::key, offset, limit});  // Limit
    }
    const std::string some = asked.input[17].value;
    asked.check({"", first_key});  // Filter
    asked.check({"", before_two});
    asked.check({"", even_keys});
    asked.check({"", [](const row& each) { return each.key.starts_with("/0key0"); }});
    asked.check({"", [&](const row& each) { return each.value < some; }});
    for (const row& each : answer(query{}, asked.store)) {  // ReturnSizes
        CHECK(each.value.size() == 64);
    }
}

template <class S>
void all_combinations() {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{100}}) {
        const queried<S> asked(count);
        for (const std::size_t offset : {0U, 10U, 95U, 100U}) {
            for (const std::size_t limit : {0U, 1U, 10U, 100U}) {
                for (const char* prefix : {"", "/prefix", "/0"}) {
                    for (const order_by order : {order_by::key, order_by::key_descending,
                                                 order_by::value_then_key, order_by::value}) {
                        asked.check({prefix, first_key, order, offset, limit});
                        asked.check({prefix, before_two, order, offset, limit});
                    }
                }
            }
        }
    }
}

}  // namespace

TEST_CASE("datastore: BasicPutGet") {
    over(everywhere, both_ways(basic_put_get));
}
TEST_CASE("datastore: NotFounds") {
    over(everywhere, both_ways(not_founds));
}
TEST_CASE("datastore: BasicSync") {
    over(everywhere, basic_sync);
}
TEST_CASE("datastore: ManyKeysAndQuery") {
    over(everywhere, many_keys_and_query);
}
TEST_CASE("datastore: RunBatch") {
    over(everywhere, batch);
}
TEST_CASE("datastore: BatchDelete") {
    over(everywhere, batch_delete);
}
TEST_CASE("datastore: BatchPutAndDelete") {
    over(everywhere, batch_put_and_delete);
}

TEST_CASE("datastore: Prefix, Order, Limit, Filter, ReturnSizes") {
    SECTION("in order of keys") {
        all_queries<by_key>();
    }
    SECTION("by hash") {
        all_queries<by_hash>();
    }
    SECTION("in memory") {
        all_queries<in_memory>();
    }
}
TEST_CASE("datastore: Combinations") {
    SECTION("in order of keys") {
        all_combinations<by_key>();
    }
    SECTION("by hash") {
        all_combinations<by_hash>();
    }
    SECTION("in memory") {
        all_combinations<in_memory>();
    }
}
