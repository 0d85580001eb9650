// How far a log has come: places and bytes.
#include <coffer/journal/progress.hpp>

#include "catch.hpp"

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header

struct moving : log_progress<coffer::threading::single> {
    using log_progress::appended, log_progress::went_back, log_progress::handed_over,
        log_progress::became_durable, log_progress::begin_at, log_progress::appended_bytes;
};

}  // namespace

TEST_CASE("a log begins where recovery found it: all is handed over, and not all durable",
          "[progress]") {
    moving log;
    CHECK(log.tail() == position());
    log.begin_at(position(3, 400), position(3, 200), 200);
    CHECK(log.tail() == position(3, 400));
    CHECK(log.handed() == position(3, 400));
    CHECK(log.durable() == position(3, 200));
    CHECK(log.unhanded_bytes() == 0);
    CHECK(log.unsynced_bytes() == 200);
    log.appended(position(4, 100), 100);
    CHECK(log.unhanded_bytes() == 100);
    CHECK(log.unsynced_bytes() == 300);
    log.became_durable(position(4, 100), log.appended_bytes());
    CHECK(log.unsynced_bytes() == 0);
}

TEST_CASE("what is appended waits to be handed over, and to be durable", "[progress]") {
    moving log;
    log.appended(position(1, 100), 100);
    log.appended(position(1, 140), 40);
    CHECK(log.tail() == position(1, 140));
    CHECK(log.appended_bytes() == 140);
    CHECK(log.unhanded_bytes() == 140);
    CHECK(log.unsynced_bytes() == 140);
    log.handed_over(position(1, 100), 100);
    CHECK(log.handed() == position(1, 100));
    CHECK(log.unhanded_bytes() == 40);
    CHECK(log.unsynced_bytes() == 140);
    log.became_durable(position(1, 100), 100);
    CHECK(log.durable() == position(1, 100));
    CHECK(log.unsynced_bytes() == 40);
    log.went_back(position(1, 120), 20);
    CHECK(log.tail() == position(1, 120));
    CHECK(log.unhanded_bytes() == 20);
    CHECK(log.unsynced_bytes() == 20);
}
