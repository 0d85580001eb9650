// test_package/main.cpp: stores, closes, opens again, reads back. Ends with 0 if all of it worked.
//
// The program of the Conan test package and of every consumer in packaging/consumers.
#include <coffer/coffer.hpp>

#include <exception>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>

using users = coffer::store<std::string, std::string, coffer::storage::file_log,
                            coffer::durability::sync, coffer::index::hash>;

int main() {
    const auto folder = std::filesystem::temp_directory_path() /
                        ("coffer-package-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directory(folder);
    int result = 1;
    try {
        const std::string path = (folder / "users.coffer").string();
        {
            auto db = users::open(path);
            db.put("ada", "lovelace");
            db.close();
        }
        auto db = users::open(path);
        if (db.get("ada") == "lovelace" && !db.get("grace")) result = 0;
        db.close();
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
    }
    std::filesystem::remove_all(folder);
    std::cout << "coffer " << COFFER_VERSION_STRING << (result == 0 ? " works\n" : " fails\n");
    return result;
}
