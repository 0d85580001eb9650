// From a path to a store: the making of one, the lock, what a crash left, and what is refused.
#include <coffer/storage/opening.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using coffer::errc;
using coffer::result;
using coffer::fs::simulated;
namespace fs = coffer::fs;
using S = coffer::store<std::string, std::string, coffer::durability::sync,
                        coffer::threading::single, simulated>;
using model = std::map<std::string, std::string>;

const std::string segment_1 = "/db/0000000000000001.log";

coffer::options small() {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    out.auto_compact = false;
    return out;
}

result<S> open(const simulated& on) {
    return S::try_open("/db", small(), on);
}

errc kind_of(const simulated& on) {
    auto opened = open(on);
    return opened ? errc{} : opened.error().kind();
}

std::vector<std::string> files(const simulated& on) {
    auto out = on.files();
    std::sort(out.begin(), out.end());
    return out;
}

model content(const S& db) {
    model out;
    db.for_each([&](std::string_view key, std::string_view value) {
        out[std::string(key)] = std::string(value);
    });
    return out;
}

/// Every file of the disk and what it holds.
std::map<std::string, std::vector<std::byte>> everything(const simulated& on) {
    std::map<std::string, std::vector<std::byte>> out;
    for (const std::string& each : on.files()) out[each] = *on.read_file(each);
    return out;
}

}  // namespace

TEST_CASE("a store that is not there is made", "[opening]") {
    const simulated disk;
    {
        const S db = S::open("/db", small(), disk);
        CHECK(db.recovery().created);
        CHECK(db.recovery().clean);
        CHECK(db.empty());
        CHECK(files(disk) ==
              std::vector<std::string>{segment_1, "/db/LOCK", "/db/RESERVE", "/db/STORE"});
        CHECK(disk.is_durable("/db/STORE"));
        CHECK(disk.is_name_durable(segment_1));
    }
    const S db = S::open("/db", small(), disk);
    CHECK_FALSE(db.recovery().created);
    CHECK(db.recovery().clean);
    CHECK(db.empty());
}

TEST_CASE("a making that did not finish counts as none, wherever it stopped", "[opening]") {
    // By a power cut or by the death of the process before any step.
    const simulated disk;
    std::vector<simulated> left;
    disk.set_step_hook([&](const fs::step&) {
        left.push_back(disk.power_lost());
        left.push_back(disk.process_killed());
    });
    {
        S db = S::open("/db", small(), disk);
        disk.clear_step_hook();
    }
    CHECK(left.size() > 15);
    for (std::size_t i = 0; i < left.size(); ++i) {
        {
            auto opened = open(left[i]);
            if (!opened) FAIL("after step " << i / 2 << ": " << opened.error().what());
            if (!opened->empty()) FAIL("not empty after step " << i / 2);
            opened->put("a", "1");
        }
        auto again = open(left[i]);
        if (!again || content(*again) != model{{"a", "1"}}) FAIL("after step " << i / 2);
        for (const std::string& each : left[i].files()) {
            if (each.ends_with(".new")) FAIL("left over: " << each);
        }
    }
}

TEST_CASE("any error in making a store leaves none, and the next open makes it", "[opening]") {
    const bool lasting = GENERATE(false, true);
    for (std::uint64_t number = 1;; ++number) {
        const simulated disk;
        disk.fail_call(number, {coffer::errc::io_error, EIO, lasting});
        bool opened = false;
        {
            auto made = open(disk);
            opened = made.has_value();
            if (!made && made.error().kind() != errc::io_error) FAIL(made.error().what());
        }
        const bool failed = disk.faults() != 0;
        disk.clear_faults();
        auto again = open(disk);
        if (!again) FAIL("fault " << number << ": " << again.error().what());
        again->put("a", "1");
        if (!failed) {
            CHECK(opened);
            break;
        }
    }
}

