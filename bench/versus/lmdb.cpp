// bench/versus/lmdb.cpp: LMDB, with MDB_NOTLS and a map of 4096 bytes an entry. Without a sync:
// MDB_NOSYNC; durable: its default. A put is a transaction; a batch is one. Reads use one reset and
// renewed transaction for each thread.
#include <lmdb.h>

#include "per_thread.hpp"
#include "workloads.hpp"

namespace {

void ok(int code) {
    versus::must(code == 0, mdb_strerror(code));
}

/// A transaction to read with, reset between reads.
class reader {
public:
    explicit reader(MDB_env* env) {
        ok(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn_));
        mdb_txn_reset(txn_);
    }
    ~reader() { mdb_txn_abort(txn_); }
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;

    template <class Read>
    auto with(Read&& read) {
        ok(mdb_txn_renew(txn_));
        const auto seen = read(txn_);
        mdb_txn_reset(txn_);
        return seen;
    }

private:
    MDB_txn* txn_ = nullptr;
};

class subject {
public:
    static constexpr bool persistent = true;
    static constexpr bool durable = true;
    static constexpr bool threads = true;

    subject(const std::string& folder, bool synced, std::size_t entries) {
        ok(mdb_env_create(&env_));
        ok(mdb_env_set_mapsize(env_, (entries + 100'000) * 4096));
        const unsigned flags = MDB_NOTLS | (synced ? 0U : MDB_NOSYNC);
        ok(mdb_env_open(env_, folder.c_str(), flags, 0600));
        MDB_txn* txn = nullptr;
        ok(mdb_txn_begin(env_, nullptr, 0, &txn));
        ok(mdb_dbi_open(txn, nullptr, MDB_CREATE, &table_));
        ok(mdb_txn_commit(txn));
        readers_ = std::make_unique<versus::per_thread<reader>>(
            [env = env_] { return std::make_unique<reader>(env); });
    }
    subject(subject&& other) noexcept
        : env_(std::exchange(other.env_, nullptr)),
          table_(other.table_),
          readers_(std::move(other.readers_)) {}
    ~subject() {
        readers_.reset();
        if (env_ != nullptr) mdb_env_close(env_);
    }
    void put(const std::string& key, const std::string& value) { write(&key, &value, 1); }
    void write(const std::string* keys, const std::string* values, std::size_t n) {
        MDB_txn* txn = nullptr;
        ok(mdb_txn_begin(env_, nullptr, 0, &txn));
        for (std::size_t i = 0; i < n; ++i) {
            MDB_val key = of(keys[i]), value = of(values[i]);
            ok(mdb_put(txn, table_, &key, &value, 0));
        }
        ok(mdb_txn_commit(txn));
    }
    void bulk(const std::string* keys, const std::string* values, std::size_t n) {
        write(keys, values, n);
    }
    bool get(const std::string& from, std::string& out) {
        return readers_->mine().with([&](MDB_txn* txn) {
            MDB_val key = of(from), value;
            const bool found = mdb_get(txn, table_, &key, &value) == 0;
            if (found) out.assign(static_cast<const char*>(value.mv_data), value.mv_size);
            return found;
        });
    }
    void erase(const std::string& from) {
        MDB_txn* txn = nullptr;
        ok(mdb_txn_begin(env_, nullptr, 0, &txn));
        MDB_val key = of(from);
        ok(mdb_del(txn, table_, &key, nullptr));
        ok(mdb_txn_commit(txn));
    }
    template <class Visit>
    void scan(Visit&& visit) {
        walk(MDB_FIRST, MDB_NEXT, {}, ~std::size_t{0}, visit);
    }
    template <class Visit>
    void scan_back(Visit&& visit) {
        walk(MDB_LAST, MDB_PREV, {}, ~std::size_t{0}, visit);
    }
    template <class Visit>
    void scan_from(const std::string& from, std::size_t n, Visit&& visit) {
        walk(MDB_SET_RANGE, MDB_NEXT, of(from), n, visit);
    }
    void flush() {}
    void sync() { ok(mdb_env_sync(env_, 1)); }

private:
    template <class Visit>
    void walk(MDB_cursor_op first, MDB_cursor_op then, MDB_val key, std::size_t n, Visit& visit) {
        readers_->mine().with([&](MDB_txn* txn) {
            MDB_cursor* cursor = nullptr;
            ok(mdb_cursor_open(txn, table_, &cursor));
            MDB_val value;
            for (MDB_cursor_op next = first;
                 n != 0 && mdb_cursor_get(cursor, &key, &value, next) == 0; next = then, --n) {
                visit(std::string_view(static_cast<const char*>(key.mv_data), key.mv_size),
                      std::string_view(static_cast<const char*>(value.mv_data), value.mv_size));
            }
            mdb_cursor_close(cursor);
            return true;
        });
    }
    static MDB_val of(const std::string& from) {
        return {from.size(), const_cast<char*>(from.data())};
    }

    MDB_env* env_ = nullptr;
    MDB_dbi table_ = 0;
    std::unique_ptr<versus::per_thread<reader>> readers_;
};

}  // namespace

int main(int argc, char** argv) {
    versus::add<subject>("lmdb");
    return versus::main_of(argc, argv);
}
