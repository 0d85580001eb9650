// Memory of an index: zeroed, aligned, in lasting places, and given back once.
#include <coffer/core/memory.hpp>

#include "catch.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

using coffer::detail::heap_memory;

namespace {

bool is_zero(const std::byte* at, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
        if (at[i] != std::byte{0}) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("pieces are zero, aligned and apart", "[memory]") {
    heap_memory memory;
    std::vector<std::pair<std::byte*, std::size_t>> pieces;
    for (const std::size_t size : std::vector<std::size_t>{1, 63, 64, 65, 4096, 100000, 5 << 20}) {
        auto piece = memory.allocate(0, static_cast<unsigned>(pieces.size()), size);
        REQUIRE(piece);
        CHECK(reinterpret_cast<std::uintptr_t>(*piece) % 64 == 0);
        CHECK(is_zero(*piece, size));
        std::memset(*piece, 0xEE, size);
        pieces.emplace_back(*piece, size);
    }
    for (const auto& [at, size] : pieces) {
        CHECK(at[0] == std::byte{0xEE});
        CHECK(at[size - 1] == std::byte{0xEE});
    }
}

TEST_CASE("raw memory is aligned, and has one owner", "[memory]") {
    using coffer::detail::raw_memory;
    CHECK(raw_memory().get() == nullptr);
    CHECK(raw_memory().size() == 0);
    for (const std::size_t size : std::vector<std::size_t>{0, 1, 4096, 5 << 20}) {
        auto taken = raw_memory::take(size);
        REQUIRE(taken);
        raw_memory moved = std::move(*taken);
        CHECK(taken->get() == nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(moved.get()) % coffer::detail::alignment_of(size) ==
              0);
        CHECK(moved.size() == size);
        CHECK(taken->size() == 0);
        std::memset(moved.get(), 0xEE, size);
    }
}

TEST_CASE("memory that was touched is there, and holds what it held", "[memory]") {
    constexpr std::size_t huge_page = coffer::detail::huge_page;
    auto taken = coffer::detail::raw_memory::take(4 * huge_page).value();
    std::byte* const at = taken.get();
    std::memset(at, 7, 100);
    coffer::detail::touch(at + 50, huge_page);
    CHECK(at[0] == std::byte{7});
    CHECK(at[99] == std::byte{7});
#if defined(__linux__) && defined(MADV_POPULATE_WRITE)
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const bool can = ::madvise(at, page, MADV_POPULATE_WRITE) == 0;  // Linux 5.14
    const auto is_there = [&](std::size_t offset) {
        unsigned char told = 0;
        return ::mincore(at + offset, page, &told) == 0 && (told & 1) != 0;
    };
    if (can) {
        CHECK(is_there(huge_page - page));
        CHECK(is_there(huge_page));  // the last byte of the range
        CHECK_FALSE(is_there(3 * huge_page));
    }
#endif
}

TEST_CASE("spare memory is given again to whom it is enough", "[memory]") {
    using owned = std::unique_ptr<coffer::detail::raw_memory>;
    coffer::detail::spare_memory spare;
    const auto give = [&](coffer::result<owned>& back) { spare.give(std::move(*back)); };
    auto first = spare.take(5000);
    REQUIRE(first);
    CHECK((*first)->size() == 8192);
    const std::byte* const at = (*first)->get();
    give(first);
    auto again = spare.take(8192);
    CHECK((*again)->get() == at);
    auto other = spare.take(100);
    CHECK((*other)->get() != at);
    give(again);
    give(other);  // the last one is kept
    auto larger = spare.take(8193);
    CHECK((*larger)->size() == 16384);
    CHECK((*spare.take(1))->size() == 1);
}

TEST_CASE("pieces stay where they are when the memory is moved", "[memory]") {
    heap_memory first;
    auto piece = first.allocate(1, 2, 64);
    REQUIRE(piece);
    **piece = std::byte{5};
    heap_memory second = std::move(first);
    CHECK(**piece == std::byte{5});
    auto fresh = first.allocate(0, 0, 8);  // what was moved from is empty, and of use
    REQUIRE(fresh);
    heap_memory third;
    auto other = third.allocate(0, 0, 8);
    REQUIRE(other);
    third = std::move(second);
    CHECK(**piece == std::byte{5});
}

// A sanitizer ends the program instead; what clang has switched on is not asked for here.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__has_feature)
TEST_CASE("memory that the system does not give is an error", "[memory]") {
    heap_memory memory;
    volatile std::size_t much = SIZE_MAX / 4;  // unknown to the compiler, which would warn
    auto refused = memory.allocate(0, 0, much);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == coffer::errc::no_space);
    CHECK(memory.allocate(0, 0, 8));
}
#endif
