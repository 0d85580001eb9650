// The scanner and the sifter on any segment. Whatever the bytes are, both find the same records as
// a loop over read_record does, within them.
#include <coffer/journal/segment_scan.hpp>
#include <coffer/journal/sifting.hpp>

#include "fuzz/mend.hpp"
#include "fuzz/stores.hpp"

namespace fuzz {
namespace {

constexpr d::store_id id{0x1111, 0x2222};
constexpr std::uint64_t segment = 1;

struct found {
    std::uint64_t offset;
    std::size_t size;
    friend bool operator==(const found&, const found&) = default;
};

/// Whole commits from `begin` on.
std::vector<found> plainly(const run& all, std::uint64_t begin, std::uint64_t& whole) {
    std::vector<found> out;
    std::vector<found> commit;
    const std::uint64_t seed = d::segment_seed(id.low, id.high, segment);
    d::record each;
    whole = begin;
    for (std::uint64_t at = begin; at < all.size();) {
        if (!d::read_record(all.data() + at, all.data() + all.size(), seed, at, each)) break;
        need(each.size >= d::smallest_record && each.size <= all.size() - at,
             "a record lies within its segment");
        commit.push_back({at, each.size});
        at += each.size;
        if (each.more) continue;
        out.insert(out.end(), commit.begin(), commit.end());
        commit.clear();
        whole = at;
    }
    return out;
}

void any_segment(coffer::bytes input) {
    if (input.empty()) return;
    run all(input.begin() + 1, input.end());
    const std::uint64_t seed = d::segment_seed(id.low, id.high, segment);
    if ((static_cast<unsigned>(input[0]) & 1) != 0) mend_records(all, 0, seed);
    std::uint64_t whole = 0;
    const std::vector<found> expected = plainly(all, 0, whole);

    const simulated disk;
    static_cast<void>(disk.make_directory(place));
    disk.write_file(std::string(place) + "/" + d::segment_name(segment), all);
    auto opened = disk.open_directory(place);
    d::segment_scanner<simulated> scanner(*opened, id);
    need(scanner.load(segment).has_value(), "a file can be read");
    std::vector<found> scanned;
    const auto end = scanner.walk(0, all.size(), [&](const d::record& each, std::uint64_t at) {
        scanned.push_back({at, each.size});
        return coffer::result<void>();
    });
    need(end && *end == whole && scanned == expected, "the scanner shows the whole commits");

    d::sifter sifter;
    sifter.take(all);
    sifter.expect(seed, all.size());
    std::size_t met = 0;
    d::record each;
    for (std::uint64_t at = 0; (at = sifter.next(at, all.size(), each)) < all.size();) {
        d::record again;
        need(d::read_record(all.data() + at, all.data() + all.size(), seed, at, again) &&
                 again.size == each.size,
             "what the sifter finds is sound");
        if (met < expected.size() && expected[met] == found{at, each.size}) ++met;
        at += each.size;
    }
    need(met == expected.size(), "the sifter finds what the scanner finds");
}

std::vector<run> seeds() {
    run all{std::byte{0}};
    const auto add = [&](d::record_type type, bool more, std::string_view key,
                         std::string_view value) {
        const std::size_t at = all.size();
        all.resize(at + d::record_size(key.size(), value.size()));
        d::write_record(all.data() + at, type, more, coffer::as_bytes(key), coffer::as_bytes(value),
                        d::segment_seed(id.low, id.high, segment), at - 1);
    };
    add(d::record_type::put, false, "key", "value");
    add(d::record_type::put, true, "", std::string(200, 'x'));
    add(d::record_type::erase, false, "key", "");
    add(d::record_type::clear, false, "", "");
    add(d::record_type::mark, false, "", "0123456789abcdef");
    add(d::record_type::put, true, "half", "a commit");
    run mended = all;
    mended[0] = std::byte{1};
    return {{}, all, mended};
}

}  // namespace

target scan_log() {
    return {"scan_log", any_segment, seeds, false};
}

}  // namespace fuzz
