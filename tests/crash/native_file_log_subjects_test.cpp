// The store types of native_file_log(): on real files, over both indexes.
#include "crash/adapter.hpp"

std::vector<crash::native_subject> crash::native_file_log() {
    using namespace coffer;
    auto all = under_every_durability<storage::file_log, index::hash, fs::native>();
    for (auto& each : under_every_durability<storage::file_log, index::sorted, fs::native>()) {
        all.push_back(each);
    }
    return all;
}
