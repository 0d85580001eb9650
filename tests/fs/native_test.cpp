// What only a real system has: links and FIFOs, modes, descriptors, processes, full disks.
#include <coffer/config/platform.hpp>

#if COFFER_OS_POSIX

#include "catch.hpp"

#include <coffer/fs/native.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#if COFFER_OS_LINUX
#include <sys/mount.h>
#endif

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace files = std::filesystem;
using coffer::errc;
using coffer::fs::native;
using mode = coffer::fs::access;

struct folder {
    folder() {
        std::string pattern = (files::temp_directory_path() / "coffer_native_XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~folder() {
        std::error_code ignored;
        files::remove_all(path, ignored);
    }
    native::directory open() const { return native().open_directory(path).value(); }
    std::string path;
};

struct with_umask {
    explicit with_umask(mode_t mask) : before(::umask(mask)) {}
    ~with_umask() { ::umask(before); }
    mode_t before;
};

mode_t mode_of(const std::string& path) {
    struct stat found = {};
    REQUIRE(::lstat(path.c_str(), &found) == 0);
    return found.st_mode & 07777U;
}

template <class Result>
errc kind(const Result& failed) {
    REQUIRE_FALSE(failed.has_value());
    return failed.error().kind();
}

/// What `work` returns, in a child process.
template <class Work>
int in_child(Work work) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(work());
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

coffer::bytes text(std::string_view characters) {
    return coffer::as_bytes(characters);
}

}  // namespace

TEST_CASE("links are not followed, other kinds are refused", "[fs][native]") {
    folder store;
    folder outside;
    auto root = store.open();
    REQUIRE(outside.open().create("secret").has_value());
    files::create_symlink(outside.path + "/secret", store.path + "/link");
    files::create_symlink(outside.path + "/absent", store.path + "/dangling");
    files::create_directory_symlink(outside.path, store.path + "/way");
    REQUIRE(::mkfifo((store.path + "/fifo").c_str(), 0600) == 0);
    REQUIRE(root.create("file").has_value());
    files::create_hard_link(store.path + "/file", store.path + "/hard");

    const int listening = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", store.path.c_str());
    REQUIRE(::bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);

    for (const mode wanted : {mode::read, mode::write}) {
        for (const char* name : {"link", "dangling", "way"}) {
            const auto opened = root.open(name, wanted);
            CHECK(kind(opened) == errc::invalid_argument);
            CHECK_THAT(opened.error().what(), t::ContainsSubstring("symbolic link"));
        }
        const auto begun = std::chrono::steady_clock::now();
        const auto fifo = root.open("fifo", wanted);
        CHECK(kind(fifo) == errc::invalid_argument);
        CHECK_THAT(fifo.error().what(), t::ContainsSubstring("FIFO"));
        CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(2));
        const auto socket = root.open("socket", wanted);
        CHECK(kind(socket) == errc::invalid_argument);
        CHECK_THAT(socket.error().what(), t::ContainsSubstring("socket"));
        CHECK(root.open("hard", wanted).has_value());
    }
    ::close(listening);
    for (const char* name : {"link", "dangling", "fifo", "socket"}) {
        CHECK(kind(root.create(name)) == errc::invalid_argument);
    }
    CHECK_FALSE(files::exists(outside.path + "/absent"));
    auto devices = native().open_directory("/dev").value();
    const auto device = devices.open("null", mode::write);
    CHECK(kind(device) == errc::invalid_argument);
    CHECK_THAT(device.error().what(), t::ContainsSubstring("device"));

    SECTION("the folder itself may be a link") {
        CHECK(native().open_directory(store.path + "/way").has_value());
        CHECK_FALSE(native().make_directory(store.path + "/way").value());
        CHECK(kind(native().make_directory(store.path + "/dangling")) == errc::invalid_argument);
        CHECK(kind(native().open_directory(store.path + "/fifo")) == errc::invalid_argument);
    }
    SECTION("removing and replacing a link spares what it leads to") {
        CHECK(root.remove("link").has_value());
        CHECK(root.rename("file", "way").has_value());
        CHECK(files::exists(outside.path + "/secret"));
    }
}

