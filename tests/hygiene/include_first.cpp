// tests/hygiene/include_first.cpp: the library before anything else, and again after everything.
//
// It needs no header before it, leaves no public-looking macro behind, and a second include of it
// changes nothing.
#include <coffer/coffer.hpp>

#include <coffer/coffer.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <ranges>
#include <regex>

#if !defined(COFFER_VERSION) || !defined(COFFER_VERSION_STRING) || !defined(COFFER_FORMAT_VERSION)
#error "coffer does not say its version"
#endif
#if defined(min) || defined(max)
#error "coffer defined a macro that is not its own"
#endif

int include_first();
int include_first() {
    using users = coffer::store<std::string, std::string, coffer::storage::map>;
    auto db = users::open("");
    db.put("grace", "hopper");
    return db.get("grace") == "hopper" ? 0 : 1;
}
