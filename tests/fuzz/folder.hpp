// tests/fuzz/folder.hpp: the files of a store as one run of bytes, which a fuzzer can change.
//
//   byte 0        `choice`: what the target makes of it
//   then, again and again:
//     1           which file: 0 STORE, 1 INDEX, 2 LIVE, 3 RESERVE, 4 STORE.new, 5 a file of
//                 somebody else, 16 and above: segment number - 15
//     1           pieces of it
//     each piece  2 zeros (how many), 2 bytes (how many), the bytes
//
// Any bytes are a folder: what is missing at the end counts as empty. Zeros cost nothing, so that
// a store of some 20 KiB is some hundred bytes.
#ifndef COFFER_TESTS_FUZZ_FOLDER_HPP
#define COFFER_TESTS_FUZZ_FOLDER_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/format/names.hpp>
#include <coffer/fs/simulated.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fuzz {

using run = std::vector<std::byte>;

/// Takes numbers and runs from the front; what is not there is zero or empty.
class source {
public:
    explicit source(coffer::bytes all) noexcept : left_(all) {}

    [[nodiscard]] bool empty() const noexcept { return left_.empty(); }
    [[nodiscard]] unsigned byte() noexcept {
        if (left_.empty()) return 0;
        const auto out = static_cast<unsigned>(left_[0]);
        left_ = left_.subspan(1);
        return out;
    }
    [[nodiscard]] unsigned two() noexcept {
        const unsigned low = byte();
        return low | byte() << 8;
    }
    [[nodiscard]] coffer::bytes take(std::size_t size) noexcept {
        const coffer::bytes out = left_.first((std::min)(size, left_.size()));
        left_ = left_.subspan(out.size());
        return out;
    }

private:
    coffer::bytes left_;
};

class folder {
public:
    static constexpr std::size_t most = std::size_t{256} << 10;  // bytes of a file

    explicit folder(coffer::bytes from) {
        source in(from);
        choice = in.byte();
        while (!in.empty()) {
            run& file = files[in.byte()];
            file.clear();
            for (unsigned pieces = in.byte(); pieces > 0; --pieces) {
                const std::size_t zeros = in.two();
                const coffer::bytes some = in.take(in.two());
                if (file.size() + zeros + some.size() > most) break;
                file.resize(file.size() + zeros);
                file.insert(file.end(), some.begin(), some.end());
            }
        }
    }
    folder(unsigned chosen, const coffer::fs::simulated& disk, const std::string& path)
        : choice(chosen) {
        for (unsigned which = 0; which < 256; ++which) {
            if (auto held = disk.read_file(path + "/" + name_of(which))) files[which] = *held;
        }
    }

    [[nodiscard]] run packed() const {
        run out{static_cast<std::byte>(choice)};
        for (const auto& [which, file] : files) {
            out.push_back(static_cast<std::byte>(which));
            const std::size_t count = out.size();
            out.push_back(std::byte{0});
            unsigned pieces = 0;
            for (std::size_t at = 0; at < file.size() && pieces < 255; ++pieces) {
                at = add_piece(out, file, at);
            }
            out[count] = static_cast<std::byte>(pieces);
        }
        return out;
    }

    /// On a disk of its own, in this folder.
    [[nodiscard]] coffer::fs::simulated disk(const std::string& path) const {
        const coffer::fs::simulated made(11);
        static_cast<void>(made.make_directory(path));
        for (const auto& [which, file] : files) made.write_file(path + "/" + name_of(which), file);
        made.settle();
        return made;
    }

    [[nodiscard]] static std::string name_of(unsigned which) {
        static const char* const names[] = {"STORE", "INDEX", "LIVE", "RESERVE", "STORE.new"};
        if (which < 5) return names[which];
        if (which < 16) return "readme.txt";
        return coffer::detail::segment_name(segment_of(which));
    }
    /// 0: not a segment.
    [[nodiscard]] static std::uint64_t segment_of(unsigned which) noexcept {
        return which < 16 ? 0 : which - 15;
    }

    unsigned choice = 0;
    std::map<unsigned, run> files;

private:
    /// The zeros at `at` and what follows them, up to the next long run of zeros.
    static std::size_t add_piece(run& out, const run& file, std::size_t at) {
        constexpr std::size_t longest = 0xFFFF;
        std::size_t zeros = 0;
        while (at + zeros < file.size() && zeros < longest && file[at + zeros] == std::byte{0})
            ++zeros;
        const std::size_t from = at + zeros;
        std::size_t to = from;
        std::size_t blank = 0;
        while (to < file.size() && to - from < longest && blank < 32) {
            blank = file[to] == std::byte{0} ? blank + 1 : 0;
            ++to;
        }
        if (blank == 32) to -= blank;
        add_two(out, zeros);
        add_two(out, to - from);
        out.insert(out.end(), file.begin() + static_cast<std::ptrdiff_t>(from),
                   file.begin() + static_cast<std::ptrdiff_t>(to));
        return to;
    }
    static void add_two(run& out, std::size_t number) {
        out.push_back(static_cast<std::byte>(number & 0xFF));
        out.push_back(static_cast<std::byte>(number >> 8));
    }
};

}  // namespace fuzz

#endif
