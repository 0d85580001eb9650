// bench/versus/coffer.cpp: coffer with its default options: every storage, index, durability and
// threading. A durable subject is sync; the others are without a sync, as their names say.
#include "coffer_subject.hpp"

int main(int argc, char** argv) {
    versus::add_file_log_hash();
    versus::add_file_log_sorted();
    versus::add_mmap_hash();
    versus::add_mmap_sorted();
    versus::add_map_hash();
    versus::add_map_sorted();
    return versus::main_of(argc, argv);
}
