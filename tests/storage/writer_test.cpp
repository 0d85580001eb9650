// The writer: conditions, bounds, batches and clears; an error before the record has a place
// changes nothing, an error afterwards takes it back in the running store.
#include <coffer/storage/writer.hpp>

#include <coffer/index/sorted.hpp>
#include <coffer/journal/segment_scan.hpp>

#include "catch.hpp"
#include "parts.hpp"

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::as_bytes;
using coffer::errc;
template <bool Hides>
using world = parts::world<Hides>;

struct change {
    record_type type;
    std::string key;
    std::string value;
};

change put_of(std::string key, std::string value) {
    return {record_type::put, std::move(key), std::move(value)};
}
change erase_of(std::string key) {
    return {record_type::erase, std::move(key), {}};
}
change clear_of_all() {
    return {record_type::clear, {}, {}};
}
/// An index that can be made to take no further key.
template <class Index>
struct limited {
    static inline bool full = false;
    static constexpr coffer::policy_id id = Index::id;
    static constexpr bool ordered = Index::ordered;
    template <class Threading, class Memory, std::size_t KeySize>
    struct table : Index::template table<Threading, Memory, KeySize> {
        using base = typename Index::template table<Threading, Memory, KeySize>;
        using base::base;
        [[nodiscard]] bool ready(std::size_t n, std::uint64_t key_bytes) {
            return (n == 0 || !full) && base::ready(n, key_bytes);
        }
        [[nodiscard]] coffer::result<void> prepare(std::size_t n, std::uint64_t key_bytes) {
            if (n != 0 && full) return coffer::fail(errc::no_space, "full");
            return base::prepare(n, key_bytes);
        }
    };
};
template <bool Hides, class Index>
using limited_world = parts::world<Hides, coffer::threading::single, limited<Index>>;

change_list all_of(const std::vector<change>& changes) {
    change_list out;
    for (const change& each : changes) out.add(each.type, as_bytes(each.key), as_bytes(each.value));
    return out;
}

}  // namespace

TEMPLATE_TEST_CASE("puts, inserts and erases say what they did", "[writer]", world<false>,
                   world<true>) {
    TestType it;
    CHECK(it.put("a", "1").value());
    CHECK_FALSE(it.put("a", "2", condition::absent).value());
    CHECK(it.get("a") == "1");
    CHECK(it.put("b", "2", condition::absent).value());
    CHECK(it.put("a", "3", condition::present).value());
    CHECK_FALSE(it.put("c", "4", condition::present).value());
    CHECK(it.get("a") == "3");
    CHECK(it.get("c") == "absent");
    CHECK(it.erase("a").value());
    CHECK_FALSE(it.erase("a").value());
    CHECK(it.get("a") == "absent");
    CHECK(it.all.size() == 1);
}

TEMPLATE_TEST_CASE("a write that does not happen leaves no record", "[writer]", world<false>,
                   world<true>) {
    TestType it;
    CHECK(it.put("a", "1").value());
    const position tail = it.tail();
    CHECK_FALSE(it.put("a", "2", condition::absent).value());
    CHECK_FALSE(it.erase("b").value());
    CHECK(it.writer.write(change_list()));
    CHECK(it.tail() == tail);
}

TEMPLATE_TEST_CASE("an error before the record has a place changes nothing", "[writer]",
                   world<false>, world<true>) {
    TestType it(50000);
    CHECK(it.put("a", "1").value());
    const position tail = it.tail();
    const std::string key(coffer::max_key_size + 1, 'k');
    CHECK(it.put(key, "").error().kind() == errc::too_large);
    CHECK(it.erase(key).error().kind() == errc::too_large);
    CHECK(it.driver.before == 1);  // bounds come first

    it.driver.refuses_before = true;
    CHECK(it.put("a", "2").error().kind() == errc::poisoned);
    CHECK(it.erase("a").error().kind() == errc::poisoned);
    CHECK(it.writer.write(all_of({put_of("a", "2"), put_of("b", "2")})).error().kind() ==
          errc::poisoned);
    CHECK(it.writer.write(all_of({clear_of_all()})).error().kind() == errc::poisoned);
    it.driver.refuses_before = false;

    it.disk.set_capacity(20000);
    CHECK(it.put("b", std::string(20000, 'v')).error().kind() == errc::no_space);
    CHECK(it.writer.write(all_of({put_of("b", std::string(15000, 'v')), clear_of_all()}))
              .error()
              .kind() == errc::no_space);
    CHECK(it.tail() == tail);
    CHECK(it.get("a") == "1");
    CHECK(it.all.size() == 1);
    CHECK_FALSE(it.all.exclusive);
    CHECK(it.put("b", "2").value());
}