TEST_CASE("folders that hold something else are left alone", "[opening]") {
    const simulated disk;
    static_cast<void>(disk.make_directory("/db"));
    disk.write_file("/db/notes.txt", coffer::as_bytes("mine"));
    const auto before = everything(disk);
    auto refused = open(disk);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::invalid_argument);
    CHECK_THAT(refused.error().what(), t::ContainsSubstring("notes.txt"));
    CHECK(everything(disk) == before);

    const simulated other;
    static_cast<void>(other.make_directory("/db"));
    other.write_file("/db/STORE", coffer::as_bytes("of another program"));
    const auto theirs = everything(other);
    CHECK(kind_of(other) == errc::corruption);
    CHECK(other.read_file("/db/STORE") == theirs.at("/db/STORE"));
}

TEST_CASE("a store that was brought back without its LOCK may lie beside other files",
          "[opening]") {
    const simulated disk;
    open(disk).value().put("a", "1");
    REQUIRE(disk.remove_file("/db/LOCK"));
    disk.write_file("/db/notes.txt", coffer::as_bytes("mine"));
    CHECK(open(disk).value().get("a") == "1");
    CHECK(disk.read_file("/db/notes.txt").has_value());
}

TEST_CASE("a file of somebody else is left alone though it has a name of ours", "[opening]") {
    const auto theirs = GENERATE(as<std::string>{}, "4bf92f3577b34da6.log", "0000000000000001.log",
                                 "RESERVE", "INDEX", "INDEX.new", "LIVE", "STORE.new");
    INFO(theirs);
    const simulated disk;
    static_cast<void>(disk.make_directory("/db"));
    disk.write_file("/db/LOCK", {});
    disk.write_file("/db/" + theirs, coffer::as_bytes(std::string(600, 't')));
    const auto before = everything(disk);
    CHECK(kind_of(disk) == errc::invalid_argument);
    CHECK(everything(disk) == before);

    const simulated empty;
    static_cast<void>(empty.make_directory("/db"));
    empty.write_file("/db/4bf92f3577b34da6.log", {});
    CHECK(kind_of(empty) == errc::invalid_argument);
    CHECK(empty.files().size() == (empty.read_file("/db/LOCK") ? 2U : 1U));

    const simulated locked;  // of a program that has a LOCK as well
    static_cast<void>(locked.make_directory("/db"));
    locked.write_file("/db/LOCK", {});
    locked.write_file("/db/CURRENT", coffer::as_bytes("MANIFEST-1"));
    const auto whole = everything(locked);
    CHECK(kind_of(locked) == errc::invalid_argument);
    CHECK(everything(locked) == whole);
}

TEST_CASE("a folder that is named by a dot is synced with its parent", "[opening]") {
    for (const char* path : {"/a", "/a/", "/a/.", "/a/./"}) {
        INFO(path);
        const simulated disk;
        std::optional<simulated> killed;
        disk.set_step_hook([&](const fs::step& next) {
            if (next.is == fs::call::sync_directory && !killed) killed = disk.process_killed();
        });
        static_cast<void>(disk.make_directory("/a"));
        REQUIRE(killed);
        S::open(path, small(), *killed).put("key", "value");
        const simulated after = killed->power_lost();
        const auto opened = S::try_open("/a", small(), after);
        REQUIRE(opened.has_value());
        CHECK(opened->get("key") == "value");
    }
}

TEST_CASE("paths that cannot be", "[opening]") {
    const simulated disk;
    CHECK(S::try_open("", small(), disk).error().kind() == errc::invalid_argument);
    CHECK(S::try_open("/none/db", small(), disk).error().kind() == errc::not_found);
    CHECK(S::try_open_read_only("/db", small(), disk).error().kind() == errc::not_found);
    static_cast<void>(disk.make_directory("/db"));
    CHECK(S::try_open_read_only("/db", small(), disk).error().kind() == errc::not_found);
    CHECK(disk.files().empty());
}

