// bench/versus/postgresql.cpp: PostgreSQL in a cluster of its own, over a Unix socket, binary
// format: a batch is one COPY in a transaction of its own, insert_bulk one COPY of everything; a
// put is a prepared INSERT ON CONFLICT. The table has a primary key and is logged. Both classes:
// shared_buffers=512MB, max_wal_size=16GB, checkpoint_timeout=1d, autovacuum=off,
// wal_level=minimal. Without a sync: fsync=off, synchronous_commit=off, full_page_writes=off;
// durable: the defaults of all three, on. Starting the server is not timed, stopping it is part of
// closing.
#include <libpq-fe.h>

#include "per_thread.hpp"
#include "postgresql_cluster.hpp"
#include "workloads.hpp"

namespace {

using answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

class connection {
public:
    explicit connection(const std::string& socket)
        : link_(PQconnectdb(("host=" + socket + " user=coffer dbname=postgres").c_str())) {}
    ~connection() { PQfinish(link_); }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    [[nodiscard]] bool open() const { return PQstatus(link_) == CONNECTION_OK; }

    void prepare() {
        const auto make = [&](const char* name, const char* sql, int parameters) {
            expect({PQprepare(link_, name, sql, parameters, nullptr), PQclear}, PGRES_COMMAND_OK);
        };
        make("put", "INSERT INTO t VALUES($1, $2) ON CONFLICT (k) DO UPDATE SET v = EXCLUDED.v", 2);
        make("get", "SELECT v FROM t WHERE k = $1", 1);
        make("erase", "DELETE FROM t WHERE k = $1", 1);
    }
    void run(const char* sql) {
        const answer got(PQexec(link_, sql), PQclear);
        const auto status = PQresultStatus(got.get());
        must(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
    }
    /// A statement that was prepared, with one or two parameters.
    answer ask(const char* name, const std::string& key, const std::string* value,
               ExecStatusType expected) {
        const char* values[] = {key.data(), value == nullptr ? nullptr : value->data()};
        const int sizes[] = {static_cast<int>(key.size()),
                             value == nullptr ? 0 : static_cast<int>(value->size())};
        const int binary[] = {1, 1};
        return expect(
            {PQexecPrepared(link_, name, value == nullptr ? 1 : 2, values, sizes, binary, 1),
             PQclear},
            expected);
    }
    /// One COPY, in pieces of about 64 KiB.
    void copy(const std::string* keys, const std::string* values, std::size_t n) {
        expect({PQexec(link_, "COPY t FROM STDIN (FORMAT binary)"), PQclear}, PGRES_COPY_IN);
        room_.assign("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
        for (std::size_t i = 0; i < n; ++i) {
            number(2, 2);
            field(keys[i]);
            field(values[i]);
            if (room_.size() > 65536) send();
        }
        number(0xFFFF, 2);
        send();
        must(PQputCopyEnd(link_, nullptr) == 1);
        expect({PQgetResult(link_), PQclear}, PGRES_COMMAND_OK);
        must(PQgetResult(link_) == nullptr);
    }

private:
    void must(bool holds) const { versus::must(holds, PQerrorMessage(link_)); }
    answer expect(answer got, ExecStatusType expected) const {
        must(PQresultStatus(got.get()) == expected);
        return got;
    }
    void number(std::size_t value, int bytes) {
        while (bytes-- != 0) room_.push_back(static_cast<char>(value >> (8 * bytes) & 0xFF));
    }
    void field(const std::string& from) {
        number(from.size(), 4);
        room_ += from;
    }
    void send() {
        must(PQputCopyData(link_, room_.data(), static_cast<int>(room_.size())) == 1);
        room_.clear();
    }

    PGconn* link_;
    std::string room_;
};

class subject {
public:
    static constexpr bool persistent = true;
    static constexpr bool durable = true;
    static constexpr bool threads = true;

    subject(const std::string& folder, bool synced, std::size_t)
        : folder_(folder),
          cluster_(std::make_unique<versus::postgresql_cluster>(folder, options(synced))) {
        first();
        links_ = std::make_unique<versus::per_thread<connection>>([socket = cluster_->socket()] {
            auto made = std::make_unique<connection>(socket);
            versus::must(made->open(), "connecting to PostgreSQL");
            made->prepare();
            return made;
        });
        links_->mine();
    }
    void put(const std::string& key, const std::string& value) {
        links_->mine().ask("put", key, &value, PGRES_COMMAND_OK);
    }
    bool get(const std::string& key, std::string& out) {
        const answer got = links_->mine().ask("get", key, nullptr, PGRES_TUPLES_OK);
        if (PQntuples(got.get()) == 0) return false;
        out.assign(PQgetvalue(got.get(), 0, 0),
                   static_cast<std::size_t>(PQgetlength(got.get(), 0, 0)));
        return true;
    }
    void erase(const std::string& key) {
        links_->mine().ask("erase", key, nullptr, PGRES_COMMAND_OK);
    }
    void write(const std::string* keys, const std::string* values, std::size_t n) {
        links_->mine().copy(keys, values, n);
    }
    void bulk(const std::string* keys, const std::string* values, std::size_t n) {
        links_->mine().copy(keys, values, n);
    }
    /// A commit that waits for its own place in the log takes all before it along.
    void flush() {
        links_->mine().run(
            "BEGIN; SET LOCAL synchronous_commit = on;"
            "SELECT pg_logical_emit_message(true, 'coffer', ''); COMMIT");
    }
    void sync() {
        links_->mine().run("CHECKPOINT");
        const int folder = ::open(folder_.c_str(), O_RDONLY);
        versus::must(folder >= 0 && ::syncfs(folder) == 0, "syncfs");
        ::close(folder);
    }

private:
    static std::vector<std::string> options(bool synced) {
        std::vector<std::string> all = {
            "listen_addresses=",     "shared_buffers=512MB", "max_wal_size=16GB",
            "checkpoint_timeout=1d", "autovacuum=off",       "wal_level=minimal",
            "max_wal_senders=0",
        };
        if (!synced) {
            all.insert(all.end(), {"fsync=off", "synchronous_commit=off", "full_page_writes=off"});
        }
        return all;
    }
    /// Waits for the server, and makes the table.
    void first() {
        for (int tries = 0; tries < 600; ++tries) {
            connection link(cluster_->socket());
            if (link.open()) {
                link.run("CREATE TABLE IF NOT EXISTS t(k bytea PRIMARY KEY, v bytea)");
                return;
            }
            cluster_->check(cluster_->alive(), "the PostgreSQL server ended");
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        cluster_->check(false, "the PostgreSQL server does not answer");
    }

    std::string folder_;
    std::unique_ptr<versus::postgresql_cluster> cluster_;
    std::unique_ptr<versus::per_thread<connection>> links_;  // gone before the server is
};

}  // namespace

int main(int argc, char** argv) {
    versus::add<subject>("postgresql");
    return versus::main_of(argc, argv);
}
