// What every file system must do, asked of each in the same words.
#include "catch.hpp"

#include <coffer/config/platform.hpp>
#include <coffer/fs/faulty.hpp>
#include <coffer/fs/native.hpp>
#include <coffer/fs/simulated.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using coffer::errc;
using mode = coffer::fs::access;  // POSIX has a function of the other name

/// A fresh folder of a file system.
template <class FS>
struct world;

template <>
struct world<coffer::fs::native> {
    world() {
        std::byte random[8];
        fs.random(random);
        std::string name = "coffer_concept_";
        for (const std::byte each : random)
            name += static_cast<char>('a' + std::to_integer<int>(each) % 26);
        path = (std::filesystem::temp_directory_path() / name).string();
        REQUIRE(fs.make_directory(path).value());
    }
    ~world() { std::filesystem::remove_all(path); }
    coffer::fs::native fs;
    std::string path;
};

template <>
struct world<coffer::fs::simulated> {
    world() { REQUIRE(fs.make_directory(path).value()); }
    coffer::fs::simulated fs;
    std::string path = "/store";
};

/// The same folder, seen through a file system that does nothing wrong.
template <class FS>
struct world<coffer::fs::faulty<FS>> : world<FS> {
    coffer::fs::faulty<FS> fs{world<FS>::fs};
};

coffer::bytes text(std::string_view characters) {
    return coffer::as_bytes(characters);
}

template <class File>
std::string read(const File& file, std::uint64_t at, std::size_t size) {
    std::string found(size, '?');
    const auto got = file.read_at(at, std::as_writable_bytes(std::span(found)));
    found.resize(got.value());
    return found;
}

template <class Result>
errc kind(const Result& failed) {
    REQUIRE_FALSE(failed.has_value());
    CHECK(std::strlen(failed.error().what()) > 20);
    return failed.error().kind();
}

template <class Directory>
std::vector<std::string> names(Directory& directory) {
    auto found = directory.list().value();
    std::sort(found.begin(), found.end());
    return found;
}

using strings = std::vector<std::string>;

/// Windows keeps the name of a file that is open: it can be neither replaced nor made again.
template <class FS>
constexpr bool is_native = std::is_same_v<FS, coffer::fs::native> ||
                           std::is_same_v<FS, coffer::fs::faulty<coffer::fs::native>>;
template <class FS>
constexpr bool open_files_stay = COFFER_OS_WINDOWS && is_native<FS>;

/// The system's code, where the system is one that has errno.
template <class FS>
int system_code(int code, int here) {
    return COFFER_OS_WINDOWS && is_native<FS> ? here : code;
}

}  // namespace

#define COFFER_FILE_SYSTEMS                                                            \
    coffer::fs::native, coffer::fs::simulated, coffer::fs::faulty<coffer::fs::native>, \
        coffer::fs::faulty<coffer::fs::simulated>

TEMPLATE_TEST_CASE("folders are made one level at a time", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    CHECK_FALSE(w.fs.make_directory(w.path).value());
    CHECK(w.fs.make_directory(w.path + "/a").value());
    CHECK_FALSE(w.fs.make_directory(w.path + "/a").value());
    CHECK_FALSE(w.fs.make_directory(w.path + "/a/").value());
    CHECK_FALSE(w.fs.make_directory(w.path + "//a").value());
    CHECK(w.fs.make_directory(w.path + "/a/b/").value());
    CHECK(w.fs.open_directory(w.path + "/a/b").has_value());
    CHECK(w.fs.open_directory(w.path + "/a/./b/").has_value());

    const auto deep = w.fs.make_directory(w.path + "/x/y");
    CHECK(kind(deep) == errc::not_found);
    CHECK_THAT(deep.error().what(), t::ContainsSubstring("create " + w.path + "/x first"));
    CHECK(system_code<TestType>(ENOENT, deep.error().os_code()) == deep.error().os_code());

    auto root = w.fs.open_directory(w.path).value();
    REQUIRE(root.create("file").has_value());
    CHECK(kind(w.fs.make_directory(w.path + "/file")) == errc::invalid_argument);
    CHECK(kind(w.fs.make_directory(w.path + "/file/a")) == errc::invalid_argument);
    CHECK(names(root) == strings{"a", "file"});
}

