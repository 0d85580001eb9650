// coffer/fs/simulated_tree.hpp: the folders and files of a simulated disk, as values.
//
// A `tree` is what a disk holds at one moment. The simulated disk keeps two, what calls see and
// what is durable, and a journal of the changes that lie between them; each crash state is a third.
// So trees are copied often and changed little: two copies share the memory of a file until one
// of them changes it.
//
//     tree:  node 0 is "/"       names -> nodes           a journal entry names nodes, so that a
//            node 1 is a file    content -> block         rename does not lead it astray
//
// I1  A block does not move while somebody maps it; a file that outgrows a mapped block continues
//     in a larger one and stores every later byte in both.
// I2  A block that two contents share is never written.
// I3  Bytes of a block at and beyond `filled` are zero, and so never copied nor hashed.
//
// Threads: none of its own; the disk's lock, and blocks that disks share count and keep their hash
// without one. Memory: what was written, not what was reserved.
#ifndef COFFER_FS_SIMULATED_TREE_HPP
#define COFFER_FS_SIMULATED_TREE_HPP

#include <coffer/config/platform.hpp>
#include <coffer/core/bytes.hpp>
#include <coffer/core/endian.hpp>
#include <coffer/core/hash.hpp>
#include <coffer/core/threading.hpp>
#include <coffer/fs/path.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if COFFER_UNDER_TSAN
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
#endif

namespace coffer::detail::sim {

/// While it lives, this thread may read what others store through a map: it finds each word as it
/// is at some moment, as a copy by the system would. ThreadSanitizer is told.
class reads_under_a_map {
public:
#if COFFER_UNDER_TSAN
    reads_under_a_map() noexcept { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
    ~reads_under_a_map() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
#else
    reads_under_a_map() noexcept {}
    ~reads_under_a_map() {}
#endif
    reads_under_a_map(const reads_under_a_map&) = delete;
    reads_under_a_map& operator=(const reads_under_a_map&) = delete;
};

/// Zeroed memory at a lasting place.
class block {
public:
    explicit block(std::size_t capacity)
        : memory_(std::calloc(capacity + alignment, 1)), capacity_(capacity) {
        if (memory_ == nullptr) std::abort();  // a test that needs more than the machine has
        const auto at = reinterpret_cast<std::uintptr_t>(memory_);
        data_ = static_cast<std::byte*>(memory_) + (alignment - at % alignment);
    }
    block(const block&) = delete;
    block& operator=(const block&) = delete;
    ~block() { std::free(memory_); }

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    std::size_t filled = 0;                           // I3
    unsigned mappings = 0;                            // I1
    threading::multi::atomic<std::uint64_t> hash{0};  // of a shared one's bytes; 0: not known yet

private:
    static constexpr std::size_t alignment = 64;

    void* memory_;
    std::byte* data_;
    std::size_t capacity_;
};

/// The bytes of a file. Bytes may be written beyond the size: they show once it has grown.
class content {
public:
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// `into` lies within the size.
    void read(std::uint64_t at, mutable_bytes into) const noexcept {
        const std::uint64_t filled = block_ ? block_->filled : 0;
        std::size_t there = 0;
        if (at < filled) {
            there = static_cast<std::size_t>((std::min)(filled - at, std::uint64_t{into.size()}));
            copy(into.data(), bytes(block_->data() + at, there));
        }
        std::fill(into.begin() + static_cast<std::ptrdiff_t>(there), into.end(), std::byte{0});
    }

    /// Does not change the size. Where the same bytes are there already nothing is stored: others
    /// may be reading them through a map.
    void write(std::uint64_t at, bytes from) {
        if (from.empty()) return;
        own(at + from.size());
        std::byte* const there = block_->data() + at;
        if (std::memcmp(there, from.data(), from.size()) != 0) copy(there, from);
        block_->filled = (std::max)(block_->filled, static_cast<std::size_t>(at) + from.size());
        repeat(at, from, nullptr);
    }

