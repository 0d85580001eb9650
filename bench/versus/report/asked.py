"""Subjects, workloads, and what is asked of coffer. bench/versus/workloads.hpp says what each
workload does."""
import re
from dataclasses import dataclass

HASH, SORTED = "coffer/file_log/hash/buffered", "coffer/file_log/sorted/buffered"
ASYNC, THROUGH = "coffer/file_log/hash/async", "coffer/file_log/hash/write_through"
SYNC = "coffer/file_log/hash/sync"
SINGLE = "coffer/file_log/hash/single/buffered"
SINGLE_SORTED = "coffer/file_log/sorted/single/buffered"
MMAP, MMAP_SORTED = "coffer/mmap/hash/buffered", "coffer/mmap/sorted/buffered"
MAP, MAP_SORTED = "coffer/map/hash/buffered", "coffer/map/sorted/buffered"
# Keys are numbers of 64 bits, which sorted compares without a look at the log.
NUMBERS = SORTED + "/numbers"

DISK = ["tkrzw/hash", "tkrzw/tree", "lmdb", "leveldb", "rocksdb", "sqlite"]
ORDERED_DISK = [each for each in DISK if each != "tkrzw/hash"]
# Those whose every write is with the operating system when it returns.
HANDING_OVER = ["tkrzw/hash", "lmdb", "leveldb", "rocksdb", "sqlite"]
POSTGRESQL = "postgresql"
# Those with a way to take all entries in one piece: a transaction, a COPY.
BULK = ["lmdb", "sqlite", POSTGRESQL]
MEMORY_HASH = ["std/unordered_map", "absl/flat_hash_map", "boost/unordered_flat_map",
               "tbb/concurrent_hash_map"]
BTREE = "absl/btree_map"
MEMORY = MEMORY_HASH + [BTREE]


@dataclass(frozen=True)
class Row:
    """coffer against the best peer on disk and the best in memory. `most`: the ratios that are
    allowed, None where nothing is asked; `theirs`: the peers' workload if it is another one."""

    title: str
    workload: str
    subject: str
    disk: tuple = ()
    memory: tuple = ()
    most: tuple = (1.0, None)
    theirs: str = ""
    figure: str = "ns"
    scale: float = 1

    @property
    def of_peers(self):
        return self.theirs or self.workload


def row(title, workload, subject, disk=(), memory=(), most=(1.0, None), **more):
    return Row(title, workload, subject, tuple(disk), tuple(memory), most, **more)


