// The choice of policies: by name, by preset, and changed by rebind with nothing else changed.
#include <coffer/coffer.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "law.hpp"

namespace {

namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace order = coffer::index;
namespace threading = coffer::threading;
namespace fs = coffer::fs;

using text = std::string;

// ---- one type for one choice --------------------------------------------------------------------

using plain = coffer::store<text, text>;
static_assert(std::same_as<plain, coffer::store<text, text, storage::file_log, durability::sync,
                                                order::hash, threading::multi, fs::native>>,
              "what is not named is the default");
static_assert(std::same_as<coffer::store<text, text, order::sorted, storage::mmap>,
                           coffer::store<text, text, storage::mmap, order::sorted>>);
static_assert(!std::same_as<plain, coffer::store<text, text, order::sorted>>);

static_assert(std::same_as<coffer::durable_store<text, text>, plain>);
static_assert(
    std::same_as<coffer::ordered_store<text, text>, coffer::rebind<plain, order::sorted>>);
static_assert(
    std::same_as<coffer::fast_store<text, text>, coffer::rebind<plain, durability::async>>);
static_assert(std::same_as<coffer::cache_store<text, text>, coffer::rebind<plain, storage::map>>);
static_assert(std::same_as<coffer::test_store<text, text>,
                           coffer::rebind<plain, threading::single, storage::map, order::sorted>>);
static_assert(std::same_as<coffer::rebind<plain>, plain>, "nothing changed is nothing changed");
static_assert(
    std::same_as<coffer::rebind<coffer::rebind<plain, storage::map>, storage::file_log>, plain>);

// A34: what a type promises is known at compile time. (registry.hpp asks every combination.)
static_assert(coffer::durable_store<int, int>::survives_system_crash &&
              !coffer::durable_store<int, int>::volatile_);
static_assert(!coffer::fast_store<int, int>::survives_process_crash);
static_assert(coffer::cache_store<int, int>::volatile_ &&
              !coffer::cache_store<int, int>::survives_process_crash);
static_assert(coffer::test_store<int, int>::ordered && !coffer::test_store<int, int>::concurrent);

static_assert(coffer::store_of<plain, text, text> && !coffer::store_of<plain, text, int>);

// ---- a test that swaps production's store -------------------------------------------------------

/// What a program would contain: it knows keys and values, not where they are.
template <class Store>
class address_book {
public:
    explicit address_book(Store store) : store_(std::move(store)) {}

    bool add(std::string_view name, std::string_view address) {
        return store_.insert(name, address);
    }
    void move_to(std::string_view name, std::string_view address) { store_.put(name, address); }
    [[nodiscard]] std::optional<text> find(std::string_view name) const { return store_.get(name); }
    void swap(std::string_view one, std::string_view other) {
        typename Store::batch both;
        both.put(one, store_.get(other).value());
        both.put(other, store_.get(one).value());
        store_.write(both);
    }
    [[nodiscard]] text names(std::string_view start) const {
        text out;
        for (auto&& [name, address] : store_.prefix(start)) out += name + ";";
        return out;
    }

private:
    Store store_;
};

template <class Store>
void use(Store store) {
    address_book<Store> book(std::move(store));
    CHECK(book.add("ada", "London"));
    CHECK(book.add("alan", "Maida Vale"));
    CHECK(book.add("grace", "New York"));
    CHECK_FALSE(book.add("ada", "Paris"));
    book.move_to("alan", "Manchester");
    book.swap("ada", "grace");
    CHECK(book.find("ada") == "New York");
    CHECK(book.find("grace") == "London");
    CHECK(book.find("alan") == "Manchester");
    CHECK_FALSE(book.find("charles"));
    CHECK(book.names("a") == "ada;alan;");
}

using production =
    coffer::store<text, text, storage::file_log, durability::write_through, order::sorted>;
using in_memory = coffer::rebind<production, storage::map>;
using on_simulated = coffer::rebind<production, fs::simulated>;

static_assert(std::same_as<in_memory::durability_type, production::durability_type> &&
              std::same_as<in_memory::index_type, production::index_type> &&
              std::same_as<in_memory::threading_type, production::threading_type> &&
              std::same_as<in_memory::file_system_type, production::file_system_type> &&
              std::same_as<in_memory::storage_type, storage::map>);
static_assert(in_memory::volatile_ && !production::volatile_);

}  // namespace

TEST_CASE("production's store, as it is") {
    const laws::place where(false);
    use(production::open(where.path));
    CHECK(production::open(where.path).get("ada") == "New York");
}

TEST_CASE("production's store, in memory") {
    use(in_memory::open("the path is ignored"));
    use(in_memory());
    use(in_memory{});
    CHECK(in_memory().empty());  // nothing is shared, nothing persists
}

TEST_CASE("production's store, on a simulated disk") {
    const fs::simulated disk;
    use(on_simulated::open("/store", {}, disk));
    CHECK(on_simulated::open("/store", {}, disk).get("grace") == "London");
}

TEST_CASE("a path may be a string, a literal or a std::filesystem::path") {
    const laws::place where(false);
    { auto one = production::open(std::filesystem::path(where.path)); }
    { auto two = production::open(std::string_view(where.path)); }
    { auto three = production::open(where.path.c_str()); }
    auto four = production::try_open(where.path);
    REQUIRE(four.has_value());
    CHECK(four->is_open());
}