    /// Cuts, or grows with what was written there or zeros.
    void resize(std::uint64_t size) {
        if (size < size_) scrub(size);
        size_ = size;
    }

    /// Zeros what was written beyond the size.
    void scrub() { scrub(size_); }

    /// An equal content that shares the memory where that is possible.
    [[nodiscard]] content share() {
        content other;
        other.size_ = size_;
        if (!block_) return other;
        if (block_->mappings == 0 && outgrown_.empty()) {
            shared_ = other.shared_ = true;  // I2
            other.block_ = block_;
        } else {
            const reads_under_a_map still;
            other.write(0, bytes(block_->data(), block_->filled));
        }
        return other;
    }

    /// Takes the bytes and the size of another, in place where it is mapped.
    void become(content& other) {
        if (block_ && (block_->mappings != 0 || !outgrown_.empty())) {
            scrub(0);
            if (other.block_) write(0, bytes(other.block_->data(), other.block_->filled));
            size_ = other.size_;
        } else {
            *this = other.share();
        }
    }

    /// The memory of [0, end), which stays where it is as long as it is mapped (I1).
    [[nodiscard]] std::shared_ptr<block> map(std::uint64_t end, bool writable) {
        own(end);
        if (writable) block_->filled = (std::max)(block_->filled, static_cast<std::size_t>(end));
        ++block_->mappings;
        return block_;
    }

    /// Somebody has stored to [at, at + size) of a block that he mapped.
    [[nodiscard]] bytes stored(block& into, std::uint64_t at, std::size_t size) {
        const bytes run(into.data() + at, size);
        if (&into != block_.get()) {
            own(at + size);
            copy(block_->data() + at, run);
        }
        block_->filled = (std::max)(block_->filled, static_cast<std::size_t>(at) + size);
        repeat(at, run, &into);
        return run;
    }

    /// Takes over what somebody has stored through a map of a block that was outgrown.
    void carry(const block& from, std::uint64_t at, std::uint64_t size) {
        if (&from == block_.get() || at >= size_) return;
        const auto held = static_cast<std::size_t>((std::min)(size, size_ - at));
        write(at, bytes(from.data() + at, held));
    }

    [[nodiscard]] bool equals(const content& other, std::uint64_t at, std::uint64_t size) const {
        std::byte mine[512];
        std::byte theirs[512];
        const std::uint64_t end = at + size;
        if (end > size_ || end > other.size_) return false;
        if (block_ == other.block_) return true;
        while (at < end) {
            const auto piece = static_cast<std::size_t>((std::min)(end - at, std::uint64_t{512}));
            read(at, mutable_bytes(mine, piece));
            other.read(at, mutable_bytes(theirs, piece));
            if (!equal(bytes(mine, piece), bytes(theirs, piece))) return false;
            at += piece;
        }
        return true;
    }

    /// Equal for equal bytes and sizes.
    [[nodiscard]] std::uint64_t hash() const noexcept {
        const std::uint64_t filled = block_ ? block_->filled : 0;
        const bool lasts = shared_ && filled <= size_;  // I2
        std::uint64_t known = lasts ? block_->hash.load(std::memory_order_relaxed) : 0;
        if (known == 0) known = hash_of(static_cast<std::size_t>((std::min)(filled, size_)));
        if (lasts) block_->hash.store(known, std::memory_order_relaxed);
        return mix(known, size_);
    }

    /// What was written; zeros lie behind it.
    [[nodiscard]] bytes written() const noexcept {
        return block_ ? bytes(block_->data(), block_->filled) : bytes();
    }

private:
    /// Of the first `used` bytes of the block, as if zeros followed for ever.
    [[nodiscard]] std::uint64_t hash_of(std::size_t used) const noexcept {
        // A mapped file is filled to its end, mostly with zeros.
        constexpr std::size_t word = sizeof(std::uint64_t);
        while (used >= word && load_le<std::uint64_t>(block_->data() + used - word) == 0) {
            used -= word;
        }
        while (used != 0 && block_->data()[used - 1] == std::byte{0}) --used;
        return hash64(used == 0 ? bytes() : bytes(block_->data(), used), 0);
    }

