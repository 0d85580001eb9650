// What the simulated disk may lose, what it must keep, and what a test can do with it.
#include "catch.hpp"

#include <coffer/fs/simulated.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using coffer::errc;
using coffer::fs::call;
using coffer::fs::crash_limits;
using coffer::fs::crash_profile;
using coffer::fs::fault;
using coffer::fs::simulated;
using coffer::fs::step;
using coffer::fs::sync_failure;
using mode = coffer::fs::access;
using strings = std::vector<std::string>;

const crash_profile profiles[] = {crash_profile::p1, crash_profile::p2, crash_profile::p3};

coffer::bytes text(std::string_view characters) {
    return coffer::as_bytes(characters);
}

/// The file's bytes, or "-" if there is none.
std::string shown(const simulated& disk, std::string_view path) {
    const auto all = disk.read_file(path);
    return all ? std::string(coffer::as_text(*all)) : "-";
}

/// Everything that a crash can leave of one file.
std::set<std::string> outcomes(const simulated& disk, const crash_profile& profile,
                               std::string_view path, const crash_limits& limits = {}) {
    std::set<std::string> found;
    disk.for_each_crash_state(profile, limits,
                              [&](const simulated& after) { found.insert(shown(after, path)); });
    return found;
}

std::set<strings> names_after(const simulated& disk, const crash_profile& profile) {
    std::set<strings> found;
    disk.for_each_crash_state(profile, {},
                              [&](const simulated& after) { found.insert(after.files()); });
    return found;
}

template <class Result>
errc kind(const Result& failed) {
    REQUIRE_FALSE(failed.has_value());
    return failed.error().kind();
}

struct store {
    store() { REQUIRE(disk.make_directory("/s").value()); }
    simulated::file durable(std::string_view name, std::string_view holding) {
        auto file = root.create(name).value();
        REQUIRE(file.write_at(0, text(holding)).has_value());
        REQUIRE(file.sync().has_value());
        REQUIRE(root.sync().has_value());
        return file;
    }
    simulated disk;
    simulated::directory root = disk.open_directory("/").value();
};

using set = std::set<std::string>;

}  // namespace

TEST_CASE("a fresh disk has a root and nothing else", "[simulated]") {
    const simulated disk;
    CHECK(disk.open_directory("/").value().list().value().empty());
    CHECK(disk.open_directory(".").has_value());
    CHECK(disk.make_directory("a").value());
    CHECK(disk.open_directory("/a").has_value());
    CHECK(disk.open_directory("./a").has_value());
    CHECK(kind(disk.open_directory("/a/..")) == errc::not_found);
    CHECK(disk.files().empty());
    CHECK(disk == simulated(disk));
    CHECK_FALSE(disk == simulated());
}

TEST_CASE("a file that was synced, with its name, is in every crash state", "[simulated]") {
    store s;
    auto file = s.durable("a", "kept");
    for (const crash_profile& profile : profiles) {
        CHECK(outcomes(s.disk, profile, "/a") == set{"kept"});
        CHECK(s.disk.for_each_crash_state(profile, {}, [](const simulated&) {}).distinct == 1);
    }
    CHECK(s.disk.is_durable("/a"));
    CHECK(s.disk.unsynced_changes() == 0);
}

TEST_CASE("a sync of the file does not keep its name", "[simulated]") {
    store s;
    auto file = s.root.create("a").value();
    REQUIRE(file.write_at(0, text("x")).has_value());
    REQUIRE(file.sync().has_value());
    for (const crash_profile& profile : profiles) {
        CHECK(outcomes(s.disk, profile, "/a") == set{"-", "x"});
    }
    CHECK_FALSE(s.disk.is_durable("/a"));
    CHECK_FALSE(s.disk.is_name_durable("/a"));
    CHECK(s.disk.is_durable("/a", 0, 1));
    REQUIRE(s.root.sync().has_value());
    CHECK(s.disk.is_durable("/a"));
    for (const crash_profile& profile : profiles) {
        CHECK(outcomes(s.disk, profile, "/a") == set{"x"});
    }
}

TEST_CASE("a sync of the folder does not keep the bytes", "[simulated]") {
    store s;
    auto file = s.root.create("a").value();
    REQUIRE(file.write_at(0, text("x")).has_value());
    REQUIRE(s.root.sync().has_value());
    CHECK(outcomes(s.disk, crash_profile::p1, "/a") == set{"", std::string(1, '\0'), "x"});
    const set with_garbage = outcomes(s.disk, crash_profile::p2, "/a");
    CHECK(with_garbage.size() == 4);
    CHECK(with_garbage.count("-") == 0);
    CHECK(s.disk.unsynced_bytes("/a") == 1);
    CHECK(s.disk.is_name_durable("/a"));
    CHECK_FALSE(s.disk.is_durable("/a"));
}

TEST_CASE("closing keeps nothing", "[simulated]") {
    store s;
    { REQUIRE(s.durable("a", "old").write_at(0, text("new")).has_value()); }
    CHECK(outcomes(s.disk, crash_profile::p1, "/a") == set{"old", "new"});
    CHECK(shown(s.disk.power_lost(), "/a") == "old");
}

TEST_CASE("sectors reach the disk on their own", "[simulated]") {
    store s;
    auto file = s.durable("a", std::string(2048, '.'));
    REQUIRE(file.write_at(500, text(std::string(1100, 'x'))).has_value());  // four sectors
    const auto states = [&](std::uint32_t sector) {
        crash_profile profile = crash_profile::p2;
        profile.sector = sector;
        return s.disk.for_each_crash_state(profile, {}, [](const simulated&) {});
    };
    CHECK(states(512).parts == 4);
    CHECK(states(512).distinct == 16);
    CHECK(states(512).exhaustive);
    CHECK(states(4096).distinct == 2);
    for (const std::string& all : outcomes(s.disk, crash_profile::p1, "/a")) {
        REQUIRE(all.size() == 2048);
        CHECK(all.substr(0, 500) == std::string(500, '.'));
        CHECK(all.substr(1600) == std::string(448, '.'));
        CHECK((all[500] == all[511] && all[512] == all[1023] && all[1024] == all[1535]));
    }
}

