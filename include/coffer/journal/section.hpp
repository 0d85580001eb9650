// coffer/journal/section.hpp: the lock around the writer's section.
//
// A mutex that knows whether somebody waits. Threads: any. Cost: as the mutex, when nobody waits.
#ifndef COFFER_JOURNAL_SECTION_HPP
#define COFFER_JOURNAL_SECTION_HPP

#include <coffer/core/threading.hpp>

namespace coffer::detail {

template <threading_policy Threading>
class writers_section {
public:
    using lock = lock_of<typename Threading::mutex>;

    [[nodiscard]] lock enter() {
        lock mine(mutex_, std::try_to_lock);
        if (!mine.owns_lock()) [[unlikely]] {
            awaited_.fetch_add(1, std::memory_order_relaxed);
            mine.lock();
            awaited_.fetch_add(-1, std::memory_order_relaxed);
        }
        return mine;
    }

    /// For who enters again and again: those who wait go first. The mutex alone would let them
    /// wait as long as they wake too late.
    void let_in() const noexcept {
        for (int looks = 0; looks < 1000 && awaited_.load(std::memory_order_relaxed) != 0; ++looks)
            Threading::yield();
    }

private:
    typename Threading::template atomic<int> awaited_{0};  // how many wait
    typename Threading::mutex mutex_;
};

}  // namespace coffer::detail

#endif
