// tests/fuzz/mend.hpp: makes the checks of changed files match again, as an attacker would.
//
// Most changes end at a check that does not match. With the checks mended they reach the code that
// has to doubt what the bytes say.
#ifndef COFFER_TESTS_FUZZ_MEND_HPP
#define COFFER_TESTS_FUZZ_MEND_HPP

#include <coffer/format/identity.hpp>
#include <coffer/format/image.hpp>
#include <coffer/format/live.hpp>
#include <coffer/format/record.hpp>
#include <coffer/format/segment_header.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fuzz/folder.hpp"

namespace fuzz {

namespace d = coffer::detail;

inline void mend_identity(run& file) {
    if (file.size() < d::identity_at::size) return;
    std::byte* const at = file.data();
    coffer::detail::store_le(at + d::identity_at::check,
                             d::hash64(coffer::bytes(at, d::identity_at::check), d::store_magic));
}

inline d::store_id id_in(const run& identity) {
    if (identity.size() < d::identity_at::size) return {};
    const std::byte* const at = identity.data() + d::identity_at::id;
    return {d::load_le<std::uint64_t>(at), d::load_le<std::uint64_t>(at + 8)};
}

/// Everything in [from, end) that looks like a record.
inline void mend_records(run& file, std::size_t from, std::uint64_t seed) {
    std::byte* const base = file.data();
    d::record each;
    for (std::size_t at = from; at + d::smallest_record <= file.size();) {
        if (!d::parse_record(base + at, base + file.size(), each)) {
            at += 4;
            continue;
        }
        std::fill(base + (each.value.data() + each.value.size() - base), base + at + each.size,
                  std::byte{0});
        d::store_le(base + at, d::record_check(base + at, each.size, seed, at));
        at += each.size;
    }
}

inline void mend_segment(run& file, const d::store_id& store, std::uint64_t id) {
    if (file.size() < d::header_unit) return;
    std::byte* const at = file.data();
    const std::uint64_t seed = d::segment_seed(store.low, store.high, id);
    std::size_t size = d::claimed_header_size(file);
    if (size == 0 || size > file.size()) size = d::header_unit;
    const coffer::bytes head(at, size - d::header_at::check_size);
    d::store_le(at + head.size(), d::hash64(head, seed));
    mend_records(file, size, seed);
}

inline void mend_image(run& file, const d::store_id& store) {
    if (file.size() < d::image_header_size(0)) return;
    std::byte* const at = file.data();
    const std::size_t segments = d::load_le<std::uint32_t>(at + d::image_at::count);
    if (segments > file.size()) return;
    const std::size_t header = d::image_header_size(segments);
    const std::uint64_t table = d::load_le<std::uint64_t>(at + d::image_at::table);
    if (header > file.size() || table > file.size()) return;
    for (std::size_t place = static_cast<std::size_t>(table);
         place + d::image_piece_size <= file.size(); place += d::image_piece_size) {
        const auto offset = d::load_le<std::uint64_t>(at + place + 8);
        const auto size = d::load_le<std::uint64_t>(at + place + 16);
        if (offset > file.size() || size > file.size() - offset) continue;
        const coffer::bytes piece(at + offset, static_cast<std::size_t>(size));
        d::store_le(at + place + 24, d::image_piece_check(piece, store));
    }
    const auto pieces = coffer::bytes(file).subspan(static_cast<std::size_t>(table));
    d::store_le(at + d::image_at::table_check, d::image_pieces_check(pieces, store));
    d::store_le(at + header - 8, d::hash64({at, header - 8}, store.low));
}

/// Its words and pieces are memory: it is read as the memory that it is.
inline void mend_live(run& file, const d::store_id& store) {
    if (file.size() < d::live_head_size) return;
    std::byte* const at = file.data();
    d::store_le(at + d::live_at::check, d::hash64({at, d::live_at::check}, store.low));
    auto& words = *reinterpret_cast<d::live_words*>(at + d::live_at::words);
    auto* const pieces = reinterpret_cast<d::live_piece*>(at + d::live_at::pieces);
    if (words.pieces > d::most_live_pieces) return;
    for (std::uint64_t i = 0; i < words.pieces; ++i) {
        d::live_piece& each = pieces[i];
        if (each.offset > file.size() || each.used > file.size() - each.offset) continue;
        const coffer::bytes used(at + each.offset, static_cast<std::size_t>(each.used));
        each.check = d::image_piece_check(used, store);
    }
    const auto size = static_cast<std::size_t>(words.pieces) * sizeof(d::live_piece);
    words.seal = d::live_seal(words, {at + d::live_at::pieces, size}, store);
}

inline void mend(folder& all) {
    const auto identity = all.files.find(0);
    const d::store_id store = identity == all.files.end() ? d::store_id() : id_in(identity->second);
    for (auto& [which, file] : all.files) {
        if (which == 0) mend_identity(file);
        if (which == 1) mend_image(file, store);
        if (which == 2) mend_live(file, store);
        if (folder::segment_of(which) != 0) mend_segment(file, store, folder::segment_of(which));
    }
}

}  // namespace fuzz

#endif
