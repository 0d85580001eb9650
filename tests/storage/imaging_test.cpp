// Images of the index: a closed store opens without its log being read; whatever does not fit is
// made from the log instead.
#include <coffer/storage/imaging.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/index/sorted.hpp>
#include <coffer/store.hpp>

#include "../journal/scene.hpp"
#include "catch.hpp"
#include "parts.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using coffer::errc;
using coffer::fs::simulated;
namespace fs = coffer::fs;
using S = coffer::store<std::string, std::string, coffer::durability::buffered,
                        coffer::threading::single, simulated>;
using in_order = coffer::store<std::string, std::string, coffer::durability::buffered,
                               coffer::index::sorted, coffer::threading::single, simulated>;
using model = std::map<std::string, std::string>;

const std::string image = "/db/INDEX";

coffer::options by_hand() {
    coffer::options out;
    out.segment_bytes = 64 * 1024;
    out.auto_compact = false;
    return out;
}

template <class Store>
model content(const Store& db) {
    model out;
    db.for_each([&](std::string_view key, std::string_view value) {
        out[std::string(key)] = std::string(value);
    });
    return out;
}

template <class Store>
model fill(Store& db) {
    model all;
    for (int i = 0; i < 1500; ++i) {
        const std::string key = "key" + std::to_string(i * 7 % 400);
        const std::string value(1000, static_cast<char>('a' + i % 26));
        db.put(key, value);
        all[key] = value;
        if (i % 9 != 0) continue;
        db.erase(key);
        all.erase(key);
    }
    return all;
}

/// A closed store of more than a megabyte, with an image.
struct closed_store {
    closed_store() {
        S db = S::open("/db", by_hand(), disk);
        all = fill(db);
        figures = db.stats();
        db.close();
    }
    simulated disk;
    model all;
    coffer::store_stats figures;
};

/// Opens the store and says how many bytes of segments were read for that.
std::uint64_t bytes_read_to_open(const simulated& disk, const model& wanted) {
    disk.set_traced(true);
    const S db = S::open("/db", by_hand(), disk);
    std::uint64_t sum = 0;
    for (const auto& step : disk.take_trace()) {
        if (step.is == fs::call::read && step.path.ends_with(".log")) sum += step.length;
    }
    disk.set_traced(false);
    CHECK(content(db) == wanted);
    CHECK(db.size() == wanted.size());
    return sum;
}

constexpr std::uint64_t little = 1000;

}  // namespace

TEMPLATE_TEST_CASE("a store of some size is imaged when it is closed, and comes back whole",
                   "[imaging]", S, in_order) {
    const simulated disk;
    model all;
    coffer::store_stats before;
    {
        TestType db = TestType::open("/db", by_hand(), disk);
        all = fill(db);
        before = db.stats();
        db.close();
    }
    REQUIRE(disk.is_durable(image));
    TestType db = TestType::open("/db", by_hand(), disk);
    CHECK(db.recovery().clean);
    CHECK(content(db) == all);
    const auto after = db.stats();
    CHECK(after.entries == before.entries);
    CHECK(after.dead_bytes == before.dead_bytes + 2 * coffer::detail::mark_size);  // that close() wrote
    CHECK(after.commits == before.commits);
    CHECK(after.segments == before.segments);
    db.put("new", "1");
    db.compact();
    all["new"] = "1";
    CHECK(content(db) == all);
    CHECK(db.verify().ok());
}

TEST_CASE("with an image the log is not read at all", "[imaging]") {
    closed_store it;
    CHECK(bytes_read_to_open(it.disk, it.all) < little);
    it.disk.remove_file(image);  // it may be deleted at any time
    CHECK(bytes_read_to_open(it.disk, it.all) > 1'000'000);
    CHECK_FALSE(it.disk.read_file(image).has_value());  // nothing was written
    {
        S db = S::open("/db", by_hand(), it.disk);
        db.put("more", "1");
        it.all["more"] = "1";
    }
    CHECK(it.disk.read_file(image).has_value());
    CHECK(bytes_read_to_open(it.disk, it.all) < little);
}

TEST_CASE("a small store has no image", "[imaging]") {
    const simulated disk;
    {
        S db = S::open("/db", by_hand(), disk);
        db.put("a", "1");
    }
    CHECK_FALSE(disk.read_file(image).has_value());
}

