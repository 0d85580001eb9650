// coffer/fs/concept.hpp: the file-system axis. Who does the I/O?
//
// Files of bytes with no meaning. All input and output of the library goes through this concept,
// and so do its clock, its randomness and its knowledge of the process: a policy that replaces it
// sees, and can fail, every step. Policies: `native` (the operating system), `simulated` (a disk
// in memory that can lose power) and `faulty` (any of them, with calls that go wrong).
//
// A policy is a cheap handle, copyable and movable; its copies speak of the same file system. Every
// call may be made from any thread; two calls on the same file may overlap. Failures are `result`s
// whose error carries the operation, the path and the system's code: `no_space` for a full disk or
// quota, `permission_denied` for access and read-only media, `not_found` for an absent name,
// `locked` never (try_lock answers false), `invalid_argument` for a name that is no regular file
// (a symbolic link, a FIFO, a folder where a file was expected), `io_error` for the rest.
// Interrupted and partial system calls are continued inside; they never show.
//
// | expression                    | result                    | promise                                        |
// |-------------------------------|---------------------------|------------------------------------------------|
// | `fs.open_directory(path)`     | result<FS::directory>     | not_found when absent                          |
// | `fs.make_directory(path)`     | result<bool>              | one level, mode 0700; false: it was there; the parent is synced either way, since whoever made it may have ended before |
// | `fs.now()`                    | std::uint64_t             | monotonic nanoseconds                          |
// | `fs.coarse_now()`             | std::uint64_t             | now(), or some milliseconds earlier: what a clock that costs nothing says |
// | `fs.wait_until(c, lock, t)`   | void                      | waits on condition `c` until notified or now() >= t; may return early |
// | `fs.random(span)`             | void                      | fills with unpredictable bytes                 |
// | `fs.boot_id()`                | std::uint64_t             | equal as long as the kernel runs; 0: unknown   |
// | `fs.process_id()`             | std::uint64_t             | for messages                                   |
// | `FS::fork_mark`               | type                      | made from `fs`; `forked()`: is this another process than at construction; one load where the system allows |
// | `dir.path()`                  | std::string_view          | as given, for messages                         |
// | `dir.list()`                  | result<vector<string>>    | every name but . and ..                        |
// | `dir.create(name)`            | result<FS::file>          | invalid_argument if the name exists; mode 0600 |
// | `dir.open(name, access)`      | result<FS::file>          | regular files only, links not followed; never blocks |
// | `dir.rename(from, to)`        | result<void>              | atomic, replaces `to`                          |
// | `dir.remove(name)`            | result<void>              | not_found when absent                          |
// | `dir.sync()`                  | result<void>              | names made, replaced and removed are durable   |
// | `dir.free_bytes()`            | result<std::uint64_t>     | what an ordinary user may still write          |
// | `dir.is_remote()`             | bool                      | another machine holds the files, as far as the system says |
// | `file.path()`                 | std::string_view          | for messages                                   |
// | `file.size()`                 | result<std::uint64_t>     | bytes                                          |
// | `file.read_at(o, span)`       | result<std::size_t>       | fewer than asked only where the file ends      |
// | `file.write_at(o, bytes)`     | result<void>              | all of them, or an error; grows the file       |
// | `file.resize(n)`              | result<void>              | cuts, or grows with zeros                      |
// | `file.reserve(o, n)`          | result<void>              | blocks for [o, o+n) are allocated and zero where unwritten; grows the file; a later write there cannot lack space |
// | `file.sync()`                 | result<void>              | data and what is needed to read it are durable |
// | `file.identity()`             | std::uint64_t             | of this file on this mount, as long as the kernel runs: a copy has another; 0: unknown |
// | `file.try_lock()`             | result<bool>              | exclusive, by the kernel, of the open file: also against this process; goes with the file |
// | `file.map(o, n, access)`      | result<FS::mapping>       | `o` a multiple of 64 KiB; the file must hold [o, o+n) |
// | `file.copy(o, n, size)`       | result<FS::mapping>       | memory of its own of `size` bytes, aligned to 64: [o, o+n) of the file, which must hold it, and zeros behind; `o` a multiple of 64 KiB. What is stored there stays there. Made page by page, when it is touched, where the system can |
// | `map.data()`, `map.size()`    | std::byte*, std::size_t   | stays valid until the mapping is destroyed     |
// | `map.stored(o, n)`            | void                      | the caller has stored to [o, o+n): a simulated disk takes note |
// | `map.sync(o, n)`              | result<void>              | what was stored there is durable               |
//
// Handles are movable and close on destruction; closing makes nothing durable.
#ifndef COFFER_FS_CONCEPT_HPP
#define COFFER_FS_CONCEPT_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer {

