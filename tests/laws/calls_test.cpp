// What every call of every store means, asked of all combinations through try_x and through x.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "law.hpp"

using namespace laws;

namespace {

std::string key_of(std::size_t number) {
    return "key" + std::to_string(number);
}

rows sorted(rows all) {
    std::sort(all.begin(), all.end(), [](const row& a, const row& b) { return a.key < b.key; });
    return all;
}

const std::string every_byte = [] {
    std::string out;
    for (int byte = 0; byte < 256; ++byte) out.push_back(static_cast<char>(byte));
    return out;
}();

constexpr std::size_t largest_key = 64 * 1024;

// ---- one key ------------------------------------------------------------------------------------

// G1, K1: put, get, erase; A1: has.
void put_then_get(const combination& choice) {
    opened store(choice);
    expect(good(store->empty()) && good(store->size()) == 0, "a new store is empty");
    expect(!good(store->get("k")) && !good(store->contains("k")), "what was never put is absent");
    good(store->put("k", "one"));
    expect(good(store->get("k")) == "one", "get gives what was put");
    expect(good(store->contains("k")), "what was put is contained");
    expect(good(store->size()) == 1 && !good(store->empty()), "one key counts as one");
    good(store->put("k", "a second, longer value"));
    expect(good(store->get("k")) == "a second, longer value", "put overwrites");
    expect(good(store->size()) == 1, "overwriting adds no key");
    expect(good(store->erase("k")), "erase says that the key was there");
    expect(!good(store->get("k")) && !good(store->contains("k")) && good(store->empty()),
           "erase erases");
    expect(!good(store->erase("k")), "erase says that the key was not there");
    good(store->put("k", "again"));
    expect(good(store->get("k")) == "again" && good(store->size()) == 1, "put after erase puts");
}

void insert_only_if_absent(const combination& choice) {
    opened store(choice);
    expect(good(store->insert("k", "one")), "insert of an absent key inserts");
    expect(!good(store->insert("k", "two")), "insert of a present key does not");
    expect(good(store->get("k")) == "one", "insert of a present key changes nothing");
    expect(good(store->erase("k")) && good(store->insert("k", "three")),
           "insert after erase inserts");
    expect(good(store->get("k")) == "three" && good(store->size()) == 1,
           "what was inserted is there");
    good(store->put("k", "four"));
    expect(!good(store->insert("k", "five")) && good(store->get("k")) == "four",
           "insert after put does not");
}

// G-D3: a write is visible when it returns, to every kind of read.
void read_your_writes(const combination& choice) {
    opened store(choice);
    for (std::size_t i = 0; i < 50; ++i) {
        const std::string key = key_of(i % 7);
        const std::string value = "value" + std::to_string(i);
        good(store->put(key, value));
        expect(good(store->get(key)) == value && good(store->view(key)) == value &&
                   good(store->get_many({key}, 1)).at(0) == value && good(store->contains(key)),
               "each read sees the write before it");
        const rows all = good(store->iterate());
        expect(std::count(all.begin(), all.end(), row{key, value}) == 1, "iteration sees it, too");
    }
    expect(good(store->erase(key_of(3))) && !good(store->get(key_of(3))),
           "an erase is seen at once");
}

void view_shows_in_place(const combination& choice) {
    opened store(choice);
    good(store->put("k", "value"));
    good(store->put("empty", ""));
    expect(good(store->view("k")) == "value", "view shows the value");
    expect(good(store->view("empty")) == "", "view shows an empty value");
    expect(!good(store->view("absent")), "view of what is absent shows nothing");
}

void many_gets_at_once(const combination& choice) {
    opened store(choice);
    for (std::size_t i = 0; i < 100; i += 2) good(store->put(key_of(i), std::to_string(i)));
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < 100; ++i) keys.push_back(key_of(i));
    keys.push_back(key_of(4));  // a key may be asked for twice
    const auto found = good(store->get_many(keys, keys.size()));
    for (std::size_t i = 0; i < 100; ++i) {
        expect(i % 2 == 0 ? found[i] == std::to_string(i) : !found[i], "get_many is as many gets");
    }
    expect(found[100] == "4", "a key asked for twice is found twice");
    expect(good(store->get_many({}, 0)).empty(), "no keys, no answers");
    fails(store->get_many(keys, 10), errc::invalid_argument);
}

