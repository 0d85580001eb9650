// tests/oom/sweep.hpp: suite S4: every request for memory of a workload is refused, once and from
// then on.
//
// Whatever that leads to:
//
//   - a call returns, or throws bad_alloc; nothing ends the program, the destructor neither
//   - a write that failed is not there, unless the store is poisoned; one that returned is
//   - nothing leaks: no memory, no descriptor; the lock is free for the next who opens
//   - the next open shows what was written, whole and verified
#ifndef COFFER_TESTS_OOM_SWEEP_HPP
#define COFFER_TESTS_OOM_SWEEP_HPP

#include "oom/metered_memory.hpp"

#include "catch.hpp"
#include "proof.hpp"

#include <coffer/store.hpp>
#include <coffer/store/salvage.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace oom {

using coffer::errc;
using contents = std::map<std::string, std::string>;
namespace stdfs = std::filesystem;

/// On a file system in memory, if there is one: a sync costs nothing there.
inline stdfs::path scratch(const std::string& name) {
    std::error_code none;
    const stdfs::path shared("/dev/shm");
    const bool usable = stdfs::is_directory(shared, none) && ::access(shared.c_str(), W_OK) == 0;
    return (usable ? shared : stdfs::temp_directory_path()) /
           ("coffer_oom_" + std::to_string(::getpid()) + "_" + name);
}

inline std::int64_t descriptors() {
    std::error_code none;
    stdfs::directory_iterator all("/proc/self/fd", none);
    return none ? 0 : std::distance(all, stdfs::directory_iterator());
}

/// Long enough to lie outside of a std::string.
inline std::string key(int number) {
    return "key number " + std::to_string(1000 + number) + " of many";
}
inline std::string value(int number, std::size_t size = 40) {
    return std::to_string(number) + std::string(size, static_cast<char>('a' + number % 26));
}

inline coffer::options small_segments() {
    coffer::options out;
    out.segment_bytes = 16 * 1024;
    out.interval = out.max_delay = std::chrono::hours(1);
    return out;
}

template <class Store>
class sweep {
    static constexpr bool persistent = Store::storage_type::persistent;

public:
    explicit sweep(std::string name, coffer::options chosen = small_segments())
        : name_(std::move(name)), chosen_(chosen), root_(scratch(name_)) {}
    ~sweep() {
        std::error_code none;
        stdfs::remove_all(root_, none);
    }
    sweep(const sweep&) = delete;
    sweep& operator=(const sweep&) = delete;

    void all() {
        const proof::stopwatch time;
        stdfs::remove_all(root_);
        stdfs::create_directories(root_);
        begin();
        each_request(&sweep::write_and_read);
        if constexpr (persistent) each_request(&sweep::read_and_save);
        for (const std::string& each : wrong_.told()) UNSCOPED_INFO(each);
        CHECK(wrong_.count() == 0);
        CHECK(runs_ > 50);
        proof::tell("S4 refused memory", name_, {runs_, "runs", wrong_.count(), time.seconds()});
    }

private:
    struct scene {
        contents sure;
        std::optional<contents> perhaps;  // after a write that failed as poisoned
        std::optional<Store> store;
    };
    using script = void (sweep::*)(scene&);

    void each_request(script what) {
        for (const bool ever : {false, true}) {
            at_ = 1;
            // Two runs without a refusal: another thread may have asked for one less in the first.
            for (int clean = 0; clean < 2; ++at_) clean += run(what, ever) ? 0 : 1;
        }
    }

    void begin() {
        if constexpr (persistent) {
            Store store = Store::open(pristine(), chosen_);
            for (int i = 0; i < 40; ++i) store.put(key(i), value(i, 600));
            for (int i = 0; i < 40; i += 3) store.erase(key(i));
            before_ = everything(store);
            store.close();
        }
    }

    [[nodiscard]] stdfs::path pristine() const { return root_ / "pristine"; }
    [[nodiscard]] stdfs::path folder() const { return root_ / "store"; }

    static contents everything(const Store& of) {
        contents out;
        of.for_each([&](std::string_view k, std::string_view v) { out.emplace(k, v); });
        return out;
    }

    void violated(const std::string& what) {
        wrong_.add(name_ + ", request " + std::to_string(at_) +
                       (ever_ ? " and all that follow, " : ", ") + step_,
                   what);
    }