TEST_CASE("every errno has its kind", "[fs][native]") {
    using coffer::detail::posix::kind_of;
    for (const int code : {EACCES, EPERM, EROFS}) CHECK(kind_of(code) == errc::permission_denied);
    for (const int code : {ENOSPC, EDQUOT, EFBIG}) CHECK(kind_of(code) == errc::no_space);
    for (const int code : {ELOOP, ENOTDIR, EISDIR, ENXIO, EINVAL, EEXIST, ENAMETOOLONG}) {
        CHECK(kind_of(code) == errc::invalid_argument);
    }
    for (const int code : {EIO, EBADF, EMFILE, ENOMEM, ENODEV, 99'999}) {
        CHECK(kind_of(code) == errc::io_error);
    }
    CHECK(kind_of(ENOENT) == errc::not_found);
    // No name is meant where bytes are.
    using coffer::detail::posix::refused_data;
    CHECK(refused_data(EINVAL, "what", "path", 0).cause().kind() == errc::io_error);
    CHECK(refused_data(ENOSPC, "what", "path", 0).cause().kind() == errc::no_space);
}

TEST_CASE("a call that a signal interrupts is made again", "[fs][native]") {
    int calls = 0;
    const int answer = coffer::detail::posix::retried([&] {
        errno = ++calls < 4 ? EINTR : EIO;
        return -1;
    });
    CHECK(answer == -1);
    CHECK(calls == 4);
    CHECK(errno == EIO);
}

TEST_CASE("the file systems of other machines are known by their kind", "[fs][native]") {
    using coffer::detail::posix::is_network;
    for (const std::uint32_t type : {0x6969U, 0x517BU, 0xFF534D42U, 0xFE534D42U, 0x564CU,
                                     0x5346414FU, 0x6B414653U, 0x73757245U, 0x00C36400U})
        CHECK(is_network(type));
    // ext4, xfs, btrfs, tmpfs, overlayfs, ZFS, FUSE, 9p.
    for (const std::uint32_t type : {0xEF53U, 0x58465342U, 0x9123683EU, 0x01021994U, 0x794C7630U,
                                     0x2FC12FC1U, 0x65735546U, 0x01021997U, 0U})
        CHECK_FALSE(is_network(type));
    const folder own;
    CHECK_FALSE(native().open_directory(own.path).value().is_remote());
}

TEST_CASE("a folder handle stays with its folder", "[fs][native]") {
    folder store;
    const native fs;
    REQUIRE(fs.make_directory(store.path + "/a").value());
    auto a = fs.open_directory(store.path + "/a").value();
    files::rename(store.path + "/a", store.path + "/b");
    REQUIRE(fs.make_directory(store.path + "/a").value());
    REQUIRE(a.create("file").has_value());
    CHECK(files::exists(store.path + "/b/file"));
    CHECK_FALSE(files::exists(store.path + "/a/file"));
}

TEST_CASE("modes do not depend on the umask", "[fs][native]") {
    folder store;
    for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}, mode_t{0777}}) {
        const with_umask set(mask);
        const std::string path = store.path + "/d" + std::to_string(mask);
        REQUIRE(native().make_directory(path).value());
        CHECK(mode_of(path) == 0700);
        auto root = native().open_directory(path).value();
        auto made = root.create("a").value();
        CHECK(mode_of(path + "/a") == 0600);
        CHECK(made.write_at(0, text("x")).has_value());
        REQUIRE(root.rename("a", "b").has_value());
        CHECK(mode_of(path + "/b") == 0600);
    }
}

TEST_CASE("a folder that was there keeps its mode", "[fs][native]") {
    folder store;
    REQUIRE(::chmod(store.path.c_str(), 0750) == 0);
    CHECK_FALSE(native().make_directory(store.path).value());
    CHECK(mode_of(store.path) == 0750);
}

