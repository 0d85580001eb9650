// Suite S5: no damage to a file is taken for the truth.
//
// A small store of three segments, closed cleanly, with puts, overwrites, erases and a batch. Then,
// one at a time: each byte of each file changed; each file cut at every length, removed, swapped
// with another or as it was earlier; each sector zeroed, swapped with any other of the store (a
// write that went astray) or as it was earlier (a write that was lost). Opening it and reading
// everything either fails with corruption, incompatible or an I/O error, or every key is as it was.
// What lies behind a cut, and in the last segment if its file or the mark at its end is gone,
// cannot be missed: there an earlier state of the store is right, too.
//
// COFFER_CRASH_SCALE=1 turns each bit; the default turns two patterns of each byte.
#include "catch.hpp"

#include "crash/campaign.hpp"
#include "crash/scenes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace crash;
using coffer::errc;

const std::string live = "/s/LIVE";

class damage {
public:
    explicit damage(const simulated_subject& of) : of_(&of), chosen_(tiny_options()) {
        states_.insert(contents());
        std::string padding(40, 'p');
        for (int session = 0; session < 3; ++session) {
            auto store = of.open(folder, chosen_, whole_).value();
            const auto put = [&](const std::string& key, const std::string& value) {
                store->put(key, value).value();
                remember({{change::kind::put, key, value}});
                remember_files();
            };
            for (int i = 0; i < 8; ++i) {
                put("key " + std::to_string(session * 8 + i),
                    "value " + std::to_string(i) + padding);
            }
            put("key 1", "of session " + std::to_string(session));
            if (session != 0) {
                static_cast<void>(store->erase("key 2").value());
                remember({{change::kind::erase, "key 2"}});
            }
            const commit batch{{change::kind::put, "in a batch", std::to_string(session)},
                               {change::kind::erase, "key 3"}};
            store->write(batch).value();
            remember(batch);
            put("key 2", "again " + std::to_string(session));
            store->close().value();
        }
        whole_.settle();
        const std::vector<std::string> all = files();
        newest_ = all[all.size() - 2];  // before STORE
    }

    void flip_all() {
        const unsigned masks = scale() >= 1 ? 8 : sanitized() ? 1 : 2;
        for (const std::string& path : files()) {
            const std::uint64_t size = whole_.read_file(path)->size();
            const std::uint64_t stride = sanitized() ? 7 : 1;
            for (std::uint64_t at = 0; at < size; at += stride) {
                for (unsigned i = 0; i < masks; ++i) {
                    const unsigned mask = masks == 8 ? 1U << i : i == 0 ? 0x01U : 0xFFU;
                    const simulated damaged = whole_.process_killed();
                    REQUIRE(damaged.flip(path, at, static_cast<std::byte>(mask)));
                    judge(damaged, false,
                          "bits " + std::to_string(mask) + " turned at " + std::to_string(at) +
                              " of " + path);
                }
            }
        }
    }

    void cut_all() {
        for (const std::string& path : files()) {
            const std::uint64_t size = whole_.read_file(path)->size();
            const std::uint64_t stride = sanitized() ? 7 : 1;
            for (std::uint64_t left = 0; left < size; left += stride) {
                const simulated damaged = whole_.process_killed();
                REQUIRE(damaged.cut_file(path, left));
                judge(damaged, true, path + " cut to " + std::to_string(left) + " bytes");
            }
        }
    }

    void remove_and_swap_all() {
        const std::vector<std::string> all = files();
        for (const std::string& path : all) {
            const simulated damaged = whole_.process_killed();
            REQUIRE(damaged.remove_file(path));
            judge(damaged, path == newest_, path + " removed");
            for (const std::string& other : all) {
                if (other <= path) continue;
                const simulated swapped = whole_.process_killed();
                REQUIRE(swapped.write_file(path, *whole_.read_file(other)));
                REQUIRE(swapped.write_file(other, *whole_.read_file(path)));
                judge(swapped, false, path + " and " + other + " swapped");
            }
        }
    }

    void change_sectors() {
        const std::vector<sector> all = sectors();
        for (std::size_t i = 0; i < all.size(); i += std::size_t{sanitized() ? 5U : 1U}) {
            const sector& one = all[i];
            replace(one, std::vector<std::byte>(one.held.size()), "zeroed");
            for (std::size_t k = 0; k < i; ++k) exchange(one, all[k]);
        }
    }

    void roll_back() {
        for (const std::string& path : files()) {
            for (const std::vector<std::byte>& each : earlier_[path]) {
                const simulated damaged = whole_.process_killed();
                REQUIRE(damaged.write_file(path, each));
                judge(damaged, path == newest_, path + " as it was earlier");
            }
        }
        for (const sector& one : sectors()) {
            std::set<std::vector<std::byte>> seen{one.held};
            for (std::vector<std::byte> each : earlier_[one.path]) {
                each.resize((std::max)(each.size(), one.at + one.held.size()));
                const auto from = each.begin() + static_cast<std::ptrdiff_t>(one.at);
                const std::vector<std::byte> old(
                    from, from + static_cast<std::ptrdiff_t>(one.held.size()));
                if (seen.insert(old).second) replace(one, old, "as it was earlier");
            }
        }
    }

