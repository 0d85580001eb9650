// Suite S9: every schedule of three threads of three calls, up to a number of departures from the
// order in which each runs until it waits.
//
// Whatever the order in which the threads run, the answers are linearizable, the store ends with
// what they say, and shows the same when it is opened again; no thread waits for ever. The test
// also finds a lock that does not lock, a wake-up that is lost and a deadlock.
//
// Before each call that changes the disk the process could be killed, or the power fail, where the
// policy promises something of that: what an open then shows is linearizable, too, with every call
// that has returned (so a reader saw nothing that is lost), and each of those that had not, or that
// had failed, is there or is not.
//
// COFFER_DEPARTURES   how many; the default is 1.
// COFFER_SCHEDULES    at most so many for each scenario; the default, a million, is more than most
//                     have with two departures.
#include "catch.hpp"

#include <coffer/coffer.hpp>

#include <array>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "index/table_model.hpp"
#include "laws/linearizability.hpp"
#include "proof.hpp"
#include "schedules/scheduled.hpp"

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

using coffer::fs::simulated;
using laws::event;
using laws::history;
using schedules::scheduled;
using schedules::scheduler;
namespace storage = coffer::storage;
namespace durability = coffer::durability;
namespace index = coffer::index;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? otherwise : std::stoull(text);
}

void need(bool holds, const std::string& sentence) {
    if (!holds) throw std::runtime_error("not so: " + sentence);
}

std::string key_of(std::size_t number) {
    return "key " + std::to_string(number);
}

/// What a thread calls; `put` and the like, or something that answers nothing.
struct call {
    enum class kind : unsigned char {
        put,
        insert,
        erase,
        get,
        batch,
        clear,  // a batch that begins with one
        flush,
        sync,
        compact
    } is;
    std::size_t key = 0;
};
using script = std::array<call, 3>;

struct scenario {
    const char* name;
    std::array<script, 3> threads;
    int entries_before = 0;  // beside the four keys
    std::size_t large = 0;   // bytes of each of those
    std::uint64_t buffer = 4096;
    std::uint64_t failing = 0;  // which of the calls that write fails; 0: none
};

using kind = call::kind;

constexpr std::array<script, 3> writers{{
    {{{kind::put, 0}, {kind::put, 1}, {kind::get, 1}}},
    {{{kind::put, 1}, {kind::erase, 0}, {kind::get, 0}}},
    {{{kind::batch, 0}, {kind::get, 1}, {kind::insert, 2}}},
}};
constexpr std::array<script, 3> one_hands_over{{
    {{{kind::put, 0}, {kind::flush}, {kind::get, 1}}},
    {{{kind::put, 1}, {kind::erase, 0}, {kind::sync}}},
    {{{kind::batch, 0}, {kind::get, 0}, {kind::put, 2}}},
}};
constexpr std::array<script, 3> one_cleans{{
    {{{kind::put, 0}, {kind::erase, 1}, {kind::get, 0}}},
    {{{kind::get, 1}, {kind::insert, 1}, {kind::get, 1}}},
    {{{kind::compact}, {kind::get, 0}, {kind::compact}}},
}};
constexpr std::array<script, 3> one_clears{{
    {{{kind::clear, 0}, {kind::get, 0}, {kind::put, 1}}},
    {{{kind::get, 0}, {kind::get, 1}, {kind::get, 0}}},
    {{{kind::compact}, {kind::get, 0}, {kind::compact}}},
}};
constexpr std::array<script, 3> while_one_fails{{
    {{{kind::put, 2}, {kind::get, 2}, {kind::get, 0}}},
    {{{kind::insert, 2}, {kind::get, 2}, {kind::erase, 0}}},
    {{{kind::sync}, {kind::erase, 0}, {kind::get, 2}}},
}};

template <class Store>
class play {
public:
    play(Store& db, std::size_t thread, bool may_fail)
        : db_(&db), thread_(thread), may_fail_(may_fail) {}

