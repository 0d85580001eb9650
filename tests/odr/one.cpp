// tests/odr/one.cpp: one program, several copies of the library.
//
// Two translation units and a shared object with hidden symbols each instantiate the same store.
// The program links; what one writes the others read; a store that one copy holds is locked for the
// other, because the lock is the kernel's; and an error of one copy is understood by the other.
#include "side.hpp"

#include <coffer/coffer.hpp>

#include <cstdio>

using users = coffer::store<std::string, std::string, coffer::storage::file_log>;

namespace {

int failed = 0;

void check(bool holds, const char* sentence) {
    if (holds) return;
    std::fprintf(stderr, "odr: not so: %s\n", sentence);
    failed = 1;
}

}  // namespace

int main() {
    const std::string path = "odr.coffer";
    {
        auto db = users::open(path);
        db.put("ada", "lovelace");

        const std::error_code code = side_open(path);
        check(static_cast<bool>(code), "what the program holds is locked for the shared object");
        check(code == coffer::errc::locked && coffer::errc::locked == code &&
                  code != coffer::errc::closed &&
                  code == coffer::make_error_condition(coffer::errc::locked),
              "the program understands the shared object's error as errc::locked");
        db.close();
    }
    check(side_get(path, "ada") == "lovelace", "the shared object reads what the program wrote");
    check(second_get(path, "ada") == "lovelace", "the second unit reads what the first wrote");
    return failed;
}