// ---- which keys and values ----------------------------------------------------------------------

// K-D7: empty is not absent; G-D6: any bytes.
void any_bytes(const combination& choice) {
    opened store(choice);
    std::vector<row> all = {{"", "the empty key"},
                            {"empty value", ""},
                            {std::string(1, '\0'), "zero"},
                            {std::string(2, '\0'), "two zeros"},
                            {std::string(8, '\xFF'), std::string(8, '\xFF')},
                            {std::string(largest_key, '\xFF'), "the last key of all"},
                            {std::string(largest_key, 'k'), "a long key"},
                            {"every byte", every_byte},
                            {every_byte, "every byte"},
                            {"users:1:name", "line one\nline two\r\n:put:x:"}};
    for (int byte = 0; byte < 256; ++byte) {
        all.push_back({std::string(1, static_cast<char>(byte)) + "-", std::to_string(byte)});
    }
    for (const row& each : all) good(store->put(each.key, each.value));
    expect(good(store->size()) == all.size(), "each of them is a key of its own");
    for (const row& each : all) {
        expect(
            good(store->get(each.key)) == each.value && good(store->view(each.key)) == each.value,
            "any bytes come back as they were");
    }
    expect(sorted(good(store->iterate())) == sorted(all), "iteration gives the same bytes");
    expect(good(store->erase("")) && !good(store->get("")), "the empty key can be erased");
    expect(good(store->erase(std::string(largest_key, '\xFF'))), "so can the largest");
    expect(!good(store->insert("empty value", "x")), "an empty value is a value");
}

// G-D5: lengths beyond 16 bits; values around every size at which something might change.
void sizes_of_values(const combination& choice) {
    opened store(choice, small_segments());
    std::vector<std::size_t> sizes = {0,     1,     2,     3,     4,     5,     127,   128,
                                      129,   1000,  4095,  4096,  4097,  8000,  16000, 16383,
                                      16384, 16385, 65535, 65536, 70000, 300000};
    for (const std::size_t size : sizes) {
        std::string value(size, 'v');
        for (std::size_t i = 0; i < size; i += 97) value[i] = static_cast<char>(i % 251);
        good(store->put("k" + std::to_string(size), value));
        expect(good(store->get("k" + std::to_string(size))) == value, "a value comes back whole");
    }
    for (const std::size_t size : sizes) {
        expect(good(store->get("k" + std::to_string(size))).value().size() == size,
               "it stays whole");
    }
}

void keys_are_bounded(const combination& choice) {
    opened store(choice);
    const std::string too_long(largest_key + 1, 'k');
    fails(store->put(too_long, "v"), errc::too_large);
    fails(store->insert(too_long, "v"), errc::too_large);
    fails(store->write({{change::kind::put, "a", "1"}, {change::kind::put, too_long, "v"}}),
          errc::too_large);
    expect(good(store->empty()), "a refused write changes nothing");
    expect(!good(store->contains(too_long)) && !good(store->get(too_long)),
           "and such a key is absent");
    good(store->put(too_long.substr(1), "v"));
    expect(good(store->get(too_long.substr(1))) == "v", "one byte less is a key");
}

// ---- many keys ----------------------------------------------------------------------------------

void growth_and_shrinking(const combination& choice) {
    opened store(choice, small_segments());
    const std::size_t count = choice.simulated ? 1500 : 400;
    changes some;
    for (std::size_t i = 0; i < count; ++i) {
        some.push_back({change::kind::put, key_of(i), std::to_string(i * i)});
        if (some.size() == 50 || i + 1 == count) {
            good(store->write(some));
            some.clear();
        }
    }
    expect(good(store->size()) == count, "every key counts");
    for (std::size_t i = 0; i < count; ++i) {
        expect(good(store->get(key_of(i))) == std::to_string(i * i), "every key is found");
    }
    for (std::size_t i = 0; i < count; i += 2) {
        some.push_back({change::kind::erase, key_of(i), {}});
        if (some.size() == 50 || i + 2 >= count) {
            good(store->write(some));
            some.clear();
        }
    }
    expect(good(store->size()) == count / 2, "half of them were erased");
    for (std::size_t i = 0; i < count; ++i) {
        expect(good(store->contains(key_of(i))) == (i % 2 == 1), "the right half");
    }
    expect(good(store->iterate()).size() == count / 2, "iteration meets the other half");
}