TEMPLATE_TEST_CASE("a folder is opened only if it is one", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    CHECK(root.path() == w.path);
    REQUIRE(root.create("file").has_value());
    const auto absent = w.fs.open_directory(w.path + "/absent");
    CHECK(kind(absent) == errc::not_found);
    CHECK(absent.error().path() == w.path + "/absent");
    CHECK(kind(w.fs.open_directory(w.path + "/file")) == errc::invalid_argument);
    CHECK(kind(w.fs.open_directory("")) == errc::invalid_argument);
    CHECK(kind(w.fs.make_directory("")) == errc::invalid_argument);
    CHECK(kind(w.fs.open_directory(std::string_view("/a\0b", 4))) == errc::invalid_argument);
}

TEMPLATE_TEST_CASE("names that are no names are refused", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    REQUIRE(root.create("a").has_value());
    const std::string_view bad[] = {
        "", ".", "..", "a/b", "/a", "../a", std::string_view("a\0b", 3), "a\\b", "c:"};
    for (const std::string_view name : bad) {
        INFO("name " << name);
        CHECK(kind(root.create(name)) == errc::invalid_argument);
        CHECK(kind(root.open(name, mode::read)) == errc::invalid_argument);
        CHECK(kind(root.remove(name)) == errc::invalid_argument);
        CHECK(kind(root.rename(name, "b")) == errc::invalid_argument);
        CHECK(kind(root.rename("a", name)) == errc::invalid_argument);
    }
    CHECK(names(root) == strings{"a"});
}

TEMPLATE_TEST_CASE("create makes a new file only", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    CHECK(names(root).empty());
    {
        auto file = root.create("a").value();
        CHECK(file.path() == w.path + "/a");
        CHECK(file.size().value() == 0);
        CHECK(file.write_at(0, text("one")).has_value());
    }
    const auto again = root.create("a");
    CHECK(kind(again) == errc::invalid_argument);
    CHECK(system_code<TestType>(EEXIST, again.error().os_code()) == again.error().os_code());
    CHECK(again.error().path() == w.path + "/a");
    CHECK(read(root.open("a", mode::read).value(), 0, 10) == "one");
    REQUIRE(w.fs.make_directory(w.path + "/d").value());
    CHECK(kind(root.create("d")) == errc::invalid_argument);
    CHECK(names(root) == strings{"a", "d"});
}

TEMPLATE_TEST_CASE("open wants a regular file", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    REQUIRE(w.fs.make_directory(w.path + "/d").value());
    CHECK(kind(root.open("absent", mode::read)) == errc::not_found);
    CHECK(kind(root.open("absent", mode::write)) == errc::not_found);
    for (const mode wanted : {mode::read, mode::write}) {
        const auto folder = root.open("d", wanted);
        CHECK(kind(folder) == errc::invalid_argument);
        CHECK_THAT(folder.error().what(), t::ContainsSubstring("is a folder"));
    }
    REQUIRE(root.create("a").value().write_at(0, text("abc")).has_value());
    auto reader = root.open("a", mode::read).value();
    CHECK(kind(reader.write_at(0, text("x"))) == errc::io_error);
    CHECK(kind(reader.resize(1)) == errc::io_error);
    CHECK(kind(reader.reserve(0, 1)) == errc::io_error);
    CHECK(kind(reader.map(0, 1, mode::write)) == errc::permission_denied);
    CHECK(reader.sync().has_value());
    CHECK(read(reader, 0, 5) == "abc");
    auto writer = root.open("a", mode::write).value();
    CHECK(writer.write_at(1, text("XYZ")).has_value());
    CHECK(read(reader, 0, 5) == "aXYZ");
}

TEMPLATE_TEST_CASE("read_at stops only where the file ends", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto file = root.create("a").value();
    CHECK(read(file, 0, 4).empty());
    REQUIRE(file.write_at(0, text("0123456789")).has_value());
    CHECK(read(file, 0, 10) == "0123456789");
    CHECK(read(file, 0, 11) == "0123456789");
    CHECK(read(file, 7, 3) == "789");
    CHECK(read(file, 7, 9) == "789");
    CHECK(read(file, 9, 1) == "9");
    CHECK(read(file, 10, 1).empty());
    CHECK(read(file, 1000, 1).empty());
    CHECK(read(file, 3, 0).empty());
    CHECK(read(file, 3000, 0).empty());
    std::byte one[1];
    CHECK(kind(file.read_at(UINT64_MAX, one)) == errc::too_large);
    CHECK(kind(file.read_at(UINT64_MAX / 2, one)) == errc::too_large);
    CHECK(kind(file.write_at(UINT64_MAX - 1, text("ab"))) == errc::too_large);
    CHECK(kind(file.resize(UINT64_MAX)) == errc::too_large);
    CHECK(kind(file.reserve(UINT64_MAX, 2)) == errc::too_large);
    CHECK(file.size().value() == 10);
}

