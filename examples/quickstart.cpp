// examples/quickstart.cpp: keeps a folder in every back end, and looks for it after a restart.
//
//   g++ -std=c++20 -O1 -I single_include examples/quickstart.cpp -o /tmp/quickstart -pthread
//   /tmp/quickstart [FOLDER] [--into DIR]
//
// Puts every regular file of FOLDER (by default this repository's own `include`) under its relative
// path into six stores, closes them, and starts itself again with --verify: the second process
// opens each store and compares every byte. Then 1000 small puts and gets in each, for comparison.
// The stores lie in a fresh folder in DIR (by default the working directory), which is removed at
// the end. Ends with 0 if everything was kept that its type says is kept.
#include <coffer/coffer.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#ifdef _WIN32
#include <process.h>
#else
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

namespace files = std::filesystem;

[[noreturn]] void stop(const std::string& sentence) {
    throw std::runtime_error(sentence);
}

/// What the C library last said of a failure.
std::string reason() {
    return std::generic_category().message(errno);
}

/// What is put: a file under its relative path, or, without a path, a few made-up bytes.
struct item {
    std::string key;
    files::path path;
};

/// What one run over one store found. Times in seconds.
struct figures {
    std::size_t puts = 0;
    std::uint64_t entries = 0;  // that the store says it has
    std::uint64_t right = 0;    // items that came back byte by byte
    std::uint64_t wrong = 0;    // items that did not
    std::uint64_t bytes = 0;
    double opening = 0, putting = 0, getting = 0, closing = 0;
};

class stopwatch {
public:
    explicit stopwatch(double& sum) : sum_(sum), begin_(std::chrono::steady_clock::now()) {}
    ~stopwatch() {
        sum_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    }
    stopwatch(const stopwatch&) = delete;
    stopwatch& operator=(const stopwatch&) = delete;

private:
    double& sum_;
    std::chrono::steady_clock::time_point begin_;
};

std::string contents_of(const item& one) {
    if (one.path.empty()) return "value of " + one.key + std::string(80, '.');
    std::FILE* const file = std::fopen(one.path.string().c_str(), "rb");
    if (file == nullptr) stop("cannot read " + one.path.string() + ": " + reason());
    std::string contents;
    char piece[1 << 16];
    for (std::size_t got = 0; (got = std::fread(piece, 1, sizeof piece, file)) != 0;) {
        contents.append(piece, got);
    }
    const std::string failed = std::ferror(file) != 0 ? reason() : "";
    std::fclose(file);
    if (!failed.empty()) stop("cannot read " + one.path.string() + ": " + failed);
    return contents;
}

// ---- the stores: everything that depends on the type --------------------------------------------

/// Opens the store at `at`; puts items for `patience` seconds, then the rest is left out; gets
/// those that were put, or all if none was; closes. Only the calls of the store are timed, not the
/// reading and comparing of files.
template <class Store>
figures run(const std::string& at, const std::vector<item>& items, double patience) {
    figures out;
    auto store = [&] {
        const stopwatch time(out.opening);
        return Store::open(at);
    }();
    for (; out.puts < items.size() && out.putting < patience; ++out.puts) {
        const item& one = items[out.puts];
        const std::string contents = contents_of(one);
        out.bytes += contents.size();
        const stopwatch time(out.putting);
        store.put(one.key, contents);
    }
    for (std::size_t i = 0; i < (out.puts == 0 ? items.size() : out.puts); ++i) {
        const item& one = items[i];
        const std::string contents = contents_of(one);
        const auto found = [&] {
            const stopwatch time(out.getting);
            return store.get(one.key);
        }();
        ++(found == contents ? out.right : out.wrong);
    }
    out.entries = store.size();
    const stopwatch time(out.closing);
    store.close();
    return out;
}

struct back_end {
    const char* name;
    const char* survives;  // what a returned put survives
    bool persists;         // does the data outlive the process, closed properly
    figures (*run)(const std::string&, const std::vector<item>&, double);
};

template <class... Policies>
back_end of(const char* name) {
    using store = coffer::store<std::string, std::string, Policies...>;
    return {name,
            store::volatile_                ? "nothing"
            : store::survives_system_crash  ? "power cut"
            : store::survives_process_crash ? "process crash"
                                            : "clean end",
            !store::volatile_, &run<store>};
}

std::vector<back_end> back_ends() {
    namespace storage = coffer::storage;
    namespace durability = coffer::durability;
    namespace index = coffer::index;
    return {
        of<storage::map, index::sorted>("map, sorted"),
        of<storage::file_log, durability::sync, index::hash>("file_log, sync, hash"),
        of<storage::file_log, durability::write_through, index::hash>(
            "file_log, write_through, hash"),
        of<storage::file_log, durability::buffered, index::hash>("file_log, buffered, hash"),
        of<storage::file_log, durability::async, index::hash>("file_log, async, hash"),
        of<storage::mmap, durability::buffered, index::hash>("mmap, buffered, hash"),
    };
}

