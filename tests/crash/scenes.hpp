// tests/crash/scenes.hpp: the stores that workloads begin with.
#ifndef COFFER_TESTS_CRASH_SCENES_HPP
#define COFFER_TESTS_CRASH_SCENES_HPP

#include "crash/workload.hpp"

#include <coffer/storage/imaging.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace crash {

inline coffer::options tiny_options() {
    coffer::options chosen;
    chosen.segment_bytes = 16 * 1024;
    return chosen;
}

/// No folder yet.
inline scene empty_scene() {
    return {"empty", simulated(1), {contents{}}, {}, tiny_options(), 1500};
}

/// Closed cleanly: three keys, and one that was erased. What `more` does to the store comes first.
template <class More>
scene closed_scene(const simulated_subject& of, scene made, More&& more) {
    auto store = of.open(folder, made.chosen, made.disk).value();
    more(*store);
    const auto put = [&](const char* key, const char* value) {
        made.before.push_back(store->all().value());
        store->put(key, value).value();
    };
    for (const char* key : {"a", "gone", "b", "c"}) put(key, "from the start");
    put("a", "written twice");
    made.before.push_back(store->all().value());
    static_cast<void>(store->erase("gone").value());
    made.written = {store->all().value()};
    store->close().value();
    return made;
}

inline scene closed_scene(const simulated_subject& of, std::size_t large = 1500) {
    scene made = empty_scene();
    made.name = large == made.large ? "closed" : "closed, large " + std::to_string(large);
    made.large = large;
    return closed_scene(of, std::move(made), [](opened&) {});
}

/// With a log so long that every close keeps the index: in INDEX, or in LIVE for good. The most of
/// it is dead, so that nothing has to read it.
inline scene indexed_scene(const simulated_subject& of) {
    scene made = empty_scene();
    made.name = "indexed";
    made.chosen.auto_compact = false;
    const std::string value(100'000, '\0');
    made.before.push_back({{"filler", value}});
    scene closed = closed_scene(of, std::move(made), [&](opened& store) {
        for (std::size_t sum = 0; sum < coffer::detail::least_log_for_image; sum += value.size())
            store.put("filler", value).value();
        static_cast<void>(store.erase("filler").value());
    });
    closed.disk.settle();
    return closed;
}

/// As `closed_scene`, and then used and killed after all was handed over: the end is not clean.
inline scene killed_scene(const simulated_subject& of) {
    scene made = closed_scene(of);
    made.name = "killed";
    auto store = of.open(folder, made.chosen, made.disk).value();
    store->put("b", "written before the kill").value();
    made.written.push_back(store->all().value());
    store->write({{change::kind::put, "a", "in a batch"}, {change::kind::erase, "c"}}).value();
    store->flush().value();
    made.written.push_back(store->all().value());
    made.disk = made.disk.process_killed();
    return made;
}

/// The same with an end of several segments, none of which was synced, or cut where a kill loses
/// nothing that was not handed over.
inline scene killed_long_scene(const simulated_subject& of) {
    scene made = closed_scene(of);
    made.name = "killed, long";
    auto store = of.open(folder, made.chosen, made.disk).value();
    for (const char* key : {"a", "b", "c", "d", "e"}) {
        store->put(key, std::string(7000, *key)).value();
        made.written.push_back(store->all().value());
    }
    if (!of.mapped) store->flush().value();
    made.disk = made.disk.process_killed();
    return made;
}

}  // namespace crash

#endif
