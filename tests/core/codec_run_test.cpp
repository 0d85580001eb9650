// Text and bytes: the laws, what may stand for them, and that nothing is copied.
#include <coffer/core/codec_run.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "codec_laws.hpp"

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::vector<std::string> texts() {
    std::vector<std::string> all{""s,
                                 "a"s,
                                 "a\0"s,
                                 "a\0\0"s,
                                 "a\0b"s,
                                 "a\0\xFF"s,
                                 "a\x01"s,
                                 "aa"s,
                                 "b"s,
                                 "\0"s,
                                 "\0\0"s,
                                 "\0\xFF"s,
                                 "\xFF"s,
                                 "\xFF\0"s,
                                 "ab\0cd"s,
                                 "a\xFF"s,
                                 std::string(100, 'x'),
                                 std::string(70, '\0')};
    std::mt19937 random(3);
    for (int i = 0; i < 10; ++i) {
        std::string drawn(random() % 6, ' ');
        for (char& c : drawn) c = "\0\x01\xFF"[random() % 3];
        all.push_back(drawn);
    }
    return all;
}

template <class Run>
std::vector<Run> as_runs() {
    std::vector<Run> all;
    for (const std::string& text : texts()) {
        Run run;
        for (const char c : text) run.push_back(static_cast<typename Run::value_type>(c));
        all.push_back(run);
    }
    return all;
}

}  // namespace

TEST_CASE("text keeps the laws", "[codec]") {
    laws::hold(texts());
}

TEST_CASE("runs of bytes keep the laws", "[codec]") {
    laws::hold(as_runs<std::vector<std::byte>>());
    laws::hold(as_runs<std::vector<unsigned char>>());
    laws::hold(as_runs<std::vector<char>>(), [](const auto& a, const auto& b) {
        return std::string(a.begin(), a.end()) < std::string(b.begin(), b.end());
    });
}

TEST_CASE("the bytes of text are as documented", "[codec]") {
    CHECK(laws::key_hex<std::string>("a\0b"s) == "610062");
    CHECK(laws::value_hex<std::string>("a\0b"s) == "610062");
    CHECK(laws::key_hex<std::tuple<std::string>>(std::tuple("a\0b"s)) == "6100ff620000");
    CHECK(laws::value_hex<std::tuple<std::string>>(std::tuple("a\0b"s)) == "03610062");
    CHECK(laws::key_hex<std::tuple<std::string>>(std::tuple(""s)) == "0000");
}

TEST_CASE("whatever shows its text looks up a string", "[codec]") {
    const std::string wanted = laws::key_hex<std::string>("ada"s);
    const char* const pointer = "ada";
    char in_buffer[8] = "ada";
    const char without_end[3] = {'a', 'd', 'a'};
    const std::array<char, 3> array{'a', 'd', 'a'};
    const std::vector<char> chars{'a', 'd', 'a'};
    CHECK(laws::key_hex<std::string>("ada"sv) == wanted);
    CHECK(laws::key_hex<std::string>("ada") == wanted);
    CHECK(laws::key_hex<std::string>("ada\0tail") == wanted);
    CHECK(laws::key_hex<std::string>(pointer) == wanted);
    CHECK(laws::key_hex<std::string>(in_buffer) == wanted);
    CHECK(laws::key_hex<std::string>(without_end) == wanted);
    CHECK(laws::key_hex<std::string>(array) == wanted);
    CHECK(laws::key_hex<std::string>(chars) == wanted);
    CHECK(laws::key_hex<std::string>(coffer::as_bytes("ada")) == wanted);
    CHECK(laws::key_hex<std::string>(std::array<char, 2>{'a', '\0'}) == "6100");
    CHECK(laws::key_hex<std::tuple<std::string, int>>(std::pair("ada", 1)) ==
          laws::key_hex<std::tuple<std::string, int>>(std::tuple("ada"s, 1)));
    CHECK(laws::key_hex<std::vector<char>>("ada"sv) == wanted);

    using coffer::detail::key_like;
    STATIC_REQUIRE(!key_like<std::nullptr_t, std::string>);
    STATIC_REQUIRE(!key_like<char, std::string>);
    STATIC_REQUIRE(!key_like<int, std::string>);
    STATIC_REQUIRE(!key_like<std::u8string, std::string>);
    STATIC_REQUIRE(key_like<const char(&)[4], std::string>);
}

TEST_CASE("whatever shows its bytes looks up a run of bytes", "[codec]") {
    using blob = std::vector<std::byte>;
    const std::array<std::byte, 2> array{std::byte{1}, std::byte{2}};
    const std::byte plain[2] = {std::byte{1}, std::byte{2}};
    const unsigned char numbers[2] = {1, 2};
    CHECK(laws::key_hex<blob>(array) == "0102");
    CHECK(laws::key_hex<blob>(plain) == "0102");
    CHECK(laws::key_hex<blob>(numbers) == "0102");
    CHECK(laws::key_hex<blob>(std::span<const std::byte>(array)) == "0102");
    CHECK(laws::key_hex<blob>(std::vector<unsigned char>{1, 2}) == "0102");
    CHECK(laws::key_hex<std::vector<unsigned char>>(array) == "0102");
    using coffer::detail::key_like;
    STATIC_REQUIRE(!key_like<std::string, blob>);
    STATIC_REQUIRE(!key_like<const char*, blob>);
}

TEST_CASE("outermost text and bytes are the caller's own", "[codec]") {
    coffer::detail::scratch room;
    const std::string text(1000, 't');
    const std::vector<std::byte> blob(1000);
    CHECK(static_cast<const void*>(
              coffer::detail::key_codec<std::string>::view(text, room).data()) == text.data());
    CHECK(coffer::detail::value_codec<std::vector<std::byte>>::view(blob, room).data() ==
          blob.data());
    CHECK(room.view().empty());
    CHECK(coffer::detail::key_codec<std::string>::view(std::string_view(), room).empty());
    CHECK(coffer::detail::key_codec<std::string>::decode({}).value().empty());
    CHECK(coffer::detail::key_codec<std::vector<std::byte>>::decode({}).value().empty());
}

TEST_CASE("text and bytes are shown in place", "[codec]") {
    const coffer::bytes stored = coffer::as_bytes("in place");
    std::string_view shown;
    coffer::detail::value_codec<std::string>::show(stored,
                                                   [&](std::string_view text) { shown = text; });
    CHECK(static_cast<const void*>(shown.data()) == stored.data());
    std::span<const std::byte> seen;
    coffer::detail::value_codec<std::vector<std::byte>>::show(
        stored, [&](std::span<const std::byte> run) { seen = run; });
    CHECK(seen.data() == stored.data());
}
