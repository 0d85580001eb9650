// coffer/fs/simulated_volume.hpp: what a simulated disk holds, and how much of it is durable.
//
//     now_      what calls see          journal_  the changes between the two, oldest first
//     kept_     what is durable         lives_    handles, locks and space of each node
//
// I1  kept_ with the journal applied shows the same as now_, but for bytes that a failed sync lost
//     and bytes stored through a mapping that nobody has announced yet.
// I2  A sync of a file applies its writes and sizes, that of a folder its names, and nothing else.
// I3  used_ is the sum of all spaces: what was written or reserved, by the byte.
//
// Threads: one at a time; the disk holds its lock. Failure: none here, the calls have checked.
#ifndef COFFER_FS_SIMULATED_VOLUME_HPP
#define COFFER_FS_SIMULATED_VOLUME_HPP

#include <coffer/core/bytes.hpp>
#include <coffer/fs/path.hpp>
#include <coffer/fs/simulated_space.hpp>
#include <coffer/fs/simulated_tree.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer::fs {

/// What a failing sync of a file does to the bytes it was to save (after Rebello et al., "Can
/// Applications Recover from fsync Failures?", ATC 2020). In each mode a later sync succeeds.
enum class sync_failure : unsigned char {
    lost,            ///< F1: calls see them, the disk never gets them; the size is durable
    late,            ///< F2: the same, but this sync reports success and the next one fails
    lost_with_size,  ///< F3: as F1, and the size is lost too
    reverted,        ///< F4: calls see the old bytes and size again
};

}  // namespace coffer::fs

namespace coffer::detail::sim {

/// Memory of a file through which somebody may store.
struct written_map {
    const block* in;
    std::uint64_t at;
    std::uint64_t size;
    friend bool operator==(const written_map&, const written_map&) = default;
};

/// What the calls know of a node beside its bytes.
struct life {
    std::string path;
    spans space;
    unsigned handles = 0;
    std::vector<written_map> written;
    bool linked = false;
    bool locked = false;
    bool late = false;                     // the next sync reports what the last one lost
    bool lossy = false;                    // bytes were lost to a failed sync
    std::uint64_t kept_size = UINT64_MAX;  // a failed sync lost the size above it: lost_with_size
};

/// What may be lost: for crash_states. Nodes that nothing leads to are left out, so the numbers
/// differ from the volume's.
struct remains {
    tree durable;
    std::vector<change> journal;
    std::vector<content> removed;
    std::vector<std::string> names;  // of the nodes
};

class volume {
public:
    static constexpr std::uint64_t unlimited = std::uint64_t{1} << 60;

    volume() {
        lives_.emplace_back().linked = true;
        lives_[root].path = "/";
    }
    /// All of `state` is durable.
    explicit volume(tree state);

    [[nodiscard]] const tree& now() const noexcept { return now_; }
    [[nodiscard]] content& held(node_id of) noexcept { return now_.nodes[of].held; }
    [[nodiscard]] life& of(node_id node) noexcept { return lives_[node]; }
    [[nodiscard]] std::uint64_t room() const noexcept {
        return capacity_ - (std::min)(capacity_, used_);
    }
    void set_capacity(std::uint64_t most) noexcept { capacity_ = most; }
    void set_sync_failure(fs::sync_failure mode) noexcept { sync_failure_ = mode; }

    // Changes that are not durable yet.
    node_id add(bool folder, node_id parent, std::string_view name, const std::string& path);
    void rename(node_id folder, std::string_view from, std::string_view to, node_id moved,
                node_id replaced, const std::string& path);
    void remove(node_id folder, std::string_view name, node_id gone);
    void write(node_id of, std::uint64_t at, bytes from) { note_write(of, at, from, false); }
    void stored(node_id of, block& mapped, std::uint64_t at, std::uint64_t size);
    void resize(node_id of, std::uint64_t size);
    [[nodiscard]] bool reserve(node_id of, std::uint64_t at, std::uint64_t end);
    /// Takes space for [at, end) and says up to where it went.
    [[nodiscard]] std::uint64_t take(node_id of, std::uint64_t at, std::uint64_t end);
    void close(node_id of) noexcept {
        --lives_[of].handles;
        reap(of);
    }

