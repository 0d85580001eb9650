"""shapes.md: entries of other sizes, and more of them, than README.md's."""
from dataclasses import dataclass

from . import machine, peers
from .asked import (BTREE, DISK, HASH, MEMORY, MEMORY_HASH, NUMBERS, ORDERED_DISK, SORTED, pairs_of,
                    row)
from .figures import Figures, machine_table, section


@dataclass(frozen=True)
class Shape:
    """So many times the entries that are asked for; no two shapes have as many."""

    title: str
    words: str
    times: int
    key_bytes: int
    value_bytes: int
    rows: list
    random_percent: int = 50  # of a value


def rows(disk, memory_hash, memory, tree):
    """What is asked of each shape, of those peers."""
    ordered = [each for each in disk if each in ORDERED_DISK]
    return [
        row("insert in order", "insert_in_order", HASH, disk, memory),
        row("insert in order, sorted", "insert_in_order", SORTED, disk, memory),
        row("insert at random, hash", "insert_at_random", HASH, disk, memory_hash),
        row("insert at random, sorted", "insert_at_random", SORTED, ordered, tree),
        row("batches of 1000", "insert_batch", HASH, disk),
        row("get in order", "get_in_order", HASH, disk, memory),
        row("get at random, hash", "get_at_random", HASH, disk, memory_hash),
        row("get at random, 16 in one get_many", "get_16", HASH, disk, memory_hash,
            theirs="get_at_random"),
        row("get at random, sorted", "get_at_random", SORTED, ordered, tree),
        row("get, missing key", "get_missing", HASH, disk, memory_hash),
        row("full scan in key order, per entry", "scan", SORTED, ordered, tree),
        row("seek and 10 entries", "seek_10", SORTED, ordered, tree),
    ]


def changes(disk, memory_hash):
    """What is asked beside that where memory is enough."""
    return [
        row("insert, 2 threads", "insert_2_threads", HASH, disk, memory_hash),
        row("erase at random", "erase_at_random", HASH, disk, memory_hash),
        row("file bytes per entry", "space", HASH, disk, (), (None, None), figure="bytes"),
    ]


def numbers():
    """What sorted does with keys that are numbers for it, too; peers in memory have strings."""
    return [row(f"{title}, keys as numbers", workload, NUMBERS, ORDERED_DISK)
            for title, workload in (("insert in order", "insert_in_order"),
                                    ("insert at random", "insert_at_random"),
                                    ("get at random", "get_at_random"),
                                    ("full scan in key order, per entry", "scan"),
                                    ("seek and 10 entries", "seek_10"))]


FASTER_DISK = [each for each in DISK if each != "sqlite"]
SHAPES = [
    Shape("Keys and values of 8 bytes", "A key is a number, its highest byte first.", 1, 8, 8,
          rows(DISK, MEMORY_HASH, MEMORY, [BTREE]) + changes(DISK, MEMORY_HASH) + numbers()),
    Shape("Values that nothing compresses", "All of a value is random; the sizes of README.md. "
          "Without peers in memory, for which that is no difference.", 2, 16, 100,
          rows(DISK, [], [], []) + changes(DISK, []), random_percent=100),
    Shape("Keys of 24 bytes and values of 150", "The shape of the table that redb publishes; "
          "without SQLite, which takes a minute and more to insert as many at random.", 5, 24, 150,
          rows(FASTER_DISK, MEMORY_HASH, MEMORY, [BTREE]) + changes(FASTER_DISK, MEMORY_HASH)),
    Shape("Far more than caches hold", "Without peers in memory: beside the entries that are to be "
          "inserted they would not fit into this machine's.", 30, 16, 100,
          rows(FASTER_DISK, [], [], [])),
]


def asked_for(entries):
    """All that shapes.md needs, as runs.versus() takes it."""
    return [each + (shape.times * entries, shape.key_bytes, shape.value_bytes,
                    shape.random_percent)
            for shape in SHAPES for each in pairs_of(shape.rows)]


def page(runs, about):
    """The text of shapes.md."""
    verdict = peers.Verdict()
    lines = ["# Other shapes", "",
             "Written by `scripts/versus --shapes`: the workloads of README.md that a size may "
             f"change. Median of {about['repeat']} runs in changing order, ± half their range; a "
             "ratio is the median of those of each turn, with the least and the greatest. "
             "Nanoseconds per operation; with two threads, of one of them. Keys and values are "
             "handed over as strings, here as there; half of a value is random if nothing else is "
             "said. Nothing syncs, and the timed region ends with flush(). No peer on disk is to be faster: ≤ 1."
             + peers.cut_short(runs, about["repeat"]), ""] + machine_table(about) + [
                 "", machine.quiet(runs)]
    for shape in SHAPES:
        count = shape.times * about["entries"]
        figures = Figures([each for each in runs if each["n"] == count])
        lines += section(f"## {shape.title}, {count} entries", shape.words,
                         peers.against_peers(figures, verdict, {"": shape.rows}))
    return "\n".join(lines + ["", "## Kept and missed", "", verdict.count()]
                     + verdict.lines()) + "\n"
