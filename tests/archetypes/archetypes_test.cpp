// The library asks no more of a policy than its concept says: a store made of the smallest types
// that satisfy them works in every call.
#include <coffer/store.hpp>

#include "catch.hpp"
#include "minimal_durability.hpp"
#include "minimal_fs.hpp"
#include "minimal_index.hpp"
#include "minimal_storage.hpp"
#include "minimal_threading.hpp"

#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using model = std::map<std::string, std::string>;

template <class S>
model content(const S& db) {
    model out;
    for (const auto& [key, value] : db) out[key] = value;
    return out;
}

/// Every call that changes a store, and what it must hold afterwards.
template <class S>
model used(S& db) {
    model all;
    for (int i = 0; i < 200; ++i) {
        const std::string key = "key" + std::to_string(i % 50);
        const std::string value(static_cast<std::size_t>(i), 'v');
        db.put(key, value);
        all[key] = value;
        if (i % 7 == 0) {
            CHECK(db.erase(key));
            all.erase(key);
        }
    }
    CHECK_FALSE(db.insert("key1", "no"));
    CHECK(db.insert("new", "yes"));
    all["new"] = "yes";
    typename S::batch together;
    together.put("b1", "1");
    together.put("b2", "2");
    together.erase("key1");
    db.write(together);
    all["b1"] = "1";
    all["b2"] = "2";
    all.erase("key1");
    CHECK(content(db) == all);
    db.compact();
    db.sync();
    return all;
}

template <class S>
void look_at(const S& db, const model& all) {
    CHECK(content(db) == all);
    CHECK(db.size() == all.size());
    CHECK(db.get("b1") == "1");
    CHECK_FALSE(db.contains("key1"));
    CHECK(db.verify().ok());
    std::vector<std::string> keys;
    for (const auto& each : db.prefix("key4")) keys.push_back(each.key);
    model::const_iterator next = all.lower_bound("key4");
    for (const std::string& key : keys) {
        CHECK(key == next->first);
        ++next;
    }
    CHECK((next == all.end() || !next->first.starts_with("key4")));
}

}  // namespace

TEST_CASE("a store made of archetypes alone", "[archetypes]") {
    using S = coffer::store<std::string, std::string, archetype::in_files, archetype::syncing,
                            archetype::list, archetype::threads, archetype::disk>;
    static_assert(S::survives_system_crash && S::survives_process_crash && S::ordered);
    const coffer::fs::simulated disk;
    const archetype::disk seen(disk);
    coffer::options small;
    small.segment_bytes = 16 * 1024;
    model all;
    {
        S db = S::open("/db", small, seen);
        all = used(db);
        look_at(db, all);
        db.close();
    }
    {
        const S db = S::open("/db", small, seen);
        CHECK(db.recovery().clean);
        look_at(db, all);
    }
    const S after = S::open("/db", small, archetype::disk(disk.power_lost()));
    look_at(after, all);
}

TEST_CASE("a store in memory made of archetypes alone", "[archetypes]") {
    using S = coffer::store<std::string, std::string, archetype::in_memory, archetype::syncing,
                            archetype::list, coffer::threading::single, archetype::disk>;
    static_assert(S::volatile_);
    S db = S::open("", {}, archetype::disk(coffer::fs::simulated()));
    const model all = used(db);
    look_at(db, all);
    db.clear();
    CHECK(db.empty());
}
