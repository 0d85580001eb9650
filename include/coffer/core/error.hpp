// coffer/core/error.hpp: the one vocabulary of failure.
//
// `errc` says what kind of thing went wrong and is what programs branch on; `error` adds a sentence
// for people (what happened, where, what to do next), the path, the offset and the operating
// system's own code where they are known. `error` is an exception where exceptions are on, and
// travels inside `result` where they are not. Making one allocates; a success never does.
#ifndef COFFER_CORE_ERROR_HPP
#define COFFER_CORE_ERROR_HPP

#include <coffer/config/platform.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace coffer {

enum class errc : int {
    not_found = 1,      ///< a call that demands presence found nothing
    incompatible,       ///< written with other types, another storage or another format version
    corruption,         ///< bytes that were durable are not what was written
    io_error,           ///< the operating system failed to read or write
    no_space,           ///< the disk, the quota or `min_free_bytes` leaves no room
    permission_denied,  ///< the operating system refuses access
    locked,             ///< another opener holds the store
    poisoned,           ///< a sync, or a hand-over waited for, failed: no writes until reopened
    read_only,          ///< a write, flush, sync or compact on a store opened for reading
    closed,             ///< a call after close(), or on a store that was moved from
    too_large,          ///< a key, value or batch above its documented bound
    invalid_argument,   ///< a path, an option or an encoding that cannot be meant
    forked,             ///< the store belongs to the parent process
};

namespace detail {

[[nodiscard]] constexpr const char* name_of(errc code) noexcept {
    switch (code) {
        case errc::not_found:
            return "not found";
        case errc::incompatible:
            return "incompatible";
        case errc::corruption:
            return "corruption";
        case errc::io_error:
            return "I/O error";
        case errc::no_space:
            return "no space";
        case errc::permission_denied:
            return "permission denied";
        case errc::locked:
            return "locked";
        case errc::poisoned:
            return "poisoned";
        case errc::read_only:
            return "read-only";
        case errc::closed:
            return "closed";
        case errc::too_large:
            return "too large";
        case errc::invalid_argument:
            return "invalid argument";
        case errc::forked:
            return "forked";
    }
    return "unknown error";
}

class category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "coffer"; }
    [[nodiscard]] std::string message(int code) const override {
        return name_of(static_cast<errc>(code));
    }
    [[nodiscard]] bool equivalent(const std::error_code& code, int value) const noexcept override {
        // Two shared objects may each hold a copy of this category: compare by name.
        return code.value() == value && std::string_view(code.category().name()) == name();
    }
};

}  // namespace detail

[[nodiscard]] inline const std::error_category& error_category() noexcept {
    static const detail::category instance;
    return instance;
}

[[nodiscard]] inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

[[nodiscard]] inline std::error_condition make_error_condition(errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

/// Also of a code that comes from another shared object.
[[nodiscard]] inline bool operator==(const std::error_code& code, errc kind) noexcept {
    return code == make_error_condition(kind);
}

class error : public std::system_error {
public:
    /// `sentence` says what happened and what to do next. `path` and `offset` (in bytes) say
    /// where; `os_code` is errno or GetLastError(), 0 where the system was not involved.
    error(errc code, std::string_view sentence, std::string_view path = {}, int os_code = 0,
          std::optional<std::uint64_t> offset = std::nullopt)
        : std::system_error(make_error_code(code)),
          details_(std::make_shared<const details>(details{
              told(code, sentence, path, os_code, offset), std::string(path), offset, os_code})) {}

    [[nodiscard]] errc kind() const noexcept { return static_cast<errc>(code().value()); }
    [[nodiscard]] const char* what() const noexcept override { return details_->text.c_str(); }
    [[nodiscard]] const std::string& path() const noexcept { return details_->path; }
    [[nodiscard]] std::optional<std::uint64_t> offset() const noexcept { return details_->offset; }
    [[nodiscard]] int os_code() const noexcept { return details_->os_code; }

private:
    struct details {
        std::string text;
        std::string path;
        std::optional<std::uint64_t> offset;
        int os_code;
    };

    static std::string told(errc code, std::string_view sentence, std::string_view path,
                            int os_code, std::optional<std::uint64_t> offset) {
        std::string text = "coffer: ";
        text.append(detail::name_of(code)).append(": ").append(sentence);
        if (!path.empty()) text.append(" [").append(path);
        if (offset)
            text.append(path.empty() ? " [" : ", ")
                .append("offset ")
                .append(std::to_string(*offset));
        if (!path.empty() || offset) text.append("]");
        if (os_code != 0)
            text.append(" (").append(std::system_category().message(os_code)).append(")");
        for (char& each : text) {
            if (each == '\0') each = '?';  // of a path that was refused for it; what() would end
        }
        return text;
    }

    std::shared_ptr<const details> details_;  // shared: copying an exception must not throw
};

namespace detail {

/// Stands where an error was that has been handed on. A number, since of anything else each shared
/// object could have an address of its own.
[[nodiscard]] inline error* handed_on() noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): nobody reads through it
    return reinterpret_cast<error*>(std::uintptr_t{alignof(error)});
}

/// Frees out of line, so that a call that succeeds carries one test and no more.
struct error_deleter {
    COFFER_NOINLINE void operator()(error* cause) const noexcept {
        if (cause != handed_on()) delete cause;
    }
};
using owned_error = std::unique_ptr<error, error_deleter>;

}  // namespace detail

/// An error on its way to whoever asked: converts to any `result`.
class [[nodiscard]] failure {
public:
    explicit failure(error cause) : cause_(new error(std::move(cause))) {}
    explicit failure(detail::owned_error cause) noexcept : cause_(std::move(cause)) {}

    [[nodiscard]] const error& cause() const noexcept { return *cause_; }
    [[nodiscard]] detail::owned_error release() noexcept { return std::move(cause_); }

private:
    detail::owned_error cause_;
};

[[nodiscard]] inline failure fail(errc code, std::string_view sentence, std::string_view path = {},
                                  int os_code = 0,
                                  std::optional<std::uint64_t> offset = std::nullopt) {
    return failure(error(code, sentence, path, os_code, offset));
}

}  // namespace coffer

template <>
struct std::is_error_code_enum<coffer::errc> : std::true_type {};

#endif
