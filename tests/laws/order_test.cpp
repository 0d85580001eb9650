// What the calls that need an order of keys mean, over every sorted combination.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "law.hpp"
#include "model.hpp"

using namespace laws;

namespace {

using kind = part::kind;

rows reversed(rows all) {
    std::reverse(all.begin(), all.end());
    return all;
}

std::vector<std::string> keys_of(const rows& all) {
    std::vector<std::string> out;
    for (const row& each : all) out.push_back(each.key);
    return out;
}

using keys = std::vector<std::string>;

void put_all(opened& store, const keys& all) {
    for (const std::string& key : all) good(store->put(key, "value of " + key));
}

// K3: both ends included, in order; the seed's own example.
void scan_includes_both_ends(const combination& choice) {
    opened store(choice);
    put_all(store, {"cherry", "banana", "apple"});
    expect(good(store->in({kind::scan, "a", "c"})) ==
               rows{{"apple", "value of apple"}, {"banana", "value of banana"}},
           "scan(\"a\", \"c\") is apple and banana, not cherry");
    expect(keys_of(good(store->in({kind::scan, "apple", "cherry"}))) ==
               keys{"apple", "banana", "cherry"},
           "both ends are included");
    expect(keys_of(good(store->in({kind::scan, "banana", "banana"}))) == keys{"banana"}, "one key");
    expect(good(store->in({kind::scan, "c", "a"})).empty(), "from behind to before is nothing");
    expect(good(store->in({kind::scan, "b", "ba"})).empty(), "between two keys is nothing");
}

// K-D3: what was erased stays erased in scans. K14: the newest value is the one that is shown.
void scans_resurrect_nothing(const combination& choice) {
    opened store(choice, small_segments());
    put_all(store, {"a", "b", "c"});
    good(store->erase("a"));
    good(store->put("b", "new"));
    expect(good(store->in({kind::scan, "a", "c"})) == rows{{"b", "new"}, {"c", "value of c"}},
           "as get says");
    good(store->compact());
    expect(good(store->in({kind::scan, "a", "c"})) == rows{{"b", "new"}, {"c", "value of c"}},
           "also later");
    good(store->clear());
    expect(good(store->in({kind::scan, "", "z"})).empty(), "nothing after clear");
}

void ranges_are_half_open(const combination& choice) {
    opened store(choice);
    expect(good(store->in({kind::range, "", "z"})).empty(), "nothing in an empty store");
    put_all(store, {"", "a", "aa", "ab", "b", "ba", "c"});
    expect(keys_of(good(store->in({kind::range, "a", "b"}))) == keys{"a", "aa", "ab"}, "range");
    expect(keys_of(good(store->in({kind::range, "", "a"}))) == keys{""},
           "the empty key comes first");
    expect(good(store->in({kind::range, "a", "a"})).empty(), "range(k, k) is empty");
    expect(good(store->in({kind::range, "b", "a"})).empty(), "so is one the wrong way round");
    expect(keys_of(good(store->in({kind::from, "ab"}))) == keys{"ab", "b", "ba", "c"}, "from");
    expect(keys_of(good(store->in({kind::from, ""}))) == keys{"", "a", "aa", "ab", "b", "ba", "c"},
           "from the start");
    expect(good(store->in({kind::from, "d"})).empty(), "from behind the end");
    expect(keys_of(good(store->in({kind::prefix, "a"}))) == keys{"a", "aa", "ab"}, "prefix");
    expect(good(store->in({kind::prefix, "ax"})).empty(), "a prefix of nothing");
    expect(good(store->in({kind::prefix, ""})).size() == 7, "everything begins with nothing");
    rows all = good(store->iterate());
    std::reverse(all.begin(), all.end());
    expect(good(store->for_each_in({kind::from, ""}, true)) == all, "for_each_back");
    for (const kind is : {kind::scan, kind::range, kind::from, kind::prefix}) {
        expect(good(store->for_each_in({is, "a", "b"})) == good(store->in({is, "a", "b"})),
               "for_each of a range");
        expect(
            good(store->for_each_in({is, "a", "b"}, true)) == good(store->in({is, "a", "b"}, true)),
            "for_each_back of a range");
        for (const bool back : {false, true}) {
            rows some = good(store->in({is, "a", "b"}, back));
            some.resize(2);
            expect(good(store->for_each_in({is, "a", "b"}, back, 2)) == some,
                   "for_each of a range, either way, ended early");
        }
    }
}

void prefixes_of_high_bytes(const combination& choice) {
    opened store(choice);
    const std::string ff(1, '\xFF');
    const std::string fe(1, '\xFE');
    const keys all = {"",      "a" + ff, "a" + ff + ff, "a" + ff + "b", "b",
                      fe + ff, ff,       ff + ff,       ff + "x"};
    put_all(store, all);
    expect(keys_of(good(store->in({kind::prefix, "a" + ff}))) ==
               keys{"a" + ff, "a" + ff + "b", "a" + ff + ff},
           "a FF");
    expect(keys_of(good(store->in({kind::prefix, ff}))) == keys{ff, ff + "x", ff + ff}, "FF");
    expect(keys_of(good(store->in({kind::prefix, ff + ff}))) == keys{ff + ff}, "FF FF");
    expect(keys_of(good(store->in({kind::prefix, fe}))) == keys{fe + ff}, "FE");
    expect(keys_of(good(store->in({kind::prefix, ff}, true))) == keys{ff + ff, ff + "x", ff},
           "FF, reversed");
}

// Bytes compare unsigned, and a key before every longer one that it begins.
void keys_compare_as_bytes(const combination& choice) {
    opened store(choice);
    keys all;
    for (int byte = 255; byte >= 0; --byte) {
        all.push_back(std::string(1, static_cast<char>(byte)));
        all.push_back(std::string(1, static_cast<char>(byte)) + std::string(1, '\0'));
        all.push_back(std::string(200, 'p') + static_cast<char>(byte));
    }
    put_all(store, all);
    std::sort(all.begin(), all.end(), [](const std::string& a, const std::string& b) {
        return std::lexicographical_compare(
            a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
                return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
            });
    });
    expect(keys_of(good(store->iterate())) == all, "iteration is in order of bytes");
    expect(keys_of(good(store->in({kind::from, ""}, true))) ==
               keys_of(reversed(good(store->iterate()))),
           "reversed");
}

