// coffer/storage/map.hpp: records in the memory of the process.
//
// The identity of the axis: nothing persists, every durability policy is fulfilled because there is
// nothing to lose that the process does not lose with itself. For tests, caches and scratch data.
//
// I1  No file is touched; the path given to open is ignored.
// Cost: memory of the live records and of the dead ones that compaction has not reclaimed yet.
#ifndef COFFER_STORAGE_MAP_HPP
#define COFFER_STORAGE_MAP_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/core/memory.hpp>
#include <coffer/fs/concept.hpp>
#include <coffer/journal/log_state.hpp>
#include <coffer/journal/segment.hpp>
#include <coffer/storage/concept.hpp>

#include <string_view>

namespace coffer {

namespace detail {

template <file_system FS>
class map_medium {
public:
    using file_system_type = FS;
    static constexpr bool persistent = false;
    static constexpr bool hands_over = false;

    class body {
    public:
        explicit body(raw_memory memory) noexcept : memory_(std::move(memory)) {}
        [[nodiscard]] std::byte* memory() const noexcept { return memory_.get(); }
        void stored(std::uint64_t, std::uint64_t) noexcept {}
        [[nodiscard]] result<void> write_out(std::uint64_t, std::uint64_t) { return {}; }
        [[nodiscard]] result<void> sync(std::uint64_t) { return {}; }
        [[nodiscard]] result<leaving> settle(std::uint64_t) { return leaving{}; }
        [[nodiscard]] result<void> read_at(std::uint64_t, mutable_bytes) const { return {}; }
        [[nodiscard]] result<void> write_again(std::uint64_t, std::uint64_t) { return {}; }

    private:
        raw_memory memory_;
    };

    map_medium(FS, const log_options&) noexcept {}

    [[nodiscard]] result<body> prepare(typename FS::directory*, std::string_view,
                                       std::uint64_t size) {
        auto memory = raw_memory::take(size);
        if (!memory) return memory.failure();
        return body(std::move(*memory));
    }
};

}  // namespace detail

namespace storage {

struct map {
    static constexpr policy_id id{"map", 1};
    static constexpr bool persistent = false;
    static constexpr bool hands_over = false;
    template <class FS>
    using medium = detail::map_medium<FS>;
};

static_assert(storage_policy<map>);

}  // namespace storage
}  // namespace coffer

#endif
