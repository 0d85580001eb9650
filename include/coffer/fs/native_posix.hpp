// coffer/fs/native_posix.hpp: `fs::native` on Linux, the BSDs and Apple's systems.
//
// A directory is an open descriptor; every file is opened relative to it, so that a folder that is
// renamed or replaced meanwhile cannot lead a name elsewhere. The path of the folder itself is the
// caller's word and may contain symbolic links; the names inside it may not be links.
//
// I1  No descriptor below 3 is kept: a stray message to standard error cannot reach a store.
// I2  Descriptors are close-on-exec, files are regular, names have no slash.
// I3  Files are made 0600 and folders 0700 whatever the umask, where the system keeps modes.
// I4  The first sync after a file was opened, resized or reserved is an fsync, since the size and
//     the blocks are metadata; the others are an fdatasync where that exists.
//
// Threads: any, any number of calls at once. Cost: the system call, and nothing that allocates but
// on opening and on failure. Failure: interrupted and partial calls are continued; every other
// outcome is an error with errno, path and offset. A failed sync is reported once and is never
// tried again here. A failed reserve may have grown the file.
#ifndef COFFER_FS_NATIVE_POSIX_HPP
#define COFFER_FS_NATIVE_POSIX_HPP

#include <coffer/config/assert.hpp>
#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/scope.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/fs/native_posix_calls.hpp>
#include <coffer/fs/path.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#if COFFER_OS_LINUX
#include <sys/random.h>
#endif

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coffer {

namespace fs {

struct native {
    class mapping;
    class file;
    class directory;
    class fork_mark;

    /// The last component may be a symbolic link to a folder.
    [[nodiscard]] result<directory> open_directory(std::string_view path) const;
    [[nodiscard]] result<bool> make_directory(std::string_view path) const;

    [[nodiscard]] std::uint64_t now() const noexcept {
        return detail::posix::nanoseconds_of(CLOCK_MONOTONIC);
    }
    [[nodiscard]] std::uint64_t coarse_now() const noexcept {
        return detail::posix::nanoseconds_of(detail::posix::coarse_clock);
    }

    template <class Condition, class Lock>
    void wait_until(Condition& condition, Lock& lock, std::uint64_t deadline) const {
        constexpr std::uint64_t longest = 3'600'000'000'000U;  // so that no clock overflows
        const std::uint64_t time = now();
        if (deadline <= time) return;
        const std::uint64_t left = (std::min)(deadline - time, longest);
        condition.wait_for(lock, std::chrono::nanoseconds(static_cast<std::int64_t>(left)));
    }

    void random(mutable_bytes into) const noexcept;
    [[nodiscard]] std::uint64_t boot_id() const noexcept;
    [[nodiscard]] std::uint64_t process_id() const noexcept {
        return static_cast<std::uint64_t>(::getpid());
    }
};

class native::mapping {
public:
    mapping() noexcept = default;
    mapping(std::byte* data, std::size_t size, std::string path,
            detail::posix::descriptor flushed) noexcept
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
        if (data_ != nullptr) ::munmap(data_, size_);
    }

    [[nodiscard]] std::byte* data() noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void stored(std::uint64_t, std::uint64_t) noexcept {}

    [[nodiscard]] result<void> sync(std::uint64_t at, std::uint64_t size) {
        COFFER_ASSERT(at <= size_ && size <= size_ - at, "sync outside of the mapping");
        if (size == 0) return {};
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        const std::uint64_t from = at - at % page;
        int done = ::msync(data_ + from, static_cast<std::size_t>(at + size - from), MS_SYNC);
        if (done == 0 && flushed_.is_open()) done = detail::posix::sync_all(flushed_.number());
        if (done != 0) {
            return detail::posix::refused_data(errno, "cannot sync mapped bytes", path_, at);
        }
        return {};
    }

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::string path_;
    detail::posix::descriptor flushed_;
};

class native::file {
public:
    file(detail::posix::descriptor opened, std::string path) noexcept
        : descriptor_(std::move(opened)), path_(std::move(path)) {}
    file(file&& other) noexcept
        : descriptor_(std::move(other.descriptor_)),
          path_(std::move(other.path_)),
          reshaped_(other.reshaped_.load(std::memory_order_relaxed)),
          settled_(other.settled_.load(std::memory_order_relaxed)) {}
    file& operator=(file&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        std::swap(path_, other.path_);
        reshaped_.store(other.reshaped_.exchange(reshaped_.load()));
        settled_.store(other.settled_.exchange(settled_.load()));
        return *this;
    }
    ~file() = default;

    [[nodiscard]] std::string_view path() const noexcept { return path_; }

    [[nodiscard]] result<std::uint64_t> size() const {
        struct stat found = {};
        if (::fstat(number(), &found) != 0) {
            return detail::posix::refused(errno, "cannot read the file's size", path_);
        }
        return static_cast<std::uint64_t>(found.st_size);
    }

    [[nodiscard]] result<std::size_t> read_at(std::uint64_t at, mutable_bytes into) const {
        if (!detail::posix::addressable(at, into.size())) return detail::posix::beyond(path_, at);
        std::size_t done = 0;
        while (done < into.size()) {
            const std::size_t asked = (std::min)(into.size() - done, most_at_once);
            const ::ssize_t got = detail::posix::retried([&] {
                return ::pread(number(), into.data() + done, asked, static_cast<off_t>(at + done));
            });
            if (got < 0) {
                return detail::posix::refused_data(errno, "cannot read", path_, at + done);
            }
            if (got == 0) break;  // only zero is the end of the file
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    [[nodiscard]] result<void> write_at(std::uint64_t at, bytes from) {
        if (!detail::posix::addressable(at, from.size())) return detail::posix::beyond(path_, at);
        std::size_t done = 0;
        while (done < from.size()) {
            const std::size_t asked = (std::min)(from.size() - done, most_at_once);
            const ::ssize_t put = detail::posix::retried([&] {
                return ::pwrite(number(), from.data() + done, asked, static_cast<off_t>(at + done));
            });
            if (put < 0) {
                return detail::posix::refused_data(errno, "cannot write", path_, at + done);
            }
            if (put == 0) {
                return fail(errc::io_error, "the system wrote nothing", path_, 0, at + done);
            }
            done += static_cast<std::size_t>(put);
        }
        return {};
    }

    [[nodiscard]] result<void> resize(std::uint64_t size) {
        if (!detail::posix::addressable(0, size)) return detail::posix::beyond(path_, size);
        const auto length = static_cast<off_t>(size);
        const int done = detail::posix::retried([&] { return ::ftruncate(number(), length); });
        reshape();
        if (done != 0) {
            return detail::posix::refused_data(errno, "cannot resize the file", path_, size);
        }
        return {};
    }

    /// Where the system cannot allocate, zeros are written over the zeros of the range: only there
    /// must the caller keep its own writes out of the range meanwhile.
    [[nodiscard]] result<void> reserve(std::uint64_t at, std::uint64_t size) {
        if (!detail::posix::addressable(at, size)) return detail::posix::beyond(path_, at);
        if (size == 0) return {};
#if COFFER_OS_LINUX
        const int code = detail::posix::allocate(number(), at, size);
        reshape();
        if (code == 0) return {};
        if (code != EOPNOTSUPP && code != ENOSYS) {
            return detail::posix::refused_data(code, "cannot reserve space", path_, at);
        }
#endif
        return reserve_by_writing(at, size);
    }

    [[nodiscard]] result<void> sync() {
        const std::uint32_t shape = reshaped_.load(std::memory_order_acquire);
        const bool whole = shape != settled_.load(std::memory_order_relaxed);  // I4
        const int done =
            whole ? detail::posix::sync_all(number()) : detail::posix::sync_data(number());
        if (done != 0) return detail::posix::refused_data(errno, "cannot sync the file", path_, 0);
        if (whole) settled_.store(shape, std::memory_order_relaxed);
        return {};
    }

    [[nodiscard]] std::uint64_t identity() const noexcept {
        return detail::posix::identity_of(number());
    }

    [[nodiscard]] result<bool> try_lock() {
        if (descriptor_.try_lock()) return true;
        if (errno == EWOULDBLOCK) return false;
        return detail::posix::refused_data(
            errno, "cannot lock; choose a file system that has locks", path_, 0);
    }

    [[nodiscard]] result<mapping> map(std::uint64_t at, std::uint64_t size, access wanted) {
        COFFER_ASSERT(at % 65536 == 0, "a mapping begins at a multiple of 64 KiB");
        if (auto may = detail::posix::mappable(this->size(), at, size, size, path_); !may)
            return may.failure();
        if (size == 0) return mapping();
        const int may = wanted == access::read ? PROT_READ : PROT_READ | PROT_WRITE;
        void* const placed = ::mmap(nullptr, static_cast<std::size_t>(size), may, MAP_SHARED,
                                    number(), static_cast<off_t>(at));
        if (placed == MAP_FAILED) {
            return detail::posix::refused_data(errno, "cannot map the file", path_, at);
        }
        // Apple's msync leaves the bytes in the device's cache: there the mapping flushes the file.
        return mapping(static_cast<std::byte*>(placed), static_cast<std::size_t>(size), path_,
                       COFFER_OS_APPLE ? descriptor_.twin() : detail::posix::descriptor());
    }

    [[nodiscard]] result<mapping> copy(std::uint64_t at, std::uint64_t held, std::uint64_t size);

private:
    static constexpr std::size_t most_at_once = std::size_t{1} << 30;  // below 2 GiB everywhere

    [[nodiscard]] int number() const noexcept { return descriptor_.number(); }
    /// After the call that changed something, so that no earlier sync can seem to cover it (I4).
    void reshape() noexcept { reshaped_.fetch_add(1, std::memory_order_release); }
    [[nodiscard]] result<void> reserve_by_writing(std::uint64_t at, std::uint64_t size);

    detail::posix::descriptor descriptor_;
    std::string path_;
    // Counts the changes of size and blocks, and how many of them a whole sync has covered (I4).
    threading::multi::atomic<std::uint32_t> reshaped_{1};
    threading::multi::atomic<std::uint32_t> settled_{0};
};

class native::directory {
public:
    directory(detail::posix::descriptor opened, std::string path) noexcept
        : descriptor_(std::move(opened)), path_(std::move(path)) {}

    [[nodiscard]] std::string_view path() const noexcept { return path_; }
    [[nodiscard]] result<std::vector<std::string>> list() const;
    [[nodiscard]] result<file> create(std::string_view name);
    [[nodiscard]] result<file> open(std::string_view name, access wanted);
    [[nodiscard]] result<void> rename(std::string_view from, std::string_view to);
    [[nodiscard]] result<void> remove(std::string_view name);

    [[nodiscard]] result<void> sync() {
        if (!detail::posix::sync_folder(number())) {
            return detail::posix::refused_data(errno, "cannot sync the folder", path_, 0);
        }
        return {};
    }

    [[nodiscard]] result<std::uint64_t> free_bytes() const {
        struct statvfs found = {};
        if (detail::posix::retried([&] { return ::fstatvfs(number(), &found); }) != 0) {
            return detail::posix::refused(errno, "cannot ask how much space is free", path_);
        }
        return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
    }

    [[nodiscard]] bool is_remote() const noexcept { return detail::posix::is_remote(number()); }

private:
    [[nodiscard]] int number() const noexcept { return descriptor_.number(); }
    [[nodiscard]] failure no_name(std::string_view name) const {
        return fail(errc::invalid_argument, "not the name of a file in a folder", joined(name));
    }
    [[nodiscard]] std::string joined(std::string_view name) const {
        return detail::joined(path_, name);
    }

    detail::posix::descriptor descriptor_;
    std::string path_;
};

/// On Linux one load: a page of its own that the kernel clears in every child. Elsewhere a getpid.
class native::fork_mark {
public:
    fork_mark() noexcept : process_(::getpid()) {
#if COFFER_OS_LINUX && defined(MADV_WIPEONFORK)
        void* const page = ::mmap(nullptr, page_size(), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) return;
        if (::madvise(page, page_size(), MADV_WIPEONFORK) != 0) {
            ::munmap(page, page_size());
            return;
        }
        *static_cast<volatile int*>(page) = 1;
        word_ = static_cast<volatile int*>(page);
#endif
    }
    explicit fork_mark(const native&) noexcept : fork_mark() {}
    fork_mark(fork_mark&& other) noexcept
        : word_(std::exchange(other.word_, nullptr)), process_(other.process_) {}
    fork_mark& operator=(fork_mark&& other) noexcept {
        std::swap(word_, other.word_);
        std::swap(process_, other.process_);
        return *this;
    }
    ~fork_mark() {
        if (word_ != nullptr) ::munmap(const_cast<int*>(word_), page_size());
    }

    [[nodiscard]] COFFER_ALWAYS_INLINE bool forked() const noexcept {
        return word_ != nullptr ? *word_ == 0 : ::getpid() != process_;
    }

private:
    static std::size_t page_size() noexcept {
        return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    }

    const volatile int* word_ = nullptr;
    ::pid_t process_;
};

inline result<native::directory> native::open_directory(std::string_view path) const {
    std::string held(path);
    if (path.empty() || path.find('\0') != std::string_view::npos) {
        return fail(errc::invalid_argument, "not the path of a folder; name one", path);
    }
    auto opened = detail::posix::descriptor::open(AT_FDCWD, held.c_str(), O_RDONLY | O_DIRECTORY);
    if (opened.is_open()) return directory(std::move(opened), std::move(held));
    if (errno == ENOTDIR) {
        return fail(errc::invalid_argument, "is not a folder; a store is a folder", path, ENOTDIR);
    }
    return detail::posix::refused(errno, "cannot open the folder", path);
}

inline result<bool> native::make_directory(std::string_view path) const {
    const std::string held(path);
    if (path.empty() || path.find('\0') != std::string_view::npos) {
        return fail(errc::invalid_argument, "not the path of a folder; name one", path);
    }
    const std::string parent = detail::parent_of(path);
    const bool made = ::mkdir(held.c_str(), S_IRWXU) == 0;
    const int code = errno;
    struct stat found = {};
    if (::stat(held.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) {
        if (code == EEXIST) {
            return fail(errc::invalid_argument,
                        "there is something of this name that is no folder; choose another", path,
                        code);
        }
        if (code == ENOENT) {
            return fail(errc::not_found, "cannot make the folder: create " + parent + " first",
                        path, code);
        }
        return detail::posix::refused(code, "cannot make the folder", path);
    }
    // The umask can only have taken bits away (I3).
    if (made && (found.st_mode & S_IRWXU) != S_IRWXU) ::chmod(held.c_str(), S_IRWXU);
    // Also when the folder was there: whoever made it may have ended before this sync.
    const auto above = detail::posix::descriptor::open(AT_FDCWD, detail::joined(path, "..").c_str(),
                                                       O_RDONLY | O_DIRECTORY);
    if (above.is_open() ? detail::posix::sync_folder(above.number()) || (!made && errno == EROFS)
                        : !made) {
        return made;
    }
    return detail::posix::refused_data(errno, "cannot sync the folder", parent, 0);
}

inline result<std::vector<std::string>> native::directory::list() const {
    // An open file of its own: two callers must not share a place in the listing.
    auto opened = detail::posix::descriptor::open(number(), ".", O_RDONLY | O_DIRECTORY);
    ::DIR* const listing = opened.is_open() ? ::fdopendir(opened.number()) : nullptr;
    if (listing == nullptr) return detail::posix::refused(errno, "cannot list the folder", path_);
    opened.release();
    const detail::on_exit closed([listing] { ::closedir(listing); });
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const ::dirent* const entry = ::readdir(listing);
        if (entry == nullptr) break;
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) {
        return detail::posix::refused_data(errno, "cannot list the folder", path_, 0);
    }
    return names;
}

inline result<native::file> native::directory::create(std::string_view name) {
    if (!detail::is_file_name(name)) return no_name(name);
    std::string path = joined(name);
    constexpr int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK;
    auto opened = detail::posix::descriptor::open(number(), std::string(name).c_str(), flags);
    if (!opened.is_open()) {
        const int code = errno;
        return detail::posix::refused(
            code, code == EEXIST ? "a file of this name exists" : "cannot create the file", path);
    }
    // The umask may have taken too much (I3). Refused only where the system keeps no modes.
    static_cast<void>(::fchmod(opened.number(), S_IRUSR | S_IWUSR));
    return file(std::move(opened), std::move(path));
}

inline result<native::file> native::directory::open(std::string_view name, access wanted) {
    if (!detail::is_file_name(name)) return no_name(name);
    std::string path = joined(name);
    const std::string held(name);
    // Without O_NONBLOCK a FIFO would wait for its other end.
    const int flags = (wanted == access::read ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK;
    auto opened = detail::posix::descriptor::open(number(), held.c_str(), flags);
    const int code = errno;
    struct stat found = {};
    if (!opened.is_open()) {
        if (detail::posix::kind_of(code) == errc::invalid_argument &&
            ::fstatat(number(), held.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
            return fail(errc::invalid_argument, detail::posix::name_of_kind(found.st_mode), path,
                        code);
        }
        return detail::posix::refused(code, "cannot open the file", path);
    }
    if (::fstat(opened.number(), &found) != 0) {
        return detail::posix::refused(errno, "cannot ask what this file is", path);
    }
    if (!S_ISREG(found.st_mode)) {
        return fail(errc::invalid_argument, detail::posix::name_of_kind(found.st_mode), path);
    }
    return file(std::move(opened), std::move(path));
}

inline result<void> native::directory::rename(std::string_view from, std::string_view to) {
    if (!detail::is_file_name(from)) return no_name(from);
    if (!detail::is_file_name(to)) return no_name(to);
    const std::string old_name(from);
    const std::string new_name(to);
    if (::renameat(number(), old_name.c_str(), number(), new_name.c_str()) != 0) {
        const int code = errno;
        return detail::posix::refused(code, "cannot rename to \"" + new_name + "\"", joined(from));
    }
    return {};
}

inline result<void> native::directory::remove(std::string_view name) {
    if (!detail::is_file_name(name)) return no_name(name);
    if (::unlinkat(number(), std::string(name).c_str(), 0) != 0) {
        return detail::posix::refused(errno, "cannot remove the file", joined(name));
    }
    return {};
}

inline result<void> native::file::reserve_by_writing(std::uint64_t at, std::uint64_t size) {
    constexpr std::size_t piece = 65536;
    constexpr std::size_t sector = 512;
    const std::vector<std::byte> zeros(piece);
    std::vector<std::byte> there(piece);
    const std::uint64_t end = at + size;
    for (std::size_t asked = 0; at < end; at += asked) {
        asked = end - at < piece ? static_cast<std::size_t>(end - at) : piece;
        auto got = read_at(at, mutable_bytes(there).first(asked));
        if (!got) return got.failure();
        // Sectors that hold anything have blocks already; runs of the others may be holes.
        std::size_t hole = 0;
        for (std::size_t from = 0; from < *got; from += sector) {
            const std::size_t until = (std::min)(from + sector, *got);
            const bytes run = bytes(there).subspan(from, until - from);
            if (equal(run, bytes(zeros).first(run.size()))) continue;
            auto put = write_at(at + hole, bytes(zeros).first(from - hole));
            if (!put) return put;
            hole = until;
        }
        auto put = write_at(at + hole, bytes(zeros).first(asked - hole));
        if (!put) return put;
    }
    reshape();
    return {};
}

inline result<native::mapping> native::file::copy(std::uint64_t at, std::uint64_t held,
                                                  std::uint64_t size) {
    COFFER_ASSERT(at % 65536 == 0, "a copy begins at a multiple of 64 KiB");
    COFFER_ASSERT(held <= size, "a copy has room for what it holds");
    if (auto may = detail::posix::mappable(this->size(), at, held, size, path_); !may)
        return may.failure();
    if (size == 0) return mapping();
    std::byte* const made =
        detail::posix::copied_pages(number(), static_cast<off_t>(at),
                                    static_cast<std::size_t>(held), static_cast<std::size_t>(size));
    if (made == nullptr) {
        return detail::posix::refused_data(errno, "cannot map a copy of the file", path_, at);
    }
    return mapping(made, static_cast<std::size_t>(size), path_, {});
}

inline void native::random(mutable_bytes into) const noexcept {
    std::size_t done = 0;
#if COFFER_OS_LINUX
    while (done < into.size()) {
        const ::ssize_t got = detail::posix::retried(
            [&] { return ::getrandom(into.data() + done, into.size() - done, 0); });
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
#endif
    if (done == into.size()) return;
    const auto source = detail::posix::descriptor::open(AT_FDCWD, "/dev/urandom", O_RDONLY);
    while (source.is_open() && done < into.size()) {
        const ::ssize_t got = detail::posix::retried(
            [&] { return ::read(source.number(), into.data() + done, into.size() - done); });
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    // A system that denies both: the clock, the process and where memory lies have to do.
    std::uint64_t state =
        detail::mix(now() ^ process_id(), reinterpret_cast<std::uintptr_t>(&done));
    for (; done < into.size(); ++done) {
        state = detail::mix(state, now());
        into[done] = static_cast<std::byte>(state >> 32);
    }
}

inline std::uint64_t native::boot_id() const noexcept {
#if COFFER_OS_LINUX
    const auto source =
        detail::posix::descriptor::open(AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY);
    std::byte text[64];
    std::size_t size = 0;
    while (source.is_open() && size < sizeof text) {
        const ::ssize_t got = detail::posix::retried(
            [&] { return ::read(source.number(), text + size, sizeof text - size); });
        if (got <= 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size >= 36) return detail::hash64(bytes(text, 36), 0) | 1;
#endif
    return 0;
}

static_assert(std::is_empty_v<native> && file_system<native>);

}  // namespace fs

}  // namespace coffer

#endif
