// Records: what is written is read, and nothing else is: no other place, no part, no flipped bit.
#include <coffer/format/record.hpp>

#include "catch.hpp"
#include "hex.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::as_bytes;
using coffer::as_text;
using coffer::bytes;

constexpr std::uint64_t low = 0x1122334455667788;
constexpr std::uint64_t high = 0x99aabbccddeeff00;
constexpr std::uint64_t seed = segment_seed(low, high, 7);
constexpr std::uint64_t place = 4096;

std::vector<std::byte> written(record_type type, bool more, bytes key, bytes value,
                               std::uint64_t offset = place) {
    std::vector<std::byte> out(record_size(key.size(), value.size()), std::byte{0xA5});
    write_record(out.data(), type, more, key, value, seed, offset);
    return out;
}

bool reads(const std::vector<std::byte>& from, record& out, std::uint64_t offset = place) {
    return read_record(from.data(), from.data() + from.size(), seed, offset, out);
}

/// Puts a right check over whatever the record says: for hostile records.
void sign(std::vector<std::byte>& all, std::uint64_t offset = place) {
    store_le(all.data(), record_check(all.data(), all.size(), seed, offset));
}

std::vector<std::byte> hostile(std::string_view head_and_sizes, std::size_t size) {
    std::vector<std::byte> out(check_size);
    const auto behind = hex::to_bytes(head_and_sizes);
    out.insert(out.end(), behind.begin(), behind.end());
    out.resize(size);
    sign(out);
    return out;
}

}  // namespace

// Computed apart, by a program in another language that followed the description. May change until
// the format is frozen.
TEST_CASE("golden records", "[record][golden]") {
    static_assert(seed == 0x67ed3d2f0847f5ad);
    std::byte mark[mark_body::size];
    write_mark(mark, {position(7, 4096), 3});
    std::byte dropped[8];
    store_le(dropped, std::uint64_t{5});
    CHECK(hex::of(written(record_type::put, false, as_bytes("ada"), as_bytes("lovelace"))) ==
          "227cef9fa7f31adb0103086164616c6f76656c6163650000");
    CHECK(hex::of(written(record_type::erase, true, as_bytes("grace"), {}, 4120)) ==
          "e1746e9c327c7d1c8205006772616365");
    CHECK(hex::of(written(record_type::clear, false, {}, {}, 0x10000)) ==
          "0b4ee383dab9a7b003000000");
    CHECK(hex::of(written(record_type::mark, false, {}, mark)) ==
          "4287b893ac2aed480400100004008003000000030000000000000000");
    CHECK(hex::of(written(record_type::drop, false, {}, dropped)) ==
          "801b3e7fb7161c04050008050000000000000000");
    CHECK(hex::of(written(record_type::end, false, {}, mark)) ==
          "5aeb93ec96e147ea0600100004008003000000030000000000000000");
    CHECK(written(record_type::put, false, as_bytes(std::string(200, 'k')), {}) ==
          hex::to_bytes("db0a284f93d24502 01c80100 6b(200)"));
}

TEST_CASE("records of every kind and size come back", "[record]") {
    std::mt19937_64 random(1);
    for (const std::size_t key_size : std::vector<std::size_t>{0, 1, 2, 3, 127, 128, 65536}) {
        for (const std::size_t value_size : std::vector<std::size_t>{0, 1, 5, 127, 128, 20000}) {
            for (const bool more : {false, true}) {
                std::vector<std::byte> key(key_size);
                std::vector<std::byte> value(value_size);
                for (std::byte& each : key) each = static_cast<std::byte>(random());
                for (std::byte& each : value) each = static_cast<std::byte>(random());
                const auto all = written(record_type::put, more, key, value);
                REQUIRE(all.size() % offset_unit == 0);
                record out;
                REQUIRE(reads(all, out));
                CHECK(out.type == record_type::put);
                CHECK(out.more == more);
                CHECK(coffer::equal(out.key, key));
                CHECK(coffer::equal(out.value, value));
                CHECK(out.size == all.size());
            }
        }
    }
    for (unsigned type = 1; type <= 6; ++type) {
        record out;
        REQUIRE(reads(written(static_cast<record_type>(type), false, {}, {}), out));
        CHECK(out.type == static_cast<record_type>(type));
    }
}

TEST_CASE("zeros are no record, and neither is nothing", "[record]") {
    record out;
    for (std::size_t size = 0; size < 64; ++size) {
        CHECK_FALSE(reads(std::vector<std::byte>(size), out));
        CHECK_FALSE(reads(std::vector<std::byte>(size, std::byte{0xFF}), out));
    }
}

