// coffer/storage/imaging.hpp: an index that need not be made from the log at every open.
//
// save_image writes the index as it is at the end of a closed log. load_image brings it back when
// it still fits what the folder holds, and tells from where the log must be replayed onto it.
//
// M1  An image is used only if every segment that it names is still there, as long as it was then,
//     and it names all up to the last of them; otherwise addresses in it could lead into other
//     segments, or records be missed, and the index is made from the log.
// M2  What an image says is not trusted for the records: reads check them as always.
// M3  Nothing that it says, of segments neither, counts before its index was loaded whole.
// Cost of loading: one pass over the image to check it.
#ifndef COFFER_STORAGE_IMAGING_HPP
#define COFFER_STORAGE_IMAGING_HPP

#include <coffer/journal/found_segment.hpp>
#include <coffer/journal/image_file.hpp>
#include <coffer/storage/records.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coffer::detail {

/// Stores with less log than this are replayed faster than an image is written.
inline constexpr std::uint64_t least_log_for_image = std::uint64_t{1} << 20;

/// Is the log long enough for an image of its index to be worth its while?
template <class Segments>
[[nodiscard]] bool wants_image(const Segments& segments) noexcept {
    std::uint64_t size = 0;
    for (const auto& each : segments) size += each->end;
    return size >= least_log_for_image;
}

/// Writes the image of a log that has ended at its tail; nobody else uses the store.
template <class Records>
[[nodiscard]] result<void> save_image(Records& records, policy_id index) {
    auto& journal = records.journal;
    image_header header;
    header.store = journal.id();
    header.index = index;
    header.upto = journal.tail();
    header.commits = journal.commits();
    header.entries = records.size();
    for (const auto& each : journal.segments()) {
        header.segments.push_back({each->id, each->begin, each->end, each->dead.load(),
                                   each->tombstones, each->slot, each->torn, each->has_clear});
    }
    image_writer<typename Records::file_system_type> writer(*journal.folder());
    auto saved =
        writer.write(std::move(header), [&](auto&& sink) { return records.index().save(sink); });
    if (!saved)
        static_cast<void>(journal.folder()->remove(std::string(image_name).append(new_suffix)));
    return saved;
}

/// The image of a store, if there is one that fits.
template <class Records>
class image_loader {
    using file_system_type = typename Records::file_system_type;
    using directory = typename file_system_type::directory;

public:
    [[nodiscard]] bool open(directory& folder, const store_id& store, policy_id index) {
        return reader_->open(folder, store, index);
    }

    [[nodiscard]] const image_header& header() const noexcept { return reader_->header(); }

    /// M1 against the segments that recovery found.
    [[nodiscard]] bool fits(const std::vector<found_segment>& live) const {
        auto at = live.begin();
        for (const image_segment& each : header().segments) {
            if (at == live.end() || at->id != each.id || at->begin != each.begin ||
                at->end != each.end) {
                return false;
            }
            ++at;
        }
        return at == live.end() || at->id > header().upto.segment();
    }

    /// The slot that the image gave segment `id`; most_slots when it does not know it.
    [[nodiscard]] const image_segment* find(std::uint64_t id) const noexcept {
        for (const image_segment& each : header().segments) {
            if (each.id == id) return &each;
        }
        return nullptr;
    }

    /// Gives `records`, which is new, the index of the image. False: it is damaged, and there is
    /// none.
    [[nodiscard]] bool load(Records& records) {
        auto table = records.make_unstarted_index(
            image_memory<file_system_type>(reader_, records.journal.options().map_reads));
        const bool adopted = table->adopt().has_value();
        reader_->close();
        if (!adopted) return false;
        records.replace_index(std::move(table));
        records.set_count(header().entries);
        return true;
    }

private:
    std::shared_ptr<image_reader<file_system_type>> reader_ =
        std::make_shared<image_reader<file_system_type>>();
};

}  // namespace coffer::detail

#endif
