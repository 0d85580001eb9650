// What goes wrong on a faulty file system, and that nothing else does.
#include "catch.hpp"

#include <coffer/fs/faulty.hpp>
#include <coffer/fs/native.hpp>
#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using coffer::errc;
using coffer::fs::call;
using coffer::fs::fault;
using coffer::fs::faulty;
using coffer::fs::simulated;
using mode = coffer::fs::access;  // POSIX has a function of the other name

/// A disk in memory with a folder, and one file that holds ten digits.
struct world {
    world() {
        REQUIRE(fs.make_directory("/f").value());
        folder.emplace(fs.open_directory("/f").value());
        file.emplace(folder->create("a").value());
        REQUIRE(file->write_at(0, coffer::as_bytes("0123456789")));
    }
    [[nodiscard]] std::string contents() {
        std::string found(20, '?');
        std::size_t size = 0;
        REQUIRE_NOTHROW(size = fs.inner()
                                   .open_directory("/f")
                                   .value()
                                   .open("a", mode::read)
                                   .value()
                                   .read_at(0, std::as_writable_bytes(std::span(found)))
                                   .value());
        found.resize(size);
        return found;
    }

    faulty<simulated> fs;
    std::optional<faulty<simulated>::directory> folder;
    std::optional<faulty<simulated>::file> file;
};

template <class Result>
void check_fault(const Result& answer, errc code, int os_code) {
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind() == code);
    CHECK(answer.error().os_code() == os_code);
    CHECK_THAT(answer.error().what(), t::ContainsSubstring("told to fail"));
}

}  // namespace

TEST_CASE("each kind of call fails alone, and does nothing then", "[fs][faulty]") {
    world w;
    const auto fails = [&](call kind, auto&& make) {
        INFO(coffer::fs::name_of(kind));
        const auto before = w.fs.inner().calls();
        w.fs.fail_call(1, {errc::no_space, ENOSPC}, kind);
        check_fault(make(), errc::no_space, ENOSPC);
        CHECK(w.fs.inner().calls() == before);
        CHECK(make().has_value());
        CHECK(w.fs.inner().calls() > before);
    };
    int made = 0;
    const auto fresh = [&] { return "made" + std::to_string(made++); };
    fails(call::open_directory, [&] { return w.fs.open_directory("/f"); });
    fails(call::make_directory, [&] { return w.fs.make_directory("/f/" + fresh()); });
    fails(call::list, [&] { return w.folder->list(); });
    fails(call::free_bytes, [&] { return w.folder->free_bytes(); });
    CHECK_FALSE(w.folder->is_remote());  // no call: it cannot fail
    w.fs.inner().pretend_remote(true);
    CHECK(w.folder->is_remote());
    fails(call::create, [&] { return w.folder->create(fresh()); });
    fails(call::open, [&] { return w.folder->open("a", mode::write); });
    fails(call::sync_directory, [&] { return w.folder->sync(); });
    fails(call::size, [&] { return w.file->size(); });
    fails(call::read, [&] {
        std::byte one[1];
        return w.file->read_at(0, one);
    });
    fails(call::write, [&] { return w.file->write_at(0, coffer::as_bytes("0")); });
    fails(call::resize, [&] { return w.file->resize(10); });
    fails(call::reserve, [&] { return w.file->reserve(0, 10); });
    fails(call::sync, [&] { return w.file->sync(); });
    fails(call::lock, [&] { return w.file->try_lock(); });
    fails(call::map, [&] { return w.file->map(0, 10, mode::write); });
    fails(call::map, [&] { return w.file->copy(0, 10, 64); });
    auto map = w.file->map(0, 10, mode::write).value();
    fails(call::sync_map, [&] { return map.sync(0, 10); });
    fails(call::rename, [&] { return w.folder->rename("a", "b"); });
    fails(call::remove, [&] { return w.folder->remove("b"); });
    CHECK(w.fs.faults() == 19);
}

TEST_CASE("faults count calls of any kind, or of one, once or for ever", "[fs][faulty]") {
    world w;
    w.fs.fail_call(3);
    CHECK(w.file->size());
    CHECK(w.file->sync());
    check_fault(w.file->size(), errc::io_error, EIO);
    CHECK(w.file->size());

    w.fs.fail_call(2, {errc::io_error, EIO, true}, call::sync);
    CHECK(w.file->sync());
    CHECK(w.file->size());
    for (int i = 0; i < 3; ++i) check_fault(w.file->sync(), errc::io_error, EIO);
    CHECK(w.file->size());
    w.fs.clear_faults();
    CHECK(w.file->sync());
    CHECK(w.fs.faults() == 4);
}