void iteration_is_complete(const combination& choice) {
    opened store(choice);
    expect(good(store->iterate()).empty() && good(store->for_each()).empty(),
           "nothing in an empty store");
    rows all;
    for (std::size_t i = 0; i < 100; ++i) {
        all.push_back({key_of(i), std::string(i, 'x')});
        good(store->put(all.back().key, all.back().value));
    }
    expect(sorted(good(store->iterate())) == sorted(all), "begin() to end() is every entry, once");
    expect(sorted(good(store->for_each())) == sorted(all), "for_each is every entry, once");
    const rows some = good(store->for_each(17));
    expect(some.size() == 17, "for_each ends when it is told to");
    const rows first = good(store->for_each(1));
    expect(first.size() == 1 && first[0] == some[0], "the same entries in the same order");
    if (choice.ordered) {
        expect(good(store->iterate()) == sorted(all) && good(store->for_each()) == sorted(all),
               "in order of keys on sorted");
    }
}

void clear_erases_all(const combination& choice) {
    opened store(choice);
    good(store->clear());
    expect(good(store->empty()), "clearing an empty store is no error");
    for (std::size_t i = 0; i < 60; ++i) good(store->put(key_of(i), "v"));
    good(store->clear());
    expect(good(store->empty()) && good(store->iterate()).empty(), "clear leaves nothing");
    for (std::size_t i = 0; i < 60; ++i) expect(!good(store->get(key_of(i))), "no key is left");
    expect(good(store->insert(key_of(3), "new")), "a cleared key is absent");
    good(store->put(key_of(4), "new"));
    expect(good(store->size()) == 2 && good(store->get(key_of(3))) == "new", "the store goes on");
}

// ---- batches ------------------------------------------------------------------------------------

using kind = change::kind;

void batches_are_in_order(const combination& choice) {
    opened store(choice);
    good(store->put("old", "1"));
    good(store->write({}));
    expect(good(store->size()) == 1, "an empty batch changes nothing");
    good(store->write({{kind::put, "a", "1"},
                       {kind::put, "b", "2"},
                       {kind::erase, "old"},
                       {kind::erase, "absent"}}));
    expect(good(store->get("a")) == "1" && good(store->get("b")) == "2" &&
               !good(store->get("old")) && good(store->size()) == 2,
           "a batch does all that it lists");
    // Duplicate keys: the later operation wins.
    good(store->write({{kind::put, "a", "2"}, {kind::put, "a", "3"}, {kind::put, "a", "4"}}));
    expect(good(store->get("a")) == "4" && good(store->size()) == 2, "of puts the last one wins");
    good(store->write({{kind::put, "a", "5"},
                       {kind::erase, "a"},
                       {kind::put, "new", "1"},
                       {kind::erase, "new"}}));
    expect(!good(store->get("a")) && !good(store->get("new")) && good(store->size()) == 1,
           "put, then erase");
    good(store->write(
        {{kind::erase, "b"}, {kind::put, "b", "6"}, {kind::erase, "c"}, {kind::put, "c", "7"}}));
    expect(good(store->get("b")) == "6" && good(store->get("c")) == "7" && good(store->size()) == 2,
           "erase, then put");
    good(store->write({{kind::erase, "b"}, {kind::erase, "b"}}));
    expect(!good(store->get("b")) && good(store->size()) == 1, "erased twice is erased once");
    good(store->write({{kind::put, "", ""}}));
    expect(good(store->get("")) == "" && good(store->size()) == 2, "the empty key in a batch");
}

void batches_may_clear(const combination& choice) {
    opened store(choice);
    for (int i = 0; i < 20; ++i) good(store->put("old" + std::to_string(i), "v"));
    good(store->write({{kind::put, "before", "1"},
                       {kind::clear},
                       {kind::put, "after", "2"},
                       {kind::erase, "none"}}));
    expect(
        good(store->size()) == 1 && good(store->get("after")) == "2" && !good(store->get("before")),
        "clear inside a batch erases what was and what came before it");
    good(store->write({{kind::clear},
                       {kind::put, "a", "1"},
                       {kind::put, "a", "2"},
                       {kind::put, "b", "1"},
                       {kind::erase, "b"}}));
    expect(good(store->size()) == 1 && good(store->get("a")) == "2",
           "clear first, then duplicates");
    good(
        store->write({{kind::clear}, {kind::put, "x", "1"}, {kind::clear}, {kind::put, "y", "2"}}));
    expect(good(store->size()) == 1 && good(store->get("y")) == "2", "the last clear counts");
    good(store->write({{kind::put, "z", "1"}, {kind::clear}}));
    expect(good(store->empty()), "clear last leaves nothing");
    good(store->put("z", "2"));
    expect(good(store->get("z")) == "2" && good(store->size()) == 1, "and the store goes on");
}

