// The check of records: its values, which the format on disk hangs on; vectors and plain words give
// the same; nothing that changes goes unseen.
//
// The numbers below were computed apart, by a program in another language that followed the
// description. They may change until the format is frozen; after that, never.
#include <coffer/core/check.hpp>

#include "catch.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
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

std::vector<std::byte> noise(std::size_t size, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::byte> out(size);
    for (std::byte& each : out) each = static_cast<std::byte>(random());
    return out;
}

}  // namespace

TEST_CASE("golden values of the check", "[check][golden]") {
    struct golden {
        std::size_t size;
        std::uint64_t plain;
        std::uint64_t seeded;
    };
    const golden all[] = {{0, 0xb2e1a942feaf3151, 0x9e02f371bbd6325f},
                          {1, 0x1ce7ee2ee0976772, 0x08ced65e606c338e},
                          {2, 0xa7b6a0143da6340b, 0x16552338f28ea28e},
                          {3, 0xcef31320d4d18868, 0x740a9db994af2263},
                          {4, 0xf3dd078ba217bfed, 0xd10b6df4fdb89711},
                          {7, 0x98d0b3bbd209403e, 0xfe6c467cf934d80c},
                          {8, 0xaa5af188af99ae6e, 0x980850ebaa6f8b20},
                          {15, 0x576efc3792cc6e7c, 0x0bebbe83b8aa3449},
                          {16, 0xf176ab7a28f4be13, 0xeed5d65078cd4aa8},
                          {17, 0x58f0065c533163af, 0x489b2f8235979ff1},
                          {31, 0xe8f3e538a420e5a2, 0x1952937a31cc0d90},
                          {32, 0x320a6a676a7975a1, 0x4c7ce79c8f8e1059},
                          {33, 0x1ea2695a19731fef, 0xdf615606bf73da87},
                          {48, 0xbeec9632cbe405b8, 0x46a79ea5c365823d},
                          {63, 0x7507193b29046e49, 0x8313985f663c3a3b},
                          {64, 0xb93adbb64ce69e2d, 0x7fa8ddfdb0556759},
                          {65, 0x10fb59056de0d88d, 0xeb24759117e444f2},
                          {96, 0x3d73ecd3ec2268bc, 0x57ee508913546d18},
                          {112, 0x6cf368c7242b5204, 0x65ce7ba4c881b90c},
                          {124, 0xd3e2b4c3bac53aa5, 0x31c5eee667d3f5bb},
                          {128, 0x8dc9f7a7c697e6c1, 0xb55715164d31a420},
                          {255, 0xa5a9aa89c6045392, 0x3cc2e24c4a9e8d72},
                          {256, 0xc5eff6290ee7b565, 0x93a695a3ab800564},
                          {257, 0x2207fae03783af24, 0x8ad90e5192814ca9},
                          {272, 0x61603076b0064a2e, 0xc2211edc067cd5ed},
                          {273, 0xdf61313eeb565508, 0x4414d8191835efaa},
                          {512, 0xda91e15bdb358824, 0xf57962e9c850956e},
                          {513, 0xcdbd4f288653aeaf, 0x0b3b68fed5589319},
                          {1000, 0xdef374f56bc196df, 0x01ceaaec22f12cb5},
                          {4096, 0x745e54bda4eae9fc, 0x41108928536a2a79}};
    for (const golden& each : all) {
        CAPTURE(each.size);
        CHECK(detail::check64(run(each.size), 0) == each.plain);
        CHECK(detail::check64(run(each.size), 0x0123456789abcdef) == each.seeded);
    }
}

TEST_CASE("golden value over every length up to 600", "[check][golden]") {
    std::uint64_t all = 0;
    for (std::size_t size = 0; size < 600; ++size) {
        std::vector<std::byte> chained(8);
        detail::store_le(chained.data(), all);
        const auto next = run(size);
        chained.insert(chained.end(), next.begin(), next.end());
        all = detail::check64(chained, size);
    }
    CHECK(all == 0x5fda8c799a9e3acd);
}

TEST_CASE("vectors and plain words give the same, wherever the bytes lie", "[check]") {
    std::vector<std::byte> room(1200);
    for (std::size_t size = 0; size <= 1100; ++size) {
        const auto content = noise(size, size);
        const std::uint64_t wanted = detail::check_with<detail::plain_sums>(content, 9);
        const std::size_t at = size % 17;
        coffer::copy(room.data() + at, content);
        const bool same = detail::check64(coffer::bytes(room).subspan(at, size), 9) == wanted;
        if (!same) FAIL(size << " bytes");
    }
    // The largest products and sums there are.
    for (const std::byte fill : {std::byte{0}, std::byte{0xFF}}) {
        const std::vector<std::byte> all(1000, fill);
        CHECK(detail::check64(all, UINT64_MAX) ==
              detail::check_with<detail::plain_sums>(all, UINT64_MAX));
    }
}

