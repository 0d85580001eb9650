// Headers of index images: their bytes, every damage, and what belongs to others.
#include <coffer/format/image.hpp>

#include "catch.hpp"
#include "hex.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::bytes;
using coffer::policy_id;

constexpr store_id store{0x1122334455667788, 0x99aabbccddeeff00};
constexpr policy_id hash{"hash", 3};

image_header sample() {
    image_header out;
    out.store = store;
    out.index = hash;
    out.upto = position(7, 9000);
    out.commits = 11;
    out.entries = 5;
    out.table = 1000;
    out.table_check = 0xABCDEF;
    out.segments = {{3, 4096, 8000, 100, 28, 4, true, false},
                    {7, 4096, 9000, 0, 0, most_slots - 1, false, true}};
    return out;
}

bool reads(bytes from, const store_id& of = store, policy_id index = hash) {
    image_header out;
    return read_image_header(from, of, index, out);
}

void sign(std::vector<std::byte>& all) {
    store_le(all.data() + all.size() - 8, hash64({all.data(), all.size() - 8}, store.low));
}

}  // namespace

// Computed apart, by a program in another language that followed the description, for a machine of
// 64 bits whose order is little-endian. May change until the format is frozen.
TEST_CASE("golden header of an image", "[image][golden]") {
    if (std::endian::native != std::endian::little || sizeof(void*) != 8) return;
    CHECK(write_image_header(sample()) ==
          hex::to_bytes("89434f464944580a 02000000 44030201 8877665544332211 00ffeeddccbbaa99"
                        "68617368 00(12) 03000000 02000000 ca08008003000000 0b00000000000000"
                        "0500000000000000 e803000000000000 efcdab0000000000"
                        "0300000000000000 0010000000000000 401f000000000000 6400000000000000"
                        "1c00000000000000 04000000 01000000"
                        "0700000000000000 0010000000000000 2823000000000000 0000000000000000"
                        "0000000000000000 ffff0000 02000000"
                        "4be9d920c95176e8"));
}

TEST_CASE("the header of an image comes back", "[image]") {
    for (const std::uint32_t segments : {0U, 2U, 100U}) {
        image_header wrote = sample();
        wrote.segments.resize(segments);
        for (std::uint32_t i = 2; i < segments; ++i) {
            wrote.segments[i] = {i * 100, 4096,  4096 + 4 * i, i,
                                 2 * i,   i + 3, i % 2 == 0,   i % 3 == 0};
        }
        const auto all = write_image_header(wrote);
        CHECK(all.size() == image_header_size(segments));
        CHECK(claimed_image_header(all, all.size()) == all.size());
        image_header read;
        REQUIRE(read_image_header(all, store, hash, read));
        CHECK(read.store == wrote.store);
        CHECK(read.upto == wrote.upto);
        CHECK(read.commits == wrote.commits);
        CHECK(read.entries == wrote.entries);
        CHECK(read.table == wrote.table);
        CHECK(read.table_check == wrote.table_check);
        REQUIRE(read.segments.size() == segments);
        for (std::size_t i = 0; i < segments; ++i) {
            const image_segment& is = read.segments[i];
            const image_segment& was = wrote.segments[i];
            CHECK(is.id == was.id);
            CHECK(is.begin == was.begin);
            CHECK(is.end == was.end);
            CHECK(is.dead == was.dead);
            CHECK(is.tombstones == was.tombstones);
            CHECK(is.slot == was.slot);
            CHECK(is.torn == was.torn);
            CHECK(is.has_clear == was.has_clear);
        }
    }
}

TEST_CASE("an image of another store, index or version is of no use", "[image]") {
    const auto all = write_image_header(sample());
    CHECK(reads(all));
    CHECK_FALSE(reads(all, {store.low + 1, store.high}));
    CHECK_FALSE(reads(all, {store.low, store.high + 1}));
    CHECK_FALSE(reads(all, store, {"hash", 4}));
    CHECK_FALSE(reads(all, store, {"hashes", 3}));
    CHECK_FALSE(reads(all, store, {"has", 3}));
    for (const std::size_t at : {image_at::format, image_at::machine}) {
        auto other = all;
        other[at] ^= std::byte{2};
        sign(other);
        CHECK_FALSE(reads(other));
    }
}

TEST_CASE("every part of a header is none, every flipped bit is seen", "[image]") {
    auto all = write_image_header(sample());
    for (std::size_t size = 0; size < all.size(); ++size) {
        const std::vector<std::byte> part(all.data(), all.data() + size);
        if (reads(part)) FAIL("of size " << size);
    }
    for (std::size_t bit = 0; bit < 8 * all.size(); ++bit) {
        all[bit / 8] ^= std::byte{1} << (bit % 8);
        if (reads(all)) FAIL("bit " << bit << " does not count");
        all[bit / 8] ^= std::byte{1} << (bit % 8);
    }
}

