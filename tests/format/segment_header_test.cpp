// Headers of segments: their bytes, every damage, and runs that cannot be.
#include <coffer/format/segment_header.hpp>

#include "catch.hpp"
#include "hex.hpp"

#include <string>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::bytes;

constexpr store_id store{0x1122334455667788, 0x99aabbccddeeff00};

segment_header sample() {
    segment_header out;
    out.store = store;
    out.id = 7;
    out.predecessor = position(6, 5000);
    out.durable = position(5, 4096);
    out.commits = 42;
    out.tells_seal = false;
    out.live = {{3, 2, 0}, {6, 1, 5000}};
    return out;
}

std::vector<std::byte> written(const segment_header& from) {
    std::vector<std::byte> out(header_size(from.live.size()), std::byte{0xA5});
    write_segment_header(out.data(), from);
    return out;
}

bool reads(bytes from, std::uint64_t id = 7, const store_id& of = store) {
    segment_header out;
    return read_segment_header(from, of, id, out);
}

void sign(std::vector<std::byte>& all) {
    const std::size_t at = all.size() - 8;
    store_le(all.data() + at, hash64({all.data(), at}, segment_seed(store.low, store.high, 7)));
}

}  // namespace

// Computed apart, by a program in another language that followed the description. May change until
// the format is frozen.
TEST_CASE("golden header of a segment", "[segment_header][golden]") {
    CHECK(written(sample()) ==
          hex::to_bytes("89434f465345470a 02000000 00100000 8877665544332211 00ffeeddccbbaa99"
                        "0700000000000000 e204000003000000 0004008002000000 2a00000000000000"
                        "02000000 00000000"
                        "0300000000000000 0200000000000000 0000000000000000"
                        "0600000000000000 0100000000000000 8813000000000000"
                        "00(3968) c2e8be940a070585"));
}

TEST_CASE("a header says whether marks tell that nothing follows", "[segment_header]") {
    for (const bool tells : {false, true}) {
        segment_header wrote = sample();
        wrote.tells_seal = tells;
        segment_header read;
        REQUIRE(read_segment_header(written(wrote), store, 7, read));
        CHECK(read.tells_seal == tells);
        CHECK(read.live.size() == 2);
    }
}

TEST_CASE("a header comes back, whatever its size", "[segment_header]") {
    for (const std::size_t runs : std::vector<std::size_t>{0, 1, 2, 167, 168, 1000}) {
        segment_header wrote = sample();
        wrote.id = 100000;
        wrote.live.clear();
        for (std::size_t i = 0; i < runs; ++i) wrote.live.push_back({1 + 3 * i, 2, i % 2 * 4100});
        const auto all = written(wrote);
        REQUIRE(all.size() % header_unit == 0);
        CHECK(claimed_header_size(all) == all.size());
        segment_header read;
        REQUIRE(read_segment_header(all, store, wrote.id, read));
        CHECK(read.store == wrote.store);
        CHECK(read.id == wrote.id);
        CHECK(read.predecessor == wrote.predecessor);
        CHECK(read.durable == wrote.durable);
        CHECK(read.commits == wrote.commits);
        REQUIRE(read.live.size() == runs);
        for (std::size_t i = 0; i < runs; ++i) {
            CHECK(read.live[i].first == wrote.live[i].first);
            CHECK(read.live[i].count == wrote.live[i].count);
            CHECK(read.live[i].end == wrote.live[i].end);
        }
    }
    CHECK(header_size(166) == 4096);
    CHECK(header_size(167) == 4096);
    CHECK(header_size(168) == 8192);
}

TEST_CASE("a header is that of one segment of one store", "[segment_header]") {
    const auto all = written(sample());
    CHECK(reads(all));
    CHECK_FALSE(reads(all, 8));
    CHECK_FALSE(reads(all, 7, {store.low + 1, store.high}));
    CHECK_FALSE(reads(all, 7, {store.low, store.high + 1}));
    auto followed = all;
    followed.resize(all.size() + 100, std::byte{1});
    CHECK(reads(followed));
}

TEST_CASE("every part of a header is none", "[segment_header]") {
    const auto all = written(sample());
    for (std::size_t size = 0; size < all.size(); size += size < 200 ? 1 : 97) {
        const std::vector<std::byte> part(all.data(), all.data() + size);
        if (reads(part)) FAIL("of size " << size);
        auto zeros = part;
        zeros.resize(all.size());
        if (reads(zeros)) FAIL("with zeros from " << size);
    }
}

TEST_CASE("every flipped bit of a header is seen", "[segment_header]") {
    auto all = written(sample());
    for (std::size_t bit = 0; bit < 8 * all.size(); ++bit) {
        all[bit / 8] ^= std::byte{1} << (bit % 8);
        if (reads(all)) FAIL("bit " << bit << " does not count");
        all[bit / 8] ^= std::byte{1} << (bit % 8);
    }
}

TEST_CASE("sizes that cannot be are refused", "[segment_header]") {
    for (const std::uint32_t size : {0U, 1U, 72U, 4095U, 4097U, 8192U, 0x80000000U, 0xFFFFF000U}) {
        auto all = written(sample());
        store_le(all.data() + header_at::size, size);
        sign(all);
        CHECK_FALSE(reads(all));
    }
    // No header is as large as its size may say: nobody is to make room for that.
    auto huge = written(sample());
    store_le(huge.data() + header_at::size, static_cast<std::uint32_t>(header_size(most_slots)));
    CHECK(claimed_header_size(huge) == header_size(most_slots));
    store_le(huge.data() + header_at::size,
             static_cast<std::uint32_t>(header_size(most_slots) + header_unit));
    CHECK(claimed_header_size(huge) == 0);
    CHECK(claimed_header_size(bytes()) == 0);
    CHECK(claimed_header_size(bytes(written(sample())).first(15)) == 0);
}

TEST_CASE("numbers of runs that do not fit are refused although the check is right",
          "[segment_header]") {
    for (const std::uint32_t count : {168U, 169U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
        auto all = written(sample());
        store_le(all.data() + header_at::count, count);
        sign(all);
        CHECK_FALSE(reads(all));
    }
}

TEST_CASE("runs that name what cannot be older are refused although the check is right",
          "[segment_header]") {
    const std::vector<segment_run> impossible{{0, 1, 0},         {1, 0, 0}, {7, 1, 0},
                                              {8, 1, 0},         {1, 7, 0}, {3, UINT64_MAX, 0},
                                              {UINT64_MAX, 2, 0}};
    for (const segment_run& run : impossible) {
        segment_header wrote = sample();
        wrote.live = {run};
        CHECK_FALSE(reads(written(wrote)));
    }
    segment_header wrote = sample();
    wrote.live = {{1, 6, 0}};
    CHECK(reads(written(wrote)));
    wrote.live = {{1, 2, 0}, {2, 1, 0}};  // 2 is in both
    CHECK_FALSE(reads(written(wrote)));
    wrote.live = {{3, 1, 0}, {1, 2, 0}};
    CHECK_FALSE(reads(written(wrote)));
    wrote.live = {{1, 2, 0}, {3, 1, 0}};
    CHECK(reads(written(wrote)));
}
