// coffer/fs/simulated_disk.hpp: the calls of a simulated disk, and the machine around it.
//
// Each call is first a step (counted, shown to the hook, perhaps told to fail) and then, under the
// disk's lock, a change of its volume. What can go wrong on a real system goes wrong here with the
// same kind of error and the same errno.
//
// Threads: any; one lock around every call, except around the hook. That lock and the one of the
// steps are `threading::multi`'s whatever the store's threading policy is: a disk is shared, and
// which of two calls comes first is decided before they reach it.
#ifndef COFFER_FS_SIMULATED_DISK_HPP
#define COFFER_FS_SIMULATED_DISK_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/fs/calls.hpp>
#include <coffer/fs/path.hpp>
#include <coffer/fs/simulated_tree.hpp>
#include <coffer/fs/simulated_volume.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer::detail::sim {

class disk {
    using locked = lock_of<threading::multi::mutex>;
    template <class T>
    using atomic = threading::multi::atomic<T>;

public:
    explicit disk(std::uint64_t seed) : random_(mix(seed, 0)), boot_(mix(seed, 1) | 1) {}
    disk(const disk& parent, volume held, std::uint64_t boot)
        : volume_(std::move(held)),
          time_(parent.time_.load()),
          random_(parent.random_.load()),
          boot_(boot) {}
    disk& operator=(const disk&) = delete;
    ~disk() = default;

    [[nodiscard]] call_watch& watch() noexcept { return watch_; }

    /// Calls `f(volume&)` under the lock.
    template <class F>
    auto with_volume(F f) {
        const locked held(guard_);
        return f(volume_);
    }

    // Folders.
    [[nodiscard]] result<node_id> open_folder(std::string_view path);
    [[nodiscard]] result<bool> make_folder(std::string_view path);
    [[nodiscard]] result<std::vector<std::string>> list(node_id folder, std::string_view path);
    [[nodiscard]] result<std::uint64_t> free_bytes(std::string_view path);
    [[nodiscard]] result<node_id> create(node_id folder, std::string_view name,
                                         const std::string& path);
    [[nodiscard]] result<node_id> open(node_id folder, std::string_view name,
                                       const std::string& path);
    [[nodiscard]] result<void> rename(node_id folder, std::string_view folder_path,
                                      std::string_view from, std::string_view to);
    [[nodiscard]] result<void> remove(node_id folder, std::string_view name,
                                      const std::string& path);
    [[nodiscard]] result<void> sync_folder(node_id folder, std::string_view path);

    // Files.
    [[nodiscard]] result<std::uint64_t> size(node_id of, std::string_view path);
    [[nodiscard]] result<std::size_t> read(node_id of, std::string_view path, std::uint64_t at,
                                           mutable_bytes into);
    [[nodiscard]] result<void> write(node_id of, std::string_view path, std::uint64_t at,
                                     bytes from);
    [[nodiscard]] result<void> resize(node_id of, std::string_view path, std::uint64_t size);
    [[nodiscard]] result<void> reserve(node_id of, std::string_view path, std::uint64_t at,
                                       std::uint64_t size);
    [[nodiscard]] result<void> sync(node_id of, std::string_view path);
    [[nodiscard]] result<bool> try_lock(node_id of, std::string_view path, bool mine);
    void close(node_id of, bool holds_lock) noexcept;

    // Mappings.
    [[nodiscard]] result<std::shared_ptr<block>> map(node_id of, std::string_view path,
                                                     std::uint64_t at, std::uint64_t size,
                                                     bool writable);
    /// A block that no file has.
    [[nodiscard]] result<std::shared_ptr<block>> copy(node_id of, std::string_view path,
                                                      std::uint64_t at, std::uint64_t held,
                                                      std::uint64_t size);
    void unmap(node_id of, block& mapped, std::uint64_t at, std::uint64_t size, bool writable);
    void stored(node_id of, std::string_view path, block& mapped, std::uint64_t at,
                std::uint64_t size);
    [[nodiscard]] result<void> sync_map(node_id of, std::string_view path, std::uint64_t at,
                                        std::uint64_t size);

    // The machine.
    [[nodiscard]] std::uint64_t now() const noexcept { return time_.load(); }
    void advance(std::uint64_t nanoseconds) noexcept { time_.fetch_add(nanoseconds); }
    [[nodiscard]] std::uint64_t boot_id() const noexcept { return boot_; }
    void random(mutable_bytes into) noexcept {
        for (std::byte& each : into) {
            each = static_cast<std::byte>(mix(random_.fetch_add(1), hash_keys[3]) >> 56);
        }
    }
    void set_forked(bool on) noexcept { forked_.store(on); }
    [[nodiscard]] bool forked() const noexcept { return forked_.load(); }
    void set_remote(bool on) noexcept { remote_.store(on); }
    [[nodiscard]] bool remote() const noexcept { return remote_.load(); }

