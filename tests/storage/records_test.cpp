// Log and index together: S1, every key leads to its newest visible record; S2, whatever nothing
// leads to is counted as dead.
#include <coffer/storage/records.hpp>

#include <coffer/index/hash.hpp>
#include <coffer/index/sorted.hpp>

#include "../journal/scene.hpp"
#include "catch.hpp"
#include "parts.hpp"

#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace coffer::detail;  // NOLINT: a test of one header
using coffer::as_bytes;
using coffer::as_text;
using coffer::errc;

/// The state of a store, and changes to it as a writer makes them.
template <class Index>
struct world_of {
    using state = records<scene::medium, Index, coffer::threading::single, 0>;

    explicit world_of(const log_options& chosen = scene::small()) : all(disk, chosen) {
        all.journal.start(scene::folder(disk), scene::id, 1).value();
        all.replace_index(all.make_index().value());
    }

    void make_room(std::uint64_t size) {
        all.index().prepare(8, 64).value();
        all.pending.prepare(8).value();
        while (!all.journal.has_room(size)) all.journal.prepare(size).value();
    }
    auto place_of(std::string_view key) {
        typename state::keys known(all);
        return all.index().locate(all.index().probe(as_bytes(key)), known);
    }

    address put(std::string_view key, std::string_view value) {
        make_room(record_size(key.size(), value.size()));
        const address where =
            all.journal.append(record_type::put, false, as_bytes(key), as_bytes(value));
        all.put_plain(all.index(), place_of(key), where);
        return where;
    }
    void erase(std::string_view key) {
        make_room(record_size(key.size(), 0));
        const address where = all.journal.append(record_type::erase, false, as_bytes(key), {});
        all.remove_plain(all.index(), place_of(key), where);
    }
    /// Writes `key` through a descriptor; returns the end of its commit.
    position put_pending(std::string_view key, std::string_view value) {
        make_room(record_size(key.size(), value.size()));
        const address where =
            all.journal.append(record_type::put, false, as_bytes(key), as_bytes(value));
        const auto place = place_of(key);
        all.index().put(place, all.install(where, false, place.ref, all.journal.tail()));
        return all.journal.tail();
    }
    position erase_pending(std::string_view key) {
        make_room(record_size(key.size(), 0));
        const address where = all.journal.append(record_type::erase, false, as_bytes(key), {});
        const auto place = place_of(key);
        all.index().put(place, all.install(where, true, place.ref, all.journal.tail()));
        return all.journal.tail();
    }

    std::string get(std::string_view key) const {
        std::string out = "absent";
        auto found = all.lookup(as_bytes(key), [&](coffer::bytes value) { out = as_text(value); });
        return found ? out : "unreadable";
    }
    std::uint64_t dead() {
        std::uint64_t sum = 0;
        for (const auto& each : all.journal.segments()) sum += each->dead.load();
        return sum;
    }

    scene::disk disk;
    state all;
};
using world = world_of<coffer::index::hash>;

}  // namespace

TEST_CASE("S1: plain writes are true at once", "[records]") {
    world it;
    CHECK(it.get("a") == "absent");
    it.put("a", "1");
    it.put("b", "2");
    CHECK(it.get("a") == "1");
    it.put("a", "3");
    CHECK(it.get("a") == "3");
    CHECK(it.all.size() == 2);
    it.erase("a");
    CHECK(it.get("a") == "absent");
    CHECK(it.get("b") == "2");
    CHECK(it.all.size() == 1);
}

TEST_CASE("S2: what is overwritten or erased is dead, a tombstone is not", "[records]") {
    world it;
    it.put("a", "1");
    CHECK(it.dead() == 0);
    it.put("a", "22");
    CHECK(it.dead() == record_size(1, 1));
    it.erase("a");
    CHECK(it.dead() == record_size(1, 1) + record_size(1, 2));
    CHECK(it.all.journal.segments()[0]->tombstones == record_size(1, 0));
    it.put("a", "1");
    CHECK(it.dead() == record_size(1, 1) + record_size(1, 2));
}

