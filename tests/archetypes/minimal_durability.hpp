// tests/archetypes/minimal_durability.hpp: the smallest durability policy: every writer syncs.
#ifndef COFFER_TESTS_ARCHETYPES_MINIMAL_DURABILITY_HPP
#define COFFER_TESTS_ARCHETYPES_MINIMAL_DURABILITY_HPP

#include <coffer/durability/concept.hpp>

#include <cstdint>
#include <utility>

namespace archetype {

template <class Log>
class syncing_driver {
public:
    template <class Wake>
    syncing_driver(Log& log, const coffer::detail::pace&, Wake&) : log_(log) {}
    syncing_driver(const syncing_driver&) = delete;
    syncing_driver& operator=(const syncing_driver&) = delete;

    coffer::result<void> before_write() { return log_.check(); }
    template <class Then>
    coffer::result<void> after_write(coffer::detail::position place, Then&& then) {
        return log_.sync(place, std::forward<Then>(then));
    }
    coffer::detail::position kept() { return log_.durable(); }
    std::uint64_t due() { return UINT64_MAX; }
    coffer::result<void> run() { return {}; }

private:
    Log& log_;
};

struct syncing {
    static constexpr bool survives_process_crash = true;
    static constexpr bool survives_system_crash = true;
    static constexpr bool hides_until_kept = true;
    static constexpr bool needs_worker = false;
    template <class Log>
    using driver = syncing_driver<Log>;
};

static_assert(coffer::durability_policy<syncing>);

}  // namespace archetype

#endif