TEMPLATE_TEST_CASE("the largest key fits", "[writer]", world<false>, world<true>) {
    TestType it;
    const std::string key(coffer::max_key_size, 'k');
    CHECK(it.put(key, "v").value());
    CHECK(it.get(key) == "v");
    CHECK(it.put("", "of the empty key").value());
    CHECK(it.get("") == "of the empty key");
}

TEMPLATE_TEST_CASE("an index that is full can be emptied", "[writer]",
                   (limited_world<false, coffer::index::hash>),
                   (limited_world<true, coffer::index::hash>),
                   (limited_world<false, coffer::index::sorted>),
                   (limited_world<true, coffer::index::sorted>)) {
    TestType it;
    bool& full = TestType::index_type::full;
    full = false;
    const coffer::detail::on_exit restored([&] { full = false; });
    for (const char* key : {"a", "b", "c", "d"}) REQUIRE(it.put(key, "1").value());
    full = true;
    CHECK(it.put("e", "1").error().kind() == errc::no_space);
    CHECK(it.writer.write(all_of({put_of("e", "1")})).error().kind() == errc::no_space);
    CHECK(it.erase("a").value());
    CHECK_FALSE(it.erase("a").value());
    CHECK(it.writer.write(all_of({erase_of("b"), erase_of("a"), erase_of("c")})));
    CHECK(it.get("b") == "absent");
    CHECK(it.get("d") == "1");
    CHECK(it.all.size() == 1);
    CHECK(it.writer.write(all_of({clear_of_all()})));
    CHECK(it.all.size() == 0);
    CHECK(it.all.pending.empty());
    full = false;
    CHECK(it.put("e", "1").value());
}

TEST_CASE("an error after the record has a place takes it back", "[writer]") {
    world<true> it;
    CHECK(it.put("a", "1").value());
    it.driver.refuses_after = true;
    CHECK(it.put("a", "2").error().kind() == errc::io_error);
    CHECK(it.put("fresh", "2").error().kind() == errc::io_error);
    CHECK(it.erase("a").error().kind() == errc::io_error);
    CHECK(it.writer.write(all_of({put_of("a", "3"), put_of("b", "3"), erase_of("a")}))
              .error()
              .kind() == errc::io_error);
    CHECK(it.writer.write(all_of({clear_of_all(), put_of("z", "3")})).error().kind() ==
          errc::io_error);
    CHECK(it.get("a") == "1");
    CHECK(it.get("b") == "absent");
    CHECK(it.get("z") == "absent");
    CHECK(it.get("fresh") == "absent");
    CHECK(it.all.size() == 1);
    CHECK(it.all.pending.empty());
    it.driver.refuses_after = false;
    CHECK(it.put("a", "4").value());
    CHECK(it.get("a") == "4");
}

TEST_CASE("without hiding a write is seen at once, and stays", "[writer]") {
    world<false> it;
    it.driver.waits = true;
    CHECK(it.put("a", "1").value());
    CHECK(it.get("a") == "1");
    CHECK(it.writer.write(all_of({put_of("a", "2"), put_of("b", "2")})));
    CHECK(it.get("a") == "2");
    CHECK(it.get("b") == "2");
}

TEST_CASE("with hiding no reader sees a write before its promise holds", "[writer]") {
    world<true> it;
    CHECK(it.put("a", "1").value());
    it.driver.waits = true;
    CHECK(it.put("a", "2").value());
    CHECK(it.writer.write(record_type::erase, as_bytes("a"), {}, condition::none).value());
    CHECK(it.get("a") == "1");
    it.driver.waits = false;
    CHECK(it.put("b", "3").value());  // one writer keeps the promise for all before it
    CHECK(it.get("a") == "absent");
    CHECK(it.get("b") == "3");
}

