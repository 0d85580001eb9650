// One target for libFuzzer: -DCOFFER_FUZZ_TARGET=open_folder. scripts/fuzz builds and runs it.
// COFFER_FUZZ_SEEDS=folder writes the seeds there and ends.
//
// In a folder a file is changed where it is not all zeros, and then most often its checks are
// mended, so that the change is seen by more than a check.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "fuzz/mend.hpp"
#include "fuzz/target.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

const fuzz::target& chosen() {
    static const fuzz::target only = fuzz::COFFER_FUZZ_TARGET();
    return only;
}

coffer::bytes bytes_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const std::byte*>(data), size};
}

/// Changes up to 256 bytes of `file` near one that is not zero.
void change(fuzz::run& file, std::uint32_t drawn) {
    constexpr std::size_t window = 256;
    std::size_t at = file.empty() ? 0 : drawn % file.size();
    while (at > 0 && file[at] == std::byte{0}) --at;
    const std::size_t size = (std::min)(window, file.size() - at);
    std::uint8_t room[window + 64];
    if (size != 0) std::memcpy(room, file.data() + at, size);
    const std::size_t now = LLVMFuzzerMutate(room, size, sizeof room);
    const auto from = file.begin() + static_cast<std::ptrdiff_t>(at);
    const coffer::bytes made = bytes_of(room, now);
    file.erase(from, from + static_cast<std::ptrdiff_t>(size));
    file.insert(file.begin() + static_cast<std::ptrdiff_t>(at), made.begin(), made.end());
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    const char* const into = std::getenv("COFFER_FUZZ_SEEDS");
    if (into == nullptr) return 0;
    int number = 0;
    for (const fuzz::run& seed : chosen().seeds()) {
        std::ofstream(std::string(into) + "/seed-" + std::to_string(number++), std::ios::binary)
            .write(reinterpret_cast<const char*>(seed.data()),
                   static_cast<std::streamsize>(seed.size()));
    }
    std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    chosen().run(bytes_of(data, size));
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned int seed) {
    const std::uint64_t drawn = coffer::detail::mix(seed, 1);
    if (!chosen().is_folder || drawn % 8 == 0) return LLVMFuzzerMutate(data, size, most);
    fuzz::folder all(bytes_of(data, size));
    if (all.files.empty()) return LLVMFuzzerMutate(data, size, most);
    auto file = all.files.begin();
    std::advance(file, static_cast<std::ptrdiff_t>(drawn / 8 % all.files.size()));
    change(file->second, static_cast<std::uint32_t>(drawn >> 32));
    if (drawn / 64 % 4 != 0) fuzz::mend(all);
    const fuzz::run out = all.packed();
    if (out.size() > most) return LLVMFuzzerMutate(data, size, most);
    std::memcpy(data, out.data(), out.size());
    return out.size();
}