TEST_CASE("writes to one sector are ordered under p1 only", "[simulated]") {
    store s;
    auto file = s.durable("a", "....");
    REQUIRE(file.write_at(0, text("x")).has_value());
    REQUIRE(file.write_at(2, text("y")).has_value());
    CHECK(outcomes(s.disk, crash_profile::p1, "/a") == set{"....", "x...", "x.y."});
    CHECK(outcomes(s.disk, crash_profile::p2, "/a") == set{"....", "x...", "..y.", "x.y."});
}

TEST_CASE("a torn sector may be destroyed under p3 only", "[simulated]") {
    store s;
    auto file = s.durable("a", std::string(1024, '.'));
    REQUIRE(file.write_at(10, text("x")).has_value());
    CHECK(outcomes(s.disk, crash_profile::p2, "/a").size() == 2);
    const set hostile = outcomes(s.disk, crash_profile::p3, "/a");
    CHECK(hostile.size() == 3);
    int destroyed = 0;
    for (const std::string& all : hostile) {
        REQUIRE(all.size() == 1024);
        CHECK(all.substr(512) == std::string(512, '.'));
        if (all[0] != '.' || all[511] != '.') ++destroyed;
    }
    CHECK(destroyed == 1);
}

TEST_CASE("a file may have grown over bytes that never came", "[simulated]") {
    store s;
    auto file = s.durable("a", "old");
    REQUIRE(file.write_at(3, text("+new")).has_value());
    CHECK(outcomes(s.disk, crash_profile::p1, "/a") ==
          set{"old", "old+new", std::string("old\0\0\0\0", 7)});
    const set found = outcomes(s.disk, crash_profile::p2, "/a");
    CHECK(found.size() == 4);
    for (const std::string& all : found) CHECK(all.substr(0, 3) == "old");

    SECTION("but not over a hole or a reservation") {
        REQUIRE(file.sync().has_value());
        REQUIRE(file.resize(100).has_value());
        REQUIRE(file.reserve(0, 200).has_value());
        for (const crash_profile& profile : profiles) {
            for (const std::string& all : outcomes(s.disk, profile, "/a")) {
                CHECK(all.substr(0, 7) == "old+new");
                CHECK(all.find_first_not_of('\0', 7) == std::string::npos);
            }
        }
        REQUIRE(file.sync().has_value());
        REQUIRE(file.write_at(50, text("in it")).has_value());
        CHECK(outcomes(s.disk, crash_profile::p2, "/a").size() == 2);
    }
}

TEST_CASE("garbage may be what a removed file held there", "[simulated]") {
    store s;
    s.durable("old", std::string(512, '1') + std::string(512, '2'));
    REQUIRE(s.root.remove("old").has_value());
    REQUIRE(s.root.sync().has_value());
    auto file = s.durable("a", std::string(512, '.'));
    REQUIRE(file.write_at(512, text(std::string(512, 'x'))).has_value());
    const std::string stale = std::string(512, '.') + std::string(512, '2');
    CHECK(outcomes(s.disk, crash_profile::p3, "/a").count(stale) == 1);
    CHECK(outcomes(s.disk, crash_profile::p2, "/a").count(stale) == 0);
}

TEST_CASE("a cut may come or not", "[simulated]") {
    store s;
    auto file = s.durable("a", "0123456789");
    REQUIRE(file.resize(4).has_value());
    for (const crash_profile& profile : profiles) {
        CHECK(outcomes(s.disk, profile, "/a") == set{"0123", "0123456789"});
    }
    REQUIRE(file.resize(6).has_value());
    CHECK(outcomes(s.disk, crash_profile::p1, "/a") ==
          set{"0123", "0123456789", std::string("0123\0\0", 6)});
    REQUIRE(file.sync().has_value());
    CHECK(outcomes(s.disk, crash_profile::p3, "/a") == set{std::string("0123\0\0", 6)});
}

TEST_CASE("names made, replaced and removed", "[simulated]") {
    store s;
    s.durable("a", "A");
    s.durable("b", "B");

    SECTION("an unsynced rename came or did not") {
        REQUIRE(s.root.rename("a", "b").has_value());
        for (const crash_profile& profile : {crash_profile::p1, crash_profile::p2}) {
            CHECK(names_after(s.disk, profile) == std::set<strings>{{"/a", "/b"}, {"/b"}});
            CHECK(outcomes(s.disk, profile, "/b") == set{"A", "B"});
        }
        // Under p3 it comes apart, and the name can be missing or empty in between.
        const set torn = outcomes(s.disk, crash_profile::p3, "/b");
        CHECK(torn == set{"-", "", "A", "B"});
        REQUIRE(s.root.sync().has_value());
        CHECK(outcomes(s.disk, crash_profile::p3, "/b") == set{"A"});
        CHECK(names_after(s.disk, crash_profile::p3) == std::set<strings>{{"/b"}});
    }
    SECTION("an unsynced removal came or did not") {
        REQUIRE(s.root.remove("a").has_value());
        CHECK(outcomes(s.disk, crash_profile::p1, "/a") == set{"A", "-"});
        CHECK(outcomes(s.disk, crash_profile::p2, "/a") == set{"A", "-", ""});
        REQUIRE(s.root.sync().has_value());
        CHECK(outcomes(s.disk, crash_profile::p3, "/a") == set{"-"});
    }
    SECTION("names of a folder come in order under p1") {
        REQUIRE(s.root.create("c").has_value());
        REQUIRE(s.root.create("d").has_value());
        CHECK(names_after(s.disk, crash_profile::p1).count({"/a", "/b", "/d"}) == 0);
        CHECK(names_after(s.disk, crash_profile::p2).count({"/a", "/b", "/d"}) == 1);
    }
    SECTION("a sync of one folder keeps the names of that folder only") {
        REQUIRE(s.root.create("c").has_value());
        auto inner = s.disk.open_directory("/s").value();
        REQUIRE(inner.create("x").has_value());
        REQUIRE(inner.sync().has_value());
        CHECK(names_after(s.disk, crash_profile::p2) ==
              std::set<strings>{{"/a", "/b", "/s/x"}, {"/a", "/b", "/c", "/s/x"}});
    }
    SECTION("a removed name can be made again") {
        REQUIRE(s.root.remove("a").has_value());
        auto file = s.root.create("a").value();
        REQUIRE(file.write_at(0, text("new")).has_value());
        REQUIRE(file.sync().has_value());
        CHECK(outcomes(s.disk, crash_profile::p1, "/a") == set{"A", "-", "new"});
        REQUIRE(s.root.sync().has_value());
        CHECK(outcomes(s.disk, crash_profile::p3, "/a") == set{"new"});
    }
}

