// Suite S5: no damage to a file is taken for the truth.
//
// Small stores of every shape (past.hpp). Then, one at a time: each byte of each file changed; each
// file cut at every length, removed, swapped with another or as it was earlier; each sector zeroed,
// swapped with any other of the store (a write that went astray) or as it was earlier (a write that
// was lost). Opening it and reading everything either fails with corruption, incompatible or an I/O
// error, or every key is as it was. What lies behind a cut, and in the last segment if its file or
// the mark at its end is gone, cannot be missed: there an earlier state of the store is right, too;
// so it is wherever a store was not closed. Where a record was hit that another one follows, the
// open or verify() says so; and salvage brings back every record that was not (salvaging.hpp).
//
// All of it is done to four combinations of policies, and a part to the others, whose files are like
// those of one of the four: the whole of what the durability policy changes is how they came to be.
//
// COFFER_CRASH_SCALE=1 turns each bit of each byte of each shape, makes 0, 0xFF, one more and another
// of it, and cuts at each byte. The default does two of these to each byte of the first shape, by its
// place, and goes through the others in steps of eleven; of these
// one in twenty is salvaged, and with more than 1 all are. The other combinations have with 1 what
// these have by default, and steps of 97 otherwise.
#include "catch.hpp"

#include "crash/campaign.hpp"
#include "crash/past.hpp"
#include "crash/salvaging.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace crash;
using coffer::errc;

const std::string live = "/s/LIVE";

/// Both storages over both indexes.
bool is_chosen(const simulated_subject& of) {
    for (const char* name : {"file_log sync hash multi", "file_log write_through sorted multi",
                             "mmap buffered hash multi", "mmap sync sorted multi"}) {
        if (of.name == name) return true;
    }
    return false;
}

class damage {
public:
    damage(const simulated_subject& of, past to, std::size_t number)
        : of_(&of),
          in_(std::move(to)),
          salvaging_(of, in_),
          number_(number),
          whole_(scale() >= 1 && is_chosen(of)),
          first_whole_(scale() >= 1 || is_chosen(of)) {}

    void flip_all() {
        for (const std::string& path : in_.files) {
            const std::vector<std::byte> all = *in_.disk.read_file(path);
            for (std::uint64_t at = first(); at < all.size(); at += stride(all.size())) {
                for (const unsigned mask : masks_of(std::to_integer<unsigned>(all[at]), at)) {
                    const simulated damaged = in_.disk.process_killed();
                    REQUIRE(damaged.flip(path, at, static_cast<std::byte>(mask)));
                    judge(damaged, false,
                          "bits " + std::to_string(mask) + " turned at " + std::to_string(at) +
                              " of " + path,
                          share_of_bits());
                }
            }
        }
    }

    void cut_all() {
        for (const std::string& path : in_.files) {
            const std::uint64_t size = in_.disk.read_file(path)->size();
            for (std::uint64_t left = first(); left < size; left += stride(size)) {
                const simulated damaged = in_.disk.process_killed();
                REQUIRE(damaged.cut_file(path, left));
                judge(damaged, path == in_.newest, path + " cut to " + std::to_string(left) + " bytes",
                      share_of_cuts());
            }
        }
    }

    void remove_and_swap_all() {
        const std::vector<std::string>& all = in_.files;
        for (const std::string& path : all) {
            const simulated damaged = in_.disk.process_killed();
            REQUIRE(damaged.remove_file(path));
            judge(damaged, path == in_.newest, path + " removed");
            for (const std::string& other : all) {
                if (other <= path) continue;
                const simulated swapped = in_.disk.process_killed();
                REQUIRE(swapped.write_file(path, *in_.disk.read_file(other)));
                REQUIRE(swapped.write_file(other, *in_.disk.read_file(path)));
                judge(swapped, false, path + " and " + other + " swapped");
            }
        }
    }

    void change_sectors() {
        const std::vector<sector> all = sectors();
        const std::size_t step = (first_whole_ ? 1U : 3U) * (sanitized() ? 5U : 1U);
        for (std::size_t i = 0; i < all.size(); i += step) {
            const sector& one = all[i];
            replace(one, std::vector<std::byte>(one.held.size()), "zeroed");
            const std::size_t most = 64;  // an image has too many for all pairs
            for (std::size_t k = all.size() > most && i != 0 ? i - 1 : 0; k < i; ++k)
                exchange(one, all[k]);
        }
    }

