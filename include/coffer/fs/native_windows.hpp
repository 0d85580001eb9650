// coffer/fs/native_windows.hpp: `fs::native` on Windows 7 and later.
//
// A directory is an open handle that keeps its folder from being renamed or removed, and the whole
// path of that folder; files are opened by that path, so the current directory does not matter.
// Paths and names are UTF-8.
//
// What differs from other systems:
// - Who may read is what the folder's access list says; new files and folders inherit it.
// - `directory::sync` does nothing: NTFS journals names in order, a rename is written through, and
//   the flush of a file writes the journal up to and including its own name.
// - The lock is of one byte far behind every file's end, so that it hides none of the content.
// - A file that somebody has mapped cannot be cut, replaced or removed: permission_denied or
//   io_error, to be tried again later.
// - There is no fork, and no id of a boot.
//
// I1  Handles are not inherited, files are on a disk and are no reparse points (links).
//
// Threads: any, any number of calls at once; Windows runs the calls on one handle one by one.
// Failure: errors carry GetLastError. A failed flush is reported once and never tried again here.
#ifndef COFFER_FS_NATIVE_WINDOWS_HPP
#define COFFER_FS_NATIVE_WINDOWS_HPP

#include <coffer/config/assert.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/result.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/fs/native_windows_calls.hpp>
#include <coffer/fs/path.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coffer::fs {

struct native {
    class mapping;
    class file;
    class directory;
    class fork_mark;

    [[nodiscard]] result<directory> open_directory(std::string_view path) const;
    [[nodiscard]] result<bool> make_directory(std::string_view path) const;

    [[nodiscard]] std::uint64_t now() const noexcept {
        const auto time = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
    }

    [[nodiscard]] std::uint64_t coarse_now() const noexcept { return now(); }

    template <class Condition, class Lock>
    void wait_until(Condition& condition, Lock& lock, std::uint64_t deadline) const {
        constexpr std::uint64_t longest = 3'600'000'000'000U;  // so that no clock overflows
        const std::uint64_t time = now();
        if (deadline <= time) return;
        const std::uint64_t left = (std::min)(deadline - time, longest);
        condition.wait_for(lock, std::chrono::nanoseconds(static_cast<std::int64_t>(left)));
    }

    void random(mutable_bytes into) const noexcept;
    [[nodiscard]] std::uint64_t boot_id() const noexcept { return 0; }
    [[nodiscard]] std::uint64_t process_id() const noexcept {
        return detail::win::GetCurrentProcessId();
    }
};

class native::mapping {
public:
    mapping() noexcept = default;
    mapping(std::byte* data, std::size_t size, std::string path,
            detail::win::owned flushed) noexcept
        : data_(data), size_(size), path_(std::move(path)), flushed_(std::move(flushed)) {}
    mapping(mapping&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          path_(std::move(other.path_)),
          flushed_(std::move(other.flushed_)) {}
    mapping& operator=(mapping&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(path_, other.path_);
        std::swap(flushed_, other.flushed_);
        return *this;
    }
    ~mapping() {
        if (data_ != nullptr) detail::win::UnmapViewOfFile(data_);
    }

    [[nodiscard]] std::byte* data() noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void stored(std::uint64_t, std::uint64_t) noexcept {}

    [[nodiscard]] result<void> sync(std::uint64_t at, std::uint64_t size) {
        COFFER_ASSERT(at <= size_ && size <= size_ - at, "sync outside of the mapping");
        if (size == 0 || !flushed_.is_open()) return {};  // a view for reading has no stores
        if (detail::win::FlushViewOfFile(data_ + at, static_cast<std::size_t>(size)) == 0 ||
            detail::win::FlushFileBuffers(flushed_.get()) == 0) {
            return detail::win::refused_data(detail::win::GetLastError(),
                                             "cannot sync mapped bytes", path_, at);
        }
        return {};
    }

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::string path_;
    detail::win::owned flushed_;  // open only if the mapping is for writing
};

class native::file {
public:
    file(detail::win::owned opened, std::string path, access wanted) noexcept
        : handle_(std::move(opened)), path_(std::move(path)), access_(wanted) {}

