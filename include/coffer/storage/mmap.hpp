// coffer/storage/mmap.hpp: records in files that are written through a map.
//
// The same folder, segments and recovery as file_log's; only the active segment differs: it is a
// writable map of the file, so a record is with the system the moment it is stored. A killed
// process loses nothing under any durability policy; a hand-over has nothing to do. The index is
// in a mapped file, too, so that the next process goes on with it (journal/live_file.hpp).
//
// I1  Only reserved blocks are written through the map: a full disk is an error of prepare, never a
//     fault of memory.
// I2  Published bytes are never written again.
// Limits: another program that cuts the file ends this one (SIGBUS), and a copy-on-write file
// system may still run out of space at write-back.
#ifndef COFFER_STORAGE_MMAP_HPP
#define COFFER_STORAGE_MMAP_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/live_file.hpp>
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
class mmap_medium {
public:
    using file_system_type = FS;
    template <threading_policy Threading>
    using keeper = live_file<FS, Threading>;
    static constexpr bool persistent = true;
    static constexpr bool hands_over = false;

    class body {
    public:
        using map_pointer = std::unique_ptr<typename FS::mapping>;

        body(typename FS::file file, map_pointer map, bool writable) noexcept
            : file_(std::move(file)), map_(std::move(map)), writable_(writable) {}

        [[nodiscard]] std::byte* memory() const noexcept { return map_ ? map_->data() : nullptr; }
        void stored(std::uint64_t from, std::uint64_t size) noexcept { map_->stored(from, size); }
        [[nodiscard]] result<void> write_out(std::uint64_t, std::uint64_t) { return {}; }

        [[nodiscard]] result<void> sync(std::uint64_t end) {
            if (writable_) {
                if (auto done = map_->sync(0, end); !done) return done;
            }
            return file_.sync();
        }

        [[nodiscard]] result<leaving> settle(std::uint64_t end) {
            if (auto cut = file_.resize(end); !cut) return cut.failure();
            map_pointer old = map_to_read(file_, end);
            if (!old) return leaving{};  // the one that it has serves as well
            enter_pages(old->data(), end);
            map_.swap(old);
            writable_ = false;
            return leaving{
                [](void*, void* map) noexcept { delete static_cast<typename FS::mapping*>(map); },
                nullptr, old.release()};
        }

        [[nodiscard]] result<void> write_again(std::uint64_t from, std::uint64_t end) {
            return write_file_again(file_, from, end);
        }
        [[nodiscard]] result<void> read_at(std::uint64_t from, mutable_bytes into) const {
            return read_whole(file_, from, into);
        }

    private:
        typename FS::file file_;
        map_pointer map_;
        bool writable_;
    };

    mmap_medium(FS, const log_options& options) noexcept
        : access_(options.read_only ? fs::access::read : fs::access::write) {}

    [[nodiscard]] result<body> prepare(typename FS::directory* folder, std::string_view name,
                                       std::uint64_t size) {
        auto file = make_reserved_file(*folder, name, size);
        if (!file) return file.failure();
        on_exit unmade([&] { discard(*folder, name); });
        auto map = file->map(0, size, fs::access::write);
        if (!map) return map.failure();
        auto held = std::make_unique<typename FS::mapping>(std::move(*map));
        unmade.dismiss();
        return body(std::move(*file), std::move(held), true);
    }

    [[nodiscard]] result<body> open(typename FS::directory* folder, std::string_view name,
                                    std::uint64_t end) {
        auto file = folder->open(name, access_);
        if (!file) return file.failure();
        auto map = map_to_read(*file, end);
        return body(std::move(*file), std::move(map), false);
    }

private:
    fs::access access_;
};

}  // namespace detail

namespace storage {

struct mmap {
    static constexpr policy_id id{"mmap", 1};
    static constexpr bool persistent = true;
    static constexpr bool hands_over = false;
    template <class FS>
    using medium = detail::mmap_medium<FS>;
};

static_assert(storage_policy<mmap>);

}  // namespace storage
}  // namespace coffer

#endif