TEST_CASE("a condition is decided by what is pending, and shares its outcome", "[writer]") {
    world<true> it;
    it.driver.waits = true;
    CHECK(it.put("a", "1").value());
    it.driver.waits = false;
    int asked = it.driver.after;
    CHECK_FALSE(it.put("a", "2", condition::absent).value());
    CHECK(it.driver.after == asked + 1);
    CHECK(it.get("a") == "1");

    it.driver.waits = true;
    CHECK(it.erase("a").value());
    asked = it.driver.after;
    CHECK_FALSE(it.erase("a").value());
    CHECK(it.put("a", "3", condition::absent).value());  // nobody waits to be alone with the key
    CHECK(it.erase("a").value());
    CHECK(it.put("a", "3", condition::absent).value());
    CHECK(it.driver.after == asked + 4);
    CHECK(it.get("a") == "1");
    it.driver.waits = false;
    CHECK_FALSE(it.put("a", "4", condition::absent).value());
    CHECK(it.get("a") == "3");

    it.driver.waits = true;
    CHECK(it.put("a", "4").value());
    it.driver.refuses_after = true;
    CHECK(it.put("a", "5", condition::absent).error().kind() == errc::io_error);
}

TEMPLATE_TEST_CASE("a batch is one commit; a later operation on a key wins", "[writer]",
                   world<false>, world<true>) {
    TestType it;
    CHECK(it.put("gone", "1").value());
    const std::uint64_t commits = it.all.journal.commits();
    REQUIRE(it.writer.write(all_of({put_of("a", "1"), put_of("b", "1"), erase_of("a"),
                                    put_of("b", "2"), erase_of("gone"), erase_of("never"),
                                    put_of("c", "3"), erase_of("c"), put_of("c", "4")})));
    CHECK(it.all.journal.commits() == commits + 1);
    CHECK(it.get("a") == "absent");
    CHECK(it.get("b") == "2");
    CHECK(it.get("c") == "4");
    CHECK(it.get("gone") == "absent");
    CHECK(it.all.size() == 2);
    CHECK(it.all.pending.empty());
}

TEMPLATE_TEST_CASE("a batch may change a key that it brings more than once", "[writer]",
                   world<false>, world<true>) {
    TestType it;
    CHECK(it.put("old", "0").value());
    REQUIRE(it.writer.write(
        all_of({put_of("new", "1"), put_of("new", "2"), erase_of("old"), put_of("gone", "1"),
                erase_of("gone"), put_of("old", "3"), put_of("back", "1"), erase_of("back"),
                put_of("back", "2"), erase_of("never"), put_of("old", "4")})));
    CHECK(it.get("new") == "2");
    CHECK(it.get("old") == "4");
    CHECK(it.get("gone") == "absent");
    CHECK(it.get("back") == "2");
    CHECK(it.get("never") == "absent");
    CHECK(it.all.size() == 3);
    CHECK(it.all.pending.empty());
    // Of the eight puts that the batch and "old" before it brought, three are left.
    CHECK(it.all.journal.active()->dead.load() == 3 * record_size(3, 1) + 2 * record_size(4, 1));
}

TEMPLATE_TEST_CASE("a batch has a bound; one record may be larger", "[writer]", world<false>,
                   world<true>) {
    TestType it(1000);
    const std::string value(1000, 'v');
    auto refused = it.writer.write(all_of({put_of("a", value), put_of("b", "")}));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == errc::too_large);
    CHECK_THAT(refused.error().what(), t::ContainsSubstring("max_batch_bytes"));
    CHECK(it.get("a") == "absent");
    CHECK(it.writer.write(all_of({put_of("a", value)})));
    CHECK(it.put("b", std::string(50000, 'v')).value());
    CHECK(it.get("b").size() == 50000);
}

