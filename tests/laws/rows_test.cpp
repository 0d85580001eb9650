// The defects of the documents that coffer grew from, each as a test under its own id: an A row is
// of the IPFS course, a G row of the file store that was made fast step by step. A row that is
// about a benchmark or about prose has no test here; those of whole tools have theirs elsewhere.
#include "catch.hpp"

#include "durability/bench.hpp"

#include <coffer/coffer.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#if defined(__linux__)
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#endif

namespace {

using namespace bench;
namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace threading = coffer::threading;

using synced = store<durability::sync>;
using background = store<durability::async>;
using buffered = store<durability::buffered>;

/// Calls `f(std::vector<std::byte>&, offset)` for the file that holds `text`, and keeps what it made.
template <class F>
void change_around(const simulated& disk, std::string_view text, F f) {
    const coffer::bytes wanted = coffer::as_bytes(text);
    auto folder = disk.open_directory("/s").value();
    const std::vector<std::string> names = folder.list().value();
    for (const std::string& name : names) {
        std::vector<std::byte> all = disk.read_file("/s/" + name).value();
        const auto at = std::search(all.begin(), all.end(), wanted.begin(), wanted.end());
        if (at == all.end()) continue;
        f(all, static_cast<std::size_t>(at - all.begin()));
        disk.write_file("/s/" + name, all);
        return;
    }
    FAIL("no file holds " << text);
}

}  // namespace

TEST_CASE("A-D1: an error has a code, the system's number and a path, not only words") {
    const simulated disk;
    synced db = synced::open("/s", small_options(), disk);
    disk.fail_call(1, fault{errc::io_error, EIO, false, 0}, call::sync);
    const auto done = db.try_put("key", "value");
    REQUIRE_FALSE(done);
    CHECK(done.error().code() == errc::io_error);
    CHECK(done.error().code().category() == coffer::error_category());
    CHECK(done.error().os_code() == EIO);
    CHECK(done.error().path().find("/s/") == 0);
}

#if defined(__linux__)
namespace {

/// Runs `f` in a child that is then killed, as by kill -9.
template <class F>
void in_a_killed_child(F f) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        f();
        static_cast<void>(::kill(::getpid(), SIGKILL));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
}

struct folder {
    folder() {
        char path[] = "coffer-rows-XXXXXX";
        REQUIRE(::mkdtemp(path) != nullptr);
        root = path;
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() {
        auto held = coffer::fs::native().open_directory(path());
        if (held) {
            const auto names = held->list();
            for (const std::string& name : names.value()) static_cast<void>(held->remove(name));
        }
        ::rmdir(path().c_str());
        ::rmdir(root.c_str());
    }
    [[nodiscard]] std::string path() const { return root + "/s"; }
    std::string root;
};

using on_disk = coffer::store<std::string, std::string, durability::sync>;
using on_disk_buffered = coffer::store<std::string, std::string, durability::buffered>;

}  // namespace

TEST_CASE("A-D2: the lock of a process that was killed locks nobody out") {
    const folder here;
    in_a_killed_child([&] {
        on_disk db = on_disk::open(here.path());
        db.put("key", "value");
    });
    CHECK(on_disk::open(here.path()).get("key") == "value");
}

TEST_CASE("A-D3: a second writer is refused by name, and gets no empty store of its own") {
    const folder here;
    on_disk db = on_disk::open(here.path());
    db.put("key", "value");
    const auto second = on_disk::try_open(here.path());
    REQUIRE_FALSE(second);
    CHECK(second.error().code() == errc::locked);
    CHECK(std::string(second.error().what()).find(std::to_string(::getpid())) != std::string::npos);
    CHECK(on_disk::open_read_only(here.path()).get("key") == "value");
}
#endif

TEST_CASE("A-D4: no store on disk lives in a place that its user did not name") {
    STATIC_REQUIRE_FALSE(std::is_default_constructible_v<on_disk>);
    STATIC_REQUIRE_FALSE(std::is_default_constructible_v<synced>);
    STATIC_REQUIRE(std::is_default_constructible_v<store<storage::map>>);
    const simulated disk;
    const auto nowhere = synced::try_open("", {}, disk);
    REQUIRE_FALSE(nowhere);
    CHECK(nowhere.error().code() == errc::invalid_argument);
}

