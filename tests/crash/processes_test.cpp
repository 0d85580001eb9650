// Suite S13: one writer at a time, whatever processes do to a store on a real file system.
//
//   - of eight processes that open it again and again never two hold it, each that does finds what
//     the one before has written, and the others are told that it is locked
//   - a holder that is killed leaves it free; the next one has it, with what was promised
//   - a child of a process that holds it may not use it, and harms nothing when it ends
//
// COFFER_OPENS    how often each of the eight opens it; the default is 60.
// COFFER_HOLDERS  how many holders are killed, one after the other; the default is 20.
#include "catch.hpp"

#include "crash/campaign.hpp"
#include "crash/subject.hpp"

#if defined(__linux__)

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>
#include <string>
#include <vector>

namespace {

using namespace crash;
using coffer::errc;

/// What the processes see of each other.
struct shared {
    std::atomic<int> inside{0};
    std::atomic<std::uint64_t> wins{0};
    std::atomic<std::uint64_t> attempts{0};
    std::atomic<std::uint64_t> violations{0};
};

class shared_page {
public:
    shared_page()
        : page_(::mmap(nullptr, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)) {
        REQUIRE(page_ != MAP_FAILED);
        held_ = new (page_) shared;
    }
    ~shared_page() { ::munmap(page_, sizeof(shared)); }
    shared_page(const shared_page&) = delete;
    shared_page& operator=(const shared_page&) = delete;
    shared* operator->() const { return held_; }

private:
    void* page_;
    shared* held_;
};

/// A folder that goes at the end.
class own_folder {
public:
    own_folder() {
        path_ = (std::filesystem::temp_directory_path() / "coffer-processes-XXXXXX").string();
        REQUIRE(::mkdtemp(path_.data()) != nullptr);
    }
    ~own_folder() { std::filesystem::remove_all(path_); }
    own_folder(const own_folder&) = delete;
    own_folder& operator=(const own_folder&) = delete;
    [[nodiscard]] std::string store() const { return path_ + "/store"; }

private:
    std::string path_;
};

pid_t child(const std::function<void()>& does) {
    const pid_t made = ::fork();
    REQUIRE(made >= 0);
    if (made != 0) return made;
    try {
        does();
    } catch (...) {
        ::_exit(2);  // nothing of the parent's may be unwound here
    }
    ::_exit(0);
}

int status_of(pid_t ended) {
    int status = 0;
    ::waitpid(ended, &status, 0);
    return status;
}

std::uint64_t number_in(opened& store, const char* key) {
    const auto got = store.get(key);
    if (!got || !*got) return 0;
    return std::stoull(**got);
}

std::vector<native_subject> all_subjects() {
    auto all = native_file_log();
    for (const native_subject& each : native_mmap()) all.push_back(each);
    return all;
}
std::uint64_t asked(const char* variable, std::uint64_t otherwise) {
    const char* const found = std::getenv(variable);
    return found != nullptr ? std::stoull(found) : otherwise;
}

/// One of the eight.
void contend(const native_subject& of, const std::string& path, std::uint64_t opens, shared& with) {
    for (std::uint64_t i = 0; i < opens; ++i) {
        ++with.attempts;
        auto store = of.open(path, {}, coffer::fs::native());
        if (!store) {
            with.violations += store.error().kind() != errc::locked;
            continue;
        }
        with.violations += with.inside++ != 0;
        const std::uint64_t wins = ++with.wins;
        with.violations += number_in(**store, "wins") + 1 != wins;
        with.violations += !(*store)->put("wins", std::to_string(wins));
        --with.inside;
        with.violations += !(*store)->close();
    }
}

}  // namespace

TEST_CASE("processes: of eight that open a store never two hold it", "[crash]") {
    const std::uint64_t opens = asked("COFFER_OPENS", sanitized() ? 5 : 60);
    for (const native_subject& each : all_subjects()) {
        const proof::stopwatch watch;
        const own_folder own;
        const shared_page with;
        std::vector<pid_t> all;
        for (int i = 0; i < 8; ++i) {
            all.push_back(child([&] { contend(each, own.store(), opens, *with.operator->()); }));
        }
        for (const pid_t one : all) with->violations += status_of(one) != 0;
        CHECK(with->attempts == 8 * opens);
        CHECK(with->wins > 0);
        auto store = each.open(own.store(), {}, coffer::fs::native()).value();
        CHECK(number_in(*store, "wins") == with->wins);
        proof::tell("S13 processes, contending", each.name,
                    {with->attempts, "opens", with->violations, watch.seconds(), 0});
        CHECK(with->violations == 0);
    }
}

