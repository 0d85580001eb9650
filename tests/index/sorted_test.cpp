#include <coffer/index/sorted.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "index/table_model.hpp"

namespace {

using coffer::bytes;
using coffer::detail::bound;
using coffer::detail::heap_memory;
using coffer::detail::held_bound;
using coffer::detail::ref;
using coffer::index::sorted;
using coffer::threading::multi;
using coffer::threading::single;

template <class T>
struct type_of {
    using type = T;
};

held_bound end_at(bound::kind is, const std::string& key) {
    return {is, coffer::as_bytes(key)};
}

// Shapes of keys: number -> string.

/// Four to nine letters of four kinds: many keys begin other keys.
std::string short_random(std::uint64_t number) {
    t::random_numbers random(number);
    std::string key(random.below(6) + 4, 'a');
    for (char& each : key) each = static_cast<char>('a' + random.below(4));
    return key;
}
std::string user(std::uint64_t number) {
    std::string digits = std::to_string(number);
    return "users:key" + std::string(9 - digits.size(), '0') + digits;
}
/// A long prefix that is shared by all, another by groups of 50.
std::string far_apart(std::uint64_t number) {
    const std::string group = std::to_string(number / 50 % 20);
    return std::string(70, 'p') + group + std::string(90, 'q') + std::to_string(number % 50) +
           std::string(number % 3, '\0');
}
/// Nothing but zeros, or zeros behind one letter: equal but for the length.
std::string zeros(std::uint64_t number) {
    const char first = static_cast<char>(number % 4);
    return number / 4 == 0 ? std::string(number, '\0')
                           : std::string(1, first) + std::string(number / 4, '\0');
}
std::string high(std::uint64_t number) {
    std::string key(number % 97, '\xFF');
    for (std::uint64_t rest = number / 97; rest != 0; rest /= 3) {
        key.push_back(static_cast<char>(0xFD + rest % 3));
    }
    return key;
}
template <std::size_t Size>
std::string big_endian(std::uint64_t number) {
    std::string key(Size, '\0');
    for (std::size_t i = Size; i != 0; --i, number >>= 8) key[i - 1] = static_cast<char>(number);
    return key;
}
std::string spread8(std::uint64_t number) {
    return big_endian<8>(number * 0x9E3779B97F4A7C15ULL);
}
std::string spread4(std::uint64_t number) {
    return big_endian<4>(number * 0x9E3779B1U);
}

/// 64 KiB, all but the last four bytes equal.
std::string longest(std::uint64_t number) {
    return std::string((1 << 16) - 4, static_cast<char>('a' + number % 2)) +
           big_endian<4>(number / 2);
}
std::string random_200(std::uint64_t number) {
    t::random_numbers random(number);
    std::string key;
    for (int i = 0; i < 25; ++i) key += big_endian<8>(random());
    return key;
}

/// Memory that a later table may be given again, and that counts what it is asked for.
struct lasting {
    std::map<std::pair<unsigned, unsigned>, std::vector<std::uint64_t>> pieces = {};
    std::size_t calls = 0;
};
struct lasting_memory {
    lasting* in;

    coffer::result<std::byte*> allocate(unsigned region, unsigned number, std::size_t size) {
        ++in->calls;
        auto& words = in->pieces[{region, number}];
        if (words.empty()) words.resize(size / 8 + 8);
        auto* const raw = reinterpret_cast<std::byte*>(words.data());
        return raw + (64 - reinterpret_cast<std::uintptr_t>(raw) % 64) % 64;
    }
};
template <class Threading, std::size_t KeySize = 0>
using lasting_table = sorted::table<Threading, lasting_memory, KeySize>;

/// All keys of a range by ascend or descend, compared with a map.
template <class Indexed>
void try_bounds(Indexed& subject, const std::map<std::string, ref>& expected,
                const std::string& end) {
    const auto take = [&](auto first, auto last) {
        std::vector<ref> refs;
        for (; first != last; ++first) refs.push_back(first->second);
        return refs;
    };
    const auto reversed = [](std::vector<ref> refs) {
        std::reverse(refs.begin(), refs.end());
        return refs;
    };
    const bytes key = coffer::as_bytes(end);
    const bound including{bound::kind::including, key}, excluding{bound::kind::excluding, key};
    const auto lower = expected.lower_bound(end), upper = expected.upper_bound(end);
    REQUIRE(subject.ascending(including) == take(lower, expected.end()));
    REQUIRE(subject.ascending(excluding) == take(upper, expected.end()));
    REQUIRE(subject.descending(including) == reversed(take(expected.begin(), upper)));
    REQUIRE(subject.descending(excluding) == reversed(take(expected.begin(), lower)));
}

template <class Threading, std::size_t KeySize = 0, class MakeKey>
void try_shape(MakeKey make_key, std::size_t operations, std::size_t key_count,
               std::uint64_t seed) {
    t::indexed<sorted, Threading, KeySize> subject;
    REQUIRE(subject.start());
    std::map<std::string, ref> expected;
    t::against_map(subject, expected, seed, operations * 5 / 10, key_count, make_key, {50, 20});
    t::against_map(subject, expected, seed + 1, operations * 3 / 10, key_count, make_key, {15, 55});
    t::against_map(subject, expected, seed + 2, operations * 2 / 10, key_count, make_key, {60, 20});
}

}  // namespace

