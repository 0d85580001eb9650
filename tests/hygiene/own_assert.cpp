// tests/hygiene/own_assert.cpp: a program's own COFFER_ASSERT is told what must not be, and nothing
// else.
namespace {
int told = 0;
}
#define COFFER_ASSERT(condition, sentence) ((condition) ? void() : void(++told))
#include <coffer/coffer.hpp>

#include <cstdio>
#include <string>

int main() {
    coffer::store<int, std::string, coffer::storage::map, coffer::index::sorted> numbers;
    for (int i = 0; i < 1000; ++i) numbers.put(i, std::to_string(i));
    if (told != 0) return std::puts("told of what is as it should be"), 1;

    const coffer::fs::simulated disk;
    disk.make_directory("/folder").value();
    auto file = disk.open_directory("/folder").value().create("file").value();
    file.resize(100).value();
    static_cast<void>(file.map(1, 10, coffer::fs::access::read));  // no multiple of 64 KiB
    if (told == 0) return std::puts("not told of what a caller must not do"), 1;
    return 0;
}
