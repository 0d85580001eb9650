// bench/versus/coffer_subject.hpp: coffer's stores as subjects. Options are the defaults.
#ifndef COFFER_BENCH_VERSUS_COFFER_SUBJECT_HPP
#define COFFER_BENCH_VERSUS_COFFER_SUBJECT_HPP

#include "workloads.hpp"

#include <coffer/coffer.hpp>

#include <string>
#include <string_view>

namespace versus {

template <class Store>
class coffer_subject {
public:
    static constexpr bool persistent = !Store::volatile_;
    static constexpr bool durable = Store::survives_system_crash;
    static constexpr bool threads = Store::concurrent;

    coffer_subject(const std::string& folder, bool, std::size_t)
        : store_(Store::open(folder + "/db")) {}
    void put(const std::string& key, const std::string& value) { store_.put(key, value); }
    bool get(const std::string& key, std::string& out) {
        return store_.view(key, [&](std::string_view value) { out.assign(value); });
    }
    void erase(const std::string& key) { store_.erase(key); }
    void write(const std::string* keys, const std::string* values, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) batch_.put(keys[i], values[i]);
        store_.write(batch_);
        batch_.reset();
    }
    std::size_t get_many(const std::vector<std::string_view>& keys,
                         std::span<std::optional<std::string>> out) {
        store_.get_many(keys, out);
        std::size_t found = 0;
        for (const auto& each : out) found += each.has_value();
        return found;
    }
    template <class Visit>
    void scan(Visit&& visit)
        requires Store::ordered
    {
        store_.for_each(visit);
    }
    template <class Visit>
    void scan_back(Visit&& visit)
        requires Store::ordered
    {
        store_.for_each_back(visit);
    }
    template <class Visit>
    void scan_from(const std::string& key, std::size_t n, Visit&& visit)
        requires Store::ordered
    {
        store_.for_each(store_.from(key), [&](std::string_view found, std::string_view value) {
            visit(found, value);
            return --n != 0;
        });
    }
    void compact() { store_.compact(); }
    double index_bytes() { return static_cast<double>(store_.stats().index_bytes); }
    /// file_log holds the segment that is written and the one that is prepared in memory.
    double buffer_bytes() {
        return Store::storage_type::hands_over
                   ? 2 * static_cast<double>(coffer::options().segment_bytes)
                   : 0;
    }
    void flush() { store_.flush(); }
    void sync() { store_.sync(); }

private:
    Store store_;
    typename Store::batch batch_;
};

/// Over one storage and one index every durability and both ways of threading. Records in memory
/// are as durable under any policy, so `map` is there once.
template <class Storage, class Index>
void add_coffer(const std::string& name) {
    namespace durability = coffer::durability;
    const auto over = [&]<class Threading>(const std::string& threading, Threading) {
        const auto one = [&]<class Durability>(const char* promise, Durability) {
            using text = std::string;
            using store = coffer::store<text, text, Storage, Index, Threading, Durability>;
            add<coffer_subject<store>>("coffer/" + name + threading + "/" + promise);
        };
        one("buffered", durability::buffered());
        if constexpr (Storage::persistent) {
            one("async", durability::async());
            one("write_through", durability::write_through());
            one("sync", durability::sync());
        }
    };
    over("", coffer::threading::multi());
    over("/single", coffer::threading::single());
}

void add_file_log_hash();
void add_file_log_sorted();
void add_mmap_hash();
void add_mmap_sorted();
void add_map_hash();
void add_map_sorted();

}  // namespace versus

#endif
