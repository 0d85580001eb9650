// coffer/fs/simulated.hpp: a disk in memory that can lose power.
//
// A `simulated` is a handle; its copies speak of the same disk, and a default one begins an empty
// disk with the folder "/". To the library it is a file system like `native`. To a test it is more:
//
//     coffer::fs::simulated disk;                       // give it to the store, let it work, then
//     disk.for_each_crash_state(crash_profile::p2, {}, [](coffer::fs::simulated after) {
//         ...                                           // open the store on `after` and judge it
//     });
//
// | control                          | what it is for                                          |
// |----------------------------------|---------------------------------------------------------|
// | `process_killed()`               | the disk as the next process finds it, on the same boot |
// | `for_each_crash_state(p, l, f)`  | every disk that a power cut at this moment can leave    |
// | `crash_state(p, l, number)`      | one of those again                                      |
// | `set_step_hook(f)`               | a look at each change before it happens                 |
// | `fail_call(n, fault, kind)`      | the n-th call from now fails, is late or cut short      |
// | `set_sync_failure(mode)`         | what a failed sync of a file leaves behind              |
// | `set_capacity(bytes)`            | a disk that becomes full                                |
// | `advance(ns)`                    | the clock, which stands still otherwise                 |
// | `set_traced(on)`, `take_trace()` | the calls made                                          |
// | `image_hash()`                   | equal for disks with the same files                     |
// | `is_durable(path)`, ...          | assertions about order                                  |
// | `flip`, `write_file`, ...        | damage behind the back of whoever has the file open     |
//
// A disk that comes out of a crash is independent: nothing is open or locked on it, it has neither
// hook nor faults nor trace, and what still runs on the old disk cannot reach it.
//
// I1  Closing makes nothing durable; a sync of a file does not make its name durable.
// I2  What a program stores through a mapping counts when it says stored(); the mapping's memory is
//     what every other call sees.
//
// Threads: any. Cost: memory for what was written and for each change since the last sync; reserved
// space costs nothing until it is mapped for writing. After a crash all of a file counts as
// reserved. A mapping longer than its file once was, made while a shorter one lives, is another
// block: stores through one show in the other after stored(), and in the file at the end of either.
#ifndef COFFER_FS_SIMULATED_HPP
#define COFFER_FS_SIMULATED_HPP

#include <coffer/config/assert.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/result.hpp>
#include <coffer/fs/calls.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/fs/path.hpp>
#include <coffer/fs/simulated_crash.hpp>
#include <coffer/fs/simulated_disk.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coffer::fs {

class simulated : public detail::call_controls<simulated> {
    friend detail::call_controls<simulated>;

public:
    class mapping;
    class file;
    class directory;
    class fork_mark;

    simulated() : simulated(1) {}
    /// All randomness of the disk follows from `seed`.
    explicit simulated(std::uint64_t seed) : disk_(std::make_shared<detail::sim::disk>(seed)) {}

    // The file system.

    [[nodiscard]] result<directory> open_directory(std::string_view path) const;
    [[nodiscard]] result<bool> make_directory(std::string_view path) const {
        return disk_->make_folder(path);
    }
    [[nodiscard]] std::uint64_t now() const noexcept { return disk_->now(); }
    [[nodiscard]] std::uint64_t coarse_now() const noexcept { return now(); }
    /// Waits a millisecond of real time at most, since somebody else may move the clock.
    template <class Condition, class Lock>
    void wait_until(Condition& condition, Lock& lock, std::uint64_t deadline) const {
        if (now() < deadline) condition.wait_for(lock, std::chrono::milliseconds(1));
    }
    void random(mutable_bytes into) const noexcept { disk_->random(into); }
    [[nodiscard]] std::uint64_t boot_id() const noexcept { return disk_->boot_id(); }
    [[nodiscard]] std::uint64_t process_id() const noexcept { return 4242; }

    // Crashes.

    /// The process ends here: what the system had accepted is there, synced or not. What is not
    /// durable yet can still be lost by a power cut of the new disk.
    [[nodiscard]] simulated process_killed() const { return simulated(disk_->killed()); }

