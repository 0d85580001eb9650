// tests/laws/registry.hpp: the 16 store types of one storage and one index.
//
// The traits are compared with the contract's table, not with the policies that they come from.
#ifndef COFFER_TESTS_LAWS_REGISTRY_HPP
#define COFFER_TESTS_LAWS_REGISTRY_HPP

#include <coffer/coffer.hpp>

#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

#include "adapter.hpp"
#include "any_store.hpp"

namespace laws {

template <class P>
inline constexpr const char* name_of_policy = nullptr;
template <>
inline constexpr const char* name_of_policy<coffer::storage::map> = "map";
template <>
inline constexpr const char* name_of_policy<coffer::storage::file_log> = "file_log";
template <>
inline constexpr const char* name_of_policy<coffer::storage::mmap> = "mmap";
template <>
inline constexpr const char* name_of_policy<coffer::durability::sync> = "sync";
template <>
inline constexpr const char* name_of_policy<coffer::durability::write_through> = "write_through";
template <>
inline constexpr const char* name_of_policy<coffer::durability::buffered> = "buffered";
template <>
inline constexpr const char* name_of_policy<coffer::durability::async> = "async";
template <>
inline constexpr const char* name_of_policy<coffer::index::hash> = "hash";
template <>
inline constexpr const char* name_of_policy<coffer::index::sorted> = "sorted";
template <>
inline constexpr const char* name_of_policy<coffer::threading::multi> = "multi";
template <>
inline constexpr const char* name_of_policy<coffer::threading::single> = "single";
template <>
inline constexpr const char* name_of_policy<coffer::fs::native> = "native";
template <>
inline constexpr const char* name_of_policy<coffer::fs::simulated> = "simulated";

template <class Storage, class Durability, class Index, class Threading, class FS>
combination combination_of() {
    using S = coffer::store<std::string, std::string, Storage, Durability, Index, Threading, FS>;
    static_assert(
        std::same_as<
            S, coffer::store<std::string, std::string, FS, Threading, Index, Durability, Storage>>,
        "policies in any order are the same type");
    static_assert(
        std::same_as<
            S, coffer::store<std::string, std::string, Index, Storage, FS, Durability, Threading>>,
        "policies in any order are the same type");
    static_assert(coffer::store_of<S, std::string, std::string>);
    static_assert(std::is_nothrow_move_constructible_v<S> && std::is_nothrow_move_assignable_v<S> &&
                  !std::is_copy_constructible_v<S> && !std::is_copy_assignable_v<S>);
    static_assert(std::is_default_constructible_v<S> ==
                  std::same_as<Storage, coffer::storage::map>);

    constexpr bool on_disk = !std::same_as<Storage, coffer::storage::map>;
    constexpr bool mapped = std::same_as<Storage, coffer::storage::mmap>;
    constexpr bool synced = std::same_as<Durability, coffer::durability::sync>;
    constexpr bool with_the_system =
        synced || std::same_as<Durability, coffer::durability::write_through>;
    static_assert(S::volatile_ == !on_disk);
    static_assert(S::survives_process_crash == (on_disk && (mapped || with_the_system)));
    static_assert(S::survives_system_crash == (on_disk && synced));
    static_assert(S::ordered == std::same_as<Index, coffer::index::sorted>);
    static_assert(S::concurrent == !std::same_as<Threading, coffer::threading::single>);

    combination out;
    out.storage = mapped    ? combination::storage_kind::mmap
                  : on_disk ? combination::storage_kind::file_log
                            : combination::storage_kind::map;
    out.durability = synced            ? combination::durability_kind::sync
                     : with_the_system ? combination::durability_kind::write_through
                     : std::same_as<Durability, coffer::durability::buffered>
                         ? combination::durability_kind::buffered
                         : combination::durability_kind::async;
    out.ordered = S::ordered;
    out.concurrent = S::concurrent;
    out.simulated = std::same_as<FS, coffer::fs::simulated>;
    out.persistent = on_disk;
    out.survives_process_crash = S::survives_process_crash;
    out.survives_system_crash = S::survives_system_crash;
    for (const char* each :
         {name_of_policy<Storage>, name_of_policy<Durability>, name_of_policy<Index>,
          name_of_policy<Threading>, name_of_policy<FS>}) {
        out.name.append(out.name.empty() ? "" : " ").append(each);
    }
    out.try_open = &open_as<S>;
    return out;
}

template <class Storage, class Index, class Threading, class FS>
void add_combinations(std::vector<combination>& to) {
    to.push_back(combination_of<Storage, coffer::durability::sync, Index, Threading, FS>());
    to.push_back(
        combination_of<Storage, coffer::durability::write_through, Index, Threading, FS>());
    to.push_back(combination_of<Storage, coffer::durability::buffered, Index, Threading, FS>());
    to.push_back(combination_of<Storage, coffer::durability::async, Index, Threading, FS>());
}

template <class Storage, class Index>
std::vector<combination> combinations_of() {
    std::vector<combination> out;
    add_combinations<Storage, Index, coffer::threading::multi, coffer::fs::simulated>(out);
    add_combinations<Storage, Index, coffer::threading::single, coffer::fs::simulated>(out);
    add_combinations<Storage, Index, coffer::threading::multi, coffer::fs::native>(out);
    add_combinations<Storage, Index, coffer::threading::single, coffer::fs::native>(out);
    return out;
}

}  // namespace laws

#endif