# Each section has one durability class: what a returned write promises is the same in all of its
# rows, and in what coffer is held against on disk.
SECTIONS = {
    "Writes without a sync": [
        row("insert in order", "insert_in_order", HASH, DISK, MEMORY, (0.5, 1.0)),
        row("insert in order, sorted", "insert_in_order", SORTED, DISK, MEMORY, (0.5, 1.0)),
        row("insert at random, hash", "insert_at_random", HASH, DISK, MEMORY_HASH, (0.5, 0.6)),
        row("insert at random, sorted", "insert_at_random", SORTED, ORDERED_DISK, [BTREE],
            (0.5, 0.6)),
        row("fill at random, some keys again", "fill_at_random", HASH, DISK, MEMORY_HASH),
        row("insert, 2 threads", "insert_2_threads", HASH, DISK, MEMORY, (0.5, 0.6)),
        row("insert, 2 threads, sorted", "insert_2_threads", SORTED, DISK, MEMORY, (0.5, 0.6)),
        row("batches of 1000", "insert_batch", HASH, DISK + [POSTGRESQL], [], (0.6, None)),
        row("batches of 1000, sorted", "insert_batch", SORTED, DISK + [POSTGRESQL], [],
            (0.6, None)),
        row("batches of 1000, peers all in one piece", "insert_batch", HASH, BULK, [],
            (None, None), theirs="insert_bulk"),
        row("overwrite at random", "overwrite", HASH, DISK, MEMORY_HASH),
        row("erase in order", "erase_in_order", HASH, DISK, MEMORY_HASH),
        row("erase at random", "erase_at_random", HASH, DISK, MEMORY_HASH),
        row("compact, per live entry", "compact", HASH, DISK, [], (None, None)),
    ],
    "Writes and one sync behind them, closing included": [
        row(title + ", and a sync", workload, subject, DISK + more, figure="synced_ns")
        for title, workload, subject, more in (
            ("insert in order", "insert_in_order", HASH, []),
            ("insert in order, sorted", "insert_in_order", SORTED, []),
            ("insert at random, hash", "insert_at_random", HASH, []),
            ("batches of 1000", "insert_batch", HASH, [POSTGRESQL]),
            ("batches of 1000, sorted", "insert_batch", SORTED, [POSTGRESQL]))
    ],
    "Writes that a killed process does not lose": [
        row("insert in order, write_through", "insert_in_order", THROUGH, HANDING_OVER, [],
            (None, None)),
        row("insert in order, mmap", "insert_in_order", MMAP, HANDING_OVER, [], (None, None)),
        row("insert at random, mmap", "insert_at_random", MMAP, HANDING_OVER, [], (None, None)),
    ],
    "Writes that wait for the disk": [
        row("durable insert, 1 thread", "durable_1", SYNC, DISK + [POSTGRESQL]),
        row("durable insert, 2 threads", "durable_2", SYNC, DISK + [POSTGRESQL]),
        row("durable insert, 4 threads", "durable_4", SYNC, DISK + [POSTGRESQL]),
        row("durable insert, 8 threads", "durable_8", SYNC, DISK + [POSTGRESQL], most=(0.5, None)),
        row("durable batches of 1000", "durable_batch", SYNC, DISK + [POSTGRESQL]),
    ],
    "Reads": [
        row("get in order", "get_in_order", HASH, DISK, MEMORY, (0.5, 0.5)),
        row("get in order, sorted", "get_in_order", SORTED, DISK, MEMORY, (0.5, 0.5)),
        row("get at random, hash", "get_at_random", HASH, DISK, MEMORY_HASH, (0.6, 0.8)),
        row("get at random, 16 in one get_many", "get_16", HASH, DISK, MEMORY_HASH, (0.3, 0.4),
            theirs="get_at_random"),
        row("get at random, sorted", "get_at_random", SORTED, ORDERED_DISK, [BTREE], (0.6, 0.5)),
        row("get at random, 2 threads", "get_2_threads", HASH, DISK, MEMORY_HASH),
        row("get, 1000 hot keys", "get_hot", HASH, DISK, MEMORY, (0.5, 0.7)),
        row("get, 1 % of the keys", "get_hot_percent", HASH, DISK, MEMORY),
        row("get, missing key", "get_missing", HASH, DISK, MEMORY, (0.5, 1.0)),
        row("get while another thread writes", "read_while_writing", HASH, DISK, MEMORY),
        row("full scan in key order, per entry", "scan", SORTED, ORDERED_DISK, [BTREE]),
        row("full scan backwards, per entry", "scan_back", SORTED, ORDERED_DISK, [BTREE]),
        row("seek and 10 entries", "seek_10", SORTED, ORDERED_DISK, [BTREE]),
    ],
    "YCSB, writes without a sync": [
        row(f"YCSB {letter}" + (", 2 threads" if threads else ""), f"ycsb_{letter}{threads}",
            *((SORTED, ORDERED_DISK, [BTREE]) if letter == "E" else (HASH, DISK, MEMORY_HASH)))
        for letter in "ABCDEF" for threads in ("", "_2")
    ],
    "In memory": [
        row("map: insert in order", "insert_in_order", MAP, [], MEMORY, (None, 0.5)),
        row("map: insert at random", "insert_at_random", MAP, [], MEMORY_HASH, (None, 0.5)),
        row("map: get in order", "get_in_order", MAP, [], MEMORY, (None, 0.7)),
        row("map: get at random", "get_at_random", MAP, [], MEMORY_HASH, (None, 0.7)),
        row("map, sorted: insert in order", "insert_in_order", MAP_SORTED, [], MEMORY,
            (None, 0.5)),
        row("map, sorted: get in order", "get_in_order", MAP_SORTED, [], MEMORY, (None, 0.7)),
        row("map, sorted: insert at random", "insert_at_random", MAP_SORTED, [], [BTREE],
            (None, 0.5)),
        row("map, sorted: get at random", "get_at_random", MAP_SORTED, [], [BTREE], (None, 0.7)),
    ],
    "Opening and space": [
        row("reopen, clean: ms", "reopen", HASH, DISK, [], (None, None), scale=1e-6),
        row("reopen, killed: ms", "reopen_killed", HASH, DISK, [], (None, None), scale=1e-6),
        row("file bytes per entry", "space", HASH, DISK, [], (None, None), figure="bytes"),
    ],
}
ROWS = [each for rows in SECTIONS.values() for each in rows]


