// tests/crash/adapter.hpp: a store type as a subject.
#ifndef COFFER_TESTS_CRASH_ADAPTER_HPP
#define COFFER_TESTS_CRASH_ADAPTER_HPP

#include "crash/subject.hpp"

#include <coffer/store.hpp>
#include <coffer/store/salvage.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace crash {

template <class Store>
class adapter final : public opened {
public:
    explicit adapter(Store store) : store_(std::move(store)) {}

    coffer::result<void> put(const std::string& key, const std::string& value) override {
        return store_.try_put(key, value);
    }
    coffer::result<bool> erase(const std::string& key) override { return store_.try_erase(key); }
    coffer::result<void> write(const commit& changes) override {
        typename Store::batch all;
        for (const change& each : changes) {
            if (each.is == change::kind::clear) all.clear();
            if (each.is == change::kind::erase) all.erase(each.key);
            if (each.is == change::kind::put) all.put(each.key, each.value);
        }
        return store_.try_write(all);
    }
    coffer::result<void> flush() override { return store_.try_flush(); }
    coffer::result<void> sync() override { return store_.try_sync(); }
    coffer::result<void> compact() override { return store_.try_compact(); }
    coffer::result<void> close() override { return store_.try_close(); }

    coffer::result<std::optional<std::string>> get(const std::string& key) override {
        return store_.try_get(key);
    }
    coffer::result<contents> all() override {
        contents found;
        bool twice = false;
        auto done = store_.try_for_each([&](std::string_view key, std::string_view value) {
            twice |= !found.emplace(key, value).second;
        });
        if (!done) return done.failure();
        if (twice) return coffer::fail(coffer::errc::invalid_argument, "a walk showed a key twice");
        return found;
    }
    std::uint64_t size() override { return store_.size(); }
    coffer::result<coffer::verify_report> verify() override { return store_.try_verify(); }
    coffer::recovery_report recovery() override { return store_.recovery(); }
    coffer::store_stats stats() override { return store_.stats(); }

private:
    Store store_;
};

template <class Store>
subject<typename Store::file_system_type> subject_of() {
    using namespace coffer;
    using FS = typename Store::file_system_type;
    using policy = typename Store::durability_type;
    using answer = typename subject<FS>::answer;
    subject<FS> made;
    made.mapped = std::is_same_v<typename Store::storage_type, storage::mmap>;
    made.policy = std::is_same_v<policy, durability::sync>            ? durable::sync
                  : std::is_same_v<policy, durability::write_through> ? durable::write_through
                  : std::is_same_v<policy, durability::buffered>      ? durable::buffered
                                                                      : durable::async;
    made.sorted = Store::ordered;
    made.concurrent = Store::concurrent;
    constexpr const char* policies[] = {"sync", "write_through", "buffered", "async"};
    made.name = std::string(made.mapped ? "mmap " : "file_log ") +
                policies[static_cast<unsigned>(made.policy)] + (made.sorted ? " sorted" : " hash") +
                (made.concurrent ? " multi" : " single");
    made.open = [](const std::string& path, const options& chosen, FS system) -> answer {
        auto store = Store::try_open(path, chosen, system);
        if (!store) return store.failure();
        return std::unique_ptr<opened>(new adapter<Store>(std::move(*store)));
    };
    made.open_read_only = [](const std::string& path, const options& chosen, FS system) -> answer {
        auto store = Store::try_open_read_only(path, chosen, system);
        if (!store) return store.failure();
        return std::unique_ptr<opened>(new adapter<Store>(std::move(*store)));
    };
    made.salvage = [](const std::string& from, const std::string& to, const options& chosen,
                      FS system) { return try_salvage<Store>(from, to, chosen, system); };
    return made;
}

/// The subjects of these policies under every durability policy.
template <class... Policies>
auto under_every_durability() {
    using namespace coffer;
    return std::vector{
        subject_of<store<std::string, std::string, durability::sync, Policies...>>(),
        subject_of<store<std::string, std::string, durability::write_through, Policies...>>(),
        subject_of<store<std::string, std::string, durability::buffered, Policies...>>(),
        subject_of<store<std::string, std::string, durability::async, Policies...>>()};
}

}  // namespace crash

#endif
