// What a log remembers of what went wrong: nothing, stuck until it works again, poisoned for good.
#include <coffer/journal/log_state.hpp>

#include "catch.hpp"

#include <string>

using coffer::errc;
using coffer::error;
using trouble = coffer::detail::trouble<coffer::threading::multi>;

TEST_CASE("a healthy log answers nothing", "[log_state]") {
    trouble none;
    CHECK(none.healthy());
    CHECK_FALSE(none.poisoned());
    CHECK(none.check());
    none.unstick();
    CHECK(none.check());
}

TEST_CASE("stuck: the error of the hand-over, until one succeeds", "[log_state]") {
    trouble state;
    const error first(errc::no_space, "first", "/f", 28);
    const error second(errc::io_error, "second");
    state.stick(&first);
    CHECK_FALSE(state.healthy());
    CHECK_FALSE(state.poisoned());
    auto told = state.check();
    REQUIRE_FALSE(told);
    CHECK(told.error().kind() == errc::no_space);
    CHECK(told.error().path() == "/f");
    CHECK(told.error().os_code() == 28);
    state.stick(&second);
    CHECK(state.check().error().kind() == errc::io_error);  // what hinders now
    state.unstick();
    CHECK(state.healthy());
    CHECK(state.check());
}

TEST_CASE("poisoned: for good, with the first cause", "[log_state]") {
    trouble state;
    const error full(errc::no_space, "stuck");
    state.stick(&full);
    const error first(errc::io_error, "the first sync", "/f", 5);
    const error second(errc::io_error, "the second sync");
    state.poison(&first);
    state.poison(&second);
    state.stick(&full);  // too late
    state.unstick();
    CHECK(state.poisoned());
    CHECK_FALSE(state.healthy());
    for (int i = 0; i < 2; ++i) {
        auto told = state.check();
        REQUIRE_FALSE(told);
        CHECK(told.error().kind() == errc::poisoned);
        CHECK_THAT(told.error().what(), t::ContainsSubstring("the first sync"));
        CHECK(told.error().path() == "/f");
        CHECK(told.error().os_code() == 5);
    }
}

TEST_CASE("stuck: also without a cause", "[log_state]") {
    trouble state;
    state.stick(nullptr);
    auto told = state.check();
    REQUIRE_FALSE(told);
    CHECK(told.error().kind() == errc::io_error);
    CHECK_THAT(told.error().what(), t::ContainsSubstring("no memory"));
    state.unstick();
    CHECK(state.check());
}

TEST_CASE("poisoned: also without a cause", "[log_state]") {
    trouble state;
    state.poison(nullptr);
    const error second(errc::io_error, "the second sync");
    state.poison(&second);
    CHECK(state.poisoned());
    auto told = state.check();
    REQUIRE_FALSE(told);
    CHECK(told.error().kind() == errc::poisoned);
    CHECK_THAT(told.error().what(), t::ContainsSubstring("no memory"));
}

TEST_CASE("the defaults of a log are safe", "[log_state]") {
    const coffer::detail::log_options plain;
    CHECK(plain.verify_reads);
    CHECK(plain.min_free_bytes == 0);
    CHECK(plain.first_segment_bytes <= plain.segment_bytes);
    CHECK_FALSE(plain.read_only);
}
