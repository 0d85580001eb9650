// The writer's section: one at a time, and who enters again and again lets others in.
#include <coffer/journal/section.hpp>

#include "catch.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace {

using coffer::detail::writers_section;
namespace threading = coffer::threading;

/// Takes longer than others look before they sleep.
void linger() {
    for (int i = 0; i < 500; ++i) std::this_thread::yield();
}

}  // namespace

TEST_CASE("one at a time is in the section", "[section]") {
    writers_section<threading::multi> section;
    int inside = 0;
    int most = 0;
    int visits = 0;
    const auto visit = [&](bool stays) {
        const auto mine = section.enter();
        most = (std::max)(most, ++inside);
        ++visits;
        if (stays) linger();
        --inside;
    };
    std::vector<std::thread> all;
    for (int t = 0; t < 4; ++t) {
        all.emplace_back([&, t] {
            for (int i = 0; i < 2000; ++i) visit((i + t) % 100 == 0);
        });
    }
    for (std::thread& each : all) each.join();
    CHECK(most == 1);
    CHECK(visits == 8000);
}

TEST_CASE("who sleeps before the section is woken when it is free", "[section]") {
    writers_section<threading::multi> section;
    auto mine = section.enter();
    std::atomic<int> came{0};
    std::vector<std::thread> all;
    for (int t = 0; t < 3; ++t) {
        all.emplace_back([&] {
            const auto theirs = section.enter();
            ++came;
        });
    }
    for (int i = 0; i < 10; ++i) linger();
    CHECK(came == 0);
    mine.unlock();
    CHECK_FALSE(mine.inside());
    for (std::thread& each : all) each.join();
    CHECK(came == 3);
}

TEST_CASE("who lets others in returns when nobody waits, and when somebody has come in",
          "[section]") {
    writers_section<threading::multi> section;
    section.let_in();
    auto hold = section.enter();
    bool came = false;
    std::thread other([&] {
        const auto mine = section.enter();
        came = true;
    });
    hold.unlock();
    for (bool seen = false; !seen;) {
        section.let_in();
        const auto mine = section.enter();
        seen = came;
    }
    other.join();
    CHECK(came);
}

TEST_CASE("with one thread the section costs nothing and can be entered", "[section]") {
    writers_section<threading::single> section;
    section.let_in();
    const auto hold = section.enter();
    CHECK(hold.inside());
}
