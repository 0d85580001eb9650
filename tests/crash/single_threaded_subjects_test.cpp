// Store types of threading::single, on which a workload makes the same calls each time.
#include "crash/adapter.hpp"

namespace {

using namespace coffer;

template <class... Policies>
using alone = store<std::string, std::string, threading::single, fs::simulated, Policies...>;

}  // namespace

std::vector<crash::simulated_subject> crash::single_threaded() {
    return {subject_of<alone<storage::file_log, durability::sync>>(),
            subject_of<alone<storage::file_log, durability::write_through>>(),
            subject_of<alone<storage::file_log, durability::buffered>>(),
            subject_of<alone<storage::mmap, durability::sync>>(),
            subject_of<alone<storage::mmap, durability::sync, index::sorted>>(),
            subject_of<alone<storage::mmap, durability::write_through>>(),
            subject_of<alone<storage::mmap, durability::write_through, index::sorted>>(),
            subject_of<alone<storage::mmap, durability::buffered>>(),
            subject_of<alone<storage::mmap, durability::buffered, index::sorted>>(),
            subject_of<alone<storage::mmap, durability::async>>(),
            subject_of<alone<storage::mmap, durability::async, index::sorted>>()};
}