def ycsb(letter, *more):
    """The row of a mix; `more` is what follows in the name of its workload."""
    name = "".join([f"ycsb_{letter}", *more])
    words = {"_uniform": ", uniform", "_2": ", 2 threads"}
    title = letter + "".join(words[each] for each in more)
    return row(title, name, *((SORTED, ORDERED_DISK, [BTREE]) if letter == "E"
                              else (HASH, DISK, MEMORY_HASH)))


# ycsb.md: all mixes, with popular keys and without.
YCSB = {"Writes without a sync": [
    ycsb(letter, *draw, *threads) for letter in "ABCDEF"
    for draw in ((), ("_uniform",)) if letter != "D" or not draw
    for threads in ((), ("_2",))
]}


@dataclass(frozen=True)
class Limit:
    """A figure of coffer that has a limit of its own, or in relation to another (workload,
    subject); `beside`: its ratio over that one is shown, and not judged."""

    title: str
    workload: str
    subject: str
    most: float
    against: tuple = ()
    beside: tuple = ()
    figure: str = "ns"
    scale: float = 1


LIMITS = [
    Limit("durable insert, 1 thread, over append and fdatasync alone", "durable_1", SYNC, 1.05,
          ("append_sync", "floor")),
    Limit("file_log, reopen, clean: ms", "reopen", HASH, 20, scale=1e-6),
    Limit("file_log, reopen, killed: ms", "reopen_killed", HASH, 150, scale=1e-6),
    Limit("mmap, reopen, clean: ms", "reopen", MMAP, 2, scale=1e-6),
    Limit("mmap, reopen, killed: ms", "reopen_killed", MMAP, 2, scale=1e-6),
    Limit("mmap, sorted, reopen, clean: ms", "reopen", MMAP_SORTED, 2, scale=1e-6),
    Limit("mmap, sorted, reopen, killed: ms", "reopen_killed", MMAP_SORTED, 2, scale=1e-6),
    Limit("file bytes per entry", "space", HASH, 132, figure="bytes"),
    Limit("bytes on disk over live bytes after overwriting", "overwrite", HASH, 2.0,
          figure="space"),
    Limit("index bytes per key, hash", "insert_at_random", HASH, 20, figure="index_per_key"),
    Limit("index bytes per key, sorted", "insert_at_random", SORTED, 24, figure="index_per_key"),
    Limit("bytes on disk over live bytes after overwriting, sorted", "overwrite", SORTED, 2.0,
          figure="space"),
    # One for the log itself, two for cleaning.
    Limit("bytes written per byte put while overwriting", "overwrite", HASH, 3.0,
          figure="written"),
    Limit("bytes written per byte put while overwriting, sorted", "overwrite", SORTED, 3.0,
          figure="written"),
    *(Limit(f"longest put while {what}{whose}: ms", workload, subject, 5,
            beside=("longest_gap", "floor"), figure="max", scale=1e-6)
      for what, workload, subjects in (
          ("the index grows", "put_latency",
           {"": HASH, ", sorted": SORTED, ", async": ASYNC, ", write_through": THROUGH,
            ", mmap": MMAP, ", map": MAP}),
          ("compacting", "overwrite",
           {"": HASH, ", sorted": SORTED, ", write_through": THROUGH, ", mmap": MMAP,
            ", single": SINGLE}))
      for whose, subject in subjects.items()),
    Limit("single over multi: insert in order, hash", "insert_in_order", SINGLE, 1 / 1.15,
          ("insert_in_order", HASH)),
    Limit("single over multi: insert at random, hash", "insert_at_random", SINGLE, 1 / 1.15,
          ("insert_at_random", HASH)),
    Limit("single over multi: insert at random, sorted", "insert_at_random", SINGLE_SORTED,
          1 / 1.15, ("insert_at_random", SORTED)),
    Limit("single over multi: get in order, hash", "get_in_order", SINGLE, 1.0,
          ("get_in_order", HASH)),
    Limit("single over multi: get at random, hash", "get_at_random", SINGLE, 1.0,
          ("get_at_random", HASH)),
    Limit("single over multi: get at random, sorted", "get_at_random", SINGLE_SORTED, 1.0,
          ("get_at_random", SORTED)),
]

# A row or limit that is missed: what a profile shows and what was tried, by title.
IN_ORDER = (
    "A hash looks into another cache line for each key, where a tree finds its last leaf in the "
    "cache. Tried: neighbouring keys in one bucket, which made reads in order faster by 30 % and "
    "reads of missing keys slower by half. Keys in order are for `sorted`.")