// ---- files, folders, processes ------------------------------------------------------------------

/// This repository's include/, seen from the working directory or from where this file was
/// compiled.
files::path default_folder() {
    std::error_code ignored;
    const auto holds = [&](const files::path& at) {
        return files::is_regular_file(at / "examples" / "quickstart.cpp", ignored) &&
               files::is_directory(at / "include", ignored);
    };
    files::path at = files::current_path();
    while (!holds(at) && at != at.root_path()) at = at.parent_path();
    if (!holds(at)) at = files::path(__FILE__).parent_path().parent_path();
    if (!holds(at))
        stop("no folder is named, and coffer's own sources are not here: quickstart FOLDER");
    return at / "include";
}

/// Every regular file below `folder` that is not below `except`.
std::vector<item> items_of(const files::path& folder, const files::path& except) {
    std::error_code error;
    const files::file_type type = files::status(folder, error).type();
    if (type == files::file_type::not_found) stop("there is no folder " + folder.string());
    if (error) stop("cannot look at " + folder.string() + ": " + error.message());
    if (type != files::file_type::directory) stop(folder.string() + " is not a folder");
    std::vector<item> out;
    auto at = files::recursive_directory_iterator(folder, error);
    for (; !error && at != files::recursive_directory_iterator(); at.increment(error)) {
        const files::file_status status = at->symlink_status(error);
        if (error) break;
        if (files::is_directory(status) && files::equivalent(at->path(), except, error)) {
            at.disable_recursion_pending();
        } else if (files::is_regular_file(status)) {
            out.push_back({at->path().lexically_relative(folder).generic_string(), at->path()});
        }
    }
    if (error) stop("cannot list " + folder.string() + ": " + error.message());
    if (out.empty()) stop(folder.string() + " holds no regular file");
    return out;
}

/// A folder that was not there before; removed with all that is in it.
class fresh_folder {
public:
    explicit fresh_folder(const files::path& into) {
        for (int number = 1;; ++number) {
            path_ = into / ("quickstart-stores-" + std::to_string(number));
            std::error_code error;
            if (files::create_directory(path_, error)) return;
            if (error) {
                stop("cannot make " + path_.string() + ": " + error.message() +
                     "; name a folder that can be written to: --into DIR");
            }
        }
    }
    ~fresh_folder() {
        std::error_code ignored;
        files::remove_all(path_, ignored);
    }
    fresh_folder(const fresh_folder&) = delete;
    fresh_folder& operator=(const fresh_folder&) = delete;
    [[nodiscard]] const files::path& path() const noexcept { return path_; }

private:
    files::path path_;
};

std::uint64_t size_on_disk(const files::path& store) {
    std::error_code error;
    std::uint64_t sum = 0;
    for (const auto& each : files::directory_iterator(store, error)) sum += each.file_size(error);
    return sum;
}

/// Runs this program again and waits for it.
void run_again(const char* self, const std::string& folder, const std::string& stores) {
#ifdef _WIN32
    const std::string quoted[] = {"\"" + folder + "\"", "\"" + stores + "\""};
    const bool done = _spawnlp(_P_WAIT, self, self, "--verify", quoted[0].c_str(),
                               quoted[1].c_str(), static_cast<char*>(nullptr)) == 0;
#else
    const pid_t child = fork();
    if (child == 0) {
        execlp(self, self, "--verify", folder.c_str(), stores.c_str(), static_cast<char*>(nullptr));
        _exit(127);
    }
    int status = -1;
    const bool done = child > 0 && waitpid(child, &status, 0) == child && status == 0;
#endif
    if (!done) stop("the second process, which looks at the stores after the restart, failed");
}

// ---- what the program does ----------------------------------------------------------------------

std::string path_of(const files::path& stores, std::size_t number) {
    return (stores / ("store-" + std::to_string(number))).string();
}

/// The second process: opens every store, compares every byte, writes down what it found.
void verify(const files::path& folder, const files::path& stores) {
    const std::vector<item> items = items_of(folder, stores);
    std::FILE* const found = std::fopen((stores / "found").string().c_str(), "w");
    if (found == nullptr) stop("cannot write in " + stores.string());
    std::size_t number = 0;
    for (const back_end& each : back_ends()) {
        const figures seen = each.run(path_of(stores, number++), items, 0);
        const bool all = seen.entries == items.size() && seen.right == items.size();
        std::fprintf(found, "%d %.9f\n", all ? 1 : 0, seen.opening);
    }
    if (std::fclose(found) != 0) stop("cannot write in " + stores.string());
}

