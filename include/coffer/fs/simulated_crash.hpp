// coffer/fs/simulated_crash.hpp: what a disk may hold after the power has failed.
//
// Start with what is durable. Each change since then is cut into the smallest parts that reach a
// disk on their own: the sectors of a write, a size, a name. A crash state is the durable tree with
// any subset of the parts applied in their order, as far as the profile lets them come apart (the
// model of ALICE: Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014). On top come
// a size whose bytes are missing, shown as zeros or as garbage, and a sector torn in the middle.
//
// | profile | sectors        | sizes   | names            | grown, unwritten | torn sector       |
// |---------|----------------|---------|------------------|------------------|-------------------|
// | `p1`    | ordered in one | ordered | ordered          | zeros            | halves, if mapped |
// | `p2`    | alone          | alone   | alone            | or garbage       | halves, if mapped |
// | `p3`    | alone          | alone   | renames in parts | or old bytes     | or all garbage    |
//
// Up to `crash_limits::exhaustive` parts every subset is visited. With more: all prefixes and
// suffixes, all but one, one alone, pairs, and `random` subsets from `seed`. Of all these `share`
// is drawn, before anything is built.
//
// I1  A part needs at most one earlier part: what a profile orders are chains.
// I2  A state is visited once, whichever subsets lead to it: states are told apart by a 64-bit hash
//     of everything that a reader could see.
//
// Cost: below a microsecond for a subset that leads to a known state, a few microseconds for a new
// one, of a store of a few kilobytes.
#ifndef COFFER_FS_SIMULATED_CRASH_HPP
#define COFFER_FS_SIMULATED_CRASH_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/fs/simulated_tree.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace coffer::fs {

/// How far the disk keeps changes in order between two syncs.
struct crash_profile {
    std::uint32_t sector = 512;  ///< bytes that reach the disk together; a power of two
    bool ordered_sectors = true;
    bool ordered_sizes = true;
    bool ordered_names = true;
    bool atomic_rename = true;
    bool removal_cuts = false;  ///< a file being removed may be seen empty
    bool garbage = false;       ///< a file may have grown over bytes that nobody wrote
    bool stale = false;         ///< those bytes may be those of removed files
    bool torn_garbage = false;  ///< a sector being written may be destroyed

    static const crash_profile p1;  ///< as ext4 and xfs behave
    static const crash_profile p2;  ///< what POSIX allows
    static const crash_profile p3;  ///< more than hardware should do
};

inline constexpr crash_profile crash_profile::p1 = {};
inline constexpr crash_profile crash_profile::p2 = {512,  false, false, false, true,
                                                    true, true,  false, false};
inline constexpr crash_profile crash_profile::p3 = {512,  false, false, false, false,
                                                    true, true,  true,  true};

struct crash_limits {
    std::size_t exhaustive = 12;      ///< up to so many parts: every subset
    std::size_t pairs = 1024;         ///< above it, at most so many pairs
    std::size_t random = 256;         ///< random subsets
    std::uint64_t seed = 1;           ///< of the random subsets, the draw and the garbage
    double share = 1;  ///< of the subsets so many are visited, drawn by what they hold
    std::uint64_t most = UINT64_MAX;  ///< stop after so many distinct states
};

struct crash_statistics {
    std::uint64_t parts = 0;     ///< that were not durable
    std::uint64_t visited = 0;   ///< subsets, with their variants
    std::uint64_t distinct = 0;  ///< states that differ
    std::uint64_t set_hash = 0;  ///< of the set of states, whatever their order
    bool exhaustive = false;     ///< every subset was visited
    bool stopped = false;        ///< by the callback or by `most`
};

}  // namespace coffer::fs

namespace coffer::detail::sim {

/// Bytes that nobody wrote there.
class garbage {
public:
    garbage(std::uint64_t seed, std::vector<content> removed)
        : seed_(seed), removed_(std::move(removed)) {}

    void fill(content& file, std::uint64_t from, std::uint64_t to, bool stale) const {
        std::byte piece[512];
        while (from < to) {
            const auto size = static_cast<std::size_t>((std::min)(to - from, std::uint64_t{512}));
            draw(mutable_bytes(piece, size), from, stale);
            file.write(from, bytes(piece, size));
            from += size;
        }
    }

private:
    void draw(mutable_bytes into, std::uint64_t at, bool stale) const {
        const std::uint64_t word = mix(at, seed_);
        if (stale && !removed_.empty()) {
            const content& old = removed_[static_cast<std::size_t>(word % removed_.size())];
            // Old bytes at their old place are the hardest to tell from good ones.
            if (at + into.size() <= old.written().size()) return old.read(at, into);
        }
        for (std::size_t i = 0; i < into.size(); ++i) {
            into[i] = static_cast<std::byte>(mix(at + i, word) >> 56);
        }
    }