TEST_CASE("a header never claims more than its file holds or slots there are", "[image]") {
    auto all = write_image_header(sample());
    CHECK(claimed_image_header(all, all.size() - 1) == 0);
    CHECK(claimed_image_header(bytes(all).first(95), all.size()) == 0);
    CHECK(claimed_image_header(bytes(all).first(96), all.size()) == all.size());
    store_le(all.data() + image_at::count, most_slots);
    CHECK(claimed_image_header(all, UINT64_MAX) == image_header_size(most_slots));
    for (const std::uint32_t count : {most_slots + 1, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
        store_le(all.data() + image_at::count, count);
        CHECK(claimed_image_header(all, UINT64_MAX) == 0);
        CHECK_FALSE(reads(all));
    }
}

TEST_CASE("segments that cannot be are refused although the check is right", "[image]") {
    image_header slot = sample();
    slot.segments[0].slot = most_slots;
    CHECK_FALSE(reads(write_image_header(slot)));
    image_header turned = sample();
    turned.segments[1].begin = turned.segments[1].end + 4;
    CHECK_FALSE(reads(write_image_header(turned)));
    image_header shared = sample();  // two segments in one slot
    shared.segments[1].slot = shared.segments[0].slot;
    CHECK_FALSE(reads(write_image_header(shared)));
    image_header twice = sample();
    twice.segments[1].id = twice.segments[0].id;
    CHECK_FALSE(reads(write_image_header(twice)));
    image_header none = sample();
    none.segments[0].id = 0;
    CHECK_FALSE(reads(write_image_header(none)));
}

namespace {

/// Three pieces behind a header of one segment, and a header that has their table's check.
struct pieces_sample {
    pieces_sample() {
        header.store = store;
        header.segments.resize(1);
        std::uint64_t end = image_header_size(1);
        for (const std::uint64_t size :
             {std::uint64_t{100}, std::uint64_t{70'000}, std::uint64_t{image_block} + 9}) {
            const std::uint64_t at = image_piece_offset(end, size);
            pieces.push_back({7, static_cast<std::uint32_t>(pieces.size()), at, size, size * 3});
            end = at + size;
        }
        header.table = end;
        sign_table();
    }
    void sign_table() {
        table = write_image_pieces(pieces);
        header.table_check = image_pieces_check(table, store);
    }
    [[nodiscard]] bool reads() const {
        std::vector<image_piece> out;
        return read_image_pieces(table, header, out);
    }

    image_header header;
    std::vector<image_piece> pieces;
    std::vector<std::byte> table;
};

}  // namespace

TEST_CASE("pieces lie where they can be mapped", "[image]") {
    CHECK(image_piece_offset(152, 100) == 192);
    CHECK(image_piece_offset(192, 100) == 192);
    CHECK(image_piece_offset(193, least_mapped_piece - 1) == 256);
    CHECK(image_piece_offset(193, least_mapped_piece) == 65'536);
    CHECK(image_piece_offset(65'537, image_block - 1) == 131'072);
    CHECK(image_piece_offset(65'537, image_block) == image_block);
    CHECK(image_piece_offset(image_block + 1, 9 * image_block) == 2 * image_block);
}

TEST_CASE("the table of pieces comes back", "[image]") {
    const pieces_sample sample;
    std::vector<image_piece> out;
    REQUIRE(read_image_pieces(sample.table, sample.header, out));
    REQUIRE(out.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(out[i].region == 7);
        CHECK(out[i].number == i);
        CHECK(out[i].offset == sample.pieces[i].offset);
        CHECK(out[i].size == sample.pieces[i].size);
        CHECK(out[i].check == sample.pieces[i].size * 3);
    }
    CHECK(out[2].offset == image_block);
}

TEST_CASE("every part of a table is none, every flipped bit is seen", "[image]") {
    pieces_sample sample;
    const auto whole = sample.table;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        sample.table.assign(whole.data(), whole.data() + size);
        if (sample.reads()) FAIL("of size " << size);
    }
    sample.table = whole;
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        sample.table[bit / 8] ^= std::byte{1} << (bit % 8);
        if (sample.reads()) FAIL("bit " << bit << " does not count");
        sample.table[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    CHECK(sample.reads());
    sample.header.store.low += 1;
    CHECK_FALSE(sample.reads());
}

TEST_CASE("pieces that cannot be are refused although the check is right", "[image]") {
    const auto refused = [](auto change) {
        pieces_sample sample;
        change(sample);
        sample.sign_table();
        return !sample.reads();
    };
    CHECK_FALSE(refused([](pieces_sample&) {}));
    CHECK(refused([](pieces_sample& it) { it.pieces[0].offset = 0; }));    // in the header
    CHECK(refused([](pieces_sample& it) { it.pieces[0].offset += 4; }));   // not at 64
    CHECK(refused([](pieces_sample& it) { it.pieces[1].offset += 64; }));  // not at 64 KiB
    CHECK(refused([](pieces_sample& it) { it.pieces[2].size += 1; }));     // into the table
    CHECK(refused([](pieces_sample& it) { it.pieces[2].size = UINT64_MAX; }));
    CHECK(refused([](pieces_sample& it) { it.pieces[0].offset = UINT64_MAX - 63; }));
    CHECK(
        refused([](pieces_sample& it) { it.pieces.resize(most_image_pieces + 1, it.pieces[0]); }));
}

TEST_CASE("the check of a piece minds every block and the order of blocks", "[image]") {
    std::vector<std::byte> piece(2 * image_block + 5);
    for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<std::byte>(i >> 17);
    const std::uint64_t check = image_piece_check(piece, store);
    CHECK(check == image_piece_check(piece, store));
    CHECK(check != image_piece_check(piece, {store.low + 1, store.high}));
    CHECK(check != image_piece_check(bytes(piece).first(piece.size() - 1), store));
    for (const std::size_t at : {std::size_t{0}, image_block - 1, image_block, piece.size() - 1}) {
        piece[at] ^= std::byte{1};
        CHECK(check != image_piece_check(piece, store));
        piece[at] ^= std::byte{1};
    }
    std::rotate(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(image_block),
                piece.begin() + static_cast<std::ptrdiff_t>(2 * image_block));
    CHECK(check != image_piece_check(piece, store));
}
