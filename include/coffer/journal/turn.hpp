// coffer/journal/turn.hpp: one at a time, without holding a lock meanwhile; one works for many.
//
// Whoever has the turn works alone until it lets go; others sleep until a turn ends. Who waits for
// something that another's turn has done needs no turn of his own: take_unless() looks again
// whenever a turn has ended. Before it sleeps it looks for a while: a processor with nothing to do
// takes tens of microseconds to wake, which is half of what a sync takes on a good disk.
//
// I1  ended_ grows whenever a turn ends, after busy_ was cleared: who read it before he found the
//     turn taken does not sleep through its end.
// Threads: any. Cost: two exchanges, and a wake-up of all who sleep; no order among them. Who waits
// offers its processor to others some hundred times, and then sleeps.
#ifndef COFFER_JOURNAL_TURN_HPP
#define COFFER_JOURNAL_TURN_HPP

#include <coffer/core/threading.hpp>

#include <cstdint>
#include <utility>

namespace coffer::detail {

template <threading_policy Threading>
class turn {
public:
    /// The turn, for as long as this lives; or nothing.
    class [[nodiscard]] holder {
    public:
        holder() noexcept = default;
        explicit holder(turn& of) noexcept : of_(&of) {}
        holder(holder&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
        holder& operator=(holder&&) = delete;
        ~holder() {
            if (of_ != nullptr) of_->give_back();
        }
        [[nodiscard]] explicit operator bool() const noexcept { return of_ != nullptr; }

    private:
        turn* of_ = nullptr;
    };

    /// Waits for the turn.
    [[nodiscard]] holder take() {
        return take_unless([] { return false; });
    }

    /// Waits for the turn or until done(), which is asked first and each time a turn has ended.
    template <class Done>
    [[nodiscard]] holder take_unless(Done&& done) {
        for (;;) {
            const std::uint32_t before = ended_.load(std::memory_order_acquire);
            if (done()) return {};
            if (!busy_.exchange(true, std::memory_order_acq_rel)) {
                auto mine = holder(*this);
                if (done()) continue;  // since the last look; the turn ends with its holder
                return mine;
            }
            waiting_.fetch_add(1, std::memory_order_relaxed);
            for (int looks = 0; looks < most_looks; ++looks) {
                if (ended_.load(std::memory_order_acquire) != before) break;
                Threading::yield();
            }
            ended_.wait(before, std::memory_order_acquire);
        }
    }

    /// For the holder, before it looks at what there is to do: those who waited when the last turn
    /// ended are on their way back with more of it. Lets them run until they wait again, for a
    /// short while, so that they are worked for at once and not one by one.
    void gather() const noexcept {
        for (int looks = 0; looks < most_looks; ++looks) {
            if (waiting_.load(std::memory_order_relaxed) >= before_) return;
            Threading::yield();
        }
    }

private:
    static constexpr int most_looks = 300;  // about as long as a sync takes on a good disk

    void give_back() noexcept {
        before_ = waiting_.exchange(0, std::memory_order_relaxed);
        busy_.store(false, std::memory_order_release);
        ended_.fetch_add(1, std::memory_order_release);
        ended_.notify_all();
    }

    typename Threading::template atomic<bool> busy_{false};
    typename Threading::template atomic<std::uint32_t> ended_{0};
    typename Threading::template atomic<unsigned> waiting_{
        0};                // who went to sleep since the last end
    unsigned before_ = 0;  // how many of them there were when the last turn ended; the holder's
};

}  // namespace coffer::detail

#endif
