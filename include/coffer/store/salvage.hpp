// coffer/store/salvage.hpp: a new store with everything that the damage to an old one left.
//
//   coffer::salvage_report told = coffer::salvage<users>("users.coffer", "users.saved");
//
// For a store that open() refuses with errc::corruption, or whose verify() names damages, where no
// copy brings the file back. Every put, erase and clear that is sound is done again, in order, in a
// new store; the report names every stretch that could not be read. Where an erase, or a newer
// value, was in such a stretch, the value before it comes back: look at the report, and at your own
// invariants, before you trust the new store. Of a batch that was hit, what is left is done.
//
// The old folder is not changed, and nobody may use it meanwhile (errc::locked). The new one must
// not hold a store yet. What fails half-way leaves an unfinished store there: remove it, and try
// again. Cost: one pass over the old log, with one segment in memory, and the writes of the new.
#ifndef COFFER_STORE_SALVAGE_HPP
#define COFFER_STORE_SALVAGE_HPP

#include <coffer/core/codec.hpp>
#include <coffer/core/result.hpp>
#include <coffer/format/record.hpp>
#include <coffer/journal/salvaged_log.hpp>
#include <coffer/store.hpp>

#include <string>
#include <utility>

namespace coffer {

namespace detail {

/// Does again in `to` what a record of an old store did. False: it holds no key, or no value, of
/// these types.
template <class Store>
[[nodiscard]] result<bool> do_again(Store& to, const record& each) {
    if (each.type == record_type::clear) {
        if (auto done = to.try_clear(); !done) return done.failure();
        return true;
    }
    auto key = key_codec<typename Store::key_type>::decode(each.key);
    if (!key) return false;
    if (each.type == record_type::erase) {
        if (auto done = to.try_erase(*key); !done) return done.failure();
        return true;
    }
    auto value = value_codec<typename Store::mapped_type>::decode(each.value);
    if (!value) return false;
    if (auto done = to.try_put(*key, *value); !done) return done.failure();
    return true;
}

}  // namespace detail

/// Store is the type that wrote `from`; its durability does not matter. The new store is durable
/// when this returns.
template <class Store, class From, class To>
[[nodiscard]] result<salvage_report> try_salvage(const From& from, const To& to,
                                                 const options& chosen = {},
                                                 typename Store::file_system_type system = {}) {
    static_assert(!Store::volatile_, "coffer: a store in memory has no files to salvage");
    using written = rebind<Store, durability::buffered>;
    salvage_report told;
    detail::salvaged_log<typename Store::file_system_type> log(told);
    auto opened =
        log.open(system, detail::path_text(from),
                 detail::identity_of<typename Store::key_type, typename Store::mapped_type,
                                     typename Store::storage_type>());
    if (!opened) return opened.failure();
    auto made = written::try_open(to, chosen, system);
    if (!made) return made.failure();
    if (!made->recovery().created) {
        return fail(errc::invalid_argument,
                    "this folder holds a store already; salvage into a new one",
                    detail::path_text(to));
    }
    auto done = log.walk([&](const detail::record& each) { return detail::do_again(*made, each); });
    if (!done) return done.failure();
    told.entries = made->size();
    if (auto closed = made->try_close(); !closed) return closed.failure();
    return told;
}

template <class Store, class From, class To>
salvage_report salvage(const From& from, const To& to, const options& chosen = {},
                       typename Store::file_system_type system = {}) {
    return try_salvage<Store>(from, to, chosen, system).value();
}

}  // namespace coffer

#endif