MISSING = (
    "One line of a table of 18 MB, where the peers in memory look into a byte for each key. "
    "`single`, whose readers need no pin, takes three quarters of the time.")
BYTES = (
    "128 are log: 116 of data, 8 of check, 3 of head and sizes, 1 to fill up to four. 18 are "
    "INDEX, a cache of the index, which may be deleted. Looked into: an image of 4 bytes an entry, "
    "from which no table can be made without reading keys (42 bits of hash and a place).")
ALONE = (
    "A store of `single` has no thread of its own: it prepares segments and hands over itself, "
    "which under `multi` another core does. Of instructions on the caller's own thread it has "
    "886 a put in order in place of 1023, and 888 at random in place of 1024.")
TWO_THREADS = (
    "Writers are serial, and most of a put lies within their section. Tried: fetching the bucket "
    "before the lock (no gain); a lock that is looked at less and less often (734 to 453 ns).")
A_SCAN = (
    "276 instructions an entry, a third of them the check of its record, which the peers do not "
    "do. Tried: fetching eight records and the next leaf ahead (45 to 34 ns), going on from leaf "
    "to leaf without a new descent (27 to 23), entering the page tables when a segment is full "
    "(9 %), 24 records ahead (36 to 26 where keys were put at random, the same in order), the "
    "check in AVX2 (2 to 6 %, left).")
A_SEEK = (
    "A descent (726 instructions where the key is missing, 962 before) and then ten entries as in a "
    "scan. Tried: what made scans faster, which left it as it was; fetching what is shown while the "
    "bound's own record is waited for; no allocation for the bound (4 % less).")
A_GET = (
    "Two waits for memory, one after the other, bucket and record; both chases together take as "
    "long. The peers in memory wait for more lines, but do so in a third of the instructions, so "
    "that the processor begins the next get meanwhile. A get on a file of 398 instructions (442 at "
    "da61be3) is at the edge of that window: of five turns at c18ebd6 three took 228 to 241 ns and "
    "two 324 and 378. Tried: no pin (no gain), fetching the bucket before the pin (no gain), large "
    "pages of the page cache; what helped was fewer instructions, and for `map` to ask for the "
    "value before its head has come (6 %).")
HOT = (
    "Everything is in the caches, so instructions count: 318 for a view (403 at da61be3), 91 of "
    "them to check the record, which the peers in memory do not do. Without a file, so without "
    "the check, a get takes three fifths of it.")
GET_MANY = (
    "The misses of a group overlap, so instructions count: 504 a key (567 in this run), of which 91 "
    "check its record, 80 copy the value into the caller's string and 70 are the caller's loop. What "
    "helped: fetching the records, too (440 to 205 ns), computing nothing twice (117 to 101), and, "
    "since this run, finding each key once (567 to 504 instructions).")
ALONE_DURABLE = (
    "A commit makes the floor's two calls, a pwrite and an fdatasync, and no other: strace. The "
    "ratios of five turns go from 0.99 to 1.22, so this is by what the disk takes.")
BATCHES = (
    "791 instructions an entry, 116 of them for the check; of 1011 before, 186 were for the table "
    "and its growth, 100 for the lookup, 150 to bring the bytes into the batch and the log. Tried: "
    "fetching eight buckets ahead, which halved it; hiding new keys by their place in place of "
    "descriptors; splits without branches that nothing predicts, and one copy into the batch (6 %).")
SPACE = (
    "At 9128453 nothing held writers back while the one thread that cleans was slower than they were. "
    "Since then they wait for it (docs/decisions.md): 1.8 on one processor, 4.8 before.")
A_GET_SORTED = (
    "A descent whose every level waits for memory, and then the record. It was 0.52 of lmdb where "
    "memory was faster, and 0.53 on the Xeon at 06c55b3; in this run the spread is more than half. "
    "Not profiled on this machine.")
OPENING_MAPPED = (
    "1.27 ms on the Xeon at 06c55b3; this machine's page faults are slower. Not profiled.")
OPENING = (
    "Before the index is believed one line of each node is looked at, 22 MB away from each other, "
    "where `hash` looks at its directory. Half of the time the system maps those pages, one by one. "
    "Tried: nodes asked for 16 ahead (no gain: what is not mapped cannot be fetched), all mapped by "
    "one call (no gain), and the file written in large blocks, which maps five times as fast but "
    "would make a put wait 8 to 17 ms when the index grows.")