TEMPLATE_TEST_CASE("write_at grows the file and leaves zeros in gaps", "[fs]",
                   COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto file = root.create("a").value();
    REQUIRE(file.write_at(5, text("five")).has_value());
    CHECK(file.size().value() == 9);
    CHECK(read(file, 0, 9) == std::string("\0\0\0\0\0five", 9));
    REQUIRE(file.write_at(0, text("ab")).has_value());
    REQUIRE(file.write_at(7, text("VE and on")).has_value());
    CHECK(read(file, 0, 99) == std::string("ab\0\0\0fiVE and on", 16));
    REQUIRE(file.write_at(300, {}).has_value());
    CHECK(file.size().value() == 16);
    const std::string large(3'000'000, 'x');
    REQUIRE(file.write_at(100, text(large)).has_value());
    CHECK(file.size().value() == 3'000'100);
    CHECK(read(file, 100, large.size() + 1) == large);
}

TEMPLATE_TEST_CASE("resize cuts, and grows with zeros", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto file = root.create("a").value();
    REQUIRE(file.write_at(0, text("0123456789")).has_value());
    REQUIRE(file.resize(4).has_value());
    CHECK(file.size().value() == 4);
    CHECK(read(file, 0, 10) == "0123");
    REQUIRE(file.resize(8).has_value());
    CHECK(read(file, 0, 10) == std::string("0123\0\0\0\0", 8));
    REQUIRE(file.write_at(9, text("9")).has_value());
    CHECK(read(file, 0, 10) == std::string("0123\0\0\0\0\0"
                                           "9",
                                           10));
    REQUIRE(file.resize(0).has_value());
    CHECK(file.size().value() == 0);
    REQUIRE(file.resize(1 << 20).has_value());
    CHECK(read(file, (1 << 20) - 2, 10) == std::string(2, '\0'));
    CHECK(file.sync().has_value());
}

