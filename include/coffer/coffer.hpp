// coffer/coffer.hpp: all of coffer in one include.
//
//   using users = coffer::store<std::string, std::string, coffer::index::sorted>;
//   auto db = users::open("users.coffer");
//   db.put("ada", "lovelace");
#ifndef COFFER_COFFER_HPP
#define COFFER_COFFER_HPP

#include <coffer/config/version.hpp>
#include <coffer/fs/faulty.hpp>
#include <coffer/fs/native.hpp>
#include <coffer/fs/simulated.hpp>
#include <coffer/store.hpp>
#include <coffer/store/salvage.hpp>

#endif
