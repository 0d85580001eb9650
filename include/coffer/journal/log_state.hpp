// coffer/journal/log_state.hpp: the options of a log, what it goes back to, and what went wrong.
//
// trouble has three states: none; stuck (a hand-over failed: later writes answer with its error
// until a hand-over succeeds); poisoned (a sync failed, or a hand-over that a write waited for:
// writes are refused until reopened). The first cause of poison stays, if there was memory to keep
// it. Threads: any. Cost when healthy: one load. Failure: noting never fails.
#ifndef COFFER_JOURNAL_LOG_STATE_HPP
#define COFFER_JOURNAL_LOG_STATE_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/result.hpp>
#include <coffer/core/threading.hpp>

#include <cstdint>
#include <new>
#include <string>
#include <string_view>

namespace coffer::detail {

struct log_options {
    std::uint64_t segment_bytes = std::uint64_t{64} << 20;       // size of a full-grown segment
    std::uint64_t first_segment_bytes = std::uint64_t{1} << 20;  // size of a young store's segments
    std::uint64_t part_bytes = std::uint64_t{1} << 20;           // what one turn hands over of much
    std::uint64_t min_free_bytes = 0;                            // keep this much of the disk free
    bool verify_reads = true;  // check every record that is read from a file
    bool read_only = false;    // nothing is ever written
    bool map_reads = true;     // read settled segments through maps; else by pread
};

/// What a commit that fails while it is appended is taken back to.
struct log_place {
    std::uint64_t end;  // of the active segment, as the two below
    std::uint64_t tombstones;
    std::uint64_t dead;
    std::uint64_t last;  // where the last record begins
    std::uint64_t commits;
};

template <threading_policy Threading>
class trouble {
    enum state : int { none, stuck, poisoned_state };
    using lock = lock_of<typename Threading::mutex>;

public:
    [[nodiscard]] bool healthy() const noexcept {
        return state_.load(std::memory_order_acquire) == none;
    }
    [[nodiscard]] bool poisoned() const noexcept {
        return state_.load(std::memory_order_acquire) == poisoned_state;
    }

    [[nodiscard]] COFFER_ALWAYS_INLINE result<void> check() const {
        if (healthy()) [[likely]]
            return {};
        return told();
    }

    /// null: there was no memory for a cause.
    void stick(const error* cause) noexcept { note(cause, stuck); }
    void poison(const error* cause) noexcept { note(cause, poisoned_state); }

    void unstick() noexcept {
        if (state_.load(std::memory_order_relaxed) != stuck) return;
        const auto hold = lock(mutex_);
        if (state_.load(std::memory_order_relaxed) != stuck) return;
        cause_.reset();
        state_.store(none, std::memory_order_release);
    }

private:
    [[nodiscard]] COFFER_NOINLINE result<void> told() const {
        constexpr std::string_view untold = "there was no memory to note it";
        const auto hold = lock(mutex_);
        if (healthy()) return {};  // again, a moment ago
        if (!poisoned()) {
            if (cause_) return coffer::failure(*cause_);
            return fail(errc::io_error,
                        std::string("an earlier write to the disk failed: ").append(untold));
        }
        return fail(
            errc::poisoned,
            std::string("an earlier write or sync failed, so what the disk holds is unknown; "
                        "close the store and open it again. The cause: ")
                .append(cause_ ? cause_->what() : untold),
            cause_ ? cause_->path() : std::string(), cause_ ? cause_->os_code() : 0);
    }

    void note(const error* cause, state now) noexcept {
        const auto hold = lock(mutex_);
        if (state_.load(std::memory_order_relaxed) == poisoned_state) return;
        cause_.reset();
        state_.store(now, std::memory_order_release);
        if (cause != nullptr) cause_.reset(new (std::nothrow) error(*cause));
    }

    mutable typename Threading::mutex mutex_;
    typename Threading::template atomic<int> state_{none};
    owned_error cause_;
};

}  // namespace coffer::detail

#endif
