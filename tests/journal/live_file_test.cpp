// The file LIVE: memory of an index that outlives the process, and what may be believed of it.
#include <coffer/journal/live_file.hpp>

#include "catch.hpp"
#include "scene.hpp"

#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::bytes;
using coffer::errc;
using coffer::policy_id;
using coffer::result;
using live = live_file<scene::disk, coffer::threading::multi>;

constexpr policy_id hash{"hash", 1};
constexpr std::size_t size = std::size_t{128} << 10;  // more than the head has room for
const std::string path = "/db/LIVE";

/// A segment as the log shows it to its keeper.
struct shown {
    std::uint32_t slot;
    std::uint64_t id;
    std::uint64_t begin;
    std::uint64_t end;
    bool torn = false;
    bool has_clear = false;
    bool full = true;
};

/// A store's LIVE with an index of one piece and the state of one segment.
struct begun {
    explicit begun(const scene::disk& on) : disk(on), folder(scene::folder(on)) {
        file.create(*folder, scene::id, hash, 0);
        memory = std::make_unique<live::memory>(file.fresh_memory(generation));
        file.use(generation);
        piece = memory->allocate(1, 0, size).value();
        std::memset(piece, 'i', size);
        static_cast<void>(file.fresh_state(0, 5));
        file.keep(shown{0, 5, 4096, 9000});
        file.count(3);
        file.told(position(5, 9000), 8000, 2);
    }
    void arm() { file.arm(boot(), position(5, 9000)); }
    [[nodiscard]] std::uint64_t boot() const { return disk.boot_id(); }
    [[nodiscard]] result<void> seal() {
        return file.seal([&](auto&& sink) { return sink(1U, 0U, bytes(piece, size)); });
    }

    scene::disk disk;
    std::unique_ptr<scene::disk::directory> folder;
    live file;
    std::uint64_t generation = 0;
    std::unique_ptr<live::memory> memory;
    std::byte* piece = nullptr;
};

/// Is the index found on `disk`, whole?
bool found(const scene::disk& disk, bool writes = true, policy_id index = hash) {
    auto folder = scene::folder(disk);
    live file;
    if (!file.open(*folder, scene::id, index, disk.boot_id(), writes, 0)) return false;
    std::uint64_t generation = 0;
    auto memory = file.found_memory(generation);
    auto piece = memory.allocate(1, 0, size);
    if (!piece) {
        CHECK(piece.error().kind() == errc::corruption);
        return false;
    }
    CHECK(std::vector<std::byte>(*piece, *piece + size) ==
          std::vector<std::byte>(size, std::byte{'i'}));
    CHECK(file.progress().applied == position(5, 9000).word());
    CHECK(file.progress().entries == 3);
    CHECK(file.progress().commits == 2);
    REQUIRE(file.slot_count() > 0);
    CHECK(file.state(0)->id == 5);
    CHECK(file.state(0)->end == 9000);
    return true;
}

}  // namespace

TEST_CASE("what a killed process has stored is found on the same boot", "[live]") {
    begun it{scene::disk()};
    CHECK_FALSE(found(it.disk.process_killed()));  // it was not said to be of use
    it.arm();
    CHECK(found(it.disk.process_killed()));
    CHECK_FALSE(found(it.disk.process_killed(), false));  // a reader believes checks only
    CHECK_FALSE(found(it.disk.process_killed(), true, {"sorted", 1}));
    CHECK_FALSE(found(it.disk.power_lost()));
    it.file.disarm();
    CHECK_FALSE(found(it.disk.process_killed()));
}

TEST_CASE("while a change is under way nothing is believed", "[live]") {
    begun it{scene::disk()};
    it.arm();
    {
        const auto change = it.file.change();
        it.file.begin_change();
        CHECK_FALSE(found(it.disk.process_killed()));
        it.file.end_change();
        CHECK_FALSE(found(it.disk.process_killed()));
    }
    CHECK(found(it.disk.process_killed()));
}

TEST_CASE("a sealed file is believed on another boot, and by readers", "[live]") {
    begun it{scene::disk()};
    it.arm();
    it.disk.set_capacity(UINT64_MAX);
    REQUIRE(it.seal());
    CHECK(found(it.disk.process_killed()));
    CHECK(found(it.disk.process_killed(), false));
    CHECK(found(it.disk.power_lost()));
    CHECK(found(it.disk.power_lost(), false));
}

TEST_CASE("on another boot a bit that is not what it was makes it useless", "[live]") {
    begun it{scene::disk()};
    it.arm();
    REQUIRE(it.seal());
    const scene::disk left = it.disk.power_lost();
    const std::size_t length = left.read_file(path)->size();
    for (std::size_t at = 0; at < length; at += at < 400 ? 1 : 173) {
        const scene::disk copy = left.process_killed();
        REQUIRE(copy.flip(path, at, std::byte{1}));
        static_cast<void>(found(copy));  // where it is found all the same, it is whole
    }
    const scene::disk copy = left.process_killed();
    REQUIRE(copy.cut_file(path, live_head_size - 1));
    CHECK_FALSE(found(copy));
}

