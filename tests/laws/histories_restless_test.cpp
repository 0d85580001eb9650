// Short concurrent histories on stores whose threads stop at any moment.
#include <vector>

#include "histories.hpp"
#include "law.hpp"
#include "registry.hpp"
#include "restless.hpp"

using namespace laws;

template <>
inline constexpr const char* laws::name_of_policy<restless> = "restless";

namespace {

namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace index = coffer::index;

template <class Storage, class Durability, class Index>
combination one() {
    return combination_of<Storage, Durability, Index, restless, coffer::fs::simulated>();
}

}  // namespace

TEST_CASE("histories: threads that stop at any moment") {
    over(everywhere, histories_are_linearizable,
         {one<storage::map, durability::buffered, index::hash>(),
          one<storage::map, durability::buffered, index::sorted>(),
          one<storage::file_log, durability::async, index::hash>(),
          one<storage::file_log, durability::write_through, index::sorted>(),
          one<storage::mmap, durability::sync, index::hash>(),
          one<storage::mmap, durability::buffered, index::sorted>()});
}