TEST_CASE("S1: a pending write is not seen, is seen as a whole, and becomes plain", "[records]") {
    world it;
    it.put("a", "old");
    const position first = it.put_pending("a", "new");
    const position second = it.put_pending("b", "fresh");
    const position third = it.erase_pending("a");
    CHECK(it.get("a") == "old");
    CHECK(it.get("b") == "absent");
    CHECK(it.all.size() == 1);
    it.all.commit(first);
    CHECK(it.get("a") == "new");
    CHECK(it.dead() == record_size(1, 3));
    it.all.commit(second);
    CHECK(it.get("b") == "fresh");
    CHECK(it.all.size() == 2);
    CHECK_FALSE(is_pending(it.place_of("b").ref));
    it.all.commit(third);
    CHECK(it.get("a") == "absent");
    CHECK(it.all.size() == 1);
    CHECK(it.place_of("a").ref == 0);
    CHECK(it.dead() == 2 * record_size(1, 3));
    CHECK(it.all.pending.empty());
}

TEST_CASE("S1: a write becomes plain when its segment is read from its file already", "[records]") {
    log_options chosen = scene::small();
    chosen.map_reads = false;
    world_of<coffer::index::sorted> it(chosen);
    const std::string alike = "what a leaf keeps of these keys is the same: ";
    it.put("a", "0");
    for (const char* last : {"2", "3", "4", "5"}) it.put(alike + last, last);
    const position end = it.put_pending(alike + "1", "1");
    it.all.journal.close_segment().value();
    it.put("z", "0");
    it.all.journal.hand_over().value();
    it.all.commit(end);
    CHECK_FALSE(is_pending(it.place_of(alike + "1").ref));
    for (const char* last : {"1", "2", "3", "4", "5"}) CHECK(it.get(alike + last) == last);
    CHECK(it.all.size() == 7);
}

TEST_CASE("a write whose key cannot be read again is kept, and ends the log", "[records]") {
    for (const bool kept : {true, false}) {
        log_options chosen = scene::small();
        chosen.map_reads = false;
        world_of<coffer::index::hash> it(chosen);
        it.put("a", "before");
        const position end = it.put_pending("a", "1");
        it.all.journal.close_segment().value();
        it.put("z", "0");
        it.all.journal.hand_over().value();
        it.disk.fail_call(1, {}, coffer::fs::call::read);
        if (kept) {
            it.all.commit(end);
        } else {
            CHECK(it.all.roll_back(end));
        }
        CHECK_FALSE(it.all.journal.healthy());
        const std::string wanted = kept ? "1" : "before";
        CHECK(it.get("a") == wanted);
        it.all.commit(it.put_pending("b", "2"));  // takes no descriptor that is in use
        CHECK(it.get("a") == wanted);
        CHECK(it.get("b") == "2");
        CHECK(it.all.size() == 3);
    }
}

TEST_CASE("a failed write leaves what was before, wherever it is in the chain", "[records]") {
    for (int failing = 0; failing < 3; ++failing) {
        world it;
        it.put("k", "before");
        const position ends[] = {it.put_pending("k", "0"), it.erase_pending("k"),
                                 it.put_pending("k", "2")};
        CHECK(it.all.roll_back(ends[failing]));
        CHECK_FALSE(it.all.roll_back(ends[failing]));
        CHECK(it.get("k") == "before");
        it.all.commit(it.all.journal.tail());
        CHECK(it.get("k") == (failing == 2 ? "absent" : "2"));
        CHECK(it.all.size() == (failing == 2 ? 0 : 1));
        CHECK(it.all.pending.empty());
    }
    world it;
    const position end = it.put_pending("fresh", "1");
    CHECK(it.all.roll_back(end));
    CHECK(it.get("fresh") == "absent");
    CHECK(it.place_of("fresh").ref == 0);
    CHECK(it.dead() == record_size(5, 1));
    CHECK(it.all.size() == 0);
}