TEMPLATE_TEST_CASE("reserve grows with zeros and keeps what is there", "[fs]",
                   COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto file = root.create("a").value();
    REQUIRE(file.write_at(2, text("data")).has_value());
    REQUIRE(file.reserve(0, 100'000).has_value());
    CHECK(file.size().value() == 100'000);
    CHECK(read(file, 0, 8) == std::string("\0\0data\0\0", 8));
    CHECK(read(file, 99'998, 8) == std::string(2, '\0'));
    REQUIRE(file.write_at(50'000, text("mid")).has_value());
    REQUIRE(file.reserve(10, 10).has_value());
    REQUIRE(file.reserve(0, 0).has_value());
    CHECK(file.size().value() == 100'000);
    REQUIRE(file.reserve(90'000, 20'000).has_value());
    CHECK(file.size().value() == 110'000);
    CHECK(read(file, 50'000, 3) == "mid");
    CHECK(file.sync().has_value());
    CHECK(file.sync().has_value());
}

TEMPLATE_TEST_CASE("rename replaces", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    REQUIRE(root.create("a").value().write_at(0, text("A")).has_value());
    REQUIRE(root.create("b").value().write_at(0, text("B")).has_value());
    {
        auto old_b = root.open("b", mode::read).value();
        if constexpr (open_files_stay<TestType>) {
            CHECK(kind(root.rename("a", "b")) == errc::permission_denied);
        } else {
            CHECK(root.rename("a", "b").has_value());
        }
        CHECK(read(old_b, 0, 9) == "B");
    }
    if constexpr (open_files_stay<TestType>) CHECK(root.rename("a", "b").has_value());
    CHECK(names(root) == strings{"b"});
    CHECK(read(root.open("b", mode::read).value(), 0, 9) == "A");
    CHECK(root.rename("b", "c").has_value());
    CHECK(root.rename("c", "c").has_value());
    CHECK(names(root) == strings{"c"});
    const auto absent = root.rename("a", "x");
    CHECK(kind(absent) == errc::not_found);
    CHECK(absent.error().path() == w.path + "/a");
    REQUIRE(w.fs.make_directory(w.path + "/d").value());
    CHECK(kind(root.rename("c", "d")) == errc::invalid_argument);
    CHECK(root.sync().has_value());
    CHECK(names(root) == strings{"c", "d"});
}

TEMPLATE_TEST_CASE("remove takes the name, not the open file", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto file = root.create("a").value();
    REQUIRE(file.write_at(0, text("still here")).has_value());
    CHECK(root.remove("a").has_value());
    CHECK(read(file, 0, 20) == "still here");
    CHECK(file.write_at(10, text("!")).has_value());
    CHECK(file.sync().has_value());
    CHECK(file.size().value() == 11);
    if constexpr (open_files_stay<TestType>) file = root.create("another").value();
    CHECK(kind(root.open("a", mode::read)) == errc::not_found);
    CHECK(kind(root.remove("a")) == errc::not_found);
    auto other = root.create("a").value();
    CHECK(other.size().value() == 0);
    CHECK(file.size().value() == (open_files_stay<TestType> ? 0 : 11));
    CHECK(root.sync().has_value());
    REQUIRE(w.fs.make_directory(w.path + "/d").value());
    CHECK(kind(root.remove("d")) == errc::invalid_argument);
}

TEMPLATE_TEST_CASE("list shows every name", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    strings expected;
    for (int i = 0; i < 300; ++i) {
        expected.push_back("segment-" + std::to_string(i));
        REQUIRE(root.create(expected.back()).has_value());
    }
    std::sort(expected.begin(), expected.end());
    CHECK(names(root) == expected);
    CHECK(names(root) == expected);
    REQUIRE(w.fs.make_directory(w.path + "/sub").value());
    CHECK(names(root).size() == 301);
    auto sub = w.fs.open_directory(w.path + "/sub").value();
    CHECK(names(sub).empty());
}

TEMPLATE_TEST_CASE("a file has an identity that its copy has not, where one is known", "[fs]",
                   COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto first = root.create("one").value();
    auto again = root.open("one", mode::read).value();
    auto other = root.create("two").value();
    CHECK(first.identity() == again.identity());
    CHECK((first.identity() == 0 || first.identity() != other.identity()));
}

TEMPLATE_TEST_CASE("the lock is of the open file", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto first = root.create("LOCK").value();
    auto second = root.open("LOCK", mode::write).value();
    auto reader = root.open("LOCK", mode::read).value();
    CHECK(first.try_lock().value());
    CHECK(first.try_lock().value());
    CHECK_FALSE(second.try_lock().value());
    CHECK_FALSE(reader.try_lock().value());
    { auto passing = root.open("LOCK", mode::write).value(); }  // its close frees nothing
    CHECK_FALSE(second.try_lock().value());
    {
        auto moved = std::move(first);
        CHECK_FALSE(second.try_lock().value());
        CHECK(moved.try_lock().value());
    }
    CHECK(second.try_lock().value());
    second = root.open("LOCK", mode::write).value();
    CHECK(second.try_lock().value());
    auto other = root.create("OTHER").value();
    CHECK(other.try_lock().value());
}

TEMPLATE_TEST_CASE("a mapping shows the file", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto file = root.create("a").value();
    REQUIRE(file.resize(200'000).has_value());
    REQUIRE(file.write_at(65'536, text("before")).has_value());
    auto map = file.map(65'536, 100'000, mode::read).value();
    REQUIRE(map.size() == 100'000);
    CHECK(std::memcmp(map.data(), "before", 6) == 0);
    REQUIRE(file.write_at(65'536 + 50'000, text("after")).has_value());
    CHECK(std::memcmp(map.data() + 50'000, "after", 5) == 0);
    auto other = root.open("a", mode::write).value();
    REQUIRE(other.write_at(65'536, text("BEFORE")).has_value());
    CHECK(std::memcmp(map.data(), "BEFORE", 6) == 0);
    CHECK(map.data()[99'999] == std::byte{0});

    SECTION("also when the file grows and the handle goes") {
        const std::string large(5'000'000, 'g');
        REQUIRE(file.write_at(200'000, text(large)).has_value());
        REQUIRE(other.write_at(65'538, text("more")).has_value());
        CHECK(std::memcmp(map.data(), "BEmore", 6) == 0);
        auto longer = other.map(0, 5'200'000, mode::read).value();
        CHECK(std::memcmp(longer.data() + 65'536, "BEmore", 6) == 0);
        CHECK(longer.data()[5'199'999] == std::byte{'g'});
        REQUIRE(file.write_at(65'536, text("both")).has_value());
        file = root.create("b").value();
        CHECK(std::memcmp(longer.data() + 65'536, "bothre", 6) == 0);
        CHECK(std::memcmp(map.data(), "bothre", 6) == 0);
        REQUIRE(root.remove("a").has_value());
        CHECK(std::memcmp(map.data(), "bothre", 6) == 0);
    }
    SECTION("only inside of the file") {
        CHECK(kind(file.map(0, 200'001, mode::read)) == errc::invalid_argument);
        CHECK(kind(file.map(196'608, 3'393, mode::read)) == errc::invalid_argument);
        CHECK(kind(file.map(262'144, 0, mode::read)) == errc::invalid_argument);
        CHECK(kind(file.map(0, UINT64_MAX, mode::read)) == errc::invalid_argument);
        CHECK(file.map(196'608, 3'392, mode::read).value().size() == 3'392);
        CHECK(file.map(131'072, 0, mode::read).value().size() == 0);
    }
    SECTION("it can be moved") {
        auto moved = std::move(map);
        CHECK(std::memcmp(moved.data(), "BEFORE", 6) == 0);
        moved = file.map(0, 65'536, mode::read).value();
        CHECK(moved.size() == 65'536);
        CHECK(moved.data()[0] == std::byte{0});
    }
}

TEMPLATE_TEST_CASE("a copy begins with the file and is the caller's own", "[fs]",
                   COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto file = root.create("a").value();
    std::string content(5'300'000, '\0');
    for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 >> 5);
    REQUIRE(file.write_at(0, text(content)).has_value());
    auto reader = root.open("a", mode::read).value();
    const auto is_right = [&](const std::byte* at, std::size_t from, std::size_t held,
                              std::size_t size) {
        const bool same = std::memcmp(at, content.data() + from, held) == 0;
        return same && std::all_of(at + held, at + size,
                                   [](std::byte each) { return each == std::byte{0}; });
    };
    struct {
        std::uint64_t from, held, size;
    } const cases[] = {{0, 1, 1},
                       {65'536, 0, 5'000},
                       {65'536, 4'096, 4'096},
                       {131'072, 5'000, 5'001},
                       {0, 70'000, 1 << 20},
                       {2 << 20, 2 << 20, 2 << 20},
                       {2 << 20, (2 << 20) + 77, 4 << 20},
                       {0, 5'300'000, 8 << 20}};
    for (const auto& each : cases) {
        for (int round = 0; round < 2; ++round) {
            auto copy = reader.copy(each.from, each.held, each.size).value();
            REQUIRE(copy.size() == each.size);
            CHECK(reinterpret_cast<std::uintptr_t>(copy.data()) % 64 == 0);
            CHECK(is_right(copy.data(), each.from, each.held, each.size));
            std::memset(copy.data(), 0xEE, copy.size());  // seen by nobody else
            auto moved = std::move(copy);
            CHECK(moved.data()[each.size - 1] == std::byte{0xEE});
        }
    }
    // It outlives the handle and the name.
    auto copy = reader.copy(0, 4'000, 4'000).value();
    reader = root.create("b").value();
    REQUIRE(root.remove("a").has_value());
    CHECK(is_right(copy.data(), 0, 4'000, 4'000));

    CHECK(file.copy(0, 0, 0).value().size() == 0);
    CHECK(kind(file.copy(0, 5'300'001, 6'000'000)) == errc::invalid_argument);
    CHECK(kind(file.copy(6'291'456, 0, 1)) == errc::invalid_argument);
    CHECK(kind(file.copy(0, UINT64_MAX, UINT64_MAX)) == errc::invalid_argument);
}

TEMPLATE_TEST_CASE("stores through a mapping reach the file", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto file = root.create("a").value();
    REQUIRE(file.reserve(0, 131'072).has_value());
    auto map = file.map(65'536, 65'536, mode::write).value();
    auto reading = file.map(0, 131'072, mode::read).value();
    std::memcpy(map.data() + 1'000, "stored", 6);
    map.stored(1'000, 6);
    CHECK(read(file, 66'536, 6) == "stored");
    CHECK(std::memcmp(reading.data() + 66'536, "stored", 6) == 0);
    CHECK(map.sync(1'000, 6).has_value());
    CHECK(map.sync(0, 0).has_value());
    CHECK(map.sync(0, 65'536).has_value());
    CHECK(map.sync(65'535, 1).has_value());
    map.stored(0, 0);
    { auto gone = std::move(map); }
    CHECK(read(root.open("a", mode::read).value(), 66'536, 6) == "stored");
}

TEMPLATE_TEST_CASE("handles can be moved", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto a = root.create("a").value();
    auto b = root.create("b").value();
    REQUIRE(a.write_at(0, text("A")).has_value());
    REQUIRE(b.write_at(0, text("B")).has_value());
    std::swap(a, b);
    CHECK(read(a, 0, 1) == "B");
    CHECK(read(b, 0, 1) == "A");
    CHECK(a.path() == w.path + "/b");
    CHECK(a.sync().has_value());
    auto moved = std::move(root);
    CHECK(names(moved) == strings{"a", "b"});
    root = std::move(moved);
    CHECK(names(root) == strings{"a", "b"});
    TestType copy = w.fs;
    CHECK(copy.open_directory(w.path).has_value());
}

TEMPLATE_TEST_CASE("the machine", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    const std::uint64_t time = w.fs.now();
    CHECK(time > 0);
    CHECK(w.fs.now() >= time);
    constexpr std::uint64_t coarse = 50'000'000;
    const std::uint64_t roughly = w.fs.coarse_now();
    CHECK(roughly + coarse >= time);
    CHECK(roughly <= w.fs.now());
    CHECK(w.fs.boot_id() == w.fs.boot_id());
    CHECK(w.fs.process_id() == w.fs.process_id());
    CHECK(w.fs.process_id() != 0);
    std::byte one[32] = {};
    std::byte two[32] = {};
    w.fs.random(one);
    w.fs.random(two);
    CHECK(std::memcmp(one, two, sizeof one) != 0);
    w.fs.random({});
    std::byte large[5'000] = {};
    w.fs.random(large);
    CHECK(std::count(std::begin(large), std::end(large), std::byte{0}) < 200);
    CHECK(w.fs.open_directory(w.path).value().free_bytes().value() > 0);

    typename TestType::fork_mark plain;
    typename TestType::fork_mark mark(w.fs);
    CHECK_FALSE(plain.forked());
    CHECK_FALSE(mark.forked());
    auto moved = std::move(mark);
    CHECK_FALSE(moved.forked());
    plain = std::move(moved);
    CHECK_FALSE(plain.forked());
}

TEMPLATE_TEST_CASE("wait_until ends on time, early, or when notified", "[fs]",
                   COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    coffer::threading::multi::mutex mutex;
    coffer::threading::multi::condition condition;
    coffer::lock_of<coffer::threading::multi::mutex> lock(mutex);
    w.fs.wait_until(condition, lock, 0);
    w.fs.wait_until(condition, lock, w.fs.now());
    CHECK(lock.owns_lock());
    w.fs.wait_until(condition, lock, w.fs.now() + 1'000'000);
    CHECK(lock.owns_lock());
    bool ready = false;
    coffer::threading::multi::thread other([&] {
        const coffer::lock_of<coffer::threading::multi::mutex> own(mutex);
        ready = true;
        condition.notify_one();
    });
    while (!ready) w.fs.wait_until(condition, lock, UINT64_MAX);
    CHECK(ready);
    lock.unlock();
    other.join();
}

TEMPLATE_TEST_CASE("calls on one file may overlap", "[fs]", COFFER_FILE_SYSTEMS) {
    world<TestType> w;
    auto root = w.fs.open_directory(w.path).value();
    auto file = root.create("a").value();
    REQUIRE(file.reserve(0, 65'536 * 2).has_value());
    constexpr std::size_t piece = 256;
    constexpr int threads = 4;
    std::atomic<int> failures{0};
    std::vector<std::thread> running;
    for (int id = 0; id < threads; ++id) {
        running.emplace_back([&, id] {
            const std::string mine(piece, static_cast<char>('a' + id));
            for (std::size_t i = 0; i < 100; ++i) {
                const std::uint64_t at = (i * threads + static_cast<std::size_t>(id)) * piece;
                if (!file.write_at(at, text(mine))) ++failures;
                std::string back(piece, '?');
                const auto got = file.read_at(at, std::as_writable_bytes(std::span(back)));
                if (!got || back != mine) ++failures;
                if (i % 25 == 0 && !file.sync()) ++failures;
                if (i % 25 == 1 && root.list().value().size() != 1) ++failures;
                if (i % 25 == 2 && !file.reserve(0, 65'536 * 2 + i)) ++failures;
            }
        });
    }
    for (std::thread& each : running) each.join();
    CHECK(failures == 0);
    for (std::size_t i = 0; i < 100 * threads; ++i) {
        const std::string expected(piece, static_cast<char>('a' + static_cast<int>(i % threads)));
        if (read(file, i * piece, piece) != expected) ++failures;
    }
    CHECK(failures == 0);
}