LONGEST = (
    "A thread that only reads the clock beside one that writes files waits as long: the row "
    "`longest_gap` below, 4 to 14 ms in six runs by hand and 32 in one. Probes around each wait of a "
    "put: of 3 M random overwrites of `sorted` two to seven took longer than 3 ms, up to 24; they "
    "had 0.1 ms of the processor, no switch to another thread and none waiting for them, also where "
    "they waited for nothing, and the guest's count of stolen time rose: the host takes a processor "
    "while both are busy and the disk works. So has the holder of the section that others wait for. "
    "What was coffer's own, up to 12 ms where a buffer was full and 9 at the first touch of a huge "
    "page, is mended (docs/decisions.md). `mmap` waits 2 ms for the cleaner and 2 to 10 ms in page "
    "faults while a sync is under way; `single` syncs in its calls.")
GROWTH = (
    "The host takes a processor while both are busy and the disk works (row `longest_gap` below, and "
    "what is said of compacting). leveldb had 4 ms there at 72063fb, lmdb 9, sqlite 114.")
ON_THIS_MACHINE = (
    "In the run before, on an EPYC, this was met; here the turns of both spread by a third and more. "
    "Not profiled here.")
ALONE_GET = (
    "The same way with fewer instructions (286 a view in place of 318); the spread of both is "
    "larger than the difference.")
A_MAP_GET = (
    "The tree finds neighbours in one node, a hash looks into another line for each key. Tried: "
    "asking for the value before its head has come (98 to 77 ns). Keys in order are for `sorted`.")
DURABLE = (
    "Between two syncs eight threads are woken on two processors. Tried: looking before sleeping "
    "(25 to 20 us), gathering (40 to 25), sleeping by the system's own call (no gain).")
NOTES = {
    "insert in order": IN_ORDER,
    "map: insert in order": IN_ORDER,
    "map: get at random": A_GET,
    "map: get in order": A_MAP_GET,
    "get at random, sorted": A_GET_SORTED,
    "bytes on disk over live bytes after overwriting": SPACE,
    "get, missing key": MISSING,
    "file bytes per entry": BYTES,
    "single over multi: insert in order, hash": ALONE,
    "single over multi: insert at random, hash": ALONE,
    "single over multi: insert at random, sorted": ALONE,
    "single over multi: get at random, hash": ALONE_GET,
    "single over multi: get at random, sorted": ALONE_GET,
    "mmap, reopen, killed: ms": OPENING_MAPPED,
    "mmap, sorted, reopen, clean: ms": OPENING,
    "mmap, sorted, reopen, killed: ms": OPENING,
    **{f"longest put while compacting{whose}: ms": LONGEST
       for whose in ("", ", sorted", ", write_through", ", mmap", ", single")},
    **{f"longest put while the index grows{whose}: ms": GROWTH
       for whose in ("", ", sorted", ", async", ", write_through", ", mmap", ", map")},
    **{f"file_log/{index}, put_latency, ten times the entries: longest put, ms": GROWTH
       for index in ("hash", "sorted")},
    "batches of 1000, sorted": BATCHES,
    "map, sorted: insert in order": ON_THIS_MACHINE,
    "single over multi: get in order, hash": ALONE_GET,
    "insert, 2 threads": TWO_THREADS,
    "insert, 2 threads, sorted": TWO_THREADS,
    "batches of 1000": BATCHES,
    "get at random, hash": A_GET,
    "get at random, 2 threads": A_GET,
    "get at random, 16 in one get_many": GET_MANY,
    "durable insert, 1 thread, over append and fdatasync alone": ALONE_DURABLE,
    "get, 1000 hot keys": HOT,
    "get, 1 % of the keys": HOT,
    "durable insert, 8 threads": DURABLE,
    "full scan in key order, per entry": A_SCAN,
    "full scan backwards, per entry": A_SCAN,
    "seek and 10 entries": A_SEEK,
    "YCSB E": A_SEEK,
}

POLICIES = [HASH, SORTED, ASYNC, THROUGH, SINGLE, MMAP, MMAP_SORTED, MAP, MAP_SORTED]
POLICY_WORKLOADS = [
    "insert_in_order", "insert_at_random", "insert_batch", "insert_2_threads", "get_in_order",
    "get_at_random", "get_hot", "get_missing", "reopen", "reopen_killed",
]
# What the workloads take where nothing is kept.
NOTHING = "nothing"
HARNESS = ["insert_in_order", "insert_at_random", "insert_batch", "get_in_order", "get_at_random",
           "get_missing"]