void bounds(const combination& choice) {
    opened store(choice);
    expect(good(store->lower_bound("", 9)).empty() && good(store->upper_bound("", 9)).empty(),
           "of an empty store");
    put_all(store, {"b", "d", "f"});
    expect(keys_of(good(store->lower_bound("d", 9))) == keys{"d", "f"}, "lower_bound of a key");
    expect(keys_of(good(store->upper_bound("d", 9))) == keys{"f"}, "upper_bound of a key");
    expect(keys_of(good(store->lower_bound("c", 9))) == keys{"d", "f"}, "lower_bound between keys");
    expect(keys_of(good(store->upper_bound("c", 9))) == keys{"d", "f"}, "upper_bound between keys");
    expect(keys_of(good(store->lower_bound("", 1))) == keys{"b"}, "lower_bound of the least");
    expect(good(store->lower_bound("g", 9)).empty() && good(store->upper_bound("f", 9)).empty(),
           "behind the last");
}

// The ranges compose with std::views: reverse, take, pages by the last key seen (E19, E-D11).
void views_and_pages(const combination& choice) {
    opened store(choice);
    rows all;
    for (int i = 100; i < 250; ++i) all.push_back({"k" + std::to_string(i), std::to_string(i)});
    for (std::size_t i = 0; i < all.size(); ++i) {
        const row& each = all[i * 37 % all.size()];
        good(store->put(each.key, each.value));
    }
    expect(good(store->in({kind::from, ""})) == all, "forwards");
    expect(good(store->in({kind::from, ""}, true)) == reversed(all), "reversed");
    expect(good(store->in({kind::from, ""}, false, 10)) == rows(all.begin(), all.begin() + 10),
           "take");
    expect(good(store->in({kind::from, ""}, true, 10)) == rows(all.rbegin(), all.rbegin() + 10),
           "reverse and take");
    expect(good(store->in({kind::scan, "k150", "k159"}, true)) ==
               reversed(rows(all.begin() + 50, all.begin() + 60)),
           "a scan reversed");
    expect(good(store->in({kind::range, "k150", "k160"}, true)) ==
               reversed(rows(all.begin() + 50, all.begin() + 60)),
           "a range reversed");
    expect(good(store->in({kind::prefix, "k15"}, true)) ==
               reversed(rows(all.begin() + 50, all.begin() + 60)),
           "a prefix reversed");
    rows paged;
    for (rows page = good(store->in({kind::from, ""}, false, 7)); !page.empty();) {
        paged.insert(paged.end(), page.begin(), page.end());
        good(
            store->put(page.back().key + "+", "between"));  // keyset paging does not lose its place
        page = good(store->upper_bound(page.back().key + "+", 7));
    }
    expect(paged == all, "page by page is everything, once");
}