    // Syncs (I2).
    void sync_names(node_id folder);
    void sync_file(node_id of);
    void sync_range(node_id of, std::uint64_t at, std::uint64_t end);
    /// A sync of the file fails. False: it reports success all the same.
    [[nodiscard]] bool lose(node_id of);

    // Crashes.
    [[nodiscard]] volume killed();
    [[nodiscard]] remains snapshot();
    /// The volume that is found after a crash has left `state`.
    [[nodiscard]] volume restarted(tree state) const;

    // What a test may ask and do behind the calls; all that it does is durable.
    [[nodiscard]] node_id file_at(std::string_view path) const noexcept;
    [[nodiscard]] bool is_name_durable(std::string_view path) const noexcept;
    [[nodiscard]] bool is_durable(node_id file, std::uint64_t at, std::uint64_t size) const;
    [[nodiscard]] std::uint64_t unsynced_bytes(node_id file) const noexcept;
    [[nodiscard]] std::size_t unsynced_changes() const noexcept { return journal_.size(); }
    [[nodiscard]] const content& durable(node_id file) const noexcept {
        return kept_.nodes[file].held;
    }
    [[nodiscard]] std::vector<std::string> files() const;
    void tamper(node_id file, std::uint64_t at, bytes with);
    void tamper_size(node_id file, std::uint64_t size);
    /// Makes the names of the folder durable, and an empty file in it if this name is free.
    void plant(std::string_view path);
    [[nodiscard]] bool pluck(std::string_view path);
    void settle() {
        for (const change& each : journal_) each.apply(kept_);
        journal_.clear();
    }

private:
    node_id add_node(bool folder, const std::string& path);
    void adopt(node_id folder);
    void note(change made) {
        made.apply(now_);
        journal_.push_back(std::move(made));
    }
    void note_write(node_id of, std::uint64_t at, bytes from, bool mapped);
    void note_unannounced(node_id of);
    void drop(node_id of);
    void reap(node_id of) noexcept;
    void remember(node_id of);
    [[nodiscard]] bool is_named(node_id of) const noexcept;
    void list(node_id folder, const std::string& path, std::vector<std::string>& into) const;

