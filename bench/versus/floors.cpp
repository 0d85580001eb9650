// bench/versus/floors.cpp: what the machine allows, measured in the same minutes as the stores.
//
//   memcpy            a record of 128 bytes, one after the other, into a buffer of 2 GiB
//   pwrite            the same bytes, 2 MiB at a time, into a file; per 128 bytes
//   append_sync       128 bytes in blocks that were written before, then fdatasync
//   reserved_sync     128 bytes in blocks that were reserved and never written, then fdatasync
//   extend_sync       128 bytes that make the file longer, then fdatasync
//   chase_<MiB>       one load that depends on the one before, all over so much memory, small pages
//   huge_chase_<MiB>  the same where the system may use huge pages
//   longest_gap       between two looks at the clock of a thread that does nothing else, while one
//                     beside it appends to files as a log does and computes between its writes: no
//                     store whose cleaner is at work can promise that its puts are shorter
#include "data.hpp"
#include "measure.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

constexpr std::size_t record = 128;

double copied() {
    constexpr std::size_t size = std::size_t{2} << 30;
    std::vector<char> from(std::size_t{1} << 20, 'x'), to(size, 'y');
    const double began = versus::now();
    for (std::size_t at = 0; at < size; at += record) {
        std::memcpy(&to[at], &from[at % from.size()], record);
    }
    const double seconds = versus::now() - began;
    if (to[size / 2] != 'x') std::abort();
    return seconds * 1e9 / double(size / record);
}

class file {
public:
    explicit file(const std::string& folder, std::size_t number = 0)
        : path_(folder + "/floor" + std::to_string(number)),
          number_(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600)) {
        if (number_ < 0) std::perror(path_.c_str()), std::exit(1);
    }
    ~file() {
        ::close(number_);
        ::unlink(path_.c_str());
    }
    file(const file&) = delete;
    file& operator=(const file&) = delete;

    void write(std::size_t at, std::size_t size) {
        if (::pwrite(number_, block_.data(), size, static_cast<off_t>(at)) != ssize_t(size)) {
            std::perror("pwrite"), std::exit(1);
        }
    }
    void reserve(std::size_t size) {
        errno = ::posix_fallocate(number_, 0, static_cast<off_t>(size));
        if (errno != 0) std::perror("posix_fallocate"), std::exit(1);
    }
    void sync() {
        if (::fdatasync(number_) != 0) std::perror("fdatasync"), std::exit(1);
    }

private:
    std::string path_;
    int number_;
    std::vector<char> block_ = std::vector<char>(std::size_t{2} << 20, 'x');
};

double written(const std::string& folder) {
    constexpr std::size_t block = std::size_t{2} << 20, blocks = 128;
    file to(folder);
    const double began = versus::now();
    for (std::size_t i = 0; i < blocks; ++i) to.write(i * block, block);
    return (versus::now() - began) * 1e9 / double(block * blocks / record);
}

/// What a short write finds where it goes.
enum class ground : unsigned char { written, reserved, nothing };

double synced(const std::string& folder, ground under) {
    constexpr std::size_t count = 2000;
    file to(folder);
    if (under == ground::written) to.write(0, std::size_t{2} << 20);
    if (under == ground::reserved) to.reserve(std::size_t{2} << 20);
    to.sync();
    const double began = versus::now();
    for (std::size_t i = 0; i < count; ++i) {
        to.write(i * record, record);
        to.sync();
    }
    return (versus::now() - began) * 1e9 / double(count);
}

double chased(std::size_t mib, bool huge) {
    const std::size_t lines = (mib << 20) / 64;
    void* const memory =
        ::mmap(nullptr, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::perror("mmap"), std::exit(1);
    ::madvise(memory, mib << 20, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    auto* const next = static_cast<std::uint32_t*>(memory);
    const auto order = versus::shuffled(lines, 1);
    for (std::size_t i = 0; i < lines; ++i) {
        next[std::size_t{order[i]} * 16] = order[(i + 1) % lines] * 16;
    }
    constexpr std::size_t steps = 2'000'000;
    std::uint32_t at = 0;
    const double began = versus::now();
    for (std::size_t i = 0; i < steps; ++i) at = next[at];
    const double seconds = versus::now() - began;
    if (at == 1) std::abort();
    ::munmap(memory, mib << 20);
    return seconds * 1e9 / double(steps);
}

double longest_gap(const std::string& folder) {
    constexpr std::size_t block = std::size_t{512} << 10, segment = std::size_t{8} << 20;
    constexpr double seconds = 2, bytes_per_second = 256 << 20;
    std::atomic<bool> over{false};
    std::thread log([&] {
        const double began = versus::now();
        std::deque<file> segments;
        std::size_t written = 0;
        while (versus::now() - began < seconds) {
            file& to = segments.emplace_back(folder, segments.size());
            for (std::size_t at = 0; at < segment; at += block) {
                to.write(at, block);
                written += block;
                while (versus::now() - began < double(written) / bytes_per_second) continue;
            }
        }
        over.store(true, std::memory_order_relaxed);
    });
    double longest = 0;
    double last = versus::now();
    while (!over.load(std::memory_order_relaxed)) {
        const double now = versus::now();
        longest = (std::max)(longest, now - std::exchange(last, now));
    }
    log.join();
    return longest * 1e9;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 1) return std::puts("floor"), 0;
    if (argc < 5) return 2;
    const std::string workload = argv[2], folder = argv[4];
    std::filesystem::create_directories(folder);
    double ns = 0;
    if (workload == "memcpy") {
        ns = copied();
    } else if (workload == "pwrite") {
        ns = written(folder);
    } else if (workload == "append_sync") {
        ns = synced(folder, ground::written);
    } else if (workload == "reserved_sync") {
        ns = synced(folder, ground::reserved);
    } else if (workload == "extend_sync") {
        ns = synced(folder, ground::nothing);
    } else if (workload == "longest_gap") {
        ns = longest_gap(folder);
    } else if (workload.starts_with("chase_")) {
        ns = chased(std::strtoull(workload.c_str() + 6, nullptr, 10), false);
    } else if (workload.starts_with("huge_chase_")) {
        ns = chased(std::strtoull(workload.c_str() + 11, nullptr, 10), true);
    } else {
        return 3;
    }
    versus::tell("floor", workload, 1, {{"ns", ns}, {"max", ns}});
    return 0;
}
