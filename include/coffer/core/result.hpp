// coffer/core/result.hpp: a value, or the error that stands in its place.
//
// The part of std::expected that the library needs, the same type under every language standard
// and every compiler switch. A success carries no allocation and one null pointer; a failure owns
// its `error`. value() throws that error; where exceptions are off it asserts and ends the program,
// so that code written for -fno-exceptions asks has_value() first.
#ifndef COFFER_CORE_RESULT_HPP
#define COFFER_CORE_RESULT_HPP

#include <coffer/config/assert.hpp>
#include <coffer/config/platform.hpp>
#include <coffer/core/error.hpp>

#include <cstdlib>
#include <memory>
#include <type_traits>
#include <utility>

namespace coffer {

namespace detail {

[[noreturn]] COFFER_NOINLINE inline void raise(const error& cause) {
#if COFFER_HAS_EXCEPTIONS
    throw cause;
#else
    static_cast<void>(cause);
    COFFER_ASSERT(false, "value() of a failed result: test has_value() first");
    std::abort();
#endif
}

}  // namespace detail

template <class T>
class [[nodiscard]] result {
    static_assert(std::is_object_v<T>, "result holds objects; a reference goes in as a pointer");

public:
    using value_type = T;

    template <class U = T>
        requires(std::is_constructible_v<T, U> && !std::is_same_v<std::remove_cvref_t<U>, result> &&
                 !std::is_same_v<std::remove_cvref_t<U>, coffer::failure>)
    result(U&& value) noexcept(std::is_nothrow_constructible_v<T, U>) {  // NOLINT: as std::expected
        ::new (static_cast<void*>(std::addressof(value_))) T(std::forward<U>(value));
    }
    result(coffer::failure cause) noexcept  // NOLINT: as std::expected
        : error_(cause.release()), failed_(true) {}

    result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
        : error_(std::move(other.error_)), failed_(other.failed_) {
        if (!failed_) ::new (static_cast<void*>(std::addressof(value_))) T(std::move(other.value_));
    }
    /// Where moving a T throws, what is left has neither a value nor an error.
    result& operator=(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) {
        if (this == std::addressof(other)) return *this;
        if (!std::exchange(failed_, true)) value_.~T();
        error_ = std::move(other.error_);
        if (other.failed_) return *this;
        ::new (static_cast<void*>(std::addressof(value_))) T(std::move(other.value_));
        failed_ = false;
        return *this;
    }
    ~result() {
        if (!failed_) value_.~T();
    }

    [[nodiscard]] bool has_value() const noexcept { return !failed_; }
    explicit operator bool() const noexcept { return !failed_; }

    T& value() & { return checked(), value_; }
    const T& value() const& { return checked(), value_; }
    T&& value() && { return checked(), std::move(value_); }

    T& operator*() & noexcept { return value_; }
    const T& operator*() const& noexcept { return value_; }
    T&& operator*() && noexcept { return std::move(value_); }
    T* operator->() noexcept { return std::addressof(value_); }
    const T* operator->() const noexcept { return std::addressof(value_); }

    template <class U>
    [[nodiscard]] T value_or(U&& other) && {
        return failed_ ? static_cast<T>(std::forward<U>(other)) : std::move(value_);
    }

    /// Only when has_value() is false.
    [[nodiscard]] const coffer::error& error() const noexcept { return *error_; }
    /// Hands the error on; only when has_value() is false.
    coffer::failure failure() noexcept { return coffer::failure(std::move(error_)); }

private:
    void checked() const {
        if (failed_) [[unlikely]]
            detail::raise(*error_);
    }

    union {
        T value_;
    };
    detail::owned_error error_;
    bool failed_ = false;  // also after the error was handed on: then there is no value either
};

template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() noexcept = default;
    result(coffer::failure cause) noexcept  // NOLINT: as std::expected
        : error_(cause.release()) {}
    /// What was moved from stays a failure if it was one.
    result(result&& other) noexcept : error_(other.take()) {}
    result& operator=(result&& other) noexcept {
        error_ = other.take();
        return *this;
    }
    ~result() = default;

    [[nodiscard]] bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return !error_; }
    void value() const {
        if (error_) [[unlikely]]
            detail::raise(*error_);
    }

    [[nodiscard]] const coffer::error& error() const noexcept { return *error_; }
    /// Hands the error on; this stays a failure.
    coffer::failure failure() noexcept { return coffer::failure(take()); }

private:
    detail::owned_error take() noexcept {
        if (!error_) return nullptr;
        return std::exchange(error_, detail::owned_error(detail::handed_on()));
    }

    detail::owned_error error_;
};

namespace detail {

/// What a result is made of makes this, too, but what failed is thrown on the spot: a success fits
/// registers.
template <class T>
struct thrown {
    thrown(T is) noexcept : value(std::move(is)) {}  // NOLINT: as result
    thrown(result<T>&& is) : value(std::move(is).value()) {}  // NOLINT: as result
    thrown(coffer::failure cause) : thrown(result<T>(std::move(cause))) {}  // NOLINT: as result
    T value;
};

}  // namespace detail
}  // namespace coffer

#endif