    [[nodiscard]] std::string_view path() const noexcept { return path_; }

    [[nodiscard]] result<std::uint64_t> size() const {
        std::int64_t found = 0;
        if (detail::win::GetFileSizeEx(handle_.get(),
                                       reinterpret_cast<::_LARGE_INTEGER*>(&found)) == 0) {
            return detail::win::refused(detail::win::GetLastError(), "cannot read the file's size",
                                        path_);
        }
        return static_cast<std::uint64_t>(found);
    }

    [[nodiscard]] result<std::size_t> read_at(std::uint64_t at, mutable_bytes into) const {
        if (!addressable(at, into.size())) return beyond(at);
        std::size_t done = 0;
        while (done < into.size()) {
            detail::win::overlapped place = detail::win::at_offset(at + done);
            const std::size_t asked = (std::min)(into.size() - done, most_at_once);
            detail::win::dword got = 0;
            if (detail::win::ReadFile(handle_.get(), into.data() + done,
                                      static_cast<detail::win::dword>(asked), &got,
                                      reinterpret_cast<::_OVERLAPPED*>(&place)) == 0) {
                const detail::win::dword code = detail::win::GetLastError();
                if (code == detail::win::handle_eof) break;
                return detail::win::refused_data(code, "cannot read", path_, at + done);
            }
            if (got == 0) break;
            done += got;
        }
        return done;
    }

    [[nodiscard]] result<void> write_at(std::uint64_t at, bytes from) {
        if (access_ == access::read) return for_reading(at);
        if (!addressable(at, from.size())) return beyond(at);
        std::size_t done = 0;
        while (done < from.size()) {
            detail::win::overlapped place = detail::win::at_offset(at + done);
            const std::size_t asked = (std::min)(from.size() - done, most_at_once);
            detail::win::dword put = 0;
            if (detail::win::WriteFile(handle_.get(), from.data() + done,
                                       static_cast<detail::win::dword>(asked), &put,
                                       reinterpret_cast<::_OVERLAPPED*>(&place)) == 0) {
                return detail::win::refused_data(detail::win::GetLastError(), "cannot write", path_,
                                                 at + done);
            }
            if (put == 0) {
                return fail(errc::io_error, "the system wrote nothing", path_, 0, at + done);
            }
            done += put;
        }
        return {};
    }

    [[nodiscard]] result<void> resize(std::uint64_t size);

    /// The files of coffer are not sparse: a size that has been set has its blocks.
    [[nodiscard]] result<void> reserve(std::uint64_t at, std::uint64_t size) {
        if (access_ == access::read) return for_reading(at);
        if (!addressable(at, size)) return beyond(at);
        auto held = this->size();
        if (!held) return held.failure();
        return size == 0 || at + size <= *held ? result<void>() : resize(at + size);
    }

    [[nodiscard]] result<void> sync() {
        if (access_ == access::read) return {};  // nothing of its own; the system would refuse
        if (detail::win::FlushFileBuffers(handle_.get()) == 0) {
            return detail::win::refused_data(detail::win::GetLastError(), "cannot sync the file",
                                             path_, 0);
        }
        return {};
    }

    [[nodiscard]] std::uint64_t identity() const noexcept { return 0; }
    [[nodiscard]] result<bool> try_lock();
    [[nodiscard]] result<mapping> map(std::uint64_t at, std::uint64_t size, access wanted);
    /// The bytes are read: a file with a view could not be replaced.
    [[nodiscard]] result<mapping> copy(std::uint64_t at, std::uint64_t held, std::uint64_t size);

private:
    static constexpr std::size_t most_at_once = std::size_t{1} << 30;  // below 2 GiB

    [[nodiscard]] static bool addressable(std::uint64_t at, std::uint64_t size) noexcept {
        constexpr auto most =
            static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max)());
        return at <= most && size <= most - at;
    }
    [[nodiscard]] COFFER_NOINLINE failure beyond(std::uint64_t at) const {
        return fail(errc::too_large, "no file is this long", path_, 0, at);
    }
    [[nodiscard]] COFFER_NOINLINE failure for_reading(std::uint64_t at) const {
        return fail(errc::io_error, "the file is open for reading only", path_,
                    static_cast<int>(detail::win::access_denied), at);
    }

    detail::win::owned handle_;
    std::string path_;
    access access_;
    bool locked_ = false;
};

