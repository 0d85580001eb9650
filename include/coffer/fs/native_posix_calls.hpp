// coffer/fs/native_posix_calls.hpp: what `fs::native` needs of POSIX before there are files.
//
// Clocks, descriptors that close themselves, system calls that are tried again after a signal,
// syncs that reach the medium, private copies of pages, which file systems are another machine's,
// and errno told as a coffer error.
#ifndef COFFER_FS_NATIVE_POSIX_CALLS_HPP
#define COFFER_FS_NATIVE_POSIX_CALLS_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/memory.hpp>
#include <coffer/core/result.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#if COFFER_OS_LINUX
#include <sys/vfs.h>
#elif COFFER_OS_APPLE
#include <sys/mount.h>
#include <sys/param.h>
#endif

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace coffer::detail::posix {

/// A clock that is some milliseconds behind, where the system has one that costs nothing.
#if defined(CLOCK_MONOTONIC_COARSE)
inline constexpr ::clockid_t coarse_clock = CLOCK_MONOTONIC_COARSE;
#else
inline constexpr ::clockid_t coarse_clock = CLOCK_MONOTONIC;
#endif

[[nodiscard]] inline std::uint64_t nanoseconds_of(::clockid_t clock) noexcept {
    struct timespec time = {};
    ::clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_nsec);
}

/// Of the file and of the mount on which it was opened; 0: unknown. A file system that was taken
/// away and mounted again may have another content, and so may a snapshot of it. Before Linux 6.8 a
/// mount may have the number of one that was ended, so that a disk which lost writes and came back
/// is not told from itself.
[[nodiscard]] inline std::uint64_t identity_of(int file) noexcept {
#if COFFER_OS_LINUX && defined(STATX_MNT_ID)
    constexpr unsigned unique_mount = 0x4000;  // STATX_MNT_ID_UNIQUE, of Linux 6.8
    struct statx found = {};
    if (::statx(file, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME | STATX_MNT_ID | unique_mount,
                &found) == 0) {
        if ((found.stx_mask & (STATX_MNT_ID | unique_mount)) == 0) return 0;
        const auto birth = static_cast<std::uint64_t>(found.stx_btime.tv_sec) ^
                           std::uint64_t{found.stx_btime.tv_nsec} << 34;
        return mix(mix(found.stx_ino, birth),
                   mix(found.stx_mnt_id, std::uint64_t{found.stx_dev_major} << 32 |
                                             std::uint64_t{found.stx_dev_minor})) |
               1;
    }
#endif
    struct stat seen = {};
    if (::fstat(file, &seen) != 0) return 0;
    return mix(static_cast<std::uint64_t>(seen.st_ino), static_cast<std::uint64_t>(seen.st_dev)) |
           1;
}

/// Do the files of this kind of Linux file system lie on another machine, or on a disk that others
/// share? By statfs(2), what the kernel's ceph and afs say themselves, and coreutils' stat.c. FUSE
/// and 9p are left out: a container or a virtual machine may have nothing else.
[[nodiscard]] constexpr bool is_network(std::uint32_t type) noexcept {
    switch (type) {
        case 0x6969:      // NFS
        case 0x517B:      // SMB, smbfs
        case 0xFF534D42:  // SMB, cifs
        case 0xFE534D42:  // SMB 2 and later
        case 0x564C:      // NCP
        case 0x5346414F:  // AFS, OpenAFS
        case 0x6B414653:  // AFS, the kernel's
        case 0x73757245:  // Coda
        case 0x00C36400:  // Ceph
        case 0x0BD00BD0:  // Lustre
        case 0x47504653:  // GPFS
        case 0x19830326:  // BeeGFS
        case 0xAAD7AAEA:  // PanFS
        case 0x7461636F:  // OCFS2
        case 0x01161970:  // GFS2
        case 0xBEEFDEAD:  // StorNext
        case 0x61636673:  // ACFS
        case 0xBACBACBC:  // VMware's shared folders
        case 0x786F4256:  // VirtualBox's
        case 0x7C7C6673:  // Parallels'
            return true;
        default:
            return false;
    }
}

/// Does another machine hold the files of this folder? False where the system does not say.
[[nodiscard]] inline bool is_remote(int folder) noexcept {
#if COFFER_OS_LINUX
    struct statfs found = {};
    return ::fstatfs(folder, &found) == 0 && is_network(static_cast<std::uint32_t>(found.f_type));
#elif COFFER_OS_APPLE
    struct statfs found = {};
    return ::fstatfs(folder, &found) == 0 && (found.f_flags & MNT_LOCAL) == 0;
#else
    static_cast<void>(folder);
    return false;
#endif
}

