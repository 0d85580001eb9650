// coffer/index/hash_buckets.hpp: the memory of a hash table, how it begins, grows and is kept.
//
//   region 0   primary buckets, as many as `state.buckets`; memory behind them is zero
//   region 1   overflow buckets, as many as `state.overflow_used`; memory behind them is zero
//   region 2   state
//
// Nothing in it is an address, so memory can be taken over by another process, on a machine of the
// same byte order: an image of the index is its memory.
// What the words of a bucket mean: hash_words.hpp; what holds between buckets: hash.hpp.
// Threads: as index/concept.hpp has it.
// Failure: adopt() checks the numbers of the state and reads no bucket: whoever keeps the memory
// knows by a check that it is what it was. What a bucket says is never trusted so far that it could
// lead out of bounds or round in a ring.
#ifndef COFFER_INDEX_HASH_BUCKETS_HPP
#define COFFER_INDEX_HASH_BUCKETS_HPP

#include <coffer/core/growing.hpp>
#include <coffer/index/concept.hpp>
#include <coffer/index/hash_words.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace coffer::detail {

template <threading_policy Threading, class Memory, class Shape>
class hash_buckets {
    using words = hash_words;
    static_assert(Shape::most_depth > words::base_bits && Shape::most_depth < words::known_bits,
                  "a split beyond the known bits of h would need the key");

public:
    static constexpr std::uint64_t keys_per_4 = 15;  // in 4 buckets; with more, the table grows
    static constexpr std::uint64_t least_buckets = std::uint64_t{1} << words::base_bits;
    static constexpr std::uint64_t most_buckets = std::uint64_t{1} << Shape::most_depth;
    static constexpr std::uint64_t most_keys = most_buckets / 4 * keys_per_4;

    explicit hash_buckets(Memory memory) : memory_(std::move(memory)) {}
    hash_buckets(const hash_buckets&) = delete;
    hash_buckets& operator=(const hash_buckets&) = delete;

    /// Empty, in whatever memory there is; also after an adopt() that failed.
    [[nodiscard]] result<void> start(std::uint64_t seed) {
        if (auto done = open_state(); !done) return done;
        if (auto done = hold(least_buckets, 1); !done) return done;
        wipe();
        state_->seed.store(seed, relaxed);
        state_->buckets.store(least_buckets, relaxed);
        state_->identity.store(identity, relaxed);
        begin();
        return {};
    }

    /// Takes over the memory of an earlier table, of this process or one that ended: no bucket is
    /// read. errc::corruption when it was left in the middle of a change or cannot be a table's.
    [[nodiscard]] result<void> adopt() {
        if (auto done = open_state(); !done) return done;
        if (!plausible() || state_->changing.load(relaxed) != 0) {
            return fail(errc::corruption, "the index in memory is not whole: rebuild it");
        }
        if (auto done = hold(buckets(), overflow_used()); !done) return done;
        begin();
        return {};
    }

    template <class Sink>
    [[nodiscard]] result<void> save(Sink&& sink) const {
        if (auto done = primary_.save(primary_region, buckets(), sink); !done) return done;
        if (auto done = overflow_.save(overflow_region, overflow_used(), sink); !done) return done;
        return sink(state_region, 0U,
                    bytes(reinterpret_cast<const std::byte*>(state_), sizeof(state)));
    }

    [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }

    [[nodiscard]] bool ready(std::size_t n, std::uint64_t /*key_bytes*/) noexcept {
        if (n <= promised_) [[likely]]
            return true;
        std::size_t most = (std::max)(n, ahead);  // or as many as there is room for
        while (most > n && !has_room(most)) most = (std::max)(n, most / 2);
        promised_ = has_room(most) ? most : 0;
        return promised_ != 0;
    }

    [[nodiscard]] result<void> prepare(std::size_t n, std::uint64_t /*key_bytes*/) {
        if (n == 0) return {};
        if (n > most_keys - (std::min)(key_count(), most_keys)) {
            return fail(errc::no_space, "the hash index holds no more keys than it does now");
        }
        n = (std::max)(n, ahead);  // so that ready() need not count one by one
        while (primary_.capacity() < wanted(n)) {
            if (auto done = primary_.grow(memory_, primary_region); !done) return done;
        }
        while (spare() < reserve(n)) {
            if (overflow_.capacity() * 2 > most_overflow) {
                return fail(errc::no_space, "the hash index has no more overflow buckets");
            }
            if (auto done = overflow_.grow(memory_, overflow_region); !done) return done;
        }
        return {};
    }

    /// Buckets that have been used; those prepared and never touched cost address space only.
    [[nodiscard]] std::size_t memory() const noexcept {
        return sizeof(state) +
               static_cast<std::size_t>(buckets() + overflow_used()) * sizeof(bucket);
    }

protected:
    using word = typename Threading::template atomic<std::uint64_t>;
    static constexpr auto relaxed = std::memory_order_relaxed;
    static constexpr auto acquire = std::memory_order_acquire;
    static constexpr auto release = std::memory_order_release;
    static constexpr unsigned primary_region = 0;
    static constexpr unsigned overflow_region = 1;
    static constexpr unsigned state_region = 2;
    static constexpr unsigned overflow_bits = 6;
    static constexpr std::uint64_t most_overflow = 0xFFFFFFFF;
    static constexpr std::size_t ahead = 64;  // puts for which one look at the room is enough

