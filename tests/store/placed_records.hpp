// tests/store/placed_records.hpp: the records of a sound log, and where each lies.
#ifndef COFFER_TESTS_STORE_PLACED_RECORDS_HPP
#define COFFER_TESTS_STORE_PLACED_RECORDS_HPP

#include "catch.hpp"

#include <coffer/core/bytes.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>
#include <coffer/format/segment_header.hpp>
#include <coffer/fs/simulated.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace placed {

struct record {
    std::string path;
    std::uint64_t segment, begin, end;
    coffer::detail::record_type type;
    bool more;  // of its commit follows
    std::string key, value;
};

inline std::vector<std::string> segments_of(const coffer::fs::simulated& disk,
                                            const std::string& folder) {
    std::vector<std::string> out;
    for (const std::string& path : disk.files())
        if (path.starts_with(folder + "/") && path.ends_with(coffer::detail::log_suffix))
            out.push_back(path);
    std::sort(out.begin(), out.end());
    return out;
}

/// In the order of the log, up to what is torn.
inline std::vector<record> records_of(const coffer::fs::simulated& disk,
                                      const std::string& folder) {
    using namespace coffer::detail;
    std::vector<record> out;
    for (const std::string& path : segments_of(disk, folder)) {
        const auto file = disk.read_file(path).value();
        if (file.size() < header_unit) continue;  // made ahead, and without its header yet
        const std::uint64_t id = segment_id_of(path.substr(path.rfind('/') + 1));
        const store_id store{load_le<std::uint64_t>(file.data() + header_at::store),
                             load_le<std::uint64_t>(file.data() + header_at::store + 8)};
        segment_header header;
        if (!read_segment_header(file, store, id, header)) continue;  // nothing was written there
        coffer::detail::record each;
        for (std::uint64_t at = header_size(header.live.size());
             at < file.size() && read_record(file.data() + at, file.data() + file.size(),
                                             segment_seed(store.low, store.high, id), at, each);
             at += each.size) {
            out.push_back({path, id, at, at + each.size, each.type, each.more,
                           std::string(coffer::as_text(each.key)),
                           std::string(coffer::as_text(each.value))});
        }
    }
    return out;
}

/// What is left if the records that `lost` names were never there.
template <class Lost>
std::map<std::string, std::string> without(const std::vector<record>& log, Lost&& lost) {
    using coffer::detail::record_type;
    std::map<std::string, std::string> out;
    for (const record& each : log) {
        if (lost(each)) continue;
        if (each.type == record_type::put) out[each.key] = each.value;
        if (each.type == record_type::erase) out.erase(each.key);
        if (each.type == record_type::clear) out.clear();
    }
    return out;
}

}  // namespace placed

#endif