// G-D14: more than 4 MB in one batch; the bound is an option, and refusal changes nothing.
void batches_are_bounded(const combination& choice) {
    coffer::options chosen = small_segments();
    chosen.max_batch_bytes = 100'000;
    opened store(choice, chosen);
    good(store->put("k", "before"));
    changes large = {{kind::put, "k", "after"}};
    for (std::size_t i = 0; i < 11; ++i)
        large.push_back({kind::put, key_of(i), std::string(10'000, 'x')});
    fails(store->write(large), errc::too_large);
    expect(good(store->get("k")) == "before" && good(store->size()) == 1,
           "a batch too large changes nothing");
    large.resize(9);
    good(store->write(large));
    expect(good(store->get("k")) == "after" && good(store->size()) == 9,
           "one within the bound is written");
    // Larger than a segment of 16 KiB.
    expect(good(store->get(key_of(7))) == std::string(10'000, 'x'), "whole");
    large.push_back({kind::put, key_of(8), std::string(10'001, 'y')});
    large.insert(large.begin(), {kind::clear});
    good(store->write(large));
    expect(good(store->size()) == 10 && good(store->get(key_of(8))) == std::string(10'001, 'y'),
           "also one with a clear");
}

/// Keys that have so much in common that what tells them apart is itself long.
void batches_of_long_keys(const combination& choice) {
    for (const bool clears : {false, true}) {
        opened store(choice, small_segments());
        changes all;
        if (clears) all.push_back({kind::clear});
        const std::string common(40, 'a');
        const std::string tied = common + "130" + std::string(30'000, 'p');
        for (std::size_t i = 0; i < 61; ++i) {
            const change each{kind::put, common + std::to_string(100 + i), "short"};
            if (clears) {
                all.push_back(each);
            } else {
                good(store->put(each.key, each.value));
            }
        }
        all.push_back({kind::put, tied + "1", "one"});
        all.push_back({kind::put, tied + "2", "two"});
        good(store->write(all));

        changes lopsided;
        const std::string shared(10'000, 'q');
        for (std::size_t i = 0; i < 62; ++i)
            lopsided.push_back({kind::put, shared + "a" + std::to_string(100 + i), "low"});
        for (int i = 0; i < 40; ++i)
            lopsided.push_back({kind::put, shared + static_cast<char>(255 - i), "high"});
        good(store->write(lopsided));

        const auto are_there = [&](const changes& some) {
            for (const change& each : some) {
                if (each.is == kind::put)
                    expect(good(store->get(each.key)) == each.value, "each key is found");
            }
        };
        are_there(all);
        are_there(lopsided);
        expect(good(store->size()) == 63 + lopsided.size(), "and counted once");
        good(store->write(lopsided));
        good(store->compact());
        are_there(all);
        are_there(lopsided);
        expect(good(store->size()) == 63 + lopsided.size(), "also when it was compacted");
    }
}

// ---- the rest -----------------------------------------------------------------------------------

void durability_calls_succeed(const combination& choice) {
    opened store(choice);
    good(store->flush());
    good(store->sync());
    for (int i = 0; i < 10; ++i) {
        good(store->put("k", std::to_string(i)));
        good(i % 2 == 0 ? store->flush() : store->sync());
    }
    expect(good(store->get("k")) == "9", "flush and sync change nothing that is seen");
    expect(good(store->stats()).unsynced_bytes == 0 || !choice.persistent,
           "sync leaves nothing unsynced");
}

void compaction_keeps_everything(const combination& choice) {
    coffer::options chosen = small_segments();
    chosen.auto_compact = false;
    opened store(choice, chosen);
    good(store->compact());
    rows all;
    for (std::size_t round = 0; round < 8; ++round) {
        changes some;
        all.clear();
        for (std::size_t i = 0; i < 40; ++i) {
            all.push_back({key_of(i), std::string(100 + i, static_cast<char>('a' + round))});
            some.push_back({kind::put, all.back().key, all.back().value});
        }
        for (std::size_t i = 0; i < 10; ++i)
            some.push_back({kind::put, "gone" + key_of(i), std::string(100, 'g')});
        good(store->write(some));
    }
    for (std::size_t i = 0; i < 10; ++i)
        expect(good(store->erase("gone" + key_of(i))), "it was there");
    const coffer::store_stats before = good(store->stats());
    expect(before.dead_bytes > before.log_bytes / 2, "most of the log is dead");
    good(store->compact());
    const coffer::store_stats after = good(store->stats());
    expect(after.log_bytes < before.log_bytes / 2, "compaction gives space back");
    expect(after.entries == before.entries && after.entries == 40, "and loses no entry");
    expect(sorted(good(store->iterate())) == sorted(all), "every value is what it was");
    expect(good(store->verify()).ok(), "and whole");
    good(store->compact());
    expect(sorted(good(store->iterate())) == sorted(all), "compacting twice does no harm");
    good(store->clear());
    good(store->compact());
    expect(good(store->stats()).log_bytes < before.log_bytes / 4,
           "a cleared store takes little room");
}

// A-D11: figures of this store, right after overwrites and erases; K15.
void figures_are_of_this_store(const combination& choice) {
    opened store(choice);
    const coffer::recovery_report found = good(store->recovery());
    expect(found.created && found.clean && found.entries == 0 && found.dropped_bytes == 0,
           "it was made just now");
    const std::uint64_t commits = good(store->stats()).commits;
    for (int i = 0; i < 10; ++i) good(store->put("k" + std::to_string(i), "v"));
    good(store->put("k0", "w"));
    good(store->erase("k1"));
    good(store->write({{kind::put, "x", "1"}, {kind::put, "y", "2"}}));
    const coffer::store_stats now = good(store->stats());
    expect(now.entries == 11 && now.entries == good(store->size()), "entries");
    expect(now.commits == commits + 13, "a batch is one commit");
    expect(now.segments >= 1 && now.index_bytes > 0 && now.dead_bytes > 0 &&
               now.log_bytes > now.dead_bytes,
           "segments, index, dead bytes");
    const coffer::verify_report checked = good(store->verify());
    expect(checked.ok() && checked.records >= 14 && checked.bytes > 0, "verify reads every record");
}

// G-D15: a call after close() answers errc::closed; so does a store that was moved from.
void answers_closed(any_store& store, bool ordered) {
    expect(!store.is_open(), "it is not open");
    fails(store.put("k", "v"), errc::closed);
    fails(store.insert("k", "v"), errc::closed);
    fails(store.erase("k"), errc::closed);
    fails(store.write({{kind::put, "k", "v"}}), errc::closed);
    fails(store.write({}), errc::closed);
    fails(store.clear(), errc::closed);
    fails(store.get("k"), errc::closed);
    fails(store.view("k"), errc::closed);
    fails(store.get_many({"k"}, 1), errc::closed);
    fails(store.contains("k"), errc::closed);
    fails(store.size(), errc::closed);
    fails(store.empty(), errc::closed);
    fails(store.iterate(), errc::closed);
    fails(store.for_each(), errc::closed);
    fails(store.flush(), errc::closed);
    fails(store.sync(), errc::closed);
    fails(store.compact(), errc::closed);
    fails(store.refresh(), errc::closed);
    fails(store.stats(), errc::closed);
    fails(store.recovery(), errc::closed);
    fails(store.verify(), errc::closed);
    if (ordered) {
        for (const auto is :
             {part::kind::scan, part::kind::range, part::kind::from, part::kind::prefix}) {
            fails(store.in({is, "a", "b"}), errc::closed);
            fails(store.for_each_in({is, "a", "b"}), errc::closed);
            fails(store.for_each_in({is, "a", "b"}, true), errc::closed);
        }
        fails(store.for_each_in({part::kind::from, "", ""}, true), errc::closed);
        fails(store.lower_bound("k", 1), errc::closed);
        fails(store.upper_bound("k", 1), errc::closed);
        fails(store.erase_range("a", "b"), errc::closed);
    }
    good(store.close());  // closing what is closed is no error
}

void closed_stores_say_so(const combination& choice) {
    opened store(choice);
    good(store->put("k", "v"));
    good(store->close());
    answers_closed(*store, choice.ordered);
}

void moved_stores(const combination& choice) {
    opened first(choice);
    good(first->put("k", "first"));
    std::unique_ptr<any_store> moved = first->move_out();
    answers_closed(*first, choice.ordered);
    expect(moved->is_open() && good(moved->get("k")) == "first", "a move takes the store along");
    good(moved->put("l", "also first"));

    opened second(choice);
    good(second->put("k", "second"));
    second->move_in(*moved);  // the store that was in `second` ends here
    answers_closed(*moved, choice.ordered);
    expect(good(second->get("k")) == "first" && good(second->size()) == 2, "move assignment, too");
    first->move_in(*second);
    expect(good(first->get("l")) == "also first", "and back into what was moved from");
}

void options_are_checked(const combination& choice) {
    const place where(choice.simulated);
    const auto refuses = [&](auto&& change_one) {
        coffer::options chosen;
        change_one(chosen);
        fails(choice.try_open(where, chosen, false), errc::invalid_argument);
    };
    refuses([](auto& o) { o.segment_bytes = 16 * 1024 - 1; });
    refuses([](auto& o) { o.segment_bytes = std::uint64_t{1} << 60; });
    refuses([](auto& o) { o.max_batch_bytes = 0; });
    refuses([](auto& o) { o.max_batch_bytes = std::uint64_t{1} << 60; });
    refuses([](auto& o) { o.interval = std::chrono::nanoseconds(0); });
    refuses([](auto& o) { o.max_delay = std::chrono::nanoseconds(-1); });
    refuses([](auto& o) { o.lock_timeout = std::chrono::nanoseconds(-1); });
    refuses([](auto& o) { o.max_bytes = 0; });
    refuses([](auto& o) { o.max_unsynced_bytes = 0; });
    good(choice.try_open(where, {}, false));
}

}  // namespace

TEST_CASE("every store: put, get, erase") {
    over(everywhere, both_ways(put_then_get));
}
TEST_CASE("every store: insert only if absent") {
    over(everywhere, both_ways(insert_only_if_absent));
}
TEST_CASE("every store: read your writes") {
    over(everywhere, read_your_writes);
}
TEST_CASE("every store: view") {
    over(everywhere, both_ways(view_shows_in_place));
}
TEST_CASE("every store: get_many") {
    over(everywhere, both_ways(many_gets_at_once));
}
TEST_CASE("every store: any bytes are keys and values") {
    over(everywhere, any_bytes);
}
TEST_CASE("every store: values of every size") {
    over(everywhere, sizes_of_values);
}
TEST_CASE("every store: keys are bounded") {
    over(everywhere, both_ways(keys_are_bounded));
}
TEST_CASE("every store: growth and shrinking") {
    over(everywhere, growth_and_shrinking);
}
TEST_CASE("every store: iteration is complete") {
    over(everywhere, both_ways(iteration_is_complete));
}
TEST_CASE("every store: clear") {
    over(everywhere, both_ways(clear_erases_all));
}
TEST_CASE("every store: batches in order") {
    over(everywhere, both_ways(batches_are_in_order));
}
TEST_CASE("every store: batches with clear") {
    over(everywhere, both_ways(batches_may_clear));
}
TEST_CASE("every store: batches are bounded") {
    over(everywhere, both_ways(batches_are_bounded));
}
TEST_CASE("every store: batches of long keys") {
    over(everywhere, both_ways(batches_of_long_keys));
}
TEST_CASE("every store: flush and sync") {
    over(everywhere, both_ways(durability_calls_succeed));
}
TEST_CASE("every store: compact") {
    over(everywhere, both_ways(compaction_keeps_everything));
}
TEST_CASE("every store: stats, recovery, verify") {
    over(everywhere, both_ways(figures_are_of_this_store));
}
TEST_CASE("every store: after close") {
    over(everywhere, both_ways(closed_stores_say_so));
}
TEST_CASE("every store: moves") {
    over(everywhere, both_ways(moved_stores));
}
TEST_CASE("every store: options are checked") {
    over(everywhere, options_are_checked);
}