    // Crashes: another disk, on which nothing is open.
    [[nodiscard]] std::shared_ptr<disk> killed() {
        const locked held(guard_);
        return std::make_shared<disk>(*this, volume_.killed(), boot_);
    }
    [[nodiscard]] std::shared_ptr<disk> restarted(tree state) {
        const locked held(guard_);
        return std::make_shared<disk>(*this, volume_.restarted(std::move(state)),
                                      mix(boot_, 2) | 1);
    }

private:
    using offset = std::optional<std::uint64_t>;

    /// call_watch::begin; a call that is late moves the clock.
    [[nodiscard]] std::optional<fs::fault> begin(fs::call is, std::string_view path,
                                                 std::string_view to = {}, std::uint64_t at = 0,
                                                 std::uint64_t size = 0) {
        return watch_.begin([&](std::uint64_t delay) { advance(delay); }, is, path, to, at, size);
    }

    [[nodiscard]] static failure refused(const fs::fault& told, std::string_view path,
                                         offset at = std::nullopt) {
        return fail(told.code, "the simulated disk was told to fail this call", path, told.os_code,
                    at);
    }
    [[nodiscard]] static failure missing(std::string_view path) {
        return fail(errc::not_found, "there is nothing of this name", path, ENOENT);
    }
    [[nodiscard]] static failure a_folder(std::string_view path) {
        return fail(errc::invalid_argument, "is a folder, not a regular file; choose another name",
                    path, EISDIR);
    }
    [[nodiscard]] static failure full(std::string_view path, std::uint64_t at) {
        return fail(errc::no_space, "the simulated disk is full; free some space", path, ENOSPC,
                    at);
    }
    [[nodiscard]] static failure beyond(std::string_view path, std::uint64_t at) {
        return fail(errc::too_large, "no file is this long", path, EFBIG, at);
    }
    [[nodiscard]] static bool addressable(std::uint64_t at, std::uint64_t size) noexcept {
        return at <= INT64_MAX && size <= INT64_MAX - at;
    }
    [[nodiscard]] result<void> sync_part(node_id of, std::string_view path, fs::call is,
                                         std::uint64_t at, std::uint64_t end);

