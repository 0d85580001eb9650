// tests/hygiene/hostile_macros.cpp: the library after headers that define what others' do.
//
// The names are those of windows.h and its company, of Qt, Xlib and complex.h that a storage library
// is likely to use. They
// must neither break the library nor be changed by it. The standard library comes first: on Windows
// it looks after itself, here it does not.
#include <algorithm>
#include <any>
#include <array>
#include <atomic>
#include <bit>
#include <bitset>
#include <cassert>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cinttypes>
#include <climits>
#include <cmath>
#include <compare>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <exception>
#include <filesystem>
#include <forward_list>
#include <fstream>
#include <functional>
#include <future>
#include <initializer_list>
#include <iomanip>
#include <ios>
#include <iostream>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <ranges>
#include <ratio>
#include <set>
#include <shared_mutex>
#include <span>
#include <sstream>
#include <stack>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <typeindex>
#include <typeinfo>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>
#include <version>

#if defined(__unix__) || defined(__APPLE__)
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#endif

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define near
#define far
#define small char
#define interface struct
#define ERROR 0
#define NO_ERROR 0
#define DELETE 0x00010000L
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID void
#define TRUE 1
#define FALSE 0
#define STRICT 1
#define THIS void
#define PASCAL
#define ABSOLUTE 1
#define RELATIVE 2
#define OPEN_EXISTING 3
#define OPEN_ALWAYS 4
#define KEY_READ 1
#define KEY_WRITE 2
#define KEY_EVENT 1
#define KEY_NOTIFY 16
#define TRANSACTION_COMMIT 1
#define TRANSACTION_ROLLBACK 2
#define Yield()
#define GetCurrentTime() 0
#define GetFreeSpace(w) 0
#define CreateFile CreateFileA
#define DeleteFile DeleteFileA
#define MoveFile MoveFileA
#define CopyFile CopyFileA
#define ReplaceFile ReplaceFileA
#define CreateDirectory CreateDirectoryA
#define RemoveDirectory RemoveDirectoryA
#define GetObject GetObjectA
#define GetMessage GetMessageA
#define SendMessage SendMessageA
#define CreateMutex CreateMutexA
#define CreateEvent CreateEventA
#define rad1 0x0490
#define grp1 0x0420
#define BLOCK_SIZE (1 << 10)
#define major(dev) 0
#define minor(dev) 0
#define unix 1
#define linux 1
#define slots
#define signals public
#define emit
#define foreach for
#define forever for (;;)
#define None 0L
#define Bool int
#define Status int
#define Success 0
#define Always 2
#define True 1
#define False 0
#define I (1.0)

#include <coffer/coffer.hpp>

#if !defined(min) || !defined(max) || !defined(near) || !defined(far) || !defined(small) ||        \
    !defined(interface) || !defined(ERROR) || !defined(DELETE) || !defined(IN) || !defined(OUT) || \
    !defined(OPTIONAL) || !defined(Yield) || !defined(BLOCK_SIZE)
#error "coffer undefined a macro of its user"
#endif
static_assert(min(1, 2) == 1 && max(1, 2) == 2 && ERROR == 0 && OPEN_ALWAYS == 4,
              "coffer changed a macro of its user");

int include_first();

int main() {
    using users = coffer::store<std::string, std::string, coffer::storage::file_log>;
    auto db = users::open("hostile.coffer");
    db.put("ada", "lovelace");
    const bool kept = db.get("ada") == "lovelace";
    db.close();
    return kept ? include_first() : 1;
}
