// coffer/core/epoch.hpp: readers that take no lock, and when what they might see may go.
//
// A reader holds a `pin` while it follows addresses into memory that a writer may take away: it
// claims one free slot of the store's own and writes the current epoch there. It tries first the
// slot that its thread had last, in whichever store: the policy's thread_hint(). A writer first
// unlinks a thing, then retire()s it under the epoch of that moment and advances the epoch; once
// every claimed slot shows a later epoch, reclaim() hands it out to be freed, which may take long
// and so is done outside of the writer's lock. What waits is linked through itself: nobody needs
// memory to let some go.
//
// I1  A slot is 0 (free) or the epoch at which its reader began. The first is never free: it is
//     what threads that have had none try, so that they get apart before they share a line.
// I2  A reader that began before a thing was unlinked shows an epoch <= the thing's.
// I3  Claiming and scanning are both read-modify-writes of the slot, hence ordered: a reader whose
//     claim comes after the scan synchronises with it and cannot see the unlinked thing. So are
//     adding slots and looking whether there are more.
// I4  Things are handed out in the order in which they were retired.
//
// Threads: pins from any thread; the rest under the owner's writer lock.
// Cost: a pin is one exchange on a line of the thread's own, about 5 ns; under `single`, nothing.
// Whoever finds no free slot adds 128 more, which stay; without memory for them it yields until one
// is free.
#ifndef COFFER_CORE_EPOCH_HPP
#define COFFER_CORE_EPOCH_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/threading.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace coffer::detail {

/// A part of everything that is retired: the thing must last until it is freed.
struct retired {
    /// Called once, not under the writer's lock; the link is then anybody's.
    void (*free)(void* context, retired& thing) noexcept = nullptr;
    void* context = nullptr;
    std::uint64_t since = 0;
    retired* next = nullptr;
};

template <threading_policy Threading>
class epoch {
    static constexpr std::size_t slot_count = Threading::concurrent ? 128 : 1;
    static constexpr std::uint64_t never = UINT64_MAX;
    struct alignas(64) slot {
        typename Threading::template atomic<std::uint64_t> began{0};
    };
    struct block {
        slot all[slot_count];
        typename Threading::template atomic<block*> next{nullptr};
    };

public:
    epoch() noexcept { own_.all[0].began.store(never, std::memory_order_relaxed); }
    epoch(const epoch&) = delete;
    epoch& operator=(const epoch&) = delete;
    ~epoch() {
        block* more = own_.next.load(std::memory_order_acquire);
        while (more != nullptr) delete std::exchange(more, more->next.load());
    }

    class [[nodiscard]] pin {
    public:
        explicit pin(slot* held) noexcept : held_(held) {}
        pin(const pin&) = delete;
        pin& operator=(const pin&) = delete;
        COFFER_ALWAYS_INLINE ~pin() {
            if constexpr (Threading::concurrent) held_->began.store(0, std::memory_order_release);
        }

    private:
        [[maybe_unused]] slot* const held_;  // under `single` nobody asks
    };

    [[nodiscard]] COFFER_ALWAYS_INLINE pin enter() noexcept {
        if constexpr (!Threading::concurrent) {
            return pin(nullptr);
        } else {
            slot& last = own_.all[Threading::thread_hint()];
            return pin(claim(last) ? &last : &claim_another());
        }
    }

    /// Things that nobody holds any more; they are freed, in their order, when this ends.
    class [[nodiscard]] reclaimed {
    public:
        reclaimed() noexcept = default;
        explicit reclaimed(retired* first) noexcept : first_(first) {}
        reclaimed(reclaimed&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
        reclaimed& operator=(reclaimed&&) = delete;
        ~reclaimed() {
            while (first_ != nullptr) {
                retired& gone = *std::exchange(first_, first_->next);
                gone.free(gone.context, gone);
            }
        }

    private:
        retired* first_ = nullptr;
    };

    /// The thing has been unlinked: nobody who enters from now on can reach it. `free` is called
    /// when nobody holds it any more; under `single` at once.
    void retire(retired& thing, void (*free)(void*, retired&) noexcept, void* context) noexcept {
        thing = {free, context, stamp(), nullptr};
        if constexpr (!Threading::concurrent) {
            free(context, thing);
        } else {
            (first_ == nullptr ? first_ : last_->next) = &thing;
            last_ = &thing;
        }
    }

    /// What no reader can hold any more.
    [[nodiscard]] reclaimed reclaim() noexcept {
        if (first_ == nullptr) return {};
        retired* const first = first_;
        retired* last = nullptr;
        for (const std::uint64_t before = oldest(); first_ != nullptr && first_->since < before;)
            last = std::exchange(first_, first_->next);  // I4
        if (last == nullptr) return {};
        last->next = nullptr;
        return reclaimed(first);
    }

    /// For owners who link what waits themselves: what was unlinked before stamp() may be used
    /// again when that is less than oldest().
    [[nodiscard]] std::uint64_t stamp() noexcept {
        return Threading::concurrent ? now_.fetch_add(1, std::memory_order_seq_cst) : 0;
    }
    [[nodiscard]] std::uint64_t oldest() noexcept {
        std::uint64_t out = never;
        for (block* in = &own_; in != nullptr; in = behind(*in)) {
            for (slot& each : in->all) {
                const auto began = each.began.fetch_add(0, std::memory_order_acq_rel);  // I3
                if (began != 0 && began < out) out = began;
            }
        }
        return out;
    }

private:
    [[nodiscard]] COFFER_ALWAYS_INLINE bool claim(slot& candidate) noexcept {
        std::uint64_t free = 0;
        return candidate.began.compare_exchange_strong(free, now_.load(std::memory_order_acquire),
                                                       std::memory_order_seq_cst);
    }
    /// The first that is free from a place of the thread's own on, in every block there is.
    [[nodiscard]] COFFER_NOINLINE slot& claim_another() noexcept {
        const auto from =
            static_cast<std::size_t>(Threading::this_thread() * 0x9E3779B97F4A7C15ULL >> 57);
        for (block* in = &own_;;) {
            for (std::size_t tried = 0; tried != slot_count; ++tried) {
                const std::size_t at = (from + tried) % slot_count;
                if (!claim(in->all[at])) continue;
                if (in == &own_) Threading::thread_hint() = at;
                return in->all[at];
            }
            block* more = behind(*in);
            if (more == nullptr) {
                block* const made = new (std::nothrow) block;
                if (made == nullptr) {
                    Threading::yield();
                    in = &own_;
                    continue;
                }
                if (in->next.compare_exchange_strong(more, made, std::memory_order_acq_rel)) {
                    more = made;
                } else {
                    delete made;
                }
            }
            in = more;
        }
    }
    /// By a read-modify-write: I3.
    [[nodiscard]] static block* behind(block& of) noexcept {
        block* none = nullptr;
        of.next.compare_exchange_strong(none, nullptr, std::memory_order_acq_rel);
        return none;
    }

    block own_;
    typename Threading::template atomic<std::uint64_t> now_{1};
    retired* first_ = nullptr;  // what waits, the oldest first
    retired* last_ = nullptr;
};

}  // namespace coffer::detail

#endif