    struct alignas(64) bucket {
        word control;
        word entry[7];
    };
    static_assert(sizeof(bucket) == 64, "a bucket is one cache line");

    struct state {
        word identity;
        word seed;
        word keys;
        word buckets;
        word overflow_used;  // overflow buckets ever taken; those in the free list too
        word free_first;     // 1 + index, 0: none
        word free_count;
        word shortage;  // overflow buckets that the next split waits for
        threading::multi::atomic<std::uint64_t> changing;  // 1: keys are being moved
    };

    [[nodiscard]] std::uint64_t key_count() const noexcept { return state_->keys.load(relaxed); }
    [[nodiscard]] std::uint64_t buckets() const noexcept { return state_->buckets.load(relaxed); }
    [[nodiscard]] std::uint64_t overflow_used() const noexcept {
        return state_->overflow_used.load(relaxed);
    }
    [[nodiscard]] std::uint64_t free_count() const noexcept {
        return state_->free_count.load(relaxed);
    }

    /// Overflow buckets that can be taken.
    [[nodiscard]] std::uint64_t spare() const noexcept {
        return overflow_.capacity() - overflow_used() + free_count();
    }

    // What every lookup reads; seldom written.
    alignas(64) word extent_{0};  // of the buckets, at most 1/64 of a round old
    std::uint64_t seed_ = 0;
    growing<bucket, Threading, words::base_bits> primary_;
    growing<bucket, Threading, overflow_bits> overflow_;
    // The writer's.
    alignas(64) state* state_ = nullptr;
    std::uint64_t exact_ = 0;     // extent() of the buckets, to the last split
    std::uint64_t promised_ = 0;  // puts for which ready() has answered
    Memory memory_;

private:
    static constexpr std::uint64_t identity = 0x01'68'73'61'68'66'6f'63;  // "cofhash", layout 1

    /// Buckets that exist after n puts.
    [[nodiscard]] std::uint64_t wanted(std::uint64_t n) const noexcept {
        return (std::min)(most_buckets,
                          (std::max)(buckets(), (key_count() + n) * 4 / keys_per_4 + 2));
    }
    /// Overflow buckets that n puts take at most: one each, or one for every bucket and one more
    /// for every six keys; and those without which the next split waits.
    [[nodiscard]] std::uint64_t reserve(std::uint64_t n) const noexcept {
        return (std::min)(n, wanted(n) + n / words::link_slot) + state_->shortage.load(relaxed);
    }
    [[nodiscard]] bool has_room(std::uint64_t n) const noexcept {
        return n <= most_keys - (std::min)(key_count(), most_keys) &&
               primary_.capacity() >= wanted(n) && spare() >= reserve(n);
    }

    [[nodiscard]] result<void> open_state() {
        if (state_ != nullptr) return {};
        auto raw = memory_.allocate(state_region, 0, sizeof(state));
        if (!raw) return raw.failure();
        state_ = reinterpret_cast<state*>(*raw);
        return {};
    }

    [[nodiscard]] result<void> hold(std::uint64_t primary, std::uint64_t overflow) {
        while (primary_.capacity() < primary) {
            if (auto done = primary_.grow(memory_, primary_region); !done) return done;
        }
        while (overflow_.capacity() < overflow) {
            if (auto done = overflow_.grow(memory_, overflow_region); !done) return done;
        }
        return {};
    }

    void wipe() noexcept {
        for (word* each : {&state_->keys, &state_->overflow_used, &state_->free_first,
                           &state_->free_count, &state_->shortage}) {
            each->store(0, relaxed);
        }
        state_->changing.store(0, relaxed);
        const auto clear = [](const auto& array) {
            for (std::uint64_t i = 0; i < array.capacity(); ++i) {
                array[i].control.store(0, relaxed);
                for (word& each : array[i].entry) each.store(0, relaxed);
            }
        };
        clear(primary_);
        clear(overflow_);
    }

    void begin() noexcept {
        seed_ = state_->seed.load(relaxed);
        state_->shortage.store(0, relaxed);
        exact_ = words::extent(buckets());
        extent_.store(exact_, release);
    }

    /// Numbers on which no access can fail, whatever the buckets hold.
    [[nodiscard]] bool plausible() const noexcept {
        return state_->identity.load(relaxed) == identity && key_count() <= most_keys &&
               buckets() >= least_buckets && buckets() <= most_buckets &&
               overflow_used() <= most_overflow / 2 && free_count() <= overflow_used() &&
               state_->free_first.load(relaxed) <= overflow_used();
    }
};

}  // namespace coffer::detail

#endif