#if COFFER_OS_LINUX
/// Reserves blocks; the errno, or 0. tmpfs begins anew when a signal interrupts it: then a part at
/// a time, so that a program with a timer gets on.
[[nodiscard]] inline int allocate(int file, std::uint64_t at, std::uint64_t size) noexcept {
    constexpr std::uint64_t least = std::uint64_t{1} << 20;
    for (std::uint64_t step = size; size != 0;) {
        step = (std::min)(step, size);
        if (::fallocate(file, 0, static_cast<off_t>(at), static_cast<off_t>(step)) == 0) {
            at += step;
            size -= step;
        } else if (errno == EINTR) {
            step = (std::max)(step / 2, least);
        } else {
            return errno;
        }
    }
    return 0;
}
#endif

/// Which kind of failure an errno is.
[[nodiscard]] inline errc kind_of(int code) noexcept {
    switch (code) {
        case ENOENT:
            return errc::not_found;
        case EACCES:
        case EPERM:
        case EROFS:
            return errc::permission_denied;
        case ENOSPC:
        case EDQUOT:
        case EFBIG:  // the limit of file size that was set for this process
            return errc::no_space;
        case ELOOP:
        case EMLINK:
        case ENOTDIR:
        case EISDIR:
        case ENXIO:
        case EINVAL:
        case EEXIST:
        case ENAMETOOLONG:
            return errc::invalid_argument;
        default:
            return errc::io_error;
    }
}

/// `what` is the operation that failed; what to do next follows from the kind.
[[nodiscard]] COFFER_NOINLINE inline failure refused(
    int code, std::string_view what, std::string_view path,
    std::optional<std::uint64_t> offset = std::nullopt) {
    const errc kind = kind_of(code);
    std::string sentence(what);
    if (kind == errc::no_space) sentence += "; free some space, or raise the quota or limit";
    if (code == ENOTDIR) sentence += "; a part of the path before the last is no folder";
    if (code == ENAMETOOLONG) sentence += "; choose a shorter path";
    if (code == EROFS) {
        sentence += "; what is there can be read with open_read_only()";
    } else if (kind == errc::permission_denied) {
        sentence += "; check who owns the folder and its mode";
    }
    if (code == EMFILE || code == ENFILE) sentence += "; raise the limit of open files";
    return fail(kind, sentence, path, code, offset);
}

/// EINVAL that a data call answers says nothing of a name: it is the device that refuses.
[[nodiscard]] COFFER_NOINLINE inline failure refused_data(int code, std::string_view what,
                                                          std::string_view path,
                                                          std::uint64_t offset) {
    if (kind_of(code) == errc::invalid_argument) {
        return fail(errc::io_error, what, path, code, offset);
    }
    return refused(code, what, path, offset);
}

/// Repeats a call that a signal interrupts; not a sync, which has failed then and is not repeated.
template <class Call>
auto retried(Call call) noexcept {
    auto answer = call();
    while (answer == -1 && errno == EINTR) answer = call();
    return answer;
}

class descriptor {
public:
    descriptor() noexcept = default;
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept
        : number_(std::exchange(other.number_, -1)), locker_(std::exchange(other.locker_, 0)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        std::swap(locker_, other.locker_);
        return *this;
    }
    ~descriptor() {
        if (number_ < 0) return;
        // A forked child has the same open file: it would keep the lock, and is not to end it.
        if (locker_ != 0 && locker_ == ::getpid()) ::flock(number_, LOCK_UN);
        ::close(number_);  // never again: the number may be another file by now
    }

    /// Locks the open file until this ends in the process that asks. False, with errno set: it did
    /// not.
    [[nodiscard]] bool try_lock() noexcept {
        if (retried([&] { return ::flock(number_, LOCK_EX | LOCK_NB); }) != 0) return false;
        locker_ = ::getpid();
        return true;
    }

    [[nodiscard]] int number() const noexcept { return number_; }
    [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }

    /// Opens `name` in `folder`, closed on exec and under a number above 2. Not open, with errno
    /// set, when the system refuses.
    [[nodiscard]] static descriptor open(int folder, const char* name, int flags) noexcept {
        constexpr mode_t owner_only = S_IRUSR | S_IWUSR;
        descriptor opened(
            retried([&] { return ::openat(folder, name, flags | O_CLOEXEC, owner_only); }));
        if (opened.number_ < 0 || opened.number_ > 2) return opened;
        return opened.twin();
    }