TEMPLATE_TEST_CASE("a clear in a batch takes what was before it, in the store and in the batch",
                   "[writer]", world<false>, world<true>) {
    TestType it;
    for (const char* key : {"a", "b", "c"}) CHECK(it.put(key, "1").value());
    REQUIRE(it.writer.write(all_of({put_of("d", "lost"), clear_of_all(), put_of("e", "2"),
                                    erase_of("a"), put_of("b", "2"), erase_of("e")})));
    CHECK(it.all.size() == 1);
    CHECK(it.get("a") == "absent");
    CHECK(it.get("b") == "2");
    CHECK(it.get("d") == "absent");
    CHECK(it.get("e") == "absent");
    CHECK(it.all.journal.active()->tombstones == 2 * record_size(1, 0));
    REQUIRE(it.writer.write(all_of({clear_of_all(), put_of("f", "3"), clear_of_all()})));
    CHECK(it.all.size() == 0);
    CHECK(it.all.journal.active()->tombstones == 0);
    CHECK(it.put("a", "4").value());
    CHECK(it.get("a") == "4");
}

TEMPLATE_TEST_CASE("a batch over damage changes nothing", "[writer]", world<false>, world<true>) {
    TestType it;
    CHECK(it.put("a", "1").value());
    CHECK(it.put("b", "1").value());
    REQUIRE(it.all.journal.close_segment());
    REQUIRE(it.all.journal.sync());
    REQUIRE(it.disk.flip(scene::path(1), scene::unit + 11, std::byte{1}));  // the key "a"
    const position tail = it.tail();
    const std::uint64_t commits = it.all.journal.commits();
    CHECK(it.put("a", "2").error().kind() == errc::corruption);
    const auto& active = *it.all.journal.active();
    const std::uint64_t dead = active.dead.load();
    const std::byte* const behind = active.body.memory() + active.end;
    std::vector<std::byte> seen;  // by a reader
    for (const bool again : {false, true}) {
        auto refused = it.writer.write(
            all_of({put_of("b", "2"), put_of("n", "1"), put_of("n", "2"), put_of("m", "1"),
                    erase_of("q"), put_of("a", "2"), put_of("c", "2")}));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind() == errc::corruption);
        CHECK(refused.error().offset() == scene::unit);
        if (!again) seen.assign(behind, behind + 4 * record_size(1, 1));
        if (!again) CHECK(it.tail() == tail);
        CHECK(it.all.journal.commits() == commits);
    }
    CHECK(seen != std::vector<std::byte>(seen.size()));
    CHECK(std::vector<std::byte>(behind, behind + seen.size()) == seen);
    const std::byte* const last = behind + 5 * record_size(1, 1) + record_size(1, 0);
    record none;
    CHECK_FALSE(read_record(last, last + record_size(1, 1), active.seed,
                            active.end + static_cast<std::uint64_t>(last - behind), none));
    CHECK(active.tombstones == 0);
    CHECK(it.get("b") == "1");
    CHECK(it.get("c") == "absent");
    CHECK(it.get("m") == "absent");
    CHECK(it.get("n") == "absent");
    CHECK(active.dead.load() == dead);
    CHECK(it.all.size() == 2);
    CHECK(it.all.pending.empty());
    CHECK(it.put("d", "3").value());
    CHECK(it.get("d") == "3");
    CHECK(it.all.journal.segments().size() == 3);  // it has ended one
}

TEMPLATE_TEST_CASE("a batch that fails at its first record hides nothing that is written later",
                   "[writer]", world<false>, world<true>) {
    TestType it;
    CHECK(it.put("a", "1").value());
    REQUIRE(it.all.journal.close_segment());
    REQUIRE(it.all.journal.sync());
    REQUIRE(it.disk.flip(scene::path(1), scene::unit + 11, std::byte{1}));  // the key "a"
    CHECK_FALSE(it.writer.write(all_of({put_of("a", "2"), put_of("c", "2")})));
    auto& active = *it.all.journal.active();
    const coffer::bytes behind(active.body.memory() + active.end, 2 * record_size(1, 1));
    CHECK(size_without_zeros(behind) == 0);  // nothing of it stays where the log goes on
    CHECK(it.put("d", "3").value());
    CHECK(it.get("d") == "3");
    CHECK(it.get("c") == "absent");
    CHECK(it.all.journal.segments().size() == 2);  // it has ended none
    REQUIRE(it.writer.write(all_of({put_of("e", "4"), put_of("f", "4")})));
    CHECK(it.get("f") == "4");
}