TEST_CASE("every bit counts, and turns about half of the check", "[check]") {
    std::mt19937_64 random(5);
    for (const std::size_t size :
         std::vector<std::size_t>{1, 2, 3, 8, 15, 16, 20, 48, 49, 124, 256, 257, 300}) {
        auto content = noise(size, size);
        std::uint64_t turned = 0;
        constexpr int trials = 20;
        for (int trial = 0; trial < trials; ++trial) {
            for (std::byte& each : content) each = static_cast<std::byte>(random());
            const std::uint64_t seed = random();
            const std::uint64_t before = detail::check64(content, seed);
            for (std::size_t bit = 0; bit < 8 * size; ++bit) {
                const std::byte mask = std::byte{1} << (bit % 8);
                content[bit / 8] ^= mask;
                const std::uint64_t changed = before ^ detail::check64(content, seed);
                content[bit / 8] ^= mask;
                if (changed == 0) FAIL("bit " << bit << " of " << size << " bytes does not count");
                turned += static_cast<unsigned>(std::popcount(changed));
            }
        }
        CAPTURE(size);
        CHECK(static_cast<double>(turned) / (trials * 8.0 * static_cast<double>(size)) ==
              t::Approx(32).margin(1.5));
    }
}

TEST_CASE("blocks, words and groups that change places are seen", "[check]") {
    for (const std::size_t unit : std::vector<std::size_t>{4, 8, 16, 64, 256}) {
        const std::size_t count = 1024 / unit;
        const auto content = noise(1024, unit);
        const std::uint64_t before = detail::check64(content, 1);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = i + 1; j < count; ++j) {
                auto swapped = content;
                const auto at = [&](std::size_t n) {
                    return swapped.begin() + static_cast<std::ptrdiff_t>(n * unit);
                };
                std::swap_ranges(at(i), at(i + 1), at(j));
                if (detail::check64(swapped, 1) == before) FAIL(unit << ": " << i << " and " << j);
            }
        }
    }
}

TEST_CASE("what a disk does to bytes is seen", "[check]") {
    const auto content = noise(20000, 3);
    const std::uint64_t before = detail::check64(content, 1);
    for (std::size_t from = 0; from < content.size(); from += 37) {
        for (const std::size_t size : std::vector<std::size_t>{1, 2, 16, 512, 4096}) {
            auto torn = content;
            const auto begin = torn.begin() + static_cast<std::ptrdiff_t>(from);
            std::fill(begin,
                      begin + static_cast<std::ptrdiff_t>((std::min)(size, content.size() - from)),
                      std::byte{0});
            if (torn != content && detail::check64(torn, 1) == before) FAIL(from << ": " << size);
        }
    }
}

TEST_CASE("few different words: no two runs have the same check", "[check]") {
    std::set<std::uint64_t> seen;
    std::vector<std::byte> content(64);
    // One word in any of eight places: where only sums were kept, two of them would cancel.
    const std::uint64_t word = 0x8000000080000000;
    std::size_t runs = 0;
    for (std::size_t bits = 0; bits < 256; ++bits) {
        for (std::size_t i = 0; i < 8; ++i) {
            detail::store_le(content.data() + 8 * i, (bits >> i & 1) != 0 ? word : 0);
        }
        seen.insert(detail::check64(content, 0));
        ++runs;
    }
    CHECK(seen.size() == runs);
    seen.clear();
    for (std::uint64_t i = 0; i < 100000; ++i) {
        detail::store_le(content.data() + 16, i);
        seen.insert(detail::check64(content, 0));
    }
    CHECK(seen.size() == 100000);
}

TEST_CASE("runs of zeros differ by their length, equal runs by their seed: the check", "[check]") {
    std::set<std::uint64_t> seen;
    for (std::size_t size = 0; size <= 2048; ++size) {
        seen.insert(detail::check64(std::vector<std::byte>(size), 0));
    }
    CHECK(seen.size() == 2049);
    seen.clear();
    for (std::uint64_t seed = 0; seed < 65536; ++seed)
        seen.insert(detail::check64(run(40), seed * 4));
    CHECK(seen.size() == 65536);
}
