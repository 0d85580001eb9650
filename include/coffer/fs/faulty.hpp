// coffer/fs/faulty.hpp: any file system, with calls that go wrong when they are told to.
//
// A `faulty<FS>` is a handle over an `FS`; its copies speak of the same file system and the same
// faults. A store on `faulty<native>` works in a real folder, and a test decides what fails there:
//
//     coffer::fs::faulty<coffer::fs::native> disk;      // give it to the store, let it work, then
//     disk.fail_call(1, {coffer::errc::no_space, ENOSPC}, coffer::fs::call::write);
//     ...                                               // the next write to a file finds no space
//
// | control                          | what it is for                                          |
// |----------------------------------|---------------------------------------------------------|
// | `fail_call(n, fault, kind)`      | the n-th call from now fails, is late or cut short      |
// | `clear_faults()`, `faults()`     | nothing more goes wrong; how much has                   |
// | `set_step_hook(f)`               | a look at each change before it happens                 |
// | `set_traced(on)`, `take_trace()` | the calls made                                          |
// | `inner()`                        | the file system below, for what is to go right          |
//
// A call that fails does not reach `FS`; a write that is cut short does, with the bytes that it is
// left. What a failed sync leaves on a real disk is the kernel's secret: `simulated` knows more.
// Without a fault every call is `FS`'s own, with its errors and its promises.
//
// Threads: any. A call that is late waits by the clock of `FS`. Cost: a lock around each look at
// the faults, none around the call itself.
#ifndef COFFER_FS_FAULTY_HPP
#define COFFER_FS_FAULTY_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/fs/calls.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/fs/path.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer::detail {

/// A file system and the watch over its calls, as the files and folders of it share them.
template <class FS>
class watched {
    using told = std::optional<fs::fault>;

public:
    explicit watched(FS inner) : inner_(std::move(inner)) {}

    [[nodiscard]] FS& inner() noexcept { return inner_; }
    [[nodiscard]] call_watch& watch() noexcept { return watch_; }

    /// call_watch::begin, with the wait that it asks for.
    [[nodiscard]] told begin(fs::call is, std::string_view path, std::string_view to = {},
                             std::uint64_t at = 0, std::uint64_t size = 0) {
        return watch_.begin([this](std::uint64_t delay) { wait(delay); }, is, path, to, at, size);
    }
    /// The answer of `call()`, or the fault that is due.
    template <class Call>
    [[nodiscard]] auto answer(const told& due, std::string_view path, std::uint64_t at, Call&& call)
        -> decltype(call()) {
        if (due) return refused(*due, path, at);
        return call();
    }

    [[nodiscard]] static failure refused(const fs::fault& due, std::string_view path,
                                         std::uint64_t at) {
        return fail(due.code, "this call was told to fail; clear_faults() ends that", path,
                    due.os_code, at);
    }

private:
    void wait(std::uint64_t delay) {
        threading::multi::mutex mutex;
        threading::multi::condition never_notified;
        lock_of<threading::multi::mutex> hold(mutex);
        const std::uint64_t until = inner_.now() + delay;
        while (inner_.now() < until) inner_.wait_until(never_notified, hold, until);
    }

    FS inner_;
    call_watch watch_;
};

}  // namespace coffer::detail

namespace coffer::fs {

template <file_system FS>
class faulty : public detail::call_controls<faulty<FS>> {
    friend detail::call_controls<faulty<FS>>;
    using shared = std::shared_ptr<detail::watched<FS>>;

public:
    class mapping;
    class file;
    class directory;
    class fork_mark;

    faulty() : faulty(FS{}) {}
    explicit faulty(FS inner) : shared_(std::make_shared<detail::watched<FS>>(std::move(inner))) {}

    [[nodiscard]] FS& inner() const noexcept { return shared_->inner(); }

