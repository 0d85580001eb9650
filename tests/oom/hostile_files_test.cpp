// Files that lie about sizes, with checks that match: no number in them makes a store ask for more
// memory than the files justify.
#include "catch.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "fuzz/mend.hpp"
#include "fuzz/stores.hpp"
#include "oom/metered_memory.hpp"
#include "proof.hpp"

namespace {

using namespace fuzz;

constexpr std::int64_t spare = std::int64_t{4} << 20;  // tables and buffers of any store

class files {
public:
    explicit files(const simulated& from) : disk_(from) {
        for (const std::string& path : from.files()) held_[path] = *from.read_file(path);
        id_ = id_in(held_.at(std::string(place) + "/STORE"));
    }

    [[nodiscard]] std::int64_t size() const {
        std::size_t sum = 0;
        for (const auto& each : held_) sum += each.second.size();
        return static_cast<std::int64_t>(sum);
    }

    /// Calls `f(disk)` for each number at the beginning of each file, and at the end of INDEX, with
    /// the number made large.
    template <class F>
    void each_lie(F&& f) const {
        for (const auto& [path, all] : held_) {
            const std::size_t table = path.ends_with("/INDEX") ? all.size() - 512 : all.size();
            const std::size_t step = path.ends_with("/STORE") ? 1 : 4;
            for (std::size_t at = 0; at + 4 <= all.size(); at += step) {
                const bool is_used = at < 40'960 && all[at] != std::byte{0};
                if (at >= 512 && at < table && !is_used) continue;
                for (const std::uint32_t lie : {0xFFFFFFFFU, 0x7FFFFFFFU, 0x00FFFFF0U}) {
                    run changed = all;
                    d::store_le(changed.data() + at, lie);
                    mend_file(path, changed);
                    const simulated disk = disk_.process_killed();
                    REQUIRE(disk.write_file(path, changed));
                    f(disk);
                }
            }
        }
    }

private:
    void mend_file(const std::string& path, run& file) const {
        const std::string name = path.substr(std::string(place).size() + 1);
        if (name == "STORE") mend_identity(file);
        if (name == "INDEX") mend_image(file, id_);
        if (name == "LIVE") mend_live(file, id_);
        if (const std::uint64_t id = d::segment_id_of(name); id != 0) mend_segment(file, id_, id);
    }

    simulated disk_;
    std::map<std::string, run> held_;
    d::store_id id_;
};

template <class Store>
void opened_and_read(const simulated& disk, std::uint64_t& opened) {
    auto db = Store::try_open(place, small_options(), disk);
    if (!db) return;
    ++opened;
    static_cast<void>(db->try_verify());
    static_cast<void>(db->try_for_each([](std::string_view, std::string_view) {}));
}

/// A store with enough in its log for its index to be kept, on a disk where all is durable.
template <class Store>
simulated made(bool killed) {
    const simulated disk(5);
    Store db = Store::open(place, small_options(), disk);
    lengthen(db);
    for (int i = 0; i < 30; ++i) db.put("key " + std::to_string(i), "value");
    typename Store::batch all;
    for (int i = 0; i < 5; ++i) all.put("in a batch " + std::to_string(i), "value");
    db.write(all);
    killed ? db.flush() : db.close();
    disk.settle();
    simulated out = killed ? disk.process_killed() : disk.power_lost();
    out.settle();
    return out;
}

template <class Store>
void lie_about_all(const std::string& name, bool killed) {
    const proof::stopwatch time;
    const simulated found = made<Store>(killed);
    const files all(found);
    std::uint64_t lies = 0;
    std::uint64_t opened = 0;
    std::int64_t most = 0;
    all.each_lie([&](const simulated& lying) {
        const std::int64_t before = memory::held_bytes;
        memory::count_bytes();
        opened_and_read<Store>(lying, opened);
        most = (std::max)(most, memory::most_bytes - before);
        ++lies;
    });
    INFO(name << ": " << lies << " lies, " << opened << " opened, at most " << most << " bytes");
    CHECK(lies > 1000);
    CHECK(opened > 100);
    const bool justified = most <= 4 * all.size() + spare;
    CHECK(justified);
    proof::tell("S5 lies about sizes", name, {lies, "opens", justified ? 0U : 1U, time.seconds()});
}

}  // namespace

TEST_CASE("no number in a file makes a store ask for more memory than its files justify", "[oom]") {
    lie_about_all<store<storage::file_log, durability::buffered, index::hash>>(
        "file_log hash, closed", false);
    lie_about_all<store<storage::file_log, durability::sync, index::sorted>>(
        "file_log sorted, killed", true);
    lie_about_all<store<storage::mmap, durability::buffered, index::hash>>("mmap hash, killed",
                                                                           true);
    lie_about_all<store<storage::mmap, durability::buffered, index::sorted>>("mmap sorted, closed",
                                                                             false);
}
