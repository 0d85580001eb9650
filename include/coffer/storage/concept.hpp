// coffer/storage/concept.hpp: the storage axis. Where do records live?
//
// A policy `S` is an empty type:
//
// | expression               | result         | promise                                             |
// |--------------------------|----------------|-----------------------------------------------------|
// | `S::id`                  | policy_id      | name and version in the file STORE                  |
// | `S::persistent`          | constexpr bool | records outlive the process                         |
// | `S::hands_over`          | constexpr bool | an accepted record is lost with the process until it is handed over |
// | `S::template medium<FS>` | type           | holds the segments of a log: journal/segment.hpp    |
#ifndef COFFER_STORAGE_CONCEPT_HPP
#define COFFER_STORAGE_CONCEPT_HPP

#include <coffer/core/policy.hpp>

#include <concepts>

namespace coffer {

namespace detail::need {

template <class S>
concept storage_id = requires {
    { S::id } -> std::convertible_to<policy_id>;
};
template <class S>
concept persistence = requires {
    { S::persistent } -> std::convertible_to<bool>;
};
template <class S>
concept hand_over = requires {
    { S::hands_over } -> std::convertible_to<bool>;
};
template <class S, class FS>
concept storage_with_medium = requires { typename S::template medium<FS>; };

}  // namespace detail::need

template <class S>
concept storage_policy =
    detail::need::storage_id<S> && detail::need::persistence<S> && detail::need::hand_over<S>;

/// Does not compile unless storage_policy<S>, and says what S lacks.
template <class S>
consteval bool explain_storage_policy() {
    static_assert(detail::need::storage_id<S>,
                  "a coffer storage policy needs  static constexpr coffer::policy_id id");
    static_assert(detail::need::persistence<S>,
                  "a coffer storage policy needs  static constexpr bool persistent");
    static_assert(detail::need::hand_over<S>,
                  "a coffer storage policy needs  static constexpr bool hands_over");
    return storage_policy<S>;
}

}  // namespace coffer

#endif
