// coffer/journal/record_reader.hpp: the records behind addresses, for one operation.
//
// Finds the bytes of a record through the segment table, checks them where they come from a file,
// and remembers the first thing that could not be read: damage, a call that failed, or no memory
// for a buffer. What it shows stays valid until its next call, as long as the caller's epoch pin
// lasts.
//
// I1  A record that comes from a file is shown only after its check matched (unless verify_reads is
//     off); a key that differs is believed only after the same. A size alone is told unchecked.
// Cost: memory that is mapped is followed directly; else two reads into a buffer of its own.
#ifndef COFFER_JOURNAL_RECORD_READER_HPP
#define COFFER_JOURNAL_RECORD_READER_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/format/names.hpp>
#include <coffer/format/record.hpp>
#include <coffer/journal/segment_table.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
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

    /// How large the record at `where` is by its head, which is not checked; 0: there is none.
    [[nodiscard]] std::size_t claimed_size(address where) noexcept {
        return load(where) ? record_.size : 0;
    }

    [[nodiscard]] bool failed() const noexcept { return why_ != reason::none; }

    /// Why something could not be read; only when failed(). Throws bad_alloc if it was memory.
    [[nodiscard]] failure cause() {
        if (why_ == reason::no_memory) raise_no_memory();
        if (why_ == reason::failed_call) return failure(std::move(rare_->io_failure));
        return fail(
            errc::corruption,
            "a record is not what was written; verify() lists the damage, and a copy of the "
            "store brings it back",
            rare_->segment != 0 ? segment_name(rare_->segment) : std::string(), 0, rare_->offset);
    }

    /// The record at `where`, if it is in mapped memory, bears `key` and is sound; for lookups,
    /// which need nothing of a reader's state when all is well. False says nothing. Calls
    /// passed(size) when the key fits, before the check: what it does need not be kept meanwhile.
    template <class Passed>
    [[nodiscard]] static COFFER_ALWAYS_INLINE bool at_once(const Table& table, address where,
                                                           bytes key, record& out,
                                                           Passed&& passed) noexcept {
        const typename Table::view view = table.at(where);
        if (view.at == nullptr) return false;
        // Without a check, which reads all of it, the value would be asked for when its head has
        // come: two waits in place of one.
        COFFER_PREFETCH(view.at + 64);
        if (!parse_put_of(key, view.at, view.limit, out)) return false;
        passed(out.size);
        return sound(view, out);
    }
    /// The same for walks, whatever its key is.
    [[nodiscard]] static COFFER_ALWAYS_INLINE bool at_once(const Table& table, address where,
                                                           typename Table::window& through,
                                                           record& out) noexcept {
        const typename Table::view view = table.at(where, through);
        return view.at != nullptr && parse_record(view.at, view.limit, out) &&
               out.type == record_type::put && sound(view, out);
    }

private:
    static constexpr address nothing = UINT64_MAX;  // no address, not even of damaged memory

    enum class reason : unsigned char { none, damage, failed_call, no_memory };

    /// What a lookup in mapped memory that finds no damage does without.
    struct rare {
        std::uint64_t offset = 0;   // of the first damage
        std::uint64_t segment = 0;  // its segment's id
        owned_error io_failure;
        std::vector<std::byte> buffer;
    };

    [[nodiscard]] bool load(address where) noexcept {
        if (where == loaded_) return true;
        view_ = table_->at(where);
        loaded_ = nothing;
        checked_ = false;
        if (view_.at == nullptr && !fetch()) return damaged(where);
        if (!parse_record(view_.at, view_.limit, record_) ||
            (record_.type != record_type::put && record_.type != record_type::erase)) {
            return damaged(where);
        }
        loaded_ = where;
        return true;
    }

    [[nodiscard]] bool trusted() noexcept {
        if (checked_) return true;
        checked_ = sound(view_, record_);
        return checked_ || damaged(std::exchange(loaded_, nothing));
    }

    [[nodiscard]] static COFFER_ALWAYS_INLINE bool sound(const typename Table::view& view,
                                                         const record& read) noexcept {
        if (!view.verify) [[unlikely]]
            return true;
        return load_le<std::uint64_t>(view.at) ==
               record_check(view.at, read.size, view.seed, view.offset);
    }

    COFFER_NOINLINE bool damaged(address where) noexcept {
        if (failed()) return false;
        const bool told = if_memory_allows([&] {
            rare& note = noted();
            note.offset = view_.offset;
            note.segment = table_->id_of(where);
        });
        why_ = told ? reason::damage : reason::no_memory;
        return false;
    }

    [[nodiscard]] rare& noted() {
        if (rare_ == nullptr) rare_ = std::make_unique<rare>();
        return *rare_;
    }

    /// Without a map: reads the head of the record, then all of it, into the buffer.
    [[nodiscard]] COFFER_NOINLINE bool fetch() noexcept {
        if (view_.owner == nullptr || view_.offset >= view_.end) return false;
        constexpr std::uint64_t head = 512;
        const std::uint64_t left = view_.end - view_.offset;
        if (!fill((left < head) ? left : head)) return false;
        std::uint64_t size = 0;
        if (!size_in_buffer(size) || size > left) return false;
        std::vector<std::byte>& buffer = rare_->buffer;
        if (size > buffer.size() && !fill(size)) return false;
        view_.at = buffer.data();
        view_.limit = buffer.data() + buffer.size();
        return true;
    }

    [[nodiscard]] bool fill(std::uint64_t size) noexcept {
        bool filled = false;
        const bool enough = size <= static_cast<std::uint64_t>(PTRDIFF_MAX) &&
                            if_memory_allows([&] { filled = read_into_buffer(size); });
        if (!enough && !failed()) why_ = reason::no_memory;
        return filled;
    }

    [[nodiscard]] bool read_into_buffer(std::uint64_t size) {
        rare& note = noted();
        note.buffer.resize(static_cast<std::size_t>(size));
        auto got = view_.owner->body.read_at(view_.offset, note.buffer);
        if (got) return true;
        if (!failed()) {
            note.io_failure = got.failure().release();
            why_ = reason::failed_call;
        }
        return false;
    }

    [[nodiscard]] bool size_in_buffer(std::uint64_t& size) const noexcept {
        const std::vector<std::byte>& buffer = rare_->buffer;
        const std::byte* const from = buffer.data();
        const std::byte* const limit = from + buffer.size();
        if (buffer.size() < check_size + 3) return false;
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
    reason why_ = reason::none;
    std::unique_ptr<rare> rare_;
};

}  // namespace coffer::detail

#endif
