// bench/versus/lmdb.cpp: LMDB. Without a sync: MDB_NOSYNC; durable: its default. A put is a
// transaction; a batch is one. Reads use one reset and renewed transaction for each thread.
#include <lmdb.h>

#include "workloads.hpp"

namespace {

class subject {
public:
    static constexpr bool persistent = true;
    static constexpr bool threads = true;

    subject(const std::string& folder, bool durable, std::size_t entries) {
        ok(mdb_env_create(&env_));
        ok(mdb_env_set_mapsize(env_, (entries + 100'000) * 1024));
        const unsigned flags = MDB_NOTLS | (durable ? 0U : MDB_NOSYNC);
        ok(mdb_env_open(env_, folder.c_str(), flags, 0600));
        MDB_txn* txn = nullptr;
        ok(mdb_txn_begin(env_, nullptr, 0, &txn));
        ok(mdb_dbi_open(txn, nullptr, MDB_CREATE, &table_));
        ok(mdb_txn_commit(txn));
        ok(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_));
        mdb_txn_reset(reader_);
    }
    subject(subject&& other) noexcept
        : env_(std::exchange(other.env_, nullptr)), table_(other.table_), reader_(other.reader_) {}
    ~subject() {
        if (env_ == nullptr) return;
        mdb_txn_abort(reader_);
        mdb_env_close(env_);
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
    bool get(const std::string& from, std::string& out) {
        ok(mdb_txn_renew(reader_));
        MDB_val key = of(from), value;
        const int found = mdb_get(reader_, table_, &key, &value);
        if (found == 0) out.assign(static_cast<const char*>(value.mv_data), value.mv_size);
        mdb_txn_reset(reader_);
        return found == 0;
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
        walk(MDB_FIRST, {}, ~std::size_t{0}, visit);
    }
    template <class Visit>
    void scan_from(const std::string& from, std::size_t n, Visit&& visit) {
        walk(MDB_SET_RANGE, of(from), n, visit);
    }
    void flush() {}
    void sync() { ok(mdb_env_sync(env_, 1)); }

private:
    template <class Visit>
    void walk(MDB_cursor_op first, MDB_val key, std::size_t n, Visit& visit) {
        ok(mdb_txn_renew(reader_));
        MDB_cursor* cursor = nullptr;
        ok(mdb_cursor_open(reader_, table_, &cursor));
        MDB_val value;
        for (MDB_cursor_op next = first; n != 0 && mdb_cursor_get(cursor, &key, &value, next) == 0;
             next = MDB_NEXT, --n) {
            visit(std::string_view(static_cast<const char*>(key.mv_data), key.mv_size),
                  std::string_view(static_cast<const char*>(value.mv_data), value.mv_size));
        }
        mdb_cursor_close(cursor);
        mdb_txn_reset(reader_);
    }
    static MDB_val of(const std::string& from) {
        return {from.size(), const_cast<char*>(from.data())};
    }
    static void ok(int code) { versus::must(code == 0, mdb_strerror(code)); }

    MDB_env* env_ = nullptr;
    MDB_dbi table_ = 0;
    MDB_txn* reader_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
    versus::add<subject>("lmdb");
    return versus::main_of(argc, argv);
}
