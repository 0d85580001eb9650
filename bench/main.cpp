// bench/main.cpp: registers every workload and runs those that the command line names.
#include "golite.hpp"

int main(int argc, char** argv) {
    bench::golite_file_log_hash();
    bench::golite_file_log_sorted();
    bench::golite_mmap_hash();
    bench::golite_mmap_sorted();
    bench::golite_map_hash();
    bench::golite_map_sorted();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
