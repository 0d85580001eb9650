// The growing array: places last, sizes double, and a refusal of memory changes nothing.
#include <coffer/core/growing.hpp>

#include <coffer/core/memory.hpp>

#include "catch.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace {

namespace threading = coffer::threading;
using coffer::errc;
using coffer::fail;
using coffer::result;
using coffer::detail::growing;
using coffer::detail::heap_memory;

/// Notes what is asked of it, and gives the same few bytes for everything.
struct noting_memory {
    struct asked {
        unsigned region, number;
        std::size_t size;
        friend bool operator==(const asked&, const asked&) = default;
    };
    std::vector<asked> calls;
    bool refuses = false;
    alignas(64) std::byte room[64] = {};
    result<std::byte*> allocate(unsigned region, unsigned number, std::size_t size) {
        calls.push_back({region, number, size});
        if (refuses) return fail(errc::no_space, "refused");
        return room;
    }
};

}  // namespace

TEST_CASE("capacity doubles, elements are zero and stay where they are", "[growing]") {
    heap_memory memory;
    growing<std::uint64_t, threading::single, 3> all;
    CHECK(all.capacity() == 0);
    std::vector<std::uint64_t*> places;
    for (std::uint64_t capacity = 8; capacity <= 4096; capacity *= 2) {
        REQUIRE(all.grow(memory, 0));
        REQUIRE(all.capacity() == capacity);
        while (places.size() < capacity) {
            std::uint64_t& element = all[places.size()];
            if (element != 0) FAIL("element " << places.size() << " is not zero");
            element = ~std::uint64_t{places.size()};
            places.push_back(&element);
        }
        for (std::uint64_t i = 0; i < capacity; ++i) {
            if (&all[i] != places[i] || all[i] != ~i) FAIL("element " << i << " moved");
        }
    }
}

TEST_CASE("pieces are asked for by number, each as large as all before it", "[growing]") {
    using array = growing<std::uint32_t, threading::single, 4>;
    noting_memory memory;
    array all;
    for (int i = 0; i < 4; ++i) REQUIRE(all.grow(memory, 9));
    using asked = noting_memory::asked;
    CHECK(memory.calls == std::vector<asked>{{9, 0, 64}, {9, 1, 64}, {9, 2, 128}, {9, 3, 256}});
    static_assert(array::size_of_piece(0) == 16 && array::size_of_piece(1) == 16 &&
                  array::size_of_piece(2) == 32 && array::size_of_piece(3) == 64);
}

TEST_CASE("runs are neighbours in memory, and together all there is", "[growing]") {
    heap_memory memory;
    growing<std::uint32_t, threading::single, 4> all;
    for (int i = 0; i < 5; ++i) REQUIRE(all.grow(memory, 0));
    for (const std::uint64_t from : {0U, 1U, 15U, 16U, 17U, 40U, 255U}) {
        for (const std::uint64_t count : {1U, 15U, 16U, 100U, 256U}) {
            std::uint64_t at = from;
            while (at < (std::min)(from + count, all.capacity())) {
                const auto run = all.run(at, (std::min)(from + count, all.capacity()) - at);
                REQUIRE(!run.empty());
                CHECK(&run.front() == &all[at]);
                CHECK(&run.back() == &all[at + run.size() - 1]);
                at += run.size();
            }
            CHECK(at == (std::min)(from + count, all.capacity()));
        }
    }
}

TEST_CASE("refused memory changes nothing, and growing may go on later", "[growing]") {
    noting_memory memory;
    growing<std::uint32_t, threading::single, 4> all;
    REQUIRE(all.grow(memory, 0));
    memory.refuses = true;
    auto refused = all.grow(memory, 0);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::no_space);
    CHECK(all.capacity() == 16);
    memory.refuses = false;
    CHECK(all.grow(memory, 0));
    CHECK(all.capacity() == 32);
    CHECK(memory.calls.back().number == 1);
}

TEST_CASE("at 2^47 elements it is full, in words", "[growing]") {
    noting_memory memory;
    growing<std::byte, threading::single, 45> all;
    for (int i = 0; i < 3; ++i) REQUIRE(all.grow(memory, 0));
    CHECK(all.capacity() == std::uint64_t{1} << 47);
    auto full = all.grow(memory, 0);
    REQUIRE_FALSE(full);
    CHECK(full.error().kind() == errc::no_space);
    CHECK(memory.calls.size() == 3);
}

TEST_CASE("readers use what they were given while the array grows", "[growing][threads]") {
    heap_memory memory;
    growing<std::uint64_t, threading::multi, 2> all;
    std::atomic<std::uint64_t> given{0};
    std::atomic<std::uint64_t> wrong{0};
    constexpr std::uint64_t count = 1 << 14;
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&] {
            for (std::uint64_t below = 0; below < count;) {
                below = given.load(std::memory_order_acquire);
                for (std::uint64_t at = below; at > 0; at /= 2) wrong += all[at - 1] != at;
            }
        });
    }
    bool grown = true;
    for (std::uint64_t next = 0; next < count; ++next) {
        if (next == all.capacity()) grown = grown && all.grow(memory, 0);
        all[next] = next + 1;
        given.store(next + 1, std::memory_order_release);
    }
    for (std::thread& each : readers) each.join();
    CHECK(grown);
    CHECK(wrong.load() == 0);
}
