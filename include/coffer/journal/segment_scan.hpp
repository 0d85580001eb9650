// coffer/journal/segment_scan.hpp: the records of one segment file, read without trust.
//
// A scanner reads a whole segment with read_at (an unreadable block is an error, never the end of
// the log and never a fault of memory) and walks its records. It shows whole commits only.
//
// Cost: one buffer of the size of the largest segment it read; each byte is read and hashed once.
#ifndef COFFER_JOURNAL_SEGMENT_SCAN_HPP
#define COFFER_JOURNAL_SEGMENT_SCAN_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/memory.hpp>
#include <coffer/core/result.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>
#include <coffer/format/segment_header.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/segment_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::detail {

/// The size of `run` without the zeros at its end.
[[nodiscard]] inline std::size_t size_without_zeros(bytes run) noexcept {
    std::size_t size = run.size();
    constexpr std::size_t block = 64;
    constexpr std::byte zeros[block] = {};
    while (size >= block && std::memcmp(run.data() + size - block, zeros, block) == 0)
        size -= block;
    while (size > 0 && run[size - 1] == std::byte{0}) --size;
    return size;
}

template <file_system FS>
class segment_scanner {
public:
    segment_scanner(typename FS::directory& folder, const store_id& store) noexcept
        : folder_(&folder), store_(store) {}

    /// Takes memory for segments of `size` bytes once, not again for each that is larger.
    [[nodiscard]] result<void> reserve(std::uint64_t size) {
        if (size <= capacity_ || size > largest_segment) return {};
        auto taken = raw_memory::take(size);
        if (!taken) return taken.failure();
        memory_ = std::move(*taken);
        capacity_ = size;
        return {};
    }

    /// Does the file of segment `id`, which has no header, hold zeros only, as one that was
    /// prepared and not used does? Records lie without a gap from the beginning on: so the first
    /// 64 KiB tell, and a piece of every 256 KiB tells of greater damage. The rest is not read.
    [[nodiscard]] result<bool> is_blank(std::uint64_t id) { return is_blank(id, UINT64_MAX); }
    /// Of one that is known to have been prepared, the first 64 KiB are enough: has it begun since?
    [[nodiscard]] result<bool> begins_blank(std::uint64_t id) { return is_blank(id, 1); }

    /// Reads the whole file of segment `id`, unless it is the one that was read last.
    [[nodiscard]] result<void> load(std::uint64_t id) {
        if (id == id_) return {};
        id_ = 0;
        auto file = folder_->open(segment_name(id), fs::access::read);
        if (!file) return file.failure();
        auto size = file->size();
        if (!size) return size.failure();
        path_ = file->path();
        for (;;) {
            auto got = read(*size, [&](mutable_bytes into) { return read_whole(*file, 0, into); });
            if (got) break;
            // A live writer cuts a segment that has become full to its end.
            auto now = file->size();
            if (!now || *now >= *size) return got;
            size = std::move(now);
        }
        loaded(id);
        return {};
    }

    /// The same of the first `size` bytes of segment `id`, by `body`, which is open: its name may
    /// be gone, where a live writer cleans.
    template <class Body>
    [[nodiscard]] result<void> load(std::uint64_t id, std::uint64_t size, const Body& body) {
        if (id == id_ && contents_.size() >= size) return {};
        id_ = 0;
        path_ = std::string(folder_->path()).append("/").append(segment_name(id));
        auto got = read(size, [&](mutable_bytes into) { return body.read_at(0, into); });
        if (got) loaded(id);
        id_ = 0;  // there may be more in its file
        return got;
    }

