// coffer/fs/path.hpp: names and paths as text.
//
// What every file-system policy does before it asks its system: a name that would lead out of its
// folder is refused here. A backslash and a colon separate on Windows only, but names with them are
// refused everywhere, so that a folder can be carried to any system.
#ifndef COFFER_FS_PATH_HPP
#define COFFER_FS_PATH_HPP

#include <coffer/config/platform.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace coffer::detail {

[[nodiscard]] inline bool is_separator(char letter) noexcept {
    return letter == '/' || (COFFER_OS_WINDOWS && letter == '\\');
}

/// May this be the name of a file inside a folder?
[[nodiscard]] inline bool is_file_name(std::string_view name) noexcept {
    constexpr std::string_view forbidden("/\\:\0", 4);
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of(forbidden) == std::string_view::npos;
}

[[nodiscard]] inline std::string joined(std::string_view folder, std::string_view name) {
    std::string path(folder);
    if (path.empty() || !is_separator(path.back())) path += '/';
    return path.append(name);
}

/// The path of the folder that holds `path`, as far as its text says: it knows neither links nor
/// what is above "." or "..".
[[nodiscard]] inline std::string parent_of(std::string_view path) {
    const auto without_separators = [](std::string_view of) {
        while (of.size() > 1 && is_separator(of.back())) of.remove_suffix(1);
        return of;
    };
    for (;;) {
        path = without_separators(path);
        std::size_t begin = path.size();
        while (begin > 0 && !is_separator(path[begin - 1])) --begin;
        const bool is_itself = path.substr(begin) == ".";
        path = without_separators(path.substr(0, begin));
        if (path.empty()) return ".";
        if (!is_itself) return std::string(path);
    }
}

}  // namespace coffer::detail

#endif