    void roll_back() {
        for (const std::string& path : in_.files) {
            for (const std::vector<std::byte>& each : in_.earlier[path]) {
                const simulated damaged = in_.disk.process_killed();
                REQUIRE(damaged.write_file(path, each));
                judge(damaged, path == in_.newest, path + " as it was earlier");
            }
        }
        for (const sector& one : sectors()) {
            std::set<std::vector<std::byte>> seen{one.held};
            for (std::vector<std::byte> each : in_.earlier[one.path]) {
                each.resize((std::max)(each.size(), one.at + one.held.size()));
                const auto from = each.begin() + static_cast<std::ptrdiff_t>(one.at);
                const std::vector<std::byte> old(
                    from, from + static_cast<std::ptrdiff_t>(one.held.size()));
                if (seen.insert(old).second) replace(one, old, "as it was earlier");
            }
        }
    }

    [[nodiscard]] std::uint64_t opens() const { return opens_; }
    [[nodiscard]] const proof::violations& violations() const { return violations_; }

private:
    struct sector {
        std::string path;
        std::size_t at;
        std::vector<std::byte> held;

        [[nodiscard]] std::string told() const { return path + " at " + std::to_string(at); }
    };

    [[nodiscard]] std::vector<sector> sectors() const {
        constexpr std::size_t size = 512;
        std::vector<sector> out;
        for (const std::string& path : in_.files) {
            const std::vector<std::byte> all = *in_.disk.read_file(path);
            for (std::size_t at = 0; at < all.size(); at += size) {
                const auto from = all.begin() + static_cast<std::ptrdiff_t>(at);
                const std::size_t here = (std::min)(size, all.size() - at);
                out.push_back({path, at, {from, from + static_cast<std::ptrdiff_t>(here)}});
            }
        }
        return out;
    }

    /// Does it hold a part of the mark with which the store was closed?
    [[nodiscard]] bool holds_the_end(const sector& one) const {
        if (one.path != in_.newest) return false;
        const std::vector<std::byte> all = *in_.disk.read_file(in_.newest);
        std::size_t end = all.size();
        while (end > 0 && all[end - 1] == std::byte{0}) --end;
        constexpr std::size_t mark = 64;  // at most, with what pads it
        return one.at < end + mark && one.at + one.held.size() + mark > end;
    }

    void replace(const sector& one, const std::vector<std::byte>& by, const char* how) {
        if (by == one.held) return;
        const simulated damaged = in_.disk.process_killed();
        write(damaged, one, by);
        judge(damaged, holds_the_end(one), one.told() + " " + how);
    }

    void exchange(const sector& one, const sector& other) {
        if (one.held == other.held) return;
        const simulated damaged = in_.disk.process_killed();
        write(damaged, one, other.held);
        write(damaged, other, one.held);
        judge(damaged, holds_the_end(one) || holds_the_end(other),
              one.told() + " and " + other.told() + " swapped");
    }

    /// What is too long is cut, as a sector is.
    static void write(const simulated& disk, const sector& to, const std::vector<std::byte>& from) {
        std::vector<std::byte> all = *disk.read_file(to.path);
        const std::size_t count = (std::min)(from.size(), to.held.size());
        std::copy_n(from.begin(), count, all.begin() + static_cast<std::ptrdiff_t>(to.at));
        REQUIRE(disk.write_file(to.path, all));
    }

    /// What is done to the byte at `at`, by exclusive or: each of its bits, and what makes 0, 0xFF, one
    /// more or any other of it; or one or two of these.
    [[nodiscard]] std::set<unsigned> masks_of(unsigned held, std::uint64_t at) const {
        const unsigned other = 1 + static_cast<unsigned>(coffer::detail::mix(at, seed()) % 255);
        std::set<unsigned> all{held, held ^ 0xFFU, held ^ ((held + 1) & 0xFFU), other};
        all.erase(0);
        if (whole_) {
            for (unsigned bit = 0; bit < 8; ++bit) all.insert(1U << bit);
            return all;
        }
        const auto one = std::next(all.begin(), static_cast<std::ptrdiff_t>(at % all.size()));
        std::set<unsigned> some{at % 2 == 0 ? *one : 1U << (at / 2 % 8)};
        if (thorough() && !sanitized()) some.insert(at % 2 == 0 ? 1U << (at / 2 % 8) : *one);
        return some;
    }

    [[nodiscard]] bool thorough() const { return whole_ || (first_whole_ && number_ == 0); }
    [[nodiscard]] std::uint64_t stride(std::uint64_t size) const {
        const std::uint64_t step = (thorough()     ? 1U
                                    : first_whole_ ? 11U
                                                   : 97U) *
                                   (sanitized() ? 7U : 1U);
        constexpr std::uint64_t most = 1 << 15;
        return size > most ? step * (size / most + 1) : step;
    }
    [[nodiscard]] std::uint64_t first() const { return thorough() ? 0 : number_ % 11; }