    /// Calls `f(simulated)` or `f(simulated, const std::string& told)` for every state that a power
    /// cut at this moment can leave, each once; `told` says what reached the disk. If `f` returns
    /// a bool, false stops.
    template <class F>
    crash_statistics for_each_crash_state(const crash_profile& profile, const crash_limits& limits,
                                          F&& f) const;

    /// The state that for_each_crash_state shows as number `number`, from 0. None: there are fewer.
    [[nodiscard]] std::optional<simulated> crash_state(const crash_profile& profile,
                                                       const crash_limits& limits,
                                                       std::uint64_t number) const;

    /// Only what is durable is there.
    [[nodiscard]] simulated power_lost() const {
        return crash_state(crash_profile::p1, crash_limits{}, 0).value();
    }

    // Faults; steps, calls and their numbers are call_controls' (fs/calls.hpp).

    void set_sync_failure(sync_failure mode) const {
        disk_->with_volume([&](auto& volume) { volume.set_sync_failure(mode); });
    }

    // The machine.

    void set_capacity(std::uint64_t bytes_in_all) const {
        disk_->with_volume([&](auto& volume) { volume.set_capacity(bytes_in_all); });
    }
    void advance(std::uint64_t nanoseconds) const noexcept { disk_->advance(nanoseconds); }
    /// Every folder of this disk says so from now on.
    void pretend_remote(bool on) const noexcept { disk_->set_remote(on); }
    /// Every fork_mark of this disk says so from now on.
    void pretend_forked(bool on) const noexcept { disk_->set_forked(on); }

    /// Equal for disks on which every file has the same name and bytes, durable or not.
    [[nodiscard]] std::uint64_t image_hash() const {
        return disk_->with_volume(
            [](const detail::sim::volume& volume) { return volume.now().hash(); });
    }

    // What is durable. A name that is absent, or a range beyond the end, is not.

    /// The name, the size and every byte.
    [[nodiscard]] bool is_durable(std::string_view path) const;
    [[nodiscard]] bool is_durable(std::string_view path, std::uint64_t at,
                                  std::uint64_t size) const;
    [[nodiscard]] bool is_name_durable(std::string_view path) const {
        return disk_->with_volume([&](auto& volume) { return volume.is_name_durable(path); });
    }
    /// Bytes of the file that were written since its last sync; all changes of the disk.
    [[nodiscard]] std::uint64_t unsynced_bytes(std::string_view path) const;
    [[nodiscard]] std::size_t unsynced_changes() const {
        return disk_->with_volume([](auto& volume) { return volume.unsynced_changes(); });
    }

    // Behind the calls: neither steps nor faults. What is changed is durable at once.

    /// The paths of all files.
    [[nodiscard]] std::vector<std::string> files() const {
        return disk_->with_volume([](auto& volume) { return volume.files(); });
    }
    [[nodiscard]] std::optional<std::vector<std::byte>> read_file(std::string_view path) const;
    /// Makes the file if its folder exists.
    bool write_file(std::string_view path, bytes all) const;
    bool cut_file(std::string_view path, std::uint64_t size) const;
    bool remove_file(std::string_view path) const;
    /// Turns the bits of `mask` in one byte.
    bool flip(std::string_view path, std::uint64_t at, std::byte mask) const;
    /// Makes everything durable.
    void settle() const {
        disk_->with_volume([](auto& volume) { volume.settle(); });
    }

    friend bool operator==(const simulated&, const simulated&) = default;  // the same disk

private:
    explicit simulated(std::shared_ptr<detail::sim::disk> disk) noexcept : disk_(std::move(disk)) {}
    [[nodiscard]] detail::call_watch& watch() const noexcept { return disk_->watch(); }

    /// `f(volume&, node_id)` of a file; an empty value if there is none of this path.
    template <class F>
    auto with_file(std::string_view path, F f) const {
        return disk_->with_volume([&](detail::sim::volume& volume) {
            const detail::sim::node_id found = volume.file_at(path);
            if (found == detail::sim::nowhere) return decltype(f(volume, found)){};
            return f(volume, found);
        });
    }

