// How large the next segment is: young stores have small ones, a commit always fits, a full disk
// is met halfway and then named.
#include <coffer/journal/room.hpp>

#include "catch.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::errc;
using coffer::fail;
using coffer::result;

constexpr std::uint64_t MiB = 1 << 20;

/// Gives bodies up to a size, and notes what it was asked for.
struct tight_medium {
    static constexpr bool persistent = true;
    struct body {};
    std::uint64_t most = UINT64_MAX;
    errc refusal = errc::no_space;
    std::vector<std::uint64_t> asked;

    template <class Directory>
    result<body> prepare(Directory*, std::string_view, std::uint64_t size) {
        asked.push_back(size);
        if (size > most) return fail(refusal, "refused");
        return body{};
    }
};

struct fake_folder {
    std::uint64_t free = UINT64_MAX;
    result<std::uint64_t> free_bytes() const { return free; }
    std::string_view path() const { return "/db"; }
};

}  // namespace

TEST_CASE("segments grow with the store, up to segment_bytes", "[room]") {
    log_options options;
    const auto usual = [&](std::uint64_t live) { return room_for(0, live, 3, options)->usual; };
    CHECK(usual(0) == 1 * MiB);
    CHECK(usual(MiB / 2) == 1 * MiB);
    CHECK(usual(80 * MiB) == 5 * MiB);
    CHECK(usual(1024 * MiB) == 64 * MiB);
    CHECK(usual(2000 * MiB) == 64 * MiB);
    CHECK(usual(80 * MiB + 17) % header_unit == 0);
}

TEST_CASE("a commit fits the segment that is made for it, and may be larger than any", "[room]") {
    log_options options;
    options.segment_bytes = options.first_segment_bytes = 16 * 1024;
    for (const std::uint64_t size : std::vector<std::uint64_t>{0, 1000, 16384, 10 * MiB}) {
        for (const std::size_t runs : std::vector<std::size_t>{0, 1, 1000}) {
            const room made = room_for(size, 0, runs, options).value();
            CHECK(made.least % header_unit == 0);
            CHECK(made.usual >= made.least);
            CHECK(made.least >= header_size(runs + 1) + size + tail_room);
        }
    }
    auto much = room_for(largest_segment / 2 + 2 * coffer::max_key_size + 1, 0, 0, options);
    REQUIRE_FALSE(much);
    CHECK(much.error().kind() == errc::too_large);
    CHECK(room_for(largest_segment / 2, 0, 0, options));
}

TEST_CASE("where the disk has less room than usual, half is asked for, down to the least",
          "[room]") {
    tight_medium medium;
    fake_folder folder;
    const log_options options;
    const room wanted{8 * 1024, 64 * 1024};

    medium.most = 20 * 1024;
    auto made = make_body(medium, &folder, options, "name", wanted, false);
    REQUIRE(made);
    CHECK(made->capacity == 16 * 1024);
    CHECK(medium.asked == std::vector<std::uint64_t>{65536, 32768, 16384});

    medium = {};
    medium.most = 8 * 1024;
    CHECK(make_body(medium, &folder, options, "name", wanted, false)->capacity == 8 * 1024);

    medium = {};
    medium.most = 8 * 1024 - 1;
    auto refused = make_body(medium, &folder, options, "name", wanted, false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::no_space);
    CHECK(medium.asked.back() == 8 * 1024);

    medium = {};
    medium.most = 0;
    medium.refusal = errc::io_error;  // not a matter of size
    CHECK(make_body(medium, &folder, options, "name", wanted, false).error().kind() ==
          errc::io_error);
    CHECK(medium.asked.size() == 1);
}

TEST_CASE("min_free_bytes refuses early", "[room]") {
    tight_medium medium;
    fake_folder folder;
    log_options options;
    options.min_free_bytes = MiB;
    const room wanted{8 * 1024, 64 * 1024};
    folder.free = MiB + 8 * 1024 - 1;
    auto refused = make_body(medium, &folder, options, "name", wanted, false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::no_space);
    CHECK(medium.asked.empty());
    CHECK(make_body(medium, &folder, options, "name", wanted, true));  // it will free more
    folder.free = MiB + 8 * 1024;
    CHECK(make_body(medium, &folder, options, "name", wanted, false));
    for (const std::uint64_t more : {UINT64_MAX, UINT64_MAX - 8 * 1024, UINT64_MAX / 2}) {
        options.min_free_bytes = more;
        CHECK_FALSE(make_body(medium, &folder, options, "name", wanted, false));
    }
}

TEST_CASE("a segment leaves min_free_bytes of the disk free", "[room]") {
    log_options options;
    options.min_free_bytes = 100 * MiB;
    const room wanted{8192, 64 * MiB};
    const auto capacity = [&](std::uint64_t free, bool frees_space) {
        tight_medium medium;
        const fake_folder folder{free};
        return make_body(medium, &folder, options, "name", wanted, frees_space).value().capacity;
    };
    CHECK(capacity(1000 * MiB, false) == 64 * MiB);
    CHECK(capacity(164 * MiB, false) == 64 * MiB);
    CHECK(capacity(110 * MiB + 17, false) == 10 * MiB);
    CHECK(capacity(100 * MiB + 8192, false) == 8192);
    CHECK(capacity(110 * MiB, true) == 64 * MiB);
    for (const std::uint64_t free : {100 * MiB + 8191, std::uint64_t{8191}}) {
        tight_medium medium;
        const fake_folder folder{free};
        auto refused = make_body(medium, &folder, options, "name", wanted, false);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind() == errc::no_space);
        CHECK(medium.asked.empty());
    }
}
