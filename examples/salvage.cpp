// examples/salvage.cpp: a file of a store is damaged; verify() names where, salvage() saves the rest.
//
//   g++ -std=c++20 -O1 -I single_include examples/salvage.cpp -o /tmp/salvage -pthread
//   /tmp/salvage [FOLDER]
//
// Makes the store FOLDER/notes (by default in the working directory), turns one bit in the middle of
// its file, and goes the way of somebody who finds that out: what verify() says, what a read of the
// damaged entry says, and a new store, FOLDER/saved, with everything else. Ends with 0 if all but
// one entry was saved and the loss was told.
#include <coffer/coffer.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace files = std::filesystem;
using notes = coffer::store<int, std::string, coffer::index::sorted>;

constexpr int count = 1000;

void turn_a_bit(const files::path& folder) {
    for (const auto& each : files::directory_iterator(folder)) {
        if (each.path().extension() != ".log") continue;
        std::fstream file(each.path(), std::ios::binary | std::ios::in | std::ios::out);
        const auto middle = static_cast<std::streamoff>(each.file_size() / 2);
        file.seekg(middle);
        const char damaged = static_cast<char>(file.get() ^ 4);
        file.seekp(middle);
        file.put(damaged);
    }
}

int run(const files::path& folder) {
    const files::path old = folder / "notes", fresh = folder / "saved";
    files::remove_all(old);
    files::remove_all(fresh);
    {
        auto db = notes::open(old, {.segment_bytes = 1 << 20});
        notes::batch all;
        for (int i = 0; i < count; ++i) all.put(i, "note " + std::to_string(i));
        db.write(all);
    }
    turn_a_bit(old);

    // Open reads what it needs; the damage shows when its record is read, or to who asks for it.
    if (auto opened = notes::try_open(old); !opened) {
        std::printf("open: %s\n", opened.error().what());
    } else {
        for (const auto& each : opened->verify().damages) {
            std::printf("verify: segment %llx is damaged between bytes %llu and %llu\n",
                        static_cast<unsigned long long>(each.segment),
                        static_cast<unsigned long long>(each.begin),
                        static_cast<unsigned long long>(each.end));
        }
        if (auto walked = opened->try_for_each([](int, const auto&) {}); !walked)
            std::printf("walk: %s\n", walked.error().what());
    }

    const coffer::salvage_report told = coffer::salvage<notes>(old, fresh);
    for (const auto& each : told.losses) {
        std::printf("salvage: segment %llx has lost bytes %llu to %llu\n",
                    static_cast<unsigned long long>(each.segment),
                    static_cast<unsigned long long>(each.begin),
                    static_cast<unsigned long long>(each.end));
    }
    const auto db = notes::open(fresh);
    std::printf("salvage: %llu entries of %d are in the new store\n",
                static_cast<unsigned long long>(db.size()), count);
    const bool as_it_should = db.size() == count - 1 && told.losses.size() == 1 && !told.ok();
    files::remove_all(old);
    files::remove_all(fresh);
    return as_it_should ? 0 : 1;
}

}  // namespace

int main(int count_of_words, char** words) {
    try {
        return run(count_of_words > 1 ? files::path(words[1]) : files::current_path());
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "salvage: %s\n", failure.what());
        return 1;
    }
}