    tree now_;
    tree kept_;
    std::vector<change> journal_;
    std::vector<life> lives_;
    std::vector<content> removed_;  // the last files that went, for garbage
    std::uint64_t capacity_ = unlimited;
    std::uint64_t used_ = 0;
    fs::sync_failure sync_failure_ = fs::sync_failure::lost;
};

inline volume::volume(tree state) : now_(state.share()), kept_(std::move(state)) {
    lives_.resize(now_.nodes.size());
    lives_[root].linked = true;
    lives_[root].path = "/";
    adopt(root);
}

/// Finds the paths of what a folder holds, and counts its files as fully reserved.
inline void volume::adopt(node_id folder) {
    for (const entry& each : now_.nodes[folder].names) {
        life& found = lives_[each.node];
        found.linked = true;
        found.path = joined(lives_[folder].path, each.name);
        if (now_.nodes[each.node].folder) {
            adopt(each.node);
        } else {
            std::uint64_t room = UINT64_MAX;
            static_cast<void>(found.space.take(0, held(each.node).size(), room));
            used_ += held(each.node).size();
        }
    }
}

inline node_id volume::add_node(bool folder, const std::string& path) {
    now_.nodes.emplace_back().folder = folder;
    kept_.nodes.emplace_back().folder = folder;
    life& added = lives_.emplace_back();
    added.path = path;
    added.linked = true;
    return static_cast<node_id>(lives_.size() - 1);
}

inline node_id volume::add(bool folder, node_id parent, std::string_view name,
                           const std::string& path) {
    change made{change::kind::link, parent};
    made.name = name;
    made.target = add_node(folder, path);
    const node_id added = made.target;
    note(std::move(made));
    return added;
}

inline void volume::rename(node_id folder, std::string_view from, std::string_view to,
                           node_id moved, node_id replaced, const std::string& path) {
    change made{change::kind::move, folder};
    made.name = from;
    made.to = to;
    made.target = moved;
    made.replaced = replaced;
    note(std::move(made));
    lives_[moved].path = path;
    if (replaced != nowhere) drop(replaced);
}

inline void volume::remove(node_id folder, std::string_view name, node_id gone) {
    change made{change::kind::unlink, folder};
    made.name = name;
    made.target = gone;
    note(std::move(made));
    drop(gone);
}

inline void volume::note_write(node_id of, std::uint64_t at, bytes from, bool mapped) {
    if (from.empty()) return;
    // What is written where the disk does not know of a file any more makes it known again.
    std::uint64_t& kept_size = lives_[of].kept_size;
    const std::uint64_t old_size = (std::min)(held(of).size(), kept_size);
    const std::uint64_t end = at + from.size();
    if (end > old_size) {
        if (kept_size != UINT64_MAX) kept_size = end;
        change grown{change::kind::grow, of};
        grown.at = (std::max)(old_size, at);
        grown.size = end;
        grown.before = old_size;
        note(std::move(grown));
    }
    change made{change::kind::write, of, mapped, at};
    made.data = std::make_shared<const std::vector<std::byte>>(from.begin(), from.end());
    if (!mapped) held(of).write(at, from);
    journal_.push_back(std::move(made));
}

inline void volume::stored(node_id of, block& mapped, std::uint64_t at, std::uint64_t size) {
    if (size == 0) return;
    note_write(of, at, held(of).stored(mapped, at, static_cast<std::size_t>(size)), true);
}

inline void volume::resize(node_id of, std::uint64_t size) {
    if (size < held(of).size()) {
        remember(of);
        used_ -= lives_[of].space.cut(size);
    }
    change made{change::kind::cut, of};
    made.size = size;
    lives_[of].kept_size = UINT64_MAX;
    note(std::move(made));
}

inline bool volume::reserve(node_id of, std::uint64_t at, std::uint64_t end) {
    spans before = lives_[of].space;
    const std::uint64_t used = used_;
    if (take(of, at, end) != end) {
        lives_[of].space = std::move(before);
        used_ = used;
        return false;
    }
    if (end > held(of).size()) {
        change made{change::kind::extend, of};
        made.size = end;
        note(std::move(made));
    }
    return true;
}

inline std::uint64_t volume::take(node_id of, std::uint64_t at, std::uint64_t end) {
    std::uint64_t left = room();
    const std::uint64_t before = left;
    const std::uint64_t got = lives_[of].space.take(at, end, left);
    used_ += before - left;
    return got;
}

/// The file has lost its name.
inline void volume::drop(node_id of) {
    remember(of);
    lives_[of].linked = false;
    reap(of);
}

/// Gives back what nobody can reach any more.
inline void volume::reap(node_id of) noexcept {
    life& each = lives_[of];
    if (each.linked || each.handles != 0) return;
    used_ -= each.space.cut(0);
    if (is_named(of)) return;
    held(of) = content();
    kept_.nodes[of].held = content();
    std::erase_if(journal_, [of](const change& made) { return made.of == of; });
}

/// Is there a durable name of the node, or one that may become durable?
inline bool volume::is_named(node_id of) const noexcept {
    const auto leads = [of](const entry& each) { return each.node == of; };
    const auto holds = [&leads](const node& each) {
        return std::any_of(each.names.begin(), each.names.end(), leads);
    };
    const auto makes = [of](const change& made) {
        return made.of_names() && (made.target == of || made.replaced == of);
    };
    return std::any_of(kept_.nodes.begin(), kept_.nodes.end(), holds) ||
           std::any_of(journal_.begin(), journal_.end(), makes);
}

inline void volume::remember(node_id of) {
    constexpr std::size_t most = 16;
    if (held(of).written().empty()) return;
    if (removed_.size() == most) removed_.erase(removed_.begin());
    removed_.push_back(held(of).share());
}

inline void volume::sync_names(node_id folder) {
    std::vector<node_id> gone;
    std::erase_if(journal_, [&](const change& each) {
        if (each.of != folder || !each.of_names()) return false;
        each.apply(kept_);
        if (each.gone() != nowhere) gone.push_back(each.gone());
        return true;
    });
    for (const node_id each : gone) reap(each);
}

inline void volume::sync_file(node_id of) {
    std::erase_if(journal_, [&](const change& each) {
        if (each.of != of || each.of_names()) return false;
        each.apply(kept_);
        return true;
    });
}

inline void volume::sync_range(node_id of, std::uint64_t at, std::uint64_t end) {
    std::vector<change> left;
    const auto keep = [&left](const change& each, std::uint64_t from, std::uint64_t to) {
        if (from >= to) return;
        change piece{change::kind::write, each.of, each.mapped, from};
        const auto first = each.data->begin() + static_cast<std::ptrdiff_t>(from - each.at);
        piece.data = std::make_shared<const std::vector<std::byte>>(
            first, first + static_cast<std::ptrdiff_t>(to - from));
        left.push_back(std::move(piece));
    };
    for (change& each : journal_) {
        if (each.of != of || each.of_names()) {
            left.push_back(std::move(each));
        } else if (each.of_size()) {
            each.apply(kept_);
        } else {
            const std::uint64_t stop = each.at + each.data->size();
            const std::uint64_t from = (std::min)((std::max)(each.at, at), stop);
            const std::uint64_t to = (std::max)((std::min)(stop, end), from);
            kept_.nodes[of].held.write(from, bytes(*each.data)
                                                 .subspan(static_cast<std::size_t>(from - each.at),
                                                          static_cast<std::size_t>(to - from)));
            keep(each, each.at, from);
            keep(each, to, stop);
        }
    }
    journal_ = std::move(left);
}

inline bool volume::lose(node_id of) {
    const bool size_stays =
        sync_failure_ == fs::sync_failure::lost || sync_failure_ == fs::sync_failure::late;
    std::erase_if(journal_, [&](const change& each) {
        if (each.of != of || each.of_names()) return false;
        if (each.of_size() && size_stays) each.apply(kept_);
        return true;
    });
    if (sync_failure_ == fs::sync_failure::reverted) {
        held(of).become(kept_.nodes[of].held);
        used_ -= lives_[of].space.cut(held(of).size());
    } else {
        lives_[of].lossy = true;
        if (!size_stays) lives_[of].kept_size = kept_.nodes[of].held.size();
    }
    lives_[of].late = sync_failure_ == fs::sync_failure::late;
    return !lives_[of].late;
}

/// Stores through a mapping that were not announced are in the system's memory all the same.
inline void volume::note_unannounced(node_id of) {
    constexpr std::uint64_t sector = 512;
    content told = kept_.nodes[of].held.share();
    for (const change& each : journal_) {
        if (each.of != of || each.of_names()) continue;
        if (each.of_data()) told.write(each.at, *each.data);
        if (each.of_size())
            told.resize(each.is == change::kind::cut ? each.size
                                                     : (std::max)(told.size(), each.size));
    }
    for (std::uint64_t at = 0; at < held(of).size(); at += sector) {
        std::byte run[sector];
        const mutable_bytes piece(
            run, static_cast<std::size_t>((std::min)(sector, held(of).size() - at)));
        if (held(of).equals(told, at, piece.size())) continue;
        held(of).read(at, piece);
        note_write(of, at, piece, true);
    }
}

inline volume volume::killed() {
    for (node_id id = 0; id < lives_.size(); ++id) {
        for (const written_map& each : lives_[id].written) {
            held(id).carry(*each.in, each.at, each.size);
        }
    }
    volume other;
    other.now_ = now_.share();
    other.kept_ = kept_.share();
    other.journal_ = journal_;
    other.lives_ = lives_;
    for (content& each : removed_) other.removed_.push_back(each.share());
    other.capacity_ = capacity_;
    other.used_ = used_;
    other.sync_failure_ = sync_failure_;
    for (node_id id = 0; id < other.lives_.size(); ++id) {
        life& each = other.lives_[id];
        if (!each.written.empty() && !each.lossy) other.note_unannounced(id);
        each.handles = 0;
        each.written.clear();
        each.locked = false;
        if (!each.linked) other.reap(id);
    }
    return other;
}

inline volume volume::restarted(tree state) const {
    volume other(std::move(state));
    other.capacity_ = capacity_;
    other.sync_failure_ = sync_failure_;
    other.removed_ = removed_;
    return other;
}

inline remains volume::snapshot() {
    std::vector<node_id> number(kept_.nodes.size(), nowhere);
    std::vector<node_id> reached;
    const auto reach = [&](node_id id) {
        if (id == nowhere || number[id] != nowhere) return;
        number[id] = static_cast<node_id>(reached.size());
        reached.push_back(id);
    };
    reach(root);
    for (const change& each : journal_) reach(each.of), reach(each.target), reach(each.replaced);
    for (std::size_t i = 0; i < reached.size(); ++i) {
        for (const entry& each : kept_.nodes[reached[i]].names) reach(each.node);
    }
    remains found;
    found.durable.nodes.resize(reached.size());
    for (std::size_t i = 0; i < reached.size(); ++i) {
        node& from = kept_.nodes[reached[i]];
        node& to = found.durable.nodes[i];
        to.folder = from.folder;
        to.held = from.held.share();
        for (const entry& each : from.names) to.names.push_back({each.name, number[each.node]});
        found.names.push_back(lives_[reached[i]].path);
    }
    found.journal = journal_;
    for (change& each : found.journal) {
        each.of = number[each.of];
        if (each.target != nowhere) each.target = number[each.target];
        if (each.replaced != nowhere) each.replaced = number[each.replaced];
    }
    for (content& each : removed_) found.removed.push_back(each.share());
    return found;
}

inline node_id volume::file_at(std::string_view path) const noexcept {
    const node_id at = now_.resolve(path);
    return at == nowhere || now_.nodes[at].folder ? nowhere : at;
}

inline bool volume::is_name_durable(std::string_view path) const noexcept {
    const node_id at = now_.resolve(path);
    return at != nowhere && kept_.resolve(path) == at;
}

inline bool volume::is_durable(node_id file, std::uint64_t at, std::uint64_t size) const {
    return now_.nodes[file].held.equals(kept_.nodes[file].held, at, size);
}

inline std::uint64_t volume::unsynced_bytes(node_id file) const noexcept {
    std::uint64_t sum = 0;
    for (const change& each : journal_) {
        if (each.of == file && each.of_data()) sum += each.data->size();
    }
    return sum;
}

inline void volume::list(node_id folder, const std::string& path,
                         std::vector<std::string>& into) const {
    for (const entry& each : now_.nodes[folder].names) {
        const std::string own = joined(path, each.name);
        if (now_.nodes[each.node].folder) {
            list(each.node, own, into);
        } else {
            into.push_back(own);
        }
    }
}

inline std::vector<std::string> volume::files() const {
    std::vector<std::string> found;
    list(root, "/", found);
    return found;
}

inline void volume::tamper(node_id file, std::uint64_t at, bytes with) {
    sync_file(file);
    for (content* each : {&now_.nodes[file].held, &kept_.nodes[file].held}) {
        each->write(at, with);
        each->resize((std::max)(each->size(), at + with.size()));
    }
}

inline void volume::plant(std::string_view path) {
    const std::string parent = parent_of(path);
    const node_id folder = now_.resolve(parent);
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (folder == nowhere || !now_.nodes[folder].folder || !is_file_name(name)) return;
    if (now_.find(folder, name) == nowhere) add(false, folder, name, joined(parent, name));
    sync_names(folder);
}

inline bool volume::pluck(std::string_view path) {
    const node_id gone = file_at(path);
    const node_id folder = now_.resolve(parent_of(path));
    if (gone == nowhere || folder == nowhere) return false;
    remove(folder, path.substr(path.rfind('/') + 1), gone);
    sync_names(folder);
    return true;
}

inline void volume::tamper_size(node_id file, std::uint64_t size) {
    sync_file(file);
    now_.nodes[file].held.resize(size);
    kept_.nodes[file].held.resize(size);
}

}  // namespace coffer::detail::sim

#endif