    void go(const script& all) {
        for (std::size_t i = 0; i < all.size(); ++i) make(all[i], thread_ * 10 + i + 1);
    }
    history seen;
    /// Writes that have not returned, or have failed: a crash leaves each or does not.
    history open;
    bool failed = false;  // one of the calls

private:
    /// False: it failed, as it may, and then there is nothing to be seen of it.
    template <class T>
    [[nodiscard]] bool good(const coffer::result<T>& answer) {
        need(answer.has_value() || may_fail_,
             std::string("a success, but: ") + (answer ? "" : answer.error().what()));
        failed = failed || !answer;
        return answer.has_value();
    }

    /// Makes a write: `call()` returns whether it succeeded.
    template <class Call>
    [[nodiscard]] bool under_way(const event& noted, Call&& call) {
        open.push_back(noted);
        if (!call()) return false;
        open.pop_back();
        return true;
    }

    void make(const call& one, std::size_t number) {
        event noted;
        noted.key = one.key;
        noted.thread = thread_;
        noted.value = static_cast<std::uint32_t>(number);
        noted.called = scheduler::current()->moment();
        const std::string key = key_of(one.key);
        const std::string value = std::to_string(number);
        switch (one.is) {
            case kind::put: {
                noted.is = event::kind::put;
                if (!under_way(noted, [&] { return good(db_->try_put(key, value)); })) return;
                break;
            }
            case kind::insert: {
                noted.is = event::kind::insert;
                if (!under_way(noted, [&] {
                        const auto done = db_->try_insert(key, value);
                        noted.answer = done && *done;
                        return good(done);
                    }))
                    return;
                break;
            }
            case kind::erase: {
                noted.is = event::kind::erase;
                if (!under_way(noted, [&] {
                        const auto done = db_->try_erase(key);
                        noted.answer = done && *done;
                        return good(done);
                    }))
                    return;
                break;
            }
            case kind::get: {
                noted.is = event::kind::get;
                const auto found = db_->try_get(key);
                need(found.has_value(), "a get does not fail");
                noted.value = *found ? static_cast<std::uint32_t>(std::stoul(**found)) : 0;
                break;
            }
            case kind::batch: {
                noted.is = event::kind::batch;
                typename Store::batch both;
                both.put(key_of(one.key + 1), "9999");  // is never seen
                both.erase(key);
                both.put(key, value);
                both.erase(key_of(one.key + 1));
                noted.writes[one.key] = static_cast<std::uint32_t>(number);
                noted.writes[one.key + 1] = 0;
                if (!under_way(noted, [&] { return good(db_->try_write(both)); })) return;
                break;
            }
            case kind::clear: {
                noted.is = event::kind::batch;
                typename Store::batch both;
                both.clear();
                both.put(key, value);
                noted.clears = true;
                noted.writes[one.key] = static_cast<std::uint32_t>(number);
                if (!under_way(noted, [&] { return good(db_->try_write(both)); })) return;
                break;
            }
            case kind::flush:
                return static_cast<void>(good(db_->try_flush()));
            case kind::sync:
                return static_cast<void>(good(db_->try_sync()));
            case kind::compact:
                return static_cast<void>(good(db_->try_compact()));
        }
        noted.returned = scheduler::current()->moment();
        seen.push_back(noted);
    }

    Store* db_;
    std::size_t thread_;
    bool may_fail_;
};

bool clears(const scenario& of) {
    for (const script& each : of.threads) {
        for (const call& one : each) {
            if (one.is == kind::clear) return true;
        }
    }
    return false;
}

template <class Store>
std::map<std::string, std::string> all_of(const Store& db) {
    std::map<std::string, std::string> out;
    db.for_each([&](std::string_view key, std::string_view value) {
        need(out.emplace(key, value).second, "a walk shows a key once");
    });
    return out;
}

coffer::options chosen(const scenario& of) {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    out.buffer_bytes = of.buffer;
    out.max_bytes = of.buffer;
    out.auto_compact = false;
    return out;
}