    [[nodiscard]] result<directory> open_directory(std::string_view path) const {
        if (const auto due = shared_->begin(call::open_directory, path))
            return shared_->refused(*due, path, 0);
        auto opened = inner().open_directory(path);
        if (!opened) return opened.failure();
        return directory(shared_, std::move(*opened));
    }
    [[nodiscard]] result<bool> make_directory(std::string_view path) const {
        return shared_->answer(shared_->begin(call::make_directory, path), path, 0,
                               [&] { return inner().make_directory(path); });
    }
    [[nodiscard]] std::uint64_t now() const { return inner().now(); }
    [[nodiscard]] std::uint64_t coarse_now() const { return inner().coarse_now(); }
    template <class Condition, class Lock>
    void wait_until(Condition& condition, Lock& lock, std::uint64_t deadline) const {
        inner().wait_until(condition, lock, deadline);
    }
    void random(mutable_bytes into) const { inner().random(into); }
    [[nodiscard]] std::uint64_t boot_id() const { return inner().boot_id(); }
    [[nodiscard]] std::uint64_t process_id() const { return inner().process_id(); }

    friend bool operator==(const faulty&, const faulty&) = default;  // the same faults

private:
    [[nodiscard]] detail::call_watch& watch() const noexcept { return shared_->watch(); }

    shared shared_;
};

template <file_system FS>
class faulty<FS>::mapping {
public:
    mapping(shared of, typename FS::mapping inner, std::string path, std::uint64_t at) noexcept
        : shared_(std::move(of)), inner_(std::move(inner)), path_(std::move(path)), at_(at) {}

    [[nodiscard]] std::byte* data() noexcept { return inner_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return inner_.size(); }
    void stored(std::uint64_t at, std::uint64_t size) {
        inner_.stored(at, size);
        if (size != 0) static_cast<void>(shared_->begin(call::stored, path_, {}, at_ + at, size));
    }
    [[nodiscard]] result<void> sync(std::uint64_t at, std::uint64_t size) {
        if (size == 0) return inner_.sync(at, size);
        return shared_->answer(shared_->begin(call::sync_map, path_, {}, at_ + at, size), path_,
                               at_ + at, [&] { return inner_.sync(at, size); });
    }

private:
    shared shared_;
    typename FS::mapping inner_;
    std::string path_;
    std::uint64_t at_ = 0;
};

template <file_system FS>
class faulty<FS>::file {
public:
    file(shared of, typename FS::file inner) noexcept
        : shared_(std::move(of)), inner_(std::move(inner)) {}

    [[nodiscard]] std::string_view path() const noexcept { return inner_.path(); }
    [[nodiscard]] result<std::uint64_t> size() const {
        return shared_->answer(shared_->begin(call::size, path()), path(), 0,
                               [&] { return inner_.size(); });
    }
    [[nodiscard]] result<std::size_t> read_at(std::uint64_t at, mutable_bytes into) const {
        const auto due = shared_->begin(call::read, path(), {}, at, into.size());
        if (due && !due->carried_out) return shared_->refused(*due, path(), at);
        if (due) into = into.first(static_cast<std::size_t>(due->length));
        return inner_.read_at(at, into);
    }
    [[nodiscard]] result<void> write_at(std::uint64_t at, bytes from) {
        const auto due = shared_->begin(call::write, path(), {}, at, from.size());
        if (!due) return inner_.write_at(at, from);
        if (due->length != 0) {
            const bytes part = from.first(
                static_cast<std::size_t>(due->length < from.size() ? due->length : from.size()));
            if (auto stored = inner_.write_at(at, part); !stored) return stored;
        }
        return shared_->refused(*due, path(), at);
    }
    [[nodiscard]] result<void> resize(std::uint64_t size) {
        return shared_->answer(shared_->begin(call::resize, path(), {}, size), path(), size,
                               [&] { return inner_.resize(size); });
    }
    [[nodiscard]] result<void> reserve(std::uint64_t at, std::uint64_t size) {
        return shared_->answer(shared_->begin(call::reserve, path(), {}, at, size), path(), at,
                               [&] { return inner_.reserve(at, size); });
    }
    [[nodiscard]] result<void> sync() {
        return shared_->answer(shared_->begin(call::sync, path()), path(), 0,
                               [&] { return inner_.sync(); });
    }
    [[nodiscard]] std::uint64_t identity() const noexcept { return inner_.identity(); }
    [[nodiscard]] result<bool> try_lock() {
        return shared_->answer(shared_->begin(call::lock, path()), path(), 0,
                               [&] { return inner_.try_lock(); });
    }
    [[nodiscard]] result<mapping> map(std::uint64_t at, std::uint64_t size, access wanted) {
        return mapped(at, at, size, [&] { return inner_.map(at, size, wanted); });
    }
    [[nodiscard]] result<mapping> copy(std::uint64_t at, std::uint64_t held, std::uint64_t size) {
        return mapped(at, 0, held, [&] { return inner_.copy(at, held, size); });
    }

private:
    /// `base`: where in the file, for messages, the memory begins.
    template <class Call>
    [[nodiscard]] result<mapping> mapped(std::uint64_t at, std::uint64_t base, std::uint64_t size,
                                         Call&& call_inner) {
        if (const auto due = shared_->begin(call::map, path(), {}, at, size))
            return shared_->refused(*due, path(), at);
        auto made = call_inner();
        if (!made) return made.failure();
        return mapping(shared_, std::move(*made), std::string(path()), base);
    }