# `nothing` shows for how long the machine itself holds a program up.
TIMED_PUTS = [HASH, SORTED, ASYNC, THROUGH, MMAP, MAP] + DISK + MEMORY + [NOTHING]
OVERWRITTEN = [HASH, SORTED, SINGLE, THROUGH, MMAP] + DISK
LOADED = [HASH, SORTED, ASYNC, SYNC] + DISK + [POSTGRESQL]
FLOORS = ["memcpy", "pwrite", "append_sync", "reserved_sync", "extend_sync", "chase_1", "chase_16",
          "chase_128", "chase_1024", "huge_chase_128", "huge_chase_1024", "longest_gap"]

# Ten times the entries: no cliff, and no memory beside index and buffers.
LARGE = [HASH, SORTED]
LARGE_WORKLOADS = ["insert_in_order", "insert_at_random", "get_at_random", "put_latency"]
LARGE_RATIO, LARGE_MEMORY, LARGE_LONGEST = 2.5, 1.1, 5  # the longest put: ms

GROUP_COMMIT = [SYNC, "leveldb", "rocksdb"]
WRITERS = (1, 2, 4, 8)

PROMISES = ["buffered", "async", "write_through", "sync"]
# Every combination, and everything that is asked of it.
COMBINATIONS = [
    f"coffer/{storage}/{index}{threading}/{promise}"
    for storage in ("file_log", "mmap", "map")
    for index in ("hash", "sorted")
    for threading in ("", "/single")
    for promise in (["buffered"] if storage == "map" else PROMISES)
]
WORKLOADS = [
    "insert_in_order", "insert_at_random", "fill_at_random", "insert_2_threads", "insert_batch",
    "put_latency", "durable_1", "durable_2", "durable_4", "durable_8", "durable_batch",
    "get_in_order", "get_at_random", "get_2_threads", "get_16", "get_hot", "get_hot_percent",
    "get_missing", "scan", "scan_back", "seek_10", "read_while_writing", "overwrite",
    "erase_in_order", "erase_at_random", "compact", "space", "reopen", "reopen_killed",
] + [each.workload for each in YCSB["Writes without a sync"]]
# Where every put of `sync` waits for the disk, it has fewer entries.
SINGLE_PUTS = {
    "insert_in_order", "insert_at_random", "fill_at_random", "insert_2_threads", "put_latency",
    "overwrite", "erase_in_order", "erase_at_random", "compact",
} | {each for each in WORKLOADS if re.match("ycsb_[^C]", each)}
FEWER = 50


# They leave a store as it was, so that one filled store serves several of them.
READS = {
    "get_in_order", "get_at_random", "get_2_threads", "get_16", "get_hot", "get_hot_percent",
    "get_missing", "scan", "scan_back", "seek_10",
}


def entries_for(workload, subject, entries):
    waits = subject.endswith("/sync") and workload in SINGLE_PUTS
    return max(entries // FEWER, 1000) if waits else entries


def pairs_of(rows):
    wanted = {}
    for each in rows:
        wanted[(each.workload, each.subject)] = None
        wanted.update({(each.of_peers, peer): None for peer in each.disk + each.memory})
    return wanted


def pairs():
    """Every (workload, subject) that README.md needs."""
    wanted = pairs_of(ROWS)
    for each in LIMITS:
        wanted[(each.workload, each.subject)] = None
        wanted.update({other: None for other in (each.against, each.beside) if other})
    wanted.update({(work, each): None for work in POLICY_WORKLOADS for each in POLICIES})
    wanted.update({("put_latency", each): None for each in TIMED_PUTS})
    wanted.update({("overwrite", each): None for each in OVERWRITTEN + [NOTHING]})
    wanted.update({("compact", each): None for each in OVERWRITTEN})
    wanted.update({("insert_batch", each): None for each in LOADED if each != SYNC})
    wanted.update({("insert_in_order", each): None for each in [ASYNC] + DISK})
    wanted.update({(f"durable_{n}", each): None for n in WRITERS for each in GROUP_COMMIT})
    wanted.update({(each, "floor"): None for each in FLOORS})
    wanted.update({(each, NOTHING): None for each in HARNESS})
    return list(wanted)


def ycsb_pairs():
    return list(pairs_of(YCSB["Writes without a sync"]))


def large_pairs():
    return [(workload, each) for workload in LARGE_WORKLOADS for each in LARGE]