    std::shared_ptr<detail::sim::disk> disk_;
};

class simulated::mapping {
public:
    mapping() noexcept = default;
    mapping(std::shared_ptr<detail::sim::disk> disk, std::shared_ptr<detail::sim::block> block,
            detail::sim::node_id of, std::string path, std::uint64_t at, std::size_t size,
            bool writable) noexcept
        : disk_(std::move(disk)),
          block_(std::move(block)),
          of_(of),
          path_(std::move(path)),
          at_(at),
          size_(size),
          writable_(writable) {}
    mapping(mapping&& other) noexcept { *this = std::move(other); }
    mapping& operator=(mapping&& other) noexcept {
        std::swap(disk_, other.disk_);
        std::swap(block_, other.block_);
        std::swap(of_, other.of_);
        std::swap(path_, other.path_);
        std::swap(at_, other.at_);
        std::swap(size_, other.size_);
        std::swap(writable_, other.writable_);
        return *this;
    }
    ~mapping() {
        if (block_) disk_->unmap(of_, *block_, at_, size_, writable_);
    }

    [[nodiscard]] std::byte* data() noexcept { return block_ ? block_->data() + at_ : nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void stored(std::uint64_t at, std::uint64_t size) {
        COFFER_ASSERT(at <= size_ && size <= size_ - at, "a store outside of the mapping");
        COFFER_ASSERT(writable_ || size == 0, "a store through a mapping for reading");
        if (size != 0) disk_->stored(of_, path_, *block_, at_ + at, size);
    }
    [[nodiscard]] result<void> sync(std::uint64_t at, std::uint64_t size) {
        COFFER_ASSERT(at <= size_ && size <= size_ - at, "sync outside of the mapping");
        if (size == 0) return {};
        return disk_->sync_map(of_, path_, at_ + at, size);
    }

private:
    std::shared_ptr<detail::sim::disk> disk_;
    std::shared_ptr<detail::sim::block> block_;
    detail::sim::node_id of_ = 0;
    std::string path_;
    std::uint64_t at_ = 0;
    std::size_t size_ = 0;
    bool writable_ = false;
};

class simulated::file {
public:
    file(std::shared_ptr<detail::sim::disk> disk, detail::sim::node_id of, std::string path,
         access wanted) noexcept
        : disk_(std::move(disk)), of_(of), path_(std::move(path)), access_(wanted) {}
    file(file&& other) noexcept
        : disk_(std::move(other.disk_)),
          of_(other.of_),
          path_(std::move(other.path_)),
          access_(other.access_),
          locked_(other.locked_) {}
    file& operator=(file&& other) noexcept {
        std::swap(disk_, other.disk_);
        std::swap(of_, other.of_);
        std::swap(path_, other.path_);
        std::swap(access_, other.access_);
        std::swap(locked_, other.locked_);
        return *this;
    }
    ~file() {
        if (disk_) disk_->close(of_, locked_);
    }

    [[nodiscard]] std::string_view path() const noexcept { return path_; }
    [[nodiscard]] result<std::uint64_t> size() const { return disk_->size(of_, path_); }
    [[nodiscard]] result<std::size_t> read_at(std::uint64_t at, mutable_bytes into) const {
        return disk_->read(of_, path_, at, into);
    }
    [[nodiscard]] result<void> write_at(std::uint64_t at, bytes from) {
        if (access_ == access::read) return for_reading();
        return disk_->write(of_, path_, at, from);
    }
    [[nodiscard]] result<void> resize(std::uint64_t size) {
        if (access_ == access::read) return for_reading();
        return disk_->resize(of_, path_, size);
    }
    [[nodiscard]] result<void> reserve(std::uint64_t at, std::uint64_t size) {
        if (access_ == access::read) return for_reading();
        return disk_->reserve(of_, path_, at, size);
    }
    [[nodiscard]] result<void> sync() { return disk_->sync(of_, path_); }
    [[nodiscard]] std::uint64_t identity() const noexcept { return of_ + std::uint64_t{1}; }
    [[nodiscard]] result<bool> try_lock() {
        auto answer = disk_->try_lock(of_, path_, locked_);
        if (answer && *answer) locked_ = true;
        return answer;
    }
    [[nodiscard]] result<mapping> map(std::uint64_t at, std::uint64_t size, access wanted) {
        COFFER_ASSERT(at % 65536 == 0, "a mapping begins at a multiple of 64 KiB");
        const bool writable = wanted == access::write;
        if (writable && access_ == access::read) {
            return fail(errc::permission_denied, "the file is open for reading only", path_,
                        EACCES);
        }
        auto block = disk_->map(of_, path_, at, size, writable);
        if (!block) return block.failure();
        return mapping(disk_, std::move(*block), of_, path_, at, static_cast<std::size_t>(size),
                       writable);
    }

