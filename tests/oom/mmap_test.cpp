// Suite S4 (sweep.hpp) of storage::mmap under every durability policy, over both indexes.
#include "oom/sweep.hpp"

#include <string>

namespace {

using namespace oom;
namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace index = coffer::index;
namespace threading = coffer::threading;

}  // namespace

TEST_CASE("without memory: mmap sync hash", "[oom]") {
    check<storage::mmap, durability::sync, index::hash>("mmap sync hash multi");
}

TEST_CASE("without memory: mmap sync sorted", "[oom]") {
    check<storage::mmap, durability::sync, index::sorted>("mmap sync sorted multi");
}

TEST_CASE("without memory: mmap write_through hash", "[oom]") {
    check<storage::mmap, durability::write_through, index::hash, threading::single>(
        "mmap write_through hash single");
}

TEST_CASE("without memory: mmap write_through sorted", "[oom]") {
    check<storage::mmap, durability::write_through, index::sorted>(
        "mmap write_through sorted multi");
}

TEST_CASE("without memory: mmap buffered hash", "[oom]") {
    check<storage::mmap, durability::buffered, index::hash>("mmap buffered hash multi");
}

TEST_CASE("without memory: mmap buffered sorted", "[oom]") {
    check<storage::mmap, durability::buffered, index::sorted, threading::single>(
        "mmap buffered sorted single");
}

TEST_CASE("without memory: mmap async hash", "[oom]") {
    check<storage::mmap, durability::async, index::hash>("mmap async hash multi");
}

TEST_CASE("without memory: mmap async sorted", "[oom]") {
    check<storage::mmap, durability::async, index::sorted, threading::single>(
        "mmap async sorted single");
}
