// Results: a value or an error, whatever the value can or cannot do, and nothing leaked or doubled.
#include <coffer/config/platform.hpp>
#include <coffer/core/result.hpp>

#include "catch.hpp"

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using coffer::errc;
using coffer::fail;
using coffer::result;

namespace {

/// Counts how many of it live; cannot be copied, default-constructed or assigned.
struct counted {
    explicit counted(int n) : number(n) { ++alive; }
    counted(counted&& other) noexcept : number(std::exchange(other.number, -1)) { ++alive; }
    counted& operator=(counted&&) = delete;
    ~counted() { --alive; }
    int number;
    static inline int alive = 0;
};

result<counted> make(int number) {
    if (number < 0) return fail(errc::invalid_argument, "negative");
    return counted(number);
}

}  // namespace

TEST_CASE("a result has a value or an error", "[result]") {
    {
        auto good = make(7);
        CHECK(good);
        CHECK(good.has_value());
        CHECK(good.value().number == 7);
        CHECK((*good).number == 7);
        CHECK(good->number == 7);
        CHECK(counted::alive == 1);

        auto bad = make(-1);
        CHECK_FALSE(bad);
        CHECK_FALSE(bad.has_value());
        CHECK(bad.error().kind() == errc::invalid_argument);
        CHECK(counted::alive == 1);
    }
    CHECK(counted::alive == 0);
}

TEST_CASE("moving and assigning results, of every two kinds", "[result]") {
    {
        auto good = make(1);
        auto moved = std::move(good);
        CHECK(moved->number == 1);
        moved = make(2);  // value over value
        CHECK(moved->number == 2);
        moved = make(-1);  // error over value
        CHECK(moved.error().kind() == errc::invalid_argument);
        moved = make(-2);  // error over error
        CHECK_FALSE(moved);
        moved = make(3);  // value over error
        CHECK(moved->number == 3);
        auto& same = moved;
        moved = std::move(same);
        CHECK(moved->number == 3);
        CHECK(counted::alive == 2);  // `good` holds what it was moved from
    }
    CHECK(counted::alive == 0);
}

TEST_CASE("the error goes on, and the result that gave it has no value either", "[result]") {
    auto bad = make(-1);
    result<std::string> onward = bad.failure();
    CHECK_FALSE(onward);
    CHECK(onward.error().kind() == errc::invalid_argument);
    CHECK_FALSE(bad);
    result<void> further = onward.failure();
    CHECK_FALSE(further);
    CHECK(further.error().kind() == errc::invalid_argument);
    CHECK_FALSE(onward);
}

TEST_CASE("a result<void> that has failed says so when its error is elsewhere", "[result]") {
    result<void> done = coffer::fail(coffer::errc::io_error, "no");
    const result<void> moved = std::move(done);
    CHECK_FALSE(moved);
    CHECK_FALSE(done);
    result<void> handed_on = coffer::fail(coffer::errc::io_error, "no");
    const result<int> other = handed_on.failure();
    CHECK_FALSE(other);
    CHECK_FALSE(handed_on.has_value());
    handed_on = {};
    CHECK(handed_on);
}

TEST_CASE("result<void>", "[result]") {
    result<void> good;
    CHECK(good);
    good.value();
    result<void> bad = fail(errc::io_error, "no");
    CHECK_FALSE(bad);
    CHECK_FALSE(bad.has_value());
    good = std::move(bad);
    CHECK(good.error().kind() == errc::io_error);
    good = result<void>();
    CHECK(good);
}

TEST_CASE("values that convert, and values that are results or bools", "[result]") {
    const result<std::string> text = "literal";
    CHECK(text.value() == "literal");
    const result<std::unique_ptr<int>> owner = std::make_unique<int>(4);
    CHECK(*owner.value() == 4);
    const result<bool> no = false;
    CHECK(no);  // there is a value
    CHECK_FALSE(*no);
    result<std::vector<int>> list = std::vector<int>{1, 2};
    CHECK(std::move(list).value() == std::vector<int>{1, 2});
    CHECK(make(5).value().number == 5);
    CHECK(result<int>(3).value_or(9) == 3);
    CHECK(result<int>(fail(errc::closed, "c")).value_or(9) == 9);
}

TEST_CASE("a success allocates nothing; results move without throwing", "[result]") {
    static_assert(std::is_nothrow_move_constructible_v<result<std::string>>);
    static_assert(!std::is_copy_constructible_v<result<int>>);
    static_assert(sizeof(result<void>) <= 2 * sizeof(void*));
    static_assert(std::is_nothrow_default_constructible_v<result<void>>);
}

#if COFFER_HAS_EXCEPTIONS
namespace {

struct stubborn {
    stubborn() { ++alive; }
    stubborn(stubborn&&) {
        if (refuses) throw 1;
        ++alive;
    }
    ~stubborn() { --alive; }
    static inline int alive = 0;
    static inline bool refuses = false;
};

}  // namespace

TEST_CASE("a value whose move throws is destroyed once, and what was to hold it is empty",
          "[result]") {
    for (const bool over_error : {false, true}) {
        {
            auto to = over_error ? result<stubborn>(fail(errc::closed, "c"))
                                 : result<stubborn>(stubborn());
            result<stubborn> from = stubborn();
            stubborn::refuses = true;
            CHECK_THROWS_AS(to = std::move(from), int);
            stubborn::refuses = false;
            CHECK_FALSE(to.has_value());
            CHECK(stubborn::alive == 1);  // in `from`
            to = std::move(from);
            CHECK(to.has_value());
            CHECK(stubborn::alive == 2);
        }
        CHECK(stubborn::alive == 0);
    }
}

TEST_CASE("value() throws the error that stands in its place", "[result]") {
    const auto kind_of = [](auto&& call) {
        try {
            call();
        } catch (const coffer::error& cause) {
            return cause.kind();
        }
        return errc{};
    };
    CHECK(kind_of([] { static_cast<void>(make(-1).value()); }) == errc::invalid_argument);
    CHECK(kind_of([] { result<void>(fail(errc::closed, "c")).value(); }) == errc::closed);
    CHECK_THROWS_AS(make(-1).value(), std::system_error);
    const auto kept = make(-1);
    CHECK_THROWS_AS(kept.value(), coffer::error);
    CHECK(kept.error().kind() == errc::invalid_argument);  // still there
}
#endif
