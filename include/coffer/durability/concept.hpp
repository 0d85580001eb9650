// coffer/durability/concept.hpp: the durability axis. What does a returning write promise?
//
// | policy          | a returned write is                                  | survives the process |
// survives the system |
// |-----------------|-------------------------------------------------------|----------------------|---------------------|
// | `sync`          | on stable storage, and no reader saw it earlier       | yes | yes | |
// `write_through` | with the operating system                             | yes                  |
// to the last sync()  | | `buffered`      | in this process; handed over after `buffer_bytes` or
// `interval` | to the last hand-over | to the last sync() | | `async`         | in this process; a
// worker hands over and syncs after `max_bytes` or `max_delay` | to the last hand-over | to the
// worker's last sync |
//
// A policy `D` is an empty type:
//
// | expression                        | result         | promise |
// |-----------------------------------|----------------|-----------------------------------------------|
// | `D::survives_process_crash`       | constexpr bool | every returned write survives a killed
// process | | `D::survives_system_crash`        | constexpr bool | every returned write survives a
// power cut     | | `D::hides_until_kept`             | constexpr bool | no reader sees a write
// before its promise holds | | `D::needs_worker`                 | constexpr bool | hand-over
// happens on a thread of its own      | | `D::template driver<Log>`         | type           |
// drives one log:                               |
//
// | expression                   | result                  | called |
// |------------------------------|-------------------------|---------------------------------------------|
// | `driver(log, options, wake)` |                         | once; `wake()` wakes the background
// thread  | | `d.before_write()`           | result<void>            | by a writer, outside the
// writer's section; may wait (back-pressure), answers sticky errors | | `d.after_write(place,
// then)` | result<void>            | by a writer whose commit ends at `place`; returns when the
// promise holds. `then(kept)` runs on one of the waiting writers when the promise came to hold for
// all before `kept` | | `d.kept()`                   | position                | where
// hides_until_kept: the promise holds for all before it | | `d.due()`                    |
// std::uint64_t           | by the background thread: when run() wants to be called next
// (nanoseconds of the file system's clock; UINT64_MAX: not at all) | | `d.run()` | result<void> |
// by the background thread, when due; by callers under `threading::single` |
#ifndef COFFER_DURABILITY_CONCEPT_HPP
#define COFFER_DURABILITY_CONCEPT_HPP

#include <concepts>
#include <cstdint>

namespace coffer {

template <class D>
concept durability_policy = requires {
    { D::survives_process_crash } -> std::convertible_to<bool>;
    { D::survives_system_crash } -> std::convertible_to<bool>;
    { D::hides_until_kept } -> std::convertible_to<bool>;
    { D::needs_worker } -> std::convertible_to<bool>;
};

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

}  // namespace detail
}  // namespace coffer

#endif