    call_watch watch_;
    threading::multi::mutex guard_;
    volume volume_;
    atomic<std::uint64_t> time_{1'000'000'000};
    atomic<std::uint64_t> random_;
    atomic<bool> forked_{false};
    atomic<bool> remote_{false};
    std::uint64_t boot_;
};

inline result<node_id> disk::open_folder(std::string_view path) {
    if (const auto told = begin(fs::call::open_directory, path)) return refused(*told, path);
    if (path.empty() || path.find('\0') != std::string_view::npos) {
        return fail(errc::invalid_argument, "not the path of a folder; name one", path);
    }
    const locked held(guard_);
    const node_id found = volume_.now().resolve(path);
    if (found == nowhere) return missing(path);
    if (!volume_.now().nodes[found].folder) {
        return fail(errc::invalid_argument, "is not a folder; a store is a folder", path, ENOTDIR);
    }
    return found;
}

inline result<bool> disk::make_folder(std::string_view path) {
    if (const auto told = begin(fs::call::make_directory, path)) return refused(*told, path);
    if (path.empty() || path.find('\0') != std::string_view::npos) {
        return fail(errc::invalid_argument, "not the path of a folder; name one", path);
    }
    std::string parent = parent_of(path);
    node_id above = nowhere;
    bool made = false;
    {
        const locked held(guard_);
        const tree& now = volume_.now();
        const node_id found = now.resolve(path);
        above = now.resolve(parent);
        if (found != nowhere && !now.nodes[found].folder) {
            return fail(errc::invalid_argument,
                        "there is something of this name that is no folder; choose another", path,
                        EEXIST);
        }
        if (above == nowhere) {
            return fail(errc::not_found, "cannot make the folder: create " + parent + " first",
                        path, ENOENT);
        }
        if (!now.nodes[above].folder) {
            return fail(errc::invalid_argument, "cannot make the folder inside a file", path,
                        ENOTDIR);
        }
        if (found == nowhere) {
            std::string_view name = path;
            while (name.back() == '/') name.remove_suffix(1);
            name.remove_prefix(name.rfind('/') + 1);
            if (name == "." || name == "..") return missing(path);
            static_cast<void>(volume_.add(true, above, name, joined(parent, name)));
            made = true;
        }
    }
    // Also when the folder was there: whoever made it may have ended before this sync.
    auto synced = sync_folder(above, parent);
    if (!synced) return synced.failure();
    return made;
}

inline result<std::vector<std::string>> disk::list(node_id folder, std::string_view path) {
    if (const auto told = begin(fs::call::list, path)) return refused(*told, path);
    const locked held(guard_);
    std::vector<std::string> names;
    for (const entry& each : volume_.now().nodes[folder].names) names.push_back(each.name);
    return names;
}

inline result<std::uint64_t> disk::free_bytes(std::string_view path) {
    if (const auto told = begin(fs::call::free_bytes, path)) return refused(*told, path);
    const locked held(guard_);
    return volume_.room();
}

inline result<node_id> disk::create(node_id folder, std::string_view name,
                                    const std::string& path) {
    if (const auto told = begin(fs::call::create, path)) return refused(*told, path);
    const locked held(guard_);
    if (volume_.now().find(folder, name) != nowhere) {
        return fail(errc::invalid_argument, "a file of this name exists", path, EEXIST);
    }
    const node_id made = volume_.add(false, folder, name, path);
    ++volume_.of(made).handles;
    return made;
}

inline result<node_id> disk::open(node_id folder, std::string_view name, const std::string& path) {
    if (const auto told = begin(fs::call::open, path)) return refused(*told, path);
    const locked held(guard_);
    const node_id found = volume_.now().find(folder, name);
    if (found == nowhere) return missing(path);
    if (volume_.now().nodes[found].folder) return a_folder(path);
    ++volume_.of(found).handles;
    return found;
}

inline result<void> disk::rename(node_id folder, std::string_view folder_path,
                                 std::string_view from, std::string_view to) {
    const std::string path = joined(folder_path, from);
    if (const auto told = begin(fs::call::rename, path, to)) return refused(*told, path);
    const locked held(guard_);
    const tree& now = volume_.now();
    const node_id moved = now.find(folder, from);
    const node_id replaced = now.find(folder, to);
    if (moved == nowhere) return missing(path);
    if (moved == replaced) return {};
    if (replaced != nowhere && (now.nodes[replaced].folder || now.nodes[moved].folder)) {
        return a_folder(joined(folder_path, to));
    }
    volume_.rename(folder, from, to, moved, replaced, joined(folder_path, to));
    return {};
}

inline result<void> disk::remove(node_id folder, std::string_view name, const std::string& path) {
    if (const auto told = begin(fs::call::remove, path)) return refused(*told, path);
    const locked held(guard_);
    const node_id gone = volume_.now().find(folder, name);
    if (gone == nowhere) return missing(path);
    if (volume_.now().nodes[gone].folder) return a_folder(path);
    volume_.remove(folder, name, gone);
    return {};
}

/// A failing sync of a folder leaves its names as they were: durable or not.
inline result<void> disk::sync_folder(node_id folder, std::string_view path) {
    if (const auto told = begin(fs::call::sync_directory, path)) return refused(*told, path);
    const locked held(guard_);
    volume_.sync_names(folder);
    return {};
}

inline result<std::uint64_t> disk::size(node_id of, std::string_view path) {
    if (const auto told = begin(fs::call::size, path)) return refused(*told, path);
    const locked held(guard_);
    return volume_.held(of).size();
}

inline result<std::size_t> disk::read(node_id of, std::string_view path, std::uint64_t at,
                                      mutable_bytes into) {
    const auto told = begin(fs::call::read, path, {}, at, into.size());
    if (told && !told->carried_out) return refused(*told, path, at);
    if (told) into = into.first(static_cast<std::size_t>(told->length));
    if (!addressable(at, into.size())) return beyond(path, at);
    const locked held(guard_);
    const content& file = volume_.held(of);
    if (at >= file.size()) return std::size_t{0};
    const std::uint64_t there = (std::min)(file.size() - at, std::uint64_t{into.size()});
    const auto got = static_cast<std::size_t>(there);
    file.read(at, into.first(got));
    return got;
}

inline result<void> disk::write(node_id of, std::string_view path, std::uint64_t at, bytes from) {
    const auto told = begin(fs::call::write, path, {}, at, from.size());
    if (!addressable(at, from.size())) return beyond(path, at);
    const locked held(guard_);
    if (told) {
        from = from.first(
            static_cast<std::size_t>((std::min)(told->length, std::uint64_t{from.size()})));
    }
    const std::uint64_t end = volume_.take(of, at, at + from.size());
    volume_.write(of, at, from.first(static_cast<std::size_t>(end - at)));
    if (told) return refused(*told, path, end);
    if (end != at + from.size()) return full(path, end);
    return {};
}

inline result<void> disk::resize(node_id of, std::string_view path, std::uint64_t size) {
    if (const auto told = begin(fs::call::resize, path, {}, size)) {
        return refused(*told, path, size);
    }
    if (!addressable(0, size)) return beyond(path, size);
    const locked held(guard_);
    volume_.resize(of, size);
    return {};
}

inline result<void> disk::reserve(node_id of, std::string_view path, std::uint64_t at,
                                  std::uint64_t size) {
    if (const auto told = begin(fs::call::reserve, path, {}, at, size)) {
        return refused(*told, path, at);
    }
    if (!addressable(at, size)) return beyond(path, at);
    const locked held(guard_);
    if (size != 0 && !volume_.reserve(of, at, at + size)) return full(path, at);
    return {};
}

inline result<void> disk::sync_part(node_id of, std::string_view path, fs::call is,
                                    std::uint64_t at, std::uint64_t end) {
    const auto told = begin(is, path, {}, at, end - at);
    const locked held(guard_);
    if (volume_.of(of).late) {
        volume_.of(of).late = false;
        return fail(errc::io_error, "an earlier sync has lost bytes", path, EIO, at);
    }
    if (told) {
        if (volume_.lose(of)) return refused(*told, path, at);
    } else if (is == fs::call::sync) {
        volume_.sync_file(of);
    } else {
        volume_.sync_range(of, at, end);
    }
    return {};
}

inline result<void> disk::sync(node_id of, std::string_view path) {
    return sync_part(of, path, fs::call::sync, 0, 0);
}

inline result<bool> disk::try_lock(node_id of, std::string_view path, bool mine) {
    if (const auto told = begin(fs::call::lock, path)) return refused(*told, path);
    const locked held(guard_);
    if (volume_.of(of).locked && !mine) return false;
    volume_.of(of).locked = true;
    return true;
}

inline void disk::close(node_id of, bool holds_lock) noexcept {
    const locked held(guard_);
    if (holds_lock) volume_.of(of).locked = false;
    volume_.close(of);
}

inline result<std::shared_ptr<block>> disk::map(node_id of, std::string_view path, std::uint64_t at,
                                                std::uint64_t size, bool writable) {
    if (const auto told = begin(fs::call::map, path, {}, at, size)) {
        return refused(*told, path, at);
    }
    const locked held(guard_);
    content& file = volume_.held(of);
    if (at > file.size() || size > file.size() - at) {
        return fail(errc::invalid_argument, "the file ends before the range to map", path, 0, at);
    }
    ++volume_.of(of).handles;
    auto mapped = file.map(at + size, writable);
    if (writable) volume_.of(of).written.push_back({mapped.get(), at, size});
    return mapped;
}

inline result<std::shared_ptr<block>> disk::copy(node_id of, std::string_view path,
                                                 std::uint64_t at, std::uint64_t held,
                                                 std::uint64_t size) {
    if (const auto told = begin(fs::call::map, path, {}, at, held)) {
        return refused(*told, path, at);
    }
    const locked hold(guard_);
    const content& file = volume_.held(of);
    if (at > file.size() || held > file.size() - at) {
        return fail(errc::invalid_argument, "the file ends before the range to copy", path, 0, at);
    }
    auto made = std::make_shared<block>(static_cast<std::size_t>(size));
    file.read(at, mutable_bytes(made->data(), static_cast<std::size_t>(held)));
    made->mappings = 1;
    ++volume_.of(of).handles;
    return made;
}

inline void disk::unmap(node_id of, block& mapped, std::uint64_t at, std::uint64_t size,
                        bool writable) {
    const locked held(guard_);
    if (writable) {
        volume_.held(of).carry(mapped, at, size);
        auto& written = volume_.of(of).written;
        written.erase(std::find(written.begin(), written.end(), written_map{&mapped, at, size}));
    }
    --mapped.mappings;
    volume_.close(of);
}

inline void disk::stored(node_id of, std::string_view path, block& mapped, std::uint64_t at,
                         std::uint64_t size) {
    {
        const locked held(guard_);
        volume_.stored(of, mapped, at, size);
    }
    static_cast<void>(begin(fs::call::stored, path, {}, at, size));
}

inline result<void> disk::sync_map(node_id of, std::string_view path, std::uint64_t at,
                                   std::uint64_t size) {
    return sync_part(of, path, fs::call::sync_map, at, at + size);
}

}  // namespace coffer::detail::sim

#endif
