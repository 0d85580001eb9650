// A sound, closed store beside an INDEX that holds anything, with checks that match: whatever it
// says, a store never answers with what was not put under that key, and goes on.
#include "fuzz/mend.hpp"
#include "fuzz/stores.hpp"

namespace fuzz {
namespace {

/// A closed store, and every value that each of its keys ever had.
struct scene {
    folder files;
    std::multimap<std::string, std::string> put;
};

template <class Store>
scene made(unsigned choice) {
    const simulated disk(5);
    std::multimap<std::string, std::string> put;
    Store db = Store::open(place, small_options(), disk);
    for (int i = 0; i < 40; ++i) {
        const std::string key = "key " + std::to_string(i % 30);
        put.emplace(key, "value " + std::to_string(i));
        db.put(key, "value " + std::to_string(i));
    }
    db.erase("key 3");
    db.close();
    return {folder(choice, disk, place), std::move(put)};
}

template <class Store>
const scene& scene_of(unsigned choice) {
    static const scene only = made<Store>(choice);
    return only;
}

void must_be_true(const scene& in, std::string_view key, std::string_view value) {
    const auto [from, to] = in.put.equal_range(std::string(key));
    for (auto at = from; at != to; ++at) {
        if (at->second == value) return;
    }
    throw violation("a value that was never put under " + std::string(key));
}

void must_be_honest(const coffer::error& cause) {
    need(cause.kind() == coffer::errc::corruption,
         std::string("an index that lies is corruption, but: ") + cause.what());
}

template <class Store>
void open(coffer::bytes hint, unsigned choice) {
    const scene& in = scene_of<Store>(choice);
    folder files = in.files;
    files.files[1].assign(hint.begin(), hint.end());
    if ((choice & 2) != 0) mend(files);
    const simulated disk = files.disk(place);
    {
        auto db = Store::try_open(place, small_options(), disk);
        need(db.has_value(), "an INDEX cannot keep a store from being opened");
        for (const auto& [key, value] : in.put) {
            const auto got = db->try_get(key);
            if (!got) {
                must_be_honest(got.error());
            } else if (*got) {
                must_be_true(in, key, **got);
            }
        }
        const auto walked = db->try_for_each(
            [&](std::string_view key, std::string_view value) { must_be_true(in, key, value); });
        if (!walked) must_be_honest(walked.error());
        for (const char* key : {"key 1", "key 7", "new", "newer"}) {
            if (const auto done = db->try_put(key, "put"); !done) must_be_honest(done.error());
            if (const auto done = db->try_erase(key); !done) must_be_honest(done.error());
        }
    }
    bool failed = false;
    if (const auto db = Store::try_open(place, small_options(), disk)) all_of(*db, failed);
}

void any_hint(coffer::bytes input) {
    const folder from(input);
    const auto held = from.files.find(1);
    const coffer::bytes hint =
        held == from.files.end() ? coffer::bytes() : coffer::bytes(held->second);
    if (from.choice % 2 == 0) {
        open<store<storage::file_log, durability::buffered, index::hash>>(hint, from.choice);
    } else {
        open<store<storage::file_log, durability::buffered, index::sorted>>(hint, from.choice);
    }
}

template <class Store>
run hint_of(unsigned choice) {
    folder all = scene_of<Store>(choice).files;
    const run hint = all.files[1];
    all.files.clear();
    all.files[1] = hint;
    all.choice = choice;
    return all.packed();
}

std::vector<run> seeds() {
    using hashed = store<storage::file_log, durability::buffered, index::hash>;
    using sorted = store<storage::file_log, durability::buffered, index::sorted>;
    return {{}, hint_of<hashed>(0), hint_of<sorted>(1), hint_of<hashed>(2), hint_of<sorted>(3)};
}

}  // namespace

target index_hint() {
    return {"index_hint", any_hint, seeds, true};
}

}  // namespace fuzz
