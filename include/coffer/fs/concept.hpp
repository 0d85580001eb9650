// coffer/fs/concept.hpp: the file-system axis. Who does the I/O?
//
// Files of bytes with no meaning. All input and output of the library goes through this concept,
// and so do its clock, its randomness and its knowledge of the process: a policy that replaces it
// sees, and can fail, every step. Policies: `native` (the operating system) and `simulated` (a disk
// in memory that can lose power).
//
// A policy is a cheap handle, copyable and movable; its copies speak of the same file system. Every
// call may be made from any thread; two calls on the same file may overlap. Failures are `result`s
// whose error carries the operation, the path and the system's code: `no_space` for a full disk or
// quota, `permission_denied` for access and read-only media, `not_found` for an absent name,
// `locked` never (try_lock answers false), `invalid_argument` for a name that is no regular file
// (a symbolic link, a FIFO, a folder where a file was expected), `io_error` for the rest.
// Interrupted and partial system calls are continued inside; they never show.
//
// | expression                    | result                    | promise |
// |-------------------------------|---------------------------|------------------------------------------------|
// | `fs.open_directory(path)`     | result<FS::directory>     | not_found when absent | |
// `fs.make_directory(path)`     | result<bool>              | one level, mode 0700; false: it was
// there; the parent is synced when made | | `fs.now()`                    | std::uint64_t |
// monotonic nanoseconds                          | | `fs.wait_until(c, lock, t)`   | void | waits
// on condition `c` until notified or now() >= t; may return early | | `fs.random(span)` | void |
// fills with unpredictable bytes                 | | `fs.boot_id()`                | std::uint64_t
// | equal as long as the kernel runs; 0: unknown   | | `fs.process_id()`             |
// std::uint64_t             | for messages                                   | | `FS::fork_mark` |
// type                      | `forked()`: is this another process than at construction; one load
// where the system allows | | `dir.path()`                  | std::string_view          | as given,
// for messages                         | | `dir.list()`                  | result<vector<string>>
// | every name but . and ..                        | | `dir.create(name)`            |
// result<FS::file>          | invalid_argument if the name exists; mode 0600 | | `dir.open(name,
// access)`      | result<FS::file>          | regular files only, links not followed; never blocks
// | | `dir.rename(from, to)`        | result<void>              | atomic, replaces `to` | |
// `dir.remove(name)`            | result<void>              | not_found when absent | |
// `dir.sync()`                  | result<void>              | names made, replaced and removed are
// durable   | | `dir.free_bytes()`            | result<std::uint64_t>     | what an ordinary user
// may still write          | | `file.path()`                 | std::string_view          | for
// messages                                   | | `file.size()`                 |
// result<std::uint64_t>     | bytes                                          | | `file.read_at(o,
// span)`       | result<std::size_t>       | fewer than asked only where the file ends      | |
// `file.write_at(o, bytes)`     | result<void>              | all of them, or an error; grows the
// file       | | `file.resize(n)`              | result<void>              | cuts, or grows with
// zeros                      | | `file.reserve(o, n)`          | result<void>              | blocks
// for [o, o+n) are allocated and zero where unwritten; grows the file; a later write there cannot
// lack space | | `file.sync()`                 | result<void>              | data and what is
// needed to read it are durable | | `file.try_lock()`             | result<bool>              |
// exclusive, by the kernel, of the open file: also against this process; goes with the file | |
// `file.map(o, n, access)`      | result<FS::mapping>       | `o` a multiple of 64 KiB; the file
// must hold [o, o+n) | | `map.data()`, `map.size()`    | std::byte*, std::size_t   | stays valid
// until the mapping is destroyed     | | `map.stored(o, n)`            | void | the caller has
// stored to [o, o+n): a simulated disk takes note | | `map.sync(o, n)`              | result<void>
// | what was stored there is durable               |
//
// Handles are movable and close on destruction; closing makes nothing durable.
#ifndef COFFER_FS_CONCEPT_HPP
#define COFFER_FS_CONCEPT_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/result.hpp>

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

template <class M>
concept mapping = std::movable<M> && requires(M& map, std::uint64_t at) {
    { map.data() } -> std::same_as<std::byte*>;
    { map.size() } -> std::convertible_to<std::size_t>;
    map.stored(at, at);
    { map.sync(at, at) } -> std::same_as<result<void>>;
};

template <class F>
concept file = std::movable<F> &&
               requires(F& file, const F& shown, std::uint64_t at, mutable_bytes into, bytes from) {
                   { shown.path() } -> std::convertible_to<std::string_view>;
                   { shown.size() } -> std::same_as<result<std::uint64_t>>;
                   { shown.read_at(at, into) } -> std::same_as<result<std::size_t>>;
                   { file.write_at(at, from) } -> std::same_as<result<void>>;
                   { file.resize(at) } -> std::same_as<result<void>>;
                   { file.reserve(at, at) } -> std::same_as<result<void>>;
                   { file.sync() } -> std::same_as<result<void>>;
                   { file.try_lock() } -> std::same_as<result<bool>>;
               };

template <class D>
concept directory = std::movable<D> && requires(D& dir, const D& shown, std::string_view name) {
    { shown.path() } -> std::convertible_to<std::string_view>;
    { shown.list() } -> std::same_as<result<std::vector<std::string>>>;
    { dir.rename(name, name) } -> std::same_as<result<void>>;
    { dir.remove(name) } -> std::same_as<result<void>>;
    { dir.sync() } -> std::same_as<result<void>>;
    { shown.free_bytes() } -> std::same_as<result<std::uint64_t>>;
};

}  // namespace detail::need

template <class FS>
concept file_system =
    std::copyable<FS> && detail::need::file<typename FS::file> &&
    detail::need::directory<typename FS::directory> &&
    detail::need::mapping<typename FS::mapping> &&
    requires(FS& system, typename FS::directory& dir, typename FS::file& file,
             std::string_view name, std::uint64_t at, const typename FS::fork_mark& mark) {
        { system.open_directory(name) } -> std::same_as<result<typename FS::directory>>;
        { system.make_directory(name) } -> std::same_as<result<bool>>;
        { dir.create(name) } -> std::same_as<result<typename FS::file>>;
        { dir.open(name, fs::access::read) } -> std::same_as<result<typename FS::file>>;
        { file.map(at, at, fs::access::read) } -> std::same_as<result<typename FS::mapping>>;
        { system.now() } -> std::same_as<std::uint64_t>;
        { system.boot_id() } -> std::same_as<std::uint64_t>;
        { system.process_id() } -> std::same_as<std::uint64_t>;
        system.random(mutable_bytes());
        { mark.forked() } -> std::same_as<bool>;
    };

}  // namespace coffer

#endif
