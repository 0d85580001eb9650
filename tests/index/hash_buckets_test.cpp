#include <coffer/index/hash.hpp>
#include <coffer/index/hash_buckets.hpp>

#include <map>
#include <string>
#include <vector>

#include "catch.hpp"
#include "index/table_model.hpp"

namespace {

using coffer::bytes;
using coffer::detail::hash_table;
using coffer::detail::ref;
using coffer::index::hash;
using coffer::threading::multi;
using coffer::threading::single;

std::string sixteen(std::uint64_t number) {
    std::string key = "key:............";
    for (std::size_t i = 15; i > 3; --i, number /= 10)
        key[i] = static_cast<char>('0' + number % 10);
    return key;
}

/// All keys under one of eight hashes.
struct few_hashes {
    static constexpr unsigned most_depth = 28;
    static std::uint64_t hash(bytes key, std::uint64_t seed) noexcept {
        return coffer::detail::hash64(key, seed) & 7;
    }
};

template <class Shape, class Threading>
using shaped = t::indexed_table<hash_table<Threading, t::kept_memory, Shape>, Threading>;

}  // namespace

TEST_CASE("hash_buckets: an image brings everything back") {
    for (const std::size_t count : {0U, 5U, 700U, 30'000U}) {
        t::indexed<hash> subject;
        REQUIRE(subject.start(99));
        std::map<std::string, ref> expected;
        t::against_map(subject, expected, count, 3 * count, count + 1, sixteen);
        const t::image image = t::image_of(subject.table);
        CHECK(t::size_of(image) <= subject.table.memory());

        t::indexed<hash, multi> again(image);
        again.records = subject.records;
        REQUIRE(again.table.adopt().has_value());
        t::require_same(again, expected);
        CHECK(t::image_of(again.table) == image);
        t::against_map(again, expected, count + 1, 2 * count, count + 1, sixteen);
    }
}

TEST_CASE("hash_buckets: memory that is not a table's is refused, and can be begun anew") {
    t::indexed<hash> subject;
    REQUIRE(subject.start(17));
    for (std::uint64_t i = 0; i < 3'000; ++i) REQUIRE(subject.put(sixteen(i)));
    const t::image whole = t::image_of(subject.table);
    const auto refused = [](const t::image& image) {
        t::indexed<hash> other(image);
        const auto adopted = other.table.adopt();
        REQUIRE_FALSE(adopted.has_value());
        CHECK(adopted.error().code() == coffer::errc::corruption);
        REQUIRE(other.start(1));
        CHECK(other.walk().empty());
        REQUIRE(other.put("a"));
        CHECK(other.find("a") != 0);
    };
    refused({});
    for (std::size_t word = 0; word < 9; ++word) {
        if (word == 1 || word == 2 || word == 6 || word == 7) continue;  // any number can be right
        t::image damaged = whole;
        damaged[{2, 0}][8 * word + 7] ^= std::byte{0x80};
        refused(damaged);
    }
}

TEST_CASE("hash_buckets: an image with any byte changed does no harm") {
    shaped<few_hashes, single> subject;
    REQUIRE(subject.start(5));
    for (std::uint64_t i = 0; i < 150; ++i) REQUIRE(subject.put(sixteen(i)));
    for (std::uint64_t i = 0; i < 60; ++i) REQUIRE(subject.remove(sixteen(i * 2)));
    const t::image image = t::image_of(subject.table);
    const std::size_t size = t::size_of(image);
    std::size_t accepted = 0;
    std::size_t refused = 0;
    for (std::size_t at = 0; at < size; ++at) {
        // The empty buckets are all alike: one byte of each kind is enough.
        if (at >= 12 * 64 && at < 256 * 64 && at % 257 != 0) continue;
        for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
            t::image damaged = image;
            t::byte_at(damaged, at) ^= static_cast<std::byte>(flip);
            shaped<few_hashes, single> again(damaged);
            again.records = subject.records;
            if (!again.table.adopt()) {
                ++refused;
                continue;
            }
            ++accepted;
            for (std::uint64_t i = 100; i < 170; ++i) static_cast<void>(again.find(sixteen(i)));
            for (std::uint64_t i = 140; i < 160; ++i) static_cast<void>(again.put(sixteen(i)));
            for (std::uint64_t i = 60; i < 160; i += 3) static_cast<void>(again.remove(sixteen(i)));
            static_cast<void>(again.walk());
        }
    }
    CHECK(refused >= 3 * 8);  // whatever the numbers of the state cannot be
    CHECK(accepted > 1000);   // buckets are believed: an image has its check elsewhere
}

TEST_CASE("hash_buckets: a list of free buckets leads nowhere else") {
    shaped<few_hashes, single> subject;
    REQUIRE(subject.start(5));
    for (std::uint64_t i = 0; i < 400; ++i) REQUIRE(subject.put(sixteen(i)));
    for (std::uint64_t i = 0; i < 380; ++i) REQUIRE(subject.remove(sixteen(i)));
    const t::image image = t::image_of(subject.table);
    std::size_t damages = 0;
    for (const auto& [name, piece] : image) {
        if (name.first != 1) continue;  // the overflow buckets
        for (std::size_t at = 0; at + 64 <= piece.size(); at += 64) {
            for (const unsigned bit : {32U, 47U, 63U}) {
                t::image damaged = image;
                damaged[name][at + 56 + bit / 8] |= static_cast<std::byte>(1U << bit % 8);
                shaped<few_hashes, single> again(damaged);
                again.records = subject.records;
                if (!again.table.adopt()) continue;
                ++damages;
                std::size_t lost = 0;
                for (std::uint64_t i = 400; i < 700; ++i) lost += !again.put(sixteen(i));
                for (std::uint64_t i = 380; i < 700; ++i)
                    lost += again.records[again.find(sixteen(i))] != sixteen(i);
                CHECK(lost == 0);
            }
        }
    }
    CHECK(damages > 100);
}

TEST_CASE("hash_buckets: an image that is damaged all over leads nowhere outside it") {
    t::random_numbers random(21);
    for (int round = 0; round < 60; ++round) {
        t::indexed<hash, multi> subject;
        REQUIRE(subject.start(18));
        for (std::uint64_t i = 0; i < 1500; ++i) REQUIRE(subject.put(sixteen(i)));
        t::image image = t::image_of(subject.table);
        for (auto& [name, piece] : image) {
            if (name.first == 2) continue;
            for (std::size_t n = 0; n < piece.size() / 16; ++n) {
                piece[random.below(piece.size())] = static_cast<std::byte>(random());
            }
        }
        t::indexed<hash, multi> again(image);
        again.records = subject.records;
        REQUIRE(again.table.adopt().has_value());
        for (std::uint64_t i = 1000; i < 2500; ++i) {
            static_cast<void>(again.find(sixteen(i)));
            if (i % 3 == 0) {
                static_cast<void>(again.remove(sixteen(i)));
            } else {
                static_cast<void>(again.put(sixteen(i)));
            }
        }
        static_cast<void>(again.walk());
    }
}