TEST_CASE("one writer at a time, whose process is named", "[opening]") {
    const simulated disk;
    auto first = S::open("/db", small(), disk);
    CHECK(coffer::as_text(*disk.read_file("/db/LOCK")) == "4242                \n");
    auto second = open(disk);
    REQUIRE_FALSE(second);
    CHECK(second.error().kind() == errc::locked);
    CHECK_THAT(second.error().what(), t::ContainsSubstring("this process (pid 4242)"));
    disk.write_file("/db/LOCK", coffer::as_bytes("17\n"));
    second = open(disk);
    REQUIRE_FALSE(second);
    CHECK(second.error().kind() == errc::locked);
    CHECK_THAT(second.error().what(),
               t::ContainsSubstring("another process is using this store (pid 17)"));
    for (const char* nobody : {"", "x", "9 lives"}) {
        disk.write_file("/db/LOCK", coffer::as_bytes(std::string_view(nobody)));
        CHECK(open(disk).error().kind() == errc::locked);
    }
    CHECK_THAT(open(disk).error().what(), t::ContainsSubstring("(pid 9)"));
    disk.write_file("/db/LOCK", {});
    CHECK_THAT(open(disk).error().what(), t::ContainsSubstring("pid unknown"));
    disk.write_file("/db/LOCK", coffer::as_bytes(std::string_view("4711 is not read")));
    disk.fail_call(1, {}, coffer::fs::call::read);
    CHECK_THAT(open(disk).error().what(), t::ContainsSubstring("pid unknown"));
    first.close();
    CHECK(open(disk));
    CHECK(disk.read_file("/db/LOCK").has_value());  // never deleted
}

