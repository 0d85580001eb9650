// coffer/storage/concept.hpp: the storage axis. Where do records live?
//
// A policy `S` is an empty type:
//
// | expression                 | result         | promise |
// |----------------------------|----------------|------------------------------------------------------|
// | `S::id`                    | policy_id      | name and version in the file STORE | |
// `S::persistent`            | constexpr bool | records outlive the process | | `S::hands_over` |
// constexpr bool | an accepted record is lost with the process until it is handed over | |
// `S::template medium<FS>`   | type           | holds the segments of a log: journal/segment.hpp |
#ifndef COFFER_STORAGE_CONCEPT_HPP
#define COFFER_STORAGE_CONCEPT_HPP

#include <coffer/core/policy.hpp>

#include <concepts>

namespace coffer {

template <class S>
concept storage_policy = requires {
    { S::id } -> std::convertible_to<policy_id>;
    { S::persistent } -> std::convertible_to<bool>;
    { S::hands_over } -> std::convertible_to<bool>;
};

}  // namespace coffer

#endif