/// What crashes of all schedules have left.
struct judged {
    std::unordered_set<std::uint64_t> known;  // moments and disks, each with what had returned
    std::uint64_t disks = 0;
};

/// Crashes of a store while its threads run.
template <class Store>
class crashes {
    // What it is opened with has no threads: nothing of it is a choice of the schedule.
    using alone = coffer::rebind<Store, coffer::threading::single>;

public:
    /// `others`: how many entries no thread writes to, unless it `clears` them all. `so_far`: what
    /// earlier schedules have left.
    crashes(const simulated& disk, const coffer::options& with, const laws::key_values& before,
            const std::vector<play<Store>>& plays, std::uint64_t others, bool clears,
            judged& so_far)
        : disk_(&disk),
          with_(&with),
          before_(before),
          plays_(&plays),
          others_(others),
          clears_(clears),
          judged_(&so_far) {
        disk.set_step_hook([this](const coffer::fs::step& next) { crash(next); });
    }
    ~crashes() { disk_->clear_step_hook(); }
    crashes(const crashes&) = delete;
    crashes& operator=(const crashes&) = delete;

    [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }

private:
    /// Many schedules begin with the same calls, of the disk and of the store: these crash once.
    void crash(const coffer::fs::step& next) {
        gather();
        disk_calls_ = coffer::detail::mix(
            disk_calls_ ^ static_cast<std::uint64_t>(next.is) ^ std::hash<std::string>{}(next.path),
            disk_->image_hash() ^ next.offset ^ next.length << 32);
        if (!is_new(disk_calls_)) return;
        if constexpr (Store::survives_process_crash) {
            judge("killed", disk_->process_killed());
        }
        if constexpr (Store::survives_system_crash) {
            coffer::fs::crash_limits few;
            few.exhaustive = 4;
            few.pairs = few.random = 4;
            few.most = 16;
            disk_->for_each_crash_state(
                coffer::fs::crash_profile::p2, few,
                [&](const simulated& left, const std::string& subset) {
                    judge("without power, on disk: " + subset, left);
                });
        }
    }

    void judge(const std::string& how, const simulated& left) {
        if (!wrong_.empty()) return;
        if (!is_new(coffer::detail::mix(left.image_hash(), left.power_lost().image_hash()))) return;
        ++judged_->disks;
        const std::uint64_t now = scheduler::current()->moment();
        if (auto found = shown(left, now); !found) {
            wrong_ = how + ": " + found.error().what();
        } else {
            history sure = sure_;
            sure.insert(sure.end(), found->begin(), found->end());
            if (!is_possible(sure, now)) wrong_ = how + ": " + laws::told(sure, before_);
        }
    }

    void gather() {
        sure_.clear();
        open_.clear();
        for (const play<Store>& each : *plays_) {
            sure_.insert(sure_.end(), each.seen.begin(), each.seen.end());
            open_.insert(open_.end(), each.open.begin(), each.open.end());
        }
    }

    /// What an open shows of the keys that threads write to; the others are all there.
    [[nodiscard]] coffer::result<history> shown(const simulated& left, std::uint64_t now) const {
        auto db = alone::try_open("/s", *with_, left);
        if (!db) return db.failure();
        history all;
        std::uint64_t others = db->size();
        for (std::size_t key = 0; key < laws::history_keys; ++key) {
            auto value = db->try_get(key_of(key));
            if (!value) return value.failure();
            if (*value) --others;
            event found;
            found.key = key;
            found.value = *value ? static_cast<std::uint32_t>(std::stoul(**value)) : 0;
            found.called = now + 1;
            found.returned = now + 2;
            all.push_back(found);
        }
        if (others == others_ || (clears_ && others == 0)) return all;
        return coffer::fail(coffer::errc::not_found, "entries that no thread writes to are " +
                                                         std::to_string(others) + ", not " +
                                                         std::to_string(others_));
    }

