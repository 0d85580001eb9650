// STORE: its bytes, every damage to it, and what a program may open.
#include <coffer/format/identity.hpp>

#include "catch.hpp"
#include "hex.hpp"

#include <string>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::bytes;
using coffer::errc;

identity sample() {
    identity out;
    out.id = {0x1122334455667788, 0x99aabbccddeeff00};
    out.storage = "file_log";
    out.storage_version = 2;
    out.key = 0x1111;
    out.value = 0x2222;
    out.key_words = "string";
    out.value_words = "list(u8)";
    return out;
}

std::vector<std::byte> image_of(const identity& from) {
    const identity_image image = write_identity(from);
    return {image.begin(), image.end()};
}

errc kind_of(const std::vector<std::byte>& image) {
    auto read = read_identity(image, "/db/STORE");
    return read ? errc{} : read.error().kind();
}

}  // namespace

// Computed apart, by a program in another language that followed the description. May change until
// the format is frozen.
TEST_CASE("golden identity", "[identity][golden]") {
    CHECK(image_of(sample()) == hex::to_bytes("89434f464645520a 02000000 02000000"
                                              "8877665544332211 00ffeeddccbbaa99"
                                              "66696c655f6c6f67 00(8)"
                                              "1111000000000000 2222000000000000"
                                              "06737472696e67 00(213)"
                                              "086c69737428753829 00(211)"
                                              "140934358dab9423"));
}

TEST_CASE("an identity comes back", "[identity]") {
    const identity wrote = sample();
    auto read = read_identity(image_of(wrote), "/db/STORE");
    REQUIRE(read);
    CHECK(read->id == wrote.id);
    CHECK(read->format == COFFER_FORMAT_VERSION);
    CHECK(read->storage == wrote.storage);
    CHECK(read->storage_version == wrote.storage_version);
    CHECK(read->key == wrote.key);
    CHECK(read->value == wrote.value);
    CHECK(read->key_words == wrote.key_words);
    CHECK(read->value_words == wrote.value_words);
}

TEST_CASE("names and words that are too long are cut", "[identity]") {
    identity wrote = sample();
    wrote.storage = "a_name_of_sixteen";
    wrote.key_words = std::string(500, 'k');
    wrote.value_words.clear();
    auto read = read_identity(image_of(wrote), "/db/STORE");
    REQUIRE(read);
    CHECK(read->storage == "a_name_of_sixte");
    CHECK(read->key_words == std::string(219, 'k'));
    CHECK(read->value_words.empty());
}

TEST_CASE("every part of an identity is damage, and so is more", "[identity]") {
    const auto all = image_of(sample());
    for (std::size_t size = 0; size < all.size(); ++size) {
        const std::vector<std::byte> part(all.data(), all.data() + size);
        if (kind_of(part) != errc::corruption) FAIL("of size " << size);
    }
    auto more = all;
    more.push_back(std::byte{0});
    CHECK(kind_of(more) == errc::corruption);
    CHECK(kind_of(std::vector<std::byte>(512)) == errc::corruption);
}

TEST_CASE("every flipped bit of an identity is seen", "[identity]") {
    auto all = image_of(sample());
    for (std::size_t bit = 0; bit < 8 * all.size(); ++bit) {
        all[bit / 8] ^= std::byte{1} << (bit % 8);
        const errc kind = kind_of(all);
        // A version above ours, with or without a right check, is a store of a newer coffer.
        const bool version = bit / 8 == 8 || bit / 8 == 9;
        if (kind != errc::corruption && !(version && kind == errc::incompatible)) FAIL(bit);
        all[bit / 8] ^= std::byte{1} << (bit % 8);
    }
}

TEST_CASE("a store of a newer coffer says so", "[identity]") {
    identity newer = sample();
    newer.format = COFFER_FORMAT_VERSION + 1;
    auto read = read_identity(image_of(newer), "/db/STORE");
    REQUIRE_FALSE(read);
    CHECK(read.error().kind() == errc::incompatible);
    CHECK(read.error().path() == "/db/STORE");
    CHECK_THAT(read.error().what(),
               t::ContainsSubstring("version " + std::to_string(newer.format)));
    // Also when the rest of it has another form.
    auto other = image_of(newer);
    other.resize(600, std::byte{7});
    CHECK(kind_of(other) == errc::incompatible);
}

TEST_CASE("a store of an older coffer says so", "[identity]") {
    identity older = sample();
    older.format = COFFER_FORMAT_VERSION - 1;
    auto read = read_identity(image_of(older), "/db/STORE");
    REQUIRE_FALSE(read);
    CHECK(read.error().kind() == errc::incompatible);
    CHECK_THAT(read.error().what(),
               t::ContainsSubstring("version " + std::to_string(older.format)));
    CHECK_THAT(read.error().what(), t::ContainsSubstring("the coffer that wrote it"));
}

TEST_CASE("damage names the file and where", "[identity]") {
    auto read = read_identity(coffer::as_bytes("#!/bin/sh\n"), "/db/STORE");
    REQUIRE_FALSE(read);
    CHECK(read.error().path() == "/db/STORE");
    CHECK(read.error().offset() == 0U);
    CHECK_THAT(read.error().what(), t::ContainsSubstring("choose another path"));
}

TEST_CASE("what differs is named, found and expected", "[identity]") {
    const identity mine = sample();
    CHECK(check_identity(mine, mine, "/db"));
    const auto told = [&](auto change) {
        identity found = mine;
        change(found);
        auto checked = check_identity(found, mine, "/db");
        if (checked) return std::string("opened");
        return checked.error().kind() == errc::incompatible ? std::string(checked.error().what())
                                                            : std::string("another error");
    };
    const auto says = [](const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    };
    CHECK(says(told([](identity& i) { i.storage = "mmap"; }),
               "storage policy mmap version 2, "
               "this program expects file_log"));
    CHECK(says(told([](identity& i) { i.storage_version = 9; }), "file_log version 9"));
    CHECK(says(told([](identity& i) { i.key = 5, i.key_words = "u32"; }),
               "keys of type u32, this program expects string"));
    CHECK(says(told([](identity& i) { i.value = 5, i.value_words = "u32"; }),
               "values of type u32, this program expects list(u8)"));
    // Words serve messages only, and the id of the store is its own.
    CHECK(told([](identity& i) { i.key_words = "text"; }) == "opened");
    CHECK(told([](identity& i) { i.id.low = 1; }) == "opened");
}
