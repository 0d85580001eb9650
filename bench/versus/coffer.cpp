// bench/versus/coffer.cpp: coffer's stores as subjects. Options are the defaults. "nosync" subjects
// are buffered; a durable subject is sync.
#include <coffer/coffer.hpp>

#include "workloads.hpp"

namespace {

namespace storage = coffer::storage;
namespace index = coffer::index;
namespace durability = coffer::durability;
namespace threading = coffer::threading;
using text = std::string;

/// `Plain` for runs without a sync, `Synced` for those that wait for the disk.
template <class Plain, class Synced>
class subject {
public:
    static constexpr bool persistent = !Plain::volatile_;
    static constexpr bool threads = Plain::concurrent;

    subject(const std::string& folder, bool durable, std::size_t) {
        if (durable) {
            synced_.emplace(Synced::open(folder + "/db"));
        } else {
            plain_.emplace(Plain::open(folder + "/db"));
        }
    }
    void put(const text& key, const text& value) {
        if (plain_) {
            plain_->put(key, value);
        } else {
            synced_->put(key, value);
        }
    }
    bool get(const text& key, text& out) {
        return plain_->view(key, [&](std::string_view value) { out.assign(value); });
    }
    void erase(const text& key) { plain_->erase(key); }
    void write(const text* keys, const text* values, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) batch_.put(keys[i], values[i]);
        plain_->write(batch_);
        batch_.reset();
    }
    std::size_t get_many(const std::vector<std::string_view>& keys,
                         std::span<std::optional<text>> out) {
        plain_->get_many(keys, out);
        std::size_t found = 0;
        for (const auto& each : out) found += each.has_value();
        return found;
    }
    template <class Visit>
    void scan(Visit&& visit)
        requires Plain::ordered
    {
        plain_->for_each(visit);
    }
    template <class Visit>
    void scan_from(const text& key, std::size_t n, Visit&& visit)
        requires Plain::ordered
    {
        plain_->for_each(plain_->from(key), [&](std::string_view found, std::string_view value) {
            visit(found, value);
            return --n != 0;
        });
    }
    void flush() { plain_->flush(); }
    void sync() { plain_->sync(); }

private:
    std::optional<Plain> plain_;
    std::optional<Synced> synced_;
    typename Plain::batch batch_;
};

template <class Storage, class Index, class Threading>
void add_over(const std::string& name) {
    using synced = coffer::store<text, text, Storage, Index, Threading, durability::sync>;
    const auto one = [&]<class Durability>(const char* promise, Durability) {
        using plain = coffer::store<text, text, Storage, Index, Threading, Durability>;
        versus::add<subject<plain, synced>>(name + "/" + promise);
    };
    one("buffered", durability::buffered());
    if constexpr (Storage::persistent && Threading::concurrent) {
        one("async", durability::async());
        one("write_through", durability::write_through());
    }
}

template <class Index>
void add_all(const std::string& index_name) {
    const auto with = [&]<class Storage>(const char* name, Storage) {
        const std::string full = std::string("coffer/") + name + "/" + index_name;
        add_over<Storage, Index, threading::multi>(full);
        add_over<Storage, Index, threading::single>(full + "/single");
    };
    with("file_log", storage::file_log());
    with("mmap", storage::mmap());
    with("map", storage::map());
}

}  // namespace

int main(int argc, char** argv) {
    add_all<index::hash>("hash");
    add_all<index::sorted>("sorted");
    return versus::main_of(argc, argv);
}
