// coffer/journal/image_file.hpp: the file INDEX, written and brought back piece by piece.
//
// An image is the memory of an index. image_writer takes the pieces that the index hands out and
// puts them where they can be mapped; a new image replaces the old one by temporary file, sync,
// rename, directory sync. image_memory gives the pieces back to the index that adopts them: large
// ones as private copies that the system makes page by page when they are written to, so that
// opening moves no bytes.
//
// I1  A piece is given back only if its check is what it was when it was written.
// I2  Only the last piece of a region is smaller than its place. So where each piece is as large as
//     all before it, no image asks for more than twice the memory that its file has.
// Cost: one pass over the bytes of the image, to check them. Pieces of 2 MiB are written at once:
// a file system with large folios maps such a piece with one entry of the page table.
// Threads: one at a time.
#ifndef COFFER_JOURNAL_IMAGE_FILE_HPP
#define COFFER_JOURNAL_IMAGE_FILE_HPP

#include <coffer/core/memory.hpp>
#include <coffer/core/result.hpp>
#include <coffer/format/image.hpp>
#include <coffer/format/names.hpp>
#include <coffer/fs/concept.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coffer::detail {

template <file_system FS>
class image_writer {
public:
    explicit image_writer(typename FS::directory& folder) : folder_(&folder) {}

    /// Writes `header` and what `save(sink)` hands to its sink(region, number, bytes).
    template <class Save>
    [[nodiscard]] result<void> write(image_header header, Save&& save) {
        const std::string temporary = std::string(image_name).append(new_suffix);
        auto made = folder_->create(temporary);
        if (!made) return made.failure();
        std::uint64_t end = image_header_size(header.segments.size());
        std::vector<image_piece> pieces;
        auto saved = save([&](unsigned region, unsigned number, bytes piece) {
            const std::uint64_t at = image_piece_offset(end, piece.size());
            pieces.push_back(
                {region, number, at, piece.size(), image_piece_check(piece, header.store)});
            end = at + piece.size();
            return made->write_at(at, piece);
        });
        if (!saved) return saved;
        const std::vector<std::byte> table = write_image_pieces(pieces);
        header.table = end;
        header.table_check = image_pieces_check(table, header.store);
        if (auto done = made->write_at(end, table); !done) return done;
        if (auto done = made->write_at(0, write_image_header(header)); !done) return done;
        if (auto done = made->sync(); !done) return done;
        if (auto done = folder_->rename(temporary, image_name); !done) return done;
        return folder_->sync();
    }

private:
    typename FS::directory* folder_;
};

template <file_system FS>
class image_reader {
public:
    /// Opens the image of `store` for an index of policy `index`. False: there is none of use.
    [[nodiscard]] bool open(typename FS::directory& folder, const store_id& store,
                            policy_id index) {
        auto opened = folder.open(image_name, fs::access::read);
        if (!opened) return false;
        auto size = opened->size();
        if (!size) return false;
        std::vector<std::byte> part(image_at::segments);
        if (!read(*opened, 0, part)) return false;
        part.resize(claimed_image_header(part, *size));
        if (part.empty() || !read(*opened, 0, part)) return false;
        if (!read_image_header(part, store, index, header_) || header_.table > *size) return false;
        const std::uint64_t left = *size - header_.table;
        if (left > most_image_pieces * image_piece_size) return false;
        part.resize(static_cast<std::size_t>(left));
        if (!read(*opened, header_.table, part)) return false;
        if (!read_image_pieces(part, header_, pieces_)) return false;
        file_ = std::make_unique<typename FS::file>(std::move(*opened));
        return true;
    }

    [[nodiscard]] const image_header& header() const noexcept { return header_; }

    [[nodiscard]] bool is_open() const noexcept { return file_ != nullptr; }

    /// The piece of this name; null when there is none.
    [[nodiscard]] const image_piece* find(unsigned region, unsigned number) const noexcept {
        for (const image_piece& each : pieces_) {
            if (each.region == region && each.number == number) return &each;
        }
        return nullptr;
    }
    [[nodiscard]] typename FS::file& file() noexcept { return *file_; }

    /// What has been given back lasts; nothing more is.
    void close() noexcept { file_.reset(); }

private:
    [[nodiscard]] static bool read(const typename FS::file& from, std::uint64_t at,
                                   mutable_bytes into) {
        auto got = from.read_at(at, into);
        return got && *got == into.size();
    }

    std::unique_ptr<typename FS::file> file_;
    image_header header_;
    std::vector<image_piece> pieces_;
};

/// The memory of an index (index/concept.hpp): while the image is open its pieces and no others, so
/// that no number in them can ask for more; then fresh ones. Large pieces are mapped if `maps` says
/// so: then a block that the disk has lost is a signal, else an error.
template <file_system FS>
class image_memory {
public:
    image_memory() = default;
    image_memory(std::shared_ptr<image_reader<FS>> image, bool maps) noexcept
        : image_(std::move(image)), maps_(maps) {}

    [[nodiscard]] result<std::byte*> allocate(unsigned region, unsigned number, std::size_t size) {
        if (image_ == nullptr || !image_->is_open()) return fresh_.allocate(region, number, size);
        const image_piece* const kept = image_->find(region, number);
        if (kept == nullptr || kept->size > size) return damaged();
        if (kept->size < size && image_->find(region, number + 1) != nullptr) return damaged();
        auto at = maps_ && kept->size >= least_mapped_piece ? map(*kept, size) : read(*kept, size);
        if (!at) return at;
        const bytes piece(*at, static_cast<std::size_t>(kept->size));
        if (image_piece_check(piece, image_->header().store) != kept->check) return damaged();
        return at;
    }

private:
    [[nodiscard]] failure damaged() const {
        return fail(errc::corruption, "the image of the index is damaged: rebuild the index",
                    image_->file().path());
    }

    [[nodiscard]] result<std::byte*> map(const image_piece& from, std::size_t size) {
        auto made = image_->file().copy(from.offset, from.size, size);
        if (!made) return made.failure();
        copies_.push_back(std::move(*made));
        return copies_.back().data();
    }
    [[nodiscard]] result<std::byte*> read(const image_piece& from, std::size_t size) {
        auto room = fresh_.allocate(from.region, from.number, size);
        if (!room) return room;
        auto got =
            image_->file().read_at(from.offset, {*room, static_cast<std::size_t>(from.size)});
        if (!got) return got.failure();
        if (*got != from.size) return damaged();
        return room;
    }

    std::shared_ptr<image_reader<FS>> image_;
    bool maps_ = true;
    std::vector<typename FS::mapping> copies_;
    heap_memory fresh_;
};

}  // namespace coffer::detail

#endif