/// The table; false if a store did not do what its type says.
bool store_and_restart(const char* self, const files::path& folder, const files::path& stores) {
    const std::vector<back_end> all = back_ends();
    const std::vector<item> items = items_of(folder, stores);
    std::printf("%zu files of %s into %zu stores in %s\n\n", items.size(), folder.string().c_str(),
                all.size(), stores.string().c_str());
    std::vector<figures> first;
    for (std::size_t i = 0; i < all.size(); ++i)
        first.push_back(all[i].run(path_of(stores, i), items, 1e9));
    run_again(self, folder.string(), stores.string());

    std::FILE* const found = std::fopen((stores / "found").string().c_str(), "r");
    bool good = found != nullptr;
    std::printf("%-32s %-13s %7s %9s %8s %9s %9s %7s  %s\n", "", "a put", "", "", "", "", "size on",
                "reopen", "data persists");
    std::printf("%-32s %-13s %7s %9s %8s %9s %9s %7s  %s\n", "store type", "survives a", "entries",
                "bytes", "put/s", "get/s", "disk", "ms", "after restart");
    const auto count = static_cast<double>(items.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        int persists = 0;
        double reopening = 0;
        good = good && std::fscanf(found, "%d %lf", &persists, &reopening) == 2 &&
               first[i].right == items.size() && (persists != 0) == all[i].persists;
        std::printf("%-32s %-13s %7llu %9llu %8.0f %9.0f %9llu %7.2f  %s\n", all[i].name,
                    all[i].survives, static_cast<unsigned long long>(first[i].entries),
                    static_cast<unsigned long long>(first[i].bytes),
                    count / (first[i].putting + first[i].closing), count / first[i].getting,
                    static_cast<unsigned long long>(size_on_disk(path_of(stores, i))),
                    reopening * 1e3, persists != 0 ? "true" : "false");
    }
    if (found != nullptr) std::fclose(found);
    std::printf(
        "\nput/s: the time in put() and in close(), which makes all of it durable. get/s: before "
        "the\n"
        "restart. reopen: open() in the second process, which then compared every byte.\n"
        "\"clean end\": buffered and async keep what close(), sync() or their interval has handed "
        "on.\n");
    return good;
}

/// 1000 small puts and gets in each store: where one put is little work the stores differ most.
bool compare(const files::path& stores) {
    std::vector<item> items;
    for (int i = 0; i < 1000; ++i) items.push_back({"key " + std::to_string(i), {}});
    std::printf("\nsmall entries, of about 100 bytes: 1000, or as many as half a second allows\n");
    std::printf("%-32s %6s %10s %10s %10s %6s\n", "", "puts", "put/s", "with close", "get/s",
                "wrong");
    bool good = true;
    std::size_t number = 100;
    for (const back_end& each : back_ends()) {
        const figures seen = each.run(path_of(stores, number++), items, 0.5);
        const auto count = static_cast<double>(seen.puts);
        std::printf("%-32s %6zu %10.0f %10.0f %10.0f %6llu\n", each.name, seen.puts,
                    count / seen.putting, count / (seen.putting + seen.closing),
                    count / seen.getting, static_cast<unsigned long long>(seen.wrong));
        good = good && seen.wrong == 0;
    }
    return good;
}

int run_with(const std::vector<std::string_view>& arguments) {
    const char* const self = arguments[0].data();
    if (arguments.size() == 4 && arguments[1] == "--verify") {
        verify(arguments[2], arguments[3]);
        return 0;
    }
    constexpr const char* usage = "usage: quickstart [FOLDER] [--into DIR]";
    if (arguments.size() == 2 && (arguments[1] == "--help" || arguments[1] == "-h")) {
        std::puts(usage);
        return 0;
    }
    files::path folder, into = ".";
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (arguments[i] == "--into" && i + 1 < arguments.size()) {
            into = arguments[++i];
        } else if (folder.empty() && !arguments[i].starts_with("-")) {
            folder = arguments[i];
        } else {
            stop(usage);
        }
    }
    if (folder.empty()) folder = default_folder();
    const fresh_folder stores(into);
    const bool kept = store_and_restart(self, folder, stores.path());
    const bool same = compare(stores.path());
    if (kept && same) return 0;
    std::fprintf(stderr, "quickstart: a store did not keep what its type says\n");
    return 1;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        return run_with({arguments, arguments + count});
    } catch (const coffer::error& error) {
        const bool full = error.kind() == coffer::errc::no_space;
        std::fprintf(stderr, "quickstart: %s%s\n", error.what(),
                     full ? "; or name a folder on a larger disk: --into DIR" : "");
        return 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "quickstart: %s\n", error.what());
        return 1;
    }
}
