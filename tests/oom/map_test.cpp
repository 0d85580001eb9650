// Suite S4 (sweep.hpp) of storage::map.
#include "oom/sweep.hpp"

namespace {

using namespace oom;
namespace storage = coffer::storage;
namespace index = coffer::index;
namespace threading = coffer::threading;

}  // namespace

TEST_CASE("without memory: map hash", "[oom]") {
    check<storage::map, index::hash>("map hash multi");
}
TEST_CASE("without memory: map sorted", "[oom]") {
    check<storage::map, index::sorted, threading::single>("map sorted single");
}
