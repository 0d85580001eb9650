// coffer/journal/section.hpp: the lock around the writer's section.
//
// Inside it lie a few hundred instructions for each record and no system call, but where an old key
// has to be read because options.map_reads is off. So who finds it taken looks again for some
// microseconds before it sleeps. Two writers that came in by turns would move everything that a put
// touches between two caches each time; who waits a microsecond between two looks lets the other
// put a few times meanwhile, and both are faster for it.
//
// The word has three states, after Ulrich Drepper, "Futexes Are Tricky" (2004): nobody is in;
// somebody is; somebody is, and others may sleep. std::mutex keeps an owner and a count besides,
// whose upkeep took a twelfth of a put.
//
// I1  Whoever sleeps has left `asleep` in the word before, and puts it back when it comes in: so
//     who leaves knows that somebody may have to be woken.
// Threads: any. Cost: an exchange to enter and one to leave, when nobody waits; nothing where there
// is only one thread. No order among those who wait.
#ifndef COFFER_JOURNAL_SECTION_HPP
#define COFFER_JOURNAL_SECTION_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/threading.hpp>

#include <cstdint>
#include <utility>

namespace coffer::detail {

template <threading_policy Threading>
class writers_section {
public:
    /// Being inside, until unlock() or the end of this.
    class [[nodiscard]] stay {
    public:
        explicit stay(writers_section& in) noexcept : in_(&in) {}
        stay(stay&& other) noexcept : in_(std::exchange(other.in_, nullptr)) {}
        stay& operator=(stay&&) = delete;
        ~stay() { unlock(); }
        void unlock() noexcept {
            if (in_ != nullptr) std::exchange(in_, nullptr)->leave();
        }
        [[nodiscard]] bool inside() const noexcept { return in_ != nullptr; }

    private:
        writers_section* in_;
    };

    [[nodiscard]] stay enter() noexcept {
        if constexpr (Threading::concurrent) {
            std::uint32_t found = nobody;
            if (!word_.compare_exchange_strong(found, taken, std::memory_order_acquire))
                [[unlikely]]
                wait();
        }
        return stay(*this);
    }

    /// For who enters again and again: those who wait go first. The word alone would let them wait
    /// as long as they wake too late.
    void let_in() const noexcept {
        for (int looks = 0; looks < 1000 && awaited_.load(std::memory_order_relaxed) != 0; ++looks)
            Threading::yield();
    }

private:
    enum : std::uint32_t { nobody, taken, asleep };
    static constexpr int longest = 32;       // pauses between two looks: about a microsecond
    static constexpr int most_pauses = 400;  // before it sleeps: less than a wake-up takes

    COFFER_NOINLINE void wait() noexcept {
        awaited_.fetch_add(1, std::memory_order_relaxed);
        if (!comes_in_soon()) {
            while (word_.exchange(asleep, std::memory_order_acquire) != nobody)  // I1
                word_.wait(asleep, std::memory_order_relaxed);
        }
        awaited_.fetch_add(-1, std::memory_order_relaxed);
    }

    /// Looks less and less often: each look takes the word, and with it what lies beside it, from
    /// the caches of who is inside.
    [[nodiscard]] bool comes_in_soon() noexcept {
        int pauses = 1;
        for (int spent = 0; spent < most_pauses; spent += pauses) {
            std::uint32_t found = nobody;
            if (word_.load(std::memory_order_relaxed) == nobody &&
                word_.compare_exchange_strong(found, taken, std::memory_order_acquire)) {
                return true;
            }
            for (int i = 0; i < pauses; ++i) COFFER_PAUSE();
            if (pauses < longest) pauses *= 2;
        }
        return false;
    }

    void leave() noexcept {
        if constexpr (Threading::concurrent) {
            if (word_.exchange(nobody, std::memory_order_release) == asleep) [[unlikely]]
                word_.notify_all();
        }
    }

    typename Threading::template atomic<std::uint32_t> word_{nobody};
    typename Threading::template atomic<int> awaited_{0};  // how many wait
};

}  // namespace coffer::detail

#endif
