// The head of LIVE: what a file of another store, index, format or machine says is of no use, and no
// number in it leads out of the file.
#include <coffer/format/live.hpp>

#include "catch.hpp"

#include <cstddef>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::policy_id;

constexpr store_id store{0x1111, 0x2222};
constexpr policy_id hash{"hash", 1};

std::vector<std::byte> head() {
    std::vector<std::byte> out(live_at::words);
    write_live_head(out.data(), store, hash);
    return out;
}

/// Words and pieces that are right.
struct sound {
    sound() {
        words.pieces = 2;
        words.generation = 1;
        words.end = 3 * live_head_size;
        words.small_end = live_head_size;
        words.slot_count = 64;
        pieces[0] = {live_name_of(1, 0, 0), live_head_size, 16384, 100, 0};
        pieces[1] = {live_name_of(1, 2, 0), 2 * live_head_size, live_head_size, live_head_size, 0};
    }
    [[nodiscard]] bool holds(std::uint64_t size = 3 * live_head_size) const {
        return plausible(words, pieces, size);
    }
    live_words words{};
    live_piece pieces[2]{};
};

}  // namespace

TEST_CASE("a head is that of this store, this index and this format", "[live]") {
    CHECK(is_live_head(head().data(), store, hash));
    CHECK_FALSE(is_live_head(head().data(), {0x1111, 0x2223}, hash));
    CHECK_FALSE(is_live_head(head().data(), store, {"sorted", 1}));
    CHECK_FALSE(is_live_head(head().data(), store, {"hash", 2}));
}

TEST_CASE("a bit that is not what it was makes a head useless", "[live]") {
    for (std::size_t at = 0; at < live_at::words; ++at) {
        std::vector<std::byte> image = head();
        image[at] ^= std::byte{4};
        CAPTURE(at);
        CHECK_FALSE(is_live_head(image.data(), store, hash));
    }
}

TEST_CASE("pieces lie in the file, where they can be mapped", "[live]") {
    CHECK(sound().holds());
    CHECK_FALSE(sound().holds(3 * live_head_size - 1));
    const auto without = [](auto change) {
        sound it;
        change(it);
        return it.holds();
    };
    CHECK_FALSE(without([](sound& it) { it.words.pieces = most_live_pieces + 1; }));
    CHECK_FALSE(without([](sound& it) { it.words.slot_count = most_slots + 1; }));
    CHECK_FALSE(without([](sound& it) { it.words.which = 2; }));
    CHECK_FALSE(without([](sound& it) { it.words.generation = 0; }));
    CHECK_FALSE(without([](sound& it) { it.words.generation = std::uint64_t{1} << 31; }));
    CHECK_FALSE(without([](sound& it) { it.words.small_end = live_at::in_head - 64; }));
    CHECK_FALSE(without([](sound& it) { it.words.small_end = live_head_size - 8; }));
    CHECK_FALSE(without([](sound& it) { it.words.pieces = 0, it.words.end = 4096; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[0].offset = 0; }));
    CHECK(without([](sound& it) { it.pieces[0].offset = live_at::in_head; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[0].offset = live_at::in_head - 64; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[0].offset = live_at::in_head + 1; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[0].offset = live_head_size - 64; }));
    CHECK_FALSE(without([](sound& it) { it.words.small_end = live_head_size + 1; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[0].size = 2 * live_head_size; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[1].offset = live_head_size; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[0].offset += 4096; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[0].used = it.pieces[0].size + 1; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[1].size += 1; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[1].size = UINT64_MAX; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[1].offset = 4 * live_head_size; }));
    CHECK_FALSE(without([](sound& it) { it.pieces[1].offset = 0 - live_head_size; }));
}

TEST_CASE("a name says whose piece it is, and none is the name of free room", "[live]") {
    CHECK(live_name_of(0, 0, 0) != 0);
    CHECK(live_name_of(1, 0, 0) != live_name_of(0, 1, 0));
    CHECK(live_name_of(0, 1, 0) != live_name_of(0, 0, 1));
    CHECK(live_name_of(3, 2, 1) >> 32 == live_name_of(3, 0, 0) >> 32);
    CHECK(live_name_of(3, 2, 1) >> 32 != live_name_of(4, 2, 1) >> 32);
}

TEST_CASE("a seal is of the words that count and of the table of pieces", "[live]") {
    const auto seal = [](const sound& it) {
        const coffer::bytes table(reinterpret_cast<const std::byte*>(it.pieces), sizeof it.pieces);
        return live_seal(it.words, table, store);
    };
    const std::uint64_t before = seal(sound());
    sound other;
    other.words.busy = 7;  // of the moment
    other.words.boot.store(9);
    CHECK(seal(other) == before);
    other.words.progress[0].entries = 1;
    CHECK(seal(other) != before);
    sound third;
    third.pieces[1].check = 1;
    CHECK(seal(third) != before);
}
