// coffer/journal/record_reader.hpp: the records behind addresses, for one operation.
//
// Finds the bytes of a record through the segment table, checks them where they come from a file,
// and remembers the first thing that could not be read. What it shows stays valid until its next
// call, as long as the caller's epoch pin lasts.
//
// I1  A record that comes from a file is shown only after its check matched (unless verify_reads is
//     off); a key that differs is believed only after the same.
// Cost: memory that is mapped is followed directly; else two reads into a buffer of its own.
#ifndef COFFER_JOURNAL_RECORD_READER_HPP
#define COFFER_JOURNAL_RECORD_READER_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/result.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>
#include <coffer/journal/segment_table.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace coffer::detail {

template <class Table>
class record_reader {
public:
    explicit record_reader(const Table& table) noexcept : table_(&table) {}

    /// The record at `where`, checked as I1 says; null when it cannot be read: failed().
    [[nodiscard]] const record* read(address where) noexcept {
        return load(where) && trusted() ? &record_ : nullptr;
    }

    /// Is `key` the key of the record at `where`?
    [[nodiscard]] bool has_key(address where, bytes key) noexcept {
        if (!load(where)) return false;
        if (equal(record_.key, key)) [[likely]]
            return true;
        static_cast<void>(trusted());
        return false;
    }

    [[nodiscard]] bool failed() const noexcept { return damaged_ || io_failure_ != nullptr; }

    /// Why something could not be read; only when failed().
    [[nodiscard]] failure cause() {
        if (io_failure_) return failure(std::move(io_failure_));
        return fail(
            errc::corruption,
            "a record is not what was written; verify() lists the damage, and a copy of the "
            "store brings it back",
            damaged_segment_ != 0 ? segment_name(damaged_segment_) : std::string(), 0,
            damaged_offset_);
    }

private:
    static constexpr address nothing = UINT64_MAX;  // no address, not even of damaged memory

    [[nodiscard]] bool load(address where) noexcept {
        if (where == loaded_) return true;
        where_ = where;
        view_ = table_->at(where);
        loaded_ = nothing;
        checked_ = !view_.verify;
        if (view_.at == nullptr && !fetch()) return damaged();
        if (!parse_record(view_.at, view_.limit, record_) ||
            (record_.type != record_type::put && record_.type != record_type::erase)) {
            return damaged();
        }
        loaded_ = where;
        return true;
    }

    [[nodiscard]] bool trusted() noexcept {
        if (checked_) return true;
        checked_ = load_le<std::uint64_t>(view_.at) ==
                   record_check(view_.at, record_.size, view_.seed, view_.offset);
        if (!checked_) loaded_ = nothing;
        return checked_ || damaged();
    }

    bool damaged() noexcept {
        if (!failed()) {
            damaged_ = true;
            damaged_offset_ = view_.offset;
            damaged_segment_ = table_->id_of(where_);
        }
        return false;
    }

    /// Without a map: reads the head of the record, then all of it, into the buffer.
    [[nodiscard]] COFFER_NOINLINE bool fetch() noexcept {
        if (view_.owner == nullptr || view_.offset >= view_.end) return false;
        constexpr std::uint64_t head = 512;
        const std::uint64_t left = view_.end - view_.offset;
        if (!fill((left < head) ? left : head)) return false;
        std::uint64_t size = 0;
        if (!claimed_size(size) || size > left) return false;
        if (size > buffer_.size() && !fill(size)) return false;
        view_.at = buffer_.data();
        view_.limit = buffer_.data() + buffer_.size();
        return true;
    }

    [[nodiscard]] bool fill(std::uint64_t size) noexcept {
        buffer_.resize(static_cast<std::size_t>(size));
        auto got = view_.owner->body.read_at(view_.offset, buffer_);
        if (got) return true;
        if (!failed()) io_failure_ = got.failure().release();
        return false;
    }

    [[nodiscard]] bool claimed_size(std::uint64_t& size) const noexcept {
        const std::byte* const from = buffer_.data();
        const std::byte* const limit = from + buffer_.size();
        if (buffer_.size() < check_size + 3) return false;
        std::uint64_t key = 0;
        std::uint64_t value = 0;
        const std::byte* next = get_varint(from + check_size + 1, limit, key);
        if (next == nullptr || key > max_key_size) return false;
        next = get_varint(next, limit, value);
        if (next == nullptr || value > max_value_size) return false;
        size = (static_cast<std::uint64_t>(next - from) + key + value + 3) & ~std::uint64_t{3};
        return true;
    }

    const Table* table_;
    typename Table::view view_;
    record record_;
    address loaded_ = nothing;
    bool checked_ = false;
    bool damaged_ = false;
    std::uint64_t damaged_offset_ = 0;
    std::uint64_t damaged_segment_ = 0;
    address where_ = 0;
    std::unique_ptr<error> io_failure_;
    std::vector<std::byte> buffer_;
};

}  // namespace coffer::detail

#endif
