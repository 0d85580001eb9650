#include <coffer/index/hash_words.hpp>

#include <cstdint>
#include <set>

#include "catch.hpp"
#include "index/table_model.hpp"

namespace {

struct words : coffer::detail::hash_words {};  // short

}  // namespace

TEST_CASE("hash_words: prints are found in any control word, and little else") {
    t::random_numbers random(1);
    std::size_t wrong = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::uint64_t control = random() & (words::chained | words::depth_bits);
        std::uint64_t expected = 0;
        std::uint64_t near = 0;
        std::uint64_t used = 0;
        const std::uint64_t print = words::print_of(random());
        for (unsigned slot = 0; slot < 7; ++slot) {
            const std::uint64_t kind = random.below(4);
            if (kind == 0) continue;
            // Neighbours of the print are what a borrow takes for it, above one that is found.
            const std::uint64_t held = kind == 1   ? print
                                       : kind == 2 ? print ^ 1
                                                   : words::print_of(random());
            control = words::set(control, slot, held);
            if (held == print) expected |= std::uint64_t{0x80} << (8 * slot);
            if (held == (print ^ 1)) near |= std::uint64_t{0x80} << (8 * slot);
            used |= std::uint64_t{0x80} << (8 * slot);
            wrong += words::print_at(control, slot) != held;
        }
        const std::uint64_t found = words::with_print(control, print);
        wrong += (found & expected) != expected;
        wrong += (found & ~(expected | near)) != 0;
        wrong += (found & (~found + 1)) != (expected & (~expected + 1));  // the lowest is no other
        wrong += words::used(control) != used;
        const unsigned free = words::first_free(control);
        wrong += free < 7 ? words::print_at(control, free) != 0 : used != words::each_top;
    }
    CHECK(wrong == 0);
}

TEST_CASE("hash_words: place, tag and print are the first 30 bits of the hash") {
    t::random_numbers random(2);
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t hash = random();
        const std::uint64_t entry = words::tag_of(hash) | (random() & coffer::detail::ref_mask);
        const std::uint64_t known = words::known(entry, words::print_of(hash));
        CHECK((known | (hash & 0x7F)) == (hash & words::below(words::known_bits)));
    }
}

TEST_CASE("hash_words: a link is no entry of its bucket and not a free slot") {
    t::random_numbers random(3);
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t hash = random();
        const std::uint64_t index = hash & words::below(8 + static_cast<unsigned>(i % 20));
        const std::uint64_t stamp = random.below(0x7FFFFFFE) + 1;
        const std::uint64_t to = random.below(3) == 0 ? 0 : random() & 0xFFFFFFFF;
        const std::uint64_t link = words::link(index, to, stamp);
        CHECK(words::is_link(link, index));
        CHECK(words::target(link) == to);
        CHECK(words::link(index, to, stamp ^ 0x10001) != link);
        CHECK_FALSE(words::is_link(words::tag_of(hash) | 1, index));
    }
    CHECK_FALSE(words::is_link(0, 0));
    CHECK_FALSE(words::is_link(0, 128));
}

TEST_CASE("hash_words: each next link of a bucket is another one") {
    for (const std::uint64_t index : {std::uint64_t{3}, std::uint64_t{131}}) {
        std::set<std::uint64_t> firsts;  // at each depth
        for (std::uint64_t deeper = 0; deeper <= 20; ++deeper) {
            const std::uint64_t first = words::first_link(deeper * words::depth_one, index, 5);
            CHECK(words::is_link(first, index));
            CHECK(words::target(first) == 5);
            firsts.insert(first);
        }
        CHECK(firsts.size() == 21);
        for (const std::uint64_t stamp : {1U, 0xFFFFU, 0x10000U, 0x7FFFFFFEU, 0x7FFFFFFFU}) {
            const std::uint64_t old = words::link(index, 5, stamp);
            const std::uint64_t next = words::next_link(old, index, 5);
            CHECK(next == words::link(index, 5, stamp == 0x7FFFFFFF ? 1 : stamp + 1));
            CHECK(words::is_link(words::next_link(old, index, 0), index));
        }
    }
}

TEST_CASE("hash_words: an extent gives every hash a bucket that exists, and the deepest one") {
    for (std::uint64_t n = 256; n < 1100; ++n) {
        const std::uint64_t extent = words::extent(n);
        for (std::uint64_t hash = 0; hash < 2048; hash += 7) {
            const std::uint64_t index = words::at(hash | 0xABCD000000000000, extent);
            const std::uint64_t deep = hash & (n >= 1024 ? 2047U : n >= 512 ? 1023U : 511U);
            const std::uint64_t flat = hash & (n >= 1024 ? 1023U : n >= 512 ? 511U : 255U);
            if (index != (deep < n ? deep : flat)) FAIL("n " << n << " hash " << hash);
        }
    }
}
