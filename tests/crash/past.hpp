// tests/crash/past.hpp: stores with a past, for suite S5 to damage.
//
// Twelve shapes (eleven of `mmap`, which makes no image), each what a few calls leave behind, small
// enough that every byte can be damaged: segments, records and marks of every kind, ends that are
// clean and ends that are not.
#ifndef COFFER_TESTS_CRASH_PAST_HPP
#define COFFER_TESTS_CRASH_PAST_HPP

#include "catch.hpp"
#include "crash/scenes.hpp"
#include "crash/subject.hpp"

#include <coffer/format/names.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace crash {

/// A store that nobody has open, and what it went through.
struct past {
    using file_bytes = std::vector<std::byte>;

    std::string name;
    simulated disk{3};
    coffer::options chosen = tiny_options();
    contents held;                                           // at the end
    std::set<contents> states;                               // at any time
    std::map<std::string, std::vector<file_bytes>> earlier;  // what its files were
    std::vector<std::string> files;  // to damage: segments in their order, then others
    std::string newest;              // segment
    bool killed = false;             // its end may be missing
};

/// Makes one: every call does what its name says, and keeps what was true before.
class past_maker {
public:
    past_maker(const simulated_subject& of, std::string name,
               const coffer::options& chosen = tiny_options())
        : of_(&of) {
        made_.name = std::move(name);
        made_.chosen = chosen;
        made_.states.insert(contents());
        open();
    }

    void put(const std::string& key, const std::string& value) {
        store_->put(key, value).value();
        keep({{change::kind::put, key, value}});
    }
    void erase(const std::string& key) {
        static_cast<void>(store_->erase(key).value());
        keep({{change::kind::erase, key}});
    }
    void write(const commit& changes) {
        store_->write(changes).value();
        keep(changes);
    }
    void compact() {
        store_->compact().value();
        keep_files();
    }
    void flush() {
        store_->flush().value();
        keep_files();
    }
    void reopen() {
        store_->close().value();
        open();
    }

    [[nodiscard]] past closed() {
        store_->close().value();
        return finished();
    }
    [[nodiscard]] past killed() {
        store_->flush().value();
        made_.killed = true;
        made_.disk = made_.disk.process_killed();
        return finished();
    }

private:
    void open() { store_ = of_->open(folder, made_.chosen, made_.disk).value(); }
    void keep(const commit& changes) {
        apply(changes, made_.held);
        made_.states.insert(made_.held);
        keep_files();
    }
    void keep_files() {
        for (const std::string& path : made_.disk.files()) {
            if (!is_damaged(path)) continue;
            std::vector<past::file_bytes>& versions = made_.earlier[path];
            past::file_bytes now = *made_.disk.read_file(path);
            if (versions.empty() || versions.back() != now) versions.push_back(std::move(now));
        }
    }
    [[nodiscard]] past finished() {
        made_.disk.settle();
        for (const std::string& path : made_.disk.files()) {
            if (!is_damaged(path)) continue;
            made_.files.push_back(path);
            if (path.ends_with(coffer::detail::log_suffix)) made_.newest = path;
        }
        REQUIRE(!made_.newest.empty());
        return std::move(made_);
    }
    /// The content of LOCK is for people, nobody reads RESERVE, and LIVE is memory as long as the
    /// system runs (tests/journal/live_file_test.cpp damages one after that).
    [[nodiscard]] static bool is_damaged(const std::string& path) {
        return !path.ends_with("/LOCK") && !path.ends_with("/RESERVE") && !path.ends_with("/LIVE");
    }

    const simulated_subject* of_;
    past made_;
    std::unique_ptr<opened> store_;
};

/// Puts, overwrites, erases and a batch, in each of three runs; with a mark among the puts if it
/// `flushes`.
inline void live_three_runs(past_maker& of, bool flushes = false) {
    const std::string padding(40, 'p');
    for (int run = 0; run < 3; ++run) {
        if (run != 0) of.reopen();
        for (int i = 0; i < 8; ++i) {
            of.put("key " + std::to_string(run * 8 + i), "value " + std::to_string(i) + padding);
            if (flushes && i == 4) of.flush();
        }
        of.put("key 1", "of run " + std::to_string(run));
        if (run != 0) of.erase("key 2");
        of.write({{change::kind::put, "in a batch", std::to_string(run)},
                  {change::kind::erase, "key 3"}});
        of.put("key 2", "again " + std::to_string(run));
    }
}

inline std::vector<past> pasts_of(const simulated_subject& of) {
    std::vector<past> all;
    const auto live = [&](const char* name, const std::function<void(past_maker&)>& calls) {
        past_maker made(of, name);
        calls(made);
        all.push_back(made.closed());
    };
    live("three runs", [](past_maker& made) { live_three_runs(made); });
    live("nothing", [](past_maker&) {});
    live("one key", [](past_maker& made) { made.put("key", "value"); });
    live("empty values", [](past_maker& made) {
        made.put("", "");
        made.put(std::string(1, '\0'), "");
        for (int i = 0; i < 4; ++i) made.put(std::string(static_cast<std::size_t>(i + 1), 'k'), "");
    });
    live("long keys and values", [](past_maker& made) {
        made.put(std::string(300, 'k'), std::string(5000, 'v'));
        made.put(std::string(301, 'k'), std::string(129, 'w'));
        made.put("k", std::string(4096, '\0'));
    });
    live("one key again and again", [](past_maker& made) {
        for (int i = 0; i < 40; ++i) made.put("key", "value " + std::to_string(i));
    });
    live("all erased", [](past_maker& made) {
        for (int i = 0; i < 10; ++i) made.put("key " + std::to_string(i), "value");
        made.reopen();
        for (int i = 0; i < 10; ++i) made.erase("key " + std::to_string(i));
    });
    live("cleared", [](past_maker& made) {
        for (int i = 0; i < 10; ++i) made.put("key " + std::to_string(i), "value");
        made.write({{change::kind::clear}});
        made.put("key 3", "after it");
        made.reopen();
        made.write({{change::kind::put, "key 4", "lost"},
                    {change::kind::clear},
                    {change::kind::put, "key 5", "in the batch that cleared"}});
    });
    live("batches", [](past_maker& made) {
        for (int i = 0; i < 6; ++i) {
            commit changes;
            for (int k = 0; k < 8; ++k) {
                changes.push_back({k % 3 == 2 ? change::kind::erase : change::kind::put,
                                   "key " + std::to_string((i * 5 + k) % 13),
                                   "of batch " + std::to_string(i)});
            }
            made.write(changes);
        }
    });
    live("compacted", [](past_maker& made) {
        // Of what has no marks but these one segment stays, and the one behind it goes.
        live_three_runs(made, true);
        made.compact();
        made.put("key 1", "after it");
        made.reopen();
        made.compact();
        made.erase("key 5");
    });
    {
        past_maker made(of, "killed");
        live_three_runs(made);
        all.push_back(made.killed());
    }
    if (!of.mapped) {  // whose index is in LIVE
        past_maker made(of, "with an image", coffer::options());
        for (int i = 0; i < 12; ++i) {
            made.put("key " + std::to_string(i), std::string(100'000, 'v'));
        }
        past imaged = made.closed();
        // The rest is far too long.
        std::erase_if(imaged.files, [](const std::string& path) {
            return !path.ends_with(coffer::detail::image_name);
        });
        imaged.earlier.clear();
        REQUIRE(imaged.files.size() == 1);
        all.push_back(std::move(imaged));
    }
    return all;
}

}  // namespace crash

#endif
