// coffer/storage/verifying.hpp: everything that a store holds, read and compared with its checks.
//
// The identity, the header of every segment, and every record; beside readers, writers and the
// cleaner. What lies in a file is read from the file, not through its map: a block that the disk
// has lost is damage, and no fault of the process. INDEX and LIVE are left out: they are caches,
// checked when they are used.
//
// Cost: one pass over the log, with one segment in memory at a time. Threads: any.
#ifndef COFFER_STORAGE_VERIFYING_HPP
#define COFFER_STORAGE_VERIFYING_HPP

#include <coffer/core/result.hpp>
#include <coffer/format/identity.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>
#include <coffer/format/segment_header.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/sifting.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coffer {

/// What verify() found.
struct verify_report {
    /// A stretch of a file that is not what was written.
    struct damage {
        std::uint64_t segment;  ///< its id, which is its file's name in hexadecimal; 0: of STORE
        std::uint64_t begin;    ///< the first byte, or that of the record that holds it
        std::uint64_t end;      ///< behind the last one
    };
    std::uint64_t records = 0;    ///< that are sound
    std::uint64_t bytes = 0;      ///< of these
    std::vector<damage> damages;  ///< by segment and place

    [[nodiscard]] bool ok() const noexcept { return damages.empty(); }
};

namespace detail {

template <class Records>
class verifier {
    using segment_type = typename Records::segment_type;
    static constexpr bool persistent = Records::log_type::persistent;

    struct part {
        std::uint64_t id, begin, end, seed;
        const std::byte* memory;  // null: its file, through
        const segment_type* segment;
    };

public:
    explicit verifier(Records& records) noexcept : records_(&records) {}

    [[nodiscard]] result<verify_report> verify() {
        const auto pin = records_->enter();
        if constexpr (persistent) {
            if (auto done = check_store(); !done) return done.failure();
        }
        for (const part& each : parts()) {
            if (auto loaded = load(each); !loaded) return loaded.failure();
            if constexpr (persistent) check_header(each);
            check_records(each);
        }
        return std::move(out_);
    }

private:
    [[nodiscard]] std::vector<part> parts() {
        std::vector<part> out;
        auto& journal = records_->journal;
        auto section = journal.enter();
        for (const auto& each : journal.segments()) {
            // Not body.memory(): whoever has the turn to hand over may be moving it.
            const std::byte* const memory = journal.table().base(each->slot);
            out.push_back({each->id, each->begin, each->end, each->seed,
                           persistent && each->settled ? nullptr : memory, each.get()});
        }
        return out;
    }

    /// A file that is gone, or is none, is damage; where the system refuses to open it, nothing can
    /// be said of it.
    [[nodiscard]] result<void> check_store() {
        std::byte image[identity_at::size + 1];
        auto file = records_->journal.folder()->open(store_name, fs::access::read);
        if (!file && file.error().kind() != errc::not_found &&
            file.error().kind() != errc::invalid_argument)
            return file.failure();
        auto got = file ? file->read_at(0, image) : result<std::size_t>(std::size_t{0});
        const bytes read(image, got ? *got : 0);
        auto found = read_identity(read, store_name);
        if (!found || !(found->id == records_->journal.id()))
            out_.damages.push_back({0, 0, identity_at::size});
        return {};
    }

    [[nodiscard]] result<void> load(const part& of) {
        if (of.memory == nullptr) {
            return sift_.load(of.end, [&](std::uint64_t at, mutable_bytes into) {
                return of.segment->body.read_at(at, into).has_value();
            });
        }
        sift_.take({of.memory, static_cast<std::size_t>(of.end)});
        return {};
    }

    void check_header(const part& of) {
        const bytes header = sift_.contents().first(static_cast<std::size_t>(of.begin));
        segment_header found;
        if (!read_segment_header(header, records_->journal.id(), of.id, found))
            add_damage(of, 0, of.begin);
    }

    void check_records(const part& of) {
        sift_.expect(of.seed, of.end);
        record found;
        for (std::uint64_t at = of.begin; at < of.end;) {
            const std::uint64_t next = sift_.next(at, of.end, found);
            if (next != at) add_damage(of, at, next);
            if (next == of.end) return;
            at = next + found.size;
            if (sift_.lacks(next, at)) {  // the zeros that it lost are in no other record's place
                add_damage(of, next, at);
                continue;
            }
            ++out_.records;
            out_.bytes += found.size;
        }
    }

    /// Behind the one before it, or a part of that.
    void add_damage(const part& of, std::uint64_t begin, std::uint64_t end) {
        auto& all = out_.damages;
        if (begin > of.begin && !all.empty() && all.back().segment == of.id &&
            all.back().end == begin) {
            all.back().end = end;
        } else {
            all.push_back({of.id, begin, end});
        }
    }

    Records* records_;
    sifter sift_;
    verify_report out_;
};

}  // namespace detail
}  // namespace coffer

#endif