class native::directory {
public:
    directory(detail::win::owned opened, std::wstring whole, std::string path) noexcept
        : handle_(std::move(opened)), whole_(std::move(whole)), path_(std::move(path)) {}

    [[nodiscard]] std::string_view path() const noexcept { return path_; }
    [[nodiscard]] result<std::vector<std::string>> list() const;
    [[nodiscard]] result<file> create(std::string_view name) {
        return opened(name, access::write, detail::win::create_new, "cannot create the file");
    }
    [[nodiscard]] result<file> open(std::string_view name, access wanted) {
        return opened(name, wanted, detail::win::open_existing, "cannot open the file");
    }
    [[nodiscard]] result<void> rename(std::string_view from, std::string_view to);
    [[nodiscard]] result<void> remove(std::string_view name);
    [[nodiscard]] result<void> sync() noexcept { return {}; }
    [[nodiscard]] result<std::uint64_t> free_bytes() const;
    [[nodiscard]] bool is_remote() const noexcept;

private:
    [[nodiscard]] result<file> opened(std::string_view name, access wanted, detail::win::dword how,
                                      std::string_view what);
    [[nodiscard]] failure no_name(std::string_view name) const {
        return fail(errc::invalid_argument, "not the name of a file in a folder",
                    detail::joined(path_, name));
    }
    /// The system's path of a name.
    [[nodiscard]] std::wstring whole(std::string_view name) const {
        return whole_ + L'\\' + detail::win::widened(name);
    }
    [[nodiscard]] static bool is_folder(const std::wstring& path) noexcept {
        const detail::win::dword found = detail::win::GetFileAttributesW(path.c_str());
        return found != detail::win::invalid_attributes &&
               (found & detail::win::attribute_directory) != 0;
    }
    /// Windows takes away meaning from a dot or space at the end, and allows no wildcards.
    [[nodiscard]] static bool is_name(std::string_view name) noexcept {
        return detail::is_file_name(name) && name.back() != '.' && name.back() != ' ' &&
               name.find_first_of("<>\"|?*") == std::string_view::npos &&
               !detail::win::widened(name).empty();
    }

    detail::win::owned handle_;
    std::wstring whole_;
    std::string path_;
};

/// Windows has no fork.
class native::fork_mark {
public:
    fork_mark() noexcept = default;
    explicit fork_mark(const native&) noexcept {}
    [[nodiscard]] bool forked() const noexcept { return false; }
};

inline result<void> native::file::resize(std::uint64_t size) {
    if (access_ == access::read) return for_reading(size);
    if (!addressable(0, size)) return beyond(size);
    // A handle of its own: the place that SetEndOfFile cuts at is moved by every other call.
    namespace win = detail::win;
    const win::owned own(win::ReOpenFile(handle_.get(), win::generic_write,
                                         win::share_read | win::share_write | win::share_delete,
                                         0));
    if (!own.is_open()) {
        return win::refused_data(win::GetLastError(), "cannot open the file again to resize it",
                                 path_, size);
    }
    const auto low = static_cast<std::int32_t>(size & 0xFFFFFFFFU);
    long high = static_cast<long>(size >> 32);
    win::SetLastError(0);  // the only sign of a failed move, since every answer is a place
    win::SetFilePointer(own.get(), low, &high, 0);
    if (win::GetLastError() != 0 || win::SetEndOfFile(own.get()) == 0) {
        return win::refused_data(win::GetLastError(), "cannot resize the file", path_, size);
    }
    return {};
}