TEST_CASE("any mixture of writes, commits and failures is what a model says", "[records]") {
    std::mt19937 random(7);
    for (int round = 0; round < 20; ++round) {
        world it;
        std::map<std::string, std::string> model;
        struct waiting {
            position end;
            std::string key;
            std::optional<std::string> value;
        };
        std::vector<waiting> queue;
        for (int step = 0; step < 200; ++step) {
            const std::string key(1, static_cast<char>('a' + random() % 5));
            const std::string value = std::to_string(step);
            switch (random() % 5) {
                case 0:
                case 1:
                    queue.push_back({it.put_pending(key, value), key, value});
                    break;
                case 2:
                    if (it.place_of(key).ref == 0) break;  // writers erase what is there only
                    queue.push_back({it.erase_pending(key), key, std::nullopt});
                    break;
                case 3: {  // some commit
                    if (queue.empty()) break;
                    const std::size_t count = random() % queue.size() + 1;
                    it.all.commit(queue[count - 1].end);
                    for (std::size_t i = 0; i < count; ++i) {
                        if (queue[i].value) model[queue[i].key] = *queue[i].value;
                        if (!queue[i].value) model.erase(queue[i].key);
                    }
                    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
                    break;
                }
                default: {  // one fails
                    if (queue.empty()) break;
                    const std::size_t which = random() % queue.size();
                    if (!it.all.roll_back(queue[which].end)) FAIL("nothing to roll back");
                    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(which));
                }
            }
            for (char c = 'a'; c < 'f'; ++c) {
                const auto at = model.find(std::string(1, c));
                const std::string wanted = at == model.end() ? "absent" : at->second;
                if (it.get(std::string(1, c)) != wanted) FAIL("key " << c << " in step " << step);
            }
            if (it.all.size() != model.size()) FAIL("count in step " << step);
        }
    }
}

TEST_CASE("groups of lookups answer as one by one", "[records]") {
    world it;
    std::vector<std::string> names;
    for (int i = 0; i < 16; ++i) names.push_back("key" + std::to_string(i));
    for (int i = 0; i < 16; i += 2) it.put(names[static_cast<std::size_t>(i)], names[1]);
    it.put_pending(names[1], "hidden");
    std::vector<coffer::bytes> keys;
    for (const std::string& each : names) keys.push_back(as_bytes(each));
    std::vector<std::string> found(16, "absent");
    REQUIRE(it.all.lookup_group(
        keys, [&](std::size_t i, coffer::bytes value) { found[i] = as_text(value); }));
    for (std::size_t i = 0; i < 16; ++i) CHECK(found[i] == (i % 2 == 0 ? names[1] : "absent"));
    REQUIRE(it.all.lookup_group({}, [](std::size_t, coffer::bytes) {}));
}

TEST_CASE("no answer of a group is older than the one before it", "[records]") {
    world_of<coffer::index::sorted> it;
    it.put("first", "old");
    it.put("0123456789-a", "another");  // the tree takes it for the second key of the group
    it.put("third", "old");
    const coffer::bytes keys[] = {as_bytes("first"), as_bytes("0123456789-b"), as_bytes("third")};
    std::vector<std::string> seen(3, "absent");
    REQUIRE(it.all.lookup_group(keys, [&](std::size_t i, coffer::bytes value) {
        seen[i] = as_text(value);
        if (i != 0) return;
        it.put("0123456789-b", "new");
        it.put("third", "new");
    }));
    CHECK(seen == std::vector<std::string>{"old", "new", "new"});
}

