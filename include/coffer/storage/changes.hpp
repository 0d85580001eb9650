// coffer/storage/changes.hpp: the operations of a batch, laid out as the log will hold them.
//
// Each operation is a record (format/record.hpp), whole but for its check, which depends on where
// it will lie. They lie one behind the other, so that a writer copies each in one piece.
//
// C1  Every record but a misfit's is there; whoever finds misfits() writes nothing.
// Threads: one at a time. Cost: one copy of key and value, and 16 bytes beside it; clear() keeps
// the memory. Failure: only the lack of memory, which leaves the list as it was.
#ifndef COFFER_STORAGE_CHANGES_HPP
#define COFFER_STORAGE_CHANGES_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/format/record.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coffer::detail {

class change_list {
public:
    /// The runs belong to the list, and last until it changes.
    struct change {
        record_type type;
        bytes key;
        bytes record;
    };

    void add(record_type type, bytes key, bytes value) {
        if (places_.empty()) clear();  // it may have been moved from
        if (key.size() > max_key_size || value.size() > max_value_size) [[unlikely]]
            return add_misfit(key.size(), value.size());
        const std::size_t end = used_ + record_size(key.size(), value.size());
        if (bytes_.size() < end) bytes_.resize((std::max)(end, 2 * bytes_.size()));
        std::byte* const at = bytes_.data() + used_;
        const std::byte* const key_at = lay_out_record(at, type, true, key, value);
        places_.push_back({used_, static_cast<std::uint32_t>(key_at - at),
                           static_cast<std::uint32_t>(key.size())});
        used_ = end;
        key_bytes_ += key.size();
        clears_ |= type == record_type::clear;
        puts_ |= type == record_type::put;
    }
    void clear() noexcept {
        places_.clear();
        used_ = key_bytes_ = 0;
        clears_ = puts_ = misfits_ = false;
    }

    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] bool empty() const noexcept { return places_.empty(); }
    [[nodiscard]] COFFER_ALWAYS_INLINE change operator[](std::size_t i) const noexcept {
        const place& of = places_[i];
        const std::size_t end = i + 1 < places_.size() ? places_[i + 1].at : used_;
        const std::byte* const at = bytes_.data() + of.at;
        return {type_of_record(at), {at + of.key_at, of.key_size}, {at, end - of.at}};
    }

    /// Bytes of all records.
    [[nodiscard]] std::size_t bytes_in_log() const noexcept { return used_; }
    [[nodiscard]] std::size_t key_bytes() const noexcept { return key_bytes_; }
    /// Is there a clear, or a put, among them?
    [[nodiscard]] bool clears() const noexcept { return clears_; }
    [[nodiscard]] bool puts() const noexcept { return puts_; }
    /// Is there a key or a value that no record can hold? The sizes are those of the first one.
    [[nodiscard]] bool misfits() const noexcept { return misfits_; }
    [[nodiscard]] std::size_t misfit_key() const noexcept { return misfit_key_; }
    [[nodiscard]] std::size_t misfit_value() const noexcept { return misfit_value_; }

private:
    COFFER_NOINLINE void add_misfit(std::size_t key, std::size_t value) {
        places_.push_back({used_, 0, 0});
        if (misfits_) return;
        misfits_ = true;
        misfit_key_ = key;
        misfit_value_ = value;
    }

    struct place {
        std::size_t at;        // of the record
        std::uint32_t key_at;  // in it
        std::uint32_t key_size;
    };

    std::vector<std::byte> bytes_;  // room, larger than what is used
    std::size_t used_ = 0;
    std::size_t key_bytes_ = 0;
    std::vector<place> places_;
    bool clears_ = false;
    bool puts_ = false;
    bool misfits_ = false;
    std::size_t misfit_key_ = 0;
    std::size_t misfit_value_ = 0;
};

}  // namespace coffer::detail

#endif
