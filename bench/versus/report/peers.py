"""README.md: coffer and its peers."""
import collections
import os
import re
import statistics

from . import asked, machine
from .figures import (Figures, columns, grid, machine_table, range_shown, section, shown, table)

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCES = ["coffer.cpp", "tkrzw.cpp", "lmdb.cpp", "leveldb.cpp", "rocksdb.cpp", "lsm.hpp",
           "sqlite.cpp", "postgresql.cpp", "memory.cpp"]


def short(subject):
    return subject.replace("coffer/", "").replace("/buffered", "")


def options():
    """What the first comment of each subject's file says."""
    lines = []
    for name in SOURCES:
        words = []
        with open(os.path.join(HERE, name), encoding="utf-8") as source:
            for line in source:
                if not line.startswith("//"):
                    break
                words.append(line[2:].strip())
        text = " ".join(words)
        lines.append(f"- `{name}`: " + re.sub(r"^\S+: ", "", text))
    return lines


class Verdict:
    """Whether each row keeps what is asked of it."""

    def __init__(self):
        self.missed, self.met = [], 0

    def mark(self, title, ratio, most, note=None):
        """What is asked, and whether that is so; `note`: under what title asked.NOTES explains."""
        if most is None:
            return ""
        if ratio <= most:
            self.met += 1
            return f", ≤ {most:.3g} ✓"
        self.missed.append((title, note or title, ratio, most))
        return f", ≤ {most:.3g} ✗"

    def count(self):
        return f"{self.met} limits are met, {len(self.missed)} are missed."

    def lines(self):
        lines = [""] if self.missed else []
        for title, note, ratio, most in self.missed:
            by = f"{ratio:.2f} in place of {most:.3g}, {100 * (ratio / most - 1):.0f} % too much"
            lines.append(f"- {title}: {by}. {asked.NOTES.get(note, 'Not looked into.')}")
        return lines


def row(figures, entry, verdict):
    """One line of the table of peers; None if coffer's figure is missing."""
    mine = (entry.workload, entry.subject)
    value = figures.of(*mine, entry.figure)
    if value is None:
        return None
    cells = [entry.title, f"{shown(value, entry.scale)} ± "
             f"{100 * figures.spread(*mine, entry.figure):.0f} %"]
    for peers, most, kind in zip((entry.disk, entry.memory), entry.most, ("disk", "memory")):
        found, whose = figures.best(entry.of_peers, peers, entry.figure)
        ratios = figures.ratios(mine, (entry.of_peers, whose), entry.figure) if whose else []
        if not ratios:
            cells += ["–", "–"]
            continue
        mark = verdict.mark(f"{entry.title}, over {whose} ({kind})",
                            statistics.median(ratios), most, entry.title)
        cells += [f"{shown(found, entry.scale)} {whose}", range_shown(ratios) + mark]
    return cells


def against_peers(figures, verdict, sections=None):
    lines = []
    for title, rows in (sections or asked.SECTIONS).items():
        cells = [each for each in (row(figures, entry, verdict) for entry in rows) if each]
        if cells:
            lines += table([title, "coffer", "best on disk", "ratio", "best in memory", "ratio"],
                           cells) + [""]
    return lines


def limits(figures, verdict):
    lines = []
    for each in asked.LIMITS:
        value = figures.of(each.workload, each.subject, each.figure)
        if value is None:
            continue
        cells = [each.title, shown(value, each.scale), "–"]
        judged = value * each.scale
        if each.against:
            ratios = figures.ratios((each.workload, each.subject), each.against, each.figure)
            if not ratios:
                continue
            judged = statistics.median(ratios)
            cells[2] = range_shown(ratios)
        elif each.beside:
            ratios = figures.ratios((each.workload, each.subject), each.beside, each.figure)
            cells[2] = range_shown(ratios) if ratios else "–"
        cells.append(verdict.mark(each.title, judged, each.most).removeprefix(", "))
        lines.append(cells)
    return table(["", "coffer", "ratio", "limit"], lines) if lines else []


def loading(figures):
    """Entries per second of those that take many at once."""
    wanted = (("batches of 1000", "insert_batch", "ns"),
              ("with the sync", "insert_batch", "synced_ns"),
              ("all in one piece", "insert_bulk", "ns"),
              ("with the sync", "insert_bulk", "synced_ns"),
              ("durable batches of 1000", "durable_batch", "ns"))
    rows = []
    for subject in asked.LOADED:
        found = [figures.of(work, subject, name) for _, work, name in wanted]
        if any(found):
            # A batch of `sync` is durable anyway: it has no figure without a sync.
            waits = subject.endswith("/sync")
            rows.append([short(subject)] + [
                "–" if value is None or waits and work != "durable_batch"
                else f"{1e6 / value:.0f} k" for (_, work, _), value in zip(wanted, found)])
    return table(["entries per second"] + [each[0] for each in wanted], rows) if rows else []


