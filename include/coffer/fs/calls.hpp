// coffer/fs/calls.hpp: every call on a file system, counted, shown and made to go wrong.
//
// What `simulated` and `faulty` share. A test sees each call before it happens: as a step given to
// its hook (calls that change the disk only), as a line of the trace, or as a number at which a
// fault waits: it fails, is cut short or late. Numbers count from 1, from the moment
// at which the fault was asked for, over all calls or over those of one kind.
//
// Threads: any. The hook runs on the thread that makes the call and without a lock, so it may look
// at the disk, take crash states of it and replace itself. It may not throw.
#ifndef COFFER_FS_CALLS_HPP
#define COFFER_FS_CALLS_HPP

#include <coffer/core/error.hpp>
#include <coffer/core/threading.hpp>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer::fs {

enum class call : unsigned char {
    open_directory,
    make_directory,
    list,
    free_bytes,
    create,
    open,
    rename,
    remove,
    sync_directory,
    size,
    read,
    write,
    resize,
    reserve,
    sync,
    lock,
    map,
    stored,  // cannot fail; its step comes after the store
    sync_map,
};

/// Does a crash before this call differ from one after it?
[[nodiscard]] constexpr bool changes_disk(call is) noexcept {
    switch (is) {
        case call::make_directory:
        case call::create:
        case call::rename:
        case call::remove:
        case call::sync_directory:
        case call::write:
        case call::resize:
        case call::reserve:
        case call::sync:
        case call::stored:
        case call::sync_map:
            return true;
        default:
            return false;
    }
}

[[nodiscard]] constexpr const char* name_of(call is) noexcept {
    constexpr const char* names[] = {
        "open_directory", "make_directory", "list", "free_bytes", "create",  "open",   "rename",
        "remove",         "sync_directory", "size", "read",       "write",   "resize", "reserve",
        "sync",           "lock",           "map",  "stored",     "sync_map"};
    return names[static_cast<unsigned>(is)];
}

struct step {
    call is;
    std::string path;
    std::string to;  ///< the new name, of a rename
    std::uint64_t offset = 0;
    std::uint64_t length = 0;

    friend bool operator==(const step&, const step&) = default;
};

/// What goes wrong with a call.
struct fault {
    errc code = errc::io_error;
    int os_code = EIO;
    bool lasting = false;      ///< every later call of the kind goes wrong, too
    std::uint64_t length = 0;  ///< bytes that are read or written all the same
    std::uint64_t delay = 0;   ///< nanoseconds that pass before the call
    bool carried_out = false;  ///< does not fail, but for a write that is cut short by `length`

    /// A read ends after `length` bytes, as at the end of a file; a write stores as many and fails.
    /// Any other call is what it always is.
    [[nodiscard]] static constexpr fault shortened(std::uint64_t length) noexcept {
        return {.length = length, .carried_out = true};
    }
    /// The call is what it always is, later.
    [[nodiscard]] static constexpr fault delayed(std::uint64_t nanoseconds) noexcept {
        return {.length = UINT64_MAX, .delay = nanoseconds, .carried_out = true};
    }
};

}  // namespace coffer::fs

namespace coffer::detail {

class call_watch {
    using locked = lock_of<threading::multi::mutex>;

public:
    /// Before a call is carried out; `wait(nanoseconds)` if it is to be late. What it must fail
    /// with, or how short a read must be, if anything.
    template <class Wait>
    [[nodiscard]] std::optional<fs::fault> begin(Wait&& wait, fs::call is, std::string_view path,
                                                 std::string_view to = {}, std::uint64_t offset = 0,
                                                 std::uint64_t length = 0) {
        std::optional<fs::fault> answer;
        std::shared_ptr<hook> shown;
        {
            const locked held(guard_);
            if (fs::changes_disk(is)) {
                ++changes_;
                shown = hook_;
            }
            ++calls_;
            answer = due(is);
            if (traced_) trace_.push_back({is, std::string(path), std::string(to), offset, length});
        }
        if (shown) shown->before({is, std::string(path), std::string(to), offset, length});
        if (!answer) return answer;
        if (answer->delay != 0) wait(answer->delay);
        const bool partial = is == fs::call::read || is == fs::call::write;
        if (answer->carried_out && (!partial || answer->length >= length)) answer.reset();
        return answer;
    }