TEST_CASE("sorted: an empty table finds nothing and walks over nothing") {
    t::indexed<sorted> subject;
    REQUIRE(subject.start());
    CHECK(subject.find("") == 0);
    CHECK(subject.find("a") == 0);
    CHECK_FALSE(subject.remove("a"));
    CHECK(subject.walk().empty());
    CHECK(subject.ascending().empty());
    CHECK(subject.descending().empty());
    CHECK(subject.table.memory() < 2000);
}

TEST_CASE("sorted: random operations do what a map does, whatever the keys look like") {
    try_shape<single>(short_random, 200'000, 40'000, 1);
    try_shape<single>(user, 200'000, 40'000, 4);
    try_shape<single>(far_apart, 100'000, 3'000, 7);
    try_shape<single>(zeros, 100'000, 2'000, 10);
    try_shape<single>(high, 100'000, 20'000, 13);
    try_shape<multi>(short_random, 100'000, 20'000, 16);
    try_shape<multi>(far_apart, 50'000, 2'000, 19);
}

TEST_CASE("sorted: keys of one size are told apart without their records") {
    try_shape<single, 8>(spread8, 200'000, 40'000, 22);
    try_shape<single, 4>(spread4, 200'000, 40'000, 25);
    try_shape<multi, 8>(big_endian<8>, 100'000, 20'000, 28);
}

TEST_CASE("sorted: keys of 64 KiB that differ at their ends") {
    t::indexed<sorted> subject;
    REQUIRE(subject.start());
    std::map<std::string, ref> expected;
    t::against_map(subject, expected, 31, 1'500, 300, longest, {70, 10});
    t::against_map(subject, expected, 32, 500, 300, longest, {10, 70});
}

TEST_CASE("sorted: in order, against the order, emptied and filled again") {
    for (const bool ascending : {true, false}) {
        t::indexed<sorted> subject;
        REQUIRE(subject.start());
        std::map<std::string, ref> expected;
        constexpr std::uint64_t count = 50'000;
        const auto key = [&](std::uint64_t i) { return user(ascending ? i : count - 1 - i); };
        const auto fill = [&] {
            for (std::uint64_t i = 0; i < count; ++i) {
                expected[key(i)] = subject.records.add(key(i));
                REQUIRE(subject.put(key(i), expected[key(i)]));
            }
        };
        fill();
        t::require_same(subject, expected);
        const std::size_t full = subject.table.memory();
        CHECK(full < count * 18);
        const std::size_t order[] = {0, 1, 2};
        for (const std::size_t way : order) {
            for (std::uint64_t i = 0; i < count; ++i) {
                const std::uint64_t at = way == 0 ? i : way == 1 ? count - 1 - i : i * 7919 % count;
                REQUIRE(subject.remove(key(at)));
            }
            expected.clear();
            t::require_same(subject, expected);
            CHECK(t::image_of(subject.table).size() <= 64 + 1024);  // one leaf
            fill();
            t::require_same(subject, expected);
            CHECK(subject.table.memory() <= full + full / 10);
        }
    }
}

TEST_CASE("sorted: at most 24 bytes a key") {
    constexpr std::uint64_t count = 150'000;
    t::indexed<sorted> random;
    REQUIRE(random.start());
    random.records.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) REQUIRE(random.put(random_200(i)));
    CHECK(random.table.memory() <= count * 24);
    t::indexed<sorted, single, 8> exact;
    REQUIRE(exact.start());
    for (std::uint64_t i = 0; i < count; ++i) REQUIRE(exact.put(random_200(i).substr(0, 8)));
    CHECK(exact.table.memory() <= count * 24);
    t::indexed<sorted, single, 8> in_order;
    REQUIRE(in_order.start());
    for (std::uint64_t i = 0; i < count; ++i) REQUIRE(in_order.put(big_endian<8>(i)));
    CHECK(in_order.table.memory() <= count * 17);
}

