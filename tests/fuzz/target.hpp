// tests/fuzz/target.hpp: what is fuzzed.
//
// A target takes any bytes and throws a `violation` where coffer does what it must not; a sanitizer
// finds the rest. The same targets are driven by libFuzzer (scripts/fuzz) and by replay_test.cpp,
// which runs the corpora and some changes of them in every run of the tests.
#ifndef COFFER_TESTS_FUZZ_TARGET_HPP
#define COFFER_TESTS_FUZZ_TARGET_HPP

#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz/folder.hpp"

namespace fuzz {

struct violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline void need(bool holds, const std::string& sentence) {
    if (!holds) throw violation("not so: " + sentence);
}

struct target {
    const char* name;
    void (*run)(coffer::bytes);
    std::vector<fuzz::run> (*seeds)();  // where a fuzzer begins
    bool is_folder;                     // its input is a folder, whose checks can be mended
};

target open_folder();  // opening a folder that holds anything
target scan_log();     // the log's scanner and the sifter on any segment
target index_hint();   // a sound log beside any INDEX
target batches();      // commits of any records, cut anywhere
target operations();   // any operations on a store, with crashes
target codecs();       // the encodings of keys and values

}  // namespace fuzz

#endif
