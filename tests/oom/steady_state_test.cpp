// Once a store runs, its calls ask for no memory: not for a key that is there, nor for one that
// comes back, whatever the storage, the index and the durability.
#include "catch.hpp"

#include <coffer/store.hpp>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "oom/metered_memory.hpp"

namespace {

namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace index = coffer::index;
namespace threading = coffer::threading;

template <class... Policies>
using store = coffer::store<std::string, std::string, Policies...>;

/// A folder for one store of the system's files.
class folder {
public:
    folder() : path_((std::filesystem::temp_directory_path() / "coffer_steady_XXXXXX").string()) {
        REQUIRE(::mkdtemp(path_.data()) != nullptr);
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::string store() const { return path_ + "/store"; }

private:
    std::string path_;
};

/// How often `work` asked for memory; the background thread may make a segment meanwhile.
template <class Work>
std::uint64_t requests(Work&& work) {
    memory::refuse(UINT64_MAX, false);
    {
        const memory::metering counts;
        work();
    }
    return memory::asked_here;
}

}  // namespace

TEMPLATE_TEST_CASE("calls of a store that runs ask for no memory", "[steady]", (store<>),
                   (store<durability::buffered>), (store<durability::async>),
                   (store<durability::write_through>), (store<index::sorted>),
                   (store<index::sorted, durability::buffered>),
                   (store<storage::mmap, durability::buffered>),
                   (store<storage::mmap, index::sorted>), (store<storage::map>),
                   (store<storage::map, index::sorted>),
                   (store<threading::single, durability::buffered>),
                   (store<threading::single, index::sorted, durability::write_through>)) {
    const folder place;
    TestType db = TestType::open(place.store());
    std::vector<std::string> keys;
    for (int i = 0; i < 200; ++i) keys.push_back("a key of some length " + std::to_string(i));
    const std::string value(100, 'v');
    std::size_t seen = 0;
    typename TestType::batch some;
    const auto put_all = [&] {
        for (const std::string& key : keys) db.put(key, value);
    };
    const auto look_at_all = [&] {
        for (const std::string& key : keys) {
            seen += db.contains(key);
            db.view(key, [&](std::string_view found) { seen += found.size(); });
        }
    };
    const auto erase_all = [&] {
        for (const std::string& key : keys) db.erase(key);
    };
    const auto write_all = [&] {
        for (const std::string& key : keys) some.put(key, value);
        db.write(some);
        some.reset();
    };
    const auto walk = [&] {
        db.for_each([&](std::string_view key, std::string_view) { seen += key.size(); });
    };
    put_all();
    look_at_all();
    walk();
    erase_all();
    write_all();
    CHECK(requests(put_all) == 0);
    CHECK(requests(look_at_all) == 0);
    CHECK(requests(erase_all) == 0);
    CHECK(requests(put_all) == 0);
    CHECK(requests(write_all) == 0);
    CHECK(requests([&] { db.flush(); }) == 0);
    CHECK(requests([&] { static_cast<void>(db.get(keys[0])); }) == 1);  // for the value: it counts
    CHECK(db.size() == keys.size());
    CHECK(seen != 0);
}