TEST_CASE("a batch that has failed stays hidden from who has begun to read before", "[writer]") {
    using shared = parts::world<false, coffer::threading::multi>;
    shared it;
    CHECK(it.put("a", "1").value());
    CHECK(it.put("b", "1").value());
    REQUIRE(it.all.journal.close_segment());
    REQUIRE(it.all.journal.sync());
    REQUIRE(it.disk.flip(scene::path(1), scene::unit + 11, std::byte{1}));  // the key "a"
    const auto& failing = *it.all.journal.active();
    const address first = make_address(failing.slot, failing.end);
    {
        const auto pin = it.all.enter();  // of a reader that has collected places
        REQUIRE_FALSE(it.writer.write(all_of({put_of("n", "never"), put_of("a", "2")})));
        const auto is_hidden = [&] {
            shared::state::keys known(it.all);
            return it.all.pending.resolve(first) == 0 && known.matches(first, as_bytes("n")) &&
                   !known.failed();
        };
        CHECK(is_hidden());
        CHECK(it.get("n") == "absent");
        // Others are written meanwhile, and are seen whole.
        REQUIRE(it.writer.write(all_of({put_of("c", "3"), put_of("b", "3"), put_of("d", "3")})));
        CHECK(it.get("b") == "3");
        CHECK(it.get("c") == "3");
        CHECK(it.get("d") == "3");
        CHECK(is_hidden());
        REQUIRE(it.all.journal.hand_over());
        REQUIRE(it.all.journal.sync());
        CHECK(is_hidden());
    }
    REQUIRE(it.writer.write(all_of({put_of("c", "4"), put_of("e", "4"), erase_of("d")})));
    CHECK(it.get("c") == "4");
    CHECK(it.get("e") == "4");
    CHECK(it.get("d") == "absent");
    CHECK(it.all.size() == 4);
    CHECK(it.all.pending.empty());
}

TEST_CASE("a batch whose new keys cannot be taken out again ends the writing", "[writer]") {
    using in_order = parts::world<false, coffer::threading::single, coffer::index::sorted>;
    log_options by_pread = scene::small();
    by_pread.map_reads = false;
    const auto failing_from = [&](std::uint64_t call, bool& remains) {
        in_order it(10000, by_pread);
        REQUIRE(it.put("b", "1").value());
        // Keys that only their records tell apart.
        const std::string start(16, 'a');
        for (const char* end : {"1", "2", "3", "4"}) REQUIRE(it.put(start + end, "1").value());
        REQUIRE(it.all.journal.close_segment());
        REQUIRE(it.all.journal.sync());
        REQUIRE(it.put("accepted", "1").value());
        const position accepted = it.tail();
        it.disk.fail_call(call, {.lasting = true}, coffer::fs::call::read);
        const auto written =
            it.writer.write(all_of({put_of(start + "5", "2"), put_of(start + "6", "2")}));
        it.disk.clear_faults();
        CHECK(it.get(start + "5") == (written ? "2" : "absent"));
        in_order::state::keys known(it.all);
        const std::string fifth = start + "5";
        const auto probe = it.all.index().probe(as_bytes(fifth));
        remains = !written && it.all.index().locate(probe, known).ref != 0;
        CHECK(it.all.journal.healthy() == !remains);
        if (remains) CHECK(it.all.journal.durable() == accepted);
        return written.has_value();
    };
    bool any_remained = false;
    std::uint64_t call = 1;
    for (bool done = false; !done; ++call) {
        bool remains = false;
        done = failing_from(call, remains);
        any_remained = any_remained || remains;
    }
    CHECK(call > 2);
    CHECK(any_remained);
}

TEST_CASE("sync and flush commit what they kept", "[writer]") {
    world<true> it;
    it.driver.waits = true;
    CHECK(it.put("a", "1").value());
    CHECK(it.get("a") == "absent");
    it.driver.held = it.tail();
    REQUIRE(it.writer.flush());
    CHECK(it.get("a") == "1");
    CHECK(it.put("b", "2").value());
    it.driver.held = it.tail();
    REQUIRE(it.writer.sync());
    CHECK(it.get("b") == "2");
    CHECK(it.all.journal.durable() >= it.driver.held);
}