    /// One run. False: nothing was refused in it.
    bool run(script what, bool ever) {
        ++runs_;
        ever_ = ever;
        if constexpr (persistent) {
            stdfs::remove_all(folder());
            stdfs::copy(pristine(), folder());
        }
        result_ = folder();
        step_ = "start";
        failed_ = false;
        const std::int64_t held = memory::held;
        const std::int64_t open = descriptors();
        memory::refuse(at_, ever);
        {
            scene all{before_, {}, {}};
            (this->*what)(all);
            sure_.swap(all.sure);
            perhaps_.swap(all.perhaps);
            step_ = "destruction";
            const memory::metering meter;
            all.store.reset();
        }
        const bool refused = memory::refused != 0;
        memory::refuse(UINT64_MAX, false);
        {
            const contents sure = std::exchange(sure_, {});
            const std::optional<contents> perhaps = std::exchange(perhaps_, {});
            if constexpr (persistent) look_again(sure, perhaps);
        }
        if (!refused && failed_) violated("something fails although no memory was refused");
        if (memory::held != held) violated(std::to_string(memory::held - held) + " pieces leak");
        if (descriptors() != open) violated("a descriptor leaks");
        return refused;
    }

    void look_again(const contents& sure, const std::optional<contents>& perhaps) {
        step_ = "reopening";
        auto store = Store::try_open(result_, chosen_);
        if (!store) return violated(store.error().what());
        const contents found = everything(*store);
        if (found != sure && found != perhaps) violated(difference(found, sure));
        const auto verified = store->try_verify();
        if (!verified || !verified->damages.empty()) violated("verify finds damage");
    }

    static std::string difference(const contents& found, const contents& wanted) {
        std::string out;
        for (const auto& [k, v] : wanted) {
            const auto at = found.find(k);
            if (at == found.end()) {
                out += " no " + k;
            } else if (at->second != v) {
                out += " other value of " + k;
            }
        }
        for (const auto& each : found) {
            if (!wanted.contains(each.first)) out += " unwanted " + each.first;
        }
        return "contents:" + out;
    }

    /// Does `call`, which returns a result. Empty: it threw bad_alloc.
    template <class Call>
    auto tried(Call&& call) -> std::optional<decltype(call())> {
        std::optional<decltype(call())> done;
        try {
            const memory::metering meter;
            done.emplace(call());
        } catch (const std::bad_alloc&) {
            failed_ = true;
            return std::nullopt;
        }
        if (!*done) {
            failed_ = true;
            const errc kind = done->error().kind();
            if (kind != errc::no_space && kind != errc::poisoned)
                violated(std::string("answers ") + done->error().what());
        }
        return done;
    }

    /// A write that makes `sure` into `after`.
    template <class Call>
    void write(scene& in, const char* what, contents after, Call&& call) {
        step_ = what;
        if (!in.store) return;
        auto done = tried([&] { return call(*in.store); });
        if (done && *done) {
            in.sure = std::move(after);
        } else if (everything(*in.store) != in.sure) {
            const auto synced = in.store->try_sync();
            if (!synced && synced.error().kind() == errc::poisoned) {
                in.perhaps = std::move(after);
            } else {
                violated("failed, but is there; " +
                         (done ? std::string(done->error().what()) : std::string("thrown")));
                in.sure = everything(*in.store);
            }
        }
    }

    /// What changes nothing: if it returns, `right` says whether it is as it should be.
    template <class Call, class Right>
    void ask(scene& in, const char* what, Call&& call, Right&& right) {
        step_ = what;
        if (!in.store) return;
        auto done = tried([&] { return call(*in.store); });
        if (done && *done && !right(*done)) violated("a wrong answer");
    }
    template <class Call>
    void ask(scene& in, const char* what, Call&& call) {
        ask(in, what, call, [](const auto&) { return true; });
    }

    void open(scene& in, const char* what) {
        step_ = what;
        const std::string path = folder().string();
        auto made = tried([&] {
            if constexpr (persistent) {
                return Store::try_open(path, chosen_);
            } else {
                return Store::try_open("", chosen_);
            }
        });
        if (made && *made) in.store.emplace(std::move(**made));
    }