    std::uint64_t seed_;
    std::vector<content> removed_;
};

/// One thing that reaches the disk or does not.
struct part {
    enum class kind : unsigned char { whole, sector, empties, unlink_old, unlink_new, link_new };

    const change* of;
    kind is = kind::whole;
    std::uint64_t from = 0;  // of a sector: bytes of the file
    std::uint64_t to = 0;
    std::size_t needs = SIZE_MAX;  // I1
};

/// A subset of the parts, and how what is missing shows.
struct crash_choice {
    enum class tear : unsigned char { none, first_half, second_half, destroyed };

    std::vector<char> chosen;
    bool with_garbage = false;
    std::size_t torn = SIZE_MAX;
    tear how = tear::none;
};

/// Visits the crash states of `durable` and `journal`, both of which it shares or refers to.
class crash_states {
public:
    crash_states(tree durable, const std::vector<change>& journal, const fs::crash_profile& profile,
                 const fs::crash_limits& limits, std::vector<content> removed)
        : durable_(std::move(durable)),
          profile_(profile),
          limits_(limits),
          garbage_(limits.seed, std::move(removed)) {
        for (const change& each : journal) add(each);
        if (limits_.share < 1) {
            draw_ = mix(durable_.hash(), limits_.seed);
            for (const part& each : parts_) looks_.push_back(look_of(each));
        }
        hashes_.reserve(durable_.nodes.size());
        for (const node& each : durable_.nodes) hashes_.push_back(each.held.hash());
        fate_at_.resize(durable_.nodes.size(), nowhere);
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            const change& made = *parts_[i].of;
            const node_id of = parts_[i].is == part::kind::empties ? made.gone() : made.of;
            if (fate_at_[of] == nowhere) {
                fate_at_[of] = static_cast<node_id>(fates_.size());
                fates_.emplace_back().of = of;
            }
            fate& each = fates_[fate_at_[of]];
            each.parts.push_back(i);
            each.grows |= made.is == change::kind::grow;
        }
    }

    [[nodiscard]] const std::vector<part>& parts() const noexcept { return parts_; }

    /// What of the journal a choice holds, for people; `names` are those of the nodes.
    [[nodiscard]] std::string told(const crash_choice& choice,
                                   const std::vector<std::string>& names) const {
        std::string text;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            if (i != choice.torn && choice.chosen[i] == 0) continue;
            if (!text.empty()) text += ", ";
            if (i == choice.torn) text += "torn ";
            text += told(parts_[i], names);
        }
        if (choice.with_garbage) text += text.empty() ? "garbage" : "; garbage";
        return text.empty() ? "nothing" : text;
    }

    /// Calls `found(tree&&, const crash_choice&) -> bool` for each; false stops.
    template <class Found>
    fs::crash_statistics visit(Found&& found) {
        statistics_ = {};
        statistics_.parts = parts_.size();
        const std::size_t count = parts_.size();
        if (count <= limits_.exhaustive && count < 32) {
            statistics_.exhaustive = limits_.share >= 1;
            for (std::uint32_t mask = 0; mask < (std::uint32_t{1} << count); ++mask) {
                std::vector<char> chosen(count);
                for (std::size_t i = 0; i < count; ++i) chosen[i] = (mask >> i & 1) != 0;
                if (is_closed(chosen) && !consider(std::move(chosen), found)) return finished();
            }
        } else if (!visit_patterns(found)) {
            return finished();
        }
        visit_torn(found);
        return finished();
    }

