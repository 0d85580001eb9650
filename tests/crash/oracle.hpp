// tests/crash/oracle.hpp: what a store may hold after a crash.
//
// A `history` follows one store while a workload runs and knows, at every moment, which contents a
// crash at that moment may leave:
//
//     layer 0      layer 1      ...      layer n       the operation under way
//     start        1 commit              all that returned
//                    ^ floor: what returned, or was flushed or synced, and so may not be lost
//
// R1  What is recovered is one of the layers: a prefix of the commits.
// R2  It is not below the floor, which depends on the kind of the crash and on the policy.
// R3  It is not beyond the operation under way.
// R4  A write that failed, and could have got into the log, doubles the choices of its layer and of
//     those above: there or not, whole.
// R5  Once open() has shown a state, that is the layer: under `sync` for good, under the other
//     policies as far as a killed process goes.
//
// Threads: the workload's thread changes it, any thread takes what a crash may leave; one lock.
#ifndef COFFER_TESTS_CRASH_ORACLE_HPP
#define COFFER_TESTS_CRASH_ORACLE_HPP

#include "crash/subject.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace crash {

/// Contents for people; long values by their size.
inline std::string told(const contents& held) {
    std::ostringstream text;
    text << "{";
    for (const auto& [key, value] : held) {
        text << (text.tellp() > 1 ? ", " : "") << '"' << key << "\": ";
        if (value.size() <= 24) {
            text << '"' << value << '"';
        } else {
            text << '"' << value.substr(0, 8) << "...\" (" << value.size() << " bytes)";
        }
    }
    text << "}";
    return text.str();
}

/// Equal for equal contents, and for others as good as never.
inline std::uint64_t digest(const contents& held) {
    std::uint64_t so_far = coffer::detail::mix(held.size(), 1);
    for (const auto& [key, value] : held) {
        so_far = coffer::detail::mix(so_far ^ coffer::detail::hash64(coffer::as_bytes(key), 1),
                                     coffer::detail::hash64(coffer::as_bytes(value), 2));
    }
    return so_far;
}

/// The contents that may be there.
class expectation {
public:
    explicit expectation(std::set<contents> choices) : choices_(std::move(choices)) {
        for (const contents& each : choices_) {
            digests_.push_back(digest(each));
            hash_ = coffer::detail::mix(hash_ ^ digests_.back(), 1);
        }
    }
    [[nodiscard]] bool allows(const contents& found) const { return choices_.count(found) != 0; }
    /// Of contents with this digest.
    [[nodiscard]] bool allows(std::uint64_t found) const {
        return std::find(digests_.begin(), digests_.end(), found) != digests_.end();
    }
    [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
    [[nodiscard]] std::string told() const {
        std::string text;
        for (const contents& each : choices_) {
            text += text.empty() ? "" : " or ";
            text += crash::told(each);
        }
        return text;
    }

private:
    std::set<contents> choices_;
    std::vector<std::uint64_t> digests_;
    std::uint64_t hash_ = 0;
};
using expected = std::shared_ptr<const expectation>;

/// What each kind of crash may leave.
struct prospects {
    expected after_kill;
    expected after_power_cut;
    expected after_anything;  // R1, R3 and R4 alone: where durable bytes may be destroyed, too
};

class history {
    using layer = std::set<contents>;
    using locked = std::unique_lock<std::mutex>;

public:
    /// Of a store whose commits up to `written` left one contents each; the first one is durable.
    /// `before` are those that it went through until then.
    template <class FS>
    history(const subject<FS>& of, const std::vector<contents>& written,
            const std::vector<contents>& before = {})
        : keeps_after_kill_(of.keeps_after_kill()),
          keeps_after_power_cut_(of.keeps_after_power_cut()),
          before_(before.begin(), before.end()) {
        for (const contents& each : written) layers_.push_back({each});
        kill_floor_ = top();
        if (keeps_after_power_cut_) power_floor_ = top();
    }

    // The workload tells. Between begin() and its end a crash may have let the write happen or not.

    void begin(commit changes) {
        const locked held(guard_);
        under_way_ = std::move(changes);
    }
    void returned() {
        const locked held(guard_);
        layers_.push_back(applied());
        under_way_.clear();
        if (keeps_after_kill_) kill_floor_ = top();
        if (keeps_after_power_cut_) power_floor_ = top();
    }
    void failed() {
        const locked held(guard_);
        layer both = applied();
        both.insert(layers_.back().begin(), layers_.back().end());
        layers_.push_back(std::move(both));
        under_way_.clear();
    }
    void had_no_effect() {
        const locked held(guard_);
        under_way_.clear();
    }
    void flushed() {
        const locked held(guard_);
        kill_floor_ = top();
    }
    void synced() {
        const locked held(guard_);
        kill_floor_ = power_floor_ = top();
    }
    void lost_what_was_not_synced() {
        const locked held(guard_);
        kill_floor_ = power_floor_;
    }
    /// open() has shown `state`. False: it should not have.
    [[nodiscard]] bool shown(const contents& state) {
        const locked held(guard_);
        std::size_t at = layers_.size();
        while (at > kill_floor_ && layers_[at - 1].count(state) == 0) --at;
        if (at == kill_floor_) return false;
        layers_.resize(at);
        layers_.back() = {state};
        kill_floor_ = top();
        if (keeps_after_power_cut_) power_floor_ = top();
        power_floor_ = (std::min)(power_floor_, top());
        return true;
    }

    // What may be there.

    /// `at_the_moment()` is called while nothing is told: a state of the disk to go with it.
    template <class F>
    [[nodiscard]] prospects at(F&& at_the_moment) const {
        const locked held(guard_);
        at_the_moment();
        return {from(kill_floor_), from(power_floor_), from(0, before_)};
    }

private:
    [[nodiscard]] std::size_t top() const noexcept { return layers_.size() - 1; }
    [[nodiscard]] layer applied() const {
        layer after;
        for (contents each : layers_.back()) {
            apply(under_way_, each);
            after.insert(std::move(each));
        }
        return after;
    }
    [[nodiscard]] expected from(std::size_t floor, layer all = {}) const {
        for (std::size_t i = floor; i < layers_.size(); ++i) {
            all.insert(layers_[i].begin(), layers_[i].end());
        }
        if (!under_way_.empty()) all.merge(applied());
        return std::make_shared<const expectation>(std::move(all));
    }

    mutable std::mutex guard_;
    bool keeps_after_kill_;
    bool keeps_after_power_cut_;
    layer before_;
    std::vector<layer> layers_;
    std::size_t kill_floor_ = 0;
    std::size_t power_floor_ = 0;
    commit under_way_;
};

}  // namespace crash

#endif
