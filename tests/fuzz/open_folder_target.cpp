// Opening a folder whose files hold anything: a typed error that leaves them as they were, or a
// store that works and shows the same when it is opened again.
#include "fuzz/stores.hpp"

namespace fuzz {
namespace {

using coffer::errc;

const std::string live = std::string(place) + "/LIVE";

/// All files but LOCK, whose content is for people.
std::map<std::string, run> files_of(const simulated& disk) {
    std::map<std::string, run> out;
    for (const std::string& path : disk.files()) {
        if (path != std::string(place) + "/LOCK") out[path] = *disk.read_file(path);
    }
    return out;
}

void must_be_honest(const coffer::error& cause) {
    need(cause.kind() == errc::corruption || cause.kind() == errc::incompatible ||
             cause.kind() == errc::invalid_argument || cause.kind() == errc::io_error,
         std::string("a folder that is no store is refused as such, but: ") + cause.what());
}

template <class Store>
void open(const folder& from) {
    const simulated disk = from.disk(place);
    const auto before = files_of(disk);
    bool failed = false;
    contents shown;
    if (const auto reader = Store::try_open_read_only(place, small_options(), disk)) {
        all_of(*reader, failed);
    }
    need(files_of(disk) == before, "opening for reading changes nothing");
    {
        auto db = Store::try_open(place, small_options(), disk);
        if (!db) {
            must_be_honest(db.error());
            // LIVE is an index that was not believed; it may have been begun anew.
            auto after = files_of(disk);
            after.erase(live);
            if (before.count(live) != 0) after[live] = before.at(live);
            need(db.error().kind() == errc::io_error || after == before,
                 std::string("a refused folder stays as it was: ") + db.error().what());
            return;
        }
        shown = all_of(*db, failed);
        const auto checked = db->try_verify();
        if (failed || !checked || !checked->ok()) return;  // it has said that it is damaged
        need(db->size() == shown.size(), "size() is the number of entries");
        const auto put = db->try_put("fuzz", "put");
        need(put.has_value(), "a store that opens can be written to");
        shown["fuzz"] = "put";
        need(db->try_close().has_value(), "it can be closed");
    }
    const auto again = Store::try_open(place, small_options(), disk);
    need(again.has_value(), "it opens again");
    need(all_of(*again, failed) == shown && !failed, "it shows the same again");
}

void any_folder(coffer::bytes input) {
    const folder from(input);
    switch (from.choice % 4) {
        case 0:
            return open<store<storage::file_log, durability::sync, index::hash>>(from);
        case 1:
            return open<store<storage::file_log, durability::buffered, index::sorted>>(from);
        case 2:
            return open<store<storage::mmap, durability::write_through, index::hash>>(from);
        default:
            return open<store<storage::mmap, durability::async, index::sorted>>(from);
    }
}

/// Two sessions; the second ends in a crash if `killed`.
template <class Store>
run made(unsigned choice, bool killed) {
    const simulated disk(5);
    for (int session = 0; session < 2; ++session) {
        Store db = Store::open(place, small_options(), disk);
        for (int i = 0; i < 6; ++i) db.put("key " + std::to_string(session * 3 + i), "value");
        db.erase("key 1");
        typename Store::batch all;
        all.put("in a batch", std::string(100, 'b'));
        all.erase("key 2");
        db.write(all);
        db.flush();
        if (session == 1 && killed) return folder(choice, disk.process_killed(), place).packed();
        db.close();
    }
    return folder(choice, disk, place).packed();
}

std::vector<run> seeds() {
    std::vector<run> out{{}};
    for (const bool killed : {false, true}) {
        out.push_back(made<store<storage::file_log, durability::sync, index::hash>>(0, killed));
        out.push_back(
            made<store<storage::file_log, durability::buffered, index::sorted>>(1, killed));
        out.push_back(
            made<store<storage::mmap, durability::write_through, index::hash>>(2, killed));
        out.push_back(made<store<storage::mmap, durability::async, index::sorted>>(3, killed));
    }
    return out;
}

}  // namespace

target open_folder() {
    return {"open_folder", any_folder, seeds, true};
}

}  // namespace fuzz
