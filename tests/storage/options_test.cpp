// Options: every default is safe; what cannot be meant is refused with a sentence.
#include <coffer/storage/options.hpp>

#include "catch.hpp"

#include <chrono>
#include <string>

namespace {

using coffer::errc;
using coffer::options;
using coffer::detail::check_options;
using namespace std::chrono_literals;

/// What check_options says of the defaults with one change.
template <class Change>
std::string told(Change change) {
    options given;
    change(given);
    auto checked = check_options(given, "/db");
    if (checked) return "";
    if (checked.error().kind() != errc::invalid_argument) return "another error";
    if (checked.error().path() != "/db") return "another path";
    return checked.error().what();
}

}  // namespace

TEST_CASE("the defaults may be used", "[options]") {
    CHECK(check_options(options(), "/db"));
    const options plain;
    CHECK(plain.buffer_bytes == 4 << 20);
    CHECK(plain.interval == 1s);
    CHECK(plain.max_bytes == 64 << 20);
    CHECK(plain.max_delay == 100ms);
    CHECK(plain.lock_timeout == 0ns);
    CHECK(plain.min_free_bytes == 0);
    CHECK(plain.verify_reads);
    CHECK(plain.auto_compact);
    CHECK(plain.log == nullptr);
    CHECK(coffer::careful_free_bytes == 100 << 20);
}

TEST_CASE("sizes have bounds, and the bounds may be used", "[options]") {
    constexpr std::uint64_t largest = std::uint64_t{4} << 30;
    for (const std::uint64_t size : {std::uint64_t{16} << 10, largest}) {
        CHECK(told([&](options& o) { o.segment_bytes = size; }).empty());
    }
    for (const std::uint64_t size :
         {std::uint64_t{0}, (std::uint64_t{16} << 10) - 1, largest + 1, UINT64_MAX}) {
        CHECK_THAT(told([&](options& o) { o.segment_bytes = size; }),
                   t::ContainsSubstring("options.segment_bytes"));
    }
    CHECK(told([](options& o) { o.max_batch_bytes = 1; }).empty());
    CHECK(told([](options& o) { o.max_batch_bytes = largest; }).empty());
    for (const std::uint64_t size : {std::uint64_t{0}, largest + 1, UINT64_MAX}) {
        CHECK_THAT(told([&](options& o) { o.max_batch_bytes = size; }),
                   t::ContainsSubstring("options.max_batch_bytes"));
    }
    CHECK_THAT(told([](options& o) { o.max_bytes = 0; }), t::ContainsSubstring("max_bytes"));
    CHECK_THAT(told([](options& o) { o.max_unsynced_bytes = 0; }),
               t::ContainsSubstring("max_unsynced_bytes"));
    CHECK(told([](options& o) { o.buffer_bytes = 0; }).empty());  // every write at once
    CHECK(told([](options& o) { o.min_free_bytes = UINT64_MAX; }).empty());
}

TEST_CASE("times are not negative", "[options]") {
    CHECK(told([](options& o) { o.interval = 1ns; }).empty());
    CHECK_FALSE(told([](options& o) { o.interval = 0ns; }).empty());
    CHECK_FALSE(told([](options& o) { o.interval = -1ns; }).empty());
    CHECK_FALSE(told([](options& o) { o.max_delay = 0ns; }).empty());
    CHECK_FALSE(told([](options& o) { o.lock_timeout = -1ns; }).empty());
    CHECK(told([](options& o) { o.lock_timeout = 24h; }).empty());
}

TEST_CASE("the log and the durability policy get what was chosen", "[options]") {
    options given;
    given.segment_bytes = 32 << 10;
    given.min_free_bytes = 5;
    given.verify_reads = false;
    given.map_reads = false;
    given.buffer_bytes = 1;
    given.interval = 2ns;
    given.max_bytes = 3;
    given.max_delay = 4ns;
    given.max_unsynced_bytes = 5;
    const auto log = coffer::detail::log_options_of(given, true);
    CHECK(log.segment_bytes == 32 << 10);
    CHECK(log.first_segment_bytes == 32 << 10);  // a first segment is not larger than any
    CHECK(log.min_free_bytes == 5);
    CHECK_FALSE(log.verify_reads);
    CHECK_FALSE(log.map_reads);
    CHECK(log.read_only);
    const auto pace = coffer::detail::pace_of(given);
    CHECK(pace.buffer_bytes == 1);
    CHECK(pace.interval == 2);
    CHECK(pace.max_bytes == 3);
    CHECK(pace.max_delay == 4);
    CHECK(pace.max_unsynced_bytes == 5);
    CHECK(coffer::detail::log_options_of(options(), false).first_segment_bytes == 1 << 20);
    CHECK_FALSE(coffer::detail::log_options_of(options(), false).read_only);
}