    /// With some of those that had not returned, or had failed.
    [[nodiscard]] bool is_possible(const history& sure, std::uint64_t now) const {
        for (std::size_t some = 0; some < std::size_t{1} << open_.size(); ++some) {
            history all = sure;
            for (std::size_t i = 0; i < open_.size(); ++i) {
                if ((some >> i & 1) == 0) continue;
                all.push_back(open_[i]);
                all.back().answer = true;
                all.back().returned = now;
            }
            if (laws::impossible(all, before_).empty()) return true;
        }
        return false;
    }

    /// Not with the same calls, in the same order, with the same answers, in an earlier schedule.
    [[nodiscard]] bool is_new(std::uint64_t of) {
        for (const history* all : {&sure_, &open_}) {
            for (const event& each : *all) {
                of = coffer::detail::mix(
                    of ^ each.value,
                    each.key + 8 * std::uint64_t{each.answer} + 16 * each.thread + 256);
                for (const event& before : sure_)
                    of = of * 2 + std::uint64_t{before.returned < each.called};
            }
            of = coffer::detail::mix(of, all->size());
        }
        return judged_->known.insert(of).second;
    }

    const simulated* disk_;
    const coffer::options* with_;
    laws::key_values before_;
    const std::vector<play<Store>>* plays_;
    std::uint64_t others_;
    bool clears_;
    judged* judged_;
    std::uint64_t disk_calls_ = 0;  // all that have been made, as a hash
    history sure_;                  // what has returned
    history open_;                  // what has not, or has failed
    std::string wrong_;
};