TEST_CASE("access that the system refuses is permission_denied", "[fs][native]") {
    folder store;
    {
        auto root = store.open();
        REQUIRE(root.create("a").has_value());
    }
    const std::string inner = store.path + "/inner";
    REQUIRE(native().make_directory(inner).value());
    REQUIRE(::chmod((store.path + "/a").c_str(), 0) == 0);
    REQUIRE(::chmod(store.path.c_str(), 0555) == 0);
    const int failed = in_child([&] {
        if (::geteuid() == 0 && ::setuid(65534) != 0) return 100;
        const native fs;
        auto root = fs.open_directory(store.path);
        if (!root) return 1;
        if (root->open("a", mode::read).error().kind() != errc::permission_denied) return 2;
        if (root->create("b").error().kind() != errc::permission_denied) return 3;
        if (root->remove("a").error().kind() != errc::permission_denied) return 4;
        if (root->rename("a", "b").error().kind() != errc::permission_denied) return 5;
        if (fs.make_directory(store.path + "/x").error().kind() != errc::permission_denied)
            return 6;
        if (::geteuid() == 65534 &&
            fs.open_directory(inner).error().kind() != errc::permission_denied) {
            return 7;
        }
        return 0;
    });
    if (failed == 100) WARN("not allowed to become another user");
    CHECK((failed == 0 || failed == 100));
    REQUIRE(::chmod(store.path.c_str(), 0700) == 0);
}

TEST_CASE("no descriptor is a standard stream, all close on exec", "[fs][native]") {
    folder store;
    const int failed = in_child([&] {
        ::close(0);
        ::close(1);
        ::close(2);
        auto root = native().open_directory(store.path);
        auto first = root->create("a");
        auto second = root->open("a", mode::read);
        if (!first || !second) return 1;
        for (int number = 0; number < 3; ++number) {
            if (::fcntl(number, F_GETFD) != -1) return 2;
        }
        int found = 0;
        for (int number = 3; number < 32; ++number) {
            struct stat is = {};
            if (::fstat(number, &is) != 0) continue;
            if (!S_ISREG(is.st_mode) && !S_ISDIR(is.st_mode)) continue;
            if ((::fcntl(number, F_GETFD) & FD_CLOEXEC) == 0) continue;
            ++found;
        }
        return found == 3 ? 0 : 10 + found;
    });
    CHECK(failed == 0);
}