    /// Makes the block this content's own, with room for [0, end).
    void own(std::uint64_t end) {
        const auto needed = static_cast<std::size_t>(end);
        if (block_ && !shared_ && needed <= block_->capacity()) return;
        const std::size_t had = block_ ? block_->capacity() : 0;
        const std::size_t grown = needed <= had ? had : (std::max)(needed, had + had / 2);
        auto larger = std::make_shared<block>((std::max)(grown, std::size_t{64}));
        if (block_) {
            const reads_under_a_map still;
            copy(larger->data(), bytes(block_->data(), block_->filled));
            larger->filled = block_->filled;
            if (!shared_ && block_->mappings != 0) outgrown_.push_back(block_);
        }
        block_ = std::move(larger);
        shared_ = false;
    }

    void scrub(std::uint64_t from) {
        if (!block_ || from >= block_->filled) return;
        own(block_->filled);
        const auto kept = static_cast<std::size_t>(from);
        const std::vector<std::byte> zeros(outgrown_.empty() ? 0 : block_->filled - kept);
        std::fill(block_->data() + kept, block_->data() + block_->filled, std::byte{0});
        block_->filled = kept;
        repeat(from, zeros, nullptr);
    }

    /// Stores the same in the blocks that were outgrown and are still mapped (I1).
    void repeat(std::uint64_t at, bytes from, const block* except) {
        if (outgrown_.empty()) return;
        std::erase_if(outgrown_, [](const std::weak_ptr<block>& old) { return old.expired(); });
        for (const std::weak_ptr<block>& weak : outgrown_) {
            const std::shared_ptr<block> old = weak.lock();
            if (!old || old.get() == except || at >= old->capacity()) continue;
            const std::size_t room = old->capacity() - static_cast<std::size_t>(at);
            copy(old->data() + at, from.first((std::min)(room, from.size())));
        }
    }

    std::shared_ptr<block> block_;
    std::vector<std::weak_ptr<block>> outgrown_;
    std::uint64_t size_ = 0;
    bool shared_ = false;
};

using node_id = std::uint32_t;

inline constexpr node_id root = 0;
inline constexpr node_id nowhere = UINT32_MAX;

struct entry {
    std::string name;
    node_id node;
};

/// Equal for equal names and, by `of_file(node)`, equal contents below `at`; `names_of(node)` are
/// those of a folder, null for a file.
template <class NamesOf, class OfFile>
[[nodiscard]] std::uint64_t hash_below(node_id at, const NamesOf& names_of,
                                       const OfFile& of_file) noexcept {
    const std::vector<entry>* const names = names_of(at);
    if (names == nullptr) return of_file(at);
    std::uint64_t so_far = hash_keys[0];
    for (const entry& each : *names) {
        so_far = mix(so_far ^ hash64(as_bytes(each.name), so_far),
                     hash_below(each.node, names_of, of_file));
    }
    return so_far;
}

struct node {
    bool folder = false;
    content held;              // of a file
    std::vector<entry> names;  // of a folder, by name

    [[nodiscard]] node_id find(std::string_view name) const noexcept {
        const auto at = place(name);
        return at != names.end() && at->name == name ? at->node : nowhere;
    }
    void link(std::string_view name, node_id target) {
        const auto at = names.begin() + (place(name) - names.cbegin());
        if (at != names.end() && at->name == name) {
            at->node = target;
        } else {
            names.insert(at, entry{std::string(name), target});
        }
    }
    void unlink(std::string_view name) {
        const auto at = place(name);
        if (at != names.end() && at->name == name) names.erase(at);
    }