TEST_CASE("writes and reads are cut short", "[fs][faulty]") {
    world w;
    w.fs.fail_call(1, {errc::no_space, ENOSPC, false, 3}, call::write);
    check_fault(w.file->write_at(0, coffer::as_bytes("abcdef")), errc::no_space, ENOSPC);
    CHECK(w.contents() == "abc3456789");
    w.fs.fail_call(1, fault::shortened(2), call::write);
    check_fault(w.file->write_at(4, coffer::as_bytes("XYZ")), errc::io_error, EIO);
    CHECK(w.contents() == "abc3XY6789");
    w.fs.fail_call(1, fault::shortened(3), call::write);
    CHECK(w.file->write_at(4, coffer::as_bytes("456")));  // is no longer than that
    CHECK(w.contents() == "abc3456789");

    std::byte into[10];
    w.fs.fail_call(1, fault::shortened(4), call::read);
    CHECK(w.file->read_at(0, into).value() == 4);
    CHECK(w.file->read_at(0, into).value() == 10);
    w.fs.fail_call(1, fault::shortened(0));
    CHECK(w.file->size().value() == 10);  // has no length to cut

    simulated disk;  // its own faults do the same
    REQUIRE(disk.make_directory("/f").value());
    auto file = disk.open_directory("/f").value().create("a").value();
    REQUIRE(file.write_at(0, coffer::as_bytes("0123456789")));
    disk.fail_call(1, fault::shortened(4), call::read);
    CHECK(file.read_at(0, into).value() == 4);
    disk.fail_call(1, fault::shortened(2), call::write);
    CHECK_FALSE(file.write_at(0, coffer::as_bytes("abcd")));
    CHECK(file.read_at(0, into).value() == 10);
    CHECK(coffer::as_text(into) == "ab23456789");
}

TEST_CASE("calls are late by the clock of the file system", "[fs][faulty]") {
    faulty<coffer::fs::native> fs;
    constexpr std::uint64_t delay = 3'000'000;
    fs.fail_call(1, fault::delayed(delay), call::open_directory);
    const std::uint64_t before = fs.now();
    CHECK(fs.open_directory(std::filesystem::temp_directory_path().string()));
    CHECK(fs.now() >= before + delay);

    simulated disk;
    const std::uint64_t then = disk.now();
    disk.fail_call(1, fault::delayed(delay), call::open_directory);
    CHECK(disk.open_directory("/"));
    CHECK(disk.now() == then + delay);
    fault late = fault::delayed(delay);
    late.carried_out = false;
    disk.fail_call(1, late);
    CHECK_FALSE(disk.open_directory("/"));
    CHECK(disk.now() == then + 2 * delay);
}

TEST_CASE("a hook sees each change, a trace each call", "[fs][faulty]") {
    world w;
    std::vector<coffer::fs::step> seen;
    w.fs.set_step_hook([&](const coffer::fs::step& next) { seen.push_back(next); });
    w.fs.set_traced(true);
    auto map = w.file->map(0, 10, mode::write).value();
    map.stored(2, 3);
    REQUIRE(w.folder->rename("a", "b"));
    const auto copy = w.fs;
    CHECK(copy == w.fs);
    CHECK(copy.calls() == w.fs.calls());
    CHECK_FALSE(copy == faulty<simulated>(w.fs.inner()));
    const std::vector<coffer::fs::step> changes{{call::stored, "/f/a", "", 2, 3},
                                                {call::rename, "/f/a", "b", 0, 0}};
    CHECK(seen == changes);
    const auto trace = copy.take_trace();
    REQUIRE(trace.size() == 3);
    CHECK(trace[0] == coffer::fs::step{call::map, "/f/a", "", 0, 10});
    CHECK(copy.take_trace().empty());
    w.fs.clear_step_hook();
    REQUIRE(w.file->sync());
    CHECK(seen.size() == 2);
}

TEST_CASE("a store in a real folder meets the faults that a test chooses", "[fs][faulty]") {
    using disk = faulty<coffer::fs::native>;
    using store = coffer::store<std::string, int, disk>;
    disk fs;
    std::byte random[8];
    fs.random(random);
    std::string name = "coffer_faulty_";
    for (const std::byte each : random)
        name += static_cast<char>('a' + std::to_integer<int>(each) % 26);
    const std::string path = (std::filesystem::temp_directory_path() / name).string();
    {
        auto db = store::open(path, {}, fs);
        db.put("before", 1);
        fs.fail_call(1, {}, call::sync);
        const auto refused = db.try_put("lost", 2);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().kind() == errc::io_error);
        CHECK_FALSE(db.contains("lost"));
        CHECK(db.try_put("later", 3).error().kind() == errc::poisoned);
        CHECK(db.get("before") == 1);
    }
    fs.fail_call(1, {errc::permission_denied, EACCES}, call::lock);
    CHECK(store::try_open(path, {}, fs).error().kind() == errc::permission_denied);
    {
        auto db = store::open(path, {}, fs);
        CHECK(db.get("before") == 1);
        CHECK_FALSE(db.contains("later"));
    }
    std::filesystem::remove_all(path);
}
