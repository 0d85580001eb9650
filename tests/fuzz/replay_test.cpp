// Suite S6 in every run of the tests: each fuzz target with its seeds, with its corpus, and with
// changes of both that are always the same ones.
//
// COFFER_FUZZ_CHANGES  how many changes for each target; the default is 2000.
#include "catch.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/mend.hpp"
#include "fuzz/target.hpp"
#include "proof.hpp"

namespace {

using fuzz::run;
namespace files = std::filesystem;

std::vector<run> corpus_of(const fuzz::target& of) {
    std::vector<files::path> paths;
    const files::path folder = files::path(COFFER_FUZZ_CORPUS) / of.name;
    for (const auto& each : files::directory_iterator(folder)) paths.push_back(each.path());
    std::sort(paths.begin(), paths.end());
    std::vector<run> out;
    for (const files::path& each : paths) {
        std::ifstream in(each, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        const coffer::bytes all = coffer::as_bytes(text);
        out.emplace_back(all.begin(), all.end());
    }
    return out;
}

/// A few bytes changed, put in, taken out or repeated.
void change(run& all, std::mt19937& random) {
    for (std::uint64_t left = 1 + random() % 4; left > 0; --left) {
        const std::size_t at = all.empty() ? 0 : random() % all.size();
        const auto place = all.begin() + static_cast<std::ptrdiff_t>(at);
        const auto drawn = static_cast<std::byte>(random());
        switch (random() % 6) {
            case 0:
                all.insert(place, drawn);
                break;
            case 1:
                if (!all.empty()) all.erase(place);
                break;
            case 2: {
                const run some(place, place + static_cast<std::ptrdiff_t>((std::min)(
                                                  all.size() - at,
                                                  static_cast<std::size_t>(random() % 32 + 1))));
                all.insert(all.begin() + static_cast<std::ptrdiff_t>(random() % (all.size() + 1)),
                           some.begin(), some.end());
                break;
            }
            case 3:
                if (!all.empty())
                    all.resize(all.size() - random() % (std::min)(all.size(), std::size_t{16}));
                break;
            default:
                if (!all.empty()) *place = random() % 2 == 0 ? drawn : *place ^ std::byte{1};
                break;
        }
    }
}

/// A change of the whole, or of one of its files where that is not all zeros.
run changed(const fuzz::target& of, run from, std::mt19937& random) {
    if (!of.is_folder || random() % 8 == 0) {
        change(from, random);
        return from;
    }
    fuzz::folder all(from);
    if (all.files.empty()) return from;
    auto file = all.files.begin();
    std::advance(file, static_cast<std::ptrdiff_t>(random() % all.files.size()));
    run& whole = file->second;
    std::size_t at = whole.empty() ? 0 : random() % whole.size();
    while (at > 0 && whole[at] == std::byte{0}) --at;
    const auto from_here = whole.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t size = (std::min)(whole.size() - at, std::size_t{256});
    run part(from_here, from_here + static_cast<std::ptrdiff_t>(size));
    change(part, random);
    whole.erase(from_here, from_here + static_cast<std::ptrdiff_t>(size));
    whole.insert(whole.begin() + static_cast<std::ptrdiff_t>(at), part.begin(), part.end());
    if (random() % 4 != 0) fuzz::mend(all);
    return all.packed();
}

void write_file(const std::string& path, const run& all) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(all.data()), static_cast<std::streamsize>(all.size()));
}

class replay {
public:
    explicit replay(const fuzz::target& of) : of_(of) {}

    void all() {
        std::vector<run> known = of_.seeds();
        for (run& each : corpus_of(of_)) known.push_back(std::move(each));
        for (const run& each : known) one(each);
        const char* const asked = std::getenv("COFFER_FUZZ_CHANGES");
        const std::uint64_t changes = asked != nullptr ? std::stoull(asked) : 2000;
        std::mt19937 random(20261122);
        for (std::uint64_t i = 0; i < changes; ++i) {
            one(changed(of_, known[random() % known.size()], random));
        }
        proof::tell("S6 fuzz targets, replayed", of_.name,
                    {executions_, "executions", violations_, watch_.seconds(), 20261122});
        CHECK(violations_ == 0);
    }

private:
    void one(const run& input) {
        ++executions_;
        try {
            of_.run(input);
        } catch (const std::exception& broken) {
            if (violations_++ != 0) return;
            const std::string path = std::string("violation-") + of_.name;
            write_file(path, input);
            FAIL_CHECK(of_.name << ": " << broken.what() << "; the input is in the file " << path);
        }
    }

    fuzz::target of_;
    proof::stopwatch watch_;
    std::uint64_t executions_ = 0;
    std::uint64_t violations_ = 0;
};

}  // namespace

TEST_CASE("fuzzed: opening any folder", "[fuzz]") {
    replay(fuzz::open_folder()).all();
}
TEST_CASE("fuzzed: scanning any segment", "[fuzz]") {
    replay(fuzz::scan_log()).all();
}
TEST_CASE("fuzzed: any index hint", "[fuzz]") {
    replay(fuzz::index_hint()).all();
}
TEST_CASE("fuzzed: any commits, cut anywhere", "[fuzz]") {
    replay(fuzz::batches()).all();
}
TEST_CASE("fuzzed: any operations and crashes", "[fuzz]") {
    replay(fuzz::operations()).all();
}
TEST_CASE("fuzzed: any encoding", "[fuzz]") {
    replay(fuzz::codecs()).all();
}
