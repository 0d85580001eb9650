// bench/versus/data.hpp: the keys and values that all subjects are given.
//
// If nothing else is asked, keys are 16 digits, and values 100 bytes, of which half are random, so
// that a store that compresses gains what it would with ordinary data. A key of 8 bytes is the
// number itself, its highest byte first. All of it is made before any clock starts, and laid out in
// the order in which it will be used: a key that had to be fetched from memory first would cost as
// much as some lookups do.
#ifndef COFFER_BENCH_VERSUS_DATA_HPP
#define COFFER_BENCH_VERSUS_DATA_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace versus {

/// SplitMix64 (Sebastiano Vigna): the same numbers in every run.
class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) : state_(seed) {}
    std::uint64_t operator()() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t limit) { return (*this)() % limit; }
    double unit() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

private:
    std::uint64_t state_;
};

/// The size of what a store is filled with.
struct entry_shape {
    std::size_t key_bytes = 16;
    std::size_t value_bytes = 100;
    std::size_t random_percent = 50;  // of a value
    [[nodiscard]] double bytes() const { return double(key_bytes + value_bytes); }
};

/// Keys of one size are in the order of their numbers.
inline std::string key_of(std::uint64_t number, std::size_t size) {
    if (size == sizeof number) {
        std::string bytes(size, '\0');
        for (std::size_t at = size; at-- > 0; number >>= 8) bytes[at] = static_cast<char>(number);
        return bytes;
    }
    const std::string digits = std::to_string(number);
    return std::string(size - digits.size(), '0') + digits;
}

inline std::string value_of(std::uint64_t number, const entry_shape& shape) {
    std::string value(shape.value_bytes, 'v');
    random_numbers random(number);
    const std::size_t end = shape.value_bytes * shape.random_percent / 100;
    for (std::size_t at = 0; at < end; at += 8) {
        const std::uint64_t word = random();
        std::memcpy(&value[at], &word, (std::min)(sizeof word, end - at));
    }
    return value;
}

/// `count` keys in ascending order, with their values.
struct data_set {
    data_set(std::size_t count, entry_shape shape) {
        keys.reserve(count);
        values.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            keys.push_back(key_of(2 * i, shape.key_bytes));  // odd numbers are missing
            values.push_back(value_of(i, shape));
        }
    }
    /// The entries of another one at `places`, one behind the other; with their values, or without.
    data_set(const data_set& from, const std::vector<std::uint32_t>& places, bool with_values) {
        keys.reserve(places.size());
        for (const std::uint32_t at : places) keys.push_back(from.keys[at]);
        if (!with_values) return;
        values.reserve(places.size());
        for (const std::uint32_t at : places) values.push_back(from.values[at]);
    }
    [[nodiscard]] std::size_t size() const { return keys.size(); }

    std::vector<std::string> keys;
    std::vector<std::string> values;
};

/// A key that no data_set has, for each number.
inline std::string absent_key(std::uint64_t number, std::size_t size) {
    return key_of(2 * number + 1, size);
}

/// The numbers below `count`, in order.
inline std::vector<std::uint32_t> in_order(std::size_t count) {
    std::vector<std::uint32_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = static_cast<std::uint32_t>(i);
    return order;
}

/// The numbers below `count`, shuffled.
inline std::vector<std::uint32_t> shuffled(std::size_t count, std::uint64_t seed) {
    std::vector<std::uint32_t> order = in_order(count);
    random_numbers random(seed);
    for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    return order;
}

/// Ranks below `count` with a zipfian distribution of exponent 0.99, 0 the most frequent, as YCSB
/// draws them (after Gray et al., "Quickly Generating Billion-Record Synthetic Databases", 1994).
class zipfian {
public:
    zipfian(std::uint64_t count, std::uint64_t seed) : count_(count), random_(seed) {
        for (std::uint64_t i = 1; i <= count; ++i) zeta_ += 1 / std::pow(double(i), theta);
        const double two = 1 + std::pow(0.5, theta);
        eta_ = (1 - std::pow(2.0 / double(count), 1 - theta)) / (1 - two / zeta_);
    }
    std::uint64_t rank() {
        const double u = random_.unit();
        const double scaled = u * zeta_;
        if (scaled < 1) return 0;
        if (scaled < 1 + std::pow(0.5, theta)) return 1;
        const double share = std::pow(eta_ * u - eta_ + 1, 1 / (1 - theta));
        return (std::min)(static_cast<std::uint64_t>(double(count_) * share), count_ - 1);
    }
    /// The place of a rank: the popular ones lie scattered.
    [[nodiscard]] std::uint64_t scrambled(std::uint64_t rank) const {
        return random_numbers(rank)() % count_;
    }

private:
    static constexpr double theta = 0.99;
    std::uint64_t count_;
    random_numbers random_;
    double zeta_ = 0;
    double eta_ = 0;
};

}  // namespace versus

#endif
