// tests/archetypes/minimal_storage.hpp: the smallest storage policies, one of each kind.
//
// `in_memory` keeps nothing; `in_files` writes what is handed over and reads old segments by
// read_at. Their media offer what the table of coffer/journal/segment.hpp asks for, nothing else.
#ifndef COFFER_TESTS_ARCHETYPES_MINIMAL_STORAGE_HPP
#define COFFER_TESTS_ARCHETYPES_MINIMAL_STORAGE_HPP

#include <coffer/journal/segment.hpp>
#include <coffer/storage/concept.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace archetype {

using coffer::result;

template <class FS>
class memory_medium {
public:
    using file_system_type = FS;
    static constexpr bool persistent = false;
    static constexpr bool hands_over = false;

    class body {
    public:
        explicit body(std::uint64_t size) : memory_(new std::byte[size]) {}
        std::byte* memory() const { return memory_.get(); }
        void stored(std::uint64_t, std::uint64_t) {}
        result<void> write_out(std::uint64_t, std::uint64_t) { return {}; }
        result<void> sync(std::uint64_t) { return {}; }
        result<coffer::detail::leaving> settle(std::uint64_t) { return coffer::detail::leaving(); }
        result<void> read_at(std::uint64_t, coffer::mutable_bytes) const { return {}; }
        result<void> write_again(std::uint64_t, std::uint64_t) { return {}; }

    private:
        std::unique_ptr<std::byte[]> memory_;
    };

    memory_medium(FS, const coffer::detail::log_options&) {}
    result<body> prepare(typename FS::directory*, std::string_view, std::uint64_t size) {
        return body(size);
    }
};

template <class FS>
class file_medium {
public:
    using file_system_type = FS;
    static constexpr bool persistent = true;
    static constexpr bool hands_over = true;

    class body {
    public:
        body(typename FS::file file, std::unique_ptr<std::byte[]> memory)
            : file_(std::move(file)), memory_(std::move(memory)) {}
        std::byte* memory() const { return memory_.get(); }
        void stored(std::uint64_t, std::uint64_t) {}
        result<void> write_out(std::uint64_t from, std::uint64_t size) {
            return file_.write_at(from, {memory_.get() + from, size});
        }
        result<void> sync(std::uint64_t) { return file_.sync(); }
        result<coffer::detail::leaving> settle(std::uint64_t end) {
            if (auto cut = file_.resize(end); !cut) return cut.failure();
            return coffer::detail::leaving();
        }
        result<void> write_again(std::uint64_t from, std::uint64_t end) {
            std::vector<std::byte> all(end - from);
            if (auto got = read_at(from, all); !got) return got;
            return file_.write_at(from, all);
        }
        result<void> read_at(std::uint64_t from, coffer::mutable_bytes into) const {
            auto got = file_.read_at(from, into);
            if (!got) return got.failure();
            if (*got != into.size()) return coffer::fail(coffer::errc::corruption, "too short");
            return {};
        }

    private:
        typename FS::file file_;
        std::unique_ptr<std::byte[]> memory_;
    };

    file_medium(FS, const coffer::detail::log_options& options)
        : access_(options.read_only ? coffer::fs::access::read : coffer::fs::access::write) {}

    result<body> prepare(typename FS::directory* dir, std::string_view name, std::uint64_t size) {
        auto file = dir->create(name);
        if (!file) return file.failure();
        if (auto reserved = file->reserve(0, size); !reserved) return reserved.failure();
        if (auto named = dir->sync(); !named) return named.failure();
        return body(std::move(*file), std::unique_ptr<std::byte[]>(new std::byte[size]));
    }
    result<body> open(typename FS::directory* dir, std::string_view name, std::uint64_t) {
        auto file = dir->open(name, access_);
        if (!file) return file.failure();
        return body(std::move(*file), nullptr);
    }

private:
    coffer::fs::access access_;
};

struct in_memory {
    static constexpr coffer::policy_id id{"in_memory", 1};
    static constexpr bool persistent = false;
    static constexpr bool hands_over = false;
    template <class FS>
    using medium = memory_medium<FS>;
};

struct in_files {
    static constexpr coffer::policy_id id{"in_files", 1};
    static constexpr bool persistent = true;
    static constexpr bool hands_over = true;
    template <class FS>
    using medium = file_medium<FS>;
};

static_assert(coffer::storage_policy<in_memory> && coffer::storage_policy<in_files>);

}  // namespace archetype

#endif