inline result<bool> native::file::try_lock() {
    if (locked_) return true;
    namespace win = detail::win;
    win::overlapped place = win::at_offset(0x7FFF'FFFF'FFFF'FF00U);
    if (win::LockFileEx(handle_.get(), win::lock_exclusive | win::lock_fail_immediately, 0, 1, 0,
                        reinterpret_cast<::_OVERLAPPED*>(&place)) != 0) {
        locked_ = true;
        return true;
    }
    const win::dword code = win::GetLastError();
    if (code == win::lock_violation || code == win::io_pending) return false;
    return win::refused_data(code, "cannot lock; choose a file system that has locks", path_, 0);
}

inline result<native::mapping> native::file::map(std::uint64_t at, std::uint64_t size,
                                                 access wanted) {
    COFFER_ASSERT(at % 65536 == 0, "a mapping begins at a multiple of 64 KiB");
    namespace win = detail::win;
    auto held = this->size();
    if (!held) return held.failure();
    if (at > *held || size > *held - at) {
        return fail(errc::invalid_argument, "the file ends before the range to map", path_, 0, at);
    }
    const bool writable = wanted == access::write;
    if (writable && access_ == access::read) {
        return win::refused(win::access_denied, "the file is open for reading only", path_, at);
    }
    if (size > (std::numeric_limits<std::size_t>::max)()) {
        return fail(errc::too_large, "more than this machine can map", path_, 0, at);
    }
    if (size == 0) return mapping();
    const win::owned section(win::CreateFileMappingW(
        handle_.get(), nullptr, writable ? win::page_readwrite : win::page_readonly, 0, 0,
        nullptr));
    void* const placed =
        section.is_open()
            ? win::MapViewOfFile(section.get(), writable ? win::map_write : win::map_read,
                                 static_cast<win::dword>(at >> 32),
                                 static_cast<win::dword>(at & 0xFFFFFFFFU),
                                 static_cast<std::size_t>(size))
            : nullptr;
    if (placed == nullptr)
        return win::refused_data(win::GetLastError(), "cannot map the file", path_, at);
    return mapping(static_cast<std::byte*>(placed), static_cast<std::size_t>(size), path_,
                   writable ? handle_.twin() : win::owned());
}

inline result<native::mapping> native::file::copy(std::uint64_t at, std::uint64_t held,
                                                  std::uint64_t size) {
    COFFER_ASSERT(at % 65536 == 0, "a copy begins at a multiple of 64 KiB");
    COFFER_ASSERT(held <= size, "a copy has room for what it holds");
    namespace win = detail::win;
    if (size > (std::numeric_limits<std::size_t>::max)()) {
        return fail(errc::too_large, "more than this machine can map", path_, 0, at);
    }
    if (size == 0) return mapping();
    const win::owned section(win::CreateFileMappingW(
        reinterpret_cast<win::handle>(~std::uintptr_t{0}), nullptr, win::page_readwrite,
        static_cast<win::dword>(size >> 32), static_cast<win::dword>(size & 0xFFFFFFFFU), nullptr));
    void* const placed = section.is_open() ? win::MapViewOfFile(section.get(), win::map_write, 0, 0,
                                                                static_cast<std::size_t>(size))
                                           : nullptr;
    if (placed == nullptr)
        return win::refused_data(win::GetLastError(), "no memory for a copy of the file", path_,
                                 at);
    mapping made(static_cast<std::byte*>(placed), static_cast<std::size_t>(size), path_,
                 win::owned());
    auto got = read_at(at, {made.data(), static_cast<std::size_t>(held)});
    if (!got) return got.failure();
    if (*got != held) {
        return fail(errc::invalid_argument, "the file ends before the range to map", path_, 0, at);
    }
    return made;
}

inline result<native::directory> native::open_directory(std::string_view path) const {
    namespace win = detail::win;
    std::wstring given = win::widened(path);
    if (given.empty() || path.find('\0') != std::string_view::npos) {
        return fail(errc::invalid_argument, "not the path of a folder; name one", path);
    }
    // Without share_delete nobody can rename the folder while the handle is open.
    win::owned opened(win::CreateFileW(given.c_str(), win::generic_read,
                                       win::share_read | win::share_write, nullptr,
                                       win::open_existing, win::flag_backup_semantics, nullptr));
    if (!opened.is_open()) return win::refused(win::GetLastError(), "cannot open the folder", path);
    win::file_information found = {};
    if (win::GetFileInformationByHandle(
            opened.get(), reinterpret_cast<::_BY_HANDLE_FILE_INFORMATION*>(&found)) == 0 ||
        (found.attributes & win::attribute_directory) == 0) {
        return fail(errc::invalid_argument, "is not a folder; a store is a folder", path,
                    static_cast<int>(win::not_a_directory));
    }
    std::wstring whole = win::full_path(opened.get(), given);
    if (whole.empty())
        return win::refused(win::GetLastError(), "cannot find the folder's path", path);
    if (whole.back() == L'\\') whole.pop_back();
    return directory(std::move(opened), std::move(whole), std::string(path));
}

inline result<bool> native::make_directory(std::string_view path) const {
    namespace win = detail::win;
    const std::wstring given = win::widened(path);
    if (given.empty() || path.find('\0') != std::string_view::npos) {
        return fail(errc::invalid_argument, "not the path of a folder; name one", path);
    }
    if (win::CreateDirectoryW(given.c_str(), nullptr) != 0) return true;
    const win::dword code = win::GetLastError();
    const win::dword found = win::GetFileAttributesW(given.c_str());
    if (found != win::invalid_attributes && (found & win::attribute_directory) != 0) return false;
    if (found != win::invalid_attributes) {
        return fail(errc::invalid_argument,
                    "there is something of this name that is no folder; choose another", path,
                    static_cast<int>(code));
    }
    if (code == win::path_not_found) {
        const std::string parent = detail::parent_of(path);
        if (win::GetFileAttributesW(win::widened(parent).c_str()) != win::invalid_attributes) {
            return fail(errc::invalid_argument, "cannot make the folder inside a file", path,
                        static_cast<int>(code));
        }
        return fail(errc::not_found, "cannot make the folder: create " + parent + " first", path,
                    static_cast<int>(code));
    }
    return win::refused(code, "cannot make the folder", path);
}

inline result<std::vector<std::string>> native::directory::list() const {
    namespace win = detail::win;
    std::vector<std::string> names;
    win::find_data found = {};
    auto* const into = reinterpret_cast<::_WIN32_FIND_DATAW*>(&found);
    const win::handle listing = win::FindFirstFileW((whole_ + L"\\*").c_str(), into);
    if (!win::owned::is_valid(listing)) {
        if (win::GetLastError() == win::file_not_found) return names;
        return win::refused(win::GetLastError(), "cannot list the folder", path_);
    }
    do {
        std::string name = win::narrowed(found.name);
        if (name != "." && name != "..") names.push_back(std::move(name));
    } while (win::FindNextFileW(listing, into) != 0);
    const win::dword code = win::GetLastError();
    win::FindClose(listing);
    if (code != win::no_more_files)
        return win::refused_data(code, "cannot list the folder", path_, 0);
    return names;
}

inline result<native::file> native::directory::opened(std::string_view name, access wanted,
                                                      detail::win::dword how,
                                                      std::string_view what) {
    namespace win = detail::win;
    if (!is_name(name)) return no_name(name);
    std::string path = detail::joined(path_, name);
    const std::wstring full = whole(name);
    const win::dword rights =
        wanted == access::read ? win::generic_read : win::generic_read | win::generic_write;
    win::owned made(win::CreateFileW(full.c_str(), rights,
                                     win::share_read | win::share_write | win::share_delete,
                                     nullptr, how, win::flag_open_reparse_point, nullptr));
    if (!made.is_open()) {
        const win::dword code = win::GetLastError();
        if (code == win::file_exists || (how == win::create_new && is_folder(full))) {
            return fail(errc::invalid_argument, "a file of this name exists", path,
                        static_cast<int>(code));
        }
        if (code == win::access_denied && is_folder(full)) {
            return fail(errc::invalid_argument,
                        "is a folder, not a regular file; choose another name", path,
                        static_cast<int>(code));
        }
        return win::refused(code, what, path);
    }
    win::file_information found = {};
    if (win::GetFileType(made.get()) != win::type_disk ||
        win::GetFileInformationByHandle(
            made.get(), reinterpret_cast<::_BY_HANDLE_FILE_INFORMATION*>(&found)) == 0) {
        return fail(errc::invalid_argument, "is no file of a disk; remove it", path);
    }
    if ((found.attributes & win::attribute_reparse_point) != 0) {
        return fail(errc::invalid_argument,
                    "is a symbolic link, which is not followed; put the file itself here", path);
    }
    return file(std::move(made), std::move(path), wanted);
}

inline result<void> native::directory::rename(std::string_view from, std::string_view to) {
    namespace win = detail::win;
    if (!is_name(from)) return no_name(from);
    if (!is_name(to)) return no_name(to);
    const std::wstring target = whole(to);
    if (from != to && is_folder(target)) {
        return fail(errc::invalid_argument, "is a folder, not a regular file; choose another name",
                    detail::joined(path_, to));
    }
    if (win::MoveFileExW(whole(from).c_str(), target.c_str(),
                         win::move_replace_existing | win::move_write_through) == 0) {
        return win::refused(win::GetLastError(), "cannot rename the file",
                            detail::joined(path_, from));
    }
    return {};
}

inline result<void> native::directory::remove(std::string_view name) {
    namespace win = detail::win;
    if (!is_name(name)) return no_name(name);
    const std::wstring gone = whole(name);
    if (win::DeleteFileW(gone.c_str()) == 0) {
        const win::dword code = win::GetLastError();
        if (code == win::access_denied && is_folder(gone)) {
            return fail(errc::invalid_argument,
                        "is a folder, not a regular file; choose another name",
                        detail::joined(path_, name), static_cast<int>(code));
        }
        return win::refused(code, "cannot remove the file", detail::joined(path_, name));
    }
    return {};
}

inline result<std::uint64_t> native::directory::free_bytes() const {
    namespace win = detail::win;
    std::uint64_t found = 0;
    if (win::GetDiskFreeSpaceExW((whole_ + L'\\').c_str(),
                                 reinterpret_cast<::_ULARGE_INTEGER*>(&found), nullptr,
                                 nullptr) == 0) {
        return win::refused(win::GetLastError(), "cannot ask how much space is free", path_);
    }
    return found;
}

/// Only what lies on another machine has a remote protocol.
inline bool native::directory::is_remote() const noexcept {
    namespace win = detail::win;
    using asker = int(__stdcall*)(win::handle, int, void*, win::dword);
    constexpr int remote_protocol = 13;  // FileRemoteProtocolInfo: 116 bytes
    const auto ask = win::system_function<asker>(L"kernel32.dll", "GetFileInformationByHandleEx");
    std::uint64_t told[32] = {};
    return ask != nullptr && ask(handle_.get(), remote_protocol, told, sizeof told) != 0;
}

/// From ProcessPrng, which Windows' own random functions stand on since version 10, else from
/// RtlGenRandom; both are looked up when needed, so that no further library is linked. Without
/// either the clock, the process and where memory lies have to do.
inline void native::random(mutable_bytes into) const noexcept {
    namespace win = detail::win;
    using prng = int(__stdcall*)(unsigned char*, std::size_t);
    using generator = unsigned char(__stdcall*)(void*, win::dword);
    auto* const to = reinterpret_cast<unsigned char*>(into.data());
    const auto newer = win::system_function<prng>(L"bcryptprimitives.dll", "ProcessPrng");
    if (newer != nullptr && newer(to, into.size()) != 0) return;
    const auto older = win::system_function<generator>(L"advapi32.dll", "SystemFunction036");
    std::size_t done = 0;
    while (older != nullptr && done < into.size()) {
        const auto asked = (std::min)(into.size() - done, std::size_t{1} << 20);
        if (older(to + done, static_cast<win::dword>(asked)) == 0) break;
        done += asked;
    }
    std::uint64_t state =
        detail::mix(now() ^ process_id(), reinterpret_cast<std::uintptr_t>(&done));
    for (; done < into.size(); ++done) {
        state = detail::mix(state, now());
        into[done] = static_cast<std::byte>(state >> 32);
    }
}

static_assert(std::is_empty_v<native> && file_system<native>);

}  // namespace coffer::fs

#endif
