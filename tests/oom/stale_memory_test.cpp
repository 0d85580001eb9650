// What a store writes depends on what it was told, never on what its memory held before: no byte of
// the heap or of the stack gets into a file.
#include "catch.hpp"

#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "oom/metered_memory.hpp"
#include "proof.hpp"

namespace {

using coffer::fs::simulated;
namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace index = coffer::index;
using files = std::map<std::string, std::vector<std::byte>>;

struct reading {
    std::uint8_t sensor = 0;  // with room behind it that no member fills
    std::uint64_t at = 0;
    bool valid = false;
    double value = 0;
    std::string note;
};

/// Leaves `with` in the stack that the next call uses.
[[gnu::noinline]] void stain_stack(int with) {
    volatile unsigned char room[std::size_t{64} << 10];
    for (volatile unsigned char& each : room) each = static_cast<unsigned char>(with);
}

/// The files of a store after a life in memory that holds `with` wherever it is new.
template <class Store>
files lived(int with) {
    memory::filler = with;
    const simulated disk(7);
    {
        coffer::options chosen;
        chosen.segment_bytes = std::size_t{256} << 10;
        chosen.auto_compact = false;  // or the log would be too short for an image
        for (int session = 0; session < 3; ++session) {
            Store db = Store::open("/s", chosen, disk);
            for (int i = 0; i < 3000; ++i) {
                stain_stack(with);
                const auto at = static_cast<std::uint64_t>(i);
                const reading one{static_cast<std::uint8_t>(i), at, i % 2 == 0, i / 3.0,
                                  std::string(static_cast<std::size_t>(i % 1000), 'n')};
                db.put("key " + std::to_string(i * 7 % 300), one);
                if (i % 5 == 0) db.erase("key " + std::to_string(i % 300));
                if (i % 11 != 0) continue;
                stain_stack(with);
                typename Store::batch all;
                all.put("in a batch", one);
                all.erase("key " + std::to_string(i * 3 % 300));
                db.write(all);
            }
            stain_stack(with);
            if (session == 1) {
                db.compact();
                db.clear();
            }
            db.flush();
            stain_stack(with);
            if (session != 0) db.close();
        }
    }
    memory::filler = 0;
    files out;
    for (const std::string& path : disk.files()) out[path] = *disk.read_file(path);
    return out;
}

template <class Storage, class Durability, class Index>
void same_files(const std::string& name) {
    using store_type = coffer::store<std::string, reading, simulated, coffer::threading::single,
                                     Storage, Durability, Index>;
    // What is durable at a moment, and so stands in a mark, is up to the thread that syncs.
    constexpr bool exact = !std::is_same_v<Durability, durability::async>;
    const proof::stopwatch time;
    const files one = lived<store_type>(0xA5);
    const files other = lived<store_type>(0x5A);
    std::uint64_t bytes = 0;
    std::uint64_t wrong = 0;
    REQUIRE(one.contains(std::is_same_v<Storage, storage::mmap> ? "/s/LIVE" : "/s/INDEX"));
    REQUIRE(one.size() == other.size());
    for (const auto& [path, held] : one) {
        INFO(name << ", " << path);
        const auto found = other.find(path);
        REQUIRE(found != other.end());
        if (exact) REQUIRE(found->second.size() == held.size());
        const std::size_t size = (std::min)(held.size(), found->second.size());
        for (std::size_t at = 0; at < size; ++at) {
            const bool stained =
                held[at] == std::byte{0xA5} && found->second[at] == std::byte{0x5A};
            if (exact ? held[at] == found->second[at] : !stained) continue;
            if (wrong++ == 0) FAIL_CHECK("nobody has told the byte at " << at);
        }
        bytes += size;
    }
    CHECK(bytes > 1'000'000);
    proof::tell("S5 bytes from old memory", name, {bytes, "bytes", wrong, time.seconds()});
}

template <class Storage, class Durability>
void same_files_in_both_indexes(const std::string& name) {
    same_files<Storage, Durability, index::hash>(name + " hash");
    same_files<Storage, Durability, index::sorted>(name + " sorted");
}

}  // namespace

TEST_CASE("nothing of what memory held before gets into a file", "[oom]") {
    same_files_in_both_indexes<storage::file_log, durability::sync>("file_log sync");
    same_files_in_both_indexes<storage::file_log, durability::write_through>(
        "file_log write_through");
    same_files_in_both_indexes<storage::file_log, durability::buffered>("file_log buffered");
    same_files_in_both_indexes<storage::file_log, durability::async>("file_log async");
    same_files_in_both_indexes<storage::mmap, durability::sync>("mmap sync");
    same_files_in_both_indexes<storage::mmap, durability::write_through>("mmap write_through");
    same_files_in_both_indexes<storage::mmap, durability::buffered>("mmap buffered");
    same_files_in_both_indexes<storage::mmap, durability::async>("mmap async");
}
