// The simulated disk answers as the native file system does: random calls on both, and every answer
// the same. What a store asks of them in one workload is compared call by call by scripts/fidelity.
#include "catch.hpp"

#include <coffer/fs/native.hpp>
#include <coffer/fs/simulated.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "proof.hpp"

namespace {

using coffer::fs::access;
using answers = std::vector<std::string>;

template <class T>
std::string kind_of(const coffer::result<T>& answer) {
    return answer ? "done" : coffer::detail::name_of(answer.error().kind());
}

/// Some forty calls that follow from `seed`, in the folder `path`, and what each answers.
template <class FS>
class caller {
    using file = typename FS::file;

public:
    caller(const FS& system, std::string path, std::uint32_t seed)
        : system_(system), path_(std::move(path)), random_(seed) {}

    answers go() {
        note("folder", system_.make_directory(path_));
        folder_.emplace(std::move(system_.open_directory(path_).value()));
        for (int i = 0; i < 40; ++i) step();
        for (const std::string& each : listed()) {
            said_.push_back("at the end: " + each);
            if (auto opened = folder_->open(each, access::read)) read(*opened, 0, 1 << 16);
        }
        return std::move(said_);
    }

private:
    [[nodiscard]] std::string name() {
        static const char* const names[] = {"a", "b", "c.log", "none", "", ".", "..", "x/y"};
        const std::uint64_t drawn = random_() % 40;
        return names[drawn < 36 ? drawn % 4 : 4 + drawn % 4];
    }
    [[nodiscard]] std::uint64_t place() { return random_() % 3 == 0 ? 0 : random_() % 10'000; }

    template <class T>
    void note(const std::string& call, const coffer::result<T>& answer) {
        said_.push_back(call + ": " + kind_of(answer));
    }

    [[nodiscard]] answers listed() {
        answers out = folder_->list().value();
        std::sort(out.begin(), out.end());
        return out;
    }

    void read(const file& from, std::uint64_t at, std::size_t size) {
        std::vector<std::byte> into(size);
        const auto got = from.read_at(at, into);
        note("read", got);
        if (!got) return;
        into.resize(*got);
        said_.push_back("read " + std::to_string(*got) + " bytes, hash " +
                        std::to_string(coffer::detail::hash64(into, 1)));
    }

    void map(file& from) {
        const auto size = from.size();
        if (!size || *size == 0) return;
        auto mapped = from.map(0, *size, access::read);
        note("map", mapped);
        if (!mapped) return;
        const coffer::bytes all(mapped->data(), static_cast<std::size_t>(*size));
        said_.push_back("mapped, hash " + std::to_string(coffer::detail::hash64(all, 1)));
    }

    [[nodiscard]] file* some() {
        if (open_.empty()) return nullptr;
        auto at = open_.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(random_() % open_.size()));
        return &at->second;
    }

    void step() {
        const auto what = static_cast<unsigned>(random_() % 14);
        if (what < 2) return open(folder_->create(last_ = name()), "create ");
        if (what < 4) {
            const access wanted = random_() % 3 == 0 ? access::read : access::write;
            return open(folder_->open(last_ = name(), wanted), "open ");
        }
        if (what == 4) {
            const std::string from = name();
            const std::string to = name();
            return note("rename " + from + " " + to, folder_->rename(from, to));
        }
        if (what == 5) {
            const std::string gone = name();
            return note("remove " + gone, folder_->remove(gone));
        }
        if (what == 6) {
            for (const std::string& each : listed()) said_.push_back("there is " + each);
            return note("sync of the folder", folder_->sync());
        }
        file* const on = some();
        if (on == nullptr) return;
        change(*on, what);
    }

    void change(file& on, unsigned what) {
        const std::uint64_t at = place();
        switch (what) {
            case 7:
            case 8: {
                std::vector<std::byte> all(random_() % 3000);
                for (std::byte& each : all) each = static_cast<std::byte>(random_());
                return note("write", on.write_at(at, all));
            }
            case 9:
                return read(on, at, random_() % 4000);
            case 10:
                return note("resize", on.resize(at));
            case 11:
                return note("reserve", on.reserve(0, at + 1));
            case 12:
                return note("sync", on.sync());
            default:
                map(on);
                const auto size = on.size();
                note("size", size);
                if (size) said_.push_back(std::to_string(*size));
                return;
        }
    }

    void open(coffer::result<file> answer, const std::string& call) {
        note(call + last_, answer);
        if (answer)
            open_.insert_or_assign(static_cast<unsigned>(random_() % 4), std::move(*answer));
    }

    FS system_;
    std::string path_;
    std::mt19937 random_;
    std::optional<typename FS::directory> folder_;
    std::map<unsigned, file> open_;
    std::string last_;
    answers said_;
};

}  // namespace

TEST_CASE("the simulated disk answers as the native file system does", "[fs][fidelity]") {
    const proof::stopwatch watch;
    constexpr std::uint32_t sequences = 500;
    std::uint64_t differing = 0;
    const auto root = std::filesystem::temp_directory_path() /
                      ("coffer_fidelity_" + std::to_string(coffer::fs::native().now()));
    std::filesystem::create_directory(root);
    for (std::uint32_t seed = 1; seed <= sequences; ++seed) {
        const std::string path = (root / std::to_string(seed)).string();
        const answers native = caller<coffer::fs::native>({}, path, seed).go();
        const answers simulated = caller<coffer::fs::simulated>({}, "/s", seed).go();
        if (native == simulated) continue;
        ++differing;
        const auto at =
            std::mismatch(native.begin(), native.end(), simulated.begin(), simulated.end());
        FAIL_CHECK("seed " << seed << ", answer " << at.first - native.begin() << ": native "
                           << (at.first == native.end() ? "nothing" : *at.first) << ", simulated "
                           << (at.second == simulated.end() ? "nothing" : *at.second));
    }
    std::filesystem::remove_all(root);
    proof::tell("fidelity, answers of both file systems", "native and simulated",
                {sequences, "sequences of calls", differing, watch.seconds(), 1});
    CHECK(differing == 0);
}
