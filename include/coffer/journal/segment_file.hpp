// coffer/journal/segment_file.hpp: what files of the log are asked for, whatever writes them.
//
// Functions of the file-system policy alone; they keep nothing. Threads: as the file's own calls.
// Failure: what the file system answers; `corruption` where a file is shorter than what is asked.
#ifndef COFFER_JOURNAL_SEGMENT_FILE_HPP
#define COFFER_JOURNAL_SEGMENT_FILE_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/fs/concept.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coffer::detail {

/// Removes a file that came to nothing. Without memory it stays, until the next open removes it.
template <class Directory>
void discard(Directory& folder, std::string_view name) noexcept {
    static_cast<void>(if_memory_allows([&] { static_cast<void>(folder.remove(name)); }));
}

/// A new file of `size` reserved bytes, whose name is not durable yet. No file is left behind when
/// it fails.
template <class Directory>
[[nodiscard]] auto make_reserved_file(Directory& folder, std::string_view name, std::uint64_t size)
    -> decltype(folder.create(name)) {
    auto file = folder.create(name);
    if (!file) return file.failure();
    on_exit unmade([&] { discard(folder, name); });
    if (auto reserved = file->reserve(0, size); !reserved) return reserved.failure();
    unmade.dismiss();
    return std::move(*file);
}

/// Fills `into` with the bytes from `from` on, which are there by the file's size: a read that ends
/// before is not the end of the log.
template <class File>
[[nodiscard]] result<void> read_whole(const File& file, std::uint64_t from, mutable_bytes into) {
    auto got = file.read_at(from, into);
    if (!got) return got.failure();
    if (*got == into.size()) return {};
    return fail(errc::corruption, "the file ends before its records do", file.path(), 0,
                from + *got);
}

/// Writes bytes [from, end) once more as they are, so that the next sync has them to write, and the
/// size of the file, if it was cut to `end`. Needs no memory: a write has its place in the log
/// already, and must not fail for the lack of some.
template <class File>
[[nodiscard]] result<void> write_file_again(File& file, std::uint64_t from, std::uint64_t end) {
    std::byte buffer[16 * 1024];
    while (from < end) {
        const std::uint64_t size = (std::min)(end - from, std::uint64_t{sizeof buffer});
        const auto part = mutable_bytes(buffer, static_cast<std::size_t>(size));
        if (auto got = read_whole(file, from, part); !got) return got;
        if (auto done = file.write_at(from, part); !done) return done;
        from += size;
    }
    auto size = file.size();
    if (!size) return size.failure();
    return *size == end ? file.resize(end) : result<void>();
}

/// A map of the first `end` bytes of a file, for reading; null where the system has none to give,
/// which nothing need wait for: the file can be read without.
template <class File>
[[nodiscard]] auto map_to_read(File& file, std::uint64_t end) {
    auto mapped = file.map(0, end, fs::access::read);
    using mapping = std::remove_reference_t<decltype(*mapped)>;
    return mapped && end != 0 ? std::make_unique<mapping>(std::move(*mapped))
                              : std::unique_ptr<mapping>();
}

/// Reads a byte of every 64 KiB of a file that was written a moment ago and is mapped now: the
/// system enters into the process's tables the pages around each, which the first readers of all
/// would else ask it for, trap by trap.
inline void enter_pages(const std::byte* mapped, std::uint64_t size) noexcept {
    constexpr std::uint64_t around = 64 * 1024;  // what Linux enters at a trap
    for (std::uint64_t at = 0; at < size; at += around) {
        static_cast<void>(*static_cast<const volatile std::byte*>(mapped + at));
    }
}

}  // namespace coffer::detail

#endif
