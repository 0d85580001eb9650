// A sync that a signal interrupts has failed: like any other that failed it is not tried again.
#include <coffer/config/platform.hpp>

#if COFFER_OS_LINUX

#include "catch.hpp"

#include <coffer/core/bytes.hpp>
#include <coffer/store.hpp>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace {

// Threads of other tests sync, too.
std::atomic<int> calls = 0;
std::atomic<bool> interrupts = false;

/// What the system answers in place of a sync: -1 with EINTR, or 0, to carry the sync out.
int interrupted() {
    ++calls;
    if (!interrupts.exchange(false)) return 0;  // whoever tried again would succeed
    errno = EINTR;
    return -1;
}

}  // namespace

// tests/CMakeLists.txt has the linker lead the calls of the headers here.
extern "C" {
int __real_fsync(int number);
int __real_fdatasync(int number);
int __real_msync(void* from, std::size_t size, int flags);
int __wrap_fsync(int number);
int __wrap_fdatasync(int number);
int __wrap_msync(void* from, std::size_t size, int flags);

int __wrap_fsync(int number) {
    return interrupted() == 0 ? __real_fsync(number) : -1;
}
int __wrap_fdatasync(int number) {
    return interrupted() == 0 ? __real_fdatasync(number) : -1;
}
int __wrap_msync(void* from, std::size_t size, int flags) {
    return interrupted() == 0 ? __real_msync(from, size, flags) : -1;
}
}

namespace {

template <class Storage>
void poisons() {
    using store = coffer::store<std::string, std::string, Storage, coffer::durability::buffered,
                                coffer::threading::single>;
    std::string folder =
        (std::filesystem::temp_directory_path() / "coffer_interrupted_XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    {
        auto db = store::open(folder + "/s");
        db.put("a", "1");
        calls = 0;
        interrupts = true;
        const auto synced = db.try_sync();
        CHECK(calls == 1);
        REQUIRE_FALSE(synced);
        CHECK(synced.error().kind() == coffer::errc::io_error);
        CHECK(synced.error().os_code() == EINTR);
        const auto put = db.try_put("b", "2");
        REQUIRE_FALSE(put);
        CHECK(put.error().kind() == coffer::errc::poisoned);
        CHECK(db.get("a") == "1");
    }
    std::filesystem::remove_all(folder);
}

}  // namespace

TEST_CASE("a sync that a signal interrupts is not tried again, and poisons", "[fs]") {
    poisons<coffer::storage::file_log>();
    poisons<coffer::storage::mmap>();
}

#endif
