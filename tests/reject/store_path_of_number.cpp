// expect: a path is a string or has string()
#include <coffer/store.hpp>

#ifdef COFFER_ACCEPT
inline const char* const path = "folder";
#else
inline constexpr int path = 5;
#endif

using S = coffer::store<int, int>;

void call() {
    static_cast<void>(S::open(path));
}

int main() {}
