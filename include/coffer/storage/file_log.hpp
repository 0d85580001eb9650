// coffer/storage/file_log.hpp: records in append-only files, written with write.
//
// The active segment is memory of the process in which every record is put in its final place once;
// a hand-over writes what is new to the file. A full segment is cut to its end and read through a
// read-only map from then on (or by pread, option map_reads), and its memory serves the next one.
// Nothing is ever written through a map.
//
// I1  Bytes below `handed` are equal in memory and file.
// I2  A file is cut only before it is mapped, or behind what is mapped of it.
// Cost: memory of the active segment and of the prepared one, as far as they are filled; one copy
// of each record into memory, one by the system at the hand-over. Failure: a full disk shows when a
// segment is prepared, not later.
#ifndef COFFER_STORAGE_FILE_LOG_HPP
#define COFFER_STORAGE_FILE_LOG_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/memory.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/log_state.hpp>
#include <coffer/journal/segment.hpp>
#include <coffer/journal/segment_file.hpp>
#include <coffer/storage/concept.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace coffer {

namespace detail {

template <file_system FS>
class file_log_medium {
public:
    using file_system_type = FS;
    static constexpr bool persistent = true;
    static constexpr bool hands_over = true;

    class body {
    public:
        body(typename FS::file file, std::unique_ptr<raw_memory> memory, spare_memory* spare,
             bool map_reads) noexcept
            : file_(std::move(file)),
              memory_(std::move(memory)),
              at_(memory_ ? memory_->get() : nullptr),
              spare_(spare),
              map_reads_(map_reads) {}

        [[nodiscard]] std::byte* memory() const noexcept { return at_; }
        void stored(std::uint64_t, std::uint64_t) noexcept {}

        [[nodiscard]] result<void> write_out(std::uint64_t from, std::uint64_t size) {
            return file_.write_at(from, {at_ + from, static_cast<std::size_t>(size)});
        }
        [[nodiscard]] result<void> sync(std::uint64_t) { return file_.sync(); }

        [[nodiscard]] result<leaving> settle(std::uint64_t end) {
            if (auto cut = file_.resize(end); !cut) return cut.failure();
            read_from_file(end);
            if (map_) enter_pages(at_, end);
            return leaving{[](void* spare, void* full) noexcept {
                               static_cast<spare_memory*>(spare)->give(
                                   std::unique_ptr<raw_memory>(static_cast<raw_memory*>(full)));
                           },
                           spare_, memory_.release()};
        }

        [[nodiscard]] result<void> write_again(std::uint64_t from, std::uint64_t end) {
            return write_file_again(file_, from, end);
        }

        /// The file has `end` bytes: by a map if the option says so and the system has one, else by
        /// read_at.
        void read_from_file(std::uint64_t end) {
            if (map_reads_) map_ = map_to_read(file_, end);
            at_ = map_ ? map_->data() : nullptr;
        }

        [[nodiscard]] result<void> read_at(std::uint64_t from, mutable_bytes into) const {
            return read_whole(file_, from, into);
        }

    private:
        typename FS::file file_;
        std::unique_ptr<raw_memory> memory_;
        std::byte* at_;  // its bytes: in memory_, and in map_ once it is settled
        spare_memory* spare_;
        std::unique_ptr<typename FS::mapping> map_;
        bool map_reads_;
    };

    file_log_medium(FS, const log_options& options)
        : map_reads_(options.map_reads && sizeof(void*) >= 8),
          access_(options.read_only ? fs::access::read : fs::access::write) {}

    [[nodiscard]] result<body> prepare(typename FS::directory* folder, std::string_view name,
                                       std::uint64_t size) {
        auto memory = spare_->take(size);
        if (!memory) return memory.failure();
        auto file = make_reserved_file(*folder, name, size);
        if (!file) return file.failure();
        return body(std::move(*file), std::move(*memory), spare_.get(), map_reads_);
    }

    [[nodiscard]] result<body> open(typename FS::directory* folder, std::string_view name,
                                    std::uint64_t end) {
        auto file = folder->open(name, access_);
        if (!file) return file.failure();
        body opened(std::move(*file), nullptr, spare_.get(), map_reads_);
        opened.read_from_file(end);
        return opened;
    }

private:
    std::unique_ptr<spare_memory> spare_ = std::make_unique<spare_memory>();
    bool map_reads_;
    fs::access access_;
};

}  // namespace detail

namespace storage {

struct file_log {
    static constexpr policy_id id{"file_log", 1};
    static constexpr bool persistent = true;
    static constexpr bool hands_over = true;
    template <class FS>
    using medium = detail::file_log_medium<FS>;
};

static_assert(storage_policy<file_log>);

}  // namespace storage
}  // namespace coffer

#endif
