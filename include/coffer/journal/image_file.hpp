// coffer/journal/image_file.hpp: the file INDEX, written and read block by block.
//
// The payload passes through one block of 256 KiB whose check is chained with the check of the
// block before it; so an image is verified while it is read, and judged at its end. A new image
// replaces the old one by temporary file, sync, rename, directory sync.
#ifndef COFFER_JOURNAL_IMAGE_FILE_HPP
#define COFFER_JOURNAL_IMAGE_FILE_HPP

#include <coffer/core/result.hpp>
#include <coffer/format/image.hpp>
#include <coffer/format/names.hpp>
#include <coffer/fs/concept.hpp>

#include <algorithm>
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

    /// Writes `header` and what `save(sink)` hands to its sink.
    template <class Save>
    [[nodiscard]] result<void> write(image_header header, Save&& save) {
        const std::string temporary = std::string(image_name).append(new_suffix);
        auto made = folder_->create(temporary);
        if (!made) return made.failure();
        at_ = image_header_size(header.segments.size());
        const std::uint64_t start = at_;
        auto saved = save([&](bytes piece) { return add(*made, piece); });
        if (!saved) return saved;
        if (auto done = put_block(*made); !done) return done;
        header.payload = at_ - start;
        header.payload_check = check_;
        if (auto done = made->write_at(0, write_image_header(header)); !done) return done;
        if (auto done = made->sync(); !done) return done;
        if (auto done = folder_->rename(temporary, image_name); !done) return done;
        return folder_->sync();
    }

private:
    [[nodiscard]] result<void> add(typename FS::file& to, bytes piece) {
        while (!piece.empty()) {
            const std::size_t part = (std::min)(piece.size(), image_block - block_.size());
            block_.insert(block_.end(), piece.begin(),
                          piece.begin() + static_cast<std::ptrdiff_t>(part));
            piece = piece.subspan(part);
            if (block_.size() == image_block) {
                if (auto done = put_block(to); !done) return done;
            }
        }
        return {};
    }

    [[nodiscard]] result<void> put_block(typename FS::file& to) {
        if (block_.empty()) return {};
        check_ = hash64(block_, check_);
        if (auto done = to.write_at(at_, block_); !done) return done;
        at_ += block_.size();
        block_.clear();
        return {};
    }

    typename FS::directory* folder_;
    std::uint64_t at_ = 0;
    std::uint64_t check_ = 0;
    std::vector<std::byte> block_;
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
        block_.resize(image_at::segments);
        auto got = opened->read_at(0, block_);
        if (!got || *got != block_.size()) return false;
        const std::size_t head = claimed_image_header(block_, *size);
        if (head == 0) return false;
        block_.resize(head);
        got = opened->read_at(0, block_);
        if (!got || *got != head || !read_image_header(block_, store, index, header_)) return false;
        if (header_.payload != *size - head) return false;
        at_ = head;
        left_ = header_.payload;
        block_.clear();
        file_ = std::make_unique<typename FS::file>(std::move(*opened));
        return true;
    }

    [[nodiscard]] const image_header& header() const noexcept { return header_; }

    /// The next bytes of the payload. Whole blocks go where they belong without a copy.
    [[nodiscard]] result<void> read(mutable_bytes into) {
        while (!into.empty()) {
            std::size_t part = (std::min)(into.size(), block_.size() - used_);
            if (part != 0) {
                copy(into.data(), bytes(block_).subspan(used_, part));
                used_ += part;
            } else if (const std::size_t next = next_size(); next == 0) {
                return fail(errc::corruption, "the image of the index is too short", file_->path());
            } else if (next <= into.size()) {
                part = next;
                if (auto done = fetch(into.first(part)); !done) return done;
            } else {
                block_.resize(next);
                used_ = 0;
                if (auto done = fetch(block_); !done) return done;
            }
            into = into.subspan(part);
        }
        return {};
    }

    /// Was the whole payload read, and is it what was written?
    [[nodiscard]] bool complete() const noexcept {
        return left_ == 0 && used_ == block_.size() && check_ == header_.payload_check;
    }

private:
    [[nodiscard]] std::size_t next_size() const noexcept {
        return static_cast<std::size_t>((std::min)(left_, std::uint64_t{image_block}));
    }

    [[nodiscard]] result<void> fetch(mutable_bytes block) {
        auto got = file_->read_at(at_, block);
        if (!got) return got.failure();
        if (*got != block.size()) {
            return fail(errc::corruption, "the image of the index was cut", file_->path());
        }
        check_ = hash64(block, check_);
        at_ += block.size();
        left_ -= block.size();
        return {};
    }

    std::unique_ptr<typename FS::file> file_;
    image_header header_;
    std::uint64_t at_ = 0;
    std::uint64_t left_ = 0;
    std::uint64_t check_ = 0;
    std::size_t used_ = 0;
    std::vector<std::byte> block_;
};

}  // namespace coffer::detail

#endif
