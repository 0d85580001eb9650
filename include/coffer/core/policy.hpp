// coffer/core/policy.hpp: what every policy says of itself.
//
// A policy is an empty type that names one choice on one axis. Those that shape bytes on disk carry
// a name and a version, which are stored with the data and compared when it is opened.
#ifndef COFFER_CORE_POLICY_HPP
#define COFFER_CORE_POLICY_HPP

#include <cstdint>
#include <string_view>

namespace coffer {

struct policy_id {
    std::string_view name;  // at most 15 characters of a-z, 0-9 and _
    std::uint32_t version;
};

}  // namespace coffer

#endif
