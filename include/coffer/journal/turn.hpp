// coffer/journal/turn.hpp: one at a time, without holding a lock meanwhile; one works for many.
//
// Whoever has the turn works alone until it lets go; others wait on a condition, so that a system
// call is never made under a mutex. Who waits for something that another's turn has done needs no
// turn of his own: take_unless() looks again whenever a turn ends.
//
// Threads: any. Cost: two short locks; no order among those who wait.
#ifndef COFFER_JOURNAL_TURN_HPP
#define COFFER_JOURNAL_TURN_HPP

#include <coffer/core/threading.hpp>

#include <utility>

namespace coffer::detail {

template <threading_policy Threading>
class turn {
    using lock = lock_of<typename Threading::mutex>;

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
        auto hold = lock(mutex_);
        while (!done()) {
            if (!std::exchange(busy_, true)) return holder(*this);
            waiting_.fetch_add(1, std::memory_order_relaxed);
            over_.wait(hold);
        }
        return {};
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
    static constexpr int most_looks = 200;  // a fraction of what a sync takes

    void give_back() {
        auto hold = lock(mutex_);
        busy_ = false;
        before_ = waiting_.exchange(0, std::memory_order_relaxed);
        over_.notify_all();
    }

    typename Threading::mutex mutex_;
    typename Threading::condition over_;
    bool busy_ = false;
    unsigned before_ = 0;  // how many waited when the last turn ended; the holder's
    typename Threading::template atomic<unsigned> waiting_{0};  // who began to since then
};

}  // namespace coffer::detail

#endif