TEST_CASE("without a timeout a lock is asked for once, with one as long as that", "[opening]") {
    const simulated disk;
    const auto first = S::open("/db", small(), disk);
    const auto tries = [&](std::chrono::nanoseconds timeout, std::uint64_t moves) {
        coffer::options waits = small();
        waits.lock_timeout = timeout;
        disk.set_traced(true);
        std::atomic<bool> over{false};
        std::thread clock([&] {
            while (!over.load()) {
                disk.advance(moves);
                std::this_thread::yield();
            }
        });
        const errc kind = S::try_open("/db", waits, disk).error().kind();
        over = true;
        clock.join();
        CHECK(kind == errc::locked);
        std::size_t count = 0;
        for (const auto& each : disk.take_trace()) count += each.is == fs::call::lock;
        return count;
    };
    CHECK(tries(std::chrono::nanoseconds(0), 1000) == 1);
    CHECK(tries(std::chrono::seconds(1), 100'000) > 1);
}

TEST_CASE("a store whose identity is missing or differs is not touched", "[opening]") {
    const simulated disk;
    {
        S db = S::open("/db", small(), disk);
        db.put("a", "1");
    }
    const auto without_lock = [&] {
        auto out = everything(disk);
        out.erase("/db/LOCK");
        return out;
    };
    const auto identity = disk.read_file("/db/STORE").value();

    disk.remove_file("/db/STORE");
    auto before = without_lock();
    CHECK(kind_of(disk) == errc::corruption);
    CHECK(without_lock() == before);

    // What an unfinished making leaves lies beside the log.
    const std::string leftovers[] = {"/db/STORE.new", "/db/" + coffer::detail::segment_name(9)};
    for (const std::string& each : leftovers) disk.write_file(each, std::vector<std::byte>(100));
    before = without_lock();
    CHECK(kind_of(disk) == errc::corruption);
    CHECK(without_lock() == before);
    for (const std::string& each : leftovers) disk.remove_file(each);

    disk.write_file("/db/STORE", coffer::bytes(identity).first(511));
    before = without_lock();
    CHECK(kind_of(disk) == errc::corruption);
    CHECK(without_lock() == before);

    disk.write_file("/db/STORE", identity);
    using other_value = coffer::store<std::string, int, coffer::threading::single, simulated>;
    auto differs = other_value::try_open("/db", small(), disk);
    REQUIRE_FALSE(differs);
    CHECK(differs.error().kind() == errc::incompatible);
    CHECK_THAT(differs.error().what(), t::ContainsSubstring("values of type string"));
    CHECK(content(S::open("/db", small(), disk)) == model{{"a", "1"}});
}

TEST_CASE("a folder on another machine is refused, unless that is allowed", "[opening]") {
    const simulated disk;
    disk.make_directory("/db").value();
    disk.pretend_remote(true);
    auto refused = S::try_open("/db", small(), disk);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::invalid_argument);
    CHECK(refused.error().path() == "/db");
    CHECK_THAT(refused.error().what(), t::ContainsSubstring("network file system"));
    CHECK_THAT(refused.error().what(), t::ContainsSubstring("allow_network"));
    CHECK(disk.files().empty());
    coffer::options allowed = small();
    allowed.allow_network = true;
    S::open("/db", allowed, disk).put("a", "1");
    CHECK(S::open_read_only("/db", small(), disk).get("a") == "1");
    const auto before = disk.image_hash();
    CHECK(S::try_open("/db", small(), disk).error().kind() == errc::invalid_argument);
    CHECK(disk.image_hash() == before);
    disk.pretend_remote(false);
    CHECK(content(S::open("/db", small(), disk)) == model{{"a", "1"}});
}

TEST_CASE("a torn tail is cut off, kept aside and told", "[opening]") {
    const simulated disk;
    {
        S db = S::open("/db", small(), disk);
        db.put("a", "1");
        db.put("b", "2");
    }
    const simulated after = disk.power_lost();
    auto file = after.read_file(segment_1).value();
    file.resize(file.size() - coffer::detail::mark_size);  // not closed
    const std::uint64_t torn_at = file.size();
    for (int i = 0; i < 10; ++i) file.push_back(static_cast<std::byte>(i + 1));
    file.resize(16 * 1024);
    after.write_file(segment_1, file);
    {
        S db = S::open("/db", small(), after);
        const auto report = db.recovery();
        CHECK_FALSE(report.clean);
        CHECK_FALSE(report.created);
        CHECK(report.dropped_bytes == 10);
        CHECK(report.entries == 2);
        CHECK(report.kept_aside == "/db/" + coffer::detail::torn_name(1, torn_at));
        const auto aside = after.read_file(report.kept_aside).value();
        CHECK(aside.size() == 10);
        CHECK(aside[9] == std::byte{10});
        CHECK(after.is_durable(report.kept_aside));
        CHECK(content(db) == model{{"a", "1"}, {"b", "2"}});
        db.put("c", "3");
        // A file that was torn is never appended to again, nor cut.
        CHECK(after.read_file(segment_1) == file);
    }
    S db = S::open("/db", small(), after);
    CHECK(db.recovery().clean);
    CHECK(content(db) == model{{"a", "1"}, {"b", "2"}, {"c", "3"}});
}

TEST_CASE("on a full disk a torn tail is kept aside in the room of the reserve", "[opening]") {
    using buffered = coffer::store<std::string, std::string, coffer::durability::buffered,
                                   coffer::threading::single, simulated>;
    const simulated disk;
    buffered::open("/db", small(), disk).put("a", "1");
    auto file = disk.read_file(segment_1).value();
    file.resize(file.size() - coffer::detail::mark_size);  // not closed
    file.resize(file.size() + 6000, std::byte{7});
    disk.write_file(segment_1, file);
    auto folder = disk.open_directory("/db").value();
    REQUIRE(coffer::detail::make_reserved_file(folder, "RESERVE", 16 * 1024));
    constexpr std::uint64_t plenty = std::uint64_t{1} << 40;
    disk.set_capacity(plenty);
    disk.set_capacity(plenty - folder.free_bytes().value());
    buffered db = buffered::open("/db", small(), disk);
    CHECK(db.get("a") == "1");
    CHECK(disk.read_file(db.recovery().kept_aside)->size() == 6000);
}

TEST_CASE("under sync what open shows is durable, although the process died", "[opening]") {
    const simulated disk;
    {
        S db = S::open("/db", small(), disk);
        db.put("kept", "1");
        disk.fail_call(1, {}, fs::call::sync);
        CHECK(db.try_put("lost or kept", "2").error().kind() == errc::io_error);
        CHECK(db.try_put("refused", "3").error().kind() == errc::poisoned);
        disk.clear_faults();
        static_cast<void>(db.try_close());
    }
    S db = S::open("/db", small(), disk);
    CHECK_FALSE(db.recovery().clean);
    const model shown = content(db);
    CHECK(shown.count("kept") == 1);
    CHECK(shown.count("refused") == 0);
    CHECK(db.recovery().rewritten + 1 >= shown.size());
    // A power cut right after open changes nothing of it.
    const S after = S::open("/db", small(), disk.power_lost());
    CHECK(content(after) == shown);
}

TEMPLATE_TEST_CASE("the room that a killed run had reserved goes back to the disk", "[opening]",
                   coffer::storage::file_log, coffer::storage::mmap) {
    using killed_store = coffer::store<std::string, std::string, TestType,
                                       coffer::durability::write_through, simulated>;
    const simulated disk;
    killed_store killed = killed_store::open("/db", small(), disk);
    killed.put("kept", "1");
    killed.sync();
    const auto size_on = [](const simulated& on) { return on.read_file(segment_1)->size(); };
    constexpr std::size_t full = 16 * 1024;
    constexpr std::size_t cut = coffer::detail::header_unit + 200;
    const simulated left = disk.process_killed();
    REQUIRE(size_on(left) == full);
    SECTION("not by opening for reading") {
        CHECK(killed_store::open_read_only("/db", {}, left).contains("kept"));
        CHECK(size_on(left) == full);
    }
    SECTION("by opening for writing, and what is there stays so") {
        const bool cuts = GENERATE(true, false);
        if (!cuts) left.fail_call(1, {}, fs::call::resize);  // no reason to refuse the store
        killed_store db = killed_store::open("/db", small(), left);
        CHECK(db.contains("kept"));
        CHECK((size_on(left) <= cut) == cuts);
        const simulated again = left.process_killed();
        for (const simulated& on : {again.process_killed(), again.power_lost()})
            CHECK(killed_store::open("/db", small(), on).contains("kept"));
        db.put("more", "1");
        db.close();
        db = killed_store::open("/db", small(), left);
        CHECK(db.recovery().clean);
        CHECK(db.size() == 2);
        CHECK(db.verify().ok());
    }
}

TEMPLATE_TEST_CASE("room with torn bytes in it stays, at the open after the next, too", "[opening]",
                   coffer::storage::file_log, coffer::storage::mmap) {
    using killed_store = coffer::store<std::string, std::string, TestType,
                                       coffer::durability::write_through, simulated>;
    const simulated disk;
    killed_store killed = killed_store::open("/db", {}, disk);
    killed.put("kept", "1");
    killed.sync();
    const simulated left = disk.power_lost();
    auto torn = left.read_file(segment_1).value();
    REQUIRE(torn.size() > 512 * 1024);
    torn[500 * 1024] = std::byte{1};
    left.write_file(segment_1, torn);
    const killed_store next = killed_store::open("/db", {}, left);
    CHECK(next.recovery().dropped_bytes > 0);
    const simulated again = left.process_killed();
    CHECK((again.read_file(segment_1) == torn));
    CHECK(killed_store::open("/db", {}, again).contains("kept"));
    CHECK((again.read_file(segment_1) == torn));
}

TEST_CASE("damage is refused, and no file is changed", "[opening]") {
    const simulated disk;
    {
        S db = S::open("/db", small(), disk);
        for (int i = 0; i < 5; ++i) db.put("key" + std::to_string(i), "value");
        db.close();
    }
    REQUIRE(disk.flip(segment_1, 4096 + 12, std::byte{1}));
    auto before = everything(disk);
    auto refused = open(disk);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::corruption);
    CHECK(refused.error().path() == segment_1);
    CHECK(refused.error().offset() == 4096U);
    CHECK(everything(disk) == before);
    CHECK(S::try_open_read_only("/db", small(), disk).error().kind() == errc::corruption);
}

