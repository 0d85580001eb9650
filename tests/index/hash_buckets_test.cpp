#include <coffer/index/hash.hpp>
#include <coffer/index/hash_buckets.hpp>

#include <map>
#include <string>
#include <vector>

#include "catch.hpp"
#include "index/table_model.hpp"

namespace {

using coffer::bytes;
using coffer::detail::hash_table;
using coffer::detail::heap_memory;
using coffer::detail::ref;
using coffer::index::hash;
using coffer::threading::multi;
using coffer::threading::single;

std::string sixteen(std::uint64_t number) {
    std::string key = "key:............";
    for (std::size_t i = 15; i > 3; --i, number /= 10)
        key[i] = static_cast<char>('0' + number % 10);
    return key;
}

/// All keys under one of eight hashes.
struct few_hashes {
    static constexpr unsigned most_depth = 28;
    static std::uint64_t hash(bytes key, std::uint64_t seed) noexcept {
        return coffer::detail::hash64(key, seed) & 7;
    }
};

template <class Shape, class Threading>
using shaped = t::indexed_table<hash_table<Threading, heap_memory, Shape>, Threading>;

}  // namespace

TEST_CASE("hash_buckets: an image brings everything back") {
    for (const std::size_t count : {0U, 5U, 700U, 30'000U}) {
        t::indexed<hash> subject;
        REQUIRE(subject.start(99));
        std::map<std::string, ref> expected;
        t::against_map(subject, expected, count, 3 * count, count + 1, sixteen);
        const std::vector<std::byte> image = t::image_of(subject.table);
        CHECK(image.size() <= subject.table.memory());

        t::indexed<hash, multi> again;
        again.records = subject.records;
        t::from_image source(image);
        REQUIRE(again.table.restore(source).has_value());
        CHECK(source.left() == 0);
        t::require_same(again, expected);
        t::against_map(again, expected, count + 1, 2 * count, count + 1, sixteen);

        const std::vector<std::byte> cut(image.begin(), image.end() - 1);
        t::indexed<hash> from_cut;
        t::from_image short_source(cut);
        const auto refused = from_cut.table.restore(short_source);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code() == coffer::errc::corruption);
        REQUIRE(from_cut.start(1));  // a failed restore leaves nothing behind
        CHECK(from_cut.walk().empty());
        REQUIRE(from_cut.put("a"));
        CHECK(from_cut.find("a") != 0);
    }
}

TEST_CASE("hash_buckets: an image with any byte changed does no harm") {
    shaped<few_hashes, single> subject;
    REQUIRE(subject.start(5));
    for (std::uint64_t i = 0; i < 150; ++i) REQUIRE(subject.put(sixteen(i)));
    for (std::uint64_t i = 0; i < 60; ++i) REQUIRE(subject.remove(sixteen(i * 2)));
    const std::vector<std::byte> image = t::image_of(subject.table);
    std::size_t accepted = 0;
    std::size_t refused = 0;
    for (std::size_t at = 0; at < image.size(); ++at) {
        // The empty buckets are all alike: one byte of each kind is enough.
        if (at >= 64 + 12 * 64 && at < 64 + 256 * 64 && at % 257 != 0) continue;
        for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
            std::vector<std::byte> damaged = image;
            damaged[at] ^= static_cast<std::byte>(flip);
            shaped<few_hashes, single> again;
            again.records = subject.records;
            t::from_image source(damaged);
            if (!again.table.restore(source)) {
                ++refused;
                continue;
            }
            ++accepted;
            for (std::uint64_t i = 100; i < 170; ++i) static_cast<void>(again.find(sixteen(i)));
            for (std::uint64_t i = 140; i < 160; ++i) static_cast<void>(again.put(sixteen(i)));
            for (std::uint64_t i = 60; i < 160; i += 3) static_cast<void>(again.remove(sixteen(i)));
            static_cast<void>(again.walk());
        }
    }
    CHECK(refused >= 3 * 8);  // whatever the numbers of the state cannot be
    CHECK(accepted > 1000);   // buckets are believed: an image has its check elsewhere
}

