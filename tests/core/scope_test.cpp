// on_exit: runs once on every way out of a block, unless dismissed.
#include <coffer/core/scope.hpp>

#include "catch.hpp"

#include <memory>
#include <type_traits>
#include <vector>

namespace detail = coffer::detail;  // glibc has an on_exit of its own

TEST_CASE("the action runs at the end of the block, once, last first", "[scope]") {
    std::vector<int> ran;
    {
        const detail::on_exit first([&] { ran.push_back(1); });
        const detail::on_exit second([&] { ran.push_back(2); });
        CHECK(ran.empty());
    }
    CHECK(ran == std::vector<int>{2, 1});
}

TEST_CASE("it runs on an early return and on an exception", "[scope]") {
    int ran = 0;
    const auto leave = [&](bool early) {
        const detail::on_exit count([&] { ++ran; });
        if (early) return 1;
        return 2;
    };
    CHECK(leave(true) + leave(false) == 3);
    CHECK(ran == 2);
#if defined(__cpp_exceptions)
    const auto thrown = [&] {
        const detail::on_exit count([&] { ++ran; });
        throw 1;
    };
    CHECK_THROWS_AS(thrown(), int);
    CHECK(ran == 3);
#endif
}

TEST_CASE("a dismissed action does not run, and what it holds still goes", "[scope]") {
    const auto shared = std::make_shared<int>(0);
    {
        detail::on_exit count([shared] { ++*shared; });
        CHECK(shared.use_count() == 2);
        count.dismiss();
    }
    CHECK(*shared == 0);
    CHECK(shared.use_count() == 1);
    static_assert(!std::is_copy_constructible_v<detail::on_exit<void (*)()>>);
    static_assert(!std::is_move_constructible_v<detail::on_exit<void (*)()>>);
}