    void report(const std::string& how) {
        proof::tell(("S5 " + how).c_str(), of_->name,
                    {opens_, "opens", violations_.count(), watch_.seconds(), 0});
        for (const std::string& each : violations_.told()) UNSCOPED_INFO(each);
        CHECK(violations_.count() == 0);
    }

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
        for (const std::string& path : files()) {
            const std::vector<std::byte> all = *whole_.read_file(path);
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
        if (one.path != newest_) return false;
        const std::vector<std::byte> all = *whole_.read_file(newest_);
        std::size_t end = all.size();
        while (end > 0 && all[end - 1] == std::byte{0}) --end;
        constexpr std::size_t mark = 64;  // at most, with what pads it
        return one.at < end + mark && one.at + one.held.size() + mark > end;
    }

    void replace(const sector& one, const std::vector<std::byte>& by, const char* how) {
        if (by == one.held) return;
        const simulated damaged = whole_.process_killed();
        write(damaged, one, by);
        judge(damaged, holds_the_end(one), one.told() + " " + how);
    }

    void exchange(const sector& one, const sector& other) {
        if (one.held == other.held) return;
        const simulated damaged = whole_.process_killed();
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

    void remember_files() {
        for (const std::string& path : whole_.files()) {
            if (path == "/s/LOCK" || path == live || path == "/s/RESERVE") continue;
            std::vector<std::vector<std::byte>>& versions = earlier_[path];
            std::vector<std::byte> now = *whole_.read_file(path);
            if (versions.empty() || versions.back() != now) versions.push_back(std::move(now));
        }
    }

    void remember(const commit& changes) {
        apply(changes, held_);
        states_.insert(held_);
    }

    /// The segments in their order, then STORE. The content of LOCK is for people, LIVE is memory
    /// as long as the system runs (tests/journal/live_file_test.cpp damages one after that).
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> found;
        for (const std::string& path : whole_.files()) {
            if (path != "/s/LOCK" && path != live) found.push_back(path);
        }
        REQUIRE(found.size() == 4);
        return found;
    }

    void judge(const simulated& damaged, bool may_be_earlier, const std::string& what) {
        const simulated without = damaged.process_killed();
        auto bad = examine(damaged, may_be_earlier);
        if (!bad && without.remove_file(live)) bad = examine(without, may_be_earlier);
        if (!bad) return;
        violations_.add(of_->name + ": " + what, *bad);
    }

    /// Empty: refused, or as it should be.
    [[nodiscard]] std::optional<std::string> examine(const simulated& damaged,
                                                     bool may_be_earlier) {
        ++opens_;
        auto opened = of_->open(folder, chosen_, damaged);
        if (!opened) return refused(opened.error());
        opened_ = std::move(*opened);
        const auto closing = coffer::detail::on_exit([this] { opened_.reset(); });
        auto checked = opened_->verify();
        if (!checked) return refused(checked.error());
        bool missing = false;
        for (const auto& [key, value] : held_) {
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
        if (*found == held_ && (missing || !checked->ok())) return {};
        if (may_be_earlier ? states_.count(*found) == 0 : *found != held_) {
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
    coffer::options chosen_;
    simulated whole_{3};
    contents held_;
    std::set<contents> states_;  // that the store went through
    std::map<std::string, std::vector<std::vector<std::byte>>> earlier_;  // versions of files
    std::string newest_;                                                  // segment
    std::unique_ptr<opened> opened_;
    proof::stopwatch watch_;
    std::uint64_t opens_ = 0;
    proof::violations violations_;
};

/// Both storages over both indexes; the files are the same under every durability policy.
std::vector<simulated_subject> some_subjects() {
    std::vector<simulated_subject> some;
    for (const simulated_subject& each : every_subject()) {
        for (const char* name : {"file_log sync hash multi", "file_log write_through sorted multi",
                                 "mmap buffered hash multi", "mmap sync sorted multi"}) {
            if (each.name == name) some.push_back(each);
        }
    }
    REQUIRE(!some.empty());
    return some;
}

}  // namespace

TEST_CASE("each byte of each file changed", "[crash]") {
    for (const auto& each : some_subjects()) {
        damage done(each);
        done.flip_all();
        done.report("each byte changed");
    }
}

TEST_CASE("each file cut at every length", "[crash]") {
    for (const auto& each : some_subjects()) {
        damage done(each);
        done.cut_all();
        done.report("each length cut");
    }
}

TEST_CASE("each file removed, and each two swapped", "[crash]") {
    for (const auto& each : some_subjects()) {
        damage done(each);
        done.remove_and_swap_all();
        done.report("files removed and swapped");
    }
}

TEST_CASE("each sector zeroed, and each two swapped", "[crash]") {
    for (const auto& each : some_subjects()) {
        damage done(each);
        done.change_sectors();
        done.report("sectors zeroed and swapped");
    }
}

TEST_CASE("each file and each sector as it was earlier", "[crash]") {
    for (const auto& each : some_subjects()) {
        damage done(each);
        done.roll_back();
        done.report("files and sectors rolled back");
    }
}
