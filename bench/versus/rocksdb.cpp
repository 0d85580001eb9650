// bench/versus/rocksdb.cpp: RocksDB with its default write buffer of 64 MiB.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "lsm.hpp"

namespace {

struct names {
    using base = rocksdb::DB;
    using batch = rocksdb::WriteBatch;
    using iterator = rocksdb::Iterator;
    using writing = rocksdb::WriteOptions;

    static std::unique_ptr<base> open(const std::string& path) {
        rocksdb::BlockBasedTableOptions table;
        table.block_cache = rocksdb::NewLRUCache(256 << 20);
        table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
        rocksdb::Options options;
        options.create_if_missing = true;
        options.compression = rocksdb::kNoCompression;
        options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
        base* made = nullptr;
        versus::must(rocksdb::DB::Open(options, path, &made).ok(), "open");
        return std::unique_ptr<base>(made);
    }
    static void compact(base& all) {
        versus::must(all.CompactRange({}, nullptr, nullptr).ok(), "compact");
    }
};

}  // namespace

int main(int argc, char** argv) {
    versus::add<versus::lsm<names>>("rocksdb");
    return versus::main_of(argc, argv);
}