    /// Leaves the closing to somebody else.
    void release() noexcept { number_ = -1; }

    /// The same open file under another number, which is no standard stream.
    [[nodiscard]] descriptor twin() const noexcept {
        return descriptor(retried([&] { return ::fcntl(number_, F_DUPFD_CLOEXEC, 3); }));
    }

private:
    int number_ = -1;
    ::pid_t locker_ = 0;  // whose lock it is
};

[[nodiscard]] inline int sync_all(int number) noexcept {
#if COFFER_OS_APPLE
    const int full = ::fcntl(number, F_FULLFSYNC);
    if (full == 0 || (errno != ENOTSUP && errno != EINVAL && errno != ENOTTY)) return full;
#endif
    return ::fsync(number);
}

[[nodiscard]] inline int sync_data(int number) noexcept {
#if COFFER_OS_LINUX
    return ::fdatasync(number);
#else
    return sync_all(number);
#endif
}

/// Some network file systems refuse to sync a folder because they have nothing to sync.
[[nodiscard]] inline bool sync_folder(int number) noexcept {
    return sync_all(number) == 0 || errno == EINVAL || errno == ENOTSUP;
}

[[nodiscard]] inline const char* name_of_kind(mode_t mode) noexcept {
    if (S_ISDIR(mode)) return "is a folder, not a regular file; choose another name";
    if (S_ISLNK(mode)) return "is a symbolic link, which is not followed; put the file itself here";
    if (S_ISFIFO(mode)) return "is a FIFO, not a regular file; remove it";
    if (S_ISSOCK(mode)) return "is a socket, not a regular file; remove it";
    return "is a device, not a regular file; remove it";
}

/// May [at, at + size) be named to the system?
[[nodiscard]] inline bool addressable(std::uint64_t at, std::uint64_t size) noexcept {
    constexpr auto most = static_cast<std::uint64_t>((std::numeric_limits<off_t>::max)());
    return at <= most && size <= most - at;
}

[[nodiscard]] COFFER_NOINLINE inline failure beyond(std::string_view path, std::uint64_t at) {
    return fail(errc::too_large,
                sizeof(off_t) < 8 ? "beyond 2 GiB; compile with -D_FILE_OFFSET_BITS=64"
                                  : "no file is this long",
                path, EFBIG, at);
}

/// Does a file of `all` bytes hold [at, at + held), and can the machine map `size` bytes?
[[nodiscard]] inline result<void> mappable(result<std::uint64_t> all, std::uint64_t at,
                                           std::uint64_t held, std::uint64_t size,
                                           std::string_view path) {
    if (!all) return all.failure();
    if (at > *all || held > *all - at) {
        return fail(errc::invalid_argument, "the file ends before the range to map", path, 0, at);
    }
    if (size > (std::numeric_limits<std::size_t>::max)()) {
        return fail(errc::too_large, "more than this machine can map", path, 0, at);
    }
    return {};
}

/// Private memory of `size` bytes that begins with [at, at + held) of a file; null with errno when
/// there is none. Where it can be, it lies on huge pages.
[[nodiscard]] inline std::byte* copied_pages(int number, off_t at, std::size_t held,
                                             std::size_t size) noexcept {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const auto whole = [page](std::size_t bytes) { return (bytes + page - 1) / page * page; };
    const std::size_t alignment = alignment_of(size);
    const std::size_t spare = alignment > page ? alignment : 0;
    constexpr int may = PROT_READ | PROT_WRITE;
    void* const raw = ::mmap(nullptr, whole(size) + spare, may, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) return nullptr;
    std::byte* const begin = aligned_up(raw, alignment);
    const auto before = static_cast<std::size_t>(begin - static_cast<std::byte*>(raw));
    if (before != 0) ::munmap(raw, before);
    if (spare != before) ::munmap(begin + whole(size), spare - before);
    if (held != 0 &&
        ::mmap(begin, whole(held), may, MAP_PRIVATE | MAP_FIXED, number, at) == MAP_FAILED) {
        const int code = errno;
        ::munmap(begin, whole(size));
        errno = code;
        return nullptr;
    }
    prefer_huge_pages(begin, size);
    std::memset(begin + held, 0, whole(held) - held);
    return begin;
}

}  // namespace coffer::detail::posix

#endif
