// Sound records are found among anything else.
#include <coffer/journal/sifting.hpp>

#include "catch.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace {

using coffer::bytes;
using coffer::mutable_bytes;
using namespace coffer::detail;

constexpr std::uint64_t seed = 99;

/// Bytes with records at chosen places.
struct heap {
    std::vector<std::byte> of;
    explicit heap(std::size_t size, std::uint64_t random = 0) : of(size) {
        for (std::size_t i = 0; random != 0 && i < size; ++i)
            of[i] = static_cast<std::byte>(mix(i, random));
    }
    std::size_t put(std::size_t at, std::string_view key, std::string_view value,
                    std::uint64_t offset = UINT64_MAX) {
        write_record(of.data() + at, record_type::put, false, coffer::as_bytes(key),
                     coffer::as_bytes(value), seed, offset == UINT64_MAX ? at : offset);
        return at + record_size(key.size(), value.size());
    }
    std::vector<std::string> found(std::uint64_t from = 0) {
        sifter sift;
        sift.take(of);
        sift.expect(seed, of.size());
        std::vector<std::string> keys;
        record each;
        for (std::uint64_t at = from; (at = sift.next(at, of.size(), each)) < of.size();
             at += each.size)
            keys.emplace_back(coffer::as_text(each.key));
        return keys;
    }
};
using names = std::vector<std::string>;

}  // namespace

TEST_CASE("records are found behind zeros and behind noise", "[sifting]") {
    for (const std::uint64_t random : {0U, 7U, 8U, 9U}) {
        heap bytes(4000, random);
        std::size_t at = bytes.put(40, "a", "1");
        at = bytes.put(at, "b", std::string(100, 'x'));
        bytes.put(3000, "c", "3");
        bytes.put(4000 - record_size(1, 1), "d", "4");
        CHECK(bytes.found() == names{"a", "b", "c", "d"});
        CHECK(bytes.found(44) == names{"b", "c", "d"});
        CHECK(bytes.found(3996).empty());
        CHECK(bytes.found(4000).empty());
    }
}

TEST_CASE("a record at another place, or damaged, is none", "[sifting]") {
    heap bytes(2000);
    bytes.put(100, "moved", "1", 104);
    bytes.put(200, "good", "1");
    bytes.put(300, "bad", "1");
    bytes.of[312] ^= std::byte{1};
    bytes.put(402, "between", "1");  // no record begins there
    CHECK(bytes.found() == names{"good"});
}

TEST_CASE("a record within the value of a damaged one is found only at its place", "[sifting]") {
    heap bytes(4000);
    std::string inner(200, ' ');
    write_record(reinterpret_cast<std::byte*>(inner.data()), record_type::put, false,
                 coffer::as_bytes(std::string_view("copy")), {}, seed, 0);
    bytes.put(0, "outer", inner);
    bytes.of[9] ^= std::byte{1};
    bytes.put(1000, "next", "1");
    CHECK(bytes.found() == names{"next"});
}

TEST_CASE("large records are found where another follows, or the end", "[sifting]") {
    heap bytes(300'000, 5);
    std::size_t at = bytes.put(1000, "large", std::string(100'000, 'l'));
    at = bytes.put(at, "small", "1");
    const std::size_t last = record_size(5, 50'000);
    bytes.put(300'000 - last, "large", std::string(50'000, 'l'));
    CHECK(bytes.found() == names{"large", "small", "large"});
}

TEST_CASE("what seems to be one large record after another does not take for ever", "[sifting]") {
    std::vector<std::byte> hostile(1 << 20);
    for (std::size_t at = 0; at + 16 <= hostile.size(); at += 4) {
        hostile[at] = std::byte{1};             // a put, if it is the head of one
        hostile[at + 1] = std::byte{0x80 | 1};  // and the sizes that follow are large
        hostile[at + 2] = hostile[at + 3] = std::byte{0x20};
    }
    sifter sift;
    sift.take(hostile);
    sift.expect(seed, hostile.size());
    record none;
    CHECK(sift.next(0, hostile.size(), none) == hostile.size());
}

TEST_CASE("what cannot be read is zeros", "[sifting]") {
    heap bytes(20'000);
    bytes.put(100, "a", "1");
    bytes.put(5'000, "b", "1");
    bytes.put(19'000, "c", "1");
    sifter sift;
    int calls = 0;
    const auto read = [&](std::uint64_t at, mutable_bytes into) {
        ++calls;
        if (at <= 4'500 && at + into.size() > 4'500) return false;
        coffer::copy(into.data(), coffer::bytes(bytes.of).subspan(at, into.size()));
        return true;
    };
    REQUIRE(sift.load(20'000, read));
    CHECK(calls == 1 + 5);
    CHECK(sift.contents().size() == 20'000);
    sift.expect(seed, 20'000);
    record each;
    CHECK(sift.next(0, 20'000, each) == 100);
    CHECK(sift.next(112, 20'000, each) == 19'000);  // "b" lay in the piece that is lost
    CHECK(sift.unread() == 8192);
    CHECK_FALSE(sift.lacks(0, 4096));
    CHECK(sift.lacks(0, 4097));
    CHECK(sift.lacks(8191, 8192));
    CHECK_FALSE(sift.lacks(8192, 20'000));
    REQUIRE(sift.load(0, read));
    CHECK(sift.contents().empty());
    CHECK(calls == 6);
}
