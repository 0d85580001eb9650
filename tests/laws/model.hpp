// tests/laws/model.hpp: what a store must be, as a std::map; and random operations on both.
//
// `differential` makes one random operation after another on a store and on a map and compares
// every answer. Every failure names the seed and the number of the operation: the same seed does
// the same again on the same combination.
#ifndef COFFER_TESTS_LAWS_MODEL_HPP
#define COFFER_TESTS_LAWS_MODEL_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "law.hpp"

namespace laws {

using map_model = std::map<std::string, std::string>;

/// SplitMix64: the same numbers on every machine.
class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) : state_(seed) {}
    std::uint64_t operator()() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>((*this)() % limit); }
    bool one_in(std::size_t count) { return below(count) == 0; }

private:
    std::uint64_t state_;
};

// ---- ranges of the model ------------------------------------------------------------------------

using map_range = std::pair<map_model::const_iterator, map_model::const_iterator>;

inline map_range range_in(const map_model& model, const part& wanted) {
    const auto low = model.lower_bound(wanted.low);
    switch (wanted.is) {
        case part::kind::scan:
            return {low, wanted.high < wanted.low ? low : model.upper_bound(wanted.high)};
        case part::kind::range:
            return {low, wanted.high < wanted.low ? low : model.lower_bound(wanted.high)};
        case part::kind::from:
            return {low, model.end()};
        case part::kind::prefix:
            break;
    }
    auto high = low;
    while (high != model.end() && high->first.starts_with(wanted.low)) ++high;
    return {low, high};
}

inline rows rows_in(const map_model& model, const part& wanted, bool reversed = false,
                    std::size_t most = all_of_them) {
    const auto [low, high] = range_in(model, wanted);
    rows out;
    for (auto at = low; at != high; ++at) out.push_back({at->first, at->second});
    if (reversed) std::reverse(out.begin(), out.end());
    if (out.size() > most) out.resize(most);
    return out;
}

inline rows stepped_in(const map_model& model, const part& wanted, std::string_view steps) {
    const auto [first, last] = range_in(model, wanted);
    rows out;
    auto at = first;
    for (const char step : steps) {
        if (step == '+' && at != last) ++at;
        if (step == '-' && at != first) --at;
        out.push_back(at == last ? row{} : row{at->first, at->second});
    }
    return out;
}

inline void carry_out(map_model& model, const changes& all) {
    for (const change& each : all) {
        switch (each.is) {
            case change::kind::put:
                model[each.key] = each.value;
                break;
            case change::kind::erase:
                model.erase(each.key);
                break;
            case change::kind::clear:
                model.clear();
                break;
        }
    }
}

// ---- random operations --------------------------------------------------------------------------

class differential {
public:
    differential(const combination& choice, std::uint64_t seed)
        : choice_(&choice),
          seed_(seed),
          random_(seed),
          options_(random_options()),
          store_(choice, options_) {
        const std::size_t spaces[] = {8, 60, 700, 4000};
        space_ = spaces[random_.below(choice.simulated ? 4 : 3)];
    }