template <class Store>
void once(const scenario& of, judged& so_far) {
    const simulated disk;
    const coffer::options with = chosen(of);
    std::map<std::string, std::string> held;
    {
        Store db = Store::open("/s", with, disk);
        for (int i = 0; i < of.entries_before; ++i) {
            db.put("before " + std::to_string(i % (of.large != 0 ? 3 : 100'000)),
                   std::string(of.large, 'b'));
        }
        db.put(key_of(0), "1000");
        laws::key_values before{1000};
        std::vector<play<Store>> plays;
        for (std::size_t i = 0; i < 3; ++i) plays.emplace_back(db, i, of.failing != 0);
        std::optional<crashes<Store>> crashing;
        if constexpr (Store::survives_process_crash)
            crashing.emplace(disk, with, before, plays, db.size() - 1, clears(of), so_far);
        if (of.failing != 0) disk.fail_call(of.failing, {}, coffer::fs::call::write);
        scheduler::current()->set_exploring(true);
        {
            std::vector<schedules::thread> threads;
            for (std::size_t i = 0; i < 3; ++i) {
                threads.emplace_back([&, i] { plays[i].go(of.threads[i]); });
            }
            for (schedules::thread& each : threads) each.join();
        }
        scheduler::current()->set_exploring(false);
        if (crashing) need(crashing->wrong().empty(), crashing->wrong());
        crashing.reset();
        disk.clear_faults();
        history all;
        for (const play<Store>& each : plays)
            all.insert(all.end(), each.seen.begin(), each.seen.end());
        for (std::size_t key = 0; key < laws::history_keys; ++key) {
            event last;
            last.is = event::kind::get;
            last.key = key;
            last.called = scheduler::current()->moment();
            const auto found = db.get(key_of(key));
            last.value = found ? static_cast<std::uint32_t>(std::stoul(*found)) : 0;
            last.returned = scheduler::current()->moment();
            all.push_back(last);
        }
        const std::string wrong = laws::impossible(all, before);
        need(wrong.empty(), wrong);
        bool failed = false;
        for (const play<Store>& each : plays) failed = failed || each.failed;
        const auto one_more = db.try_put("one more", "1");
        need(failed || one_more.has_value(), "a write behind calls none of which has failed");
        held = all_of(db);
        need(db.size() == held.size(), "size() is the number of entries");
        need(db.verify().ok(), "nothing is damaged");
        const auto closed = db.try_close();
        need(closed.has_value() || of.failing != 0, "a close that succeeds");
        if (!closed) return;  // what the next open shows may have more
    }
    if (Store::volatile_) return;
    const Store again = Store::open("/s", with, disk);
    need(all_of(again) == held, "the store shows the same when it is opened again");
}

template <class... Policies>
void every_schedule(const scenario& of) {
    using store = coffer::store<std::string, std::string, simulated, scheduled, Policies...>;
    const proof::stopwatch watch;
    const auto departures = static_cast<unsigned>(number_from("COFFER_DEPARTURES", 1));
    const std::uint64_t most = number_from("COFFER_SCHEDULES", 1'000'000);
    schedules::exploration found;
    judged so_far;
    std::uint64_t violations = 0;
    try {
        found = schedules::explore(departures, most, [&] { once<store>(of, so_far); });
    } catch (const std::exception& broken) {
        violations = 1;
        FAIL_CHECK(of.name << ": " << broken.what());
    }
    proof::tell("S9 schedules",
                std::string(of.name) + (found.all ? ", all of them" : ", the first"),
                {found.schedules, "schedules", violations, watch.seconds(), 0});
    if (store::survives_process_crash) {
        CHECK(so_far.disks != 0);
        proof::tell("S9 crashes of schedules", of.name,
                    {so_far.disks, "disks with what had returned", violations, watch.seconds(), 0});
    }
}

}  // namespace

TEST_CASE("schedules: group commit", "[schedules]") {
    every_schedule<storage::file_log, durability::sync, index::hash>(
        {"file_log sync hash", writers});
}
TEST_CASE("schedules: one system call for each write", "[schedules]") {
    every_schedule<storage::file_log, durability::write_through, index::sorted>(
        {"file_log write_through sorted", writers});
}
TEST_CASE("schedules: a buffer that is handed over", "[schedules]") {
    every_schedule<storage::file_log, durability::buffered, index::hash>(
        {"file_log buffered hash", one_hands_over, 0, 0, 64});
}
TEST_CASE("schedules: a worker", "[schedules]") {
    every_schedule<storage::file_log, durability::async, index::sorted>(
        {"file_log async sorted", one_hands_over, 0, 0, 64});
}
TEST_CASE("schedules: a map of the files", "[schedules]") {
    every_schedule<storage::mmap, durability::sync, index::hash>({"mmap sync hash", writers});
}
TEST_CASE("schedules: cleaning a log", "[schedules]") {
    every_schedule<storage::file_log, durability::write_through, index::hash>(
        {"file_log write_through hash, cleaned", one_cleans, 9, 5000});
}
TEST_CASE("schedules: cleaning maps", "[schedules]") {
    every_schedule<storage::mmap, durability::buffered, index::sorted>(
        {"mmap buffered sorted, cleaned", one_cleans, 9, 5000});
}
TEST_CASE("schedules: cleaning beside a clear", "[schedules]") {
    every_schedule<storage::file_log, durability::sync, index::hash>(
        {"file_log sync hash, cleared", one_clears, 9, 100});
    every_schedule<storage::mmap, durability::buffered, index::sorted>(
        {"mmap buffered sorted, cleared", one_clears, 9, 100});
}
TEST_CASE("schedules: the other combinations of policies", "[schedules]") {
    every_schedule<storage::file_log, durability::sync, index::sorted>(
        {"file_log sync sorted", writers});
    every_schedule<storage::file_log, durability::buffered, index::sorted>(
        {"file_log buffered sorted", one_hands_over, 0, 0, 64});
    every_schedule<storage::file_log, durability::async, index::hash>(
        {"file_log async hash", one_hands_over, 0, 0, 64});
    every_schedule<storage::mmap, durability::sync, index::sorted>({"mmap sync sorted", writers});
    every_schedule<storage::mmap, durability::write_through, index::hash>(
        {"mmap write_through hash", writers});
    every_schedule<storage::mmap, durability::write_through, index::sorted>(
        {"mmap write_through sorted", writers});
    every_schedule<storage::mmap, durability::buffered, index::hash>(
        {"mmap buffered hash", one_hands_over});
    every_schedule<storage::mmap, durability::async, index::hash>(
        {"mmap async hash", one_hands_over});
    every_schedule<storage::mmap, durability::async, index::sorted>(
        {"mmap async sorted", one_hands_over});
}
TEST_CASE("schedules: one write of the disk fails", "[schedules]") {
    for (const std::uint64_t which : {1U, 2U, 3U}) {
        every_schedule<storage::file_log, durability::sync, index::hash>(
            {"file_log sync hash, failing", while_one_fails, 0, 0, 4096, which});
        every_schedule<storage::file_log, durability::write_through, index::sorted>(
            {"file_log write_through sorted, failing", while_one_fails, 0, 0, 4096, which});
    }
}
TEST_CASE("schedules: memory, with an index that grows", "[schedules]") {
    every_schedule<storage::map, durability::buffered, index::hash>(
        {"map hash, growing", writers, 958});
    every_schedule<storage::map, durability::buffered, index::sorted>(
        {"map sorted, splitting", writers, 61});
}

// ---- the scheduler finds what is broken ---------------------------------------------------------

namespace {

/// Two threads that each add one without a lock.
void adds_apart() {
    schedules::atomic<int> sum{0};
    const auto add = [&] { sum.store(sum.load() + 1); };
    schedules::thread one(add);
    schedules::thread other(add);
    one.join();
    other.join();
    need(sum.load() == 2, "nothing is lost");
}

void adds_together() {
    schedules::atomic<int> sum{0};
    schedules::mutex guard;
    const auto add = [&] {
        const std::unique_lock<schedules::mutex> held(guard);
        sum.store(sum.load() + 1);
    };
    schedules::thread one(add);
    schedules::thread other(add);
    one.join();
    other.join();
    need(sum.load() == 2, "nothing is lost");
}

template <class Scenario>
bool finds(unsigned departures, Scenario scenario) {
    try {
        schedules::explore(departures, 10'000, [&] {
            scheduler::current()->set_exploring(true);
            scenario();
        });
    } catch (const std::runtime_error&) {
        return true;
    }
    return false;
}

}  // namespace

