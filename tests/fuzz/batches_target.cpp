// A log of any commits, cut off, changed or zeroed at any place behind which nothing is said to be
// durable: what opens is exactly the whole commits before that place.
#include "fuzz/mend.hpp"
#include "fuzz/stores.hpp"

namespace fuzz {
namespace {

/// The STORE of an empty store.
template <class Store>
const run& identity_of() {
    static const run only = [] {
        const simulated disk(5);
        Store::open(place, small_options(), disk).close();
        return *disk.read_file(std::string(place) + "/STORE");
    }();
    return only;
}

/// One segment of records that follow from the input, and what holds after each of its commits.
class log {
public:
    log(source& in, const d::store_id& store) : seed_(d::segment_seed(store.low, store.high, 1)) {
        d::segment_header header;
        header.store = store;
        header.id = 1;
        file.resize(d::header_size(0));
        d::write_segment_header(file.data(), header);
        ends.emplace_back(file.size(), contents());
        while (!in.empty() && file.size() < 12'000) add(in);
    }

    /// The state whose commits all end at or before `offset`.
    [[nodiscard]] const contents& state_at(std::size_t offset) const {
        std::size_t i = ends.size() - 1;
        while (i > 0 && ends[i].first > offset) --i;
        return ends[i].second;
    }

    run file;
    std::vector<std::pair<std::size_t, contents>> ends;

private:
    void add(source& in) {
        const unsigned what = in.byte();
        const bool more = (what & 0x80) != 0;
        const std::string key(coffer::as_text(in.take(in.byte() % 20)));
        if (what % 8 < 4) {
            std::string value(coffer::as_text(in.take(in.byte() % 64)));
            if (what % 8 == 3) value += std::string(in.two() % 2000, 'v');
            append(d::record_type::put, more, key, value);
            now_[key] = value;
        } else if (what % 8 < 6) {
            append(d::record_type::erase, more, key, "");
            now_.erase(key);
        } else if (what % 8 == 6) {
            append(d::record_type::clear, more, "", "");
            now_.clear();
        } else if (!open_) {
            std::byte body[d::mark_body::size];
            d::write_mark(body, {});
            append(d::record_type::mark, false, "", coffer::as_text(body));
        }
        if (!open_) ends.emplace_back(file.size(), now_);
    }

    void append(d::record_type type, bool more, std::string_view key, std::string_view value) {
        const std::size_t at = file.size();
        file.resize(at + d::record_size(key.size(), value.size()));
        d::write_record(file.data() + at, type, more, coffer::as_bytes(key),
                        coffer::as_bytes(value), seed_, at);
        open_ = more;
    }

    std::uint64_t seed_;
    contents now_;
    bool open_ = false;
};

template <class Store>
void recover(source in) {
    const unsigned how = in.byte() % 4;
    const unsigned where = in.two();
    const run& identity = identity_of<Store>();
    const log made(in, id_in(identity));
    run file = made.file;
    const std::size_t begin = d::header_size(0);
    std::size_t end = file.size();
    if (how != 0 && end > begin) {
        const std::size_t at = begin + where % (end - begin);
        end = at;
        if (how == 1) file.resize(at);
        if (how == 2) file[at] ^= std::byte{0x10};
        if (how == 3) {
            const auto from = file.begin() + static_cast<std::ptrdiff_t>(at);
            const auto size = (std::min)(std::size_t{512}, file.size() - at);
            std::fill_n(from, size, std::byte{0});
            while (end < file.size() && file[end] == made.file[end])
                ++end;  // that were zeros anyway
        }
    }
    const simulated disk(11);
    static_cast<void>(disk.make_directory(place));
    disk.write_file(std::string(place) + "/STORE", identity);
    disk.write_file(std::string(place) + "/" + d::segment_name(1), file);
    const auto db = Store::try_open(place, small_options(), disk);
    need(db.has_value(), std::string("a torn log opens, but: ") + (db ? "" : db.error().what()));
    bool failed = false;
    need(all_of(*db, failed) == made.state_at(end) && !failed,
         "what opens is the whole commits before the damage");
}

void any_commits(coffer::bytes input) {
    source in(input);
    switch (in.byte() % 4) {
        case 0:
            return recover<store<storage::file_log, durability::sync, index::hash>>(in);
        case 1:
            return recover<store<storage::file_log, durability::buffered, index::sorted>>(in);
        case 2:
            return recover<store<storage::mmap, durability::write_through, index::hash>>(in);
        default:
            return recover<store<storage::mmap, durability::buffered, index::sorted>>(in);
    }
}

std::vector<run> seeds() {
    std::vector<run> out{{}};
    for (unsigned kind = 0; kind < 4; ++kind) {
        for (unsigned how = 0; how < 4; ++how) {
            run one;
            for (const unsigned each : {kind,  how, 40U, 0U, 0U,   1U,  65U, 1U, 66U,  // put A, B
                                        0x80U, 1U,  67U, 2U, 68U,  69U,  // of a batch: put C, DE
                                        4U,    1U,  65U,                 // erase A
                                        3U,    1U,  70U, 0U, 100U, 0U,  6U,  7U, 1U,  0U, 0U}) {
                one.push_back(static_cast<std::byte>(each));
            }
            out.push_back(one);
        }
    }
    return out;
}

}  // namespace

target batches() {
    return {"batches", any_commits, seeds, false};
}

}  // namespace fuzz
