// Calls of the file system that fail, and no memory to say so.
#include "oom/sweep.hpp"

#include <coffer/fs/faulty.hpp>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <new>
#include <string>
#include <type_traits>

namespace {

using namespace oom;
namespace storage = coffer::storage;
namespace durability = coffer::durability;

/// A put and a sync whose next call of `kind` fails, with every request for memory from the n-th on
/// refused, for every n.
template <class Durability, class Storage>
void poisoned_without_memory(coffer::fs::call kind) {
    using disk_type = coffer::fs::faulty<coffer::fs::native>;
    using store_type = coffer::store<std::string, std::string, Durability, Storage, disk_type>;
    const stdfs::path root = scratch("poisoned");
    const std::string one = key(1);
    const std::string two = key(2);
    std::uint64_t thrown = 0;
    for (std::uint64_t at = 1, refused = 1; refused != 0; ++at) {
        CAPTURE(at);
        stdfs::remove_all(root);
        const disk_type disk;
        store_type store = store_type::open(root.string(), small_segments(), disk);
        store.put(one, "kept");
        store.sync();
        disk.fail_call(1, {errc::io_error, EIO}, kind);
        memory::refuse(at, true);
        bool threw = false;
        bool done = false;
        try {
            const memory::metering meter;
            done = store.try_put(two, "lost") && store.try_sync();
        } catch (const std::bad_alloc&) {
            threw = true;
        }
        refused = memory::refused;
        memory::refuse(UINT64_MAX, false);
        CHECK_FALSE(done);
        if (disk.faults() == 0) {
            disk.clear_faults();
            CHECK(store.try_put(two, "after all"));
            CHECK(store.try_sync());
            continue;
        }
        thrown += threw;
        const auto put = store.try_put(two, "again");
        REQUIRE_FALSE(put);
        CHECK(put.error().kind() == errc::poisoned);
        const auto synced = store.try_sync();
        REQUIRE_FALSE(synced);
        CHECK(synced.error().kind() == errc::poisoned);
        CHECK(store.get(one) == "kept");
        if (std::is_same_v<Durability, durability::sync>) CHECK_FALSE(store.contains(two));
    }
    CHECK(thrown > 0);
    stdfs::remove_all(root);
}

}  // namespace

TEST_CASE("a sync that fails poisons the store without memory, too", "[oom]") {
    using coffer::fs::call;
    poisoned_without_memory<durability::sync, storage::file_log>(call::sync);
    poisoned_without_memory<durability::buffered, storage::file_log>(call::sync);
    poisoned_without_memory<durability::sync, storage::mmap>(call::sync);
    poisoned_without_memory<durability::sync, storage::mmap>(call::sync_map);
}

TEST_CASE("a hand-over that fails is told without memory, too", "[oom]") {
    using disk_type = coffer::fs::faulty<coffer::fs::native>;
    using store_type =
        coffer::store<std::string, std::string, durability::buffered, storage::file_log, disk_type>;
    const stdfs::path root = scratch("stuck");
    int untold = 0;
    // The background thread may take the number that the error would have: not with `ever`.
    for (const bool ever : {false, true}) {
        for (std::uint64_t at = 1, refused = 1; refused != 0; ++at) {
            CAPTURE(at, ever);
            stdfs::remove_all(root);
            const disk_type disk;
            store_type store = store_type::open(root.string(), small_segments(), disk);
            store.put(key(1), "kept");
            disk.fail_call(1, {errc::io_error, EIO}, coffer::fs::call::write);
            memory::refuse(at, ever);
            try {
                const memory::metering meter;
                static_cast<void>(store.try_flush());
            } catch (const std::bad_alloc&) {
            }
            refused = memory::refused;
            memory::refuse(UINT64_MAX, false);
            if (disk.faults() != 0) {
                if (const auto put = store.try_put(key(2), "later"); !put) {
                    CHECK(put.error().kind() == errc::io_error);
                    const std::string said = put.error().what();
                    untold += said.find("no memory") != std::string::npos;
                }
            }
            disk.clear_faults();
            CHECK(store.try_flush());
            CHECK(store.try_put(key(3), "at last"));
        }
    }
    CHECK(untold > 0);
    stdfs::remove_all(root);
}

