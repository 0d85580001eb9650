// Names that stay in their folder, and where a path's last part begins.
#include "catch.hpp"

#include <coffer/fs/path.hpp>

#include <string_view>

using coffer::detail::is_file_name;
using coffer::detail::joined;
using coffer::detail::parent_of;

TEST_CASE("a file name leads nowhere else", "[fs][path]") {
    for (const std::string_view good : {"a", "segment-1", "a.tmp", "...", ".hidden", "a b", "~"}) {
        INFO(good);
        CHECK(is_file_name(good));
    }
    for (const std::string_view bad :
         {"", ".", "..", "/", "a/b", "../a", "a/", "\\", "a\\b", "c:"}) {
        INFO(bad);
        CHECK_FALSE(is_file_name(bad));
    }
    CHECK_FALSE(is_file_name(std::string_view("a\0", 2)));
    CHECK_FALSE(is_file_name(std::string_view("\0", 1)));
}

TEST_CASE("a folder and a name make a path", "[fs][path]") {
    CHECK(joined("/a", "b") == "/a/b");
    CHECK(joined("/a/", "b") == "/a/b");
    CHECK(joined("/", "b") == "/b");
    CHECK(joined(".", "b") == "./b");
}

TEST_CASE("the parent of a path", "[fs][path]") {
    CHECK(parent_of("/a/b") == "/a");
    CHECK(parent_of("/a/b//") == "/a");
    CHECK(parent_of("/a//b") == "/a");
    CHECK(parent_of("/a") == "/");
    CHECK(parent_of("//a") == "/");
    CHECK(parent_of("/") == "/");
    CHECK(parent_of("a") == ".");
    CHECK(parent_of("a/") == ".");
    CHECK(parent_of("a/b") == "a");
    CHECK(parent_of("./a") == ".");
    CHECK(parent_of("../a") == "..");
    CHECK(parent_of("") == ".");
    CHECK(parent_of("/a/.") == "/");
    CHECK(parent_of("/a/b/././") == "/a");
    CHECK(parent_of("a/.") == ".");
    CHECK(parent_of("a/b/.") == "a");
    CHECK(parent_of(".") == ".");
    CHECK(parent_of("./") == ".");
    CHECK(parent_of("/.") == "/");
}
