// The hash: its values, which the format on disk hangs on; the two ways to multiply; spread.
//
// The numbers below were computed apart, by a program in another language that followed the
// description. They may change until the format is frozen; after that, never.
#include <coffer/core/hash.hpp>

#include "catch.hpp"

#include <bit>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

namespace {

namespace detail = coffer::detail;

std::vector<std::byte> run(std::size_t size) {
    std::vector<std::byte> out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(7 * i + 1);
    return out;
}

}  // namespace

TEST_CASE("golden values of the hash", "[hash][golden]") {
    struct golden {
        std::size_t size;
        std::uint64_t plain;
        std::uint64_t seeded;
    };
    const golden all[] = {{0, 0x63845f7127be0d0d, 0xe253c4ecbf7a12f3},
                          {1, 0x394baa2a089e4c4a, 0x4f66d8d1b2da5df2},
                          {2, 0xccb785f2d1e47829, 0x2a08d7d0d98f03f1},
                          {3, 0xfa2cbadc532594b9, 0x06bd55d1960f9cf1},
                          {4, 0xdb1733137c082fc5, 0x5709ec4ac08c3598},
                          {7, 0xab514cf9b113eb78, 0x2c1f24a130b15b25},
                          {8, 0xdb1144d20341ff1a, 0xb85e6803348ad792},
                          {15, 0xe175a046808ae66e, 0xefe7e6c43be4162d},
                          {16, 0x80011155698486ed, 0x52c4e3de60c4b348},
                          {17, 0x359a6349fcd9f81d, 0x5afbf772f6d4f8d7},
                          {32, 0x0de94e941083df07, 0xabb4529ad473636f},
                          {33, 0xfc0dbe9c60462d77, 0xecae106b13ae37c7},
                          {48, 0x48b70199c56a58d5, 0x46bd386a813d8ef7},
                          {49, 0x1b4dd7e5d4e0a779, 0x1d501e8918296cfa},
                          {64, 0x9f3ff65ccdfb6e38, 0xf00ca6edc4392369},
                          {96, 0xf534f127a8acd134, 0x3e47bb6f994683bd},
                          {97, 0x2d8f358d19bb90fb, 0x10e71ade15cda690},
                          {144, 0x3e073eb69e98439a, 0x79f15de43557a785},
                          {145, 0x4b1c59756639ac23, 0x1d009a60f9a83522},
                          {1000, 0x14f59dbc01ed9cac, 0x4f5c1d7372b4e6fb}};
    for (const golden& each : all) {
        CAPTURE(each.size);
        CHECK(detail::hash64(run(each.size), 0) == each.plain);
        CHECK(detail::hash64(run(each.size), 0x0123456789abcdef) == each.seeded);
    }
    CHECK(detail::hash64(coffer::as_bytes("coffer"), 42) == 0x2114decd28cfbfe7);
    static_assert(detail::mix(0, 0) == 0xf90109d2335f6b4f);
    static_assert(detail::mix(1, 2) == 0x6885857f87e2a593);
}

TEST_CASE("golden value over every length up to 300", "[hash][golden]") {
    std::uint64_t all = 0;
    for (std::size_t size = 0; size < 300; ++size) {
        std::vector<std::byte> chained(8);
        detail::store_le(chained.data(), all);
        const auto next = run(size);
        chained.insert(chained.end(), next.begin(), next.end());
        all = detail::hash64(chained, size);
    }
    CHECK(all == 0xd86ffded472b57cd);
}

TEST_CASE("both ways to multiply give the same", "[hash]") {
    std::vector<std::uint64_t> words{
        0, 1, 2, 0xFFFFFFFF, 0x100000000, 0xFFFFFFFF00000000, UINT64_MAX, UINT64_MAX - 1};
    std::mt19937_64 random(3);
    for (int i = 0; i < 300; ++i) words.push_back(random() >> (random() % 64));
    for (const std::uint64_t a : words) {
        for (const std::uint64_t b : words) {
            if (detail::fold(a, b) != detail::fold_in_parts(a, b)) FAIL(a << " times " << b);
        }
    }
    static_assert(detail::fold_in_parts(UINT64_MAX, UINT64_MAX) == UINT64_MAX);  // 2^128-2^65+1
}

TEST_CASE("where the bytes lie does not matter", "[hash]") {
    for (const std::size_t size : {std::size_t{3}, std::size_t{16}, std::size_t{100}}) {
        const auto content = run(size);
        const std::uint64_t wanted = detail::hash64(content, 9);
        std::vector<std::byte> room(size + 16);
        for (std::size_t at = 0; at < 16; ++at) {
            coffer::copy(room.data() + at, content);
            CHECK(detail::hash64(coffer::bytes(room).subspan(at, size), 9) == wanted);
        }
    }
}

TEST_CASE("runs of zeros differ by their length, equal runs by their seed", "[hash]") {
    std::set<std::uint64_t> seen;
    for (std::size_t size = 0; size <= 512; ++size) {
        seen.insert(detail::hash64(std::vector<std::byte>(size), 0));
    }
    CHECK(seen.size() == 513);
    seen.clear();
    for (std::uint64_t seed = 0; seed < 4096; ++seed)
        seen.insert(detail::hash64(run(40), seed * 4));
    CHECK(seen.size() == 4096);
}

TEST_CASE("each bit of the input turns half of the output", "[hash]") {
    std::mt19937_64 random(5);
    for (const std::size_t size : std::vector<std::size_t>{1, 2, 3, 8, 16, 20, 48, 49, 131}) {
        constexpr int trials = 200;
        std::vector<std::byte> content(size);
        std::uint64_t turned = 0;
        std::vector<std::uint64_t> of_output(64);
        for (int trial = 0; trial < trials; ++trial) {
            for (std::byte& each : content) each = static_cast<std::byte>(random());
            const std::uint64_t seed = random();
            const std::uint64_t before = detail::hash64(content, seed);
            for (std::size_t bit = 0; bit < 8 * size; ++bit) {
                const std::byte mask = std::byte{1} << (bit % 8);
                content[bit / 8] ^= mask;
                const std::uint64_t changed = before ^ detail::hash64(content, seed);
                content[bit / 8] ^= mask;
                if (changed == 0) FAIL("bit " << bit << " of " << size << " bytes does not count");
                turned += static_cast<unsigned>(std::popcount(changed));
                for (unsigned out = 0; out < 64; ++out) of_output[out] += changed >> out & 1;
            }
        }
        CAPTURE(size);
        const double cases = trials * 8.0 * static_cast<double>(size);
        CHECK(static_cast<double>(turned) / cases == t::Approx(32).margin(0.6));
        for (const std::uint64_t each : of_output)
            CHECK(static_cast<double>(each) / cases == t::Approx(0.5).margin(0.06));
    }
}

TEST_CASE("words that count up fill the low and the high bits evenly", "[hash]") {
    std::vector<int> low(256);
    std::vector<int> high(256);
    std::byte word[8];
    for (std::uint64_t i = 0; i < 256 * 64; ++i) {
        detail::store_le(word, i);
        const std::uint64_t hash = detail::hash64(word, 1);
        ++low[hash & 255];
        ++high[hash >> 56];
    }
    for (const auto& buckets : {low, high}) {
        double chi = 0;
        for (const int each : buckets) chi += (each - 64.0) * (each - 64.0) / 64.0;
        CHECK(chi > 160);  // 255 +- 22.6, at more than four deviations
        CHECK(chi < 350);
    }
}
