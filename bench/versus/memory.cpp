// bench/versus/memory.cpp: containers in memory. Those that are not made for several threads are
// behind a reader-writer lock, as a program that shares them would have it; coffer's stores are
// shared as they are. None is told beforehand how many entries come. And `nothing`, which keeps
// nothing and answers each get with bytes of its own: what the workloads themselves take.
#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <tbb/concurrent_hash_map.h>
#include <boost/unordered/unordered_flat_map.hpp>

#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "workloads.hpp"

namespace {

template <class Map, bool Ordered = false>
class locked {
public:
    static constexpr bool persistent = false;
    static constexpr bool durable = false;
    static constexpr bool threads = true;

    locked(const std::string&, bool, std::size_t) {}
    void put(const std::string& key, const std::string& value) {
        const std::unique_lock hold(*mutex_);
        map_[key] = value;
    }
    bool get(const std::string& key, std::string& out) {
        const std::shared_lock hold(*mutex_);
        const auto found = map_.find(key);
        if (found == map_.end()) return false;
        out.assign(found->second);
        return true;
    }
    void erase(const std::string& key) {
        const std::unique_lock hold(*mutex_);
        map_.erase(key);
    }
    template <class Visit>
    void scan(Visit&& visit)
        requires Ordered
    {
        const std::shared_lock hold(*mutex_);
        for (const auto& [key, value] : map_) visit(key, value);
    }
    template <class Visit>
    void scan_back(Visit&& visit)
        requires Ordered
    {
        const std::shared_lock hold(*mutex_);
        for (auto at = map_.rbegin(); at != map_.rend(); ++at) visit(at->first, at->second);
    }
    template <class Visit>
    void scan_from(const std::string& key, std::size_t n, Visit&& visit)
        requires Ordered
    {
        const std::shared_lock hold(*mutex_);
        for (auto at = map_.lower_bound(key); n != 0 && at != map_.end(); ++at, --n) {
            visit(at->first, at->second);
        }
    }
    void flush() {}
    void sync() {}

private:
    Map map_;
    std::unique_ptr<std::shared_mutex> mutex_ = std::make_unique<std::shared_mutex>();
};

class tbb_hash {
    using map = tbb::concurrent_hash_map<std::string, std::string>;

public:
    static constexpr bool persistent = false;
    static constexpr bool durable = false;
    static constexpr bool threads = true;

    tbb_hash(const std::string&, bool, std::size_t) {}
    void put(const std::string& key, const std::string& value) {
        map::accessor at;
        map_->insert(at, key);
        at->second = value;
    }
    bool get(const std::string& key, std::string& out) {
        map::const_accessor at;
        if (!map_->find(at, key)) return false;
        out.assign(at->second);
        return true;
    }
    void erase(const std::string& key) { map_->erase(key); }
    void flush() {}
    void sync() {}

private:
    std::unique_ptr<map> map_ = std::make_unique<map>();
};

class nothing {
public:
    static constexpr bool persistent = false;
    static constexpr bool durable = false;
    static constexpr bool threads = true;
    static constexpr bool keeps_nothing = true;

    nothing(const std::string&, bool, std::size_t) {}
    [[gnu::noinline]] void put(const std::string&, const std::string& value) {
        size_ = value.size();
    }
    [[gnu::noinline]] bool get(const std::string&, std::string& out) {
        out.assign(size_, 'v');
        return true;
    }
    [[gnu::noinline]] void write(const std::string*, const std::string* values, std::size_t n) {
        size_ = values[n - 1].size();
    }
    void erase(const std::string&) {}
    void flush() {}
    void sync() {}

private:
    std::size_t size_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    using text = std::string;
    versus::add<locked<std::unordered_map<text, text>>>("std/unordered_map");
    versus::add<locked<absl::flat_hash_map<text, text>>>("absl/flat_hash_map");
    versus::add<locked<absl::btree_map<text, text>, true>>("absl/btree_map");
    versus::add<locked<boost::unordered_flat_map<text, text>>>("boost/unordered_flat_map");
    versus::add<tbb_hash>("tbb/concurrent_hash_map");
    versus::add<nothing>("nothing");
    return versus::main_of(argc, argv);
}
