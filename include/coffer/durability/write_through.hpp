// coffer/durability/write_through.hpp: a returning write is with the operating system.
//
// It survives the death of the process; a power cut takes the store back to the last sync(). One
// writer hands over for all whose records lie before the same place.
//
// Cost: one system call for a group of writers; none where the storage policy needs no hand-over.
#ifndef COFFER_DURABILITY_WRITE_THROUGH_HPP
#define COFFER_DURABILITY_WRITE_THROUGH_HPP

#include <coffer/core/result.hpp>
#include <coffer/durability/concept.hpp>
#include <coffer/format/position.hpp>

#include <cstdint>

namespace coffer {

namespace detail {

template <class Log>
class write_through_driver {
public:
    template <class Wake>
    write_through_driver(Log& log, const pace& bounds, Wake&) noexcept
        : log_(&log), max_unsynced_(bounds.max_unsynced_bytes) {}

    [[nodiscard]] result<void> before_write() {
        if (auto may = log_->check(); !may) [[unlikely]]
            return may;
        if (log_->unsynced_bytes() > max_unsynced_) [[unlikely]]
            return log_->sync();
        return {};
    }

    template <class Then>
    [[nodiscard]] result<void> after_write(position place, Then&& then) {
        if constexpr (Log::hands_over) return log_->hand_over(place, then);
        return {};
    }

    [[nodiscard]] position kept() const noexcept { return log_->handed(); }
    [[nodiscard]] std::uint64_t due() const noexcept {
        return log_->healthy() && log_->unsynced_bytes() > max_unsynced_ / 2 ? 0 : never;
    }
    [[nodiscard]] result<void> run() { return log_->sync(); }

private:
    Log* log_;
    std::uint64_t max_unsynced_;
};

}  // namespace detail

namespace durability {

struct write_through {
    static constexpr bool survives_process_crash = true;
    static constexpr bool survives_system_crash = false;
    static constexpr bool hides_until_kept = true;
    static constexpr bool needs_worker = false;
    template <class Log>
    using driver = detail::write_through_driver<Log>;
};

static_assert(durability_policy<write_through>);

}  // namespace durability
}  // namespace coffer

#endif