TEST_CASE("damage in front of a torn tail is refused, and the tail is not kept aside",
          "[opening]") {
    const simulated disk;
    for (const std::string key : {"first", "second"}) {
        S db = S::open("/db", small(), disk);
        db.put(key, "value");
        db.close();
    }
    const std::string segment_2 = "/db/" + coffer::detail::segment_name(2);
    auto file = disk.read_file(segment_2).value();
    file.resize(file.size() - coffer::detail::mark_size);  // not closed
    for (int i = 0; i < 10; ++i) file.push_back(static_cast<std::byte>(i + 1));
    disk.write_file(segment_2, file);
    CHECK(S::open("/db", small(), disk.process_killed()).recovery().dropped_bytes == 10);

    REQUIRE(disk.flip(segment_1, 4096 + 12, std::byte{1}));
    const auto before = everything(disk);
    CHECK(kind_of(disk) == errc::corruption);
    auto after = everything(disk);
    CHECK(after == before);
}

TEST_CASE("opening for reading writes nothing and takes no lock", "[opening]") {
    const simulated disk;
    S writer = S::open("/db", small(), disk);
    writer.put("a", "1");
    const std::uint64_t before = disk.steps();
    {
        auto reader = S::open_read_only("/db", small(), disk);
        CHECK(reader.get("a") == "1");
        CHECK(reader.try_put("b", "2").error().kind() == errc::read_only);
        CHECK(reader.try_erase("a").error().kind() == errc::read_only);
        CHECK(reader.try_compact().error().kind() == errc::read_only);
        CHECK(reader.try_clear().error().kind() == errc::read_only);
        CHECK(reader.try_sync().error().kind() == errc::read_only);
    }
    CHECK(disk.steps() == before);
    auto reader = S::open_read_only("/db", small(), disk);
    writer.put("b", "2");
    CHECK_FALSE(reader.contains("b"));
    reader.refresh();
    CHECK(reader.get("b") == "2");
}