private:
    /// What becomes of one node. Files and folders change each by their own parts, so that of many
    /// subsets there are few outcomes for each node.
    struct fate {
        struct outcome {
            std::uint64_t hash = 0;  // of a file
            std::vector<entry> names = {};
        };
        node_id of = nowhere;
        std::vector<std::size_t> parts = {};  // in the order of the journal
        bool grows = false;
        std::unordered_map<std::uint64_t, outcome> outcomes = {};  // by the hash of what is chosen
        std::uint64_t key = 0;                                     // of the present choice
        const outcome* now = nullptr;                              // null: as it is durable
        node built = {};                                           // of built_key
        std::uint64_t built_key = 0;
    };

    void add(const change& made) {
        switch (made.is) {
            case change::kind::write:
                add_sectors(made);
                break;
            case change::kind::grow:
            case change::kind::extend:
            case change::kind::cut:
                add_part({&made}, profile_.ordered_sizes);
                break;
            case change::kind::link:
                add_part({&made}, profile_.ordered_names);
                break;
            case change::kind::unlink:
                if (profile_.removal_cuts) add_part({&made, part::kind::empties}, false);
                add_part({&made}, profile_.ordered_names);
                break;
            case change::kind::move:
                if (profile_.atomic_rename) {
                    add_part({&made}, profile_.ordered_names);
                } else {
                    if (profile_.removal_cuts && made.replaced != nowhere) {
                        add_part({&made, part::kind::empties}, false);
                    }
                    add_part({&made, part::kind::unlink_new}, profile_.ordered_names);
                    add_part({&made, part::kind::unlink_old}, profile_.ordered_names);
                    add_part({&made, part::kind::link_new}, profile_.ordered_names);
                }
                break;
        }
    }

    void add_sectors(const change& made) {
        std::uint64_t from = made.at;
        const std::uint64_t end = made.at + made.data->size();
        while (from < end) {
            const std::uint64_t to =
                (std::min)(end, (from / profile_.sector + 1) * profile_.sector);
            add_part({&made, part::kind::sector, from, to}, profile_.ordered_sectors);
            from = to;
        }
    }

    void add_part(part added, bool ordered) {
        for (std::size_t i = parts_.size(); ordered && i-- != 0;) {
            if (!same_chain(parts_[i], added)) continue;
            added.needs = i;
            break;
        }
        parts_.push_back(added);
    }

    [[nodiscard]] bool same_chain(const part& a, const part& b) const noexcept {
        if (a.of->of != b.of->of || a.is == part::kind::empties) return false;
        if (b.is == part::kind::sector) {
            return a.is == part::kind::sector &&
                   a.from / profile_.sector == b.from / profile_.sector;
        }
        return a.is != part::kind::sector && a.of->of_names() == b.of->of_names();
    }

    [[nodiscard]] bool is_closed(const std::vector<char>& chosen) const noexcept {
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            if (chosen[i] != 0 && parts_[i].needs != SIZE_MAX && chosen[parts_[i].needs] == 0) {
                return false;
            }
        }
        return true;
    }

    /// The parts chosen and all that they need.
    [[nodiscard]] std::vector<char> with_needs(std::vector<char> chosen) const {
        for (std::size_t i = chosen.size(); i-- != 0;) {
            if (chosen[i] != 0 && parts_[i].needs != SIZE_MAX) chosen[parts_[i].needs] = 1;
        }
        return chosen;
    }

    /// The parts chosen but those whose needs are missing.
    [[nodiscard]] std::vector<char> without_orphans(std::vector<char> chosen) const {
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            if (parts_[i].needs != SIZE_MAX && chosen[parts_[i].needs] == 0) chosen[i] = 0;
        }
        return chosen;
    }

    template <class Found>
    bool visit_patterns(Found& found) {
        const std::size_t count = parts_.size();
        const std::vector<char> none(count, 0);
        const std::vector<char> all(count, 1);
        for (std::size_t i = 0; i <= count; ++i) {
            std::vector<char> prefix = none;
            std::fill_n(prefix.begin(), i, char{1});
            std::vector<char> suffix = all;
            std::fill_n(suffix.begin(), i, char{0});
            if (!consider(std::move(prefix), found)) return false;
            if (!consider(without_orphans(std::move(suffix)), found)) return false;
        }
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<char> but_one = all;
            but_one[i] = 0;
            std::vector<char> only_one = none;
            only_one[i] = 1;
            if (!consider(without_orphans(std::move(but_one)), found)) return false;
            if (!consider(with_needs(std::move(only_one)), found)) return false;
        }
        return count < 2 || (visit_pairs(found) && visit_random(found));
    }

    /// All pairs, or as many as the limit allows, evenly spread.
    template <class Found>
    bool visit_pairs(Found& found) {
        const std::size_t count = parts_.size();
        const std::uint64_t all = std::uint64_t{count} * (count - 1) / 2;
        const std::uint64_t wanted = (std::min)(all, std::uint64_t{limits_.pairs});
        std::uint64_t place = limits_.seed % all;
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = i + 1; j < count; ++j) {
                place = (place + wanted) % all;
                if (place >= wanted) continue;
                std::vector<char> pair(count, 0);
                pair[i] = pair[j] = 1;
                if (!consider(with_needs(std::move(pair)), found)) return false;
            }
        }
        return true;
    }

    template <class Found>
    bool visit_random(Found& found) {
        for (std::size_t drawn = 0; drawn < limits_.random; ++drawn) {
            std::vector<char> chosen(parts_.size());
            const std::uint64_t word = mix(drawn, ~limits_.seed);
            const std::uint64_t share = word % 7 + 1;  // of eight parts, so many are chosen
            for (std::size_t i = 0; i < chosen.size(); ++i) {
                chosen[i] = mix(i, word) % 8 < share ? 1 : 0;
            }
            if (!consider(without_orphans(std::move(chosen)), found)) return false;
        }
        return true;
    }

    /// Each sector that can be torn, with nothing after it and with everything else.
    template <class Found>
    void visit_torn(Found& found) {
        using tear = crash_choice::tear;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            if (parts_[i].is != part::kind::sector) continue;
            std::vector<char> before(parts_.size(), 0);
            std::fill_n(before.begin(), i, char{1});
            const std::vector<char> others(parts_.size(), 1);
            for (const std::vector<char>& base : {before, others}) {
                crash_choice choice{base, false, i, tear::destroyed};
                if (profile_.torn_garbage && !reach(choice, found)) return;
                if (!parts_[i].of->mapped) continue;
                choice.how = tear::first_half;
                if (!reach(choice, found)) return;
                choice.how = tear::second_half;
                if (!reach(choice, found)) return;
            }
        }
    }

    /// The subset, with zeros and then with garbage where a file has grown over nothing.
    template <class Found>
    bool consider(std::vector<char> chosen, Found& found) {
        crash_choice choice{std::move(chosen)};
        if (!reach(choice, found)) return false;
        if (!profile_.garbage) return true;
        bool grows = false;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            grows |= choice.chosen[i] != 0 && parts_[i].of->is == change::kind::grow;
        }
        choice.with_garbage = true;
        return !grows || reach(choice, found);
    }

    template <class Found>
    bool reach(const crash_choice& choice, Found& found) {
        if (!is_drawn(choice)) return true;
        ++statistics_.visited;
        for (fate& each : fates_) decide(each, choice);
        const std::uint64_t hash = hash_below(
            root,
            [&](node_id of) -> const std::vector<entry>* {
                if (!durable_.nodes[of].folder) return nullptr;
                return is_changed(of) ? &fate_of(of).now->names : &durable_.nodes[of].names;
            },
            [&](node_id of) { return is_changed(of) ? fate_of(of).now->hash : hashes_[of]; });
        if (!seen_.insert(hash).second) return true;
        ++statistics_.distinct;
        statistics_.set_hash ^= mix(hash, 0);
        tree state = durable_.share();
        for (fate& each : fates_) {
            if (each.now != nullptr) state.nodes[each.of] = made(each, choice).share();
        }
        const bool more = found(std::move(state), choice) && statistics_.distinct < limits_.most;
        statistics_.stopped |= !more;
        return more;
    }

    /// The same parts on the same durable tree are drawn always or never, at whichever crash.
    [[nodiscard]] bool is_drawn(const crash_choice& choice) const noexcept {
        if (limits_.share >= 1) return true;
        std::uint64_t word = mix(draw_, std::uint64_t{choice.with_garbage});
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            const unsigned how = how_of(choice, i);
            if (how != 0) word = mix(word ^ how, looks_[i]);
        }
        return static_cast<double>(word) < limits_.share * 0x1p64;
    }

    [[nodiscard]] static std::uint64_t look_of(const part& each) noexcept {
        const change& made = *each.of;
        const std::uint64_t place = mix(made.of, each.from ^ made.size);
        if (each.is == part::kind::sector) return hash64(run_of(each), place);
        const auto kind = static_cast<std::uint64_t>(made.is) << 8 | static_cast<unsigned>(each.is);
        const std::uint64_t names =
            hash64(as_bytes(made.name), hash64(as_bytes(made.to), made.target));
        return mix(kind ^ names, place);
    }

    /// 0: the choice does not hold the part.
    [[nodiscard]] static unsigned how_of(const crash_choice& choice, std::size_t i) noexcept {
        return i == choice.torn ? 1U + static_cast<unsigned>(choice.how)
                                : static_cast<unsigned>(choice.chosen[i]);
    }

    [[nodiscard]] const fate& fate_of(node_id of) const noexcept { return fates_[fate_at_[of]]; }
    [[nodiscard]] bool is_changed(node_id of) const noexcept {
        return fate_at_[of] != nowhere && fate_of(of).now != nullptr;
    }

    /// What the choice makes of a node: known, or found out.
    void decide(fate& each, const crash_choice& choice) {
        std::uint64_t key = mix(std::uint64_t{choice.with_garbage && each.grows}, limits_.seed);
        bool any = false;
        for (const std::size_t i : each.parts) {
            const unsigned how = how_of(choice, i);
            any |= how != 0;
            key = mix(key ^ how, i);
        }
        each.now = nullptr;
        if (!any) return;
        each.key = key;
        const auto [at, fresh] = each.outcomes.try_emplace(key);
        if (fresh) {
            const node& built = made(each, choice);
            at->second = {built.folder ? 0 : built.held.hash(), built.names};
        }
        each.now = &at->second;
    }

    /// The node of the choice that `each.key` stands for.
    [[nodiscard]] node& made(fate& each, const crash_choice& choice) {
        if (each.built_key == each.key) return each.built;
        each.built = durable_.nodes[each.of].share();
        each.built_key = each.key;
        for (const std::size_t i : each.parts) {
            if (i == choice.torn) {
                apply_torn(each.built, parts_[i], choice.how);
            } else if (choice.chosen[i] != 0) {
                apply(each.built, parts_[i], choice.with_garbage);
            }
        }
        each.built.held.scrub();
        return each.built;
    }

    void apply(node& changed, const part& each, bool with_garbage) const {
        const change& made = *each.of;
        content& file = changed.held;
        switch (each.is) {
            case part::kind::whole:
                if (made.is == change::kind::grow && with_garbage) {
                    // Up to `before` too, if what made the file so long is missing.
                    const std::uint64_t size = file.size();
                    garbage_.fill(file, size, made.before, profile_.stale);
                    garbage_.fill(file, (std::max)(made.at, size), made.size, profile_.stale);
                }
                made.apply(changed);
                break;
            case part::kind::sector:
                file.write(each.from, run_of(each));
                break;
            case part::kind::empties:
                file.resize(0);
                break;
            case part::kind::unlink_old:
                changed.unlink(made.name);
                break;
            case part::kind::unlink_new:
                if (changed.find(made.to) != made.target) changed.unlink(made.to);
                break;
            case part::kind::link_new:
                changed.link(made.to, made.target);
                break;
        }
    }

    void apply_torn(node& changed, const part& each, crash_choice::tear how) const {
        content& file = changed.held;
        const bytes run = run_of(each);
        const std::size_t middle = run.size() / 2 - (run.size() / 2) % sizeof(std::uint64_t);
        if (how == crash_choice::tear::destroyed) {
            const std::uint64_t start = each.from - each.from % profile_.sector;
            garbage_.fill(file, start, start + profile_.sector, profile_.stale);
        } else if (how == crash_choice::tear::first_half) {
            file.write(each.from, run.first(middle));
        } else {
            file.write(each.from + middle, run.subspan(middle));
        }
    }

    static std::string told(const part& each, const std::vector<std::string>& names) {
        const change& made = *each.of;
        const std::string& name = names[made.of];
        switch (each.is) {
            case part::kind::sector:
                return "bytes [" + std::to_string(each.from) + ", " + std::to_string(each.to) +
                       ") of " + name;
            case part::kind::empties:
                return "emptying of " + names[made.gone()];
            case part::kind::unlink_old:
                return "removal of " + joined(name, made.name);
            case part::kind::unlink_new:
                return "removal of " + joined(name, made.to);
            case part::kind::link_new:
                return "name " + joined(name, made.to);
            case part::kind::whole:
                break;
        }
        if (made.of_size()) return "size " + std::to_string(made.size) + " of " + name;
        if (made.is == change::kind::link) return "name " + joined(name, made.name);
        if (made.is == change::kind::unlink) return "removal of " + joined(name, made.name);
        return "rename of " + joined(name, made.name) + " to " + made.to;
    }

    static bytes run_of(const part& each) noexcept {
        const bytes all(*each.of->data);
        return all.subspan(static_cast<std::size_t>(each.from - each.of->at),
                           static_cast<std::size_t>(each.to - each.from));
    }

    [[nodiscard]] fs::crash_statistics finished() const noexcept { return statistics_; }

    tree durable_;
    fs::crash_profile profile_;
    fs::crash_limits limits_;
    garbage garbage_;
    std::vector<part> parts_;
    std::uint64_t draw_ = 0;             // with looks_: what is drawn
    std::vector<std::uint64_t> looks_;   // of the parts
    std::vector<std::uint64_t> hashes_;  // of the durable contents
    std::vector<fate> fates_;
    std::vector<node_id> fate_at_;  // of a node, or nowhere
    std::unordered_set<std::uint64_t> seen_;
    fs::crash_statistics statistics_;
};

}  // namespace coffer::detail::sim

#endif