TEST_CASE("V1: every part of a record that is cut off is missed", "[record]") {
    const auto all = written(record_type::put, false, as_bytes("key"), as_bytes("a value"));
    for (std::size_t size = 0; size < all.size(); ++size) {
        const std::vector<std::byte> part(all.data(), all.data() + size);  // ends where it is cut
        record out;
        CHECK_FALSE(reads(part, out));
        std::vector<std::byte> zeros = part;
        zeros.resize(all.size());
        if (zeros != all) CHECK_FALSE(reads(zeros, out));
    }
}

TEST_CASE("V1: every flipped bit is seen", "[record]") {
    for (const std::size_t value_size : std::vector<std::size_t>{0, 7, 100}) {
        auto all = written(record_type::put, false, as_bytes("key"),
                           std::vector<std::byte>(value_size, std::byte{1}));
        for (std::size_t bit = 0; bit < 8 * all.size(); ++bit) {
            all[bit / 8] ^= std::byte{1} << (bit % 8);
            record out;
            if (reads(all, out)) FAIL("bit " << bit << " does not count");
            all[bit / 8] ^= std::byte{1} << (bit % 8);
        }
    }
}

TEST_CASE("V1: a record counts in its place only", "[record]") {
    const auto all = written(record_type::put, false, as_bytes("key"), as_bytes("value"));
    record out;
    const std::byte* const from = all.data();
    const std::byte* const limit = from + all.size();
    CHECK(read_record(from, limit, seed, place, out));
    CHECK_FALSE(read_record(from, limit, seed, place + 4, out));
    CHECK_FALSE(read_record(from, limit, segment_seed(low, high, 8), place, out));
    CHECK_FALSE(read_record(from, limit, segment_seed(low + 1, high, 7), place, out));
    CHECK_FALSE(read_record(from, limit, segment_seed(low, high + 1, 7), place, out));
}

TEST_CASE("V2: unknown types and reserved bits are refused although the check is right",
          "[record]") {
    for (unsigned head = 0; head < 256; ++head) {
        auto all = written(record_type::put, false, as_bytes("k"), as_bytes("v"));
        all[check_size] = static_cast<std::byte>(head);
        sign(all);
        const unsigned type = head & 0x0F;
        record out;
        CHECK(reads(all, out) == (type >= 1 && type <= 6 && (head & 0x70) == 0));
    }
}

TEST_CASE("V3: sizes that cannot be are refused although the check is right", "[record]") {
    record out;
    CHECK(reads(hostile("01 01 01", 16), out));
    CHECK_FALSE(reads(hostile("01 8100 01", 16), out));                  // not the shortest
    CHECK_FALSE(reads(hostile("01 01 8100", 16), out));                  //
    CHECK_FALSE(reads(hostile("01 06 00", 16), out));                    // key beyond the end
    CHECK_FALSE(reads(hostile("01 01 05", 16), out));                    // value beyond the end
    CHECK_FALSE(reads(hostile("01 818004 00", 128 * 1024), out));        // key of 65537 bytes
    CHECK(reads(hostile("01 808004 00", 65552), out));                   // key of 65536 bytes
    CHECK_FALSE(reads(hostile("01 00 8080808010", 64), out));            // value of 2^32 bytes
    CHECK_FALSE(reads(hostile("01 00 ffffffff0f", 64), out));            // within, but not here
    CHECK_FALSE(reads(hostile("01 ffffffffffffffffff01 00", 64), out));  // key of 2^64-1
    CHECK_FALSE(reads(hostile("01 01 ffffffffffffffffff01", 64), out));  // key + value overflow
    CHECK_FALSE(reads(hostile("01 ffffffffffffffffffffff", 64), out));   // no end of a varint
    CHECK_FALSE(reads(hostile("01 808080", 12), out));                   // ends inside a size
}

TEST_CASE("V3: padding belongs to the record", "[record]") {
    const auto all = written(record_type::put, false, as_bytes("k"), {});
    REQUIRE(all.size() == 12);
    record out;
    CHECK(parse_record(all.data(), all.data() + 12, out));
    auto longer = written(record_type::put, false, as_bytes("kk"), {});
    REQUIRE(longer.size() == 16);
    CHECK_FALSE(parse_record(longer.data(), longer.data() + 13, out));  // all but three zeros
    CHECK_FALSE(parse_record(longer.data(), longer.data() + 15, out));
}

