// Epochs: what a reader may still see stays, what nobody can see goes. Run under ThreadSanitizer.
#include <coffer/core/epoch.hpp>

#include "catch.hpp"

#include <atomic>
#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace {

using coffer::detail::epoch;
namespace threading = coffer::threading;

using coffer::detail::retired;

/// A pin in a container: pins do not move.
struct held {
    explicit held(epoch<threading::multi>& readers) : pin(readers.enter()) {}
    epoch<threading::multi>::pin pin;
};

/// Remembers the order in which things were freed.
struct graveyard {
    struct thing : retired {
        std::uint64_t number = 0;
    };
    thing things[4];
    std::vector<std::uint64_t> freed;

    template <class Epoch>
    void retire(Epoch& readers, std::uint64_t number) {
        things[number].number = number;
        readers.retire(
            things[number],
            [](void* self, retired& gone) noexcept {
                static_cast<graveyard*>(self)->freed.push_back(static_cast<thing&>(gone).number);
            },
            this);
    }
};

template <class Epoch>
void free_some(Epoch& readers) {
    static_cast<void>(readers.reclaim());
}

constexpr std::size_t slots = 128;  // that there are at first

struct node : retired {
    static constexpr std::uint64_t living = 0x11FE11FE11FE11FE;
    std::uint64_t number = 0;
    std::uint64_t canary = living;
    static void free(void* count, retired& thing) noexcept {
        auto* const gone = static_cast<node*>(&thing);
        gone->canary = 0;
        delete gone;
        static_cast<std::atomic<std::uint64_t>*>(count)->fetch_add(1);
    }
};

}  // namespace

TEST_CASE("under single a thing goes at once", "[epoch]") {
    epoch<threading::single> readers;
    graveyard yard;
    const auto pin = readers.enter();
    yard.retire(readers, 3);
    CHECK(yard.freed == std::vector<std::uint64_t>{3});
    free_some(readers);
}

TEST_CASE("without readers things go at the next reclaim, in order, once", "[epoch]") {
    epoch<threading::multi> readers;
    graveyard yard;
    for (std::uint64_t i = 1; i <= 3; ++i) yard.retire(readers, i);
    CHECK(yard.freed.empty());
    free_some(readers);
    CHECK(yard.freed == std::vector<std::uint64_t>{1, 2, 3});
    free_some(readers);
    CHECK(yard.freed.size() == 3);
}

TEST_CASE("a pin keeps what was retired after it began, not what went before", "[epoch]") {
    epoch<threading::multi> readers;
    graveyard yard;
    yard.retire(readers, 1);
    std::list<held> pins;
    pins.emplace_back(readers);
    yard.retire(readers, 2);
    pins.emplace_back(readers);
    yard.retire(readers, 3);

    free_some(readers);
    CHECK(yard.freed == std::vector<std::uint64_t>{1});
    pins.pop_front();  // I1: the slot is free again
    free_some(readers);
    CHECK(yard.freed == std::vector<std::uint64_t>{1, 2});
    pins.pop_front();
    free_some(readers);
    CHECK(yard.freed == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("who links what waits itself learns from the oldest pin what may be used again",
          "[epoch]") {
    epoch<threading::multi> readers;
    CHECK(readers.stamp() < readers.oldest());
    std::list<held> pins;
    pins.emplace_back(readers);
    const std::uint64_t then = readers.stamp();
    pins.emplace_back(readers);
    CHECK(readers.oldest() <= then);
    pins.pop_front();
    CHECK(readers.oldest() > then);
}

TEST_CASE("what is reclaimed is freed once, when that ends; more may be retired meanwhile",
          "[epoch]") {
    epoch<threading::multi> readers;
    graveyard yard;
    yard.retire(readers, 1);
    yard.retire(readers, 2);
    {
        auto gone = readers.reclaim();
        CHECK(yard.freed.empty());
        yard.retire(readers, 3);
        free_some(readers);
        CHECK(yard.freed == std::vector<std::uint64_t>{3});
        const auto moved = std::move(gone);
    }
    CHECK(yard.freed == std::vector<std::uint64_t>{3, 1, 2});
    free_some(readers);
    CHECK(yard.freed.size() == 3);
}

TEST_CASE("a thread may hold more pins than there were slots at first", "[epoch]") {
    epoch<threading::multi> readers;
    graveyard yard;
    std::list<held> pins;
    for (std::size_t i = 0; i < 3 * slots + 1; ++i) pins.emplace_back(readers);
    yard.retire(readers, 1);
    // The last one to go is of the slots in the middle.
    while (pins.size() > 1) {
        pins.erase(pins.size() % 2 == 0 ? pins.begin() : std::prev(pins.end()));
        free_some(readers);
        REQUIRE(yard.freed.empty());
    }
    pins.clear();
    free_some(readers);
    CHECK(yard.freed == std::vector<std::uint64_t>{1});
}

TEST_CASE("more readers than slots", "[epoch][threads]") {
    epoch<threading::multi> readers;
    std::list<held> pins;
    for (std::size_t i = 0; i < slots; ++i) pins.emplace_back(readers);
    std::atomic<node*> shown{new node};
    std::atomic<std::uint64_t> freed{0};
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<int> inside{0};
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            const auto pin = readers.enter();
            const node* const seen = shown.load(std::memory_order_acquire);
            ++inside;
            while (!over.load()) {
                if (seen->canary != node::living) ++wrong;
                std::this_thread::yield();
            }
        });
    }
    while (inside.load() != 3) std::this_thread::yield();
    node* const old = shown.exchange(new node);
    readers.retire(*old, &node::free, &freed);
    pins.clear();
    for (int i = 0; i < 1000; ++i) free_some(readers);
    CHECK(freed.load() == 0);
    over = true;
    for (std::thread& each : threads) each.join();
    free_some(readers);
    CHECK(freed.load() == 1);
    CHECK(wrong.load() == 0);
    delete shown.load();
}

TEST_CASE("readers never see a node that was freed", "[epoch][threads]") {
    epoch<threading::multi> readers;
    std::atomic<node*> shown{new node};
    std::atomic<std::uint64_t> freed{0};
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<std::uint64_t> looks{0};
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            std::uint64_t last = 0;
            while (!over.load(std::memory_order_relaxed)) {
                const auto pin = readers.enter();
                for (int look = 0; look < 4; ++look) {
                    const node* const seen = shown.load(std::memory_order_acquire);
                    if (seen->canary != node::living || seen->number < last) ++wrong;
                    last = seen->number;
                }
                ++looks;
            }
        });
    }
    constexpr std::uint64_t rounds = 20000;
    for (std::uint64_t i = 1; i <= rounds || looks.load() < 1000; ++i) {
        auto* const next = new node;
        next->number = i;
        node* const old = shown.exchange(next, std::memory_order_acq_rel);
        readers.retire(*old, &node::free, &freed);
        if (i % 16 == 0) free_some(readers);
        if (i % 1024 == 0) std::this_thread::yield();
    }
    over = true;
    for (std::thread& each : threads) each.join();
    CHECK(wrong.load() == 0);
    CHECK(looks.load() >= 1000);
    free_some(readers);
    CHECK(freed.load() >= rounds);
    delete shown.load();
}
