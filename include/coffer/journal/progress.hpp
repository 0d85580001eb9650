// coffer/journal/progress.hpp: how far a log has come: written, with the system, durable.
//
// Places for those who wait for one, and bytes for those who bound what may wait.
//
// I1  durable() <= handed() <= tail(), and each only grows; the tail goes back only to where it was
//     when the writer's section was entered.
// Threads: reading from any; each of the three is changed by one at a time.
#ifndef COFFER_JOURNAL_PROGRESS_HPP
#define COFFER_JOURNAL_PROGRESS_HPP

#include <coffer/core/threading.hpp>
#include <coffer/format/position.hpp>

#include <cstdint>

namespace coffer::detail {

template <threading_policy Threading>
class log_progress {
    using word = typename Threading::template atomic<std::uint64_t>;

public:
    /// The place behind the last record.
    [[nodiscard]] position tail() const noexcept { return at(tail_); }
    [[nodiscard]] position handed() const noexcept { return at(handed_); }
    [[nodiscard]] position durable() const noexcept { return at(durable_); }

    /// Bytes that were appended but not yet handed over, and not yet durable.
    [[nodiscard]] std::uint64_t unhanded_bytes() const noexcept { return behind(handed_bytes_); }
    [[nodiscard]] std::uint64_t unsynced_bytes() const noexcept { return behind(durable_bytes_); }

protected:
    [[nodiscard]] std::uint64_t appended_bytes() const noexcept {
        return appended_.load(std::memory_order_relaxed);
    }

    /// `size` bytes more end at `tail`.
    void appended(position tail, std::uint64_t size) noexcept {
        appended_.store(appended_bytes() + size, std::memory_order_relaxed);
        to(tail_, tail);
    }
    /// The last `size` of them are no more.
    void went_back(position tail, std::uint64_t size) noexcept {
        appended_.store(appended_bytes() - size, std::memory_order_relaxed);
        to(tail_, tail);
    }
    /// All up to `upto` is with the system, or durable: `bytes` of those appended.
    void handed_over(position upto, std::uint64_t bytes) noexcept {
        handed_bytes_.store(bytes, std::memory_order_relaxed);
        to(handed_, upto);
    }
    void became_durable(position upto, std::uint64_t bytes) noexcept {
        durable_bytes_.store(bytes, std::memory_order_relaxed);
        to(durable_, upto);
    }
    /// `between`: the bytes between the two places.
    void begin_at(position end, position durable, std::uint64_t between) noexcept {
        to(tail_, end);
        to(handed_, end);
        to(durable_, durable);
        appended_.store(between, std::memory_order_relaxed);
        handed_bytes_.store(between, std::memory_order_relaxed);
        durable_bytes_.store(0, std::memory_order_relaxed);
    }

private:
    /// What was appended and is not in `those`, which may have come to more since the first look.
    [[nodiscard]] std::uint64_t behind(const word& those) const noexcept {
        const std::uint64_t appended = appended_bytes();
        const std::uint64_t done = those.load(std::memory_order_relaxed);
        return appended > done ? appended - done : 0;
    }
    [[nodiscard]] static position at(const word& from) noexcept {
        return position::of_word(from.load(std::memory_order_acquire));
    }
    static void to(word& which, position where) noexcept {
        which.store(where.word(), std::memory_order_release);
    }

    word tail_{0};
    word handed_{0};
    word durable_{0};
    word appended_{0};
    word handed_bytes_{0};
    word durable_bytes_{0};
};

}  // namespace coffer::detail

#endif