TEST_CASE("the usual replacement of a file is safe, and unsafe without the sync", "[simulated]") {
    const auto replaced = [](bool with_sync) {
        store s;
        s.durable("a", "old");
        set found;
        s.disk.set_step_hook([&](const step&) {
            for (const std::string& each : outcomes(s.disk, crash_profile::p2, "/a")) {
                found.insert(each);
            }
        });
        auto file = s.root.create("a.tmp").value();
        REQUIRE(file.write_at(0, text("new")).has_value());
        if (with_sync) REQUIRE(file.sync().has_value());
        REQUIRE(s.root.rename("a.tmp", "a").has_value());
        REQUIRE(s.root.sync().has_value());
        s.disk.clear_step_hook();
        for (const std::string& each : outcomes(s.disk, crash_profile::p2, "/a"))
            found.insert(each);
        return found;
    };
    CHECK(replaced(true) == set{"old", "new"});
    CHECK(replaced(false).size() > 2);
    CHECK(replaced(false).count("") == 1);
}

TEST_CASE("a folder is durable when make_directory returns", "[simulated]") {
    simulated disk;
    std::vector<bool> there;
    disk.set_step_hook([&](const step& next) {
        bool some = false;
        disk.for_each_crash_state(crash_profile::p2, {}, [&](const simulated& after) {
            some |= after.open_directory("/d").has_value();
        });
        there.push_back(some);
        CHECK(next.path == (there.size() == 1 ? "/d" : "/"));
    });
    REQUIRE(disk.make_directory("/d").value());
    disk.clear_step_hook();
    CHECK(there == std::vector<bool>{false, true});
    CHECK(disk.power_lost().open_directory("/d").has_value());

    // Somebody made the folder and ended before the sync: the next caller syncs it.
    simulated second;
    std::vector<simulated> killed;
    second.set_step_hook([&](const step&) { killed.push_back(second.process_killed()); });
    REQUIRE(second.make_directory("/d").value());
    REQUIRE(killed.size() == 2);
    REQUIRE_FALSE(killed[1].power_lost().open_directory("/d").has_value());
    CHECK_FALSE(killed[1].make_directory("/d").value());
    CHECK(killed[1].power_lost().open_directory("/d").has_value());
}

TEST_CASE("a killed process leaves what the system had accepted", "[simulated]") {
    store s;
    auto file = s.durable("a", "....");
    REQUIRE(file.try_lock().value());
    REQUIRE(file.write_at(0, text("x")).has_value());
    REQUIRE(s.root.create("b").value().write_at(0, text("B")).has_value());
    const simulated next = s.disk.process_killed();
    CHECK(shown(next, "/a") == "x...");
    CHECK(shown(next, "/b") == "B");
    CHECK(next.boot_id() == s.disk.boot_id());
    CHECK(next.now() == s.disk.now());
    CHECK(next.unsynced_changes() == s.disk.unsynced_changes());

    // It can still be lost,
    CHECK(outcomes(next, crash_profile::p1, "/a") == set{"....", "x..."});
    CHECK(shown(next.power_lost(), "/b") == "-");
    CHECK(next.power_lost().boot_id() != next.boot_id());
    // the lock is free, and the worlds are apart.
    auto root = next.open_directory("/").value();
    auto again = root.open("a", mode::write).value();
    CHECK(again.try_lock().value());
    REQUIRE(file.write_at(1, text("old world")).has_value());
    REQUIRE(again.write_at(1, text("y")).has_value());
    CHECK(shown(next, "/a") == "xy..");
    CHECK(shown(s.disk, "/a") == "xold world");
    REQUIRE(again.sync().has_value());
    CHECK(outcomes(next, crash_profile::p3, "/a") == set{"xy.."});
}

