// tests/laws/any_store.hpp: every combination of policies behind one face, so that a law is written
// and compiled once.
//
// `any_store` has every call of a store of strings; adapter.hpp makes one of any store type. Each
// call exists as try_x and as x: `throws` says through which of the two a store is asked, and what
// x throws comes back as the result that try_x would have given. A `combination` names one choice
// of policies and opens it at a `place`: a folder of the machine, or a folder of a simulated disk.
#ifndef COFFER_TESTS_LAWS_ANY_STORE_HPP
#define COFFER_TESTS_LAWS_ANY_STORE_HPP

#include <coffer/core/result.hpp>
#include <coffer/fs/simulated.hpp>
#include <coffer/storage/opening.hpp>
#include <coffer/storage/options.hpp>
#include <coffer/storage/stats.hpp>
#include <coffer/storage/verifying.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace laws {

using coffer::errc;
using coffer::result;

struct row {
    std::string key;
    std::string value;
    friend bool operator==(const row&, const row&) = default;
};
using rows = std::vector<row>;

/// One operation of a batch.
struct change {
    enum class kind : unsigned char { put, erase, clear } is = kind::put;
    std::string key = {};
    std::string value = {};
};
using changes = std::vector<change>;

/// A range of keys, by the call that makes it.
struct part {
    enum class kind : unsigned char { scan, range, from, prefix } is = kind::from;
    std::string low = {};
    std::string high = {};
};

inline constexpr std::size_t all_of_them = static_cast<std::size_t>(-1);

class any_store {
public:
    any_store() = default;
    any_store(const any_store&) = delete;
    any_store& operator=(const any_store&) = delete;
    virtual ~any_store() = default;

    bool throws = false;  ///< call x, not try_x

    virtual result<void> put(std::string_view key, std::string_view value) = 0;
    virtual result<bool> insert(std::string_view key, std::string_view value) = 0;
    virtual result<bool> erase(std::string_view key) = 0;
    virtual result<void> write(const changes& all) = 0;
    virtual result<void> clear() = 0;

    virtual result<std::optional<std::string>> get(std::string_view key) const = 0;
    /// What view() showed; none if it returned false.
    virtual result<std::optional<std::string>> view(std::string_view key) const = 0;
    /// `places`: how many results there is room for.
    virtual result<std::vector<std::optional<std::string>>> get_many(
        const std::vector<std::string>& keys, std::size_t places) const = 0;
    virtual result<bool> contains(std::string_view key) const = 0;
    virtual result<std::uint64_t> size() const = 0;
    virtual result<bool> empty() const = 0;

    /// begin() to end().
    virtual result<rows> iterate() const = 0;
    /// for_each over everything; f answers false behind `most` rows.
    virtual result<rows> for_each(std::size_t most = all_of_them) const = 0;

    // On a sorted index only.
    virtual result<rows> in(const part& wanted, bool reversed = false,
                            std::size_t most = all_of_them) const = 0;
    /// for_each, or for_each_back, over a range.
    virtual result<rows> for_each_in(const part& wanted, bool reversed = false,
                                     std::size_t most = all_of_them) const = 0;
    /// Up to `most` rows from lower_bound(key), or upper_bound(key), to end().
    virtual result<rows> lower_bound(std::string_view key, std::size_t most) const = 0;
    virtual result<rows> upper_bound(std::string_view key, std::size_t most) const = 0;
    /// Steps an iterator through a range: '+' forwards, '-' backwards, each left out at its end.
    /// The row at which it stands after each step; an empty pair of strings at end().
    virtual result<rows> stepped(const part& wanted, std::string_view steps) const = 0;
    virtual result<std::uint64_t> erase_range(std::string_view from, std::string_view to) = 0;

    virtual result<void> flush() = 0;
    virtual result<void> sync() = 0;
    virtual result<void> compact() = 0;
    virtual result<void> close() = 0;
    virtual result<void> refresh() = 0;
    [[nodiscard]] virtual bool is_open() const noexcept = 0;
    virtual result<coffer::store_stats> stats() const = 0;
    virtual result<coffer::recovery_report> recovery() const = 0;
    virtual result<coffer::verify_report> verify() const = 0;

    /// A store that this one was moved into; this one is left moved from.
    virtual std::unique_ptr<any_store> move_out() = 0;
    /// Move assignment from a store of the same combination.
    virtual void move_in(any_store& from) = 0;
};

/// Where a store is. A folder of the machine is removed with its place.
class place {
public:
    explicit place(bool simulated) : path("/store") {
        if (!simulated) path = folder_of_its_own();
    }
    place(coffer::fs::simulated on, std::string at) : disk(std::move(on)), path(std::move(at)) {}
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() {
        std::error_code ignored;
        if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
    }

    coffer::fs::simulated disk;
    std::string path;

private:
    std::string folder_of_its_own() {
        std::random_device random;
        const std::uint64_t number = std::uint64_t{random()} << 32 | random();
        folder_ =
            std::filesystem::temp_directory_path() / ("coffer-laws-" + std::to_string(number));
        std::filesystem::create_directory(folder_);
        return (folder_ / "store").string();
    }

    std::filesystem::path folder_;
};

/// One choice of policies.
struct combination {
    enum class storage_kind : unsigned char { map, file_log, mmap } storage;
    enum class durability_kind : unsigned char { sync, write_through, buffered, async } durability;
    bool ordered;
    bool concurrent;
    bool simulated;
    bool persistent;
    bool survives_process_crash;
    bool survives_system_crash;
    bool throws = false;  // ask stores through x, not try_x
    std::string name;
    result<std::unique_ptr<any_store>> (*try_open)(const place&, const coffer::options&,
                                                   bool reads);
};

/// The 16 combinations of one storage and one index; each is compiled in a file of its own.
std::vector<combination> map_hash();
std::vector<combination> map_sorted();
std::vector<combination> file_log_hash();
std::vector<combination> file_log_sorted();
std::vector<combination> mmap_hash();
std::vector<combination> mmap_sorted();

}  // namespace laws

#endif