TEST_CASE("sorted: a queue takes no more memory the longer it runs") {
    const auto run = [](auto make_key, std::uint64_t length, std::uint64_t turns) {
        t::indexed<sorted> subject;
        REQUIRE(subject.start());
        std::size_t after_first = 0;
        for (std::uint64_t i = 0; i < length * turns; ++i) {
            REQUIRE(subject.put(make_key(i)));
            if (i >= length) REQUIRE(subject.remove(make_key(i - length)));
            if (i == 2 * length) after_first = subject.table.memory();
        }
        CHECK(subject.walk().size() == length);
        CHECK(subject.table.memory() <= after_first + after_first / 4 + 4096);
    };
    run(user, 2'000, 60);
    run([](std::uint64_t i) { return std::string(200, 'x') + user(i); }, 1'000, 40);
    // Backwards: the other end of the tree.
    run([](std::uint64_t i) { return user(999'999 - i); }, 2'000, 60);
}

TEST_CASE("sorted: puts up to the number that was prepared allocate nothing") {
    const auto run = [](auto make_key, std::size_t batch, std::size_t batches) {
        coffer::detail::epoch<single> epoch;
        lasting memory;
        lasting_table<single> table(epoch, lasting_memory{&memory});
        REQUIRE(table.start(1).has_value());
        t::record_set records;
        std::size_t during = 0, next = 0, lost = 0;
        for (std::size_t i = 0; i < batches; ++i) {
            std::size_t key_bytes = 0;
            for (std::size_t j = next; j < next + batch; ++j) key_bytes += make_key(j).size();
            REQUIRE(table.prepare(batch, key_bytes).has_value());
            REQUIRE(table.ready(batch, key_bytes));
            const std::size_t calls = memory.calls;
            for (std::size_t j = 0; j < batch; ++j) {
                const ref where = records.add(make_key(next++));
                t::record_keys keys(records);
                const auto probe = table.probe(coffer::as_bytes(records[where]));
                table.put(table.locate(probe, keys), where);
            }
            during += memory.calls - calls;
        }
        CHECK(during == 0);
        for (ref where = 1; where <= next; ++where) {
            const ref of_odd = (where & 1) << 47;
            t::record_keys keys(records);
            lost += table.find(table.probe(coffer::as_bytes(records[where | of_odd])), keys) !=
                    (where | of_odd);
        }
        CHECK(lost == 0);
    };
    run(spread8, 1, 30'000);
    run(user, 1, 30'000);
    run(user, 1'000, 30);
    run(random_200, 50, 200);
    run(far_apart, 10, 300);
    run(longest, 1, 300);
    run(longest, 150, 3);
    run([](std::uint64_t i) { return longest(999 - i); }, 150, 3);
    // Each put behind a full leaf makes a separator as long as the keys of this one batch.
    const auto lopsided = [](std::uint64_t i) {
        const std::string common(60'000, 'p');
        if (i < 62) return common + "a" + std::to_string(100 + i);
        return common + static_cast<char>(255 - (i - 62));
    };
    run(lopsided, 122, 1);
    // Short keys of equal images, and then two long ones next to each other among them.
    const auto tied = [](std::uint64_t i) {
        const std::string common(40, 'a');
        if (i < 62) return common + std::to_string(100 + i);
        return common + "130" + std::string(30'000, 'p') + std::to_string(i);
    };
    run(tied, 2, 32);
    // Keys that end within the prefix of their leaf, when little room is left.
    const auto shorter = [](std::uint64_t i) {
        if (i < 40) return "ab" + std::string(20'000, '\0') + static_cast<char>(1 + i);
        if (i < 180'040) return "z" + std::to_string(1'000'000'000'000 + i);
        return "ab" + std::string(i - 180'040, '\0');
    };
    run(shorter, 1, 180'063);
}

TEST_CASE("sorted: every bound finds its place") {
    const auto run = [](auto& subject, auto make_key, std::uint64_t count) {
        REQUIRE(subject.start());
        std::map<std::string, ref> expected;
        for (std::uint64_t i = 0; i < count; i += 2) {
            expected[make_key(i)] = subject.records.add(make_key(i));
            REQUIRE(subject.put(make_key(i), expected[make_key(i)]));
        }
        for (std::uint64_t i = 0; i < count; i += count / 50 + 1) {
            try_bounds(subject, expected, make_key(i));
            try_bounds(subject, expected, make_key(i + 1));
        }
        for (const std::string& end :
             {std::string(), std::string(1, '\0'), std::string(300, '\xFF'), make_key(3) + "x",
              make_key(5).substr(0, 3), make_key(4) + std::string(1, '\0')}) {
            try_bounds(subject, expected, end);
        }
    };
    t::indexed<sorted> of_users, of_letters, of_zeros, of_groups;
    run(of_users, user, 2'000);
    run(of_letters, short_random, 2'000);
    run(of_zeros, zeros, 400);
    run(of_groups, far_apart, 1'000);
    t::indexed<sorted, single, 4> of_four;
    run(of_four, spread4, 2'000);
    t::indexed<sorted, multi, 8> of_eight;
    run(of_eight, big_endian<8>, 2'000);
}

/// In the table and in what it should hold.
template <class Indexed>
void put_new(Indexed& subject, std::map<std::string, ref>& expected, const std::string& key) {
    REQUIRE(subject.put(key, expected[key] = subject.records.add(key)));
}
template <class Indexed>
void drop_one(Indexed& subject, std::map<std::string, ref>& expected, const std::string& key) {
    REQUIRE(subject.remove(key));
    expected.erase(key);
}

TEST_CASE("sorted: a thread that remembers a leaf sees what has become of it") {
    const auto run = [](auto&& subject, auto name) {
        REQUIRE(subject.start());
        std::map<std::string, ref> expected;
        const auto put = [&](std::uint64_t number) { put_new(subject, expected, name(number)); };
        const auto drop = [&](std::uint64_t number) { drop_one(subject, expected, name(number)); };
        // Twice or more in one leaf, so that it is remembered.
        const auto look_near = [&](std::uint64_t number) {
            for (std::uint64_t i = number < 8 ? 0 : number - 8; i < number + 8; ++i) {
                const auto held = expected.find(name(i));
                INFO(name(i));
                REQUIRE(subject.find(name(i)) == (held == expected.end() ? 0 : held->second));
            }
        };
        SECTION("that is overwritten, filled, moved and split") {
            for (std::uint64_t i = 0; i < 4000; i += 4) put(i);
            for (std::uint64_t i = 0; i < 4000; ++i) {
                look_near(i);
                put(i);
                look_near(i);
            }
        }
        SECTION("that is emptied and leaves the tree") {
            for (std::uint64_t i = 0; i < 4000; i += 4) put(i);
            for (std::uint64_t i = 0; i < 4000; i += 4) {
                look_near(i);
                drop(i);
                look_near(i);
            }
        }
        SECTION("that becomes another one") {
            for (std::uint64_t i = 0; i < 4000; i += 4) put(i);
            for (std::uint64_t i = 0; i < 2000; i += 4) {
                look_near(i);
                drop(i);
                put(100'000 + i);
                look_near(i);
                look_near(100'000 + i);
            }
        }
        t::require_same(subject, expected);
    };
    SECTION("of keys of any size") {
        run(t::indexed<sorted, single>(), user);
    }
    SECTION("of numbers") {
        run(t::indexed<sorted, single, 8>(), big_endian<8>);
    }
    SECTION("whose prefix becomes shorter and longer") {
        t::indexed<sorted, single> subject;
        REQUIRE(subject.start());
        for (std::uint64_t i = 0; i < 1000; ++i) REQUIRE(subject.put(user(i)));
        for (std::uint64_t i = 1; i < 999; ++i) {
            const std::string other = user(i).substr(0, 8) + "x";
            const ref before = subject.find(user(i));
            REQUIRE(before != 0);
            REQUIRE(subject.put(other));
            REQUIRE(subject.find(user(i)) == before);
            REQUIRE(subject.remove(other));
            REQUIRE(subject.find(user(i)) == before);
            REQUIRE(subject.find(user(i + 1)) != before);
        }
    }
}

TEST_CASE("sorted: a lookup that has come near a leaf sees what has become of it") {
    const auto run = [](auto&& subject, auto name) {
        REQUIRE(subject.start());
        std::map<std::string, ref> expected;
        const auto put = [&](std::uint64_t number) { put_new(subject, expected, name(number)); };
        const auto drop = [&](std::uint64_t number) { drop_one(subject, expected, name(number)); };
        for (std::uint64_t i = 0; i < 4000; i += 2) put(i);
        std::vector<std::string> names;
        for (std::uint64_t i = 0; i < 4000; ++i) names.push_back(name(i));
        std::vector<decltype(subject.table.probe({}))> probes;
        std::size_t near = 0;
        for (const std::string& each : names) {
            probes.push_back(subject.table.probe(coffer::as_bytes(each)));
            subject.table.approach(probes.back());
            near += probes.back().leaf != coffer::detail::no_node;
        }
        REQUIRE(near == names.size());
        SECTION("that is as it was") {
        }
        SECTION("that is filled and split") {
            for (std::uint64_t i = 1; i < 4000; i += 2) put(i);
        }
        SECTION("that is emptied and leaves the tree") {
            for (std::uint64_t i = 0; i < 4000; i += 2) {
                if (i % 500 != 0) drop(i);
            }
        }
        SECTION("that becomes another one") {
            for (std::uint64_t i = 0; i < 4000; i += 2) {
                drop(i);
                put(100'000 + i);
            }
        }
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < names.size(); ++i) {
            const std::size_t at = i * 1237 % names.size();  // so that no leaf is remembered
            const auto held = expected.find(names[at]);
            wrong += subject.find(probes[at]) != (held == expected.end() ? 0 : held->second);
        }
        REQUIRE(wrong == 0);
    };
    SECTION("of keys of any size") {
        run(t::indexed<sorted, single>(), user);
    }
    SECTION("of numbers") {
        run(t::indexed<sorted, single, 8>(), big_endian<8>);
    }
    SECTION("of keys of any size, with versions") {
        run(t::indexed<sorted, multi>(), user);
    }
    SECTION("of numbers, with versions") {
        run(t::indexed<sorted, multi, 8>(), big_endian<8>);
    }
}

TEST_CASE("sorted: what a thread remembers of a tree says nothing of the next in its place") {
    using tree = t::indexed<sorted, single>;
    alignas(tree) std::byte place[sizeof(tree)];
    for (const std::uint64_t first : {0U, 1U, 0U, 1U}) {
        auto* const subject = new (place) tree();
        REQUIRE(subject->start());
        std::vector<ref> refs;
        for (std::uint64_t i = 0; i < 100; ++i) {
            refs.push_back(subject->records.add(user(2 * i + first)));
            REQUIRE(subject->put(user(2 * i + first), refs.back()));
        }
        for (std::uint64_t i = 0; i < 100; ++i) {
            REQUIRE(subject->find(user(2 * i + first)) == refs[static_cast<std::size_t>(i)]);
            REQUIRE(subject->find(user(2 * i + 1 - first)) == 0);
        }
        subject->~tree();
    }
}

TEST_CASE("sorted: records may move, and nobody asks for the old ones again") {
    const auto run = [](auto make_key, std::uint64_t count) {
        coffer::detail::epoch<single> epoch;
        sorted::table<single, heap_memory, 0> table(epoch, heap_memory());
        REQUIRE(table.start(1).has_value());
        std::vector<std::string> now(2 * count + 1);  // empty: nobody may ask
        std::size_t unknown = 0;
        struct moving_keys {
            std::vector<std::string>& records;
            std::size_t& unknown;
            bytes key_of(ref r) noexcept {
                unknown += r >= records.size() || records[r].empty();
                return r < records.size() ? coffer::as_bytes(records[r]) : bytes{};
            }
            bool matches(ref r, bytes key) noexcept { return coffer::equal(key_of(r), key); }
            void prefetch(ref) const noexcept {}
            bool failed() const noexcept { return false; }
        } keys{now, unknown};
        const auto put = [&](std::uint64_t i, ref where) {
            const std::string key = make_key(i);
            if (!table.ready(1, key.size())) REQUIRE(table.prepare(1, key.size()).has_value());
            const auto place = table.locate(table.probe(coffer::as_bytes(key)), keys);
            table.put(place, where);
            now[where] = key;
            return place.ref;
        };
        for (std::uint64_t i = 0; i < count / 2; ++i) REQUIRE(put(i * 2, i * 2 + 1) == 0);
        for (std::uint64_t i = 0; i < count / 2; ++i) {
            const ref old = put(i * 2, count + i * 2 + 1);
            REQUIRE(old == i * 2 + 1);
            now[old].clear();
        }
        for (std::uint64_t i = 0; i < count / 2; ++i) REQUIRE(put(i * 2 + 1, i * 2 + 2) == 0);
        std::size_t wrong = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::string key = make_key(i);
            const ref r = table.find(table.probe(coffer::as_bytes(key)), keys);
            wrong += r != (i % 2 == 0 ? count + i + 1 : i + 1);
        }
        CHECK(wrong == 0);
        CHECK(unknown == 0);
    };
    run(user, 20'000);
    run([](std::uint64_t i) { return std::string(i + 1, '\0'); }, 2'000);
    run([](std::uint64_t i) { return far_apart(i % 1000) + "/" + std::to_string(i); }, 3'000);
}

TEST_CASE("sorted: an unreadable record voids an answer and harms nothing") {
    coffer::detail::epoch<single> epoch;
    sorted::table<single, heap_memory, 0> table(epoch, heap_memory());
    REQUIRE(table.start(1).has_value());
    t::record_set records;
    struct failing_keys {
        const t::record_set& records;
        std::uint64_t good;  // calls that succeed
        bool broken = false;
        bytes key_of(ref r) noexcept {
            if (good == 0) broken = true;
            if (broken) return {};
            --good;
            return coffer::as_bytes(records[r]);
        }
        bool matches(ref r, bytes key) noexcept {
            const bytes own = key_of(r);
            return !broken && coffer::equal(own, key);
        }
        void prefetch(ref) const noexcept {}
        bool failed() const noexcept { return broken; }
    };
    std::map<std::string, ref> expected;
    t::random_numbers random(3);
    std::size_t failures = 0, wrong = 0;
    for (int i = 0; i < 60'000; ++i) {
        const std::string key = far_apart(random.below(1000));
        failing_keys keys{records, random.below(12)};
        const auto held = expected.find(key);
        const ref right = held == expected.end() ? 0 : held->second;
        const auto probe = table.probe(coffer::as_bytes(key));
        if (!table.ready(1, key.size())) REQUIRE(table.prepare(1, key.size()).has_value());
        if (random.below(3) == 0) {
            const ref found = table.find(probe, keys);
            if (!keys.failed()) wrong += found != right;
        } else {
            const auto place = table.locate(probe, keys);
            if (!keys.failed()) {
                wrong += place.ref != right;
                if (right != 0 && random.below(2) == 0) {
                    table.remove(place);
                    expected.erase(held);
                } else {
                    expected[key] = records.add(key);
                    table.put(place, expected[key]);
                }
            }
        }
        failures += keys.failed();
        if (i % 64 == 0) {
            failing_keys few{records, random.below(12)};
            std::vector<ref> refs;
            held_bound end = end_at(bound::kind::including, key);
            static_cast<void>(table.ascend(end, refs, few));
            const auto next = expected.lower_bound(key);
            if (few.failed()) {
                wrong += !refs.empty();
            } else {
                wrong += (next == expected.end()) != refs.empty();
                wrong += !refs.empty() && refs[0] != next->second;
            }
        }
    }
    CHECK(wrong == 0);
    CHECK(failures > 1000);
}

TEST_CASE("sorted: an image brings everything back") {
    const auto run = [](auto from, auto again, auto make_key, std::uint64_t count) {
        using second = typename decltype(again)::type;
        REQUIRE(from->start());
        std::map<std::string, ref> expected;
        t::against_map(*from, expected, 41, count * 2, count, make_key, {70, 20});
        const t::image image = t::image_of(from->table);
        CHECK(t::size_of(image) <= from->table.memory());
        second to(image);
        REQUIRE(to.table.adopt().has_value());
        to.records = from->records;
        t::require_same(to, expected);
        t::against_map(to, expected, 42, count, count, make_key, {40, 40});
        // Once more, with places that were given back.
        second third(t::image_of(to.table));
        REQUIRE(third.table.adopt().has_value());
        third.records = to.records;
        t::require_same(third, expected);
        t::against_map(third, expected, 43, count, count, make_key, {60, 20});
    };
    using any = t::indexed<sorted>;
    using any_multi = t::indexed<sorted, multi>;
    run(std::make_unique<any>(), type_of<any_multi>(), user, 20'000);
    run(std::make_unique<any_multi>(), type_of<any>(), far_apart, 1'000);
    run(std::make_unique<any>(), type_of<any>(), zeros, 1'000);
    run(std::make_unique<any_multi>(), type_of<any_multi>(), short_random, 60'000);
    using eight = t::indexed<sorted, single, 8>;
    run(std::make_unique<eight>(), type_of<eight>(), spread8, 50'000);
    // Nodes that several threads gave back, taken by a table of one thread, then by many again.
    any_multi many;
    REQUIRE(many.start());
    for (std::uint64_t i = 0; i < 3'000; ++i) REQUIRE(many.put(user(i)));
    for (std::uint64_t i = 500; i < 2'500; ++i) REQUIRE(many.remove(user(i)));
    any one(t::image_of(many.table));
    one.records = many.records;
    REQUIRE(one.table.adopt().has_value());
    for (std::uint64_t i = 500; i < 2'500; ++i) REQUIRE(one.put(user(i)));
    any_multi again(t::image_of(one.table));
    again.records = one.records;
    REQUIRE(again.table.adopt().has_value());
    for (std::uint64_t i = 0; i < 3'000; ++i) REQUIRE(again.find(user(i)) != 0);
    // An empty table, too.
    any empty;
    REQUIRE(empty.start());
    any copy(t::image_of(empty.table));
    REQUIRE(copy.table.adopt().has_value());
    REQUIRE(copy.put("a"));
    CHECK(copy.find("a") != 0);
}

TEST_CASE("sorted: memory that is not a tree's is refused, and can be begun anew") {
    t::indexed<sorted> subject;
    REQUIRE(subject.start());
    for (std::uint64_t i = 0; i < 3'000; ++i) REQUIRE(subject.put(user(i)));
    const t::image whole = t::image_of(subject.table);
    const auto refused = [](auto other) {
        const auto adopted = other->table.adopt();
        REQUIRE_FALSE(adopted.has_value());
        CHECK(adopted.error().kind() == coffer::errc::corruption);
        REQUIRE(other->start());
        CHECK(other->walk().empty());
        REQUIRE(other->put(spread8(1)));
        CHECK(other->find(spread8(1)) != 0);
    };
    using any = t::indexed<sorted>;
    refused(std::make_unique<any>());
    refused(std::make_unique<t::indexed<sorted, single, 8>>(whole));  // of other keys
    for (std::size_t word = 0; word < 11; ++word) {
        t::image damaged = whole;
        damaged[{0, 0}][8 * word] ^= std::byte{1};
        if (word == 1) CHECK(damaged[{0, 0}][8] == std::byte{1});  // a change was under way
        if (word == 5 || word == 6 || word == 7) continue;         // more room, longer keys: can be
        refused(std::make_unique<any>(damaged));
    }
}

TEST_CASE("sorted: no damage to an image does harm") {
    const auto run = [](auto make_key, std::uint64_t count, std::uint64_t seed) {
        t::indexed<sorted> whole;
        REQUIRE(whole.start());
        for (std::uint64_t i = 0; i < count; ++i) REQUIRE(whole.put(make_key(i * 7919 % count)));
        for (std::uint64_t i = 0; i < count; i += 3) REQUIRE(whole.remove(make_key(i)));
        const t::image image = t::image_of(whole.table);
        const std::size_t size = t::size_of(image);
        t::random_numbers random(seed);
        std::size_t refused = 0, taken = 0;
        const auto attempt = [&](const t::image& damaged) {
            t::indexed<sorted> subject(damaged);
            if (!subject.table.adopt().has_value()) {
                ++refused;
                return;
            }
            ++taken;  // wrong answers are allowed; use it all the same
            subject.records = whole.records;
            t::record_keys keys(subject.records);
            std::vector<ref> refs;
            t::indexed<sorted>::table_type::cursor cursor;
            while (subject.table.step(cursor, refs)) {
            }
            const auto walk = [&](const held_bound& from) {
                held_bound up = from, down = from;
                do up.moved = true;
                while (subject.table.ascend(up, refs, keys));
                do down.moved = true;
                while (subject.table.descend(down, refs, keys));
            };
            for (int i = 0; i < 40; ++i) {
                const std::string key = make_key(random.below(2 * count));
                static_cast<void>(subject.find(key));
                if (i % 3 == 0) subject.put(key);
                if (i % 3 == 1) static_cast<void>(subject.remove(key));
                walk(end_at(bound::kind::excluding, key));
            }
            walk({});
        };
        for (std::size_t at = 0; at < size; ++at) {
            t::image damaged = image;
            std::byte& there = t::byte_at(damaged, at);
            there ^= static_cast<std::byte>(1 << random.below(8));
            if (random.below(4) == 0) there = static_cast<std::byte>(random());
            attempt(damaged);
        }
        for (int i = 0; i < 300; ++i) {
            t::image damaged = image;
            for (int j = 0; j < 20; ++j) {
                t::byte_at(damaged, random.below(size)) = static_cast<std::byte>(random());
            }
            attempt(damaged);
        }
        CHECK(refused > 200);
        CHECK(taken > size / 4);
    };
    run(user, 200, 51);
    run(far_apart, 150, 52);
    run(zeros, 100, 53);
}

TEST_CASE("sorted: readers beside a writer miss nothing") {
    t::indexed<sorted, multi> users;
    REQUIRE(users.start());
    t::beside_readers(users, {1'000, 6'000, 60'000, 2, 71},
                      [](std::uint64_t i) { return user(i * 7919 % 9'000); });
    t::indexed<sorted, multi> groups;
    REQUIRE(groups.start());
    t::beside_readers(groups, {300, 500, 20'000, 2, 72}, [](std::uint64_t i) {
        return far_apart(i * 7919 % 1'000) + big_endian<2>(i);
    });
    t::indexed<sorted, multi, 8> numbers;
    REQUIRE(numbers.start());
    t::beside_readers(numbers, {1'000, 6'000, 60'000, 2, 73}, spread8);
}

TEST_CASE("sorted: leaves come and go under readers that walk over them") {
    const auto run = [](auto& subject, auto make_key, std::size_t rounds) {
        REQUIRE(subject.start());
        const t::load size{60, 60 * 250, 0, 2, 81};
        // Stable keys far from each other; between them whole leaves are filled and emptied.
        const auto name = [&](std::uint64_t i) {
            return i < 60 ? make_key(i * 1000)
                          : make_key((i - 60) % 15'000 / 250 * 1000 + 1 + (i - 60) % 250 +
                                     (i - 60) / 15'000 * 250);
        };
        subject.records.reserve(60 + rounds * 250);
        std::set<std::string> stable;
        for (std::uint64_t i = 0; i < 60; ++i) {
            stable.insert(name(i));
            REQUIRE(subject.put(name(i)));
        }
        std::vector<std::vector<ref>> refs(rounds);
        for (std::size_t i = 0; i < rounds; ++i) {
            for (std::uint64_t j = 0; j < 250; ++j) {
                refs[i].push_back(subject.records.add(name(60 + i * 13 % 60 * 250 + j)));
            }
        }
        t::complaints seen;
        std::atomic<bool> stop{false};
        std::vector<std::thread> readers;
        for (std::uint64_t i = 0; i < 2; ++i) {
            readers.emplace_back(
                [&, i] { t::read_beside(subject, size, name, 90 + i, stable, stop, seen); });
        }
        bool done = true;
        for (std::size_t i = 0; i < rounds; ++i) {
            for (const ref r : refs[i]) done = subject.put(subject.records[r], r) && done;
            if (i < 20) continue;
            std::vector<ref> old = refs[i - 20];
            if (i % 3 == 1) std::reverse(old.begin(), old.end());
            for (const ref r : old) done = subject.remove(subject.records[r]) && done;
        }
        while (seen.walks.load() < 2) std::this_thread::yield();
        stop = true;
        for (std::thread& reader : readers) reader.join();
        REQUIRE(done);
        CHECK(seen.lost == 0);
        CHECK(seen.foreign == 0);
        CHECK(seen.older == 0);
        CHECK(seen.phantom == 0);
        CHECK(seen.walks_wrong == 0);
        CHECK(seen.order_wrong == 0);
    };
    t::indexed<sorted, multi> users;
    run(users, user, 300);
    t::indexed<sorted, multi> long_ones;
    run(
        long_ones, [](std::uint64_t i) { return std::string(40, 'x') + user(i); }, 150);
    t::indexed<sorted, multi, 8> numbers;
    run(numbers, big_endian<8>, 300);
}
