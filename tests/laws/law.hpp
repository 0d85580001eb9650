// tests/laws/law.hpp: how a law is asked of combinations.
//
//     over(everywhere, [](const combination& choice) {
//         opened store(choice);                 // a place of its own, opened, removed afterwards
//         expect(store->put("k", "v").has_value(), "a put succeeds");
//     });
//
// A law is a function of a combination that throws a `violation`; `over` asks it of each and makes
// one assertion for each. Laws may run threads; what one of those throws, the law throws again.
// COFFER_ONLY=text asks combinations only whose name contains the text: "mmap sync hash".
#ifndef COFFER_TESTS_LAWS_LAW_HPP
#define COFFER_TESTS_LAWS_LAW_HPP

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "any_store.hpp"
#include "catch.hpp"

namespace laws {

/// All 96: 48 choices of policies on both file systems.
inline const std::vector<combination>& combinations() {
    static const std::vector<combination> all = [] {
        std::vector<combination> out;
        for (auto* some :
             {map_hash, map_sorted, file_log_hash, file_log_sorted, mmap_hash, mmap_sorted}) {
            for (combination& each : some()) out.push_back(std::move(each));
        }
        return out;
    }();
    return all;
}

struct violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline void expect(bool holds, std::string_view law,
                   std::source_location at = std::source_location::current()) {
    if (holds) return;
    const std::string file = at.file_name();
    throw violation(file.substr(file.rfind('/') + 1) + ":" + std::to_string(at.line()) +
                    ": not so: " + std::string(law));
}

/// `answer` is a success, whose value this is.
template <class T>
T good(result<T>&& answer, std::source_location at = std::source_location::current()) {
    if (!answer) expect(false, std::string("a success, but: ") + answer.error().what(), at);
    if constexpr (!std::is_void_v<T>) return std::move(*answer);
}

/// `answer` is this error.
template <class T>
void fails(const result<T>& answer, errc with,
           std::source_location at = std::source_location::current()) {
    expect(!answer.has_value(), std::string("an error: ") + coffer::detail::name_of(with), at);
    expect(answer.error().kind() == with,
           std::string(coffer::detail::name_of(with)) + ", but: " + answer.error().what(), at);
    expect(answer.error().code() == with, "the code compares equal to its errc", at);
}

/// A number from the environment: how long to run, or with which seed.
inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

inline coffer::options small_segments() {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    return out;
}

/// A store at a place of its own.
class opened {
public:
    explicit opened(const combination& choice, const coffer::options& chosen = {})
        : where(choice.simulated), choice_(&choice), options_(chosen) {
        open();
    }

    any_store* operator->() { return store_.get(); }
    any_store& operator*() { return *store_; }
    void open() {
        store_ = good(choice_->try_open(where, options_, false));
        store_->throws = choice_->throws;
    }
    result<std::unique_ptr<any_store>> reader() { return choice_->try_open(where, options_, true); }
    /// Closes by close() or by the destructor, and opens again.
    void reopen(bool closes = true) {
        if (closes) good(store_->close());
        store_.reset();
        open();
    }
    void destroy() { store_.reset(); }

    place where;

private:
    const combination* choice_;
    coffer::options options_;
    std::unique_ptr<any_store> store_;
};

using law = std::function<void(const combination&)>;

/// What the law says of a combination: nothing when it holds.
inline std::string outcome(const law& holds, const combination& choice) {
    try {
        holds(choice);
    } catch (const std::exception& broken) {
        return broken.what();
    }
    return {};
}

/// The law, asked through try_x and again through x.
inline law both_ways(law holds) {
    return [holds = std::move(holds)](const combination& choice) {
        combination asked = choice;
        for (const bool throws : {false, true}) {
            asked.throws = throws;
            holds(asked);
        }
    };
}

inline bool everywhere(const combination&) {
    return true;
}
inline bool where_ordered(const combination& choice) {
    return choice.ordered;
}
inline bool where_persistent(const combination& choice) {
    return choice.persistent;
}
inline bool where_concurrent(const combination& choice) {
    return choice.concurrent;
}

/// Asks the law of every combination that `wanted` takes; CHECK, so that all broken ones are named.
template <class Wanted>
void over(Wanted wanted, const law& holds, const std::vector<combination>& all = combinations()) {
    const char* const only = std::getenv("COFFER_ONLY");
    int asked = 0;
    for (const combination& choice : all) {
        if (!wanted(choice)) continue;
        if (only != nullptr && choice.name.find(only) == std::string::npos) continue;
        ++asked;
        const std::string broken = outcome(holds, choice);
        INFO(choice.name);
        CHECK(broken == "");
    }
    if (only == nullptr) CHECK(asked > 0);
}

}  // namespace laws

#endif
