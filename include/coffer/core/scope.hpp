// coffer/core/scope.hpp: something to do on every way out of a block.
#ifndef COFFER_CORE_SCOPE_HPP
#define COFFER_CORE_SCOPE_HPP

#include <utility>

namespace coffer::detail {

template <class Action>
class [[nodiscard]] on_exit {
public:
    explicit on_exit(Action action) : action_(std::move(action)) {}
    ~on_exit() {
        if (armed_) action_();
    }
    on_exit(const on_exit&) = delete;
    on_exit& operator=(const on_exit&) = delete;

    void dismiss() noexcept { armed_ = false; }

private:
    Action action_;
    bool armed_ = true;
};

}  // namespace coffer::detail

#endif