TEST_CASE("handles leak nothing", "[fs][native]") {
    folder store;
    const auto open_now = [] {
        int count = 0;
        for (int number = 0; number < 256; ++number)
            count += ::fcntl(number, F_GETFD) != -1 ? 1 : 0;
        return count;
    };
    const int before = open_now();
    {
        auto root = store.open();
        REQUIRE(root.create("a").value().resize(70'000).has_value());
        auto a = root.open("a", mode::write).value();
        auto map = a.map(0, 70'000, mode::write).value();
        a = root.create("b").value();
        for (int i = 0; i < 20; ++i) CHECK(root.list().value().size() == 2);
        CHECK(kind(root.open("absent", mode::read)) == errc::not_found);
        CHECK(kind(root.open("..", mode::read)) == errc::invalid_argument);
        CHECK_FALSE(native().make_directory(store.path).value());
        CHECK(native().boot_id() == native().boot_id());
    }
    CHECK(open_now() == before);
}

TEST_CASE("the lock holds against other processes", "[fs][native]") {
    folder store;
    auto root = store.open();
    auto lock = root.create("LOCK").value();
    const auto child_gets_it = [&] {
        return in_child([&] {
            auto own = native().open_directory(store.path);
            auto file = own->open("LOCK", mode::write);
            auto got = file->try_lock();
            return got && *got ? 1 : 0;
        });
    };
    CHECK(child_gets_it() == 1);
    CHECK(lock.try_lock().value());
    CHECK(child_gets_it() == 0);
    // A child that closes what it inherited frees nothing.
    CHECK(in_child([&] {
              auto inherited = std::move(lock);
              return 7;
          }) == 7);
    CHECK(child_gets_it() == 0);
    lock = root.open("LOCK", mode::write).value();
    CHECK(child_gets_it() == 1);

    SECTION("and goes with a process that is killed") {
        int pipe[2];
        REQUIRE(::pipe(pipe) == 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            auto own = native().open_directory(store.path);
            auto file = own->open("LOCK", mode::write);
            auto got = file->try_lock();
            const char answer = got && *got ? 'y' : 'n';
            if (::write(pipe[1], &answer, 1) != 1) ::_exit(1);
            for (;;) ::pause();
        }
        char answer = '?';
        REQUIRE(::read(pipe[0], &answer, 1) == 1);
        CHECK(answer == 'y');
        CHECK_FALSE(lock.try_lock().value());
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(lock.try_lock().value());
        ::close(pipe[0]);
        ::close(pipe[1]);
    }
}

TEST_CASE("a fork is noticed", "[fs][native]") {
    native::fork_mark mark;
    native::fork_mark moved_to = std::move(mark);
    CHECK_FALSE(moved_to.forked());
    CHECK(in_child([&] { return moved_to.forked() ? 1 : 0; }) == 1);
    CHECK(in_child([&] {
              const native::fork_mark own;
              if (own.forked()) return 1;
              return in_child([&] { return own.forked() ? 5 : 6; });
          }) == 5);
    CHECK_FALSE(moved_to.forked());
}

TEST_CASE("the boot id holds for all processes", "[fs][native]") {
    const std::uint64_t mine = native().boot_id();
    if (mine == 0) WARN("this system has no boot id");
    CHECK(in_child([mine] { return native().boot_id() == mine ? 1 : 0; }) == 1);
    CHECK(in_child([] { return native().process_id() == 0 ? 1 : 0; }) == 0);
}

#if defined(__linux__)
TEST_CASE("a short read is not the end of the file", "[fs][native]") {
    // The kernel hands this file out by the page.
    const int plain = ::open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
    REQUIRE(plain >= 0);
    std::vector<std::byte> all(1 << 20);
    const ::ssize_t once = ::pread(plain, all.data(), all.size(), 0);
    ::close(plain);
    auto folder = native().open_directory("/proc/self");
    REQUIRE(folder.has_value());
    const auto got = folder->open("smaps", mode::read)->read_at(0, all);
    REQUIRE(got.has_value());
    CHECK(*got > static_cast<std::size_t>(once) + 1000);
}
#endif

TEST_CASE("a limit of file size is no_space and changes nothing", "[fs][native]") {
    folder store;
    const int failed = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit = {8192, 8192};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 100;
        auto root = native().open_directory(store.path);
        auto file = root->create("a");
        const std::string large(10'000, 'x');
        const auto put = file->write_at(0, text(large));
        if (put || put.error().kind() != errc::no_space) return 1;
        if (put.error().offset() != 8192U) return 2;
        const auto kept = file->reserve(0, 10'000);
        if (kept || kept.error().kind() != errc::no_space) return 3;
        const auto sized = file->resize(10'000);
        if (sized || sized.error().kind() != errc::no_space) return 4;
        return file->write_at(0, text("fine")) ? 0 : 5;
    });
    CHECK(failed == 0);
}

TEST_CASE("errors name the call, the file, the place and the system's code", "[fs][native]") {
    folder store;
    auto root = store.open();
    const auto absent = root.open("nothing", mode::read);
    REQUIRE_FALSE(absent.has_value());
    CHECK(absent.error().os_code() == ENOENT);
    CHECK(absent.error().path() == store.path + "/nothing");
    CHECK_THAT(absent.error().what(), t::ContainsSubstring("cannot open the file"));
    CHECK(kind(root.open(std::string(300, 'n'), mode::read)) == errc::invalid_argument);
    CHECK(kind(root.create(std::string(300, 'n'))) == errc::invalid_argument);
    CHECK(kind(native().open_directory("/proc/self/absent/x")) == errc::not_found);

    REQUIRE(root.create("a").has_value());
    auto reader = root.open("a", mode::read).value();
    const auto put = reader.write_at(77, text("x"));
    REQUIRE_FALSE(put.has_value());
    CHECK(put.error().os_code() == EBADF);
    CHECK(put.error().offset() == 77U);
    CHECK(put.error().path() == store.path + "/a");
}

TEST_CASE("paths in every spelling lead to their folder", "[fs][native]") {
    folder store;
    const files::path before = files::current_path();
    files::current_path(store.path);
    const native fs;
    CHECK(fs.make_directory("relative").value());
    CHECK(fs.make_directory("./relative/inner//").value());
    CHECK_FALSE(fs.make_directory(".").value());
    CHECK_FALSE(fs.make_directory("/").value());
    CHECK_FALSE(fs.make_directory("..").value());
    auto root = fs.open_directory("relative/").value();
    CHECK(root.path() == "relative/");
    CHECK(root.create("a").value().path() == "relative/a");
    CHECK(files::exists(store.path + "/relative/inner"));
    files::current_path(before);
}

#if COFFER_OS_LINUX

namespace {

struct mounted {
    mounted(const char* kind, const char* options) {
        ok = ::mount("none", at.path.c_str(), kind, 0, options) == 0;
    }
    ~mounted() {
        if (ok) ::umount(at.path.c_str());
    }
    folder at;
    bool ok = false;
};

}  // namespace

TEST_CASE("a full disk refuses the reservation, not the writes into it", "[fs][native]") {
    const mounted disk("tmpfs", "size=1m");
    if (!disk.ok) {
        WARN("not allowed to mount a small disk");
        return;
    }
    auto root = disk.at.open();
    CHECK(root.free_bytes().value() <= 1 << 20);
    auto kept = root.create("kept").value();
    REQUIRE(kept.reserve(0, 512 << 10).has_value());
    auto other = root.create("other").value();
    const auto refused = other.reserve(0, 1 << 20);
    CHECK(kind(refused) == errc::no_space);
    CHECK(refused.error().os_code() == ENOSPC);
    REQUIRE(root.remove("other").has_value());
    other = root.create("filler").value();
    const std::string block(4096, 'x');
    std::uint64_t filled = 0;
    for (;; filled += block.size()) {
        const auto put = other.write_at(filled, text(block));
        if (put) continue;
        CHECK(kind(put) == errc::no_space);
        CHECK_THAT(put.error().what(), t::ContainsSubstring("free some space"));
        break;
    }
    CHECK(filled > 0);
    for (std::uint64_t at = 0; at < 512 << 10; at += block.size()) {
        if (!kept.write_at(at, text(block))) FAIL("a reserved block was missing");
    }
    auto map = kept.map(0, 512 << 10, mode::write).value();
    std::memset(map.data(), 'y', map.size());
    CHECK(map.sync(0, map.size()).has_value());
    CHECK(root.free_bytes().value() < block.size());
}

TEST_CASE("where the system cannot reserve, zeros are written", "[fs][native]") {
    const mounted disk("ramfs", "");
    if (!disk.ok) {
        WARN("not allowed to mount a file system without fallocate");
        return;
    }
    auto root = disk.at.open();
    auto file = root.create("a").value();
    std::string expected(200'000, '\0');
    for (const std::size_t at : {0U, 511U, 70'000U, 131'071U, 150'000U}) {
        expected[at] = 'x';
        REQUIRE(file.write_at(at, text("x")).has_value());
    }
    REQUIRE(file.reserve(100, 199'900).has_value());
    CHECK(file.size().value() == 200'000);
    std::string found(200'001, '?');
    CHECK(file.read_at(0, std::as_writable_bytes(std::span(found))).value() == 200'000);
    found.pop_back();
    CHECK(found == expected);
    REQUIRE(file.reserve(300'000, 1).has_value());
    CHECK(file.size().value() == 300'001);
}

TEST_CASE("read-only media are permission_denied", "[fs][native]") {
    const mounted disk("tmpfs", "size=1m");
    if (!disk.ok) {
        WARN("not allowed to mount a disk");
        return;
    }
    {
        auto root = disk.at.open();
        REQUIRE(root.create("a").value().write_at(0, text("abc")).has_value());
    }
    REQUIRE(::mount("none", disk.at.path.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "") == 0);
    auto root = disk.at.open();
    CHECK(kind(root.open("a", mode::write)) == errc::permission_denied);
    CHECK(kind(root.create("b")) == errc::permission_denied);
    CHECK(kind(root.remove("a")) == errc::permission_denied);
    CHECK(kind(native().make_directory(disk.at.path + "/d")) == errc::permission_denied);
    CHECK_FALSE(native().make_directory(disk.at.path).value());
    auto file = root.open("a", mode::read).value();
    CHECK(file.size().value() == 3);
    CHECK(file.map(0, 3, mode::read).value().size() == 3);
}

#endif

#endif
