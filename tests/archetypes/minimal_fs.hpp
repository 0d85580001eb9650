// tests/archetypes/minimal_fs.hpp: the smallest file system: a simulated disk seen through the
// concept alone. It has no default constructor; its handles can only be moved.
#ifndef COFFER_TESTS_ARCHETYPES_MINIMAL_FS_HPP
#define COFFER_TESTS_ARCHETYPES_MINIMAL_FS_HPP

#include <coffer/fs/concept.hpp>
#include <coffer/fs/simulated.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace archetype {

using coffer::result;

class disk {
    using inner = coffer::fs::simulated;

    /// A result of the disk inside as a result of the type outside.
    template <class Outer, class Inner>
    static result<Outer> wrapped(result<Inner> from) {
        if (!from) return from.failure();
        return Outer(std::move(*from));
    }

public:
    class mapping {
    public:
        explicit mapping(inner::mapping from) : of_(std::move(from)) {}
        std::byte* data() { return of_.data(); }
        std::size_t size() { return of_.size(); }
        void stored(std::uint64_t at, std::uint64_t size) { of_.stored(at, size); }
        result<void> sync(std::uint64_t at, std::uint64_t size) { return of_.sync(at, size); }

    private:
        inner::mapping of_;
    };

    class file {
    public:
        explicit file(inner::file from) : of_(std::move(from)) {}
        std::string_view path() const { return of_.path(); }
        result<std::uint64_t> size() const { return of_.size(); }
        result<std::size_t> read_at(std::uint64_t at, coffer::mutable_bytes into) const {
            return of_.read_at(at, into);
        }
        result<void> write_at(std::uint64_t at, coffer::bytes from) {
            return of_.write_at(at, from);
        }
        result<void> resize(std::uint64_t size) { return of_.resize(size); }
        result<void> reserve(std::uint64_t at, std::uint64_t size) { return of_.reserve(at, size); }
        result<void> sync() { return of_.sync(); }
        result<bool> try_lock() { return of_.try_lock(); }
        result<mapping> map(std::uint64_t at, std::uint64_t size, coffer::fs::access wanted) {
            return wrapped<mapping>(of_.map(at, size, wanted));
        }
        std::uint64_t identity() const { return of_.identity(); }
        result<mapping> copy(std::uint64_t at, std::uint64_t held, std::uint64_t size) {
            return wrapped<mapping>(of_.copy(at, held, size));
        }

    private:
        inner::file of_;
    };

    class directory {
    public:
        explicit directory(inner::directory from) : of_(std::move(from)) {}
        std::string_view path() const { return of_.path(); }
        result<std::vector<std::string>> list() const { return of_.list(); }
        result<file> create(std::string_view name) { return wrapped<file>(of_.create(name)); }
        result<file> open(std::string_view name, coffer::fs::access wanted) {
            return wrapped<file>(of_.open(name, wanted));
        }
        result<void> rename(std::string_view from, std::string_view to) {
            return of_.rename(from, to);
        }
        result<void> remove(std::string_view name) { return of_.remove(name); }
        result<void> sync() { return of_.sync(); }
        result<std::uint64_t> free_bytes() const { return of_.free_bytes(); }
        bool is_remote() const { return of_.is_remote(); }

    private:
        inner::directory of_;
    };

    class fork_mark {
    public:
        explicit fork_mark(const disk& system) : of_(system.of_) {}
        fork_mark(const fork_mark&) = delete;
        fork_mark& operator=(const fork_mark&) = delete;
        bool forked() const { return of_.forked(); }

    private:
        inner::fork_mark of_;
    };

    explicit disk(inner of) : of_(std::move(of)) {}

    result<directory> open_directory(std::string_view path) {
        return wrapped<directory>(of_.open_directory(path));
    }
    result<bool> make_directory(std::string_view path) { return of_.make_directory(path); }
    std::uint64_t now() { return of_.now(); }
    std::uint64_t coarse_now() { return of_.coarse_now(); }
    template <class Condition, class Lock>
    void wait_until(Condition& condition, Lock& lock, std::uint64_t deadline) {
        of_.wait_until(condition, lock, deadline);
    }
    void random(coffer::mutable_bytes into) { of_.random(into); }
    std::uint64_t boot_id() { return of_.boot_id(); }
    std::uint64_t process_id() { return of_.process_id(); }

private:
    inner of_;
};

static_assert(coffer::file_system<disk>);

}  // namespace archetype

#endif