TEST_CASE("no bytes make the reader leave its limits", "[record]") {
    std::mt19937_64 random(9);
    for (int round = 0; round < 20000; ++round) {
        std::vector<std::byte> all(random() % 40);
        for (std::byte& each : all) each = static_cast<std::byte>(random());
        if (all.size() > check_size) all[check_size] = static_cast<std::byte>(1 + random() % 6);
        const std::byte* const limit = all.data() + all.size();
        record out;
        if (!parse_record(all.data(), limit, out)) continue;
        if (out.size > all.size() ||
            (!out.key.empty() && out.key.data() + out.key.size() > limit) ||
            (!out.value.empty() && out.value.data() + out.value.size() > limit)) {
            FAIL("beyond the limit");
        }
    }
}

TEST_CASE("a put is parsed by its key as it is without, whatever the bytes", "[record]") {
    std::mt19937 random(4);
    const std::size_t sizes[] = {0, 1, 7, 8, 16, 17, 126, 127, 128, 129, 200};
    const std::size_t values[] = {0, 1, 100, 127, 128, 129, 16383, 16384};
    std::size_t found = 0;
    std::size_t refused = 0;
    const auto compare = [&](const std::vector<std::byte>& of, std::size_t end, bytes key) {
        const std::byte* const limit = of.data() + end;
        record plain;
        record by_key;
        const bool expected = parse_record(of.data(), limit, plain) &&
                              plain.type == record_type::put && coffer::equal(plain.key, key);
        REQUIRE(parse_put_of(key, of.data(), limit, by_key) == expected);
        ++(expected ? found : refused);
        if (!expected) return;
        REQUIRE(by_key.type == plain.type);
        REQUIRE(by_key.more == plain.more);
        REQUIRE(by_key.key.data() == plain.key.data());
        REQUIRE(by_key.value.data() == plain.value.data());
        REQUIRE(by_key.value.size() == plain.value.size());
        REQUIRE(by_key.size == plain.size);
    };
    for (const std::size_t size : sizes) {
        for (const std::size_t value : values) {
            const std::string key(size, 'k');
            auto of = written(record_type::put, value == 100, as_bytes(key),
                              as_bytes(std::string(value, 'v')));
            compare(of, of.size(), as_bytes(key));
            compare(of, of.size() - 1, as_bytes(key));
            for (const std::size_t other : sizes) {
                compare(of, of.size(), as_bytes(std::string(other, 'k')));
                compare(of, of.size(), as_bytes(std::string(other, 'j')));
            }
            for (int flip = 0; flip < 48; ++flip) {  // head and sizes
                auto bent = of;
                bent[check_size + static_cast<std::size_t>(flip) / 8 % (of.size() - check_size)] ^=
                    static_cast<std::byte>(1 << flip % 8);
                for (const std::size_t other : sizes)
                    compare(bent, bent.size(), as_bytes(std::string(other, 'k')));
            }
            for (int turn = 0; turn < 20; ++turn) {
                auto bent = of;
                for (std::size_t i = check_size; i < check_size + 4; ++i)
                    bent[i] = static_cast<std::byte>(random());
                compare(bent, random() % (of.size() + 1), as_bytes(key));
            }
        }
    }
    CHECK(found > 500);
    CHECK(refused > 1000);
}

TEST_CASE("V4: only marks and ends are read as marks", "[record]") {
    std::byte body[mark_body::size];
    write_mark(body, {position(3, 8192), 77});
    mark_body read;
    const auto is_mark = [&read](record_type type, bytes key, bytes value) {
        const auto all = written(type, false, key, value);
        record out;
        REQUIRE(reads(all, out));
        return read_mark(out, read);
    };
    for (const record_type type : {record_type::mark, record_type::end}) {
        REQUIRE(is_mark(type, {}, body));
        CHECK(read.durable == position(3, 8192));
        CHECK(read.commits == 77);
        CHECK(read.seals == (type == record_type::end));
        std::byte sealing[mark_body::size];
        write_mark(sealing, {position(3, 8192), 77, true});
        REQUIRE(is_mark(type, {}, sealing));
        CHECK(read.commits == 77);
        CHECK(read.seals);
        CHECK_FALSE(is_mark(type, {}, bytes(body).first(15)));
        CHECK_FALSE(is_mark(type, as_bytes("k"), body));
    }
    CHECK_FALSE(is_mark(record_type::put, {}, body));
    CHECK_FALSE(is_mark(record_type::drop, {}, body));
    CHECK(written(record_type::mark, false, {}, body).size() == mark_size);
}

TEST_CASE("the size of a record: 16-byte keys and 100-byte values fit 132 bytes", "[record]") {
    CHECK(record_size(16, 100) == 128);
    CHECK(record_size(0, 0) == 12);
    CHECK(padded(12) == 12);
    CHECK(padded(13) == 16);
}