    shared shared_;
    typename FS::file inner_;
};

template <file_system FS>
class faulty<FS>::directory {
public:
    directory(shared of, typename FS::directory inner) noexcept
        : shared_(std::move(of)), inner_(std::move(inner)) {}

    [[nodiscard]] std::string_view path() const noexcept { return inner_.path(); }
    [[nodiscard]] result<std::vector<std::string>> list() const {
        return shared_->answer(shared_->begin(call::list, path()), path(), 0,
                               [&] { return inner_.list(); });
    }
    [[nodiscard]] result<file> create(std::string_view name) {
        return handle(call::create, name, [&] { return inner_.create(name); });
    }
    [[nodiscard]] result<file> open(std::string_view name, access wanted) {
        return handle(call::open, name, [&] { return inner_.open(name, wanted); });
    }
    [[nodiscard]] result<void> rename(std::string_view from, std::string_view to) {
        const std::string whole = detail::joined(path(), from);
        return shared_->answer(shared_->begin(call::rename, whole, to), whole, 0,
                               [&] { return inner_.rename(from, to); });
    }
    [[nodiscard]] result<void> remove(std::string_view name) {
        const std::string whole = detail::joined(path(), name);
        return shared_->answer(shared_->begin(call::remove, whole), whole, 0,
                               [&] { return inner_.remove(name); });
    }
    [[nodiscard]] result<void> sync() {
        return shared_->answer(shared_->begin(call::sync_directory, path()), path(), 0,
                               [&] { return inner_.sync(); });
    }
    [[nodiscard]] result<std::uint64_t> free_bytes() const {
        return shared_->answer(shared_->begin(call::free_bytes, path()), path(), 0,
                               [&] { return inner_.free_bytes(); });
    }
    [[nodiscard]] bool is_remote() const { return inner_.is_remote(); }

private:
    template <class Call>
    [[nodiscard]] result<file> handle(call is, std::string_view name, Call&& call_inner) {
        const std::string whole = detail::joined(path(), name);
        if (const auto due = shared_->begin(is, whole)) return shared_->refused(*due, whole, 0);
        auto opened = call_inner();
        if (!opened) return opened.failure();
        return file(shared_, std::move(*opened));
    }

    shared shared_;
    typename FS::directory inner_;
};

template <file_system FS>
class faulty<FS>::fork_mark {
public:
    fork_mark()
        requires std::default_initializable<typename FS::fork_mark>
    = default;
    explicit fork_mark(const faulty& system) : inner_(system.inner()) {}

    [[nodiscard]] bool forked() const noexcept { return inner_.forked(); }

private:
    typename FS::fork_mark inner_;
};

}  // namespace coffer::fs

#endif