namespace {

/// Memory that outlives tables, as a mapping does.
class kept_memory {
public:
    struct piece {
        unsigned region;
        unsigned number;
        std::byte* at;
        std::size_t size;
    };
    struct store {
        heap_memory heap;
        std::vector<piece> pieces;
    };
    explicit kept_memory(store& in) : in_(&in) {}
    coffer::result<std::byte*> allocate(unsigned region, unsigned number, std::size_t size) {
        for (const piece& each : in_->pieces) {
            if (each.region == region && each.number == number) return each.at;
        }
        auto fresh = in_->heap.allocate(region, number, size);
        if (fresh) in_->pieces.push_back({region, number, *fresh, size});
        return fresh;
    }

private:
    store* in_;
};

using kept_table = hash_table<multi, kept_memory>;

}  // namespace

TEST_CASE("hash_buckets: memory that comes back is taken over as it is") {
    kept_memory::store memory;
    coffer::detail::epoch<multi> epoch;
    t::record_set records;
    {
        kept_table table(epoch, kept_memory(memory));
        REQUIRE(table.start(17).has_value());
        for (std::uint64_t i = 0; i < 20'000; ++i) {
            t::record_keys keys(records);
            const std::string key = sixteen(i);
            if (!table.ready(1)) REQUIRE(table.prepare(1).has_value());
            table.put(table.locate(table.probe(coffer::as_bytes(key)), keys), records.add(key));
        }
    }
    {
        kept_table table(epoch, kept_memory(memory));
        REQUIRE(table.adopt().has_value());
        std::size_t lost = 0;
        for (std::uint64_t i = 0; i < 20'000; ++i) {
            t::record_keys keys(records);
            const std::string key = sixteen(i);
            const ref r = table.find(table.probe(coffer::as_bytes(key)), keys);
            lost += records[r] != key;
        }
        CHECK(lost == 0);
    }
    {
        kept_memory::store never_used;
        kept_table table(epoch, kept_memory(never_used));
        const auto refused = table.adopt();
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code() == coffer::errc::corruption);
    }
}

TEST_CASE("hash_buckets: damaged memory that comes back leads nowhere outside it") {
    t::random_numbers random(21);
    for (int round = 0; round < 60; ++round) {
        kept_memory::store memory;
        coffer::detail::epoch<multi> epoch;
        t::record_set records;
        const auto each_key = [&](auto& table, std::uint64_t from, std::uint64_t to) {
            for (std::uint64_t i = from; i < to; ++i) {
                t::record_keys keys(records);
                const std::string key = sixteen(i);
                const auto probe = table.probe(coffer::as_bytes(key));
                static_cast<void>(table.find(probe, keys));
                if (!table.ready(1) && !table.prepare(1)) return;
                if (!table.ready(1)) return;
                const auto place = table.locate(probe, keys);
                if (place.ref != 0 && i % 3 == 0) {
                    table.remove(place);
                } else {
                    table.put(place, records.add(key));
                }
            }
        };
        {
            kept_table table(epoch, kept_memory(memory));
            REQUIRE(table.start(18).has_value());
            each_key(table, 0, 1500);
        }
        for (const kept_memory::piece& each : memory.pieces) {
            if (each.region == 2) continue;
            for (std::size_t n = 0; n < each.size / 16; ++n) {
                const auto at = static_cast<std::size_t>(random.below(each.size));
                each.at[at] = static_cast<std::byte>(random());
            }
        }
        kept_table table(epoch, kept_memory(memory));
        REQUIRE(table.adopt().has_value());
        each_key(table, 1000, 2500);
        std::vector<ref> refs;
        kept_table::cursor cursor{};
        while (table.step(cursor, refs)) {
        }
    }
}