    /// As content::share().
    [[nodiscard]] node share() {
        node other;
        other.folder = folder;
        other.held = held.share();
        other.names = names;
        return other;
    }

private:
    [[nodiscard]] std::vector<entry>::const_iterator place(std::string_view name) const noexcept {
        return std::lower_bound(names.cbegin(), names.cend(), name,
                                [](const entry& a, std::string_view b) { return a.name < b; });
    }
};

struct tree {
    std::vector<node> nodes = std::vector<node>(1, a_folder());

    [[nodiscard]] node_id find(node_id folder, std::string_view name) const noexcept {
        return nodes[folder].find(name);
    }

    /// The node that a path leads to; nowhere if a part is missing or no folder. `..` leads
    /// nowhere.
    [[nodiscard]] node_id resolve(std::string_view path) const noexcept {
        node_id at = root;
        while (!path.empty()) {
            const std::size_t slash = (std::min)(path.find('/'), path.size());
            const std::string_view part = path.substr(0, slash);
            path.remove_prefix((std::min)(slash + 1, path.size()));
            if (part.empty() || part == ".") continue;
            if (!nodes[at].folder) return nowhere;
            at = find(at, part);
            if (at == nowhere) return nowhere;
        }
        return at;
    }

    [[nodiscard]] tree share() {
        tree other;
        other.nodes.clear();
        other.nodes.reserve(nodes.size());
        for (node& each : nodes) other.nodes.push_back(each.share());
        return other;
    }

    /// Equal for equal names and contents.
    [[nodiscard]] std::uint64_t hash() const noexcept {
        return hash_below(
            root, [&](node_id of) { return nodes[of].folder ? &nodes[of].names : nullptr; },
            [&](node_id of) { return nodes[of].held.hash(); });
    }

private:
    [[nodiscard]] static node a_folder() {
        node made;
        made.folder = true;
        return made;
    }
};

/// A change that is not durable yet.
struct change {
    enum class kind : unsigned char {
        write,  // `data` at `at` of file `of`
        grow,  // the size is at least `size`; what a write has not filled from `at` on is undefined
        extend,  // the size is at least `size`; the rest are zeros
        cut,     // the size is `size`
        link,    // `name` in folder `of` is `target`
        unlink,  // `name` in folder `of` is gone, and with it the file `target`
        move,    // `target` is `to`, no longer `name`; the file `replaced` is gone
    };

    kind is;
    node_id of;
    bool mapped = false;  // stored through a mapping: a sector may be on disk half stored
    std::uint64_t at = 0;
    std::uint64_t size = 0;
    std::uint64_t before = 0;  // of `grow`: the size until then
    std::shared_ptr<const std::vector<std::byte>> data = nullptr;
    std::string name = {};
    std::string to = {};
    node_id target = nowhere;
    node_id replaced = nowhere;

    [[nodiscard]] bool of_data() const noexcept { return is == kind::write; }
    [[nodiscard]] bool of_size() const noexcept {
        return is == kind::grow || is == kind::extend || is == kind::cut;
    }
    [[nodiscard]] bool of_names() const noexcept { return !of_data() && !of_size(); }

    /// The file that is no more: of `unlink` and `move`.
    [[nodiscard]] node_id gone() const noexcept { return is == kind::unlink ? target : replaced; }

    void apply(tree& whole) const { apply(whole.nodes[of]); }
    void apply(node& changed) const {
        switch (is) {
            case kind::write:
                changed.held.write(at, *data);
                break;
            case kind::grow:
            case kind::extend:
                changed.held.resize((std::max)(changed.held.size(), size));
                break;
            case kind::cut:
                changed.held.resize(size);
                break;
            case kind::link:
                changed.link(name, target);
                break;
            case kind::unlink:
                changed.unlink(name);
                break;
            case kind::move:
                changed.unlink(name);
                changed.link(to, target);
                break;
        }
    }
};

}  // namespace coffer::detail::sim

#endif
