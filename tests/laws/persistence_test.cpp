// What file_log and mmap keep, and who may open it.
#include <coffer/coffer.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "law.hpp"
#include "model.hpp"

using namespace laws;
using kind = change::kind;

namespace {

rows all_of(const map_model& model) {
    rows out;
    for (const auto& [key, value] : model) out.push_back({key, value});
    return out;
}

rows sorted(rows all) {
    std::sort(all.begin(), all.end(), [](const row& a, const row& b) { return a.key < b.key; });
    return all;
}

void expect_all(const any_store& store, const map_model& model, std::string_view law,
                std::source_location at = std::source_location::current()) {
    expect(sorted(good(store.iterate())) == all_of(model) && good(store.size()) == model.size(),
           law, at);
}

void expect_clean(opened& store, std::source_location at = std::source_location::current()) {
    const coffer::recovery_report found = good(store->recovery());
    expect(found.clean && !found.created && found.dropped_bytes == 0 && found.kept_aside.empty() &&
               found.entries == good(store->size()),
           "recovery() says clean", at);
}

/// Some of everything: overwrites, erases, batches, a clear on the way.
map_model write_some(any_store& store, const std::string& mark) {
    map_model model;
    for (int i = 0; i < 30; ++i) {
        const std::string key = mark + std::to_string(i % 20);
        good(store.put(key, "value" + std::to_string(i)));
        model[key] = "value" + std::to_string(i);
    }
    expect(good(store.erase(mark + "3")), "it was there");
    model.erase(mark + "3");
    const changes batch = {{kind::put, mark + "a", "1"},
                           {kind::put, mark + "a", "2"},
                           {kind::erase, mark + "4"},
                           {kind::put, mark + "b", ""},
                           {kind::put, mark + "5", "from a batch"}};
    good(store.write(batch));
    carry_out(model, batch);
    expect(good(store.insert(mark + "3", "inserted")), "it was erased");
    model[mark + "3"] = "inserted";
    return model;
}

// A49, K1, G9: what was put is there after a close and an open, or after a destructor.
void a_reopen_sees_everything(const combination& choice) {
    for (const bool closes : {true, false}) {
        opened store(choice);
        expect(good(store->recovery()).created, "the first open makes the store");
        store.reopen(closes);
        expect_clean(store);
        expect(good(store->empty()), "an empty store stays empty");
        map_model model = write_some(*store, "a");
        const std::uint64_t commits = good(store->stats()).commits;
        store.reopen(closes);
        expect_clean(store);
        expect_all(*store, model, "a reopen sees everything");
        expect(
            good(store->stats()).commits == commits && good(store->recovery()).commits == commits,
            "and counts on");
        model.merge(write_some(*store, "b"));
        store.reopen(closes);
        store.reopen(closes);
        expect_clean(store);
        expect_all(*store, model, "again");
        expect(good(store->verify()).ok(), "and all is whole");
    }
}

void erase_and_clear_persist(const combination& choice) {
    opened store(choice, small_segments());
    for (int i = 0; i < 40; ++i) good(store->put("k" + std::to_string(i), std::string(200, 'v')));
    store.reopen();
    for (int i = 0; i < 40; i += 2)
        expect(good(store->erase("k" + std::to_string(i))), "it was there");
    store.reopen();
    expect(good(store->size()) == 20 && !good(store->get("k0")) && good(store->get("k1")),
           "an erase persists");
    good(store->clear());
    store.reopen();
    expect_clean(store);
    expect(good(store->empty()) && good(store->iterate()).empty(), "a clear persists");
    good(store->write(
        {{kind::put, "x", "1"}, {kind::clear}, {kind::put, "y", "2"}, {kind::put, "y", "3"}}));
    store.reopen(false);
    expect(good(store->size()) == 1 && good(store->get("y")) == "3" && !good(store->get("x")),
           "a batch with clear, too");
}

// G-D4, K-D3, K-D11: erased keys stay erased through compaction and opening, whatever came before.
void nothing_comes_back(const combination& choice) {
    coffer::options chosen = small_segments();
    chosen.map_reads = choice.concurrent;
    opened store(choice, chosen);
    map_model model;
    random_numbers random(7);
    for (int round = 0; round < 6; ++round) {
        for (int i = 0; i < 60; ++i) {
            const std::string key = "k" + std::to_string(random.below(40));
            if (random.one_in(3)) {
                good(store->erase(key));
                model.erase(key);
            } else {
                model[key] = std::string(random.below(600), static_cast<char>('a' + round));
                good(store->put(key, model[key]));
            }
        }
        if (round == 3) {
            good(store->clear());
            model.clear();
        }
        if (round % 2 == 1) good(store->compact());
        expect_all(*store, model, "after compaction");
        store.reopen(round % 3 != 0);
        expect_clean(store);
        expect_all(*store, model, "after opening");
    }
    good(store->compact());
    store.reopen();
    expect_all(*store, model, "after both");
    expect(good(store->verify()).ok(), "whole");
}

// G-D5, G-D6: long values and any bytes come back as they were.
void any_bytes_persist(const combination& choice) {
    opened store(choice);
    std::string long_value(70'000, 'x');
    for (std::size_t i = 0; i < long_value.size(); ++i)
        long_value[i] = static_cast<char>(i * 31 % 256);
    map_model model = {{"", "empty key"},
                       {"empty value", ""},
                       {"long", long_value},              // G-D5
                       {"users:key1", "line1\nline2\n"},  // G-D6
                       {"a:b:c\n", ":put:k:v\n"},         // G-D6
                       {std::string(65536, '\xFF'), std::string(65536, '\0')},
                       {std::string("\0\0\0\0", 4), std::string("\0", 1)}};
    for (const auto& [key, value] : model) good(store->put(key, value));
    store.reopen();
    expect_clean(store);
    expect_all(*store, model, "any bytes persist");
    expect(good(store->get("long")).value().size() == 70'000,
           "G-D5: 70 000 bytes stay 70 000 bytes");
}

// G-D14: a batch of more than 4 MB, larger than a segment, atomic as any other.
void large_batches_persist(const combination& choice) {
    coffer::options chosen;
    chosen.segment_bytes = std::uint64_t{1} << 20;
    opened store(choice, chosen);
    changes large;
    map_model model;
    for (std::size_t i = 0; i < 50; ++i) {
        large.push_back({kind::put, "k" + std::to_string(i),
                         std::string(100'000 + i, static_cast<char>('a' + i % 26))});
    }
    good(store->write(large));
    carry_out(model, large);
    expect_all(*store, model, "a batch of 5 MB");
    good(store->put("k0", "small"));
    model["k0"] = "small";
    store.reopen();
    expect_clean(store);
    expect_all(*store, model, "a batch of 5 MB persists");
    good(store->compact());
    store.reopen();
    expect_all(*store, model, "and survives compaction");
}

// K6: what the traits promise, on the simulated disk. The crash suites ask much more.
void survives_what_it_says(const combination& choice) {
    if (!choice.simulated) return;
    const auto after = [&](const coffer::fs::simulated& disk) {
        const place there(disk, "/store");
        return good(choice.try_open(there, {}, false));
    };
    opened store(choice);
    map_model model = write_some(*store, "a");
    if (choice.survives_process_crash) {
        expect_all(*after(store.where.disk.process_killed()), model,
                   "every returned write survives the process");
    }
    if (choice.survives_system_crash) {
        expect_all(*after(store.where.disk.power_lost()), model,
                   "every returned write survives the system");
    }
    good(store->flush());
    expect_all(*after(store.where.disk.process_killed()), model,
               "what was flushed survives the process");
    good(store->sync());
    expect_all(*after(store.where.disk.power_lost()), model, "what was synced survives the system");
    const auto reopened = after(store.where.disk.process_killed());
    expect(!good(reopened->recovery()).clean, "recovery() says that there was no close");
    good(reopened->put("more", "v"));
    model["more"] = "v";
    expect_all(*reopened, model, "and the store goes on");
}

// ---- who may open -------------------------------------------------------------------------------

// A44, A-D2, K-D14: one writer.
void one_writer(const combination& choice) {
    opened store(choice);
    good(store->put("k", "v"));
    const auto second = choice.try_open(store.where, {}, false);
    fails(second, errc::locked);
    const std::string told = second.error().what();
    expect(told.find("pid ") != std::string::npos && told.find("unknown") == std::string::npos,
           "it names the holder's pid");
    expect(second.error().path().find("store") != std::string::npos, "and the path");
    expect(good(store->get("k")) == "v", "the holder does not notice");
    good(store->put("k", "w"));
    good(store->close());
    expect(good(good(choice.try_open(store.where, {}, false))->get("k")) == "w",
           "after close another may open");
    store.open();
    store.destroy();
    good(choice.try_open(store.where, {}, false));
}

// A-D2: a lock file that a dead process left does not lock.
void locks_are_not_stale(const combination& choice) {
    opened store(choice);
    good(store->put("k", "v"));
    good(store->sync());
    if (choice.simulated) {
        const place killed(store.where.disk.process_killed(), "/store");
        expect(good(good(choice.try_open(killed, {}, false))->get("k")) == "v",
               "the lock died with the process");
        return;
    }
    good(store->close());
    std::ofstream(std::filesystem::path(store.where.path) / "LOCK") << "1\n";
    expect(good(good(choice.try_open(store.where, {}, false))->get("k")) == "v",
           "what LOCK says is not believed");
}

void locks_may_be_waited_for(const combination& choice) {
    if (choice.simulated) return;  // its clock stands still
    opened store(choice);
    coffer::options patient;
    patient.lock_timeout = std::chrono::milliseconds(1);
    fails(choice.try_open(store.where, patient, false), errc::locked);
    patient.lock_timeout = std::chrono::seconds(60);
    std::atomic<bool> opens{false};
    std::atomic<bool> got{false};
    std::thread other([&] {
        opens = true;
        const auto answer = choice.try_open(store.where, patient, false);
        got = answer.has_value();
    });
    while (!opens) std::this_thread::yield();
    store.destroy();
    other.join();
    expect(got, "open waits for the holder to close");
}

// A21: reading beside a live writer, as another process would.
void readers_beside_a_writer(const combination& choice) {
    opened store(choice, small_segments());
    map_model model = write_some(*store, "a");
    good(store->flush());
    const auto reader = good(store.reader());
    const auto second = good(store.reader());
    expect_all(*reader, model, "a reader sees what was handed over");
    for (any_store* each : {reader.get(), second.get()}) {
        fails(each->put("k", "v"), errc::read_only);
        fails(each->insert("k", "v"), errc::read_only);
        fails(each->erase("a1"), errc::read_only);
        fails(each->erase("absent"), errc::read_only);
        fails(each->write({{kind::put, "k", "v"}}), errc::read_only);
        fails(each->clear(), errc::read_only);
        fails(each->compact(), errc::read_only);
        fails(each->flush(), errc::read_only);
        fails(each->sync(), errc::read_only);
    }
    const map_model before = model;
    model.merge(write_some(*store, "b"));
    good(store->erase("a1"));
    model.erase("a1");
    good(store->flush());
    expect_all(*reader, before, "a reader stays where it is");
    good(reader->refresh());
    expect_all(*reader, model, "and moves on with refresh()");
    expect_all(*second, before, "each for itself");
    expect(good(store->get("b1")) == model["b1"], "the writer does not notice");
    good(second->close());
    fails(second->get("a2"), errc::closed);
    expect_all(*reader, model, "closing one is nothing to the others");
    good(store->close());
    expect_all(*reader, model, "nor is it that the writer closes");
    good(reader->refresh());
    expect_all(*reader, model, "a reader of a closed store");
    expect(good(reader->recovery()).clean, "which is clean");
}

/// The memory of a simulated map belongs to one process. A reader that stands for another one looks
/// at it while it is stored to, as it may at a system's pages; ThreadSanitizer cannot know that.
bool where_processes_share(const combination& choice) {
#ifdef __SANITIZE_THREAD__
    if (choice.simulated && choice.storage == combination::storage_kind::mmap) return false;
#endif
    return where_persistent(choice);
}

// Compaction by the writer never breaks a reader.
void readers_beside_compaction(const combination& choice) {
    for (const bool maps : {true, false}) {
        coffer::options chosen = small_segments();
        chosen.map_reads = maps;
        opened store(choice, chosen);
        map_model model;
        const auto fill = [&](char with) {
            for (int i = 0; i < 60; ++i) {
                const std::string key = "k" + std::to_string(i);
                model[key] = std::string(400, with);
                good(store->put(key, model[key]));
            }
        };
        fill('a');
        fill('b');
        good(store->flush());
        const map_model before = model;
        const auto reader = good(choice.try_open(store.where, chosen, true));
        for (char with = 'c'; with < 'f'; ++with) {
            fill(with);
            good(store->compact());
            expect_all(*reader, before, "compaction takes nothing from a reader");
            expect(good(reader->get("k7")) == before.at("k7"), "nor from its lookups");
        }
        good(store->flush());
        good(reader->refresh());
        expect_all(*reader, model, "and refresh() finds the new segments");
    }
}

// Refreshed again and again, a reader sees whole commits only, in their order.
void readers_see_a_prefix(const combination& choice) {
    opened store(choice, small_segments());
    good(store->write({{kind::put, "x", "0"}, {kind::put, "y", "0"}}));
    good(store->flush());
    const auto reader = good(store.reader());
    int seen = 0;
    for (int i = 1; i <= 40; ++i) {
        const std::string number = std::to_string(i);
        good(store->write({{kind::put, "x", number},
                           {kind::put, "fill" + number, std::string(700, 'f')},
                           {kind::put, "y", number}}));
        if (i % 10 == 0) good(store->compact());
        if (i % 5 == 0) good(store->flush());
        good(reader->refresh());
        const std::string x = good(reader->get("x")).value();
        expect(x == good(reader->get("y")), "a batch is seen whole");
        expect(std::stoi(x) >= seen && std::stoi(x) <= i, "and never taken back");
        expect(i % 5 != 0 || std::stoi(x) == i, "what was flushed is seen");
        seen = std::stoi(x);
        expect(good(reader->size()) == 2 + static_cast<std::uint64_t>(seen), "with all before it");
    }
}

void readers_need_a_store(const combination& choice) {
    const place where(choice.simulated);
    fails(choice.try_open(where, {}, true), errc::not_found);
    good(good(choice.try_open(where, {}, false))->put("k", "v"));
    expect(good(good(choice.try_open(where, {}, true))->get("k")) == "v",
           "a reader of a store that nobody holds");
}

// A45, A50: a path that cannot be meant is an error with a path and a sentence, not a crash.
void bad_paths(const combination& choice) {
    place where(choice.simulated);
    const std::string good_path = where.path;
    where.path.clear();
    fails(choice.try_open(where, {}, false), errc::invalid_argument);
    where.path = good_path + "/not/there";
    const auto missing = choice.try_open(where, {}, false);
    fails(missing, errc::not_found);
    expect(missing.error().path().find("not/there") != std::string::npos,
           "the error names the path");
    where.path = std::string("/a\0b", 4);
    fails(choice.try_open(where, {}, false), errc::invalid_argument);
    where.path = good_path;
    good(choice.try_open(where, {}, false));
}

// ---- across combinations ------------------------------------------------------------------------

/// All combinations of one storage on one file system, in turn, on the same folder.
void handed_around(combination::storage_kind storage, bool simulated) {
    const place where(simulated);
    map_model model;
    for (int round = 0; round < 2; ++round) {
        for (const combination& choice : combinations()) {
            if (choice.storage != storage || choice.simulated != simulated) continue;
            const auto store = good(choice.try_open(where, small_segments(), false));
            expect_all(*store, model, "what another combination wrote");
            const std::string key = choice.name + std::to_string(round);
            good(store->write(
                {{kind::put, key, std::string(300, 'x')}, {kind::put, "latest", key}}));
            if (round == 1) good(store->erase(choice.name + "0"));
            model[key] = std::string(300, 'x');
            model["latest"] = key;
            if (round == 1) model.erase(choice.name + "0");
        }
    }
}

}  // namespace

TEST_CASE("on disk: reopening") {
    over(where_persistent, both_ways(a_reopen_sees_everything));
}
TEST_CASE("on disk: erase and clear") {
    over(where_persistent, erase_and_clear_persist);
}
TEST_CASE("on disk: nothing comes back") {
    over(where_persistent, nothing_comes_back);
}
TEST_CASE("on disk: any bytes") {
    over(where_persistent, any_bytes_persist);
}
TEST_CASE("on disk: large batches") {
    over(where_persistent, large_batches_persist);
}
TEST_CASE("on disk: survives what its type says") {
    over(where_persistent, survives_what_it_says);
}
TEST_CASE("on disk: one writer") {
    over(where_persistent, one_writer);
}
TEST_CASE("on disk: locks are not stale") {
    over(where_persistent, locks_are_not_stale);
}
TEST_CASE("on disk: locks may be waited for") {
    over(where_persistent, locks_may_be_waited_for);
}
TEST_CASE("on disk: readers beside a writer") {
    over(where_processes_share, both_ways(readers_beside_a_writer));
}
TEST_CASE("on disk: readers beside compaction") {
    over(where_processes_share, readers_beside_compaction);
}
TEST_CASE("on disk: readers see a prefix") {
    over(where_processes_share, readers_see_a_prefix);
}
TEST_CASE("on disk: readers need a store") {
    over(where_persistent, readers_need_a_store);
}
TEST_CASE("on disk: bad paths") {
    over(where_persistent, bad_paths);
}

TEST_CASE("on disk: other durability, index and threading read the same files") {
    using storage = combination::storage_kind;
    for (const storage each : {storage::file_log, storage::mmap}) {
        for (const bool simulated : {true, false}) {
            CHECK(outcome([&](const combination&) { handed_around(each, simulated); },
                          combinations()[0]) == "");
        }
    }
}

// Another storage policy is refused in words, and leaves the store as it was.
TEST_CASE("on disk: another storage policy is incompatible") {
    over(where_persistent, [](const combination& choice) {
        opened store(choice);
        good(store->put("k", "v"));
        store.destroy();
        const bool mapped = choice.storage == combination::storage_kind::mmap;
        for (const combination& other : combinations()) {
            if (!other.persistent || other.storage == choice.storage ||
                other.simulated != choice.simulated)
                continue;
            for (const bool reads : {false, true}) {
                const auto answer = other.try_open(store.where, {}, reads);
                fails(answer, errc::incompatible);
                const std::string told = answer.error().what();
                const std::size_t found = told.find(mapped ? "mmap" : "file_log");
                const std::size_t expected = told.find(mapped ? "file_log" : "mmap");
                expect(
                    found != std::string::npos && expected != std::string::npos && found < expected,
                    "it says found and expected: " + told);
            }
        }
        store.open();
        expect(good(store->get("k")) == "v" && good(store->recovery()).clean,
               "the store is as it was");
    });
}
