// coffer/journal/turn.hpp: one at a time, without holding a lock meanwhile.
//
// Whoever has the turn works alone until it lets go; others wait on a condition, so that a system
// call is never made under a mutex. Threads: any. Cost: two short locks.
#ifndef COFFER_JOURNAL_TURN_HPP
#define COFFER_JOURNAL_TURN_HPP

#include <coffer/core/scope.hpp>
#include <coffer/core/threading.hpp>

namespace coffer::detail {

template <threading_policy Threading>
class turn {
    using lock = lock_of<typename Threading::mutex>;

public:
    /// Waits for the turn and has it until what is returned is destroyed.
    [[nodiscard]] auto take() {
        auto hold = lock(mutex_);
        while (busy_) over_.wait(hold);
        busy_ = true;
        return on_exit([this] {
            auto release = lock(mutex_);
            busy_ = false;
            over_.notify_all();
        });
    }

private:
    typename Threading::mutex mutex_;
    typename Threading::condition over_;
    bool busy_ = false;
};

}  // namespace coffer::detail

#endif