    [[nodiscard]] bytes contents() const noexcept { return contents_; }
    /// How many bytes the file has without the zeros at its end.
    [[nodiscard]] std::size_t used() const noexcept { return used_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// Shows every record of every whole commit in [begin, end) to `visit(record, offset)`, a
    /// result<void>. Returns where the last whole commit ends. `Checked`: every check is compared;
    /// false is for contents that were walked with checks a moment ago.
    template <bool Checked = true, class Visit>
    [[nodiscard]] result<std::uint64_t> walk(std::uint64_t begin, std::uint64_t end,
                                             Visit&& visit) {
        const std::byte* const base = contents_.data();
        const std::byte* const limit = base + (std::min)(end, std::uint64_t{contents_.size()});
        std::uint64_t whole = begin;  // end of the last whole commit
        std::uint64_t at = begin;
        record each;
        while (base + at < limit && (Checked ? read_record(base + at, limit, seed_, at, each)
                                             : parse_record(base + at, limit, each))) {
            // Where the next record begins is in this one: the hardware does not run ahead enough.
            COFFER_PREFETCH(base + at + 1024);
            COFFER_PREFETCH(base + at + 1088);
            const bool alone = at == whole;
            at += each.size;
            if (each.more) continue;
            if (alone) {
                if (auto done = visit(each, whole); !done) return done.failure();
                whole = at;
                continue;
            }
            for (std::uint64_t from = whole; from < at; from += each.size) {
                if (!parse_record(base + from, limit, each)) break;
                if (auto done = visit(each, from); !done) return done.failure();
            }
            whole = at;
        }
        return whole;
    }

    /// The highest place that any mark at or behind `from` calls durable. Looks at every place
    /// where a mark could begin, so that nothing that damage left readable is missed.
    [[nodiscard]] position durable_claim(std::uint64_t from) const noexcept {
        position highest;
        const std::byte* const base = contents_.data();
        const std::byte* const limit = base + contents_.size();
        for (std::uint64_t at = (std::max)(from, std::uint64_t{header_unit}) & ~std::uint64_t{3};
             at < used_ && at + mark_size <= contents_.size(); at += offset_unit) {
            if (!looks_like_mark(base + at)) continue;
            record each;
            mark_body body;
            if (read_record(base + at, limit, seed_, at, each) && read_mark(each, body)) {
                highest = (std::max)(highest, body.durable);
            }
        }
        return highest;
    }

private:
    /// Takes the first `size` bytes of a segment from `from(into)`.
    template <class From>
    [[nodiscard]] result<void> read(std::uint64_t size, From&& from) {
        if (size > largest_segment) return too_large(path_);
        if (auto held = reserve(size); !held) return held;
        const auto into = mutable_bytes(memory_.get(), static_cast<std::size_t>(size));
        contents_ = {};
        auto got = from(into);
        if (got) contents_ = into;
        return got;
    }
    [[nodiscard]] static failure too_large(std::string_view path) {
        return fail(errc::corruption, "a segment is larger than any can be", path);
    }
    void loaded(std::uint64_t id) noexcept {
        used_ = size_without_zeros(contents_);
        seed_ = segment_seed(store_.low, store_.high, id);
        id_ = id;
    }

    /// Has it the type, and the sizes of key and value? What is larger must not be hashed: every
    /// place could claim to be.
    [[nodiscard]] static bool looks_like_mark(const std::byte* at) noexcept {
        const auto type = static_cast<record_type>(at[check_size]);
        return (type == record_type::mark || type == record_type::end) &&
               at[check_size + 1] == std::byte{0} &&
               at[check_size + 2] == std::byte{mark_body::size};
    }

    [[nodiscard]] result<bool> is_blank(std::uint64_t id, std::uint64_t pieces) {
        constexpr std::uint64_t start = 64 * 1024, stride = 256 * 1024, piece = 4096;
        auto file = folder_->open(segment_name(id), fs::access::read);
        if (!file) return file.failure();
        auto size = file->size();
        if (!size) return size.failure();
        if (*size > largest_segment) return too_large(file->path());
        std::vector<std::byte> buffer(start);
        std::uint64_t wanted = start;
        for (std::uint64_t at = 0; pieces != 0 && at < *size; --pieces) {
            const std::uint64_t left = *size - at;
            const auto some =
                mutable_bytes(buffer).first(static_cast<std::size_t>((std::min)(wanted, left)));
            if (auto got = read_whole(*file, at, some); !got) return got.failure();
            if (size_without_zeros(some) != 0) return false;
            wanted = piece;
            at = at / stride * stride + stride;
        }
        return true;
    }

    typename FS::directory* folder_;
    store_id store_;
    std::uint64_t id_ = 0;
    std::uint64_t seed_ = 0;
    std::string path_;
    std::size_t used_ = 0;
    raw_memory memory_;
    std::uint64_t capacity_ = 0;
    bytes contents_;
};

}  // namespace coffer::detail

#endif
