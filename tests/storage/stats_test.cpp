// Figures of a store.
#include <coffer/storage/stats.hpp>

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include "catch.hpp"

#include <string>

namespace {

using coffer::detail::record_size;
using coffer::fs::simulated;
using S = coffer::store<std::string, std::string, coffer::durability::buffered,
                        coffer::threading::single, simulated>;

coffer::options small() {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    out.auto_compact = false;
    return out;
}

}  // namespace

TEST_CASE("figures follow what is written", "[stats]") {
    const simulated disk;
    S db = S::open("/db", small(), disk);
    auto now = db.stats();
    CHECK(now.entries == 0);
    CHECK(now.commits == 0);
    CHECK(now.dead_bytes == 0);
    CHECK(now.unsynced_bytes == 0);
    CHECK(now.segments == 1);
    const std::uint64_t empty = now.log_bytes;

    db.put("a", "1");
    db.put("a", "2");
    db.put("b", "3");
    db.erase("b");
    now = db.stats();
    CHECK(now.entries == 1);
    CHECK(now.commits == 4);
    CHECK(now.dead_bytes == 2 * record_size(1, 1));
    CHECK(now.log_bytes == empty + 3 * record_size(1, 1) + record_size(1, 0));
    CHECK(now.unsynced_bytes == now.log_bytes - empty);
    CHECK(now.index_bytes > 0);
    db.sync();
    CHECK(db.stats().unsynced_bytes == 0);
    CHECK(db.stats().dead_bytes == now.dead_bytes + coffer::detail::mark_size);

    for (int i = 0; i < 200; ++i) db.put("key", std::string(200, 'v'));
    CHECK(db.stats().segments > 2);
    CHECK(db.stats().commits == 204);
}
