// coffer/journal/keeper.hpp: what keeps the index for the next process, seen from the log.
//
// A log tells its keeper what is not to be found in the log itself, or only by reading all of it.
// A medium whose records outlive a killed process may name one, `template <class T> keeper`; all
// others have this one, which keeps nothing and costs nothing: an image is written at a clean end.
//
// | expression                   | promise                                                      |
// |------------------------------|--------------------------------------------------------------|
// | `K::kept`                    | constexpr bool: is anything kept?                            |
// | `K::memory`                  | the memory of an index: index/concept.hpp                    |
// | `k.fresh_memory(generation)` | the memory of a new index, and its generation                |
// | `k.use(generation)`          | from now on that index is the one that counts                |
// | `k.change()`                 | an object: while one lives, what is kept is not to be used   |
// | `k.begin_change()`, `k.end_change()` | the same for what begins and ends in different places |
// | `k.intend(where, before, dead)` | the index is about to lead to record `where`, or to nothing if that has `intent_erases`, in place of `before`, whose segment then has `dead` dead bytes |
// | `k.told(place, last, commits)` | all before `place`, where the record that begins at offset `last` ends, is in the index |
// | `k.count(n)`                 | the index has n entries; counts with the next told()         |
// | `k.state(slot)`              | where the state of a segment is; null: nowhere               |
// | `k.fresh_state(slot, id)`    | the same of one that is prepared                             |
// | `k.keep(segment)`            | the segment is part of the log; what is not in the log of it |
// | `k.drop(slot)`               | it is so no more                                             |
// | `k.durable(place)`           | all before it is on stable storage                           |
// | `k.disk_bytes()`             | what it takes of the disk                                    |
// | `k.give_up()`                | what is kept is of no use any more; any thread               |
// | `k.end()`                    | the store is closed: from now on another process may have it |
//
// Threads: inside the writer's section, but for the last two, memory and states, for which one at a
// time may ask outside.
#ifndef COFFER_JOURNAL_KEEPER_HPP
#define COFFER_JOURNAL_KEEPER_HPP

#include <coffer/core/threading.hpp>
#include <coffer/format/live.hpp>
#include <coffer/format/position.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/image_file.hpp>

#include <cstdint>

namespace coffer::detail {

template <file_system FS, threading_policy Threading>
struct no_keeper {
    static constexpr bool kept = false;
    using memory = image_memory<FS>;
    struct nothing {};

    [[nodiscard]] static memory fresh_memory(std::uint64_t&) { return {}; }
    static void use(std::uint64_t) noexcept {}
    [[nodiscard]] static nothing change() noexcept { return {}; }
    static void begin_change() noexcept {}
    static void end_change() noexcept {}
    static void intend(address, std::uint64_t, std::uint64_t) noexcept {}
    static void told(position, std::uint64_t, std::uint64_t) noexcept {}
    static void count(std::uint64_t) noexcept {}
    [[nodiscard]] static kept_segment<Threading>* state(std::uint32_t) noexcept { return nullptr; }
    [[nodiscard]] static kept_segment<Threading>* fresh_state(std::uint32_t,
                                                              std::uint64_t) noexcept {
        return nullptr;
    }
    template <class Segment>
    static void keep(const Segment&) noexcept {}
    static void drop(std::uint32_t) noexcept {}
    static void durable(position) noexcept {}
    [[nodiscard]] static std::uint64_t disk_bytes() noexcept { return 0; }
    static void give_up() noexcept {}
    static void end() noexcept {}
};

template <class Medium, threading_policy Threading>
struct keeper_for {
    using type = no_keeper<typename Medium::file_system_type, Threading>;
};
template <class Medium, threading_policy Threading>
    requires requires { typename Medium::template keeper<Threading>; }
struct keeper_for<Medium, Threading> {
    using type = typename Medium::template keeper<Threading>;
};

/// The keeper of a log in `Medium`.
template <class Medium, threading_policy Threading>
using keeper_of = typename keeper_for<Medium, Threading>::type;

}  // namespace coffer::detail

#endif