TEST_CASE("walks show visible entries, one in order until it has enough", "[records]") {
    world it;
    it.put("plain", "1");
    it.put_pending("hidden", "2");
    it.put("more", "3");
    std::vector<ref> slots;
    for (const char* key : {"plain", "hidden", "more"}) slots.push_back(it.place_of(key).ref);
    std::string shown;
    const auto visit = [&](coffer::bytes key, coffer::bytes value) {
        shown.append(as_text(key)).append(as_text(value));
        return shown.size() < 11;
    };
    REQUIRE(it.all.show_all(slots, visit));
    CHECK(shown == "plain1more3");
    shown.clear();
    const auto whole = it.all.show_in_order(slots, visit);
    REQUIRE(whole);
    CHECK_FALSE(*whole);  // the last call said that it was enough
    CHECK(shown == "plain1more3");
    slots.pop_back();
    shown.clear();
    CHECK(*it.all.show_in_order(slots, visit));
    CHECK(shown == "plain1");
    shown = "enough of it";
    CHECK_FALSE(*it.all.show_in_order(slots, visit));
    CHECK(shown == "enough of itplain1");
}

TEST_CASE("an index that is replaced goes when its readers have left", "[records]") {
    world it;
    it.put("a", "1");
    const auto pin = it.all.enter();
    it.all.replace_index(it.all.make_index().value());
    it.all.set_count(0);
    CHECK(it.get("a") == "absent");
    it.put("a", "2");
    CHECK(it.get("a") == "2");
}

TEST_CASE("damage is an error of the lookup that meets it", "[records]") {
    world it;
    const address where = it.put("a", "1");
    it.put("b", "2");
    REQUIRE(it.all.journal.close_segment());
    REQUIRE(it.all.journal.sync());
    REQUIRE(it.disk.flip(scene::path(1), offset_of(where) + 12, std::byte{1}));
    auto found = it.all.lookup(as_bytes("a"), [](coffer::bytes) {});
    REQUIRE_FALSE(found);
    CHECK(found.error().kind() == errc::corruption);
    CHECK(it.get("b") == "2");
    const std::vector<ref> slots{it.place_of("b").ref, where};
    CHECK_FALSE(it.all.show_all(slots, [](coffer::bytes, coffer::bytes) {}));
}

TEST_CASE("an index that leads elsewhere is corruption, also where it looks at no keys",
          "[records]") {
    using numbers = records<scene::medium, coffer::index::sorted, coffer::threading::single, 8>;
    const scene::disk disk;
    numbers all(disk, scene::small());
    all.journal.start(scene::folder(disk), scene::id, 1).value();
    all.replace_index(all.make_index().value());
    parts::told_driver driver;
    parts::no_thread wake;
    writer<numbers, parts::told_driver, parts::no_thread, false> to(all, driver, wake, 10'000);
    const auto write = [&](record_type type, std::string_view key, condition when) {
        return to.write(type, coffer::as_bytes(key), coffer::as_bytes("value"), when);
    };
    const auto get = [&](std::string_view key) {
        return all.lookup(coffer::as_bytes(key), [](coffer::bytes) {});
    };
    const std::string one = "00000001", two = "00000002";
    REQUIRE(write(record_type::put, one, condition::none).value());
    REQUIRE(write(record_type::put, two, condition::none).value());
    numbers::keys known(all);
    auto& table = all.index();
    const auto place_of = [&](const std::string& key) {
        return table.locate(table.probe(coffer::as_bytes(key)), known);
    };
    table.put(place_of(one), place_of(two).ref);
    CHECK(get(two).value());
    REQUIRE_FALSE(get(one));
    CHECK(get(one).error().kind() == errc::corruption);

    for (const ref nobody : {ref{0}, ref{5}, (ref{1} << 46) + 1}) {
        table.put(place_of(one), nobody | pending_bit);
        const position tail = all.journal.tail();
        for (const condition when : {condition::none, condition::absent, condition::present}) {
            for (const record_type type : {record_type::put, record_type::erase}) {
                auto done = write(type, one, when);
                REQUIRE_FALSE(done);
                CHECK(done.error().kind() == errc::corruption);
            }
        }
        REQUIRE_FALSE(get(one));
        CHECK(get(one).error().kind() == errc::corruption);
        CHECK(all.journal.tail() == tail);
    }
    CHECK(write(record_type::put, two, condition::present).value());
}