TEST_CASE("an open file without a name goes with the process", "[simulated]") {
    store s;
    s.disk.set_capacity(1'000);
    auto file = s.durable("a", std::string(600, 'a'));
    REQUIRE(s.root.remove("a").has_value());
    CHECK(s.root.free_bytes().value() == 400);
    CHECK(s.disk.process_killed().open_directory("/").value().free_bytes().value() == 1'000);
    file = s.root.create("b").value();
    CHECK(s.root.free_bytes().value() == 1'000);
    // Its bytes are on the disk as long as its removal is not.
    CHECK(outcomes(s.disk, crash_profile::p1, "/a") == set{std::string(600, 'a'), "-"});
}

TEST_CASE("crash after crash", "[simulated]") {
    store s;
    auto file = s.durable("a", "1...");
    REQUIRE(file.write_at(1, text("2")).has_value());
    set found;
    s.disk.for_each_crash_state(crash_profile::p1, {}, [&](const simulated& second) {
        auto again = second.open_directory("/").value().open("a", mode::write).value();
        REQUIRE(again.write_at(2, text("3")).has_value());
        for (const std::string& each : outcomes(second, crash_profile::p1, "/a"))
            found.insert(each);
    });
    CHECK(found == set{"1...", "12..", "1.3.", "123."});
}

TEST_CASE("stores through a mapping", "[simulated]") {
    store s;
    auto file = s.root.create("a").value();
    REQUIRE(file.reserve(0, 65'536).has_value());
    REQUIRE(file.sync().has_value());
    REQUIRE(s.root.sync().has_value());
    auto map = file.map(0, 65'536, mode::write).value();
    const auto begins = [](const simulated& disk) { return shown(disk, "/a").substr(0, 16); };
    const auto store_text = [&](std::uint64_t at, std::string_view what) {
        std::memcpy(map.data() + at, what.data(), what.size());
        map.stored(at, what.size());
    };
    const std::string zeros(16, '\0');
    store_text(0, "0123456789abcdef");

    SECTION("may be lost, and may be on disk by halves") {
        std::set<std::string> found;
        s.disk.for_each_crash_state(crash_profile::p1, {},
                                    [&](const simulated& after) { found.insert(begins(after)); });
        CHECK(found == set{zeros, "0123456789abcdef", std::string("01234567\0\0\0\0\0\0\0\0", 16),
                           std::string("\0\0\0\0\0\0\0\0"
                                       "89abcdef",
                                       16)});
    }
    SECTION("survive the process") {
        const simulated next = s.disk.process_killed();
        CHECK(begins(next) == "0123456789abcdef");
        CHECK(begins(next.power_lost()) == zeros);
    }
    SECTION("survive the process also if it had no time to say so") {
        std::memcpy(map.data() + 512, "silent", 6);
        const simulated next = s.disk.process_killed();
        CHECK(shown(next, "/a").substr(512, 6) == "silent");
        auto again = next.open_directory("/").value().open("a", mode::write).value();
        REQUIRE(again.sync().has_value());
        CHECK(shown(next.power_lost(), "/a").substr(512, 6) == "silent");
        CHECK(begins(next.power_lost()) == "0123456789abcdef");
    }
    SECTION("are durable after a sync of their range, and only they") {
        store_text(1'000, "later");
        REQUIRE(map.sync(0, 16).has_value());
        CHECK(s.disk.is_durable("/a", 0, 1'000));
        CHECK_FALSE(s.disk.is_durable("/a", 0, 1'001));
        CHECK(s.disk.unsynced_bytes("/a") == 5);
        store_text(8, "XXXX");
        REQUIRE(map.sync(10, 991).has_value());
        CHECK(s.disk.unsynced_bytes("/a") == 2 + 4);
        const simulated after = s.disk.power_lost();
        CHECK(begins(after) == "0123456789XXcdef");
        CHECK(shown(after, "/a").substr(1'000, 2) == std::string("l\0", 2));
    }
    SECTION("are durable after a sync of the file") {
        REQUIRE(file.sync().has_value());
        CHECK(begins(s.disk.power_lost()) == "0123456789abcdef");
        CHECK(s.disk.unsynced_changes() == 0);
    }
    SECTION("show in a mapping of another length") {
        REQUIRE(file.write_at(300'000, text("end")).has_value());
        auto longer = file.map(0, 300'003, mode::write).value();
        CHECK(std::memcmp(longer.data(), "0123456789abcdef", 16) == 0);
        std::memcpy(longer.data() + 4, "long", 4);
        longer.stored(4, 4);
        store_text(0, "shrt");
        CHECK(std::memcmp(map.data(), "shrtlong89", 10) == 0);
        CHECK(std::memcmp(longer.data(), "shrtlong89", 10) == 0);
        CHECK(begins(s.disk) == "shrtlong89abcdef");
        REQUIRE(s.disk.flip("/a", 0, std::byte{0x20}));
        CHECK(std::memcmp(map.data(), "Shrtlong89", 10) == 0);
        CHECK(std::memcmp(longer.data(), "Shrtlong89", 10) == 0);
        REQUIRE(file.resize(2).has_value());
        CHECK(map.data()[2] == std::byte{0});
        CHECK(longer.data()[2] == std::byte{0});
    }
}

TEST_CASE("reserved space costs no memory and is the same after a crash", "[simulated]") {
    store s;
    auto file = s.root.create("a").value();
    REQUIRE(file.reserve(0, std::uint64_t{1} << 40).has_value());
    REQUIRE(file.write_at(10, text("x")).has_value());
    REQUIRE(file.sync().has_value());
    REQUIRE(s.root.sync().has_value());
    const simulated after = s.disk.power_lost();
    auto again = after.open_directory("/").value().open("a", mode::read).value();
    CHECK(again.size().value() == std::uint64_t{1} << 40);
    std::byte last[1] = {std::byte{1}};
    CHECK(again.read_at((std::uint64_t{1} << 40) - 1, last).value() == 1);
    CHECK(last[0] == std::byte{0});
}

TEST_CASE("a state holds what it is said to hold, and nothing else", "[simulated]") {
    store s;
    auto old = s.durable("old", std::string(600, '.'));
    auto fresh = s.root.create("fresh").value();
    REQUIRE(fresh.write_at(0, text(std::string(21, 'x'))).has_value());
    REQUIRE(old.write_at(0, text(std::string(600, 'y'))).has_value());
    const crash_profile profile = GENERATE(crash_profile::p1, crash_profile::p2, crash_profile::p3);
    std::size_t whole = 0;
    s.disk.for_each_crash_state(profile, {}, [&](const simulated& after, const std::string& told) {
        const auto says = [&](const char* part) { return told.find(part) != std::string::npos; };
        if (says("torn")) return;
        CAPTURE(told);
        CHECK(after.read_file("/fresh").has_value() == says("name /fresh"));
        const std::string written = shown(after, "/fresh");
        if (says("name /fresh") && says("size 21")) {
            const bool bytes = says("bytes [0, 21) of /fresh");
            CHECK((written == std::string(21, 'x')) == bytes);
            CHECK((written == std::string(21, '\0')) == (!bytes && !says("garbage")));
            ++whole;
        }
        CHECK(shown(after, "/old") ==
              std::string(512, says("bytes [0, 512) of /old") ? 'y' : '.') +
                  std::string(88, says("bytes [512, 600) of /old") ? 'y' : '.'));
    });
    CHECK(whole >= 4);
}

TEST_CASE("what becomes of one file does not depend on another", "[simulated]") {
    store s;
    for (const char* name : {"a", "b"}) {
        auto file = s.durable(name, "");
        REQUIRE(file.write_at(0, text(std::string(21, 'x'))).has_value());
    }
    std::multiset<std::string> found;
    const auto kind_of = [](const std::string& held) {
        return held.empty()                    ? 'e'   // nothing
               : held == std::string(21, 'x')  ? 'x'   // what was written
               : held == std::string(21, '\0') ? 'z'   // zeros
                                               : 'g';  // garbage
    };
    s.disk.for_each_crash_state(crash_profile::p2, {}, [&](const simulated& after) {
        found.insert({kind_of(shown(after, "/a")), kind_of(shown(after, "/b"))});
    });
    // Of both files what lies in neither write is zeros, or of both garbage.
    CHECK(found == std::multiset<std::string>{"ee", "ex", "xe", "xx", "ez", "ze", "zz", "xz", "zx",
                                              "eg", "ge", "gg", "xg", "gx"});
}

TEST_CASE("many parts are visited by patterns, reproducibly", "[simulated]") {
    store s;
    auto file = s.durable("a", std::string(64 * 512, '.'));
    REQUIRE(file.write_at(0, text(std::string(64 * 512, 'x'))).has_value());
    const auto run = [&](std::uint64_t seed) {
        crash_limits limits;
        limits.seed = seed;
        return s.disk.for_each_crash_state(crash_profile::p2, limits, [](const simulated&) {});
    };
    const auto first = run(1);
    CHECK(first.parts == 64);
    CHECK_FALSE(first.exhaustive);
    CHECK(first.distinct > 64 * 4 + 900 + 250);
    CHECK(first.set_hash == run(1).set_hash);
    CHECK(first.distinct == run(1).distinct);
    CHECK(first.set_hash != run(2).set_hash);

    const set found = outcomes(s.disk, crash_profile::p2, "/a");
    const auto with = [](std::initializer_list<std::size_t> sectors, char base, char other) {
        std::string all(64 * 512, base);
        for (const std::size_t each : sectors) all.replace(each * 512, 512, 512, other);
        return all;
    };
    CHECK(found.count(with({}, '.', 'x')) == 1);
    CHECK(found.count(with({}, 'x', '.')) == 1);
    CHECK(found.count(with({17}, '.', 'x')) == 1);
    CHECK(found.count(with({17}, 'x', '.')) == 1);
    CHECK(found.count(with({0, 1, 2}, '.', 'x')) == 1);
    CHECK(found.count(with({0, 1, 2}, 'x', '.')) == 1);
    crash_limits all_pairs;
    all_pairs.pairs = 64 * 63 / 2;
    CHECK(outcomes(s.disk, crash_profile::p2, "/a", all_pairs).count(with({5, 40}, '.', 'x')) == 1);
}

TEST_CASE("a share of the crash states is drawn by the seed and by what they hold", "[simulated]") {
    const auto states_of = [](const std::string& before, double share, std::uint64_t seed) {
        store s;
        auto file = s.durable("a", before);
        REQUIRE(file.write_at(0, text(std::string(10 * 512, 'x'))).has_value());
        crash_limits limits;
        limits.share = share;
        limits.seed = seed;
        set found;
        const auto told = s.disk.for_each_crash_state(
            crash_profile::p1, limits,
            [&](const simulated& after) { found.insert(shown(after, "/a")); });
        CHECK(told.exhaustive == (share >= 1));
        CHECK(told.visited == found.size());
        return found;
    };
    const std::string before(10 * 512, '.');
    const set all = states_of(before, 1, 1);
    CHECK(all.size() == 1024);
    const set some = states_of(before, 0.25, 1);
    CHECK(some.size() > 1024 / 8);
    CHECK(some.size() < 1024 / 2);
    CHECK(std::includes(all.begin(), all.end(), some.begin(), some.end()));
    CHECK(states_of(before, 0.25, 1) == some);
    CHECK(states_of(before, 0.25, 2) != some);
    CHECK(states_of(before, 0, 1).empty());
    // Nothing of them is on any disk the same draw.
    unsigned untouched = 0;
    for (char fill = 'A'; fill <= 'Z'; ++fill) {
        const std::string other(10 * 512, fill);
        untouched += static_cast<unsigned>(states_of(other, 0.5, 1).count(other));
    }
    CHECK(untouched > 3);
    CHECK(untouched < 23);
}

TEST_CASE("a crash state can be had again, told in words, and the walk stopped", "[simulated]") {
    store s;
    auto file = s.durable("a", std::string(1024, '.'));
    REQUIRE(file.write_at(0, text(std::string(1024, 'x'))).has_value());
    REQUIRE(s.root.rename("a", "b").has_value());
    strings contents;
    strings told;
    const auto all = s.disk.for_each_crash_state(
        crash_profile::p2, {}, [&](const simulated& after, const std::string& what) {
            contents.push_back(shown(after, "/b"));
            told.push_back(what);
        });
    CHECK(all.distinct == 8);
    CHECK(contents.size() == 8);
    CHECK(told.front() == "nothing");
    CHECK(told.back() == "bytes [0, 512) of /b, bytes [512, 1024) of /b, rename of /a to b");
    for (std::size_t i = 0; i < contents.size(); ++i) {
        CHECK(shown(s.disk.crash_state(crash_profile::p2, {}, i).value(), "/b") == contents[i]);
    }
    CHECK_FALSE(s.disk.crash_state(crash_profile::p2, {}, 8).has_value());
    int seen = 0;
    const auto stopped = s.disk.for_each_crash_state(crash_profile::p2, {},
                                                     [&](const simulated&) { return ++seen < 3; });
    CHECK(seen == 3);
    CHECK(stopped.stopped);
    crash_limits few;
    few.most = 2;
    CHECK(s.disk.for_each_crash_state(crash_profile::p2, few, [](const simulated&) {}).distinct ==
          2);
}

TEST_CASE("states that look the same are one", "[simulated]") {
    store s;
    auto file = s.durable("a", "same");
    REQUIRE(file.write_at(0, text("same")).has_value());
    REQUIRE(s.root.create("x").has_value());
    REQUIRE(s.root.remove("x").has_value());
    const auto found = s.disk.for_each_crash_state(crash_profile::p1, {}, [](const simulated&) {});
    CHECK(found.distinct == 2);  // with and without x
    CHECK(found.visited > 2);
}

TEST_CASE("disks with the same files have the same hash", "[simulated]") {
    const auto planted = [](std::initializer_list<std::pair<const char*, const char*>> all) {
        simulated disk;
        for (const auto& [path, holding] : all) {
            REQUIRE(disk.write_file(path, text(holding)));
        }
        return disk;
    };
    const std::uint64_t hash = planted({{"/a", "one"}, {"/b", "two"}}).image_hash();
    CHECK(planted({{"/b", "two"}, {"/a", "one"}}).image_hash() == hash);
    CHECK(planted({{"/a", "one"}, {"/b", "twp"}}).image_hash() != hash);
    CHECK(planted({{"/a", "one"}, {"/c", "two"}}).image_hash() != hash);
    CHECK(planted({{"/a", "two"}, {"/b", "one"}}).image_hash() != hash);
    CHECK(planted({{"/a", "one"}}).image_hash() != hash);

    const simulated longer = planted({{"/a", "one"}, {"/b", "two"}});
    auto file = longer.open_directory("/").value().open("b", mode::write).value();
    REQUIRE(file.resize(4).has_value());  // with a zero at the end
    CHECK(longer.image_hash() != hash);
    REQUIRE(file.resize(3).has_value());
    CHECK(longer.image_hash() == hash);
    CHECK(longer.power_lost().image_hash() == hash);
}

TEST_CASE("steps are counted, shown and traced", "[simulated]") {
    store s;
    std::vector<step> shown_steps;
    s.disk.set_step_hook([&](const step& next) { shown_steps.push_back(next); });
    s.disk.set_traced(true);
    const std::uint64_t before = s.disk.steps();
    auto file = s.root.create("a").value();
    REQUIRE(file.write_at(3, text("abc")).has_value());
    std::byte into[2];
    REQUIRE(file.read_at(1, into).has_value());
    REQUIRE(file.resize(9).has_value());
    REQUIRE(file.reserve(1, 20).has_value());
    REQUIRE(file.sync().has_value());
    REQUIRE(s.root.rename("a", "b").has_value());
    REQUIRE(s.root.sync().has_value());
    auto map = file.map(0, 21, mode::write).value();
    map.stored(4, 2);
    REQUIRE(map.sync(4, 2).has_value());
    REQUIRE(s.root.remove("b").has_value());
    s.disk.clear_step_hook();
    const std::vector<step> expected = {
        {call::create, "/a", "", 0, 0},        {call::write, "/a", "", 3, 3},
        {call::resize, "/a", "", 9, 0},        {call::reserve, "/a", "", 1, 20},
        {call::sync, "/a", "", 0, 0},          {call::rename, "/a", "b", 0, 0},
        {call::sync_directory, "/", "", 0, 0}, {call::stored, "/a", "", 4, 2},
        {call::sync_map, "/a", "", 4, 2},      {call::remove, "/b", "", 0, 0}};
    CHECK(shown_steps == expected);
    CHECK(s.disk.steps() - before == expected.size());
    const std::vector<step> trace = s.disk.take_trace();
    CHECK(trace.size() == expected.size() + 2);
    CHECK(trace[2] == step{call::read, "/a", "", 1, 2});
    CHECK(s.disk.take_trace().empty());
    CHECK(std::string(coffer::fs::name_of(call::sync_map)) == "sync_map");
    CHECK(std::string(coffer::fs::name_of(call::read)) == "read");
    CHECK(std::string(coffer::fs::name_of(call::sync)) == "sync");
    const simulated next = s.disk.process_killed();
    CHECK(next.steps() == 0);
}

TEST_CASE("any call can be made to fail, once or for ever", "[simulated]") {
    store s;
    auto file = s.durable("a", "....");

    SECTION("the n-th of a kind") {
        s.disk.fail_call(2, {errc::io_error, EIO, false, 0}, call::write);
        CHECK(file.write_at(0, text("1")).has_value());
        CHECK(file.sync().has_value());
        const auto failed = file.write_at(1, text("2"));
        CHECK(kind(failed) == errc::io_error);
        CHECK(failed.error().os_code() == EIO);
        CHECK(failed.error().path() == "/a");
        CHECK(failed.error().offset() == 1U);
        CHECK(file.write_at(2, text("3")).has_value());
        CHECK(shown(s.disk, "/a") == "1.3.");
        CHECK(s.disk.faults() == 1);
    }
    SECTION("for ever, until told otherwise") {
        s.disk.fail_call(1, {errc::no_space, ENOSPC, true, 0}, call::reserve);
        for (int i = 0; i < 3; ++i) CHECK(kind(file.reserve(0, 100)) == errc::no_space);
        CHECK(file.size().value() == 4);
        CHECK(s.disk.faults() == 3);
        s.disk.clear_faults();
        CHECK(file.reserve(0, 100).has_value());
    }
    SECTION("the n-th of all") {
        // Every place of a run fails once; the last number meets none.
        for (std::uint64_t n = 1;; ++n) {
            const simulated copy = s.disk.process_killed();
            copy.fail_call(n);
            int failures = 0;
            const auto tried = [&](const auto& answer) {
                if (!answer) ++failures;
                return answer.has_value();
            };
            auto root = copy.open_directory("/");
            if (tried(root)) {
                tried(copy.make_directory("/d"));
                tried(root->list());
                tried(root->free_bytes());
                auto made = root->create("n");
                auto opened = root->open("a", mode::write);
                if (tried(made)) {
                    tried(made->write_at(0, text("x")));
                    tried(made->sync());
                }
                if (tried(opened)) {
                    std::byte one[1];
                    tried(opened->read_at(0, one));
                    tried(opened->size());
                    tried(opened->resize(10));
                    tried(opened->reserve(0, 20));
                    tried(opened->try_lock());
                    auto map = opened->map(0, 4, mode::write);
                    if (tried(map)) tried(map->sync(0, 1));
                }
                tried(root->rename("a", "b"));
                tried(root->remove("b"));
                tried(root->sync());
            }
            INFO("call " << n);
            if (copy.faults() == 0) {
                CHECK(failures == 0);
                CHECK(n == copy.calls() + 1);
                CHECK(n == 20);
                break;
            }
            CHECK(failures >= 1);
            REQUIRE(n < 100);
        }
    }
    SECTION("a failing write may have stored some") {
        s.disk.fail_call(1, {errc::no_space, ENOSPC, false, 3}, call::write);
        const auto failed = file.write_at(2, text("wxyz"));
        CHECK(kind(failed) == errc::no_space);
        CHECK(failed.error().offset() == 5U);
        CHECK(shown(s.disk, "/a") == "..wxy");
    }
    SECTION("a failing sync of a folder leaves its names in doubt") {
        REQUIRE(s.root.create("b").has_value());
        s.disk.fail_call(1, {}, call::sync_directory);
        CHECK(kind(s.root.sync()) == errc::io_error);
        CHECK(outcomes(s.disk, crash_profile::p1, "/b") == set{"-", ""});
        REQUIRE(s.root.sync().has_value());
        CHECK(outcomes(s.disk, crash_profile::p1, "/b") == set{""});
    }
}

TEST_CASE("a failed sync loses bytes in four ways", "[simulated]") {
    store s;
    auto file = s.durable("a", "old");
    REQUIRE(file.write_at(0, text("NEWER")).has_value());
    s.disk.fail_call(1, {}, call::sync);

    SECTION("lost: the next sync reports success and saves nothing") {
        CHECK(kind(file.sync()) == errc::io_error);
        CHECK(shown(s.disk, "/a") == "NEWER");
        CHECK(file.sync().has_value());
        CHECK_FALSE(s.disk.is_durable("/a"));
        CHECK(outcomes(s.disk, crash_profile::p1, "/a") == set{std::string("old\0\0", 5)});
        // The next process sees them too, and what it writes again it keeps.
        const simulated next = s.disk.process_killed();
        CHECK(shown(next, "/a") == "NEWER");
        auto again = next.open_directory("/").value().open("a", mode::write).value();
        REQUIRE(again.write_at(0, text("NEWER")).has_value());
        REQUIRE(again.sync().has_value());
        CHECK(next.is_durable("/a"));
        CHECK(shown(next.power_lost(), "/a") == "NEWER");
    }
    SECTION("late: the error comes with the next sync") {
        s.disk.set_sync_failure(sync_failure::late);
        CHECK(file.sync().has_value());
        CHECK(shown(s.disk.power_lost(), "/a") == std::string("old\0\0", 5));
        CHECK(kind(file.sync()) == errc::io_error);
        CHECK(file.sync().has_value());
    }
    SECTION("lost_with_size") {
        s.disk.set_sync_failure(sync_failure::lost_with_size);
        CHECK(kind(file.sync()) == errc::io_error);
        CHECK(shown(s.disk, "/a") == "NEWER");
        CHECK(file.sync().has_value());
        CHECK(outcomes(s.disk, crash_profile::p2, "/a") == set{"old"});
    }
    SECTION("reverted") {
        s.disk.set_sync_failure(sync_failure::reverted);
        auto map = file.map(0, 5, mode::read).value();
        CHECK(std::memcmp(map.data(), "NEWER", 5) == 0);
        CHECK(kind(file.sync()) == errc::io_error);
        CHECK(shown(s.disk, "/a") == "old");
        CHECK(std::memcmp(map.data(), "old\0\0", 5) == 0);
        CHECK(s.disk.is_durable("/a"));
    }
    SECTION("for the range of a mapping too") {
        s.disk.clear_faults();
        REQUIRE(file.sync().has_value());
        auto map = file.map(0, 5, mode::write).value();
        std::memcpy(map.data(), "mmmmm", 5);
        map.stored(0, 5);
        s.disk.fail_call(1, {}, call::sync_map);
        CHECK(kind(map.sync(0, 5)) == errc::io_error);
        CHECK(map.sync(0, 5).has_value());
        CHECK(shown(s.disk.power_lost(), "/a") == "NEWER");
    }
}

TEST_CASE("the disk becomes full at any byte", "[simulated]") {
    for (std::uint64_t capacity = 0; capacity <= 30; ++capacity) {
        store s;
        s.disk.set_capacity(capacity);
        auto file = s.root.create("a").value();
        const auto kept = file.reserve(5, 10);
        CHECK(kept.has_value() == (capacity >= 10));
        if (!kept) {
            CHECK(kind(kept) == errc::no_space);
            CHECK(file.size().value() == 0);
            CHECK(s.root.free_bytes().value() == capacity);
            continue;
        }
        CHECK(s.root.free_bytes().value() == capacity - 10);
        CHECK(file.write_at(5, text("0123456789")).has_value());  // needs nothing more
        const auto around = file.write_at(0, text("aaaaabbbbbbbbbbccccc"));
        CHECK(around.has_value() == (capacity >= 20));
        const std::uint64_t fits = capacity >= 20 ? 20 : capacity >= 15 ? capacity : capacity - 10;
        if (!around) CHECK(around.error().offset() == fits);
        CHECK(file.size().value() == (std::max)(fits, std::uint64_t{15}));
        CHECK(file.resize(1'000).has_value());  // a hole takes nothing
        CHECK(file.resize(3).has_value());
        CHECK(s.root.free_bytes().value() == capacity - (std::min)(fits, std::uint64_t{3}));
        CHECK(s.root.remove("a").has_value());
        CHECK(s.root.free_bytes().value() == capacity - (std::min)(fits, std::uint64_t{3}));
        file = s.root.create("b").value();  // the last handle of the removed file is closed
        CHECK(s.root.free_bytes().value() == capacity);
    }
}

TEST_CASE("clock, randomness, process", "[simulated]") {
    simulated disk(7);
    simulated same(7);
    simulated other(8);
    const std::uint64_t time = disk.now();
    CHECK(disk.now() == time);
    disk.advance(5'000);
    CHECK(disk.now() == time + 5'000);
    std::byte a[16];
    std::byte b[16];
    std::byte c[16];
    disk.random(a);
    same.random(b);
    other.random(c);
    CHECK(std::memcmp(a, b, 16) == 0);
    CHECK(std::memcmp(a, c, 16) != 0);
    CHECK(disk.boot_id() == same.boot_id());
    CHECK(disk.boot_id() != 0);
    CHECK(disk.power_lost().boot_id() != disk.boot_id());
    simulated::fork_mark mark(disk);
    disk.pretend_forked(true);
    CHECK(mark.forked());
    CHECK_FALSE(simulated::fork_mark().forked());
    disk.pretend_forked(false);
    CHECK_FALSE(mark.forked());
    const auto root = disk.open_directory("/").value();
    CHECK_FALSE(root.is_remote());
    disk.pretend_remote(true);
    CHECK(root.is_remote());
}

TEST_CASE("a test can change files behind the store's back", "[simulated]") {
    store s;
    auto file = s.durable("a", "0123456789");
    auto map = file.map(0, 10, mode::read).value();
    REQUIRE(file.write_at(0, text("X")).has_value());
    CHECK(s.disk.files() == strings{"/a"});
    CHECK(s.disk.flip("/a", 9, std::byte{0x01}));
    CHECK_FALSE(s.disk.flip("/a", 10, std::byte{0x01}));
    CHECK_FALSE(s.disk.flip("/absent", 0, std::byte{0x01}));
    CHECK(shown(s.disk, "/a") == "X123456788");
    CHECK(std::memcmp(map.data(), "X123456788", 10) == 0);
    CHECK(outcomes(s.disk, crash_profile::p3, "/a") == set{"X123456788"});
    CHECK(s.disk.cut_file("/a", 4));
    CHECK_FALSE(s.disk.cut_file("/absent", 4));
    CHECK(shown(s.disk.power_lost(), "/a") == "X123");
    CHECK(file.size().value() == 4);
    CHECK(s.disk.write_file("/a", text("all new")));
    CHECK(shown(s.disk.power_lost(), "/a") == "all new");
    CHECK(s.disk.write_file("/s/b", text("B")));
    CHECK_FALSE(s.disk.write_file("/absent/b", text("B")));
    CHECK_FALSE(s.disk.write_file("/s", text("B")));
    CHECK(shown(s.disk.power_lost(), "/s/b") == "B");
    CHECK(s.disk.files() == strings{"/a", "/s/b"});
    CHECK(s.disk.remove_file("/a"));
    CHECK_FALSE(s.disk.remove_file("/a"));
    CHECK(shown(s.disk.power_lost(), "/a") == "-");
    CHECK_FALSE(s.disk.read_file("/a").has_value());
    CHECK_FALSE(s.disk.read_file("/s").has_value());
    REQUIRE(s.root.create("c").value().write_at(0, text("C")).has_value());
    s.disk.settle();
    CHECK(shown(s.disk.power_lost(), "/c") == "C");
}

TEST_CASE("many files come and go", "[simulated]") {
    store s;
    for (int round = 0; round < 200; ++round) {
        const std::string name = "f" + std::to_string(round);
        auto file = s.root.create(name).value();
        REQUIRE(file.write_at(0, text(name)).has_value());
        if (round % 3 != 0) REQUIRE(file.sync().has_value());
        if (round >= 2) REQUIRE(s.root.remove("f" + std::to_string(round - 2)).has_value());
        if (round % 5 == 0) REQUIRE(s.root.sync().has_value());
    }
    REQUIRE(s.root.sync().has_value());
    CHECK(s.disk.files() == strings{"/f198", "/f199"});
    const auto found =
        s.disk.for_each_crash_state(crash_profile::p2, {}, [](const simulated& after) {
            CHECK(after.files() == strings{"/f198", "/f199"});
        });
    CHECK(found.parts == 2);
    CHECK(found.distinct == 4);  // f198 was not synced: no bytes, zeros, garbage, all
}

TEST_CASE("threads share a disk, and its crash states can be taken meanwhile", "[simulated]") {
    store s;
    std::atomic<int> failures{0};
    std::vector<std::thread> running;
    for (int id = 0; id < 3; ++id) {
        running.emplace_back([&, id] {
            auto root = s.disk.open_directory("/").value();
            auto file = root.create("t" + std::to_string(id)).value();
            for (std::uint64_t i = 0; i < 50; ++i) {
                if (!file.write_at(i * 10, text("0123456789"))) ++failures;
                if (i % 10 == 9 && !file.sync()) ++failures;
                std::byte into[10];
                if (file.read_at(i * 10, into).value_or(std::size_t{0}) != 10) ++failures;
            }
            if (!root.sync()) ++failures;
        });
    }
    for (int i = 0; i < 20; ++i) {
        crash_limits few;
        few.most = 50;
        s.disk.for_each_crash_state(crash_profile::p2, few, [&](const simulated& after) {
            for (const std::string& path : after.files()) {
                if (after.read_file(path)->size() > 500) ++failures;
            }
        });
        const simulated next = s.disk.process_killed();
        if (next.files().size() > 3) ++failures;
    }
    for (std::thread& each : running) each.join();
    CHECK(failures == 0);
    for (int id = 0; id < 3; ++id) CHECK(s.disk.is_durable("/t" + std::to_string(id)));
}
