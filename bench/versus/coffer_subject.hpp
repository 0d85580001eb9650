// bench/versus/coffer_subject.hpp: coffer's stores as subjects. Options are the defaults.
#ifndef COFFER_BENCH_VERSUS_COFFER_SUBJECT_HPP
#define COFFER_BENCH_VERSUS_COFFER_SUBJECT_HPP

#include "workloads.hpp"

#include <coffer/coffer.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace versus {

/// Keys as the store has them: text, or the numbers that data.hpp writes in 8 bytes.
template <class Key>
struct key_form {
    static const std::string& of(const std::string& text) { return text; }
    template <class Visit>
    static Visit& showing(Visit& visit) {
        return visit;
    }
};
template <>
struct key_form<std::uint64_t> {
    static std::uint64_t of(std::string_view text) {
        std::uint64_t number = 0;
        for (const char byte : text) number = number << 8 | static_cast<unsigned char>(byte);
        return number;
    }
    template <class Visit>
    static auto showing(Visit& visit) {
        return [&visit](std::uint64_t key, std::string_view value) {
            return visit(key_of(key, sizeof key), value);
        };
    }
};

template <class Store>
class coffer_subject {
    using form = key_form<typename Store::key_type>;

public:
    static constexpr bool persistent = !Store::volatile_;
    static constexpr bool durable = Store::survives_system_crash;
    static constexpr bool threads = Store::concurrent;

    coffer_subject(const std::string& folder, bool, std::size_t)
        : store_(Store::open(folder + "/db")) {}
    void put(const std::string& key, const std::string& value) { store_.put(form::of(key), value); }
    bool get(const std::string& key, std::string& out) {
        return store_.view(form::of(key), [&](std::string_view value) { out.assign(value); });
    }
    void erase(const std::string& key) { store_.erase(form::of(key)); }
    void write(const std::string* keys, const std::string* values, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) batch_.put(form::of(keys[i]), values[i]);
        store_.write(batch_);
        batch_.reset();
    }
    std::size_t get_many(const std::vector<std::string_view>& keys,
                         std::span<std::optional<std::string>> out)
        requires std::is_same_v<typename Store::key_type, std::string>
    {
        store_.get_many(keys, out);
        std::size_t found = 0;
        for (const auto& each : out) found += each.has_value();
        return found;
    }
    template <class Visit>
    void scan(Visit&& visit)
        requires Store::ordered
    {
        store_.for_each(form::showing(visit));
    }
    template <class Visit>
    void scan_back(Visit&& visit)
        requires Store::ordered
    {
        store_.for_each_back(form::showing(visit));
    }
    template <class Visit>
    void scan_from(const std::string& key, std::size_t n, Visit&& visit)
        requires Store::ordered
    {
        const auto each = [&](std::string_view found, std::string_view value) {
            visit(found, value);
            return --n != 0;
        };
        store_.for_each(store_.from(form::of(key)), form::showing(each));
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

/// Over one storage and one index, keys that are numbers; it takes those of 8 bytes only.
template <class Storage, class Index>
void add_coffer_of_numbers(const std::string& name) {
    using store =
        coffer::store<std::uint64_t, std::string, Storage, Index, coffer::durability::buffered>;
    subjects()["coffer/" + name + "/buffered/numbers"] = [](const request& asked) {
        return asked.shape.key_bytes == sizeof(std::uint64_t) && run<coffer_subject<store>>(asked);
    };
}

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