namespace fs {

enum class access { read, write };  // write: read and write

}  // namespace fs

namespace detail::need {

/// A condition and a lock on it, as the library's own: to check that a file system can wait.
using fs_condition = threading::multi::condition;
using fs_lock = lock_of<threading::multi::mutex>;

template <class FS>
concept fs_types = requires {
    typename FS::directory;
    typename FS::file;
    typename FS::mapping;
    typename FS::fork_mark;
};
template <class FS>
concept fs_open_directory = requires(FS& fs, std::string_view path) {
    { fs.open_directory(path) } -> std::same_as<result<typename FS::directory>>;
};
template <class FS>
concept fs_make_directory = requires(FS& fs, std::string_view path) {
    { fs.make_directory(path) } -> std::same_as<result<bool>>;
};
template <class FS>
concept fs_now = requires(FS& fs) {
    { fs.now() } -> std::same_as<std::uint64_t>;
};
template <class FS>
concept fs_coarse_now = requires(FS& fs) {
    { fs.coarse_now() } -> std::same_as<std::uint64_t>;
};
template <class FS>
concept fs_wait_until = requires(FS& fs, fs_condition& condition, fs_lock& lock) {
    fs.wait_until(condition, lock, std::uint64_t{});
};
template <class FS>
concept fs_random = requires(FS& fs) { fs.random(mutable_bytes()); };
template <class FS>
concept fs_boot_id = requires(FS& fs) {
    { fs.boot_id() } -> std::same_as<std::uint64_t>;
};
template <class FS>
concept fs_process_id = requires(FS& fs) {
    { fs.process_id() } -> std::same_as<std::uint64_t>;
};
template <class FS>
concept fs_fork_mark = std::constructible_from<typename FS::fork_mark, const FS&> &&
                       requires(const typename FS::fork_mark& mark) {
                           { mark.forked() } -> std::same_as<bool>;
                       };

template <class D>
concept directory_path = requires(const D& dir) {
    { dir.path() } -> std::convertible_to<std::string_view>;
};
template <class D>
concept directory_list = requires(const D& dir) {
    { dir.list() } -> std::same_as<result<std::vector<std::string>>>;
};
template <class D, class F>
concept directory_create = requires(D& dir, std::string_view name) {
    { dir.create(name) } -> std::same_as<result<F>>;
};
template <class D, class F>
concept directory_open = requires(D& dir, std::string_view name) {
    { dir.open(name, fs::access::read) } -> std::same_as<result<F>>;
};
template <class D>
concept directory_rename = requires(D& dir, std::string_view name) {
    { dir.rename(name, name) } -> std::same_as<result<void>>;
};
template <class D>
concept directory_remove = requires(D& dir, std::string_view name) {
    { dir.remove(name) } -> std::same_as<result<void>>;
};
template <class D>
concept directory_sync = requires(D& dir) {
    { dir.sync() } -> std::same_as<result<void>>;
};
template <class D>
concept directory_free_bytes = requires(const D& dir) {
    { dir.free_bytes() } -> std::same_as<result<std::uint64_t>>;
};
template <class D>
concept directory_is_remote = requires(const D& dir) {
    { dir.is_remote() } -> std::same_as<bool>;
};

template <class F>
concept file_path = requires(const F& file) {
    { file.path() } -> std::convertible_to<std::string_view>;
};
template <class F>
concept file_size = requires(const F& file) {
    { file.size() } -> std::same_as<result<std::uint64_t>>;
};
template <class F>
concept file_read_at = requires(const F& file, std::uint64_t at, mutable_bytes into) {
    { file.read_at(at, into) } -> std::same_as<result<std::size_t>>;
};
template <class F>
concept file_write_at = requires(F& file, std::uint64_t at, bytes from) {
    { file.write_at(at, from) } -> std::same_as<result<void>>;
};
template <class F>
concept file_resize = requires(F& file, std::uint64_t size) {
    { file.resize(size) } -> std::same_as<result<void>>;
};
template <class F>
concept file_reserve = requires(F& file, std::uint64_t at) {
    { file.reserve(at, at) } -> std::same_as<result<void>>;
};
template <class F>
concept file_sync = requires(F& file) {
    { file.sync() } -> std::same_as<result<void>>;
};
template <class F>
concept file_identity = requires(const F& file) {
    { file.identity() } -> std::same_as<std::uint64_t>;
};
template <class F>
concept file_try_lock = requires(F& file) {
    { file.try_lock() } -> std::same_as<result<bool>>;
};
template <class F, class M>
concept file_map = requires(F& file, std::uint64_t at) {
    { file.map(at, at, fs::access::read) } -> std::same_as<result<M>>;
};

template <class F, class M>
concept file_copy = requires(F& file, std::uint64_t at) {
    { file.copy(at, at, at) } -> std::same_as<result<M>>;
};

template <class M>
concept mapping_data = requires(M& map) {
    { map.data() } -> std::same_as<std::byte*>;
};
template <class M>
concept mapping_size = requires(M& map) {
    { map.size() } -> std::convertible_to<std::size_t>;
};
template <class M>
concept mapping_stored = requires(M& map, std::uint64_t at) { map.stored(at, at); };
template <class M>
concept mapping_sync = requires(M& map, std::uint64_t at) {
    { map.sync(at, at) } -> std::same_as<result<void>>;
};

template <class M>
concept mapping =
    std::movable<M> && mapping_data<M> && mapping_size<M> && mapping_stored<M> && mapping_sync<M>;

template <class F, class M>
concept file = std::movable<F> && file_path<F> && file_size<F> && file_read_at<F> &&
               file_write_at<F> && file_resize<F> && file_reserve<F> && file_sync<F> &&
               file_identity<F> && file_try_lock<F> && file_map<F, M> && file_copy<F, M>;

template <class D, class F>
concept directory =
    std::movable<D> && directory_path<D> && directory_list<D> && directory_create<D, F> &&
    directory_open<D, F> && directory_rename<D> && directory_remove<D> && directory_sync<D> &&
    directory_free_bytes<D> && directory_is_remote<D>;

template <class FS>
concept fs_members =
    fs_open_directory<FS> && fs_make_directory<FS> && fs_now<FS> && fs_coarse_now<FS> &&
    fs_wait_until<FS> && fs_random<FS> && fs_boot_id<FS> && fs_process_id<FS> && fs_fork_mark<FS>;

}  // namespace detail::need

