// coffer/durability/concept.hpp: the durability axis. What does a returning write promise?
//
// | policy          | a returned write is                                   | survives the process  | survives the system |
// |-----------------|-------------------------------------------------------|-----------------------|---------------------|
// | `sync`          | on stable storage, and no reader saw it earlier       | yes                   | yes                 |
// | `write_through` | with the operating system                             | yes                   | to the last sync()  |
// | `buffered`      | in this process; handed over after `buffer_bytes` or `interval` | to the last hand-over | to the last sync() |
// | `async`         | in this process; a worker hands over and syncs after `max_bytes` or `max_delay` | to the last hand-over | to the worker's last sync |
//
// A policy `D` is an empty type:
//
// | expression                   | result         | promise                                        |
// |------------------------------|----------------|------------------------------------------------|
// | `D::survives_process_crash`  | constexpr bool | every returned write survives a killed process |
// | `D::survives_system_crash`   | constexpr bool | every returned write survives a power cut      |
// | `D::hides_until_kept`        | constexpr bool | no reader sees a write before its promise holds |
// | `D::needs_worker`            | constexpr bool | hand-over happens on a thread of its own       |
// | `D::template driver<Log>`    | type           | drives one log:                                |
//
// | expression                   | result         | called                                         |
// |------------------------------|----------------|------------------------------------------------|
// | `driver(log, pace, wake)`    |                | once; `wake.wake()` wakes the background thread |
// | `d.before_write()`           | result<void>   | by a writer, outside the writer's section; may wait (back-pressure), answers sticky errors |
// | `d.after_write(place, then)` | result<void>   | by a writer whose commit ends at `place`; returns when the promise holds. `then(kept)` runs on one of the waiting writers when the promise came to hold for all before `kept` |
// | `d.kept()`                   | position       | where hides_until_kept: the promise holds for all before it |
// | `d.due()`                    | std::uint64_t  | by the background thread: when run() wants to be called next (nanoseconds of the file system's clock; UINT64_MAX: not at all) |
// | `d.run()`                    | result<void>   | by the background thread, when due; under `threading::single` only `needs_worker` has one |
#ifndef COFFER_DURABILITY_CONCEPT_HPP
#define COFFER_DURABILITY_CONCEPT_HPP

#include <coffer/core/result.hpp>
#include <coffer/format/position.hpp>

#include <concepts>
#include <cstdint>

namespace coffer {

namespace detail {

/// The bounds of the policies that let bytes wait. Times in nanoseconds.
struct pace {
    std::uint64_t buffer_bytes = std::uint64_t{4} << 20;
    std::uint64_t interval = 1'000'000'000;
    std::uint64_t max_bytes = std::uint64_t{64} << 20;
    std::uint64_t max_delay = 100'000'000;
    std::uint64_t max_unsynced_bytes = std::uint64_t{256} << 20;
};

inline constexpr std::uint64_t never = UINT64_MAX;

/// Stand for the caller of a driver: to check that it fits the concept.
struct no_wake {
    void wake();
};
struct no_then {
    void operator()(position);
};

namespace need {

template <class D>
concept survival = requires {
    { D::survives_process_crash } -> std::convertible_to<bool>;
    { D::survives_system_crash } -> std::convertible_to<bool>;
};
template <class D>
concept hiding = requires {
    { D::hides_until_kept } -> std::convertible_to<bool>;
};
template <class D>
concept worker = requires {
    { D::needs_worker } -> std::convertible_to<bool>;
};
template <class D, class Log>
concept durability_with_driver = requires { typename D::template driver<Log>; };

template <class D, class Log>
concept driver_made =
    requires(Log& log, const pace& bounds, no_wake& wake) { D(log, bounds, wake); };
template <class D>
concept driver_before_write = requires(D& driver) {
    { driver.before_write() } -> std::same_as<result<void>>;
};
template <class D>
concept driver_after_write = requires(D& driver, position place) {
    { driver.after_write(place, no_then()) } -> std::same_as<result<void>>;
};
template <class D>
concept driver_kept = requires(D& driver) {
    { driver.kept() } -> std::same_as<position>;
};
template <class D>
concept driver_due = requires(D& driver) {
    { driver.due() } -> std::same_as<std::uint64_t>;
};
template <class D>
concept driver_run = requires(D& driver) {
    { driver.run() } -> std::same_as<result<void>>;
};

}  // namespace need

template <class D, class Log, bool Hides>
concept durability_driver =
    need::driver_made<D, Log> && need::driver_before_write<D> && need::driver_after_write<D> &&
    need::driver_due<D> && need::driver_run<D> && (!Hides || need::driver_kept<D>);

/// Does not compile unless D can drive `Log`, and says what D lacks.
template <class D, class Log, bool Hides>
consteval bool explain_durability_driver() {
    static_assert(need::driver_made<D, Log>,
                  "a coffer durability driver is made as  driver(log, const pace&, wake&)");
    static_assert(need::driver_before_write<D>,
                  "a coffer durability driver needs  result<void> before_write()");
    static_assert(need::driver_after_write<D>,
                  "a coffer durability driver needs  result<void> after_write(position, Then&&)");
    static_assert(need::driver_due<D>, "a coffer durability driver needs  std::uint64_t due()");
    static_assert(need::driver_run<D>, "a coffer durability driver needs  result<void> run()");
    static_assert(!Hides || need::driver_kept<D>,
                  "a coffer durability driver whose policy says hides_until_kept needs  "
                  "position kept()");
    return durability_driver<D, Log, Hides>;
}

}  // namespace detail

template <class D>
concept durability_policy =
    detail::need::survival<D> && detail::need::hiding<D> && detail::need::worker<D>;

/// Does not compile unless durability_policy<D>, and says what D lacks.
template <class D>
consteval bool explain_durability_policy() {
    static_assert(detail::need::survival<D>,
                  "a coffer durability policy needs  static constexpr bool "
                  "survives_process_crash and survives_system_crash");
    static_assert(detail::need::hiding<D>,
                  "a coffer durability policy needs  static constexpr bool hides_until_kept");
    static_assert(detail::need::worker<D>,
                  "a coffer durability policy needs  static constexpr bool needs_worker");
    return durability_policy<D>;
}

}  // namespace coffer

#endif