def everything(figures, subjects):
    """All that was run, not the best alone."""
    works = list(dict.fromkeys(each for row in asked.ROWS
                               for each in (row.workload, row.of_peers) if each != "space"))
    return grid(figures, "", works, subjects, "ns", short)


def latencies(figures, workload, subjects):
    wanted = [(name, workload, figure, 1) for name, figure in (
        ("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"), ("max", "max"), ("mean", "ns"))]
    return columns(figures, "", subjects, wanted, short)


def group_commit(figures):
    """Writes per second: the curve of 1, 2, 4 and 8 writers."""
    rows = []
    for writers in asked.WRITERS:
        found = [figures.of(f"durable_{writers}", each) for each in asked.GROUP_COMMIT]
        if any(found):
            rows.append([str(writers)] + [shown(value and 1e9 / value) for value in found])
    return table(["writers"] + asked.GROUP_COMMIT, rows) if rows else []


def large(figures, ten, entries, verdict):
    """Ten times the entries: time in relation to the ordinary run, memory to index and buffers."""
    rows = []
    for subject in asked.LARGE:
        for work in asked.LARGE_WORKLOADS:
            value, before = ten.of(work, subject), figures.of(work, subject)
            if not value or not before:
                continue
            own, few = ten.turns(work, subject), figures.turns(work, subject)
            ratios = [own[turn] / few[turn] for turn in own if turn in few] or [value / before]
            title = f"{short(subject)}, {work}, ten times the entries"
            mark = verdict.mark(title, statistics.median(ratios), asked.LARGE_RATIO)
            memory, index, buffers = (ten.of(work, subject, name)
                                      for name in ("memory", "index", "buffers"))
            rare, longest = (ten.of(work, subject, name) for name in ("p999", "max"))
            cells = [f"{short(subject)}: {work}", shown(before), shown(value),
                     range_shown(ratios) + mark, shown(rare, 1e-3), shown(longest, 1e-6)]
            if longest is not None:
                cells[-1] += verdict.mark(f"{title}: longest put, ms", longest * 1e-6,
                                          asked.LARGE_LONGEST)
            if memory is None or index is None:
                cells += ["–"] * 4
            else:
                whole = memory * entries
                share = whole / (index + buffers)
                cells += [shown(index / entries), shown(whole, 1e-6), shown(index + buffers, 1e-6),
                          f"{share:.2f}" + verdict.mark(f"{title}: memory", share,
                                                        asked.LARGE_MEMORY)]
            rows.append(cells)
    return table(["", "ns", f"ns, {entries} entries", "ratio", "p99.9 µs", "max ms",
                  "index bytes per key", "private MB", "index + buffers, MB", "ratio"],
                 rows) if rows else []


def space(figures):
    wanted = [("file bytes per entry", "space", "bytes", 1),
              ("loaded", "compact", "loaded", 1),
              ("overwritten twice", "compact", "before", 1),
              ("compacted", "compact", "after", 1),
              ("overwritten three times", "overwrite", "space", 1),
              ("written per byte put", "overwrite", "written", 1)]
    return columns(figures, "", asked.OVERWRITTEN, wanted, short)


def allocations(figures):
    wanted = [(work, work, "allocs", 1) for work in
              ("insert_in_order", "insert_at_random", "insert_batch", "get_in_order",
               "get_at_random")]
    return columns(figures, "", asked.POLICIES + asked.DISK + asked.MEMORY, wanted, short)


def memory(figures):
    wanted = [("private bytes per entry", "insert_at_random", "memory", 1),
              ("index bytes per key, at random", "insert_at_random", "index_per_key", 1),
              ("index bytes per key, in order", "insert_in_order", "index_per_key", 1)]
    return columns(figures, "", asked.POLICIES + asked.DISK + asked.MEMORY, wanted, short)


def unique(figures):
    share = figures.of("fill_at_random", asked.HASH, "unique")
    return "" if share is None else (
        f" Filling at random draws {100 * share:.0f} % of the keys, and those several times.")


def head(runs, about):
    size = about.get("value bytes", 100)
    return ["# Benchmarks", "",
            f"Written by `scripts/versus`. {about['entries']} entries, keys of 16 bytes, values "
            f"of {size}, of which half are random; median of {about['repeat']} runs in changing "
            "order, ± half their range. One process for each run; reads of one subject share one "
            "filled store in each turn. A ratio is the median of those of each turn, with the "
            "least and the greatest; only ratios mean anything on another machine. Processes are "
            "not pinned, and a sync is the guest's where the machine is virtual; two processors "
            "show whether threads get in each other's way, not how far they scale."
            + cut_short(runs, about["repeat"]), ""] + machine_table(about) + [
                "", machine.quiet(runs)]