void iterators_go_both_ways(const combination& choice) {
    opened store(choice);
    std::map<std::string, std::string> model;
    for (int i = 0; i < 120; ++i) {
        const std::string key = "k" + std::to_string(i * 53 % 120 + 100);
        good(store->put(key, std::to_string(i)));
        model[key] = std::to_string(i);
    }
    const std::string steps = std::string(130, '+') + std::string(130, '-') + "+++--+-++++----++" +
                              std::string(70, '+') + "-+-+--++---" + std::string(60, '+') + "-+--";
    for (const part& each :
         {part{kind::from, "", {}}, part{kind::from, "k150", {}}, part{kind::scan, "k120", "k199"},
          part{kind::range, "k1195", "k180"}, part{kind::prefix, "k13", {}}}) {
        expect(good(store->stepped(each, steps)) == stepped_in(model, each, steps),
               "an iterator goes where the model's goes");
    }
}

void ranges_are_erased(const combination& choice) {
    opened store(choice, small_segments());
    expect(good(store->erase_range("", "z")) == 0, "nothing to erase");
    put_all(store, {"a", "b", "c", "d", "e"});
    expect(good(store->erase_range("b", "d")) == 2, "the end is not included");
    expect(keys_of(good(store->iterate())) == keys{"a", "d", "e"} && good(store->size()) == 3,
           "and only these");
    expect(good(store->erase_range("b", "d")) == 0, "again: nothing");
    expect(good(store->erase_range("d", "a")) == 0, "the wrong way round: nothing");
    expect(good(store->erase_range("", "zzz")) == 3 && good(store->empty()), "all");
    for (int i = 0; i < 500; ++i)
        good(store->put("k" + std::to_string(i + 1000), std::string(50, 'x')));
    expect(good(store->erase_range("k1100", "k1400")) == 300 && good(store->size()) == 200,
           "hundreds in one batch");
}

}  // namespace

TEST_CASE("sorted: scan") {
    over(where_ordered, both_ways(scan_includes_both_ends));
}
TEST_CASE("sorted: scans resurrect nothing") {
    over(where_ordered, scans_resurrect_nothing);
}
TEST_CASE("sorted: range, from, prefix") {
    over(where_ordered, both_ways(ranges_are_half_open));
}
TEST_CASE("sorted: prefixes of high bytes") {
    over(where_ordered, prefixes_of_high_bytes);
}
TEST_CASE("sorted: keys compare as bytes") {
    over(where_ordered, keys_compare_as_bytes);
}
TEST_CASE("sorted: bounds") {
    over(where_ordered, both_ways(bounds));
}
TEST_CASE("sorted: views and pages") {
    over(where_ordered, views_and_pages);
}
TEST_CASE("sorted: iterators go both ways") {
    over(where_ordered, iterators_go_both_ways);
}
TEST_CASE("sorted: erase_range") {
    over(where_ordered, both_ways(ranges_are_erased));
}
