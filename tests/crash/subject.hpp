// tests/crash/subject.hpp: what the crash suites see of a store, whatever its policies.
//
// A `subject` is one combination of policies on one file system; it opens `opened` stores of
// std::string keys and values. Workloads and oracles are written against these, once; adapter.hpp
// makes them from store types, and the *_subjects_test.cpp files are where those are compiled.
#ifndef COFFER_TESTS_CRASH_SUBJECT_HPP
#define COFFER_TESTS_CRASH_SUBJECT_HPP

#include <coffer/core/result.hpp>
#include <coffer/fs/native.hpp>
#include <coffer/fs/simulated.hpp>
#include <coffer/journal/salvaged_log.hpp>
#include <coffer/storage/opening.hpp>
#include <coffer/storage/options.hpp>
#include <coffer/storage/stats.hpp>
#include <coffer/storage/verifying.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace crash {

using contents = std::map<std::string, std::string>;

/// One change of a commit.
struct change {
    enum class kind : unsigned char { put, erase, clear };
    kind is = kind::put;
    std::string key = {};
    std::string value = {};
};
using commit = std::vector<change>;

inline void apply(const commit& changes, contents& to) {
    for (const change& each : changes) {
        if (each.is == change::kind::clear) to.clear();
        if (each.is == change::kind::erase) to.erase(each.key);
        if (each.is == change::kind::put) to[each.key] = each.value;
    }
}

/// An open store. Destroying one that was not closed is the destructor's close.
class opened {
public:
    opened() = default;
    opened(const opened&) = delete;
    opened& operator=(const opened&) = delete;
    virtual ~opened() = default;

    virtual coffer::result<void> put(const std::string& key, const std::string& value) = 0;
    virtual coffer::result<bool> erase(const std::string& key) = 0;
    virtual coffer::result<void> write(const commit& changes) = 0;
    virtual coffer::result<void> flush() = 0;
    virtual coffer::result<void> sync() = 0;
    virtual coffer::result<void> compact() = 0;
    virtual coffer::result<void> close() = 0;

    virtual coffer::result<std::optional<std::string>> get(const std::string& key) = 0;
    virtual coffer::result<contents> all() = 0;
    virtual std::uint64_t size() = 0;
    virtual coffer::result<coffer::verify_report> verify() = 0;
    virtual coffer::recovery_report recovery() = 0;
    virtual coffer::store_stats stats() = 0;
};

enum class durable : unsigned char { sync, write_through, buffered, async };

template <class FS>
struct subject {
    using answer = coffer::result<std::unique_ptr<opened>>;

    std::string name;  // "file_log sync hash multi"
    bool mapped;       // storage::mmap: a record is with the system when it is stored
    durable policy;
    bool sorted;
    bool concurrent;
    answer (*open)(const std::string& path, const coffer::options& chosen, FS system);
    answer (*open_read_only)(const std::string& path, const coffer::options& chosen, FS system);
    coffer::result<coffer::salvage_report> (*salvage)(const std::string& from,
                                                      const std::string& to,
                                                      const coffer::options& chosen, FS system);

    /// Does every write that returned survive a killed process?
    [[nodiscard]] bool keeps_after_kill() const noexcept {
        return mapped || policy == durable::sync || policy == durable::write_through;
    }
    [[nodiscard]] bool keeps_after_power_cut() const noexcept { return policy == durable::sync; }
    /// Is a write invisible until its promise holds? Where it is not, one that fails has failed before
    /// it had a place in the log.
    [[nodiscard]] bool hides() const noexcept {
        return policy == durable::sync || (policy == durable::write_through && !mapped);
    }
};

using simulated_subject = subject<coffer::fs::simulated>;
using native_subject = subject<coffer::fs::native>;

// Each in a file of its own, and each under every durability policy.
std::vector<simulated_subject> file_log_hash();
std::vector<simulated_subject> file_log_sorted();
std::vector<simulated_subject> mmap_hash();
std::vector<simulated_subject> mmap_sorted();
/// threading::single: file_log over hash, and mmap over both.
std::vector<simulated_subject> single_threaded();
std::vector<native_subject> native_file_log();
std::vector<native_subject> native_mmap();

inline std::vector<simulated_subject> every_subject() {
    std::vector<simulated_subject> all;
    for (auto& some : {file_log_hash(), file_log_sorted(), mmap_hash(), mmap_sorted()}) {
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

}  // namespace crash

#endif
