// Random operations on every combination and on a std::map: the same answers.
//
// COFFER_OPS is the number of operations for each combination on the simulated file system; a
// fiftieth of them run on the native one. COFFER_SEED starts another run; a failure names its own.
// scripts/proof runs more of them.
#include <coffer/core/scope.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

#include "law.hpp"
#include "model.hpp"
#include "proof.hpp"

using namespace laws;

namespace {

/// In several stores one after the other, so that options and key spaces differ.
void like_a_map(const combination& choice) {
    const std::uint64_t asked = number_from("COFFER_OPS", 60'000);
    const std::uint64_t count = choice.simulated ? asked : asked / 50;
    const std::uint64_t seed = number_from("COFFER_SEED", 1);
    const std::uint64_t stores = choice.simulated ? (std::min)(asked / 1000 + 1, std::uint64_t{20})
                                                  : (std::min)(asked / 20000 + 1, std::uint64_t{8});
    const proof::stopwatch watch;
    std::uint64_t violations = 1;
    const coffer::detail::on_exit tell([&] {
        proof::tell(
            "S7 like a std::map", choice.name,
            {stores * (count / stores + 1), "operations", violations, watch.seconds(), seed});
    });
    for (std::uint64_t i = 0; i < stores; ++i)
        differential(choice, seed + i).run(count / stores + 1);
    violations = 0;
}

auto part_of(combination::storage_kind storage, bool simulated) {
    return [=](const combination& choice) {
        return choice.storage == storage && choice.simulated == simulated;
    };
}

}  // namespace

TEST_CASE("like a std::map: map, simulated") {
    over(part_of(combination::storage_kind::map, true), like_a_map);
}
TEST_CASE("like a std::map: file_log, simulated") {
    over(part_of(combination::storage_kind::file_log, true), like_a_map);
}
TEST_CASE("like a std::map: mmap, simulated") {
    over(part_of(combination::storage_kind::mmap, true), like_a_map);
}
TEST_CASE("like a std::map: map, native") {
    over(part_of(combination::storage_kind::map, false), like_a_map);
}
TEST_CASE("like a std::map: file_log, native") {
    over(part_of(combination::storage_kind::file_log, false), like_a_map);
}
TEST_CASE("like a std::map: mmap, native") {
    over(part_of(combination::storage_kind::mmap, false), like_a_map);
}