    template <class F>
    void set_hook(F function) {
        auto made = std::make_shared<hook_of<F>>(std::move(function));
        const locked held(guard_);
        hook_ = std::move(made);
    }
    void clear_hook() {
        const locked held(guard_);
        hook_ = nullptr;
    }

    void fail_call(std::uint64_t number, const fs::fault& answer, std::optional<fs::call> kind) {
        const locked held(guard_);
        planned_.push_back({answer, kind, number});
    }
    void clear_faults() {
        const locked held(guard_);
        planned_.clear();
    }
    [[nodiscard]] std::uint64_t faults() const {
        const locked held(guard_);
        return faults_;
    }

    [[nodiscard]] std::uint64_t changes() const {
        const locked held(guard_);
        return changes_;
    }
    [[nodiscard]] std::uint64_t calls() const {
        const locked held(guard_);
        return calls_;
    }

    void set_traced(bool on) {
        const locked held(guard_);
        traced_ = on;
    }
    [[nodiscard]] std::vector<fs::step> take_trace() {
        const locked held(guard_);
        return std::exchange(trace_, {});
    }

private:
    struct hook {
        hook() = default;
        hook(const hook&) = delete;
        hook& operator=(const hook&) = delete;
        virtual ~hook() = default;
        virtual void before(const fs::step& next) = 0;
    };

    template <class F>
    struct hook_of final : hook {
        explicit hook_of(F function) : function_(std::move(function)) {}
        void before(const fs::step& next) override { function_(next); }
        F function_;
    };

    struct planned {
        fs::fault answer;
        std::optional<fs::call> kind;
        std::uint64_t left;  // calls until it is due; 0: past
    };

    [[nodiscard]] std::optional<fs::fault> due(fs::call is) {
        std::optional<fs::fault> answer;
        if (is == fs::call::stored) return answer;
        for (planned& each : planned_) {
            if (each.kind && *each.kind != is) continue;
            if (each.left != 0 && --each.left == 0) {
                answer = each.answer;
            } else if (each.left == 0 && each.answer.lasting) {
                answer = each.answer;
            }
        }
        if (answer) ++faults_;
        return answer;
    }

    mutable threading::multi::mutex guard_;
    std::shared_ptr<hook> hook_;
    std::vector<planned> planned_;
    std::vector<fs::step> trace_;
    std::uint64_t calls_ = 0;
    std::uint64_t changes_ = 0;
    std::uint64_t faults_ = 0;
    bool traced_ = false;
};

/// The controls of a file system whose calls are watched; System has  call_watch& watch() const.
template <class System>
class call_controls {
public:
    /// `f(const step&)` is called before each call that changes the disk, without a lock.
    template <class F>
    void set_step_hook(F f) const {
        watch().set_hook(std::move(f));
    }
    void clear_step_hook() const { watch().clear_hook(); }
    /// Calls that changed the disk, and all calls.
    [[nodiscard]] std::uint64_t steps() const { return watch().changes(); }
    [[nodiscard]] std::uint64_t calls() const { return watch().calls(); }

    /// The `number`-th call from now (1: the next one), of any kind or of one kind, goes wrong.
    void fail_call(std::uint64_t number, const fs::fault& answer = {},
                   std::optional<fs::call> kind = std::nullopt) const {
        watch().fail_call(number, answer, kind);
    }
    void clear_faults() const { watch().clear_faults(); }
    /// Calls that went wrong as they were told to.
    [[nodiscard]] std::uint64_t faults() const { return watch().faults(); }

    void set_traced(bool on) const { watch().set_traced(on); }
    /// The calls since the trace was taken last, as far as it was on.
    [[nodiscard]] std::vector<fs::step> take_trace() const { return watch().take_trace(); }

    friend bool operator==(const call_controls&, const call_controls&) = default;

private:
    [[nodiscard]] call_watch& watch() const { return static_cast<const System*>(this)->watch(); }
};

}  // namespace coffer::detail

#endif
