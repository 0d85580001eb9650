// The laws are asked of all stores that there are.
#include <set>
#include <string>

#include "law.hpp"

using namespace laws;  // NOLINT: a test

TEST_CASE("every combination is there") {
    std::set<std::string> names;
    for (const combination& each : combinations()) names.insert(each.name);
    CHECK(names.size() == 3 * 4 * 2 * 2 * 2);  // storage, durability, index, threading, fs
}