TEST_CASE("processes: a killed holder leaves the store free", "[crash]") {
    const std::uint64_t rounds = asked("COFFER_HOLDERS", sanitized() ? 3 : 20);
    for (const native_subject& each : all_subjects()) {
        const proof::stopwatch watch;
        const own_folder own;
        std::uint64_t violations = 0;
        double slowest = 0;
        for (std::uint64_t round = 1; round <= rounds; ++round) {
            int ready[2];
            REQUIRE(::pipe(ready) == 0);
            const pid_t holder = child([&] {
                auto store = each.open(own.store(), {}, coffer::fs::native()).value();
                store->put("round", std::to_string(round)).value();
                store->sync().value();
                if (::write(ready[1], "r", 1) != 1) ::_exit(1);
                for (;;) ::pause();
            });
            ::close(ready[1]);  // a holder that ends tells so
            char told = 0;
            REQUIRE(::read(ready[0], &told, 1) == 1);
            ::close(ready[0]);
            const auto locked = each.open(own.store(), {}, coffer::fs::native());
            violations += locked.has_value() || locked.error().kind() != errc::locked;
            if (!locked) {
                const std::string said = locked.error().what();
                violations += said.find("pid " + std::to_string(holder)) == std::string::npos;
            }
            ::kill(holder, SIGKILL);
            const int status = status_of(holder);
            violations += !WIFSIGNALED(status);
            const proof::stopwatch taking_over;
            auto store = each.open(own.store(), {}, coffer::fs::native());
            slowest = (std::max)(slowest, taking_over.seconds());
            violations += !store || number_in(**store, "round") != round;
        }
        std::printf("%s: taken over in at most %.1f ms\n", each.name.c_str(), slowest * 1e3);
        proof::tell("S13 processes, killed holders", each.name,
                    {rounds, "kills", violations, watch.seconds(), 0});
        CHECK(violations == 0);
    }
}

TEST_CASE("processes: a child may not use its parent's store", "[crash]") {
    for (const native_subject& each : all_subjects()) {
        const proof::stopwatch watch;
        const own_folder own;
        const shared_page with;
        auto store = each.open(own.store(), {}, coffer::fs::native()).value();
        store->put("key", "the parent's").value();
        const pid_t made = child([&] {
            const auto is_forked = [](const auto& answer) {
                return !answer && answer.error().kind() == errc::forked;
            };
            with->violations += !is_forked(store->put("key", "the child's"));
            with->violations += !is_forked(store->erase("key"));
            with->violations += !is_forked(store->get("key"));
            with->violations += !is_forked(store->all());
            with->violations += !is_forked(store->flush());
            with->violations += !is_forked(store->sync());
            with->violations += !is_forked(store->compact());
            with->violations += !is_forked(store->verify());
            store.reset();  // the child's copy ends, and touches no file
        });
        with->violations += status_of(made) != 0;
        const auto other = each.open(own.store(), {}, coffer::fs::native());
        CHECK((!other && other.error().kind() == errc::locked));
        CHECK(store->get("key").value() == "the parent's");
        store->put("key", "again").value();
        store->close().value();
        store = each.open(own.store(), {}, coffer::fs::native()).value();
        CHECK(store->get("key").value() == "again");
        proof::tell("S13 processes, forked", each.name,
                    {8, "calls of a child", with->violations, watch.seconds(), 0});
        CHECK(with->violations == 0);
    }
}

TEST_CASE("processes: a close lets go of the store though a child lives", "[crash]") {
    for (const native_subject& each : all_subjects()) {
        const own_folder own;
        auto store = each.open(own.store(), {}, coffer::fs::native()).value();
        store->put("key", "value").value();
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        const pid_t made = child([&] {
            close(ends[1]);
            char none = 0;
            while (read(ends[0], &none, 1) < 0) {
            }  // until the parent closes its end
        });
        close(ends[0]);
        store->close().value();
        const auto again = each.open(own.store(), {}, coffer::fs::native());
        CHECK(again.has_value());
        close(ends[1]);
        CHECK(status_of(made) == 0);
    }
}

#endif