def cut_short(runs, repeat):
    """A sentence about an interrupt, if there was one."""
    turns = collections.Counter((each["workload"], each["subject"], each["n"]) for each in runs)
    fewer = [count for count in turns.values() if count < repeat]
    if not fewer:
        return ""
    return (f" It was interrupted: {len(fewer)} of {len(turns)} figures are of {min(fewer)} runs or "
            f"more in place of {repeat}.")


def judgement(figures, ten, about):
    """Everything that has a limit, and which limits are missed."""
    verdict = Verdict()
    peers, own = against_peers(figures, verdict), limits(figures, verdict)
    larger = large(figures, ten, 10 * about["entries"], verdict)
    lines = section("## coffer and its peers",
                    "Nanoseconds per operation if nothing else is said, `file_log` with `multi` "
                    "threading; `✓` and `✗`: the ratio that is allowed, kept or not. Each table "
                    "has one durability class; what is in memory has none. Without a sync: with "
                    "flush() at the end, in the timed region. `bench/versus/workloads.hpp` says "
                    "what each workload does, and which of db_bench and YCSB it is. With two "
                    "threads: of one of them. No ratio is asked where promises differ "
                    "(`write_through` and `mmap`, beside a peer whose bytes are not with the "
                    "system yet) or where the figure itself has a limit, below." + unique(figures),
                    peers)
    lines += section("## Limits of coffer's own", "A ratio is over what the title names; that of a "
                     "longest put is over the longest gap that a thread finds which only reads the "
                     "clock, beside one that writes files (`longest_gap` in bench/versus/floors.cpp).",
                     own)
    lines += section("## Ten times the entries", "Private memory is that which no file backs; "
                     "buffers are the two segments that `file_log` may hold.", larger)
    return lines + ["", "## Kept and missed", "", verdict.count()] + verdict.lines()


def more_of_coffer(figures):
    with_sync = [asked.HASH, asked.SORTED, asked.ASYNC] + asked.DISK
    lines = section("## With the sync", "The same inserts with sync() and closing in the timed "
                    "region; nanoseconds.", grid(figures, "", (
                        "insert_in_order", "insert_at_random", "insert_batch",
                        "insert_2_threads"), with_sync, "synced_ns", short))
    lines += section("## Loading", "Those of PostgreSQL are its COPY.", loading(figures))
    lines += section("## Writers that wait for the disk together", "Writes per second.",
                     group_commit(figures))
    lines += section("## Policies of coffer", "Nanoseconds per operation; reopening in all.", grid(
        figures, "", asked.POLICY_WORKLOADS, asked.POLICIES, "ns", short))
    lines += section("## Single puts while the index grows", "At random; nanoseconds, the clock's "
                     "own 30 included.", latencies(figures, "put_latency", asked.TIMED_PUTS))
    lines += section("## Single puts while the store compacts", "All entries overwritten three "
                     "times at random, each put timed from the end of the one before it.",
                     latencies(figures, "overwrite", asked.OVERWRITTEN + [asked.NOTHING]))
    lines += section("## Space", "Bytes on disk over live bytes of keys and values, but for the "
                     "first column.", space(figures))
    lines += section("## Memory", "Private memory is that which no file backs, after inserting at "
                     "random.", memory(figures))
    return lines + section("## Allocations", "Calls of operator new per operation, of the whole "
                           "process.", allocations(figures))


def surroundings(figures, about):
    """Floors, every figure, and the options of all."""
    lines = section("## What the machine allows", "`bench/versus/floors.cpp` says what these are.",
                    grid(figures, "", asked.FLOORS, ["floor"], "ns", lambda _: "ns"))
    lines += section("## What the workloads take themselves", "Of a subject that keeps nothing and "
                     "answers each get with bytes of its own; included in every figure of this "
                     "page, coffer's and the peers'.",
                     grid(figures, "", asked.HARNESS, [asked.NOTHING], "ns", lambda _: "ns"))
    on_disk = [asked.HASH, asked.SORTED, asked.SYNC] + asked.DISK + [asked.POSTGRESQL]
    lines += section("## All figures, on disk", "Nanoseconds per operation.",
                     everything(figures, on_disk))
    lines += section("## All figures, in memory", "Nanoseconds per operation.",
                     everything(figures, [asked.MAP, asked.MAP_SORTED] + asked.MEMORY))
    lines += ["", "## Options", ""] + options()
    if about.get("versions"):
        numbers = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
        lines += ["", numbers + "."]
    return lines


def page(runs, about, plots=()):
    """The text of README.md."""
    ten_times = 10 * about["entries"]
    figures = Figures([each for each in runs if each["n"] != ten_times])
    ten = Figures([each for each in runs if each["n"] == ten_times])
    lines = head(runs, about) + judgement(figures, ten, about) + more_of_coffer(figures)
    lines += ["", "[Every workload on every combination](combinations.md); [the goals of the "
              "source document](golite.md)."]
    lines += surroundings(figures, about) + [""] + [f"![{name}]({name})" for name in plots]
    return "\n".join(lines).rstrip() + "\n"