    void write_and_read(scene& in) {
        open(in, "open");
        if (!in.store) open(in, "open again");
        const auto put = [&](const char* what, int number, std::size_t size) {
            contents after = in.sure;
            after[key(number)] = value(number + 7, size);
            write(in, what, after, [k = key(number), v = value(number + 7, size)](Store& store) {
                return store.try_put(k, v);
            });
        };
        put("put", 100, 40);
        put("overwrite", 1, 40);
        ask(
            in, "get", [k = key(2)](Store& store) { return store.try_get(k); },
            [&](const auto& got) { return got->has_value() == in.sure.contains(key(2)); });
        for (int i = 0; i < 14; ++i) put("put of much", 200 + i, 3000);
        {
            contents after = in.sure;
            after.erase(key(4));
            write(in, "erase", after, [k = key(4)](Store& store) { return store.try_erase(k); });
        }
        {
            typename Store::batch all;
            contents after = in.sure;
            for (int i = 0; i < 5; ++i) {
                all.put(key(300 + i), value(i));
                after[key(300 + i)] = value(i);
            }
            all.put(key(5), value(9, 500));
            after[key(5)] = value(9, 500);
            all.erase(key(7));
            after.erase(key(7));
            write(in, "batch", after, [&](Store& store) { return store.try_write(all); });
        }
        write(in, "flush", in.sure, [](Store& store) { return store.try_flush(); });
        {
            std::vector<std::string> keys;
            for (int i = 0; i < 20; ++i) keys.push_back(key(i));
            std::vector<std::optional<std::string>> out(keys.size());
            ask(in, "get_many", [&](Store& store) { return store.try_get_many(keys, out); });
        }
        walk(in, "walk");
        if constexpr (Store::ordered) {
            std::size_t seen = 0;
            ask(
                in, "walk back",
                [&](Store& store) {
                    return store.try_for_each_back(
                        [&](std::string_view, std::string_view) { ++seen; });
                },
                [&](const auto&) { return seen == in.sure.size(); });
            contents after = in.sure;
            after.erase(after.lower_bound(key(20)), after.lower_bound(key(24)));
            write(in, "erase of a range", after, [from = key(20), to = key(24)](Store& store) {
                return store.try_erase_range(from, to);
            });
        }
        for (int i = 0; i < 12; ++i) put("overwrite of much", 200 + i, 2900);
        write(in, "compact", in.sure, [](Store& store) { return store.try_compact(); });
        ask(
            in, "verify", [](Store& store) { return store.try_verify(); },
            [](const auto& report) { return report->damages.empty(); });
        ask(in, "stats", [](Store& store) { return store.try_stats(); });
        write(in, "sync", in.sure, [](Store& store) { return store.try_sync(); });
        if (persistent && in.store) {
            step_ = "close";
            static_cast<void>(tried([&] { return in.store->try_close(); }));
            if (in.store->is_open()) violated("open after close()");
            in.store.reset();
            open(in, "second open");
        }
        put("put after a second open", 400, 100);
        write(in, "clear", {}, [](Store& store) { return store.try_clear(); });
        put("put after clear", 401, 100);
        for (int i = 0; i < 3; ++i) put("put at the end", 500 + i, 3000);
    }

    /// A store that only reads, and a store that is saved into a new one.
    void read_and_save(scene& in) {
        step_ = "open for reading";
        const std::string from = pristine().string();
        const std::string to = folder().string();
        stdfs::remove_all(folder());
        result_ = pristine();
        auto made = tried([&] { return Store::try_open_read_only(from, chosen_); });
        if (made && *made) in.store.emplace(std::move(**made));
        walk(in, "walk of a reader");
        ask(in, "refresh", [](Store& store) { return store.try_refresh(); });
        walk(in, "walk after refresh");
        in.store.reset();
        step_ = "salvage";
        auto saved = tried([&] { return coffer::try_salvage<Store>(from, to, chosen_); });
        if (saved && *saved) result_ = folder();
    }

    void walk(scene& in, const char* what) {
        std::size_t seen = 0;
        ask(
            in, what,
            [&](Store& store) {
                return store.try_for_each([&](std::string_view, std::string_view) { ++seen; });
            },
            [&](const auto&) { return seen == in.sure.size(); });
    }

    bool failed_ = false;  // a call of this run
    std::string name_;
    coffer::options chosen_;
    stdfs::path root_;
    stdfs::path result_;  // the store that is looked at in the end
    contents before_;
    contents sure_;
    std::optional<contents> perhaps_;
    std::uint64_t at_ = 1;
    bool ever_ = false;
    const char* step_ = "";
    std::uint64_t runs_ = 0;
    proof::violations wrong_;
};

template <class... Policies>
void check(const char* name) {
    sweep<coffer::store<std::string, std::string, Policies...>>(name).all();
}

inline coffer::options unmapped() {
    coffer::options out = small_segments();
    out.map_reads = false;
    return out;
}

}  // namespace oom

#endif