    [[nodiscard]] result<mapping> copy(std::uint64_t at, std::uint64_t held, std::uint64_t size) {
        COFFER_ASSERT(at % 65536 == 0, "a copy begins at a multiple of 64 KiB");
        COFFER_ASSERT(held <= size, "a copy has room for what it holds");
        auto block = disk_->copy(of_, path_, at, held, size);
        if (!block) return block.failure();
        return mapping(disk_, std::move(*block), of_, path_, 0, static_cast<std::size_t>(size),
                       false);
    }

private:
    [[nodiscard]] failure for_reading() const {
        return fail(errc::io_error, "the file is open for reading only", path_, EBADF);
    }

    std::shared_ptr<detail::sim::disk> disk_;
    detail::sim::node_id of_;
    std::string path_;
    access access_;
    bool locked_ = false;
};

class simulated::directory {
public:
    directory(std::shared_ptr<detail::sim::disk> disk, detail::sim::node_id folder,
              std::string path) noexcept
        : disk_(std::move(disk)), folder_(folder), path_(std::move(path)) {}
    directory(directory&&) noexcept = default;
    directory& operator=(directory&&) noexcept = default;
    ~directory() = default;

    [[nodiscard]] std::string_view path() const noexcept { return path_; }
    [[nodiscard]] result<std::vector<std::string>> list() const {
        return disk_->list(folder_, path_);
    }
    [[nodiscard]] result<file> create(std::string_view name) {
        if (!detail::is_file_name(name)) return no_name(name);
        std::string path = detail::joined(path_, name);
        auto made = disk_->create(folder_, name, path);
        if (!made) return made.failure();
        return file(disk_, *made, std::move(path), access::write);
    }
    [[nodiscard]] result<file> open(std::string_view name, access wanted) {
        if (!detail::is_file_name(name)) return no_name(name);
        std::string path = detail::joined(path_, name);
        auto found = disk_->open(folder_, name, path);
        if (!found) return found.failure();
        return file(disk_, *found, std::move(path), wanted);
    }
    [[nodiscard]] result<void> rename(std::string_view from, std::string_view to) {
        if (!detail::is_file_name(from)) return no_name(from);
        if (!detail::is_file_name(to)) return no_name(to);
        return disk_->rename(folder_, path_, from, to);
    }
    [[nodiscard]] result<void> remove(std::string_view name) {
        if (!detail::is_file_name(name)) return no_name(name);
        return disk_->remove(folder_, name, detail::joined(path_, name));
    }
    [[nodiscard]] result<void> sync() { return disk_->sync_folder(folder_, path_); }
    [[nodiscard]] result<std::uint64_t> free_bytes() const { return disk_->free_bytes(path_); }
    [[nodiscard]] bool is_remote() const noexcept { return disk_->remote(); }

private:
    [[nodiscard]] failure no_name(std::string_view name) const {
        return fail(errc::invalid_argument, "not the name of a file in a folder",
                    detail::joined(path_, name));
    }

    std::shared_ptr<detail::sim::disk> disk_;
    detail::sim::node_id folder_;
    std::string path_;
};

/// One made without a disk never says that it was forked.
class simulated::fork_mark {
public:
    fork_mark() noexcept = default;
    explicit fork_mark(const simulated& system) noexcept : disk_(system.disk_) {}

