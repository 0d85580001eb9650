"""combinations.md: every combination of coffer's policies."""
from . import asked, machine
from .figures import Figures, columns, grid, machine_table, section
from .peers import latencies

GROUPS = {
    "file_log": "coffer/file_log/", "mmap": "coffer/mmap/", "map, in memory": "coffer/map/",
}


def short(subject):
    return "/".join(subject.split("/")[2:])


def members(start, single):
    return [each for each in asked.COMBINATIONS
            if each.startswith(start) and ("/single/" in each) == single]


def page(runs, about):
    """The text of combinations.md."""
    figures = Figures(runs)
    fewer = asked.entries_for("put_latency", asked.SYNC, about["entries"])
    lines = ["# Every combination", "",
             "Written by `scripts/versus --combinations`: every workload of "
             "`bench/versus/workloads.hpp` on every storage, index, durability and threading, "
             f"median of {about['repeat']} runs in changing order. {about['entries']} entries, "
             f"keys of 16 bytes, values of {about.get('value bytes', 100)}; {fewer} where `sync` "
             "puts one by one, so that its reads and its puts are of stores of different sizes. "
             "Only figures of one column promise the same after a crash.", ""]
    lines += machine_table(about) + ["", machine.quiet(runs)]
    for name, start in GROUPS.items():
        for single in (False, True):
            title = f"## {name}, `{'single' if single else 'multi'}` threading"
            lines += section(title, "Nanoseconds per operation; `space`: bytes per entry.",
                             times(figures, members(start, single)))
    wanted = [(work, work, "allocs", 1) for work in
              ("insert_in_order", "insert_at_random", "insert_batch", "overwrite",
               "erase_at_random", "get_in_order", "get_at_random", "get_16", "scan", "ycsb_A")]
    lines += section("## Allocations per operation", "Calls of operator new, of the whole process.",
                     columns(figures, "", asked.COMBINATIONS, wanted, whole))
    lines += section("## Space and memory", "Bytes per entry; loaded, overwritten twice and "
                     "compacted: bytes on disk over live bytes; written: bytes that went to the "
                     "disk for each byte that was put.",
                     columns(figures, "", asked.COMBINATIONS, [
                         ("file", "space", "bytes", 1),
                         ("index, in order", "insert_in_order", "index_per_key", 1),
                         ("index, at random", "insert_at_random", "index_per_key", 1),
                         ("private memory", "insert_at_random", "memory", 1),
                         ("loaded", "compact", "loaded", 1),
                         ("overwritten", "compact", "before", 1),
                         ("compacted", "compact", "after", 1),
                         ("written", "overwrite", "written", 1)], whole))
    lines += section("## Single puts while the index grows", "Nanoseconds.",
                     latencies(figures, "put_latency", asked.COMBINATIONS))
    lines += section("## Single puts while the store compacts", "Nanoseconds.",
                     latencies(figures, "overwrite", asked.COMBINATIONS))
    return "\n".join(lines) + "\n"


def whole(subject):
    return subject.removeprefix("coffer/")


def times(figures, subjects):
    rows = grid(figures, "", [each for each in asked.WORKLOADS if each != "space"], subjects,
                "ns", short)
    return rows + grid(figures, "", ["space"], subjects, "bytes", short)[2:]
