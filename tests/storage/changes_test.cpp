// The operations of a batch as records: whole, in order, and what a writer asks of all of them.
#include <coffer/storage/changes.hpp>

#include "catch.hpp"

#include <string>
#include <utility>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::as_bytes;
using coffer::as_text;
using coffer::max_key_size;

void put(change_list& to, const std::string& key, const std::string& value) {
    to.add(record_type::put, as_bytes(key), as_bytes(value));
}

/// The record of operation `i` as a log would hold it at offset 64.
record in_log(const change_list& of, std::size_t i, std::string& room) {
    CHECK(of.record_at(i) == of[i].at);
    const std::size_t size = of.record_at(i + 1) - of.record_at(i);
    room = as_text(of.laid_out().subspan(of.record_at(i), size));
    auto* const at = reinterpret_cast<std::byte*>(room.data());
    write_record_check(at, room.size(), 7, 64);
    record out;
    REQUIRE(read_record(at, at + room.size(), 7, 64, out));
    CHECK(out.size == room.size());
    return out;
}

}  // namespace

TEST_CASE("each operation is a whole record but for its check", "[changes]") {
    change_list all;
    CHECK(all.empty());
    std::size_t sum = 0;
    for (std::size_t i = 0; i < 300; ++i) {
        const std::string key(i * 7 % 200, 'k');
        const std::string value(i * i % 20000, static_cast<char>(i));
        put(all, key, value);
        sum += record_size(key.size(), value.size());
    }
    REQUIRE(all.size() == 300);
    CHECK(all.laid_out().size() == sum);
    std::string room;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto each = all[i];
        CHECK(each.type == record_type::put);
        CHECK(as_text(each.key) == std::string(i * 7 % 200, 'k'));
        const record found = in_log(all, i, room);
        CHECK(found.type == record_type::put);
        CHECK(found.more);
        CHECK(as_text(found.key) == as_text(each.key));
        CHECK(as_text(found.value) == std::string(i * i % 20000, static_cast<char>(i)));
    }
}

TEST_CASE("a list knows what is in it, until it is emptied", "[changes]") {
    change_list all;
    all.add(record_type::erase, as_bytes("a"), {});
    CHECK(all.puts() == 0);
    CHECK(all.key_bytes() == 0);
    CHECK(all.erased_bytes() == record_size(1, 0));
    CHECK_FALSE(all.clears());
    all.add(record_type::clear, {}, {});
    CHECK(all.erased_bytes() == record_size(1, 0));
    CHECK(all.clears());
    put(all, "abc", "");
    put(all, "a", "value");
    CHECK(all.puts() == 2);
    CHECK(all.key_bytes() == 4);
    CHECK(all[0].type == record_type::erase);
    CHECK(all[1].type == record_type::clear);
    CHECK(all[1].key.empty());
    all.clear();
    CHECK(all.empty());
    CHECK(all.puts() == 0);
    CHECK(all.key_bytes() == 0);
    CHECK(all.erased_bytes() == 0);
    CHECK_FALSE(all.clears());
    CHECK(all.laid_out().size() == 0);
    CHECK(all.record_at(0) == 0);
}

TEST_CASE("C2: of all operations on one key the last one counts", "[changes]") {
    change_list all;
    const auto superseded = [&] {
        std::string out;
        for (std::size_t i = 0; i < all.size(); ++i) out.push_back(all[i].superseded ? '-' : '+');
        return out;
    };
    for (int round = 0; round < 3; ++round) {
        for (const char* key : {"a", "b", "c"}) put(all, key, "1");  // in order
        CHECK(superseded() == "+++");
        all.add(record_type::erase, as_bytes("b"), {});
        CHECK(superseded() == "+-++");
        put(all, "b", "2");
        put(all, "", "1");
        put(all, "", "2");
        put(all, "b", "3");
        put(all, "c", "4");
        CHECK(superseded() == "+-----+++");
        all.clear();
        put(all, "a", "1");
        put(all, "a", "2");
        CHECK(superseded() == "-+");
        all.clear();
        for (int i = 0; i < 3000; ++i) put(all, std::to_string(i * 7 % 1000), "1");
        CHECK(superseded() == std::string(2000, '-') + std::string(1000, '+'));
        change_list other(std::move(all));
        CHECK(other[0].superseded);
        CHECK_FALSE(other[2000].superseded);
        all.clear();
    }
}

TEST_CASE("what no record can hold is counted and named, and takes no room", "[changes]") {
    change_list all;
    put(all, "a", "1");
    const std::size_t before = all.laid_out().size();
    CHECK_FALSE(all.misfits());
    put(all, std::string(max_key_size + 1, 'k'), "2");
    put(all, std::string(max_key_size + 9, 'k'), "2");
    CHECK(all.misfits());
    CHECK(all.misfit_key() == max_key_size + 1);
    CHECK(all.misfit_value() == 1);
    CHECK(all.laid_out().size() == before);
    CHECK(all.size() == 3);
    all.clear();
    CHECK_FALSE(all.misfits());
    put(all, std::string(max_key_size, 'k'), "2");
    CHECK_FALSE(all.misfits());
}

TEST_CASE("a list that was moved from is one to begin with", "[changes]") {
    change_list all;
    put(all, "a", "1");
    all.add(record_type::clear, {}, {});
    const change_list moved = std::move(all);
    CHECK(moved.size() == 2);
    put(all, "b", "2");  // NOLINT: that is what is asked
    CHECK(all.size() == 1);
    CHECK(all.laid_out().size() == record_size(1, 1));
    CHECK_FALSE(all.clears());
    CHECK(as_text(all[0].key) == "b");
}
