// Names of files: from integers and back, and whatever else a folder may hold is none of them.
#include <coffer/format/names.hpp>

#include "catch.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace detail = coffer::detail;

TEST_CASE("the names of a store's files", "[names][golden]") {
    CHECK(detail::segment_name(7) == "0000000000000007.log");
    CHECK(detail::segment_name(0xABCDEF0123456789) == "abcdef0123456789.log");
    CHECK(detail::segment_name(8, detail::new_suffix) == "0000000000000008.new");
    CHECK(detail::torn_name(7, 4096) == "torn-0000000000000007-0000000000001000");
    CHECK(detail::store_name == "STORE");
    CHECK(detail::lock_name == "LOCK");
    CHECK(detail::image_name == "INDEX");
}

TEST_CASE("ids come back from names", "[names]") {
    for (unsigned bit = 0; bit < 64; ++bit) {
        const std::uint64_t id = std::uint64_t{1} << bit;
        CHECK(detail::segment_id_of(detail::segment_name(id)) == id);
        CHECK(detail::segment_id_of(detail::segment_name(~id)) == ~id);
    }
    CHECK(detail::segment_id_of("0000000000000008.new", detail::new_suffix) == 8);
}

TEST_CASE("other names are no segments", "[names]") {
    using std::string_view_literals::operator""sv;
    for (const std::string_view name : {""sv,
                                        "STORE"sv,
                                        "LOCK"sv,
                                        "INDEX"sv,
                                        "INDEX.new"sv,
                                        ".log"sv,
                                        "7.log"sv,
                                        "0000000000000007"sv,
                                        "0000000000000007.lo"sv,
                                        "0000000000000007.logs"sv,
                                        "0000000000000007.new"sv,
                                        "000000000000007.log"sv,
                                        "00000000000000007.log"sv,
                                        "000000000000000G.log"sv,
                                        "00000000000000AB.log"sv,
                                        "0000000000000 07.log"sv,
                                        "+000000000000007.log"sv,
                                        "0x00000000000007.log"sv,
                                        "0000000000000007\0log"sv,
                                        "torn-0000000000000007-0000000000001000"sv,
                                        "0000000000000000.log"sv}) {
        CAPTURE(name);
        CHECK(detail::segment_id_of(name) == 0);
    }
}

TEST_CASE("every name with one character changed is another segment or none", "[names]") {
    const std::string name = detail::segment_name(0x12);
    for (std::size_t at = 0; at < name.size(); ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            std::string changed = name;
            changed[at] = static_cast<char>(value);
            if (changed == name) continue;
            const std::uint64_t id = detail::segment_id_of(changed);
            if (id == 0x12 || (id != 0 && detail::segment_name(id) != changed)) {
                FAIL("two names of a segment: " << changed);
            }
        }
    }
}

TEST_CASE("torn bytes are of a segment", "[names]") {
    CHECK(detail::torn_id_of(detail::torn_name(7, 4096)) == 7);
    for (const char* other : {"torn-", "torn-7", "torn-000000000000000g-0000000000001000",
                              "0000000000000007.log", ""}) {
        CHECK(detail::torn_id_of(other) == 0);
    }
}

TEST_CASE("files in the making", "[names]") {
    CHECK(detail::is_temporary("STORE.new"));
    CHECK(detail::is_temporary("INDEX.new"));
    CHECK_FALSE(detail::is_temporary("letter.new"));
    CHECK_FALSE(detail::is_temporary(".new"));
    CHECK_FALSE(detail::is_temporary("STORE"));
    CHECK_FALSE(detail::is_temporary("new"));
    CHECK_FALSE(detail::is_temporary("STORE.new "));
}

TEST_CASE("names of anybody else's are told apart", "[names]") {
    for (const char* name : {"STORE", "LOCK", "INDEX", "STORE.new", "0000000000000007.log",
                             "torn-0000000000000007-0000000000001000"}) {
        CHECK(detail::is_ours(name));
    }
    for (const char* name : {"letter.txt", "letter.new", "store", "7.log", ".git", ""}) {
        CHECK_FALSE(detail::is_ours(name));
    }
}
