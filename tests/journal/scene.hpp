// tests/journal/scene.hpp: a log on a simulated disk, and segment files made by hand.
#ifndef COFFER_TESTS_JOURNAL_SCENE_HPP
#define COFFER_TESTS_JOURNAL_SCENE_HPP

#include <coffer/fs/simulated.hpp>
#include <coffer/journal/log.hpp>
#include <coffer/storage/file_log.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scene {

using disk = coffer::fs::simulated;
using medium = coffer::detail::file_log_medium<disk>;
using log = coffer::detail::log<medium, coffer::threading::single>;
using coffer::detail::position;
using coffer::detail::record_type;

inline constexpr coffer::detail::store_id id{0x1111, 0x2222};
inline constexpr std::uint64_t unit = coffer::detail::header_unit;

inline coffer::detail::log_options small() {
    coffer::detail::log_options out;
    out.segment_bytes = out.first_segment_bytes = 4 * unit;
    return out;
}

inline std::unique_ptr<disk::directory> folder(const disk& on) {
    static_cast<void>(on.make_directory("/db"));
    return std::make_unique<disk::directory>(std::move(on.open_directory("/db").value()));
}

inline std::string path(std::uint64_t segment) {
    return "/db/" + coffer::detail::segment_name(segment);
}

/// A log that has just begun on `on`.
inline std::unique_ptr<log> begun(const disk& on, const coffer::detail::log_options& with = small(),
                                  std::uint64_t next_id = 1) {
    auto out = std::make_unique<log>(on, with);
    out->start(folder(on), id, next_id).value();
    return out;
}

/// Appends one record, making room for it first.
inline coffer::detail::address append(log& to, record_type type, std::string_view key,
                                      std::string_view value, bool more = false) {
    const std::uint64_t size = coffer::detail::record_size(key.size(), value.size());
    for (;;) {
        auto section = to.enter();
        if (to.has_room(size)) {
            return to.append(type, more, coffer::as_bytes(key), coffer::as_bytes(value));
        }
        section.unlock();
        to.prepare(size).value();
    }
}
inline coffer::detail::address put(log& to, std::string_view key, std::string_view value,
                                   bool more = false) {
    return append(to, record_type::put, key, value, more);
}

/// The record of a log behind an address, as readers see it.
inline coffer::detail::record at(const log& of, coffer::detail::address where) {
    const auto view = of.table().at(where);
    coffer::detail::record out;
    if (view.at == nullptr ||
        !coffer::detail::read_record(view.at, view.limit, view.seed, view.offset, out)) {
        return {};
    }
    return out;
}

/// The bytes of a segment file, made by hand.
class segment_file {
public:
    explicit segment_file(std::uint64_t number, const coffer::detail::segment_header& from = {})
        : seed_(coffer::detail::segment_seed(id.low, id.high, number)), number_(number) {
        coffer::detail::segment_header header = from;
        header.store = id;
        header.id = number;
        all_.resize(coffer::detail::header_size(header.live.size()));
        coffer::detail::write_segment_header(all_.data(), header);
    }

    segment_file& add(record_type type, std::string_view key, std::string_view value,
                      bool more = false) {
        const std::size_t offset = all_.size();
        all_.resize(offset + coffer::detail::record_size(key.size(), value.size()));
        coffer::detail::write_record(all_.data() + offset, type, more, coffer::as_bytes(key),
                                     coffer::as_bytes(value), seed_, offset);
        return *this;
    }
    segment_file& put(std::string_view key, std::string_view value, bool more = false) {
        return add(record_type::put, key, value, more);
    }
    segment_file& mark(position durable, std::uint64_t commits = 0,
                       record_type type = record_type::mark, bool seals = true) {
        std::byte body[coffer::detail::mark_body::size];
        coffer::detail::write_mark(body, {durable, commits, seals});
        return add(type, {}, coffer::as_text(body));
    }
    segment_file& zeros(std::size_t count) {
        all_.resize(all_.size() + count);
        return *this;
    }
    segment_file& raw(std::string_view run) {
        const coffer::bytes from = coffer::as_bytes(run);
        all_.insert(all_.end(), from.begin(), from.end());
        return *this;
    }

    [[nodiscard]] std::size_t size() const { return all_.size(); }
    [[nodiscard]] position end() const { return {number_, all_.size()}; }
    [[nodiscard]] std::vector<std::byte>& bytes() { return all_; }
    const segment_file& save(const disk& to) const {
        static_cast<void>(to.make_directory("/db"));
        to.write_file(path(number_), all_);
        return *this;
    }

private:
    std::vector<std::byte> all_;
    std::uint64_t seed_;
    std::uint64_t number_;
};

}  // namespace scene

#endif
