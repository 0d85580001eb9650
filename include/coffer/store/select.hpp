// coffer/store/select.hpp: from a list of policies, in any order, to one policy for each axis.
//
// A type belongs to the axis whose concept it satisfies. At most one policy may be named per axis;
// what is not named is the default. Two spellings of the same choice are therefore the same type.
// A type that satisfies none was meant for the axis of which it has some member: it is told what it
// lacks there.
#ifndef COFFER_STORE_SELECT_HPP
#define COFFER_STORE_SELECT_HPP

#include <coffer/core/memory.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/durability/concept.hpp>
#include <coffer/durability/sync.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/fs/native.hpp>
#include <coffer/index/concept.hpp>
#include <coffer/index/hash.hpp>
#include <coffer/storage/concept.hpp>
#include <coffer/storage/file_log.hpp>

#include <type_traits>

namespace coffer::detail {

template <class P>
inline constexpr int axes_of =
    int{storage_policy<P>} + int{durability_policy<P>} + int{index_policy<P>} +
    int{threading_policy<P>} + int{file_system<P>};

/// Does P have a member that only this axis asks for?
template <class P>
concept meant_for_storage =
    need::persistence<P> || need::hand_over<P> || need::storage_with_medium<P, fs::native>;
template <class P>
concept meant_for_durability = need::survival<P> || need::hiding<P> || need::worker<P> ||
                               need::durability_with_driver<P, no_wake>;
template <class P>
concept meant_for_index =
    need::index_ordered<P> || need::index_with_table<P, threading::single, heap_memory, 0>;
template <class P>
concept meant_for_threading =
    need::thread_concurrent<P> || need::thread_atomic<P> || need::thread_mutex<P>;
template <class P>
concept meant_for_fs = need::fs_types<P> || need::fs_open_directory<P> || need::fs_random<P>;

/// Says what a type that is no policy lacks to be the one that it was meant to be.
template <class P>
consteval bool explain_policy() {
    if constexpr (axes_of<P> != 0) {
        return true;
    } else if constexpr (meant_for_storage<P>) {
        return explain_storage_policy<P>();
    } else if constexpr (meant_for_durability<P>) {
        return explain_durability_policy<P>();
    } else if constexpr (meant_for_index<P>) {
        return explain_index_policy<P>();
    } else if constexpr (meant_for_threading<P>) {
        return explain_threading_policy<P>();
    } else if constexpr (meant_for_fs<P>) {
        return explain_file_system<P>();
    } else {
        static_assert(
            axes_of<P> != 0,
            "coffer::store takes policies: storage, durability, index, threading or fs; one of "
            "the types given after Key and Value is none of them");
        return false;
    }
}

/// The axes, as predicates to pick by.
struct storage_axis {
    template <class P>
    static constexpr bool holds = storage_policy<P>;
    using fallback = storage::file_log;
};
struct durability_axis {
    template <class P>
    static constexpr bool holds = durability_policy<P>;
    using fallback = durability::sync;
};
struct index_axis {
    template <class P>
    static constexpr bool holds = index_policy<P>;
    using fallback = index::hash;
};
struct threading_axis {
    template <class P>
    static constexpr bool holds = threading_policy<P>;
    using fallback = threading::multi;
};
struct fs_axis {
    template <class P>
    static constexpr bool holds = file_system<P>;
    using fallback = fs::native;
};

template <class Axis, class Fallback, class... Ps>
struct pick {
    using type = Fallback;
};
template <class Axis, class Fallback, class P, class... Rest>
struct pick<Axis, Fallback, P, Rest...> {
    using type = typename std::conditional_t<Axis::template holds<P>, std::type_identity<P>,
                                             pick<Axis, Fallback, Rest...>>::type;
};

template <class... Ps>
struct selection {
    static_assert((explain_policy<Ps>() && ...), "coffer::store: see the sentence above");
    static_assert(
        ((axes_of<Ps> <= 1) && ...),
        "coffer::store: a policy must belong to one axis; one of the types given satisfies two");
    static_assert(
        (int{storage_policy<Ps>} + ... + 0) <= 1,
        "coffer::store: two storage policies are named; name one (map, file_log or mmap)");
    static_assert(
        (int{durability_policy<Ps>} + ... + 0) <= 1,
        "coffer::store: two durability policies are named; name one (sync, write_through, "
        "buffered or async)");
    static_assert((int{index_policy<Ps>} + ... + 0) <= 1,
                  "coffer::store: two index policies are named; name one (hash or sorted)");
    static_assert((int{threading_policy<Ps>} + ... + 0) <= 1,
                  "coffer::store: two threading policies are named; name one (multi or single)");
    static_assert((int{file_system<Ps>} + ... + 0) <= 1,
                  "coffer::store: two file systems are named; name one (native, simulated or "
                  "faulty)");

    template <class Axis>
    using on = typename pick<Axis, typename Axis::fallback, Ps...>::type;
};

}  // namespace coffer::detail

#endif
