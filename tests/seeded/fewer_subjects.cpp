// For seeded_tests: the crash suites over half of their subjects, file_log with a hash and mmap in
// order. A planted bug shows there as well, and the program is built in half of the time.
#include "crash/subject.hpp"

namespace crash {

std::vector<simulated_subject> file_log_sorted() {
    return {};
}
std::vector<simulated_subject> mmap_hash() {
    return {};
}
std::vector<simulated_subject> single_threaded() {
    return {};
}

}  // namespace crash
