// Suite S5: no damage to a file is taken for the truth.
//
// A small store of three segments, closed cleanly, with puts, overwrites, erases and a batch. Then,
// one at a time: each byte of each file changed, each file cut at every length, removed, or swapped
// with another. Opening it and reading everything either fails with corruption, incompatible or an
// I/O error, or every key is as it was. What lies behind a cut, and in the last segment if its file
// is gone, cannot be missed: there an earlier state of the store is right, too.
//
// COFFER_CRASH_SCALE=1 turns each bit; the default turns two patterns of each byte.
#include "catch.hpp"

#include "crash/campaign.hpp"
#include "crash/scenes.hpp"

#include <cstdio>
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
            judge(damaged, path == all[all.size() - 2],
                  path + " removed");  // before STORE: the last
            for (const std::string& other : all) {
                if (other <= path) continue;
                const simulated swapped = whole_.process_killed();
                REQUIRE(swapped.write_file(path, *whole_.read_file(other)));
                REQUIRE(swapped.write_file(other, *whole_.read_file(path)));
                judge(swapped, false, path + " and " + other + " swapped");
            }
        }
    }

    void report(const std::string& how) {
        std::printf("%-32s %-16s %8llu opens %8llu refused %8llu intact %6llu violations\n",
                    of_->name.c_str(), how.c_str(), static_cast<unsigned long long>(opens_),
                    static_cast<unsigned long long>(refused_),
                    static_cast<unsigned long long>(intact_),
                    static_cast<unsigned long long>(violations_));
        for (const std::string& each : told_) UNSCOPED_INFO(each);
        CHECK(violations_ == 0);
    }

private:
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
        ++violations_;
        if (told_.size() < 6) told_.push_back(of_->name + ": " + what + ": " + *bad);
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
        ++intact_;
        return {};
    }

    [[nodiscard]] std::optional<std::string> refused(const coffer::error& cause) {
        ++refused_;
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
    std::unique_ptr<opened> opened_;
    std::uint64_t opens_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t intact_ = 0;
    std::uint64_t violations_ = 0;
    std::vector<std::string> told_;
};

/// Both storages over both indexes; the files are the same under every durability policy.
std::vector<simulated_subject> some_subjects() {
    return {file_log_hash()[0], file_log_sorted()[1], mmap_hash()[2], mmap_sorted()[0]};
}

}  // namespace

TEST_CASE("each byte of each file changed", "[crash]") {
    for (const auto& each : some_subjects()) {
        damage done(each);
        done.flip_all();
        done.report("each byte");
    }
}

TEST_CASE("each file cut at every length", "[crash]") {
    for (const auto& each : some_subjects()) {
        damage done(each);
        done.cut_all();
        done.report("each length");
    }
}

TEST_CASE("each file removed, and each two swapped", "[crash]") {
    for (const auto& each : some_subjects()) {
        damage done(each);
        done.remove_and_swap_all();
        done.report("files");
    }
}
