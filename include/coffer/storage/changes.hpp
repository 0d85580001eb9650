// coffer/storage/changes.hpp: the operations of a batch, laid out as the log will hold them.
//
// Each operation is a record (format/record.hpp), whole but for its check, which depends on where
// it will lie. They lie one behind the other, so that a writer copies all of them in one piece.
//
// C1  Every record but a misfit's is there; whoever finds misfits() writes nothing.
// C2  Where no clear is among them, all operations on one key but the last are `superseded`: they
//     go into the log, but no index leads to them, so that no reader can see half of a batch.
// Threads: one at a time. Cost: one copy of key and value, and 16 bytes beside it; where keys do
// not come in ascending order, a look into a table of hashes, of 16 to 64 bytes for each operation.
// clear() keeps the memory. Failure: only the lack of memory, which leaves the list as it was.
#ifndef COFFER_STORAGE_CHANGES_HPP
#define COFFER_STORAGE_CHANGES_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/format/record.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coffer::detail {

class change_list {
public:
    /// The key belongs to the list, and lasts until it changes.
    struct change {
        record_type type;
        bytes key;
        std::size_t at;  // of its record in laid_out()
        bool superseded;
    };

    void add(record_type type, bytes key, bytes value) {
        if (places_.empty()) clear();  // it may have been moved from
        if (key.size() > max_key_size || value.size() > max_value_size) [[unlikely]]
            return add_misfit(key.size(), value.size());
        const std::size_t size = record_size(key.size(), value.size());
        const std::size_t end = used_ + size;
        if (bytes_.size() < end) [[unlikely]]
            make_room(end);
        std::byte* const at = bytes_.data() + used_;
        const std::byte* const key_at = lay_out_record(at, size, type, true, key, value);
        in_order_ = in_order_ && (places_.empty() || compare(key_of(places_.back()), key) < 0);
        if (!in_order_) [[unlikely]]
            make_room_to_find();
        places_.push_back({used_, static_cast<std::uint32_t>(key.size()),
                           static_cast<std::uint16_t>(key_at - at), false});
        used_ = end;
        if (!in_order_) find_all();
        clears_ |= type == record_type::clear;
        if (type == record_type::erase) erased_bytes_ += size;
        if (type == record_type::put) {
            ++puts_;
            key_bytes_ += key.size();
        }
    }
    void clear() noexcept {
        places_.clear();
        used_ = key_bytes_ = puts_ = erased_bytes_ = 0;
        clears_ = misfits_ = false;
        in_order_ = true;
        width_ = found_ = 0;
    }

    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] bool empty() const noexcept { return places_.empty(); }
    [[nodiscard]] COFFER_ALWAYS_INLINE change operator[](std::size_t i) const noexcept {
        const place& of = places_[i];
        return {type_of_record(bytes_.data() + of.at), key_of(of), of.at, of.superseded};
    }

    /// All records, one behind the other.
    [[nodiscard]] bytes laid_out() const noexcept { return {bytes_.data(), used_}; }
    /// Where that of operation `i` begins; for size(), where the last one ends.
    [[nodiscard]] std::size_t record_at(std::size_t i) const noexcept {
        return i < places_.size() ? places_[i].at : used_;
    }
    /// How many of them are puts, and of how many bytes the keys of those are.
    [[nodiscard]] std::size_t puts() const noexcept { return puts_; }
    [[nodiscard]] std::size_t key_bytes() const noexcept { return key_bytes_; }
    /// Of how many bytes those of the erases are.
    [[nodiscard]] std::size_t erased_bytes() const noexcept { return erased_bytes_; }
    /// Is there a clear among them?
    [[nodiscard]] bool clears() const noexcept { return clears_; }
    /// Is there a key or a value that no record can hold? The sizes are those of the first one.
    [[nodiscard]] bool misfits() const noexcept { return misfits_; }
    [[nodiscard]] std::size_t misfit_key() const noexcept { return misfit_key_; }
    [[nodiscard]] std::size_t misfit_value() const noexcept { return misfit_value_; }

private:
    COFFER_NOINLINE void make_room(std::size_t end) {
        if (end > bytes_.max_size()) raise_no_memory();
        bytes_.resize((std::max)(end, (std::min)(2 * bytes_.size(), bytes_.max_size())));
    }

    COFFER_NOINLINE void add_misfit(std::size_t key, std::size_t value) {
        places_.push_back({used_, 0, 0, false});
        if (misfits_) return;
        misfits_ = true;
        misfit_key_ = key;
        misfit_value_ = value;
    }

    struct place {
        std::size_t at;  // of the record
        std::uint32_t key_size;
        std::uint16_t key_at;  // in the record
        bool superseded;
    };
    [[nodiscard]] COFFER_ALWAYS_INLINE bytes key_of(const place& of) const noexcept {
        return {bytes_.data() + of.at + of.key_at, of.key_size};
    }

    /// C2. The table has room for one more operation, and the first `found_` of them are in it.
    COFFER_NOINLINE void make_room_to_find() {
        constexpr std::size_t least = 64;
        if (2 * (places_.size() + 1) <= width_) return;
        const std::size_t wanted = (std::max)(std::bit_ceil(4 * (places_.size() + 1)), least);
        if (table_.size() < wanted) table_.resize(wanted);
        width_ = wanted;
        found_ = 0;
        std::fill_n(table_.begin(), width_, 0);
        // Whoever chooses keys of equal hash would have to know where a program's memory lies.
        seed_ = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(table_.data()));
    }
    COFFER_NOINLINE void find_all() noexcept {
        if (misfits_) return;  // C1
        for (; found_ < places_.size(); ++found_) find(found_);
    }
    void find(std::size_t number) noexcept {
        const bytes key = key_of(places_[number]);
        const std::uint64_t hash = hash64(key, seed_);
        const std::uint64_t entry = (hash & ~std::uint64_t{UINT32_MAX}) | (number + 1);
        std::size_t at = static_cast<std::size_t>(hash) & (width_ - 1);
        for (; table_[at] != 0; at = (at + 1) & (width_ - 1)) {
            place& other = places_[static_cast<std::uint32_t>(table_[at]) - 1];
            if ((table_[at] ^ entry) > UINT32_MAX || !equal(key_of(other), key)) continue;
            other.superseded = true;
            break;
        }
        table_[at] = entry;
    }

    std::vector<std::byte> bytes_;  // room, larger than what is used
    std::size_t used_ = 0;
    std::size_t puts_ = 0;
    std::size_t key_bytes_ = 0;  // of the puts
    std::size_t erased_bytes_ = 0;
    std::vector<place> places_;
    std::vector<std::uint64_t> table_;  // half of a hash, and 1 + the number of an operation
    std::size_t width_ = 0;             // entries of the table that are in use
    std::size_t found_ = 0;
    std::uint64_t seed_ = 0;
    bool in_order_ = true;  // each key lies above the one before it
    bool clears_ = false;
    bool misfits_ = false;
    std::size_t misfit_key_ = 0;
    std::size_t misfit_value_ = 0;
};

}  // namespace coffer::detail

#endif