    /// Makes `count` operations, then compares everything.
    void run(std::uint64_t count) {
        try {
            for (; done_ < count; ++done_) step();
            compare_all();
            reopen();
            compare_all();
            expect(good(store_->verify()).ok(), "verify finds no damage");
        } catch (const std::exception& broken) {
            throw violation(std::string(broken.what()) + "; COFFER_SEED=" + std::to_string(seed_) +
                            ", operation " + std::to_string(done_) + " of " + choice_->name);
        }
    }

private:
    coffer::options random_options() {
        coffer::options out;
        const std::uint64_t segments[] = {16 * 1024, 64 * 1024, 256 * 1024};
        out.segment_bytes = segments[random_.below(3)];
        if (random_.one_in(2)) out.buffer_bytes = 1 + random_.below(20'000);
        if (random_.one_in(2)) out.max_bytes = 1 + random_.below(40'000);
        if (random_.one_in(3)) out.max_unsynced_bytes = 1 + random_.below(100'000);
        if (random_.one_in(3)) out.map_reads = false;
        if (random_.one_in(4)) out.auto_compact = false;
        if (random_.one_in(4)) out.verify_reads = false;
        out.interval = std::chrono::microseconds(1 + random_.below(2000));
        out.max_delay = std::chrono::microseconds(1 + random_.below(2000));
        return out;
    }

    std::string key() {
        const std::size_t number = random_.below(space_);
        if (number == 0) return {};
        std::string out = number % 3 == 0   ? "users:"
                          : number % 3 == 1 ? "u"
                                            : std::string("\xFF\n\0", 3);
        out += std::to_string(number);
        if (number % 50 == 7) out.append(number % 1000, 'k');
        return out;
    }

    std::string value() {
        std::size_t size = random_.below(40);
        if (random_.one_in(10)) size = random_.below(500);
        if (random_.one_in(400)) size = random_.below(40'000);
        std::string out(size, static_cast<char>(random_()));
        for (std::size_t i = 0; i < size; i += 7) out[i] = static_cast<char>(random_());
        return out;
    }

    part any_part() {
        part out;
        out.is = static_cast<part::kind>(random_.below(4));
        out.low = key();
        out.high = key();
        if (out.is == part::kind::prefix)
            out.low.resize((std::min)(out.low.size(), random_.below(4)));
        return out;
    }

    void step() {
        store_->throws = random_.one_in(8);
        const std::size_t dice = random_.below(1000);
        if (dice < 300) return put();
        if (dice < 400) return insert();
        if (dice < 550) return erase();
        if (dice < 750) return read();
        if (dice < 840) return batch();
        if (dice < 960) return order();
        if (dice < 980) return good(store_->flush());
        if (dice < 988) return good(store_->sync());
        if (choice_->simulated && dice < 992)
            return store_.where.disk.advance(random_.below(5'000'000));
        return seldom();
    }

    /// What costs much: a few times in every thousand operations.
    void seldom() {
        switch (random_.below(12)) {
            case 0:
                return clear();
            case 1:
                return good(store_->compact());
            case 2:
            case 3:
                return compare_all();
            case 4:
                return reopen();
            case 5:
                return expect(good(store_->verify()).ok(), "verify finds no damage");
            case 6:
                return expect(good(store_->stats()).entries == model_.size(),
                              "stats count the entries");
            case 7:
                return move();
            default:
                return get_many();
        }
    }

    void put() {
        const std::string at = key();
        const std::string what = value();
        good(store_->put(at, what));
        model_[at] = what;
    }
    void insert() {
        const std::string at = key();
        const std::string what = value();
        expect(good(store_->insert(at, what)) == model_.emplace(at, what).second,
               "insert answers as the model");
    }
    void erase() {
        const std::string at = key();
        expect(good(store_->erase(at)) == (model_.erase(at) == 1), "erase answers as the model");
    }
    void clear() {
        good(store_->clear());
        model_.clear();
    }
    void batch() {
        changes all(random_.below(random_.one_in(20) ? 200 : 8));
        for (change& each : all) {
            each.key = key();
            if (random_.one_in(3)) {
                each.is = change::kind::erase;
            } else {
                each.value = value();
            }
        }
        if (!all.empty() && random_.one_in(60))
            all[random_.below(all.size())] = {change::kind::clear};
        good(store_->write(all));
        carry_out(model_, all);
        for (const change& each : all) {
            if (each.is != change::kind::clear) expect_same(good(store_->get(each.key)), each.key);
        }
    }

    void expect_same(const std::optional<std::string>& found, const std::string& at) {
        const auto known = model_.find(at);
        expect(found.has_value() == (known != model_.end()) && (!found || *found == known->second),
               "a read answers as the model");
    }

    void read() {
        const std::string at = key();
        switch (random_.below(4)) {
            case 0:
                return expect_same(good(store_->get(at)), at);
            case 1:
                return expect_same(good(store_->view(at)), at);
            case 2:
                return expect(good(store_->contains(at)) == (model_.count(at) == 1),
                              "contains answers as the model");
            default:
                break;
        }
        expect(good(store_->size()) == model_.size() && good(store_->empty()) == model_.empty(),
               "size answers as the model");
    }
    void get_many() {
        std::vector<std::string> keys(random_.below(40));
        for (std::string& each : keys) each = key();
        const auto found = good(store_->get_many(keys, keys.size()));
        for (std::size_t i = 0; i < keys.size(); ++i) expect_same(found[i], keys[i]);
    }

    void order() {
        if (!choice_->ordered) return read();
        const part wanted = any_part();
        const std::size_t most = random_.one_in(4) ? all_of_them : random_.below(30) + 1;
        const bool back = random_.one_in(2);
        switch (random_.below(6)) {
            case 0:
                return expect(
                    good(store_->in(wanted, back, most)) == rows_in(model_, wanted, back, most),
                    "a range is the model's");
            case 1:
                return expect(good(store_->for_each_in(wanted, back, most)) ==
                                  rows_in(model_, wanted, back, most),
                              "for_each and for_each_back of a range are the model's");
            case 2:
                return bound(wanted.low, most);
            case 3:
                return walk(wanted);
            case 4:
                if (random_.one_in(10)) return erase_range(wanted.low, wanted.high);
                break;
            default:
                break;
        }
        expect(good(store_->in(wanted, back, 5)) == rows_in(model_, wanted, back, 5),
               "a range is the model's");
    }
    void bound(const std::string& at, std::size_t most) {
        const bool upper = random_.one_in(2);
        rows known;
        for (auto i = upper ? model_.upper_bound(at) : model_.lower_bound(at);
             i != model_.end() && known.size() < most; ++i) {
            known.push_back({i->first, i->second});
        }
        expect(good(upper ? store_->upper_bound(at, most) : store_->lower_bound(at, most)) == known,
               "a bound is the model's");
    }
    void walk(const part& wanted) {
        std::string steps(random_.below(60), '+');
        for (char& each : steps) each = random_.one_in(3) ? '-' : '+';
        expect(good(store_->stepped(wanted, steps)) == stepped_in(model_, wanted, steps),
               "an iterator goes where the model's goes");
    }
    void erase_range(const std::string& from, const std::string& to) {
        std::uint64_t count = 0;
        const auto [low, high] = range_in(model_, {part::kind::range, from, to});
        for (auto at = low; at != high; at = model_.erase(at)) ++count;
        expect(good(store_->erase_range(from, to)) == count, "erase_range counts as the model");
    }

    /// Every entry, every way.
    void compare_all() {
        rows all;
        for (const auto& [key, value] : model_) all.push_back({key, value});
        expect(good(store_->size()) == all.size(), "the size is the model's");
        rows found = good(random_.one_in(2) ? store_->iterate() : store_->for_each());
        if (choice_->ordered) {
            expect(found == all, "every entry, in order");
            std::reverse(all.begin(), all.end());
            expect(good(store_->in({part::kind::from, {}, {}}, true)) == all,
                   "every entry, in reverse");
        } else {
            std::sort(found.begin(), found.end(),
                      [](const row& a, const row& b) { return a.key < b.key; });
            expect(found == all, "every entry, once");
        }
    }

    void move() {
        auto moved = store_->move_out();
        fails(store_->put("k", "v"), errc::closed);
        store_->move_in(*moved);
    }

    void reopen() {
        if (!choice_->persistent) return compare_all();
        store_.reopen(random_.one_in(2));
        const auto found = good(store_->recovery());
        expect(found.clean && !found.created && found.entries == model_.size() &&
                   found.dropped_bytes == 0,
               "a store that was closed opens clean");
    }

    const combination* choice_;
    std::uint64_t seed_;
    random_numbers random_;
    coffer::options options_;
    opened store_;
    map_model model_;
    std::size_t space_ = 0;
    std::uint64_t done_ = 0;
};

}  // namespace laws

#endif
