// The store types of native_mmap(): on real files, over both indexes.
#include "crash/adapter.hpp"

std::vector<crash::native_subject> crash::native_mmap() {
    using namespace coffer;
    auto all = under_every_durability<storage::mmap, index::hash, fs::native>();
    for (auto& each : under_every_durability<storage::mmap, index::sorted, fs::native>()) {
        all.push_back(each);
    }
    return all;
}
