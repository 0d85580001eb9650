// A sound store beside an index in a file that holds anything: INDEX, or the LIVE of a store that was
// closed before this boot or killed on it. If its checks do not match, the store is as if it were
// not there. If they do and it lies, the store may miss keys or show what they held earlier, but it
// ends each call, answers with nothing that was not put under that key, and fails with corruption
// only; without that file it is whole.
#include "fuzz/mend.hpp"
#include "fuzz/stores.hpp"

namespace fuzz {
namespace {

using history = std::multimap<std::string, std::string>;

/// A store with an index in a file, and every value that each of its keys ever had.
struct scene {
    simulated disk{5};
    d::store_id id;
    std::string hint_path;
    run hint;
    history put;
    contents left;  // at the end
};

template <class Store>
scene made(bool killed) {
    constexpr bool has_live = std::is_same_v<typename Store::storage_type, storage::mmap>;
    scene out;
    Store db = Store::open(place, small_options(), out.disk);
    if (!killed) lengthen(db);  // a shorter one is replayed when it was closed
    for (int i = 0; i < 40; ++i) {
        const std::string key = "key " + std::to_string(i % 30);
        out.put.emplace(key, "value " + std::to_string(i));
        out.left[key] = "value " + std::to_string(i);
        db.put(key, out.left[key]);
    }
    db.erase("key 3");
    out.left.erase("key 3");
    if (killed) {
        db.flush();
        out.disk = out.disk.process_killed();
    } else {
        db.close();
        out.disk = out.disk.power_lost();  // a LIVE of this boot would be believed without checks
    }
    out.disk.settle();
    out.id = id_in(*out.disk.read_file(std::string(place) + "/STORE"));
    out.hint_path = std::string(place) + (has_live ? "/LIVE" : "/INDEX");
    out.hint = out.disk.read_file(out.hint_path).value();
    return out;
}

template <class Store>
const scene& scene_of(bool killed) {
    if (killed) {
        static const scene of_killed = made<Store>(true);
        return of_killed;
    }
    static const scene of_closed = made<Store>(false);
    return of_closed;
}

void must_be_true(const history& put, std::string_view key, std::string_view value) {
    const auto [from, to] = put.equal_range(std::string(key));
    for (auto at = from; at != to; ++at) {
        if (at->second == value) return;
    }
    throw violation("a value that was never put under " + std::string(key));
}

void must_be_honest(const coffer::error& cause) {
    need(cause.kind() == coffer::errc::corruption,
         std::string("an index that lies is corruption, but: ") + cause.what());
}

/// Reads and writes; all that is shown is what was put, and `everything` of it unless that lies.
template <class Store>
void use(Store& db, history& put, const contents* everything) {
    for (const auto& [key, ignored] : put) {
        const auto got = db.try_get(key);
        if (!got) {
            must_be_honest(got.error());
        } else if (*got) {
            must_be_true(put, key, **got);
        }
    }
    const auto walked = db.try_for_each(
        [&](std::string_view key, std::string_view value) { must_be_true(put, key, value); });
    if (!walked) must_be_honest(walked.error());
    if (everything != nullptr) {
        bool failed = false;
        need(all_of(db, failed) == *everything && !failed, "everything is there");
    }
    for (const char* key : {"key 1", "key 7", "new", "newer"}) {
        put.emplace(key, "put");
        if (const auto done = db.try_put(key, "put"); !done) must_be_honest(done.error());
        if (const auto done = db.try_erase(key); !done) must_be_honest(done.error());
    }
}

/// What the bits of a folder's choice say.
constexpr unsigned is_sorted = 1, is_mended = 2, is_live = 4, is_killed = 8;

template <class Store>
void open(run hint, unsigned choice) {
    const bool believed = (choice & is_live) != 0 && (choice & is_killed) != 0;  // without checks
    const bool mended = (choice & is_mended) != 0;
    const scene& in = scene_of<Store>(believed);
    if (mended) (choice & is_live) != 0 ? mend_live(hint, in.id) : mend_image(hint, in.id);
    bool lies = (mended || believed) && hint != in.hint;
    const simulated disk = in.disk.process_killed();
    need(disk.write_file(in.hint_path, hint), "the index can be replaced");
    history put = in.put;
    contents left = in.left;
    for (int session = 0; session < 2; ++session) {
        auto db = Store::try_open(place, small_options(), disk);
        if (!db && lies) {
            must_be_honest(db.error());
            disk.remove_file(in.hint_path);  // as anybody may, at any time
            lies = session != 0;             // what was written over it stays as it is
            db = Store::try_open(place, small_options(), disk);
        }
        need(db.has_value(), std::string("an index cannot keep a store from being opened, but: ") +
                                 (db ? "" : db.error().what()));
        use(*db, put, lies ? nullptr : &left);
        for (const char* key : {"key 1", "key 7"}) left.erase(key);
    }
}

using hashed = store<storage::file_log, durability::buffered, index::hash>;
using sorted = store<storage::file_log, durability::buffered, index::sorted>;
using live_hashed = store<storage::mmap, durability::buffered, index::hash>;
using live_sorted = store<storage::mmap, durability::buffered, index::sorted>;

void any_hint(coffer::bytes input) {
    const folder from(input);
    const bool live = (from.choice & is_live) != 0;
    const auto held = from.files.find(live ? 2 : 1);
    const run hint = held == from.files.end() ? run() : held->second;
    if ((from.choice & is_sorted) == 0) {
        live ? open<live_hashed>(hint, from.choice) : open<hashed>(hint, from.choice);
    } else {
        live ? open<live_sorted>(hint, from.choice) : open<sorted>(hint, from.choice);
    }
}

template <class Store>
run hint_of(unsigned choice) {
    folder all{coffer::bytes()};
    all.choice = choice;
    all.files[(choice & is_live) != 0 ? 2 : 1] = scene_of<Store>((choice & is_killed) != 0).hint;
    return all.packed();
}

std::vector<run> seeds() {
    std::vector<run> out{{}};
    for (const unsigned mended : {0U, is_mended}) {
        out.push_back(hint_of<hashed>(mended));
        out.push_back(hint_of<sorted>(mended | is_sorted));
        for (const unsigned killed : {0U, is_killed}) {
            out.push_back(hint_of<live_hashed>(mended | is_live | killed));
            out.push_back(hint_of<live_sorted>(mended | is_live | killed | is_sorted));
        }
    }
    return out;
}

}  // namespace

target index_hint() {
    return {"index_hint", any_hint, seeds, true};
}

}  // namespace fuzz
