// coffer/durability/sync.hpp: a returning write is on stable storage, and no reader saw it earlier.
//
// Group commit without a timer: the first writer that finds its commit not yet durable hands over
// everything that is in the log and syncs it, while the writers behind it append and wait; the next
// of them does the same for all who came meanwhile. Nothing is locked while the disk works.
//
// Cost: one hand-over and one sync for a group of writers. At risk: nothing.
#ifndef COFFER_DURABILITY_SYNC_HPP
#define COFFER_DURABILITY_SYNC_HPP

#include <coffer/core/result.hpp>
#include <coffer/durability/concept.hpp>
#include <coffer/format/position.hpp>

namespace coffer {

namespace detail {

template <class Log>
class sync_driver {
public:
    template <class Wake>
    sync_driver(Log& log, const pace&, Wake&) noexcept : log_(&log) {}

    [[nodiscard]] result<void> before_write() { return log_->check(); }

    template <class Then>
    [[nodiscard]] result<void> after_write(position place, Then&& then) {
        return log_->sync(place, then);
    }

    [[nodiscard]] position kept() const noexcept { return log_->durable(); }
    [[nodiscard]] std::uint64_t due() const noexcept { return never; }
    [[nodiscard]] result<void> run() { return {}; }

private:
    Log* log_;
};

}  // namespace detail

namespace durability {

struct sync {
    static constexpr bool survives_process_crash = true;
    static constexpr bool survives_system_crash = true;
    static constexpr bool hides_until_kept = true;
    static constexpr bool needs_worker = false;
    template <class Log>
    using driver = detail::sync_driver<Log>;
};

static_assert(durability_policy<sync>);

}  // namespace durability
}  // namespace coffer

#endif
