// bench/versus/leveldb.cpp: LevelDB, with a write buffer of 64 MiB.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include "lsm.hpp"

namespace {

struct names {
    using base = leveldb::DB;
    using batch = leveldb::WriteBatch;
    using iterator = leveldb::Iterator;
    using writing = leveldb::WriteOptions;

    static std::unique_ptr<base> open(const std::string& path) {
        static leveldb::Cache* const cache = leveldb::NewLRUCache(256 << 20);
        static const leveldb::FilterPolicy* const filter = leveldb::NewBloomFilterPolicy(10);
        leveldb::Options options;
        options.create_if_missing = true;
        options.compression = leveldb::kNoCompression;
        options.write_buffer_size = 64 << 20;
        options.block_cache = cache;
        options.filter_policy = filter;
        base* made = nullptr;
        versus::must(leveldb::DB::Open(options, path, &made).ok(), "open");
        return std::unique_ptr<base>(made);
    }
    static void compact(base& all) { all.CompactRange(nullptr, nullptr); }
};

}  // namespace

int main(int argc, char** argv) {
    versus::add<versus::lsm<names>>("leveldb");
    return versus::main_of(argc, argv);
}
