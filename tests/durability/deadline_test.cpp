// The clock of what waits: set once, stopped by work that succeeds.
#include <coffer/durability/deadline.hpp>

#include "catch.hpp"

#include <new>

namespace {

using coffer::errc;
using coffer::result;
using coffer::detail::deadline;
using coffer::detail::never;

result<void> works() {
    return {};
}
result<void> fails() {
    return coffer::fail(errc::io_error, "no");
}

}  // namespace

TEMPLATE_TEST_CASE("a deadline runs from when it was set until it is met", "[deadline]",
                   coffer::threading::single, coffer::threading::multi) {
    deadline<TestType> clock;
    CHECK_FALSE(clock.is_set());
    CHECK(clock.after(10) == never);
    clock.set(101);
    CHECK(clock.is_set());
    CHECK(clock.after(10) == 111);
    clock.set(150);  // of somebody who found it not set, and came late
    CHECK(clock.after(10) == 111);
    CHECK(clock.met_by(works));
    CHECK_FALSE(clock.is_set());
    clock.set(0);
    CHECK(clock.is_set());
}

TEMPLATE_TEST_CASE("I2: work that fails leaves it, unless it was set anew", "[deadline]",
                   coffer::threading::single, coffer::threading::multi) {
    deadline<TestType> clock;
    CHECK_FALSE(clock.met_by(fails));
    CHECK_FALSE(clock.is_set());
    clock.set(101);
    CHECK_FALSE(clock.met_by(fails));
    CHECK(clock.after(0) == 101);
    CHECK_FALSE(clock.met_by([&] {
        CHECK_FALSE(clock.is_set());
        clock.set(201);
        return fails();
    }));
    CHECK(clock.after(0) == 201);
    CHECK_THROWS_AS(
        static_cast<void>(clock.met_by([]() -> result<void> { throw std::bad_alloc(); })),
        std::bad_alloc);
    CHECK(clock.after(0) == 201);
    CHECK(clock.met_by([&] {
        clock.set(301);
        return works();
    }));
    CHECK(clock.after(0) == 301);
}
