// bench/versus/sqlite.cpp: SQLite, a table without row ids, WAL, prepared statements, a cache of
// 256 MiB. Without a sync: synchronous=OFF; durable: synchronous=FULL. A put is a transaction.
#include <sqlite3.h>

#include "workloads.hpp"

namespace {

class subject {
public:
    static constexpr bool persistent = true;
    static constexpr bool durable = true;
    static constexpr bool threads = false;

    subject(const std::string& folder, bool synced, std::size_t)
        : promise_(synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF") {
        ok(sqlite3_open((folder + "/db").c_str(), &base_));
        run("PRAGMA journal_mode=WAL");
        run(promise_);
        run("PRAGMA cache_size=-262144");
        run("CREATE TABLE IF NOT EXISTS t(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
        put_ = prepared("INSERT OR REPLACE INTO t VALUES(?,?)");
        get_ = prepared("SELECT v FROM t WHERE k=?");
        erase_ = prepared("DELETE FROM t WHERE k=?");
        scan_ = prepared("SELECT k, v FROM t WHERE k>=? ORDER BY k");
        back_ = prepared("SELECT k, v FROM t ORDER BY k DESC");
    }
    subject(subject&& other) noexcept
        : promise_(other.promise_),
          base_(std::exchange(other.base_, nullptr)),
          put_(other.put_),
          get_(other.get_),
          erase_(other.erase_),
          scan_(other.scan_),
          back_(other.back_) {}
    ~subject() {
        if (base_ == nullptr) return;
        for (auto* each : {put_, get_, erase_, scan_, back_}) sqlite3_finalize(each);
        sqlite3_close(base_);
    }
    void put(const std::string& key, const std::string& value) {
        bind(put_, 1, key);
        bind(put_, 2, value);
        versus::must(sqlite3_step(put_) == SQLITE_DONE, "sqlite");
        sqlite3_reset(put_);
    }
    void write(const std::string* keys, const std::string* values, std::size_t n) {
        run("BEGIN");
        for (std::size_t i = 0; i < n; ++i) put(keys[i], values[i]);
        run("COMMIT");
    }
    void bulk(const std::string* keys, const std::string* values, std::size_t n) {
        write(keys, values, n);
    }
    bool get(const std::string& key, std::string& out) {
        bind(get_, 1, key);
        const bool found = sqlite3_step(get_) == SQLITE_ROW;
        if (found) out.assign(column(get_, 0));
        sqlite3_reset(get_);
        return found;
    }
    void erase(const std::string& key) {
        bind(erase_, 1, key);
        versus::must(sqlite3_step(erase_) == SQLITE_DONE, "sqlite");
        sqlite3_reset(erase_);
    }
    template <class Visit>
    void scan(Visit&& visit) {
        scan_from("", ~std::size_t{0}, visit);
    }
    template <class Visit>
    void scan_back(Visit&& visit) {
        show(back_, ~std::size_t{0}, visit);
    }
    template <class Visit>
    void scan_from(const std::string& key, std::size_t n, Visit&& visit) {
        bind(scan_, 1, key);
        show(scan_, n, visit);
    }
    void compact() {
        run("VACUUM");
        run("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    void flush() {}
    void sync() {
        run("PRAGMA synchronous=FULL");
        run("PRAGMA wal_checkpoint(TRUNCATE)");
        run(promise_);
    }

private:
    template <class Visit>
    static void show(sqlite3_stmt* from, std::size_t n, Visit& visit) {
        for (; n != 0 && sqlite3_step(from) == SQLITE_ROW; --n) {
            visit(column(from, 0), column(from, 1));
        }
        sqlite3_reset(from);
    }
    static void ok(int code) { versus::must(code == SQLITE_OK, sqlite3_errstr(code)); }
    void run(const char* sql) { ok(sqlite3_exec(base_, sql, nullptr, nullptr, nullptr)); }
    sqlite3_stmt* prepared(const char* sql) {
        sqlite3_stmt* made = nullptr;
        ok(sqlite3_prepare_v2(base_, sql, -1, &made, nullptr));
        return made;
    }
    static void bind(sqlite3_stmt* to, int at, const std::string& from) {
        ok(sqlite3_bind_blob(to, at, from.data(), static_cast<int>(from.size()), SQLITE_STATIC));
    }
    static std::string_view column(sqlite3_stmt* of, int at) {
        return {static_cast<const char*>(sqlite3_column_blob(of, at)),
                static_cast<std::size_t>(sqlite3_column_bytes(of, at))};
    }

    const char* promise_;
    sqlite3* base_ = nullptr;
    sqlite3_stmt* put_ = nullptr;
    sqlite3_stmt* get_ = nullptr;
    sqlite3_stmt* erase_ = nullptr;
    sqlite3_stmt* scan_ = nullptr;
    sqlite3_stmt* back_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
    versus::add<subject>("sqlite");
    return versus::main_of(argc, argv);
}