TEST_CASE("a batch that cannot be taken back ends writing without memory, too", "[oom]") {
    using store_type = coffer::store<std::string, std::string, durability::buffered,
                                     storage::file_log, coffer::index::sorted>;
    const stdfs::path root = scratch("misled");
    coffer::options chosen = unmapped();
    chosen.auto_compact = false;
    const auto alike = [](int i) { return "the same head " + std::to_string(100 + i); };
    std::uint64_t ended = 0;
    for (std::uint64_t at = 1, refused = 1; refused != 0; ++at) {
        CAPTURE(at);
        stdfs::remove_all(root);
        store_type store = store_type::open(root.string(), chosen);
        for (int i = 0; i < 20; ++i) store.put(alike(2 * i), std::string(2000, 'v'));
        store.put("a", "1");  // so that the others have a head in common, and have to be read
        store.put("z", "1");
        store.flush();
        typename store_type::batch batch;
        batch.put(alike(1), "new");
        batch.put(alike(5), "new, too");
        batch.put(alike(0), "changed");
        memory::refuse(at, true);
        bool written = false;
        try {
            const memory::metering meter;
            written = store.try_write(batch).has_value();
        } catch (const std::bad_alloc&) {
        }
        refused = memory::refused;
        memory::refuse(UINT64_MAX, false);
        const auto put = store.try_put("and on", "1");
        ended += !put;
        if (!put) CHECK(put.error().kind() == errc::poisoned);
        CHECK(store.try_close().has_value() == put.has_value());
        store = store_type::open(root.string(), chosen);
        CHECK(store.contains("and on") == put.has_value());
        // What was accepted behind the last hand-over goes with a log that was given up.
        const bool there = store.contains(alike(1));
        if (put || !written) CHECK(there == written);
        CHECK(store.contains(alike(5)) == there);
        for (int i = 0; i < 20; ++i)
            CHECK(store.get(alike(2 * i)) ==
                  (i == 0 && there ? "changed" : std::string(2000, 'v')));
        CHECK(store.verify().ok());
    }
    CHECK(ended > 0);
    stdfs::remove_all(root);
}

TEST_CASE("a put that was accepted is not lost for want of memory behind it", "[oom]") {
    using disk_type = coffer::fs::faulty<coffer::fs::native>;
    using store_type =
        coffer::store<std::string, std::string, durability::buffered, storage::file_log, disk_type>;
    const stdfs::path root = scratch("accepted");
    coffer::options chosen = small_segments();
    chosen.buffer_bytes = 1;  // each put hands over
    int accepted = 0;
    for (std::uint64_t at = 1, refused = 1; refused != 0; ++at) {
        CAPTURE(at);
        stdfs::remove_all(root);
        const disk_type disk;
        store_type store = store_type::open(root.string(), chosen, disk);
        store.put(key(1), "kept");
        disk.fail_call(1, {errc::io_error, EIO}, coffer::fs::call::write);
        const std::string two = key(2);
        memory::refuse(at, true);
        bool done = false;
        try {
            const memory::metering meter;
            done = store.try_put(two, "value").has_value();
        } catch (const std::bad_alloc&) {
        }
        refused = memory::refused;
        memory::refuse(UINT64_MAX, false);
        CHECK(store.contains(two) == done);
        if (done) {
            ++accepted;
            CHECK(disk.faults() == 1);
            CHECK_FALSE(store.try_put(key(3), "refused until it works"));
        }
        disk.clear_faults();
        CHECK(store.try_flush());
        CHECK(store.try_put(key(3), "at last"));
        CHECK(store.contains(two) == done);
    }
    CHECK(accepted > 1);
    stdfs::remove_all(root);
}
