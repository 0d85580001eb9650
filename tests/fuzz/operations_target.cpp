// Any operations on a store and on a std::map, with closes, killed processes and power cuts between
// them: the same answers, and after a crash a state that the store's promise allows.
#include "fuzz/stores.hpp"

namespace fuzz {
namespace {

template <class Store>
class session {
    static constexpr bool mapped = std::is_same_v<typename Store::storage_type, storage::mmap>;

public:
    session(source in, bool is_long) : in_(in), is_long_(is_long) {}

    void go() {
        open();
        if (is_long_) {
            lengthen(*db_);
            db_->sync();
        }
        for (int i = 0; i < 60 && !in_.empty(); ++i) step();
        crash(disk_.process_killed(), after_kill_);
    }

private:
    void step() {
        switch (const unsigned what = in_.byte(); what % 16) {
            case 0:
            case 1:
            case 2:
            case 3:
                return put(what / 16);
            case 4: {
                const std::string key = key_of(in_.byte());
                const auto done = db_->try_erase(key);
                need(done && *done == (now().count(key) != 0), "erase() says what was there");
                contents next = now();
                next.erase(key);
                return returned(std::move(next));
            }
            case 5:
            case 6:
                return write_batch(what / 16);
            case 7:
                need(db_->try_clear().has_value(), "clear() succeeds");
                return returned({});
            case 8:
                need(db_->try_flush().has_value(), "flush() succeeds");
                after_kill_ = states_.size() - 1;
                return;
            case 9:
                need(db_->try_sync().has_value(), "sync() succeeds");
                after_kill_ = after_power_cut_ = states_.size() - 1;
                return;
            case 10:
                need(db_->try_compact().has_value(), "compact() succeeds");
                return;
            case 11:
                need(db_->try_close().has_value(), "close() succeeds");
                states_ = {now()};
                after_kill_ = after_power_cut_ = 0;
                return open();
            case 12:
                return crash(disk_.process_killed(), after_kill_);
            case 13: {
                coffer::fs::crash_limits few;
                few.exhaustive = 4;
                few.pairs = few.random = 4;
                auto after = disk_.crash_state(coffer::fs::crash_profile::p2, few, what / 16);
                return crash(after ? *after : disk_.power_lost(), after_power_cut_);
            }
            case 14:
                return look();
            default:
                return disk_.advance(2'000'000'000);
        }
    }

    static std::string key_of(unsigned number) {
        return std::string(number % 3, 'k') + std::to_string(number % 11);
    }
    std::string value(unsigned kind) {
        const std::size_t size = kind < 12 ? in_.byte() % 40 : 1500 + in_.byte() * 16;
        return std::string(size, static_cast<char>('a' + states_.size() % 26));
    }

    void put(unsigned kind) {
        const std::string key = key_of(in_.byte());
        const std::string text = value(kind);
        need(db_->try_put(key, text).has_value(), "put() succeeds");
        contents next = now();
        next[key] = text;
        returned(std::move(next));
    }

    void write_batch(unsigned kind) {
        typename Store::batch all;
        contents next = now();
        for (unsigned left = 1 + kind % 5; left > 0; --left) {
            const unsigned what = in_.byte();
            const std::string key = key_of(what / 8);
            if (what % 8 == 0) {
                all.clear();
                next.clear();
            } else if (what % 8 < 3) {
                all.erase(key);
                next.erase(key);
            } else {
                const std::string text = value(what % 8 == 7 ? 15 : 0);
                all.put(key, text);
                next[key] = text;
            }
        }
        need(db_->try_write(all).has_value(), "write() succeeds");
        returned(std::move(next));
    }

    [[nodiscard]] const contents& now() const { return states_.back(); }

    void returned(contents next) {
        states_.push_back(std::move(next));
        if (Store::survives_process_crash) after_kill_ = states_.size() - 1;
        if (Store::survives_system_crash) after_power_cut_ = states_.size() - 1;
    }

    void open() {
        db_.reset();
        auto opened = Store::try_open(place, small_options(), disk_);
        need(opened.has_value(),
             std::string("it opens, but: ") + (opened ? "" : opened.error().what()));
        db_.emplace(std::move(*opened));
        if (std::is_same_v<typename Store::durability_type, durability::sync>) {
            after_power_cut_ = states_.size() - 1;
        }
    }

    /// Goes on with what a crash has left: one of the states from `least` on.
    void crash(simulated left, std::size_t least) {
        db_.reset();  // whatever that writes, it writes on the old disk
        disk_ = std::move(left);
        auto opened = Store::try_open(place, small_options(), disk_);
        need(opened.has_value(),
             std::string("it opens after a crash, but: ") + (opened ? "" : opened.error().what()));
        db_.emplace(std::move(*opened));
        bool failed = false;
        const contents found = all_of(*db_, failed);
        need(!failed, "everything can be read after a crash");
        std::size_t last = states_.size();
        while (last > least && states_[last - 1] != found) --last;
        need(last > least, "a crash leaves one of the states that it may leave");
        states_.resize(last);
        after_kill_ = last - 1;
        after_power_cut_ = std::is_same_v<typename Store::durability_type, durability::sync>
                               ? last - 1
                               : (std::min)(after_power_cut_, last - 1);
    }

    void look() {
        bool failed = false;
        need(all_of(*db_, failed) == now() && !failed, "a walk shows what was written");
        need(db_->size() == now().size(), "size() is the number of entries");
        const auto checked = db_->try_verify();
        need(checked && checked->ok(), "verify() finds nothing");
    }

    source in_;
    bool is_long_;  // its closes keep the index
    simulated disk_{9};
    std::optional<Store> db_;
    std::vector<contents> states_{contents()};
    std::size_t after_kill_ = 0;       // the first state that a killed process may leave
    std::size_t after_power_cut_ = 0;  // and a power cut
};

template <class Store>
void play(source in, bool is_long) {
    session<Store>(in, is_long).go();
}

void any_operations(coffer::bytes input) {
    source in(input);
    const unsigned kind = in.byte();
    const bool is_long = (kind & 8) != 0;
    switch (kind % 8) {
        case 0:
            return play<store<storage::file_log, durability::sync, index::hash>>(in, is_long);
        case 1:
            return play<store<storage::file_log, durability::write_through, index::sorted>>(
                in, is_long);
        case 2:
            return play<store<storage::file_log, durability::buffered, index::hash>>(in, is_long);
        case 3:
            return play<store<storage::file_log, durability::async, index::sorted>>(in, is_long);
        case 4:
            return play<store<storage::mmap, durability::sync, index::sorted>>(in, is_long);
        case 5:
            return play<store<storage::mmap, durability::write_through, index::hash>>(in, is_long);
        case 6:
            return play<store<storage::mmap, durability::buffered, index::sorted>>(in, is_long);
        default:
            return play<store<storage::mmap, durability::async, index::hash>>(in, is_long);
    }
}

std::vector<run> seeds() {
    std::vector<run> out{{}};
    for (unsigned kind = 0; kind < 16; ++kind) {
        run one{static_cast<std::byte>(kind)};
        for (const unsigned each :
             {0U, 1U,    9U,  0xC1U, 2U, 90U,   4U, 1U,   0x25U, 9U,  17U,   40U,
              8U, 0xC2U, 3U,  200U,  9U, 0xD3U, 5U, 250U, 10U,   14U, 12U,   1U,
              6U, 5U,    13U, 7U,    0U, 7U,    7U, 15U,  11U,   14U, 0x1DU, 14U}) {
            one.push_back(static_cast<std::byte>(each));
        }
        out.push_back(one);
    }
    return out;
}

}  // namespace

target operations() {
    return {"operations", any_operations, seeds, false};
}

}  // namespace fuzz