TEST_CASE("what is found can grow, and be sealed again", "[live]") {
    begun it{scene::disk()};
    it.arm();
    REQUIRE(it.seal());
    const scene::disk disk = it.disk.power_lost();
    auto folder = scene::folder(disk);
    live file;
    REQUIRE(file.open(*folder, scene::id, hash, disk.boot_id(), true, 0));
    std::uint64_t generation = 0;
    auto memory = file.found_memory(generation);
    CHECK_FALSE(memory.allocate(1, 1, size));  // it never was
    std::byte* const piece = memory.allocate(1, 0, size).value();
    file.found();
    REQUIRE(memory.allocate(1, 1, size));
    file.arm(disk.boot_id(), position(5, 9000));
    CHECK(found(disk.process_killed()));
    CHECK_FALSE(found(disk.process_killed(), false));  // sealed no more
    REQUIRE(file.seal([&](auto&& sink) { return sink(1U, 0U, bytes(piece, size)); }));
    CHECK(found(disk.power_lost()));
}

TEST_CASE("a piece of which nothing is known is found as zeros", "[live]") {
    begun it{scene::disk()};
    it.arm();
    std::memset(it.memory->allocate(1, 1, size).value(), 'x', size);
    std::memset(it.memory->allocate(1, 2, 64).value(), 'x', 64);
    const auto left = it.disk.process_killed();
    auto folder = scene::folder(left);
    live file;
    REQUIRE(file.open(*folder, scene::id, hash, left.boot_id(), true, 0));
    std::uint64_t generation = 0;
    auto memory = file.found_memory(generation);
    REQUIRE(memory.allocate(1, 0, size));
    file.found();
    const std::byte* const more = memory.allocate(1, 1, size).value();
    CHECK(std::vector<std::byte>(more, more + size) == std::vector<std::byte>(size));
    const std::byte* const little = memory.allocate(1, 2, 64).value();
    CHECK(std::vector<std::byte>(little, little + 64) == std::vector<std::byte>(64));
}

TEST_CASE("a copy of the file is another file: only checks count", "[live]") {
    begun it{scene::disk()};
    it.arm();
    const auto copied = [&] {
        const auto left = it.disk.process_killed();
        auto folder = scene::folder(left);
        folder->create("LIVE.copy").value().write_at(0, *left.read_file(path)).value();
        folder->rename("LIVE.copy", "LIVE").value();
        return left;
    };
    CHECK_FALSE(found(copied()));
    REQUIRE(it.seal());
    CHECK(found(copied()));
}

TEST_CASE("after the end the file is left alone", "[live]") {
    begun it{scene::disk()};
    it.arm();
    std::uint64_t second = 0;
    auto fresh = std::make_unique<live::memory>(it.file.fresh_memory(second));
    REQUIRE(fresh->allocate(1, 0, size));
    REQUIRE(it.seal());
    it.file.end();
    fresh.reset();
    CHECK(found(it.disk.power_lost()));
}

TEST_CASE("an index that takes the place of another has pieces of its own; theirs serve again",
          "[live]") {
    begun it{scene::disk()};
    it.arm();
    std::uint64_t second = 0;
    auto fresh = std::make_unique<live::memory>(it.file.fresh_memory(second));
    std::byte* const other = fresh->allocate(1, 0, size).value();
    CHECK(other != it.piece);
    it.file.use(second);
    const std::size_t before = it.disk.read_file(path)->size();
    it.memory.reset();
    std::uint64_t third = 0;
    auto last = it.file.fresh_memory(third);
    const std::byte* const again = last.allocate(1, 0, size).value();
    CHECK(again == it.piece);
    CHECK(std::vector<std::byte>(again, again + size) == std::vector<std::byte>(size));
    CHECK(it.disk.read_file(path)->size() == before);
}

TEST_CASE("I2: a piece that serves again has blocks, which it may have lost in a copy", "[live]") {
    begun it{scene::disk()};
    std::uint64_t second = 0;
    auto fresh = it.file.fresh_memory(second);
    const std::byte* const other = fresh.allocate(1, 0, size).value();
    it.file.use(second);
    it.memory.reset();
    it.disk.fail_call(1, {errc::no_space, 28}, coffer::fs::call::reserve);
    std::uint64_t third = 0;
    auto last = it.file.fresh_memory(third);
    const std::byte* const made = last.allocate(1, 0, size).value();
    CHECK(it.disk.faults() == 1);
    CHECK(made != it.piece);
    CHECK(made != other);
    CHECK(std::vector<std::byte>(made, made + size) == std::vector<std::byte>(size));
    const std::byte* const again = last.allocate(2, 0, size).value();
    CHECK(again == it.piece);
}

TEST_CASE("I2: what finds no room in the file is in the memory of the process", "[live]") {
    begun it{scene::disk()};
    it.arm();
    it.disk.set_capacity(1);
    auto more = it.memory->allocate(1, 1, std::size_t{1} << 20);
    REQUIRE(more);
    CHECK(**more == std::byte{0});
    CHECK_FALSE(found(it.disk.process_killed()));
    std::uint64_t generation = 0;
    CHECK(it.file.fresh_memory(generation).allocate(0, 0, 4096).has_value());
    CHECK(it.file.state(4000) == nullptr);
    CHECK(it.seal());  // there is nothing to seal
    CHECK_FALSE(found(it.disk.process_killed()));
}

