// coffer/journal/sifting.hpp: the sound records among any bytes.
//
// Where a record that was damaged ends is not known. A sifter looks for the next sound one at every
// place where one could begin: a check is bound to its segment and its offset, so nothing that a
// user stored, no older version and no copy of a record is taken for one.
//
// S1  What next() finds holds V1 to V4 of format/record.hpp; before it, from where it was asked on,
//     no record is sound but one above 4 KiB that nothing like a record follows, or for which the
//     budget of hashes is spent.
// Cost: each byte is hashed once where all is sound; behind damage each place costs a look, and a
// large candidate its hash, 64 times the size of the input in all, so that no input takes for ever.
// Threads: one.
#ifndef COFFER_JOURNAL_SIFTING_HPP
#define COFFER_JOURNAL_SIFTING_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/memory.hpp>
#include <coffer/core/result.hpp>
#include <coffer/format/record.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace coffer::detail {

class sifter {
public:
    /// Sifts memory that stays in place.
    void take(bytes contents) noexcept {
        contents_ = contents;
        unread_.clear();
        budget_ = std::uint64_t{64} * contents.size();
    }

    /// Takes `size` bytes of a file into memory of its own, by `read(offset, span)`, a bool. What
    /// cannot be read counts as zeros; it is tried in pieces, as small as a disk loses them.
    template <class Read>
    [[nodiscard]] result<void> load(std::uint64_t size, Read&& read) {
        take({});
        if (size == 0) return {};
        if (size > memory_.size()) {
            auto taken = raw_memory::take(size);
            if (!taken) return taken.failure();
            memory_ = std::move(*taken);
        }
        const auto whole = static_cast<std::size_t>(size);
        const mutable_bytes all(memory_.get(), whole);
        take(all);
        if (read(std::uint64_t{0}, all)) return {};
        for (std::size_t at = 0; at < whole; at += piece) {
            const mutable_bytes some = all.subspan(at, (std::min)(piece, whole - at));
            if (read(std::uint64_t{at}, some)) continue;
            std::memset(some.data(), 0, some.size());
            unread_.push_back(at);
        }
        return {};
    }

    [[nodiscard]] bytes contents() const noexcept { return contents_; }
    /// Where the last piece that could not be read ends; 0: all was read.
    [[nodiscard]] std::uint64_t unread() const noexcept {
        return unread_.empty()
                   ? 0
                   : (std::min)(unread_.back() + piece, std::uint64_t{contents_.size()});
    }
    /// Is any of these bytes one that could not be read?
    [[nodiscard]] bool lacks(std::uint64_t begin, std::uint64_t end) const noexcept {
        const auto first =
            std::lower_bound(unread_.begin(), unread_.end(), begin & ~std::uint64_t{piece - 1});
        return first != unread_.end() && *first < end;
    }

    /// The records of a segment with this seed, none of which reaches beyond `limit`.
    void expect(std::uint64_t seed, std::uint64_t limit) noexcept {
        seed_ = seed;
        limit_ = (std::min)(limit, std::uint64_t{contents_.size()});
    }

    /// Where the first sound record at or behind `from`, and before `end`, begins, which `out` is
    /// then; `end`: there is none.
    [[nodiscard]] std::uint64_t next(std::uint64_t from, std::uint64_t end, record& out) {
        end = (std::min)(end, limit_);
        if (from >= end) return end;
        if (sound(from, out)) return from;
        constexpr std::size_t large = 4096;
        for (std::uint64_t at = padded(static_cast<std::size_t>(from) + 1); at < end;
             at += offset_unit) {
            if (!parses(at, out)) continue;
            if (out.size > large) {
                record follows;
                if (at + out.size < end && !parses(at + out.size, follows)) continue;
                if (out.size > budget_) continue;
                budget_ -= out.size;
            }
            if (sound(at, out)) return at;
        }
        return end;
    }

private:
    static constexpr std::size_t piece = 4096;

    [[nodiscard]] bool parses(std::uint64_t at, record& out) const noexcept {
        return parse_record(contents_.data() + at, contents_.data() + limit_, out);
    }
    [[nodiscard]] bool sound(std::uint64_t at, record& out) const noexcept {
        return read_record(contents_.data() + at, contents_.data() + limit_, seed_, at, out);
    }

    raw_memory memory_;
    bytes contents_;
    std::vector<std::uint64_t> unread_;  // where the pieces begin that could not be read
    std::uint64_t seed_ = 0;
    std::uint64_t limit_ = 0;
    std::uint64_t budget_ = 0;  // bytes of large candidates that may still be hashed
};

}  // namespace coffer::detail

#endif
