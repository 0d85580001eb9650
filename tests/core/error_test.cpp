// Errors: told apart by code, and a sentence that says what, where and why.
#include <coffer/core/error.hpp>

#include "catch.hpp"

#include <cerrno>
#include <set>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

using coffer::errc;
using coffer::error;

namespace {

constexpr errc all_codes[] = {errc::not_found, errc::incompatible, errc::corruption,
                              errc::io_error,  errc::no_space,     errc::permission_denied,
                              errc::locked,    errc::poisoned,     errc::read_only,
                              errc::closed,    errc::too_large,    errc::invalid_argument,
                              errc::forked};

/// The category of a shared object with a copy of the library of its own.
class other_copy final : public std::error_category {
public:
    const char* name() const noexcept override { return "coffer"; }
    std::string message(int) const override { return "other copy"; }
};

}  // namespace

TEST_CASE("every code has a number of its own, never 0, and words of its own", "[error]") {
    std::set<int> numbers;
    std::set<std::string> words;
    for (const errc each : all_codes) {
        const std::error_code code = each;
        CHECK(code);
        CHECK(&code.category() == &coffer::error_category());
        CHECK(code == make_error_code(each));
        numbers.insert(code.value());
        words.insert(code.message());
    }
    CHECK(numbers.size() == std::size(all_codes));
    CHECK(words.size() == std::size(all_codes));
    CHECK(words.count("unknown error") == 0);
    CHECK(coffer::error_category().message(0) == "unknown error");
    CHECK(coffer::error_category().message(9999) == "unknown error");
    CHECK(std::string(coffer::error_category().name()) == "coffer");
}

TEST_CASE("a code of another copy of the library is understood as a condition", "[error]") {
    static const other_copy other;
    const std::error_code theirs(static_cast<int>(errc::locked), other);
    CHECK(theirs == make_error_condition(errc::locked));
    CHECK(theirs != make_error_condition(errc::closed));
    CHECK(std::make_error_code(std::errc::io_error) != make_error_condition(errc::io_error));
}

TEST_CASE("what an error says", "[error]") {
    CHECK(std::string(error(errc::closed, "open it again").what()) ==
          "coffer: closed: open it again");
    CHECK(std::string(error(errc::corruption, "bad", "/a/b").what()) ==
          "coffer: corruption: bad [/a/b]");
    CHECK(std::string(error(errc::corruption, "bad", "/a/b", 0, 4096).what()) ==
          "coffer: corruption: bad [/a/b, offset 4096]");
    CHECK(std::string(error(errc::corruption, "bad", "", 0, 0).what()) ==
          "coffer: corruption: bad [offset 0]");
    const error full(errc::no_space, "full", "/a", ENOSPC);
    CHECK(std::string(full.what()) ==
          "coffer: no space: full [/a] (" + std::system_category().message(ENOSPC) + ")");
    CHECK(full.kind() == errc::no_space);
    CHECK(full.code() == errc::no_space);
    CHECK(full.path() == "/a");
    CHECK(full.os_code() == ENOSPC);
    CHECK_FALSE(full.offset().has_value());
    CHECK(error(errc::corruption, "bad", "", 0, 7).offset() == 7U);
    const error cut(errc::invalid_argument, "bad", std::string_view("a\0b", 3));
    CHECK(std::string(cut.what()) == "coffer: invalid argument: bad [a?b]");
    CHECK(cut.path().size() == 3);
}

TEST_CASE("an error is a system_error whose copy cannot throw", "[error]") {
    static_assert(std::is_base_of_v<std::system_error, error>);
    static_assert(std::is_nothrow_copy_constructible_v<error>);
    static_assert(std::is_error_code_enum_v<errc>);
    const error first(errc::io_error, "read", "/f", EIO, 12);
    const error second = first;
    CHECK(second.what() == first.what());  // one text, shared
    CHECK(second.offset() == 12U);
}

TEST_CASE("a failure carries its error to whoever asked", "[error]") {
    coffer::failure made = coffer::fail(errc::too_large, "a key", "/k", 0, 3);
    CHECK(made.cause().kind() == errc::too_large);
    CHECK(made.cause().path() == "/k");
    CHECK(made.cause().offset() == 3U);
    const auto owned = std::move(made).release();
    REQUIRE(owned);
    CHECK(std::string(owned->what()) == "coffer: too large: a key [/k, offset 3]");
}
