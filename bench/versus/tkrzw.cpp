// bench/versus/tkrzw.cpp: Tkrzw's hash and tree databases. Hash: buckets for twice the entries that
// come. Tree: a bucket for each 20 of them, 65,536 pages cached. Records aligned by 4 bytes, no
// compression. Durable: Synchronize(true) after each put.
#include <tkrzw_dbm_hash.h>
#include <tkrzw_dbm_tree.h>

#include "workloads.hpp"

namespace {

template <class Base, bool Ordered>
class subject {
public:
    static constexpr bool persistent = true;
    static constexpr bool durable = true;
    static constexpr bool threads = true;

    subject(const std::string& folder, bool synced, std::size_t entries)
        : base_(std::make_unique<Base>()), synced_(synced) {
        const std::string path = folder + (Ordered ? "/db.tkt" : "/db.tkh");
        if constexpr (Ordered) {
            tkrzw::TreeDBM::TuningParameters tuning;
            tuning.align_pow = 2;
            tuning.num_buckets = static_cast<std::int64_t>(entries / 20 + 1000);
            tuning.max_cached_pages = 1 << 16;
            ok(base_->OpenAdvanced(path, true, tkrzw::File::OPEN_DEFAULT, tuning));
        } else {
            tkrzw::HashDBM::TuningParameters tuning;
            tuning.align_pow = 2;
            tuning.num_buckets = static_cast<std::int64_t>(2 * entries + 1000);
            ok(base_->OpenAdvanced(path, true, tkrzw::File::OPEN_DEFAULT, tuning));
        }
    }
    subject(subject&&) = default;
    ~subject() {
        if (base_) ok(base_->Close());
    }
    void put(const std::string& key, const std::string& value) {
        ok(base_->Set(key, value));
        if (synced_) ok(base_->Synchronize(true));
    }
    bool get(const std::string& key, std::string& out) {
        return base_->Get(key, &out) == tkrzw::Status::SUCCESS;
    }
    void erase(const std::string& key) { ok(base_->Remove(key)); }
    template <class Visit>
    void scan(Visit&& visit)
        requires Ordered
    {
        auto at = base_->MakeIterator();
        ok(at->First());
        std::string key, value;
        while (at->Get(&key, &value).IsOK()) {
            visit(key, value);
            ok(at->Next());
        }
    }
    template <class Visit>
    void scan_back(Visit&& visit)
        requires Ordered
    {
        auto at = base_->MakeIterator();
        ok(at->Last());
        std::string key, value;
        while (at->Get(&key, &value).IsOK()) {
            visit(key, value);
            ok(at->Previous());
        }
    }
    template <class Visit>
    void scan_from(const std::string& from, std::size_t n, Visit&& visit)
        requires Ordered
    {
        auto at = base_->MakeIterator();
        ok(at->Jump(from));
        std::string key, value;
        for (; n != 0 && at->Get(&key, &value).IsOK(); --n) {
            visit(key, value);
            ok(at->Next());
        }
    }
    void compact() { ok(base_->Rebuild()); }
    void flush() { ok(base_->Synchronize(false)); }
    void sync() { ok(base_->Synchronize(true)); }

private:
    static void ok(const tkrzw::Status& status) { versus::must(status.IsOK(), "tkrzw"); }

    std::unique_ptr<Base> base_;
    bool synced_;
};

}  // namespace

int main(int argc, char** argv) {
    versus::add<subject<tkrzw::HashDBM, false>>("tkrzw/hash");
    versus::add<subject<tkrzw::TreeDBM, true>>("tkrzw/tree");
    return versus::main_of(argc, argv);
}