TEST_CASE("A-D5: a store in memory may be used from many threads") {
    store<storage::map> db;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&db, t] {
            for (int i = 0; i < 500; ++i) {
                db.put(std::to_string(t) + "/" + std::to_string(i), std::to_string(i));
                static_cast<void>(db.get(std::to_string((t + 1) % 4) + "/" + std::to_string(i)));
            }
        });
    }
    for (std::thread& each : threads) each.join();
    CHECK(db.size() == 2000);
    CHECK(db.get("3/499") == "499");
}

TEST_CASE("A-D6: a disk that fills up while writing leaves the store as it was") {
    const simulated disk;
    synced db = synced::open("/s", small_options(), disk);
    db.put("key", "value");
    disk.set_capacity(96 * 1024);
    std::optional<errc> answer;
    for (int i = 0; i < 300 && !answer; ++i)
        answer = failure_of(db.try_put("fill " + std::to_string(i), std::string(1000, 'v')));
    CHECK(answer == errc::no_space);
    const std::uint64_t size = db.size();
    CHECK(db.get("key") == "value");
    CHECK(db.verify().ok());
    const simulated after = disk.power_lost();
    CHECK(synced::open_read_only("/s", small_options(), after).size() == size);
    if (auto full = synced::try_open("/s", small_options(), after)) {
        CHECK(full->size() == size);
        CHECK(failure_of(full->try_put("more", std::string(10'000, 'v'))) == errc::no_space);
    } else {  // there was no room to write the tail again
        CHECK(full.error().kind() == errc::no_space);
    }
    after.set_capacity(std::uint64_t{1} << 30);
    synced roomy = synced::open("/s", small_options(), after);
    CHECK(roomy.size() == size);
    roomy.put("more", std::string(10'000, 'v'));
}

TEST_CASE("A-D11: the figures of a store are its own, after overwrites, erases and reopening") {
    const simulated disk;
    {
        synced db = synced::open("/s", small_options(), disk);
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 100; ++i) db.put(std::to_string(i), std::string(100, 'v'));
        }
        for (int i = 0; i < 40; ++i) CHECK(db.erase(std::to_string(i)));
        CHECK(db.stats().entries == 60);
        CHECK(db.stats().dead_bytes > 200 * 100);
    }
    synced db = synced::open("/s", small_options(), disk);
    CHECK(db.stats().entries == 60);
    CHECK(db.size() == 60);
    db.compact();
    CHECK(db.stats().entries == 60);
    CHECK(db.stats().log_bytes < 60 * 200 + 3 * 4096);
}

TEST_CASE("A-D13: what a store promises unless told otherwise survives a power cut") {
    using plain = coffer::store<std::string, std::string, simulated>;
    STATIC_REQUIRE(plain::survives_system_crash);
    const simulated disk;
    plain db = plain::open("/s", small_options(), disk);
    db.put("key", "value");
    CHECK(plain::open("/s", small_options(), disk.power_lost()).get("key") == "value");
}

TEST_CASE("A-D14: a store is made where its path says and nowhere else") {
    const simulated disk;
    REQUIRE(disk.make_directory("/home"));
    { synced db = synced::open("/home/memory", small_options(), disk); }
    CHECK(disk.open_directory("/home").value().list().value() ==
          std::vector<std::string>{"memory"});
    CHECK_FALSE(disk.open_directory("/memory"));
    const auto orphan = synced::try_open("/none/s", small_options(), disk);
    REQUIRE_FALSE(orphan);
    CHECK(orphan.error().code() == errc::not_found);
    CHECK_FALSE(disk.open_directory("/none"));
}

TEST_CASE("G-D1: under sync acknowledged is durable; elsewhere sync() makes it so") {
    const simulated disk;
    synced db = synced::open("/s", small_options(), disk);
    for (int i = 0; i < 1000; ++i) db.put(std::to_string(i), "value");
    CHECK(synced::open("/s", small_options(), disk.power_lost()).size() == 1000);

    const simulated other;
    background later = background::open("/s", small_options(), other);
    for (int i = 0; i < 1000; ++i) later.put(std::to_string(i), "value");
    later.sync();
    CHECK(background::open("/s", small_options(), other.power_lost()).size() == 1000);
}

TEST_CASE("G-D2: a log is read again whatever the size of the buffer before it") {
    for (const std::uint64_t size : {4096U, 65535U, 65536U, 65537U, 4194304U}) {
        const simulated disk;
        coffer::options chosen = small_options();
        chosen.buffer_bytes = size;
        buffered db = buffered::open("/s", chosen, disk);
        for (int i = 0; i < 100; ++i) db.put("key " + std::to_string(i), "value");
        db.flush();
        CHECK(buffered::open("/s", chosen, disk.process_killed()).size() == 100);
    }
}

TEST_CASE("G-D3: a write is there for the reader that follows it, however late the disk is") {
    const simulated disk;
    background db = background::open("/s", small_options(), disk);
    gate stable(disk, call::sync);
    stable.close();
    for (int i = 0; i < 1000; ++i) {
        db.put("key", std::to_string(i));
        if (db.get("key") != std::to_string(i)) FAIL("write " << i << " was not there");
    }
    stable.open();
}

TEST_CASE("G-D4: the last write wins, and what was erased stays so, under compaction as well") {
    const simulated disk;
    background db = background::open("/s", small_options(), disk);
    for (int i = 0; i < 3000; ++i) {
        db.put("key " + std::to_string(i % 10), std::to_string(i));
        if (i % 10 == 3) CHECK(db.erase("key 3"));
        if (i % 500 == 0) db.compact();
    }
    const auto right = [](const background& of) {
        for (int i = 0; i < 10; ++i) {
            const auto value = of.get("key " + std::to_string(i));
            if (i == 3 ? value.has_value() : value != std::to_string(2990 + i)) return false;
        }
        return of.size() == 9;
    };
    CHECK(right(db));
    db.close();
    CHECK(right(background::open("/s", small_options(), disk)));
}

TEST_CASE("G-D5: a length is a length: 70 000 bytes come back, a key too long is refused") {
    const simulated disk;
    const std::string value(70'000, 'v');
    const std::string key(65'536, 'k');
    {
        synced db = synced::open("/s", small_options(), disk);
        db.put("long", value);
        db.put(key, "at the limit");
        CHECK(failure_of(db.try_put(key + "k", "beyond")) == errc::too_large);
    }
    synced db = synced::open("/s", small_options(), disk);
    CHECK(db.get("long") == value);
    CHECK(db.get(key) == "at the limit");
    CHECK(db.size() == 2);
}

TEST_CASE("G-D6: keys and values may hold whatever a text format would trip over") {
    const simulated disk;
    const std::vector<std::string> odd{"users:key1", "a:b:c", "line1\nline2",       "\n",
                                       ":",          "",      std::string("\0", 1), "put:k:v\n"};
    {
        synced db = synced::open("/s", small_options(), disk);
        for (const std::string& each : odd) db.put(each, each + "\n:" + each);
    }
    synced db = synced::open("/s", small_options(), disk);
    CHECK(db.size() == odd.size());
    for (const std::string& each : odd) CHECK(db.get(each) == each + "\n:" + each);
}

TEST_CASE("G-D7: a torn end is cut off, a changed byte is found") {
    const simulated disk;
    synced db = synced::open("/s", small_options(), disk);
    db.put("first", "value one");
    db.put("second", "value two");
    const simulated torn = disk.process_killed();
    change_around(torn, "value two", [](std::vector<std::byte>& all, std::size_t at) {
        all.resize(at + 6);  // three bytes are missing
    });
    const auto cut = synced::try_open("/s", small_options(), torn);
    // A mark may have called the second durable: then it is damage and not a torn end.
    if (cut) {
        CHECK(cut->get("first") == "value one");
        CHECK_FALSE(cut->contains("second"));
    } else {
        CHECK(cut.error().code() == errc::corruption);
    }
    const simulated changed = disk.process_killed();
    change_around(changed, "value one",
                  [](std::vector<std::byte>& all, std::size_t at) { all[at + 2] ^= std::byte{1}; });
    const auto damaged = synced::try_open("/s", small_options(), changed);
    if (damaged) {
        const auto shown = damaged->try_get("first");
        CHECK((!shown || !shown->has_value()));
    } else {
        CHECK(damaged.error().code() == errc::corruption);
    }
}

TEST_CASE("G-D8: a crash at any moment of a compaction loses nothing") {
    const simulated disk;
    synced db = synced::open("/s", small_options(), disk);
    for (int i = 0; i < 300; ++i) db.put(std::to_string(i % 100), std::string(1000, 'v'));
    std::vector<simulated> moments;
    disk.set_step_hook([&](const step&) { moments.push_back(disk.power_lost()); });
    db.compact();
    disk.clear_step_hook();
    CHECK(moments.size() > 10);
    for (const simulated& each : moments) {
        if (synced::open("/s", small_options(), each).size() != 100) FAIL("keys were lost");
    }
}

TEST_CASE("G-D9: a file that cannot be read is never overwritten by an empty store") {
    const simulated disk;
    {
        synced db = synced::open("/s", small_options(), disk);
        for (int i = 0; i < 10; ++i) db.put(std::to_string(i), "value");
    }
    for (const char* name : {"/s/STORE", "/s/0000000000000001.log"}) {
        const simulated damaged = disk.process_killed();
        const std::vector<std::byte> junk(512, std::byte{'?'});
        damaged.write_file(name, junk);
        CHECK(failure_of(synced::try_open("/s", small_options(), damaged)) == errc::corruption);
        CHECK(damaged.read_file(name).value() == junk);
    }
}

TEST_CASE("G-D10: a compaction stops neither readers nor writers") {
    // Alone: where the store's own cleaning is late, writers keep step with it, for a time that on
    // a simulated disk passes only when somebody moves the clock (cleaning_debt_test).
    coffer::options chosen = small_options();
    chosen.auto_compact = false;
    const simulated disk;
    background db = background::open("/s", chosen, disk);
    for (int i = 0; i < 400; ++i) db.put(std::to_string(i % 100), std::string(1000, 'v'));
    db.sync();
    gate removing(disk, call::remove);
    removing.close();
    std::thread compaction([&] { db.compact(); });
    const bool held = eventually([&] { return removing.holds_somebody(); });
    for (int i = 0; i < 100; ++i) {
        db.put("meanwhile " + std::to_string(i), "value");
        if (!db.get(std::to_string(i))) FAIL("key " << i << " was not there");
    }
    removing.open();
    compaction.join();
    CHECK(held);
    CHECK(db.size() == 200);
}

TEST_CASE("G-D11: overwriting a key takes no more memory or disk than its last value") {
    const simulated disk;
    buffered db = buffered::open("/s", small_options(), disk);
    db.put("key", "value");
    const std::uint64_t index = db.stats().index_bytes;
    for (int i = 0; i < 20'000; ++i) db.put("key", std::string(100, 'v'));
    CHECK(db.stats().index_bytes == index);
    db.compact();
    CHECK(db.stats().log_bytes <= 3 * small_options().segment_bytes);
}

TEST_CASE("G-D12: a lookup reads one record, however many there are") {
    for (const int count : {10, 10'000}) {
        const simulated disk;
        coffer::options chosen = small_options();
        chosen.map_reads = false;
        {
            buffered db = buffered::open("/s", chosen, disk);
            for (int i = 0; i < count; ++i) db.put(std::to_string(i), "value");
        }
        buffered db = buffered::open("/s", chosen, disk);
        const std::uint64_t before = disk.calls();
        CHECK(db.get("7") == "value");
        CHECK(disk.calls() - before <= 2);
    }
}

TEST_CASE("G-D13: an error in the background is answered by the next call") {
    const simulated disk;
    background db = background::open("/s", small_options(), disk);
    db.put("key", "value");
    disk.fail_call(1, fault{errc::io_error, EIO, false, 0}, call::sync);
    CHECK(failure_of(db.try_sync()) == errc::io_error);
    CHECK(failure_of(db.try_put("other", "value")) == errc::poisoned);
    CHECK(failure_of(db.try_close()) == errc::poisoned);
}

TEST_CASE("G-D14: a batch of more than 4 MB is written whole") {
    const simulated disk;
    synced db = synced::open("/s", small_options(), disk);
    synced::batch all;
    for (int i = 0; i < 5; ++i) all.put(std::to_string(i), std::string(1'000'000, 'v'));
    db.write(all);
    CHECK(synced::open("/s", small_options(), disk.power_lost()).size() == 5);
}

TEST_CASE("G-D15: a call after close() has an answer; so have writers that are held back") {
    const simulated disk;
    background db = background::open("/s", small_options(), disk);
    db.put("key", "value");
    db.close();
    CHECK(failure_of(db.try_put("key", "value")) == errc::closed);
    CHECK(failure_of(db.try_get("key")) == errc::closed);
    CHECK(failure_of(db.try_size()) == errc::closed);
    CHECK(db.try_close().has_value());
}

TEST_CASE("G-D16: types are checked when compiling") {
    using numbers = coffer::store<std::uint32_t, double, storage::map>;
    numbers db;
    db.put(1, 2.5);
    CHECK(db.get(1) == 2.5);
    STATIC_REQUIRE(std::is_same_v<decltype(db.get(1)), std::optional<double>>);
    // What must not compile is in tests/reject.
}
