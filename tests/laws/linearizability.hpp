// tests/laws/linearizability.hpp: did operations that overlapped happen one after the other?
//
// A history lists operations with the moments at which each was called and returned. It is
// linearizable if the operations can be put in one order that respects who returned before who was
// called, and in which each gives, on a plain array of values, the answer that it gave. The search
// is Wing and Gong's with Lowe's memory of states already seen ("Testing for linearizability",
// 2017): any of the operations that no pending one precedes may come next. One that only looks, and
// would see now what it saw, may as well come at once; so only writes are tried in many orders.
//
// A state is the values of at most four keys; an operation touches one of them, or, as a batch, any
// of them. Values are numbers; 0 is absent. What looks at several keys without promising one moment
// for all (a scan, get_many) is a read of each of them, all as long as the whole call.
#ifndef COFFER_TESTS_LAWS_LINEARIZABILITY_HPP
#define COFFER_TESTS_LAWS_LINEARIZABILITY_HPP

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace laws {

inline constexpr std::size_t history_keys = 4;
using key_values = std::array<std::uint32_t, history_keys>;

struct event {
    enum class kind : unsigned char { put, insert, erase, get, has, batch } is = kind::get;
    std::size_t key = 0;
    std::uint32_t value = 0;  ///< put, insert: what is written; get: what was read, 0 if absent
    bool answer = false;      ///< insert, erase, has: what it returned
    bool clears = false;      ///< batch: it erases every key first
    /// batch: for each key what it writes; 0 erases; none leaves the key alone.
    std::array<std::optional<std::uint32_t>, history_keys> writes = {};
    std::uint64_t called = 0;
    std::uint64_t returned = 0;
    std::size_t thread = 0;      ///< who called
    const char* call = nullptr;  ///< what was called, for a report

    /// May it change this key?
    [[nodiscard]] bool writes_to(std::size_t at) const noexcept {
        if (is == kind::batch) return clears || writes[at].has_value();
        return key == at && is != kind::get && is != kind::has;
    }
    [[nodiscard]] bool touches(std::size_t at) const noexcept {
        return writes_to(at) || (is != kind::batch && key == at);
    }
};

using history = std::vector<event>;

/// Does `each` give its answer in state `now`? Changes the state as it does.
[[nodiscard]] inline bool happens(const event& each, key_values& now) {
    std::uint32_t& at = now[each.key];
    switch (each.is) {
        case event::kind::put:
            at = each.value;
            return true;
        case event::kind::get:
            return at == each.value;
        case event::kind::has:
            return each.answer == (at != 0);
        case event::kind::insert:
            if (each.answer != (at == 0)) return false;
            if (each.answer) at = each.value;
            return true;
        case event::kind::erase:
            if (each.answer != (at != 0)) return false;
            at = 0;
            return true;
        case event::kind::batch:
            break;
    }
    if (each.clears) now = {};
    for (std::size_t i = 0; i < history_keys; ++i) {
        if (each.writes[i]) now[i] = *each.writes[i];
    }
    return true;
}

/// Does `each` give its answer in state `now`, and is it one that changes nothing in any state?
[[nodiscard]] inline bool only_looks(const event& each, key_values now) {
    if (each.is == event::kind::put || each.is == event::kind::batch) return false;
    const bool wrote = each.answer && each.is != event::kind::has;
    return !wrote && happens(each, now);
}

class linearizer {
public:
    static constexpr std::size_t most = 512;

    explicit linearizer(history of) : events_(std::move(of)) {
        if (events_.size() > most) throw std::length_error("a history of too many events");
        std::sort(events_.begin(), events_.end(),
                  [](const event& a, const event& b) { return a.called < b.called; });
    }

    [[nodiscard]] bool search(const key_values& before) {
        seen_.clear();
        return search({{}, 0, before});
    }

private:
    struct marks {
        std::array<std::uint64_t, most / 64> words = {};
        [[nodiscard]] bool operator[](std::size_t i) const {
            return (words[i / 64] >> i % 64 & 1) != 0;
        }
        void set(std::size_t i) { words[i / 64] |= std::uint64_t{1} << i % 64; }
        friend auto operator<=>(const marks&, const marks&) = default;
    };
    struct state {
        marks done;
        std::size_t first;  // all before it are done
        key_values now;
    };

    /// What no pending operation precedes.
    void list_next(const state& at, std::vector<std::size_t>& into) const {
        into.clear();
        std::uint64_t first_return = UINT64_MAX;
        for (std::size_t i = at.first; i < events_.size() && events_[i].called <= first_return;
             ++i) {
            if (at.done[i]) continue;
            into.push_back(i);
            first_return = (std::min)(first_return, events_[i].returned);
        }
        std::erase_if(into, [&](std::size_t i) { return events_[i].called > first_return; });
    }

    void take(state& at, std::size_t which) const {
        at.done.set(which);
        while (at.first < events_.size() && at.done[at.first]) ++at.first;
    }

    /// Can what is not done still happen?
    [[nodiscard]] bool search(state at) {
        std::vector<std::size_t> next;
        for (;;) {
            list_next(at, next);
            if (next.empty()) return true;
            bool looked = false;
            for (const std::size_t i : next) {
                if (!only_looks(events_[i], at.now)) continue;
                take(at, i);
                looked = true;
            }
            if (looked) continue;
            std::erase_if(next, [&](std::size_t i) {
                key_values after = at.now;
                return !happens(events_[i], after);
            });
            if (next.size() != 1) break;
            static_cast<void>(happens(events_[next.front()], at.now));
            take(at, next.front());
        }
        if (next.empty() || !seen_.emplace(at.done, at.now).second) return false;
        return std::any_of(next.begin(), next.end(), [&](std::size_t i) {
            state then = at;
            static_cast<void>(happens(events_[i], then.now));
            take(then, i);
            return search(std::move(then));
        });
    }

    history events_;
    std::set<std::pair<marks, key_values>> seen_;
};

[[nodiscard]] inline bool is_linearizable(const history& of, const key_values& before = {}) {
    return linearizer(of).search(before);
}

/// The history in words, for a report.
[[nodiscard]] inline std::string told(const history& of, const key_values& before = {}) {
    static constexpr const char* names[] = {"put", "insert", "erase", "get", "has", "batch"};
    std::string out = "\n  before:";
    for (const std::uint32_t each : before) out += " " + std::to_string(each);
    for (const event& each : of) {
        out += "\n  [" + std::to_string(each.called) + ", " + std::to_string(each.returned) +
               "] thread " + std::to_string(each.thread) + ": " +
               (each.call != nullptr ? each.call : names[static_cast<unsigned>(each.is)]);
        if (each.is == event::kind::batch) {
            if (each.clears) out += " all erased";
            for (std::size_t i = 0; i < history_keys; ++i) {
                if (each.writes[i])
                    out += " " + std::to_string(i) + ":=" + std::to_string(*each.writes[i]);
            }
            continue;
        }
        out += " " + std::to_string(each.key);
        if (each.is != event::kind::erase && each.is != event::kind::has)
            out += " " + std::to_string(each.value);
        if (each.is != event::kind::get && each.is != event::kind::put)
            out += each.answer ? " yes" : " no";
    }
    return out;
}

/// What cannot have been, with what shows it; empty if all can. Each key by itself first, since
/// what is wrong with one key is seen best alone; then all together, since batches are whole.
[[nodiscard]] inline std::string impossible(const history& of, const key_values& before = {}) {
    for (std::size_t key = 0; key < history_keys; ++key) {
        history alone = of;
        std::erase_if(alone, [&](const event& each) { return !each.touches(key); });
        if (!is_linearizable(alone, before))
            return "key " + std::to_string(key) + " alone:" + told(alone, before);
    }
    if (!is_linearizable(of, before)) return "the keys together:" + told(of, before);
    return {};
}

}  // namespace laws

#endif
