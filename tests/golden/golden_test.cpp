// Suite S18: what a version of the format has written is read for ever, and is still what is written.
//
// tests/golden/<version> holds stores that the version made, each packed in one file as
// tests/fuzz/folder.hpp says, on file_log and mmap, each with an index; 2-before-seals holds those of
// version 2 whose marks did not say yet that nothing follows. They are opened under every durability
// and index, and the same work with the same random numbers gives the same bytes as the newest now.
// A change of the format gets a version of its own and a folder of its own; the old ones stay.
//
// COFFER_GOLDEN_WRITE=folder writes the stores of this version there.
#include "catch.hpp"

#include <coffer/coffer.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/folder.hpp"
#include "proof.hpp"

namespace {

using coffer::fs::simulated;
namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace index = coffer::index;
using contents = std::map<std::string, std::string>;

template <class... Policies>
using store =
    coffer::store<std::string, std::string, simulated, coffer::threading::single, Policies...>;

coffer::options small() {
    coffer::options chosen;
    chosen.segment_bytes = 16 * 1024;
    chosen.auto_compact = false;
    return chosen;
}

/// Every type of record, sizes of one, two and three bytes, three segments; on `disk` in /s.
template <class Store>
contents write(const simulated& disk) {
    contents held;
    for (int session = 0; session < 3; ++session) {
        Store db = Store::open("/s", small(), disk);
        const auto put = [&](const std::string& key, const std::string& value) {
            db.put(key, value);
            held[key] = value;
        };
        if (session == 1) {
            db.clear();
            held.clear();
        }
        for (int i = 0; i < 20; ++i) {
            put("key " + std::to_string(session * 7 + i),
                std::string(static_cast<std::size_t>(i * 17), 'v'));
        }
        put("", "of the empty key");
        put(std::string("\0\xff bytes", 8), "");
        put(std::string(300, 'k'), std::string(1000, 'l'));
        db.erase("key 9");
        held.erase("key 9");
        typename Store::batch all;
        all.put("of a batch", std::to_string(session));
        all.erase("key 8");
        all.put("of a batch, too", "second");
        db.write(all);
        held["of a batch"] = std::to_string(session);
        held["of a batch, too"] = "second";
        held.erase("key 8");
        db.sync();
        put("at the end", "of session " + std::to_string(session));
        db.flush();
        db.close();
    }
    return held;
}

struct golden {
    std::string name;
    bool mapped;
    fuzz::run packed;
    contents held;
};

template <class Store>
golden made(const std::string& name, bool mapped) {
    const simulated disk(18);
    contents held = write<Store>(disk);
    fuzz::folder files(0, disk, "/s");
    files.files.erase(2);  // LIVE is memory as long as the system runs
    return {name, mapped, files.packed(), std::move(held)};
}

std::vector<golden> of_this_version() {
    using log_hash = store<storage::file_log, durability::write_through, index::hash>;
    using log_sorted = store<storage::file_log, durability::write_through, index::sorted>;
    using map_hash = store<storage::mmap, durability::write_through, index::hash>;
    using map_sorted = store<storage::mmap, durability::write_through, index::sorted>;
    std::vector<golden> out;
    out.push_back(made<log_hash>("file_log-hash-closed", false));
    out.push_back(made<log_sorted>("file_log-sorted-closed", false));
    out.push_back(made<map_hash>("mmap-hash-closed", true));
    out.push_back(made<map_sorted>("mmap-sorted-closed", true));
    return out;
}

std::string version() {
    return std::to_string(COFFER_FORMAT_VERSION);
}

fuzz::run read_file(const std::filesystem::path& from) {
    std::ifstream in(from, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const coffer::bytes all = coffer::as_bytes(text);
    return {all.begin(), all.end()};
}

template <class Store>
void opens(const golden& one, const fuzz::run& packed) {
    const simulated disk = fuzz::folder(packed).disk("/s");
    INFO(one.name);
    {
        const Store reader = Store::open_read_only("/s", small(), disk);
        contents found;
        reader.for_each(
            [&](std::string_view key, std::string_view value) { found.emplace(key, value); });
        CHECK(found == one.held);
    }
    const coffer::salvage_report told =
        coffer::salvage<Store>("/s", "/saved", small(), fuzz::folder(packed).disk("/s"));
    CHECK(told.ok());
    CHECK(told.entries == one.held.size());
    Store db = Store::open("/s", small(), disk);
    CHECK(db.size() == one.held.size());
    for (const auto& [key, value] : one.held) CHECK(db.get(key) == value);
    CHECK(db.verify().ok());
    CHECK(db.recovery().clean);
    db.put("written", "afterwards");
    db.close();
    CHECK(Store::open("/s", small(), disk).get("written") == "afterwards");
}

template <class Storage>
void opens_under_every_policy(const golden& one, const fuzz::run& packed) {
    opens<store<Storage, durability::sync, index::hash>>(one, packed);
    opens<store<Storage, durability::write_through, index::sorted>>(one, packed);
    opens<store<Storage, durability::buffered, index::hash>>(one, packed);
    opens<store<Storage, durability::async, index::sorted>>(one, packed);
}

}  // namespace

TEST_CASE("golden stores open, and are what is written now", "[golden]") {
    const proof::stopwatch watch;
    const char* const into = std::getenv("COFFER_GOLDEN_WRITE");
    std::uint64_t differing = 0;
    const std::vector<golden> all = of_this_version();
    for (const golden& one : all) {
        if (into != nullptr) {
            std::ofstream(std::filesystem::path(into) / one.name, std::ios::binary)
                .write(reinterpret_cast<const char*>(one.packed.data()),
                       static_cast<std::streamsize>(one.packed.size()));
        }
        const fuzz::run kept =
            read_file(std::filesystem::path(COFFER_GOLDEN) / version() / one.name);
        REQUIRE_FALSE(kept.empty());
        const fuzz::run older =
            read_file(std::filesystem::path(COFFER_GOLDEN) / "2-before-seals" / one.name);
        REQUIRE_FALSE(older.empty());
        differing += kept != one.packed;
        for (const fuzz::run& each : {kept, older}) {
            if (one.mapped) {
                opens_under_every_policy<storage::mmap>(one, each);
            } else {
                opens_under_every_policy<storage::file_log>(one, each);
            }
        }
    }
    proof::tell("S18 golden stores", "version " + version(),
                {2 * all.size(), "stores", differing, watch.seconds(), 18});
    CHECK(differing == 0);
}