template <class FS>
concept file_system = std::copyable<FS> && detail::need::fs_types<FS> &&
                      detail::need::fs_members<FS> && detail::need::mapping<typename FS::mapping> &&
                      detail::need::file<typename FS::file, typename FS::mapping> &&
                      detail::need::directory<typename FS::directory, typename FS::file>;

namespace detail {

template <class D, class F>
consteval void explain_directory() {
    static_assert(std::movable<D>, "a coffer file system needs a directory that is movable");
    static_assert(need::directory_path<D>,
                  "a coffer file system needs  std::string_view directory::path() const");
    static_assert(need::directory_list<D>,
                  "a coffer file system needs  "
                  "result<std::vector<std::string>> directory::list() const");
    static_assert(need::directory_create<D, F>,
                  "a coffer file system needs  result<file> directory::create(std::string_view)");
    static_assert(need::directory_open<D, F>,
                  "a coffer file system needs  "
                  "result<file> directory::open(std::string_view, fs::access)");
    static_assert(need::directory_rename<D>,
                  "a coffer file system needs  "
                  "result<void> directory::rename(std::string_view, std::string_view)");
    static_assert(need::directory_remove<D>,
                  "a coffer file system needs  result<void> directory::remove(std::string_view)");
    static_assert(need::directory_sync<D>,
                  "a coffer file system needs  result<void> directory::sync()");
    static_assert(
        need::directory_free_bytes<D>,
        "a coffer file system needs  result<std::uint64_t> directory::free_bytes() const");
    static_assert(need::directory_is_remote<D>,
                  "a coffer file system needs  bool directory::is_remote() const; it may return "
                  "false");
}

template <class F, class M>
consteval void explain_file() {
    static_assert(std::movable<F>, "a coffer file system needs a file that is movable");
    static_assert(need::file_path<F>,
                  "a coffer file system needs  std::string_view file::path() const");
    static_assert(need::file_size<F>,
                  "a coffer file system needs  result<std::uint64_t> file::size() const");
    static_assert(need::file_read_at<F>,
                  "a coffer file system needs  "
                  "result<std::size_t> file::read_at(std::uint64_t, mutable_bytes) const");
    static_assert(need::file_write_at<F>,
                  "a coffer file system needs  result<void> file::write_at(std::uint64_t, bytes)");
    static_assert(need::file_resize<F>,
                  "a coffer file system needs  result<void> file::resize(std::uint64_t)");
    static_assert(need::file_reserve<F>,
                  "a coffer file system needs  "
                  "result<void> file::reserve(std::uint64_t, std::uint64_t)");
    static_assert(need::file_sync<F>, "a coffer file system needs  result<void> file::sync()");
    static_assert(need::file_identity<F>,
                  "a coffer file system needs  std::uint64_t file::identity() const");
    static_assert(need::file_try_lock<F>,
                  "a coffer file system needs  result<bool> file::try_lock()");
    static_assert(need::file_map<F, M>,
                  "a coffer file system needs  "
                  "result<mapping> file::map(std::uint64_t, std::uint64_t, fs::access)");
    static_assert(need::file_copy<F, M>,
                  "a coffer file system needs  "
                  "result<mapping> file::copy(std::uint64_t, std::uint64_t, std::uint64_t)");
}

template <class M>
consteval void explain_mapping() {
    static_assert(std::movable<M>, "a coffer file system needs a mapping that is movable");
    static_assert(need::mapping_data<M>, "a coffer file system needs  std::byte* mapping::data()");
    static_assert(need::mapping_size<M>, "a coffer file system needs  std::size_t mapping::size()");
    static_assert(need::mapping_stored<M>,
                  "a coffer file system needs  "
                  "void mapping::stored(std::uint64_t, std::uint64_t)");
    static_assert(need::mapping_sync<M>,
                  "a coffer file system needs  "
                  "result<void> mapping::sync(std::uint64_t, std::uint64_t)");
}

template <class FS>
consteval void explain_fs_members() {
    static_assert(need::fs_open_directory<FS>,
                  "a coffer file system needs  result<directory> open_directory(std::string_view)");
    static_assert(need::fs_make_directory<FS>,
                  "a coffer file system needs  result<bool> make_directory(std::string_view)");
    static_assert(need::fs_now<FS>, "a coffer file system needs  std::uint64_t now()");
    static_assert(need::fs_coarse_now<FS>,
                  "a coffer file system needs  std::uint64_t coarse_now(); it may return now()");
    static_assert(need::fs_wait_until<FS>,
                  "a coffer file system needs  "
                  "void wait_until(condition&, lock&, std::uint64_t), for any condition and lock");
    static_assert(need::fs_random<FS>, "a coffer file system needs  void random(mutable_bytes)");
    static_assert(need::fs_boot_id<FS>, "a coffer file system needs  std::uint64_t boot_id()");
    static_assert(need::fs_process_id<FS>,
                  "a coffer file system needs  std::uint64_t process_id()");
    static_assert(need::fs_fork_mark<FS>,
                  "a coffer file system needs  class fork_mark, made from the file system, with  "
                  "bool forked() const");
}

}  // namespace detail

/// Does not compile unless file_system<FS>, and says what FS lacks.
template <class FS>
consteval bool explain_file_system() {
    static_assert(std::copyable<FS>,
                  "a coffer file system is a handle that can be copied and assigned");
    static_assert(detail::need::fs_types<FS>,
                  "a coffer file system needs  class directory, file, mapping and fork_mark");
    if constexpr (detail::need::fs_types<FS>) {
        detail::explain_fs_members<FS>();
        detail::explain_directory<typename FS::directory, typename FS::file>();
        detail::explain_file<typename FS::file, typename FS::mapping>();
        detail::explain_mapping<typename FS::mapping>();
    }
    return file_system<FS>;
}

}  // namespace coffer

#endif