TEST_CASE("schedules: an update that is lost is found, with one departure", "[schedules]") {
    CHECK_FALSE(finds(0, adds_apart));
    CHECK(finds(1, adds_apart));
    CHECK_FALSE(finds(3, adds_together));
}

namespace {

/// All keys in one bucket.
struct one_hash : coffer::detail::hash_shape {
    static std::uint64_t hash(coffer::bytes, std::uint64_t) noexcept { return 3; }
};

}  // namespace

TEST_CASE("schedules: a walk meets a key once that is moved along its chain and overwritten",
          "[schedules]") {
    using table = t::indexed_table<
        coffer::detail::hash_table<schedules::scheduled, t::kept_memory, one_hash>,
        schedules::scheduled>;
    const auto found = schedules::explore(2, 100'000, [] {
        table all;
        need(all.start(), "a table");
        // 0 to 5 lie in the bucket itself, behind it 12 and 13, behind these 6 to 11.
        for (int i = 0; i < 14; ++i) need(all.put(std::to_string(i)), "a key");
        std::vector<coffer::detail::ref> met;
        bool changed = false;
        schedules::thread writer([&] {
            changed = all.remove("8") && all.put("12");  // 12 first takes the place of 8
        });
        schedules::thread reader([&] {
            table::table_type::cursor at{0xC0000000, false};  // 3, backwards
            static_cast<void>(all.table.step(at, met));
        });
        schedules::scheduler::current()->set_exploring(true);
        writer.join();
        reader.join();
        need(changed, "both keys were there");
        std::set<std::string> keys;
        for (const auto each : met) need(keys.insert(all.records[each]).second, "each key once");
        need(keys.size() >= 13, "every key that stays");
    });
    CHECK(found.all);
    CHECK(found.schedules > 1000);
}

#endif
