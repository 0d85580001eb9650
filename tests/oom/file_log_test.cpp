// Suite S4 (sweep.hpp) of storage::file_log under every durability policy, over both indexes.
#include "oom/sweep.hpp"

#include <string>

namespace {

using namespace oom;
namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace index = coffer::index;
namespace threading = coffer::threading;

}  // namespace

TEST_CASE("a write that is refused memory leaves no file", "[oom]") {
    using store = coffer::store<std::string, std::string, storage::file_log, durability::buffered,
                                index::hash, threading::single>;
    const stdfs::path root = scratch("no_file");
    stdfs::remove_all(root);
    coffer::options chosen = small_segments();
    chosen.auto_compact = false;
    store db = store::open(root.string(), chosen);
    const std::string text(3000, 'v');
    std::uint64_t refused = 0;
    for (std::uint64_t at = 1; at < 60; ++at) {
        memory::refuse(at, false);
        for (int i = 0; i < 20 && memory::refused == 0; ++i) {  // through several segments
            try {
                const memory::metering meter;
                static_cast<void>(db.try_put(key(i), text));
            } catch (const std::bad_alloc&) {
                continue;
            }
        }
        refused += memory::refused;
        memory::refuse(UINT64_MAX, false);
    }
    std::uint64_t files = 0;
    for (const auto& each : stdfs::directory_iterator(root))
        files += each.path().extension() == ".log" ? 1U : 0U;
    CHECK(refused > 20);
    CHECK(files <= db.stats().segments + 1);  // one may be prepared
    db.close();
    stdfs::remove_all(root);
}

TEST_CASE("without memory: file_log sync hash, unmapped", "[oom]") {
    using store = coffer::store<std::string, std::string, storage::file_log, durability::sync>;
    sweep<store>("file_log sync hash multi unmapped", unmapped()).all();
}
TEST_CASE("without memory: file_log buffered sorted, unmapped", "[oom]") {
    using store = coffer::store<std::string, std::string, storage::file_log, durability::buffered,
                                index::sorted>;
    sweep<store>("file_log buffered sorted multi unmapped", unmapped()).all();
}

TEST_CASE("without memory: file_log sync hash", "[oom]") {
    check<storage::file_log, durability::sync, index::hash>("file_log sync hash multi");
}

TEST_CASE("without memory: file_log sync sorted", "[oom]") {
    check<storage::file_log, durability::sync, index::sorted, threading::single>(
        "file_log sync sorted single");
}

TEST_CASE("without memory: file_log write_through hash", "[oom]") {
    check<storage::file_log, durability::write_through, index::hash, threading::single>(
        "file_log write_through hash single");
}

TEST_CASE("without memory: file_log write_through sorted", "[oom]") {
    check<storage::file_log, durability::write_through, index::sorted>(
        "file_log write_through sorted multi");
}

TEST_CASE("without memory: file_log buffered hash", "[oom]") {
    check<storage::file_log, durability::buffered, index::hash, threading::single>(
        "file_log buffered hash single");
}

TEST_CASE("without memory: file_log buffered sorted", "[oom]") {
    check<storage::file_log, durability::buffered, index::sorted>("file_log buffered sorted multi");
}

TEST_CASE("without memory: file_log async hash", "[oom]") {
    check<storage::file_log, durability::async, index::hash>("file_log async hash multi");
}

TEST_CASE("without memory: file_log async sorted", "[oom]") {
    check<storage::file_log, durability::async, index::sorted>("file_log async sorted multi");
}