    /// One of so many damages of a byte is salvaged, too: at a scale of 1 each byte's is once.
    [[nodiscard]] static std::uint64_t share_of_bits() {
        return scale() > 1 ? 1 : scale() == 1 ? 7 : 20;
    }
    [[nodiscard]] static std::uint64_t share_of_cuts() { return scale() >= 1 ? 1 : 20; }

    void judge(const simulated& damaged, bool may_be_earlier, const std::string& what,
               std::uint64_t share = 1) {
        may_be_earlier = may_be_earlier || in_.killed;
        const auto where = [&] { return of_->name + ", " + in_.name + ": " + what; };
        const bool saves = count_++ % share == 0 || !proof::only().empty();
        if (!proof::is_asked(where)) return;
        const simulated without = damaged.process_killed();
        const simulated pristine = damaged.process_killed();
        const bool has_hole = salvaging_.has_hole(pristine);
        auto bad = examine(damaged, may_be_earlier, has_hole);
        if (!bad && without.remove_file(live)) bad = examine(without, may_be_earlier, has_hole);
        if (!bad && saves) bad = salvaging_.judge(pristine);
        if (bad) violations_.add_case(where(), *bad);
    }

    /// Empty: refused, or as it should be.
    [[nodiscard]] std::optional<std::string> examine(const simulated& damaged, bool may_be_earlier,
                                                     bool has_hole) {
        ++opens_;
        auto opened = of_->open(folder, in_.chosen, damaged);
        if (!opened) return refused(opened.error());
        opened_ = std::move(*opened);
        const auto closing = coffer::detail::on_exit([this] { opened_.reset(); });
        auto checked = opened_->verify();
        if (!checked) return refused(checked.error());
        if (has_hole && checked->ok() && opened_->recovery().dropped_bytes == 0)
            return "neither the open nor verify() tells of it";
        bool missing = false;
        for (const auto& [key, value] : in_.held) {
            auto got = opened_->get(key);
            if (!got) {
                if (auto bad = refused(got.error())) return bad;
                missing = true;
            } else if (!may_be_earlier && *got != value) {
                return "get(" + key + ") is wrong";
            }
        }
        auto absent = opened_->get("absent");
        if (absent && *absent) return "a key was invented";
        auto found = opened_->all();
        if (!found) return refused(found.error());
        if (*found == in_.held && (missing || !checked->ok())) return {};
        if (may_be_earlier ? in_.states.count(*found) == 0 : *found != in_.held) {
            return "holds " + told(*found);
        }
        return {};
    }

    [[nodiscard]] std::optional<std::string> refused(const coffer::error& cause) {
        const errc kind = cause.kind();
        if (kind == errc::corruption || kind == errc::incompatible || kind == errc::io_error)
            return {};
        return std::string("neither corruption nor incompatible nor an I/O error: ") + cause.what();
    }

    const simulated_subject* of_;
    past in_;
    salvaging salvaging_;
    std::uint64_t count_ = 0;
    std::size_t number_;  // of the shape
    bool whole_;          // each bit of each shape
    bool first_whole_;    // each byte of the first, and a part of the others
    std::unique_ptr<opened> opened_;
    std::uint64_t opens_ = 0;
    proof::violations violations_;
};

/// Does `work` to every shape of every subject.
void damage_all(const char* how, void (damage::*work)()) {
    for (const simulated_subject& each : every_subject()) {
        proof::stopwatch watch;
        std::uint64_t opens = 0;
        std::uint64_t violations = 0;
        std::vector<std::string> told;
        std::size_t number = 0;
        for (past& shape : pasts_of(each)) {
            damage done(each, std::move(shape), number++);
            (done.*work)();
            opens += done.opens();
            violations += done.violations().count();
            for (const std::string& one : done.violations().told()) told.push_back(one);
        }
        proof::tell((std::string("S5 ") + how).c_str(), each.name,
                    {opens, "opens", violations, watch.seconds(), 0});
        for (const std::string& one : told) UNSCOPED_INFO(one);
        CHECK(violations == 0);
    }
}

}  // namespace

TEST_CASE("each byte of each file changed", "[crash]") {
    damage_all("each byte changed", &damage::flip_all);
}

TEST_CASE("each file cut at every length", "[crash]") {
    damage_all("each length cut", &damage::cut_all);
}

TEST_CASE("each file removed, and each two swapped", "[crash]") {
    damage_all("files removed and swapped", &damage::remove_and_swap_all);
}

TEST_CASE("each sector zeroed, and each two swapped", "[crash]") {
    damage_all("sectors zeroed and swapped", &damage::change_sectors);
}

TEST_CASE("each file and each sector as it was earlier", "[crash]") {
    damage_all("files and sectors rolled back", &damage::roll_back);
}
