"""Bugs that other stores had, and a few of our own: what scripts/sabotage plants in a copy of the headers.

Each is a change of one place: `old` is a text that stands there once, `new` what stands there while the
bug is switched on. kind says how the two are joined:

  value   an expression in the place of another
  skip    a statement that is left out
  code    a statement in the place of another
  text    any text in the place of another: it asks COFFER_SEEDED(N) itself

pitfall: its number in the list of pitfalls (0: none of these). suites: the suites that are to catch it,
the first one first.
"""
from typing import NamedTuple


class Bug(NamedTuple):
    name: str
    pitfall: int
    file: str
    kind: str
    old: str
    new: str = ""
    suites: tuple = ("states",)


BUGS = [
    Bug("a record's check is not compared", 3, "format/record.hpp", "value",
        "load_le<std::uint64_t>(at) != record_check(at, out.size, seed, offset)", "false",
        ("damage", "states")),
    Bug("a record's check is not bound to its offset", 9, "format/record.hpp", "value",
        "seed + offset", "seed", ("format",)),
    Bug("a record's check is not bound to its segment", 9, "format/record.hpp", "value",
        "mix(segment, id_low ^ mix(id_high, 0))", "mix(1, id_low ^ mix(id_high, 0))",
        ("damage", "states")),
    Bug("a commit without its end is replayed", 3, "journal/segment_scan.hpp", "text",
        "if (each.more) continue;", "if (each.more && !COFFER_SEEDED(N)) continue;"),
    Bug("an unreadable block is taken for the end of the log", 8, "journal/segment_scan.hpp", "text",
        "if (got) contents_ = into;\n        return got;",
        "if (got) contents_ = into;\n        if (COFFER_SEEDED(N)) return {};\n        return got;", ("units",)),
    Bug("a read that ends too early is the end of the log", 8, "journal/segment_file.hpp", "value",
        "*got == into.size()", "true", ("units",)),
    Bug("a segment goes on where the one before it does not end", 6, "journal/recovery.hpp",
        "value", "each.offset == end", "true"),
    Bug("damage below the durable place is taken for a torn tail", 26, "journal/recovery.hpp",
        "value", "(std::max)(beyond_, out_.durable) > out_.end", "false", ("damage",)),
    Bug("a live segment that is missing is left out", 26, "journal/recovery.hpp", "code",
        'if (each == nullptr) return damaged("a live segment is missing", id, 0);',
        "if (each == nullptr) continue;", ("damage",)),
    Bug("the newest segment is synced first", 7, "journal/log.hpp", "text",
        "auto done = synced([&] { return each_unsynced(",
        "if (COFFER_SEEDED(N) && active_) static_cast<void>(active_->body.sync(upto.offset()));\n"
        "        auto done = synced([&] { return each_unsynced(", ("order", "states")),
    Bug("the name of a new segment is not synced", 2, "journal/log.hpp", "skip",
        "auto named = synced([this] { return folder_->sync(); });  // I4\n"
        "            if (!named) return named.failure();", "",
        ("order", "states")),
    Bug("a failed sync is ignored", 11, "journal/log.hpp", "text",
        "result<void> done = syncs();",
        "result<void> done = syncs();\n        if (COFFER_SEEDED(N)) done = {};", ("faults", "states")),
    Bug("a failed sync does not poison, and is tried again", 11, "journal/log.hpp", "skip",
        "if (!done) give_up(&done.error());", "", ("faults", "states")),
    Bug("bytes of an earlier run are taken for durable", 14, "journal/segment.hpp", "value",
        "doubtful < upto", "false",
        ("states", "faults")),
    Bug("a full segment is left out of the sync", 7, "journal/segment.hpp", "value",
        "synced == upto", "(synced == upto || full)", ("order", "states")),
    Bug("a mark says that its own log is durable", 18, "journal/log.hpp", "value",
        "type == record_type::end ? tail() : durable()", "tail()"),
    Bug("a header says that the log before it is durable", 18, "journal/log.hpp", "text",
        "std::vector<segment_run>& runs = listed_.runs();",
        "if (COFFER_SEEDED(N)) header.durable = tail();\n"
        "        std::vector<segment_run>& runs = listed_.runs();"),
    Bug("a hand-over goes on behind what it could not write", 15, "journal/log.hpp", "text",
        "if (auto done = to.body.write_out(to.handed, end - to.handed); !done) return done;",
        "auto done = to.body.write_out(to.handed, end - to.handed);\n"
        "            if (COFFER_SEEDED(N)) to.handed = end;\n            if (!done) return done;",
        ("faults",)),
    Bug("the tail is not written again before an open answers", 14, "storage/opening.hpp", "value",
        "writes && RewritesTail && !survey->clean", "false", ("states", "faults")),
    Bug("the identity is renamed before it is synced", 30, "storage/opening.hpp", "skip",
        "if (auto done = made->sync(); !done) return done;", "", ("order", "states")),
    Bug("the folder is not synced after the rename of the identity", 1, "storage/opening.hpp", "text",
        "if (auto done = folder.rename(temporary, store_name); !done) return done;\n",
        "if (auto done = folder.rename(temporary, store_name); !done) return done;\n"
        "        if (COFFER_SEEDED(N)) return {};\n", ("order", "states")),
    Bug("the identity comes before the first segment is durable", 19, "storage/opening.hpp", "text",
        "if (auto synced = journal.sync(); !synced) return synced;\n        report_.created",
        "if (!COFFER_SEEDED(N)) { if (auto synced = journal.sync(); !synced) return synced; }\n"
        "        report_.created", ("order", "states")),
    Bug("a torn tail is cut off and not kept aside", 26, "storage/opening.hpp", "skip",
        "if (auto kept = keep_aside(torn, surveyor.scanner()); !kept) return kept;", "",
        ("units",)),
    Bug("cleaning drops a tombstone that older segments need", 20, "storage/cleaner.hpp", "value",
        "there || oldest", "true", ("units", "states")),
    Bug("cleaning copies a record without a look at its check", 33, "storage/cleaner.hpp", "value",
        "!read_record(base_ + at, base_ + victim_->end, victim_->seed, at, each)",
        "!parse_record(base_ + at, base_ + victim_->end, each)", ("units",)),
    Bug("a victim is dropped before what was moved is durable", 1, "storage/cleaner.hpp", "text",
        "if (auto synced = writer_->sync(); !synced) return synced;\n                if (auto noted",
        "if (!COFFER_SEEDED(N)) { if (auto synced = writer_->sync(); !synced) return synced; }\n"
        "                if (auto noted", ("order", "states")),
    Bug("a victim's file goes before the note of it is durable", 1, "storage/cleaner.hpp", "text",
        "if (auto synced = writer_->sync(); !synced) return synced;\n        } else {",
        "if (!COFFER_SEEDED(N)) { if (auto synced = writer_->sync(); !synced) return synced; }\n"
        "        } else {",
        ("order", "states")),
    Bug("a segment with a clear goes while older ones stay", 20, "storage/cleaner.hpp", "value",
        "(!each.has_clear || oldest)", "true", ("salvage",)),
    Bug("what a clear that is under way has written is taken for dead", 21, "storage/cleaner.hpp", "value",
        "&each != records_->clearing", "true", ("units",)),
    Bug("nobody looks whether to clean when a clear is done", 0, "storage/writer.hpp", "skip",
        "wake_->cleared();", "", ("units",)),
    Bug("a segment of which something cannot be read now is damaged for ever", 8, "storage/cleaner.hpp", "value",
        "done.error().kind() == errc::corruption", "true", ("units",)),
    Bug("what is written after a batch that failed at once is hidden", 0, "storage/writer.hpp", "value",
        "i == 0", "false", ("units",)),
    Bug("cleaning waits for a key that is being written all the time", 0, "storage/cleaner.hpp", "value",
        "records_->pending.may_lead(found, where) || known.failed()",
        "records_->pending.may_lead(found, where) || is_pending(found) || known.failed()", ("units",)),
    Bug("cleaning moves a record that was overwritten", 21, "storage/pending.hpp", "value",
        "slot == where", "slot != 0", ("states", "units")),
    Bug("a lock that another has is taken for one's own", 23, "storage/opening.hpp", "text",
        "if (*taken) break;", "if (*taken || COFFER_SEEDED(N)) break;", ("units",)),
    Bug("a forked child may use the store", 32, "storage/engine.hpp", "text",
        "if (fork_mark_.forked()) [[unlikely]]\n            return refused();",
        "if (fork_mark_.forked() && !COFFER_SEEDED(N)) [[unlikely]]\n            return refused();", ("units",)),
    Bug("the check of the identity is not compared", 3, "format/identity.hpp", "value",
        "hash64({at, identity_at::check}, store_magic)",
        "load_le<std::uint64_t>(at + identity_at::check)", ("damage",)),
    Bug("the check of a segment's header is not compared", 3, "format/segment_header.hpp", "text",
        "hash64({at, size - header_at::check_size}, seed)) {",
        "hash64({at, size - header_at::check_size}, seed) && !COFFER_SEEDED(N)) {", ("damage",)),
    Bug("the check of the index's image is not compared", 22, "journal/image_file.hpp", "value",
        "image_piece_check(piece, image_->header().store) != kept->check", "false", ("units",)),
    Bug("an image of the index that is older than the log is used", 22, "storage/opening.hpp",
        "value",
        "image.header().upto <= survey->end &&\n                     image.fits(survey->live)", "true",
        ("units", "states")),
    Bug("the index of another boot is believed", 22, "journal/live_file.hpp", "value",
        "words_->boot.load(std::memory_order_relaxed) != now", "false", ("states", "units")),
    Bug("a batch is written as one commit for each record", 3, "storage/writer.hpp", "text",
        "journal.append(each.record, i + 1 < changes.size())",
        "journal.append(each.record, !COFFER_SEEDED(N) && i + 1 < changes.size())"),
    Bug("verify believes what it reads", 3, "journal/sifting.hpp", "value",
        "read_record(contents_.data() + at, contents_.data() + limit_, seed_, at, out)",
        "parse_record(contents_.data() + at, contents_.data() + limit_, out)", ("units",)),
    Bug("a write that waits for the disk returns before it", 34, "storage/writer.hpp", "text",
        "auto done = driver_->after_write(upto, [this](position kept) { settle(kept); });",
        "auto done = COFFER_SEEDED(N) ? result<void>() : driver_->after_write(upto, [this](position kept)"
        " { settle(kept); });", ("states",)),
    Bug("a short read is taken for the end of the file", 4, "fs/native_posix.hpp", "text",
        "if (got == 0) break;  // only zero is the end of the file",
        "if (got == 0 || (COFFER_SEEDED(N) && done != 0)) break;", ("fs",)),
    Bug("a log goes on behind the bytes of a torn commit", 5, "journal/recovery.hpp", "value",
        "position(at.id, end)", "position(at.id, padded((std::max)(std::size_t(end), scan_.used())))",
        ("units", "states")),
    Bug("a torn tail keeps the store from opening", 25, "journal/recovery.hpp", "text",
        "if (auto done = judge_rest(); !done) return done.failure();",
        'if (COFFER_SEEDED(N) && out_.torn_bytes != 0) return damaged("torn", 0, 0);\n'
        "        if (auto done = judge_rest(); !done) return done.failure();", ("units", "states")),
    Bug("a new segment takes the number of one that is in the folder", 27, "storage/opening.hpp", "text",
        "build(survey->live, survey->next_id, imaged",
        "build(survey->live, COFFER_SEEDED(N) ? survey->end.segment() + 1 : survey->next_id, imaged",
        ("units", "states")),
    Bug("a segment whose header is gone is taken for an empty one", 29, "journal/recovery.hpp", "skip",
        'if (!each->born) return damaged("the header of a live segment is damaged", id, 0);', "",
        ("damage", "units")),
    Bug("a segment is used though the disk has no room for it", 17, "journal/segment_file.hpp", "text",
        "if (auto reserved = file->reserve(0, size); !reserved)",
        "if (auto reserved = file->reserve(0, size); !reserved && !COFFER_SEEDED(N))",
        ("units", "full")),
    Bug("a sync of a map does nothing", 28, "storage/mmap.hpp", "text",
        "[[nodiscard]] result<void> sync(std::uint64_t end) {\n",
        "[[nodiscard]] result<void> sync(std::uint64_t end) {\n"
        "            if (COFFER_SEEDED(N)) return {};\n", ("order", "states")),
    Bug("a file may lie on a standard stream", 31, "fs/native_posix_calls.hpp", "value",
        "opened.number_ > 2", "true", ("fs",)),
    Bug("a length may reach beyond the end of the segment", 24, "format/record.hpp", "text",
        "if (size > static_cast<std::uint64_t>(limit - at)) return false;",
        "if (!COFFER_SEEDED(N) && size > static_cast<std::uint64_t>(limit - at)) return false;\n"
        "    if (COFFER_SEEDED(N)) {\n"
        "        out.key = {next, static_cast<std::size_t>(key)};\n"
        "        out.value = {next + key, static_cast<std::size_t>(value)};\n"
        "        out.size = static_cast<std::size_t>(limit - at);\n"
        "        return true;\n    }", ("format",)),
    Bug("the count of runs in a header is believed", 24, "format/segment_header.hpp", "text",
        "if (count > (size - header_at::runs - header_at::check_size) / header_at::run_size)",
        "if (!COFFER_SEEDED(N) &&\n"
        "        count > (size - header_at::runs - header_at::check_size) / header_at::run_size)", ("format",)),
    Bug("an index in a file gets as much memory as it asks for", 24, "journal/image_file.hpp", "text",
        "if (kept == nullptr || kept->size > size) return damaged();",
        "if (COFFER_SEEDED(N) && kept == nullptr) return fresh_.allocate(region, number, size);\n"
        "        if (kept == nullptr || kept->size > size) return damaged();", ("memory",)),
    Bug("the end of a header is what memory held before", 0, "format/segment_header.hpp", "skip",
        "std::memset(to, 0, size);", "", ("memory",)),
    Bug("of where a segment was cut the first header is believed, not the last", 6, "journal/recovery.hpp",
        "text", "if (id - run.first < run.count) cut = run.end;",
        "if (id - run.first < run.count) {\n"
        "                    if (COFFER_SEEDED(N)) return run.end;\n"
        "                    cut = run.end;\n                }", ("units",)),
    Bug("a record may drop its own segment", 24, "journal/recovery.hpp", "value",
        "dropped >= at.id", "dropped > at.id", ("units",)),
    Bug("what failed is taken back while another thread makes it durable", 34, "storage/writer.hpp", "skip",
        "records_->journal.wait_for_turns();", "", ("schedules",)),
    Bug("a descriptor that an index still leads to serves again", 21, "storage/records.hpp", "text",
        "if (bearer != nullptr) {\n            pending.retire",
        "if (bearer != nullptr || COFFER_SEEDED(N)) {\n            pending.retire", ("units",)),
    Bug("a key of a group is answered from before the answer in front of it", 0, "storage/records.hpp",
        "value", "!late", "true", ("units",)),
    Bug("a deadline is forgotten when its work fails", 34, "durability/deadline.hpp", "skip",
        "since_.compare_exchange_strong(unset, since, std::memory_order_seq_cst);", "", ("units",)),
    Bug("behind the largest number positions begin anew", 27, "journal/log_segments.hpp", "value",
        "number > largest_segment_id", "false", ("units",)),
    Bug("on a full disk a store with a torn tail cannot be opened", 17, "storage/opening.hpp", "value",
        "done.error().kind() == errc::no_space", "false", ("units",)),
    Bug("a piece of an index that serves again may lie in a hole", 17, "journal/live_file.hpp", "value",
        "!has_blocks(each)", "false", ("units",)),
    Bug("room for a batch does not mind how long its keys are", 0, "index/sorted_pool.hpp", "value",
        "next.key_bytes + 16 * next.count", "16 * next.count", ("index",)),
    Bug("a file of somebody else is removed from a folder that becomes a store", 0, "storage/opening.hpp",
        "value", "id == 0 ? word == 0 : word == segment_magic || (in_units && id == 1)", "true", ("units",)),
    Bug("of the slots that readers added none is looked at", 21, "core/epoch.hpp", "text",
        "in != nullptr; in = behind(*in)) {",
        "in != nullptr; in = COFFER_SEEDED(N) ? nullptr : behind(*in)) {", ("index",)),
    Bug("zeros behind the last record are taken for a torn tail", 10, "journal/segment_scan.hpp", "value",
        "size_without_zeros(contents_)", "contents_.size()", ("units",)),
    Bug("an identity that a full disk has cut short keeps the store from being made", 16, "storage/opening.hpp",
        "value", "*size <= identity_at::size", "*size == identity_at::size", ("units",)),
    Bug("an index in a file may call durable what was never written", 18, "storage/resuming.hpp", "value",
        "durable > end", "false", ("units",)),
    Bug("who began to read before a batch failed is shown it", 34, "storage/pending.hpp", "value",
        "readers_->oldest() <= failed_at_", "false", ("units",)),
    Bug("what a failed batch has left is cut away under its readers", 34, "journal/log.hpp", "value",
        "to.torn", "false", ("units",)),
    Bug("marks are kept for ever", 17, "journal/log.hpp", "skip",
        "active_->count_dead(mark_size);", "", ("units",)),
    Bug("tombstones count only in the oldest segment", 17, "storage/cleaner.hpp", "value",
        "leads ? most : gone", "gone", ("units",)),
    Bug("what cleaning meets in the background is told to nobody", 0, "storage/cleaner.hpp", "skip",
        "untold_ = coffer::failure(done.error());", "", ("units",)),
    Bug("what is behind a clear in its batch is not counted", 0, "storage/writer.hpp", "value",
        "last ? tombstones : 0", "0", ("units",)),
    Bug("the background waits for whoever calls compact()", 34, "storage/cleaner.hpp", "text",
        "if (!cleaning_.try_lock()) return false;",
        "if (COFFER_SEEDED(N)) cleaning_.lock();\n        else if (!cleaning_.try_lock()) return false;",
        ("units",)),
    Bug("an index that is kept beside the log takes no space", 0, "storage/cleaner.hpp", "value",
        "records_->journal.keeper().disk_bytes()", "std::uint64_t{0}", ("units",)),
    Bug("writers do not wait for a cleaner that is late", 0, "storage/cleaning_debt.hpp", "skip",
        "if (is_late()) [[unlikely]]\n            wait_for(bytes);", "", ("units",)),
    Bug("a making that was killed is not forgiven for its reserve", 17, "journal/space_reserve.hpp", "value",
        "(segment_bytes + header_unit - 1) / header_unit * header_unit", "segment_bytes", ("units",)),
    Bug("a segment that was cut behind one of its marks is taken for whole", 26, "journal/recovery.hpp", "value",
        "seals || !header.tells_seal", "true", ("units", "damage")),
]

# Pitfalls that no bug stands for, and why.
ABSENT = {
    12: "a segment's descriptor lives as long as its segment, which stays until it is synced: there is no close to put"
        " too early",
    13: "a sync holds the object that owns the descriptor; there is no number that could be used again",
    35: "what a kernel does not keep cannot be found from within; docs/contract.md assumes that it does",
}
