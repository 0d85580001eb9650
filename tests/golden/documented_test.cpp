// The store of one entry in docs/format.md, byte for byte: what the page shows is what is written.
#include <coffer/coffer.hpp>

#include "catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using file = std::vector<std::byte>;

/// The bytes in a line such as `1008  01 03 04   put, key of 3`: pairs of digits behind the offset,
/// up to where three blanks stand.
file bytes_in(const std::string& line, std::size_t from) {
    file found;
    for (std::size_t at = from; at + 1 < line.size() && line[at] != ' '; at += 3) {
        found.push_back(static_cast<std::byte>(std::stoi(line.substr(at, 2), nullptr, 16)));
        if (line.compare(at + 2, 2, "  ") == 0 && line.compare(at + 2, 3, "   ") != 0) ++at;
    }
    return found;
}

/// The files of the page whose bytes it shows; what it leaves out is zero.
std::map<std::string, file> documented() {
    std::ifstream page(COFFER_DOCS "/format.md");
    REQUIRE(page.good());
    std::map<std::string, file> all;
    bool begun = false, shows = false;
    file* into = nullptr;
    for (std::string line; std::getline(page, line);) {
        begun = begun || line == "## A store of one entry";
        if (!begun) continue;
        if (line.rfind("```", 0) == 0) shows = line == "```text";
        const std::size_t size_at = line.find("`, ");
        if (!shows && line[0] == '`' && size_at != std::string::npos) {
            into = &all[line.substr(1, size_at - 1)];
            into->resize(std::stoul(line.substr(size_at + 3)));
        }
        const std::size_t end = line.find("  ");
        if (!shows || end == std::string::npos || into == nullptr) continue;
        const std::size_t offset = std::stoul(line.substr(0, end), nullptr, 16);
        const file found = bytes_in(line, end + 2);
        INFO(line);
        REQUIRE(offset + found.size() <= into->size());
        std::copy(found.begin(), found.end(), into->begin() + static_cast<std::ptrdiff_t>(offset));
    }
    return all;
}

}  // namespace

TEST_CASE("what docs/format.md shows is what is written", "[documented]") {
    const coffer::fs::simulated disk;
    {
        using years = coffer::store<std::string, std::uint32_t, coffer::fs::simulated>;
        auto db = years::open("/tiny", {}, disk);
        db.put("ada", 1815U);
        db.close();
    }
    const auto page = documented();
    for (const char* name : {"STORE", "0000000000000001.log"}) {
        INFO(name);
        REQUIRE(page.count(name) == 1);
        const auto written = disk.read_file(std::string("/tiny/") + name);
        REQUIRE(written);
        CHECK(*written == page.at(name));
    }
}