TEST_CASE("files that are not part of the log go, once it is durable", "[opening]") {
    const simulated disk;
    {
        S db = S::open("/db", small(), disk);
        db.put("a", "1");
    }
    disk.write_file("/db/STORE.new", coffer::as_bytes("half"));
    disk.write_file("/db/INDEX.new", {});
    disk.write_file("/db/0000000000000009.log", std::vector<std::byte>(16 * 1024));
    {
        const S db = S::open("/db", small(), disk);
        CHECK(db.get("a") == "1");
    }
    for (const std::string& each : disk.files()) {
        CHECK_FALSE(each.ends_with(".new"));
        CHECK(each != "/db/0000000000000009.log");
    }
    S db = S::open("/db", small(), disk);
    db.put("b", "2");
    CHECK(content(db) == model{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("options that cannot be are refused before anything is touched", "[opening]") {
    const simulated disk;
    coffer::options wrong;
    wrong.segment_bytes = 1;
    CHECK(S::try_open("/db", wrong, disk).error().kind() == errc::invalid_argument);
    CHECK(disk.calls() == 0);
}

TEST_CASE("a file with the highest number of all leaves none for another segment", "[opening]") {
    const simulated disk;
    {
        S db = S::open("/db", small(), disk);
        db.put("a", "1");
    }
    REQUIRE(disk.write_file("/db/00000001ffffffff.log", {}));
    {
        S db = S::open("/db", small(), disk);
        CHECK(db.get("a") == "1");
        auto refused = db.try_put("b", "2");
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind() == errc::no_space);
        CHECK_FALSE(db.get("b"));
        CHECK(db.try_close());
    }
    S db = S::open("/db", small(), disk);  // the file was nobody's, and is gone
    db.put("b", "2");
    CHECK(content(db) == model{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("a making that was killed is forgiven whatever the size of a segment", "[opening]") {
    for (const std::uint64_t size : {16384U, 20000U, 100'000U, 1'000'000U, 1'048'576U}) {
        coffer::options chosen = small();
        chosen.segment_bytes = size;
        std::vector<simulated> moments;
        const simulated disk;
        disk.set_step_hook(
            [&](const fs::step&) { moments.push_back(disk.process_killed()); });
        S::open("/db", chosen, disk).close();
        disk.clear_step_hook();
        for (const simulated& each : moments) {
            const auto again = S::try_open("/db", chosen, each);
            INFO(size << ": " << (again ? "" : again.error().what()));
            CHECK(again.has_value());
        }
    }
}
