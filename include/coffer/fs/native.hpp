// coffer/fs/native.hpp: the operating system's own files.
//
// Picks the one of native_posix.hpp and native_windows.hpp that this system needs; both are
// `coffer::fs::native`, an empty type.
#ifndef COFFER_FS_NATIVE_HPP
#define COFFER_FS_NATIVE_HPP

#include <coffer/config/platform.hpp>

#if COFFER_OS_WINDOWS
#include <coffer/fs/native_windows.hpp>
#else
#include <coffer/fs/native_posix.hpp>
#endif

#endif
