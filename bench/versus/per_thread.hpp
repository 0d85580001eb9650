// bench/versus/per_thread.hpp: something that each thread needs one of, as long as its owner lives.
#ifndef COFFER_BENCH_VERSUS_PER_THREAD_HPP
#define COFFER_BENCH_VERSUS_PER_THREAD_HPP

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace versus {

/// A thread remembers the last T that it was given, so that only its first call is dear.
template <class T>
class per_thread {
public:
    explicit per_thread(std::function<std::unique_ptr<T>()> make) : make_(std::move(make)) {}
    per_thread(const per_thread&) = delete;
    per_thread& operator=(const per_thread&) = delete;

    T& mine() {
        static thread_local std::pair<std::size_t, T*> known{0, nullptr};
        if (known.first != id_) {
            const std::lock_guard hold(mutex_);
            all_.push_back(make_());
            known = {id_, all_.back().get()};
        }
        return *known.second;
    }

private:
    static inline std::atomic<std::size_t> last_id{0};

    std::size_t id_ = ++last_id;
    std::function<std::unique_ptr<T>()> make_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<T>> all_;
};

}  // namespace versus

#endif
