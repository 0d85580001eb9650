// tests/laws/linearizability.hpp: did operations that overlapped happen one after the other?
//
// A history lists operations with the moments at which each was called and returned. It is
// linearizable if the operations can be put in one order that respects who returned before who was
// called, and in which each gives, on a plain array of values, the answer that it gave. The search
// is Wing and Gong's with Lowe's memory of states already seen ("Testing for linearizability",
// 2017): any of the operations that no pending one precedes may come next.
//
// A state is the values of at most four keys; an operation touches one of them, or, as a batch, any
// of them. Values are small numbers; 0 is absent. Histories are short: at most 64 operations.
#ifndef COFFER_TESTS_LAWS_LINEARIZABILITY_HPP
#define COFFER_TESTS_LAWS_LINEARIZABILITY_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace laws {

inline constexpr std::size_t history_keys = 4;
using key_values = std::array<std::uint16_t, history_keys>;

struct event {
    enum class kind : unsigned char { put, insert, erase, get, batch, clear } is = kind::get;
    std::size_t key = 0;
    std::uint16_t value = 0;  ///< put, insert: what is written; get: what was read, 0 if absent
    bool answer = false;      ///< insert, erase: what it returned
    /// batch: for each key what it writes; 0 erases; none leaves the key alone.
    std::array<std::optional<std::uint16_t>, history_keys> writes = {};
    std::uint64_t called = 0;
    std::uint64_t returned = 0;
};

using history = std::vector<event>;

/// Does `each` give its answer in state `now`? Changes the state as it does.
[[nodiscard]] inline bool happens(const event& each, key_values& now) {
    std::uint16_t& at = now[each.key];
    switch (each.is) {
        case event::kind::put:
            at = each.value;
            return true;
        case event::kind::get:
            return at == each.value;
        case event::kind::insert:
            if (each.answer != (at == 0)) return false;
            if (each.answer) at = each.value;
            return true;
        case event::kind::erase:
            if (each.answer != (at != 0)) return false;
            at = 0;
            return true;
        case event::kind::clear:
            now = {};
            return true;
        case event::kind::batch:
            break;
    }
    for (std::size_t i = 0; i < history_keys; ++i) {
        if (each.writes[i]) now[i] = *each.writes[i];
    }
    return true;
}

class linearizer {
public:
    explicit linearizer(const history& of) : events_(&of) {}

    [[nodiscard]] bool search() { return search(0, key_values{}); }

private:
    /// Can what is not in `done` still happen, from state `now`?
    [[nodiscard]] bool search(std::uint64_t done, const key_values& now) {
        const history& events = *events_;
        if (done ==
            (events.size() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << events.size()) - 1))
            return true;
        if (!seen_.emplace(done, now).second) return false;
        std::uint64_t first_return = UINT64_MAX;
        for (std::size_t i = 0; i < events.size(); ++i) {
            if ((done >> i & 1) == 0 && events[i].returned < first_return)
                first_return = events[i].returned;
        }
        for (std::size_t i = 0; i < events.size(); ++i) {
            if ((done >> i & 1) != 0 || events[i].called > first_return) continue;
            key_values next = now;
            if (happens(events[i], next) && search(done | std::uint64_t{1} << i, next)) return true;
        }
        return false;
    }

    const history* events_;
    std::set<std::pair<std::uint64_t, key_values>> seen_;
};

[[nodiscard]] inline bool is_linearizable(const history& of) {
    return linearizer(of).search();
}

/// The history in words, for a report.
[[nodiscard]] inline std::string told(const history& of) {
    static constexpr const char* names[] = {"put", "insert", "erase", "get", "batch", "clear"};
    std::string out;
    for (const event& each : of) {
        out += "\n  [" + std::to_string(each.called) + ", " + std::to_string(each.returned) + "] " +
               names[static_cast<unsigned>(each.is)];
        if (each.is == event::kind::batch) {
            for (std::size_t i = 0; i < history_keys; ++i) {
                if (each.writes[i])
                    out += " " + std::to_string(i) + ":=" + std::to_string(*each.writes[i]);
            }
        } else if (each.is != event::kind::clear) {
            out += " " + std::to_string(each.key);
            if (each.is != event::kind::erase) out += " " + std::to_string(each.value);
            if (each.is == event::kind::insert || each.is == event::kind::erase)
                out += each.answer ? " yes" : " no";
        }
    }
    return out;
}

}  // namespace laws

#endif
