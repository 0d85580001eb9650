// Batches: operations in memory, in order, until a store writes them as one commit.
#include <coffer/store/batch.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

using coffer::as_text;
using coffer::errc;
using coffer::detail::record_type;
using batch = coffer::basic_batch<std::string, std::string>;
using S = coffer::store<std::string, std::string, coffer::storage::map, coffer::threading::single,
                        coffer::fs::simulated>;

std::string value_of(const coffer::detail::change_list& of, std::size_t number) {
    const coffer::bytes held = of.laid_out().subspan(of.record_at(number));
    coffer::detail::record out;
    REQUIRE(coffer::detail::parse_record(held.data(), held.data() + held.size(), out));
    return std::string(as_text(out.value));
}

}  // namespace

TEST_CASE("a batch remembers its operations in order", "[batch]") {
    batch all;
    CHECK(all.empty());
    all.put("a", "1");
    all.erase("b");
    all.clear();
    all.put("", "");
    CHECK(all.size() == 4);
    const auto& changes = all.changes();
    REQUIRE(changes.size() == 4);
    CHECK(changes[0].type == record_type::put);
    CHECK(as_text(changes[0].key) == "a");
    CHECK(value_of(changes, 0) == "1");
    CHECK(changes[1].type == record_type::erase);
    CHECK(as_text(changes[1].key) == "b");
    CHECK(value_of(changes, 1).empty());
    CHECK(changes[2].type == record_type::clear);
    CHECK(changes[3].key.empty());
    all.reset();
    CHECK(all.empty());
    CHECK(all.changes().empty());
}

TEST_CASE("a batch owns what was put into it", "[batch]") {
    batch all;
    {
        std::string key = "temporary key that is long";
        all.put(key, std::string(1000, 'v'));
        key.assign(key.size(), 'x');
    }
    const auto& changes = all.changes();
    CHECK(as_text(changes[0].key) == "temporary key that is long");
    CHECK(value_of(changes, 0) == std::string(1000, 'v'));
}

TEST_CASE("what does not fit its type is refused, or absent", "[batch]") {
    coffer::basic_batch<std::uint8_t, std::uint8_t> all;
    CHECK(all.try_put(255, 0));
    CHECK(all.try_put(256, 0).error().kind() == errc::invalid_argument);
    CHECK(all.try_put(0, -1).error().kind() == errc::invalid_argument);
    all.erase(1000);  // no such key can be
    CHECK(all.size() == 1);
}

TEST_CASE("a batch is written whole, more than once, to several stores", "[batch]") {
    S first, second;
    first.put("old", "1");
    S::batch all;
    all.put("a", "1");
    all.put("a", "2");
    all.erase("old");
    all.put("b", "3");
    all.erase("b");
    first.write(all);
    CHECK(first.get("a") == "2");
    CHECK(first.size() == 1);
    CHECK(first.stats().commits == 2);
    second.write(all);
    second.write(all);
    CHECK(second.get("a") == "2");
    CHECK(second.size() == 1);
    first.write(S::batch());
    CHECK(first.size() == 1);
}

TEST_CASE("a copy of a batch is one of its own", "[batch]") {
    batch all;
    all.put("a", "1");
    batch copy = all;
    copy.put("b", "2");
    CHECK(all.size() == 1);
    CHECK(copy.size() == 2);
    batch moved = std::move(copy);
    CHECK(moved.size() == 2);
    CHECK(as_text(moved.changes()[1].key) == "b");
}