    [[nodiscard]] bool forked() const noexcept { return disk_ && disk_->forked(); }

private:
    std::shared_ptr<detail::sim::disk> disk_;
};

inline result<simulated::directory> simulated::open_directory(std::string_view path) const {
    auto found = disk_->open_folder(path);
    if (!found) return found.failure();
    return directory(disk_, *found, std::string(path));
}

template <class F>
crash_statistics simulated::for_each_crash_state(const crash_profile& profile,
                                                 const crash_limits& limits, F&& f) const {
    namespace sim = detail::sim;
    sim::remains now = disk_->with_volume([](sim::volume& volume) { return volume.snapshot(); });
    sim::crash_states states(std::move(now.durable), now.journal, profile, limits,
                             std::move(now.removed));
    return states.visit([&](sim::tree state, const sim::crash_choice& choice) {
        simulated after(disk_->restarted(std::move(state)));
        const auto shown = [&] {
            if constexpr (std::is_invocable_v<F&, simulated, const std::string&>) {
                return f(std::move(after), states.told(choice, now.names));
            } else {
                return f(std::move(after));
            }
        };
        if constexpr (std::is_same_v<decltype(shown()), bool>) {
            return shown();
        } else {
            shown();
            return true;
        }
    });
}

inline std::optional<simulated> simulated::crash_state(const crash_profile& profile,
                                                       const crash_limits& limits,
                                                       std::uint64_t number) const {
    std::optional<simulated> found;
    for_each_crash_state(profile, limits, [&](simulated after) {
        if (number-- == 0) found = std::move(after);
        return !found;
    });
    return found;
}

inline bool simulated::is_durable(std::string_view path) const {
    return with_file(path, [&](detail::sim::volume& volume, detail::sim::node_id of) {
        const std::uint64_t size = volume.held(of).size();
        return volume.is_name_durable(path) && volume.durable(of).size() == size &&
               volume.is_durable(of, 0, size);
    });
}

inline bool simulated::is_durable(std::string_view path, std::uint64_t at,
                                  std::uint64_t size) const {
    return with_file(path, [&](detail::sim::volume& volume, detail::sim::node_id of) {
        return volume.is_durable(of, at, size);
    });
}

inline std::uint64_t simulated::unsynced_bytes(std::string_view path) const {
    return with_file(path, [](detail::sim::volume& volume, detail::sim::node_id of) {
        return volume.unsynced_bytes(of);
    });
}

inline std::optional<std::vector<std::byte>> simulated::read_file(std::string_view path) const {
    return with_file(path, [](detail::sim::volume& volume, detail::sim::node_id of) {
        std::vector<std::byte> all(static_cast<std::size_t>(volume.held(of).size()));
        volume.held(of).read(0, all);
        return std::optional(std::move(all));
    });
}

inline bool simulated::write_file(std::string_view path, bytes all) const {
    disk_->with_volume([&](detail::sim::volume& volume) { return volume.plant(path); });
    return with_file(path, [&](detail::sim::volume& volume, detail::sim::node_id of) {
        volume.tamper_size(of, 0);
        volume.tamper(of, 0, all);
        return true;
    });
}

inline bool simulated::cut_file(std::string_view path, std::uint64_t size) const {
    return with_file(path, [&](detail::sim::volume& volume, detail::sim::node_id of) {
        volume.tamper_size(of, size);
        return true;
    });
}

inline bool simulated::remove_file(std::string_view path) const {
    return disk_->with_volume([&](detail::sim::volume& volume) { return volume.pluck(path); });
}

inline bool simulated::flip(std::string_view path, std::uint64_t at, std::byte mask) const {
    return with_file(path, [&](detail::sim::volume& volume, detail::sim::node_id of) {
        if (at >= volume.held(of).size()) return false;
        std::byte flipped[1];
        volume.held(of).read(at, flipped);
        flipped[0] ^= mask;
        volume.tamper(of, at, flipped);
        return true;
    });
}

static_assert(file_system<simulated>);

}  // namespace coffer::fs

#endif
