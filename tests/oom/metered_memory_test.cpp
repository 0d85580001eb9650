// The meter itself: what the other tests of this folder are refused by.
#include "oom/metered_memory.hpp"

#include "catch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void __real_free(void* piece);
void* __wrap_malloc(std::size_t size);
void* __wrap_calloc(std::size_t count, std::size_t size);
void __wrap_free(void* piece);

void* __wrap_malloc(std::size_t size) {
    return memory::refuses() ? nullptr : memory::filled(__real_malloc(size), size);
}
void* __wrap_calloc(std::size_t count, std::size_t size) {
    return memory::refuses() ? nullptr : memory::counted(__real_calloc(count, size));
}
void __wrap_free(void* piece) {
    memory::given_back(piece);
    __real_free(piece);
}
// NOLINTEND(bugprone-reserved-identifier)
}

void* operator new(std::size_t size) {
    void* const piece = ::operator new(size, std::nothrow);
    if (piece == nullptr) throw std::bad_alloc();
    return piece;
}
// The library has one that calls the one above; a sanitizer's does not.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return memory::refuses() ? nullptr : memory::filled(__real_malloc(size), size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    const auto unit = static_cast<std::size_t>(alignment);
    void* const piece =
        memory::refuses()
            ? nullptr
            : memory::filled(std::aligned_alloc(unit, (size + unit - 1) / unit * unit), size);
    if (piece == nullptr) throw std::bad_alloc();
    return piece;
}
void operator delete(void* piece) noexcept {
    __wrap_free(piece);
}
void operator delete(void* piece, std::size_t) noexcept {
    __wrap_free(piece);
}
void operator delete(void* piece, std::align_val_t) noexcept {
    __wrap_free(piece);
}
void operator delete(void* piece, std::size_t, std::align_val_t) noexcept {
    __wrap_free(piece);
}

TEST_CASE("the meter refuses the n-th request, once or from there on", "[oom]") {
    for (const bool ever : {false, true}) {
        CAPTURE(ever);
        std::vector<bool> given;
        given.reserve(4);
        memory::refuse(2, ever);
        for (int i = 0; i < 4; ++i) {
            const memory::metering meter;
            try {
                const auto piece = std::make_unique<std::uint64_t>(7);
                given.push_back(true);
            } catch (const std::bad_alloc&) {
                given.push_back(false);
            }
        }
        const std::uint64_t refused = memory::refused;
        memory::refuse(UINT64_MAX, false);
        CHECK(given == std::vector<bool>{true, false, !ever, !ever});
        CHECK(refused == (ever ? 3 : 1));
    }
}

TEST_CASE("the meter counts bytes, and fills what is new", "[oom]") {
    const std::int64_t before = memory::held_bytes;
    memory::count_bytes();
    memory::filler = 0xA5;
    auto* volatile block = static_cast<unsigned char*>(std::malloc(100'000));
    auto* volatile number = static_cast<unsigned char*>(::operator new(100));
    memory::filler = 0;
    const int first = block[0], last = block[99'999], of_cpp = number[99];
    const std::int64_t with_all = memory::held_bytes;
    std::free(block);
    ::operator delete(number);
    const std::int64_t after = memory::held_bytes;
    const std::int64_t most = memory::most_bytes;
    CHECK(first == 0xA5);
    CHECK(last == 0xA5);
    CHECK(of_cpp == 0xA5);
    CHECK(with_all >= before + 100'100);
    CHECK(most >= with_all);
    CHECK(after == before);
}

TEST_CASE("the meter counts what is held, of C and of C++", "[oom]") {
    const std::int64_t before = memory::held;
    void* volatile block = std::malloc(100);  // volatile: or the compiler does without
    void* volatile zeros = std::calloc(10, 10);
    std::uint64_t* volatile number = new std::uint64_t(7);
    const std::int64_t with_all = memory::held;
    std::free(block);
    std::free(zeros);
    delete number;
    const std::int64_t after = memory::held;  // a CHECK holds memory of its own
    CHECK(with_all == before + 3);
    CHECK(after == before);
    memory::refuse(1, true);
    void* volatile refused = nullptr;
    {
        const memory::metering meter;
        refused = std::malloc(100);
    }
    memory::refuse(UINT64_MAX, false);
    CHECK(refused == nullptr);
}