TEST_CASE("an image that is damaged anywhere is not used, and no error", "[imaging]") {
    closed_store it;
    const std::size_t size = it.disk.read_file(image)->size();
    for (std::size_t at = 0; at < size; at += 1 + size / 23) {
        const simulated copy = it.disk.process_killed();
        REQUIRE(copy.flip(image, at, std::byte{0x20}));
        CHECK(bytes_read_to_open(copy, it.all) > little);
    }
    for (const std::size_t cut : {std::size_t{0}, std::size_t{50}, size / 2, size - 1}) {
        const simulated copy = it.disk.process_killed();
        REQUIRE(copy.cut_file(image, cut));
        CHECK(bytes_read_to_open(copy, it.all) > little);
    }
}

TEST_CASE("an image older than the log: what came later is replayed onto it", "[imaging]") {
    closed_store it;
    const auto old = it.disk.read_file(image).value();
    {
        S db = S::open("/db", by_hand(), it.disk);
        db.put("later", "1");
        db.erase("key1");
        it.all["later"] = "1";
        it.all.erase("key1");
        db.close();
    }
    it.disk.write_file(image, old);
    const std::uint64_t read = bytes_read_to_open(it.disk, it.all);
    CHECK(read > 4096);
    CHECK(read < 500'000);
}

TEST_CASE("M1: when a segment of the image is gone or longer, it is made from the log",
          "[imaging]") {
    closed_store it;
    const auto old = it.disk.read_file(image).value();
    {
        S db = S::open("/db", by_hand(), it.disk);
        db.compact();  // most segments go
        db.close();
    }
    it.disk.write_file(image, old);
    CHECK(bytes_read_to_open(it.disk, it.all) > 100'000);
}

TEST_CASE("M1: an image names every segment up to its last one, or is not used", "[imaging]") {
    using namespace coffer::detail;  // NOLINT: a test of one header
    parts::world<false> of;
    of.put("a", "1").value();
    of.all.journal.close_segment().value();
    of.put("b", "2").value();
    of.all.journal.finish().value();
    REQUIRE(save_image(of.all, coffer::index::hash::id));
    image_loader<parts::world<false>::state> loader;
    auto folder = scene::folder(of.disk);
    REQUIRE(loader.open(*folder, scene::id, coffer::index::hash::id));
    std::vector<found_segment> live;
    for (const auto& each : of.all.journal.segments())
        live.push_back({each->id, each->begin, each->end, false, each->end});
    REQUIRE(live.size() == 2);
    CHECK(loader.fits(live));
    std::vector<found_segment> later = live;
    later.push_back({3, scene::unit, scene::unit, false, scene::unit});
    CHECK(loader.fits(later));
    std::vector<found_segment> between = live;
    between[1].id = 3;
    CHECK_FALSE(loader.fits(between));
    between.insert(between.begin() + 1, live[1]);
    CHECK(loader.fits(between));
    std::vector<found_segment> before = live;
    before[0].id = 0;
    CHECK_FALSE(loader.fits(before));
    before.insert(before.begin() + 1, live[0]);
    CHECK_FALSE(loader.fits(before));
    CHECK_FALSE(loader.fits({live[0]}));
}

TEST_CASE("an image of a log that was not closed is not used as if it were", "[imaging]") {
    closed_store it;
    simulated killed;
    {
        S db = S::open("/db", by_hand(), it.disk);
        db.put("later", "1");
        db.flush();
        killed = it.disk.process_killed();
    }
    it.all["later"] = "1";
    const S db = S::open("/db", by_hand(), killed);
    CHECK_FALSE(db.recovery().clean);
    CHECK(content(db) == it.all);
}

TEST_CASE("M2: with an image, too, no damaged record is shown", "[imaging]") {
    closed_store it;
    for (std::uint64_t id = 2; id < 22; ++id) {
        const std::string segment = "/db/" + coffer::detail::segment_name(id);
        for (std::uint64_t at = 4096; at < 60'000; at += 500)
            REQUIRE(it.disk.flip(segment, at, std::byte{1}));
    }
    const S db = S::open("/db", by_hand(), it.disk);
    std::uint64_t damaged = 0;
    for (const auto& [key, value] : it.all) {
        auto found = db.try_get(key);
        if (!found) {
            CHECK(found.error().kind() == errc::corruption);
            ++damaged;
        } else if (*found != value) {
            FAIL("a wrong value of " << key);
        }
    }
    CHECK_FALSE(db.verify().ok());
    CHECK(damaged > 0);
}

TEST_CASE("an image whose index is damaged says nothing of the segments either", "[imaging]") {
    namespace d = coffer::detail;
    const closed_store of;
    std::vector<std::byte> file = *of.disk.read_file(image);
    const d::store_id id = d::read_identity(*of.disk.read_file("/db/STORE"), "").value().id;
    d::image_header header;
    REQUIRE(d::read_image_header(file, id, coffer::index::hash::id, header));
    header.segments[1].begin += 4;  // not so
    std::ranges::copy(d::write_image_header(header), file.begin());
    const auto piece = d::load_le<std::uint64_t>(file.data() + header.table + 8);
    file[static_cast<std::size_t>(piece)] ^= std::byte{1};
    REQUIRE(of.disk.write_file(image, file));
    const S db = S::open("/db", by_hand(), of.disk);
    CHECK(content(db) == of.all);
    CHECK(db.verify().ok());
}

TEST_CASE("an error while the image is written is told, and the store is whole", "[imaging]") {
    const simulated disk;
    struct teller {
        int errors = 0;
        static void tell(void* self, coffer::log_level level, std::string_view) {
            static_cast<teller*>(self)->errors += level == coffer::log_level::error;
        }
    } told;
    coffer::options options = by_hand();
    options.log = &teller::tell;
    options.log_context = &told;
    S db = S::open("/db", options, disk);
    const model all = fill(db);
    db.sync();
    disk.set_step_hook([&](const fs::step& next) {
        if (next.path == image + ".new" && next.is == fs::call::write) disk.set_capacity(1);
    });
    CHECK(db.try_close());
    disk.clear_step_hook();
    disk.set_capacity(UINT64_MAX);
    CHECK(told.errors == 1);
    CHECK_FALSE(disk.read_file(image).has_value());
    CHECK_FALSE(disk.read_file(image + ".new").has_value());
    CHECK(content(S::open("/db", options, disk)) == all);
}

TEST_CASE("with an image, too, every file of the folder counts", "[imaging]") {
    closed_store it;
    {
        S db = S::open("/db", by_hand(), it.disk);
        db.compact();  // so that numbers are missing
        REQUIRE(fill(db) == it.all);
        db.close();
    }
    std::vector<std::string> segments;
    for (const std::string& path : it.disk.files()) {
        if (path.ends_with(".log")) segments.push_back(path);
    }
    std::sort(segments.begin(), segments.end());
    REQUIRE(segments.size() > 2);
    const std::string unknown = "/db/" + coffer::detail::segment_name(1);
    REQUIRE(segments.front() != unknown);
    CHECK(bytes_read_to_open(it.disk.process_killed(), it.all) < little);

    // What is no part of the log goes.
    for (const std::string& path :
         {std::string("/db/INDEX.new"), unknown, "/db/" + coffer::detail::segment_name(0xF00)}) {
        INFO(path);
        const simulated copy = it.disk.process_killed();
        REQUIRE(copy.write_file(path, std::vector<std::byte>(8192)));
        CHECK(bytes_read_to_open(copy, it.all) > little);
        CHECK_FALSE(copy.read_file(path).has_value());
    }
    // What is missing, or not as long as it was, is damage.
    const auto refused = [&](auto&& damage) {
        const simulated copy = it.disk.process_killed();
        damage(copy);
        auto db = S::try_open("/db", by_hand(), copy);
        return !db && db.error().kind() == errc::corruption;
    };
    const std::string& first = segments.front();
    const std::uint64_t size = it.disk.read_file(first)->size();
    CHECK(refused([&](const simulated& on) { on.remove_file(first); }));
    CHECK(refused([&](const simulated& on) { on.cut_file(first, size + 4); }));
    CHECK(refused([&](const simulated& on) { on.cut_file(first, size - 4); }));
    // Of the last one only the mark of the end is hit: nothing that was written.
    const std::string& last = segments.back();
    const std::uint64_t end = it.disk.read_file(last)->size();
    for (const std::uint64_t back : {1U, 10U, 20U}) {
        const simulated copy = it.disk.process_killed();
        REQUIRE(copy.flip(last, end - back, std::byte{1}));
        const S db = S::open("/db", by_hand(), copy);
        CHECK_FALSE(db.recovery().clean);
        CHECK(content(db) == it.all);
    }
}
