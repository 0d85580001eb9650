// coffer/fs/native_windows_calls.hpp: what `fs::native` needs of kernel32 before there are files.
//
// The functions are declared here by hand, because <windows.h> brings some thousand macros with it.
// Each declaration is the system's own, word for word in types, so that both may be read in either
// order; structures are named by the system's global tags and laid out here under other names.
// Only kernel32 is linked, which every program has. Functions whose parameters are unscoped
// enumerations cannot be declared twice and are therefore not used.
#ifndef COFFER_FS_NATIVE_WINDOWS_CALLS_HPP
#define COFFER_FS_NATIVE_WINDOWS_CALLS_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

struct HINSTANCE__;
struct _BY_HANDLE_FILE_INFORMATION;
struct _OVERLAPPED;
struct _SECURITY_ATTRIBUTES;
struct _WIN32_FIND_DATAW;
union _LARGE_INTEGER;
union _ULARGE_INTEGER;

namespace coffer::detail::win {

using dword = unsigned long;
using handle = void*;
inline constexpr bool is_64 = sizeof(void*) == 8;
using word_size = std::conditional_t<is_64, unsigned long long, unsigned long>;  // SIZE_T
using far_result = std::conditional_t<is_64, long long, int>;                    // INT_PTR

extern "C" {
using far_function = far_result(__stdcall*)();  // FARPROC

__declspec(dllimport) int __stdcall CloseHandle(handle);
__declspec(dllimport) int __stdcall CreateDirectoryW(const wchar_t*, ::_SECURITY_ATTRIBUTES*);
__declspec(dllimport) handle __stdcall CreateFileMappingW(handle, ::_SECURITY_ATTRIBUTES*, dword,
                                                          dword, dword, const wchar_t*);
__declspec(dllimport) handle __stdcall CreateFileW(const wchar_t*, dword, dword,
                                                   ::_SECURITY_ATTRIBUTES*, dword, dword, handle);
__declspec(dllimport) int __stdcall DeleteFileW(const wchar_t*);
__declspec(dllimport) int __stdcall DuplicateHandle(handle, handle, handle, handle*, dword, int,
                                                    dword);
__declspec(dllimport) int __stdcall FindClose(handle);
__declspec(dllimport) handle __stdcall FindFirstFileW(const wchar_t*, ::_WIN32_FIND_DATAW*);
__declspec(dllimport) int __stdcall FindNextFileW(handle, ::_WIN32_FIND_DATAW*);
__declspec(dllimport) int __stdcall FlushFileBuffers(handle);
__declspec(dllimport) int __stdcall FlushViewOfFile(const void*, word_size);
__declspec(dllimport) handle __stdcall GetCurrentProcess();
__declspec(dllimport) dword __stdcall GetCurrentProcessId();
__declspec(dllimport) int __stdcall GetDiskFreeSpaceExW(const wchar_t*, ::_ULARGE_INTEGER*,
                                                        ::_ULARGE_INTEGER*, ::_ULARGE_INTEGER*);
__declspec(dllimport) dword __stdcall GetFileAttributesW(const wchar_t*);
__declspec(dllimport) int __stdcall GetFileInformationByHandle(handle,
                                                               ::_BY_HANDLE_FILE_INFORMATION*);
__declspec(dllimport) int __stdcall GetFileSizeEx(handle, ::_LARGE_INTEGER*);
__declspec(dllimport) dword __stdcall GetFileType(handle);
__declspec(dllimport) dword __stdcall GetFinalPathNameByHandleW(handle, wchar_t*, dword, dword);
__declspec(dllimport) dword __stdcall GetFullPathNameW(const wchar_t*, dword, wchar_t*, wchar_t**);
__declspec(dllimport) dword __stdcall GetLastError();
__declspec(dllimport) far_function __stdcall GetProcAddress(::HINSTANCE__*, const char*);
__declspec(dllimport)::HINSTANCE__* __stdcall LoadLibraryExW(const wchar_t*, handle, dword);
__declspec(dllimport) int __stdcall LockFileEx(handle, dword, dword, dword, dword, ::_OVERLAPPED*);
__declspec(dllimport) void* __stdcall MapViewOfFile(handle, dword, dword, dword, word_size);
__declspec(dllimport) int __stdcall MoveFileExW(const wchar_t*, const wchar_t*, dword);
__declspec(dllimport) int __stdcall MultiByteToWideChar(unsigned int, dword, const char*, int,
                                                        wchar_t*, int);
__declspec(dllimport) handle __stdcall ReOpenFile(handle, dword, dword, dword);
__declspec(dllimport) int __stdcall ReadFile(handle, void*, dword, dword*, ::_OVERLAPPED*);
__declspec(dllimport) int __stdcall SetEndOfFile(handle);
__declspec(dllimport) dword __stdcall SetFilePointer(handle, long, long*, dword);
__declspec(dllimport) void __stdcall SetLastError(dword);
__declspec(dllimport) int __stdcall UnmapViewOfFile(const void*);
__declspec(dllimport) int __stdcall WideCharToMultiByte(unsigned int, dword, const wchar_t*, int,
                                                        char*, int, const char*, int*);
__declspec(dllimport) int __stdcall WriteFile(handle, const void*, dword, dword*, ::_OVERLAPPED*);
}

// The system's constants, by its names without the capitals.
inline constexpr dword generic_read = 0x80000000UL;
inline constexpr dword generic_write = 0x40000000UL;
inline constexpr dword share_read = 1;
inline constexpr dword share_write = 2;
inline constexpr dword share_delete = 4;
inline constexpr dword create_new = 1;
inline constexpr dword open_existing = 3;
inline constexpr dword attribute_directory = 0x10;
inline constexpr dword attribute_reparse_point = 0x400;
inline constexpr dword invalid_attributes = 0xFFFFFFFFUL;
inline constexpr dword flag_open_reparse_point = 0x00200000UL;
inline constexpr dword flag_backup_semantics = 0x02000000UL;
inline constexpr dword type_disk = 1;
inline constexpr dword page_readonly = 2;
inline constexpr dword page_readwrite = 4;
inline constexpr dword map_write = 2;
inline constexpr dword map_read = 4;
inline constexpr dword lock_fail_immediately = 1;
inline constexpr dword lock_exclusive = 2;
inline constexpr dword move_replace_existing = 1;
inline constexpr dword move_write_through = 8;
inline constexpr dword same_access = 2;
inline constexpr dword load_from_system32 = 0x800;
inline constexpr unsigned int utf8 = 65001;
inline constexpr dword refuse_invalid = 8;

enum failure_code : dword {
    file_not_found = 2,
    path_not_found = 3,
    access_denied = 5,
    no_more_files = 18,
    write_protect = 19,
    sharing_violation = 32,
    lock_violation = 33,
    handle_eof = 38,
    handle_disk_full = 39,
    file_exists = 80,
    invalid_parameter = 87,
    disk_full = 112,
    invalid_name = 123,
    bad_pathname = 161,
    already_exists = 183,
    filename_too_long = 206,
    not_a_directory = 267,
    io_pending = 997,
    quota_exceeded = 1295,
};

// The system's structures.
struct overlapped {
    word_size internal[2];
    dword offset_low;
    dword offset_high;
    handle event;
};
struct file_time {
    dword low;
    dword high;
};
struct file_information {
    dword attributes;
    file_time created;
    file_time accessed;
    file_time written;
    dword volume;
    dword size_high;
    dword size_low;
    dword links;
    dword index_high;
    dword index_low;
};
struct find_data {
    dword attributes;
    file_time created;
    file_time accessed;
    file_time written;
    dword size_high;
    dword size_low;
    dword reserved[2];
    wchar_t name[260];
    wchar_t short_name[14];
};
static_assert(sizeof(file_information) == 52 && sizeof(find_data) == 592, "as the system has them");
static_assert(sizeof(overlapped) == (is_64 ? 32 : 20), "as the system has it");

/// Places a call's 64-bit offset.
[[nodiscard]] inline overlapped at_offset(std::uint64_t at) noexcept {
    return {{}, static_cast<dword>(at & 0xFFFFFFFFU), static_cast<dword>(at >> 32), nullptr};
}

[[nodiscard]] inline errc kind_of(dword code) noexcept {
    switch (code) {
        case file_not_found:
        case path_not_found:
            return errc::not_found;
        case access_denied:
        case write_protect:
        case sharing_violation:
        case lock_violation:
            return errc::permission_denied;
        case disk_full:
        case handle_disk_full:
        case quota_exceeded:
            return errc::no_space;
        case file_exists:
        case already_exists:
        case invalid_parameter:
        case invalid_name:
        case bad_pathname:
        case filename_too_long:
        case not_a_directory:
            return errc::invalid_argument;
        default:
            return errc::io_error;
    }
}

/// `what` is the operation that failed; what to do next follows from the kind.
[[nodiscard]] COFFER_NOINLINE inline failure refused(
    dword code, std::string_view what, std::string_view path,
    std::optional<std::uint64_t> offset = std::nullopt) {
    const errc kind = kind_of(code);
    std::string sentence(what);
    if (kind == errc::no_space) sentence += "; free some space on the disk or in the quota";
    if (code == access_denied) sentence += "; check the folder's permissions, and who has it open";
    return fail(kind, sentence, path, static_cast<int>(code), offset);
}

/// A wrong argument in a data call says nothing of a name: it is the device that refuses.
[[nodiscard]] COFFER_NOINLINE inline failure refused_data(dword code, std::string_view what,
                                                          std::string_view path,
                                                          std::uint64_t offset) {
    if (kind_of(code) == errc::invalid_argument) {
        return fail(errc::io_error, what, path, static_cast<int>(code), offset);
    }
    return refused(code, what, path, offset);
}

/// A handle that closes itself.
class owned {
public:
    owned() noexcept = default;
    explicit owned(handle held) noexcept : held_(is_valid(held) ? held : nullptr) {}
    owned(owned&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    owned& operator=(owned&& other) noexcept {
        std::swap(held_, other.held_);
        return *this;
    }
    ~owned() {
        if (held_ != nullptr) CloseHandle(held_);
    }

    [[nodiscard]] handle get() const noexcept { return held_; }
    [[nodiscard]] bool is_open() const noexcept { return held_ != nullptr; }

    /// Another handle of the same open file.
    [[nodiscard]] owned twin() const noexcept {
        handle made = nullptr;
        DuplicateHandle(GetCurrentProcess(), held_, GetCurrentProcess(), &made, 0, 0, same_access);
        return owned(made);
    }

    [[nodiscard]] static bool is_valid(handle held) noexcept {
        return held != nullptr && held != reinterpret_cast<handle>(~std::uintptr_t{0});
    }

private:
    handle held_ = nullptr;
};

/// UTF-8 to the system's UTF-16. Empty if the text is not UTF-8, or empty.
[[nodiscard]] inline std::wstring widened(std::string_view text) {
    const int size = static_cast<int>(text.size());
    const int needed = MultiByteToWideChar(utf8, refuse_invalid, text.data(), size, nullptr, 0);
    std::wstring wide(static_cast<std::size_t>(needed < 0 ? 0 : needed), L'\0');
    MultiByteToWideChar(utf8, refuse_invalid, text.data(), size, wide.data(), needed);
    return wide;
}

[[nodiscard]] inline std::string narrowed(std::wstring_view text) {
    const int size = static_cast<int>(text.size());
    const int needed =
        WideCharToMultiByte(utf8, 0, text.data(), size, nullptr, 0, nullptr, nullptr);
    std::string narrow(static_cast<std::size_t>(needed < 0 ? 0 : needed), '\0');
    WideCharToMultiByte(utf8, 0, text.data(), size, narrow.data(), needed, nullptr, nullptr);
    return narrow;
}

/// The whole path of an open folder, in the form that has no limit of length.
[[nodiscard]] inline std::wstring full_path(handle folder, const std::wstring& given) {
    std::wstring whole(32768, L'\0');
    const auto room = static_cast<dword>(whole.size());
    dword size = GetFinalPathNameByHandleW(folder, whole.data(), room, 0);
    if (size == 0 || size >= room) {  // a disk without a name of that kind
        size = GetFullPathNameW(given.c_str(), room, whole.data(), nullptr);
    }
    whole.resize(size < room ? size : 0);
    return whole;
}

/// A function of a system library that the program is not linked with; null if there is none.
template <class Function>
[[nodiscard]] Function system_function(const wchar_t* library, const char* name) noexcept {
    ::HINSTANCE__* const loaded = LoadLibraryExW(library, nullptr, load_from_system32);
    if (loaded == nullptr) return nullptr;
    return reinterpret_cast<Function>(reinterpret_cast<void*>(GetProcAddress(loaded, name)));
}

}  // namespace coffer::detail::win

#endif
