// bench/versus/lsm.hpp: LevelDB and RocksDB, whose interfaces are one family. No compression, a
// cache of 256 MiB, a filter of 10 bits a key. Durable: WriteOptions::sync.
#ifndef COFFER_BENCH_VERSUS_LSM_HPP
#define COFFER_BENCH_VERSUS_LSM_HPP

#include "workloads.hpp"

namespace versus {

/// `Names` brings the types of one of the two, and `open(path)`.
template <class Names>
class lsm {
public:
    static constexpr bool persistent = true;
    static constexpr bool durable = true;
    static constexpr bool threads = true;

    lsm(const std::string& folder, bool synced, std::size_t) : base_(Names::open(folder + "/db")) {
        writing_.sync = synced;
    }
    void put(const std::string& key, const std::string& value) {
        ok(base_->Put(writing_, key, value));
    }
    void write(const std::string* keys, const std::string* values, std::size_t n) {
        typename Names::batch all;
        for (std::size_t i = 0; i < n; ++i) all.Put(keys[i], values[i]);
        ok(base_->Write(writing_, &all));
    }
    bool get(const std::string& key, std::string& out) { return base_->Get({}, key, &out).ok(); }
    void erase(const std::string& key) { ok(base_->Delete(writing_, key)); }
    template <class Visit>
    void scan(Visit&& visit) {
        const std::unique_ptr<typename Names::iterator> at(base_->NewIterator({}));
        for (at->SeekToFirst(); at->Valid(); at->Next()) show(*at, visit);
    }
    template <class Visit>
    void scan_back(Visit&& visit) {
        const std::unique_ptr<typename Names::iterator> at(base_->NewIterator({}));
        for (at->SeekToLast(); at->Valid(); at->Prev()) show(*at, visit);
    }
    template <class Visit>
    void scan_from(const std::string& key, std::size_t n, Visit&& visit) {
        const std::unique_ptr<typename Names::iterator> at(base_->NewIterator({}));
        for (at->Seek(key); n != 0 && at->Valid(); at->Next(), --n) show(*at, visit);
    }
    void compact() { Names::compact(*base_); }
    void flush() {}
    /// A write that asks for a sync takes all before it along.
    void sync() {
        typename Names::writing synced;
        synced.sync = true;
        ok(base_->Delete(synced, "absent"));
    }

private:
    template <class At, class Visit>
    static void show(const At& at, Visit& visit) {
        visit(std::string_view(at.key().data(), at.key().size()),
              std::string_view(at.value().data(), at.value().size()));
    }
    template <class Status>
    static void ok(const Status& status) {
        must(status.ok(), "lsm");
    }

    std::unique_ptr<typename Names::base> base_;
    typename Names::writing writing_;
};

}  // namespace versus

#endif