TEST_CASE("I2: a disk without room for it has none", "[live]") {
    const scene::disk disk;
    auto folder = scene::folder(disk);
    disk.set_capacity(1);
    live file;
    file.create(*folder, scene::id, hash, 0);
    std::uint64_t generation = 0;
    CHECK(file.fresh_memory(generation).allocate(0, 0, 4096).has_value());
    file.arm(disk.boot_id(), position(1, 4096));
    file.told(position(1, 4096), 0, 0);
    CHECK(file.state(0) == nullptr);
    CHECK(file.seal([](auto&&) { return result<void>(); }));
}

TEST_CASE("I2: nothing is taken of what is to be left free", "[live]") {
    for (const std::uint64_t capacity : {std::uint64_t{1000}, std::uint64_t{1} << 20}) {
        const scene::disk disk;
        disk.set_capacity(capacity);
        auto folder = scene::folder(disk);
        live file;
        file.create(*folder, scene::id, hash, std::uint64_t{1} << 30);
        file.arm(disk.boot_id(), position(1, 4096));
        std::uint64_t generation = 0;
        auto memory = file.fresh_memory(generation);
        CHECK(memory.allocate(1, 0, size));
        CHECK_FALSE(found(disk.process_killed()));
    }
}

TEST_CASE("I2: more pieces than the file has a table for are in the memory of the process",
          "[live]") {
    begun it{scene::disk()};
    it.arm();
    std::set<std::byte*> places;
    const unsigned many = static_cast<unsigned>(coffer::detail::most_live_pieces) + 3;
    for (unsigned number = 1; number <= many; ++number) {
        std::byte* const at = it.memory->allocate(2, number, 64).value();
        REQUIRE(places.insert(at).second);
        std::memset(at, 'p', 64);
    }
    CHECK_FALSE(found(it.disk.process_killed()));  // it does not hold all of its index
}

TEST_CASE("a system that names no boot: only checks count", "[live]") {
    begun it{scene::disk()};
    it.file.arm(0, position(5, 9000));
    CHECK_FALSE(found(it.disk.process_killed()));
    REQUIRE(it.seal());
    CHECK(found(it.disk.process_killed()));
}

TEST_CASE("what does not fit the index that asks is not given to it", "[live]") {
    begun it{scene::disk()};
    REQUIRE(it.seal());
    const scene::disk later = it.disk.power_lost();
    auto folder = scene::folder(later);
    const auto asked = [&](std::size_t bytes_wanted) {
        live file;
        REQUIRE(file.open(*folder, scene::id, hash, later.boot_id(), true, 0));
        std::uint64_t generation = 0;
        auto memory = file.found_memory(generation);
        auto piece = memory.allocate(1, 0, bytes_wanted);
        return piece ? errc{} : piece.error().kind();
    };
    CHECK(asked(size) == errc{});
    CHECK(asked(size / 2) == errc::corruption);
    later.fail_call(2, {errc::no_space, 28}, coffer::fs::call::reserve);  // a hole in a copy
    CHECK(asked(size) == errc::no_space);
    CHECK(later.faults() == 1);
}

TEST_CASE("a piece that is not in the file cannot be sealed", "[live]") {
    begun it{scene::disk()};
    const auto none =
        it.file.seal([&](auto&& sink) { return sink(1U, 7U, bytes(it.piece, size)); });
    CHECK((!none && none.error().kind() == errc::io_error));
    const auto longer =
        it.file.seal([&](auto&& sink) { return sink(1U, 0U, bytes(it.piece, size + 1)); });
    CHECK((!longer && longer.error().kind() == errc::io_error));
}

TEST_CASE("a file made anew knows nothing of the entries of one that did not fit", "[live]") {
    begun it{scene::disk()};
    it.arm();
    const scene::disk next = it.disk.process_killed();
    auto folder = scene::folder(next);
    live file;
    REQUIRE(file.open(*folder, scene::id, hash, next.boot_id(), true, 0));
    file.create(*folder, scene::id, hash, 0);
    file.told(position(6, 5000), 4096, 1);
    CHECK(file.progress().entries == 0);
}

TEST_CASE("an intent is there until it is told that it was carried out", "[live]") {
    begun it{scene::disk()};
    it.arm();
    it.file.intend(0x77, 0x55, 120);
    CHECK(it.file.words().intent.where == 0x77);
    CHECK(it.file.words().intent.previous == 0x55);
    CHECK(it.file.words().intent.dead == 120);
    CHECK(it.file.progress().entries == 3);
    it.file.count(4);
    CHECK(it.file.progress().entries == 3);
    it.file.told(position(5, 9100), 9000, 3);
    CHECK(it.file.words().intent.where == 0);
    CHECK(it.file.progress().entries == 4);
    CHECK(it.file.progress().last == 9000);
}
