"""golite.md: the workloads of the document that coffer's file store grew from, and its goals."""
from . import machine
from .figures import Figures, machine_table, table

WORKLOADS = ["insert_sequential", "insert_concurrent", "insert_batch", "get_sequential",
             "get_concurrent"]
# The document's goals, operations per second, all in one build.
GOALS = {"insert_sequential": 2e6, "insert_concurrent": 5e5, "insert_batch": 1.36e6,
         "get_sequential": 1e7}
PROMISES = ("buffered", "async")


def per_second(value):
    if value >= 1e6:
        return f"{value / 1e6:.2f} M"
    return f"{value / 1e3:.0f} k" if value >= 1e4 else f"{value:.0f}"


def cell(figures, workload, subject):
    value = figures.of(workload, subject, "ops")
    if value is None:
        return "–"
    allocs = figures.of(workload, subject, "allocs")
    return (f"{per_second(value)} ± {100 * figures.spread(workload, subject, 'ops'):.0f} % "
            f"({allocs:.2g})")


def judged(figures, workload, subject):
    value, goal = figures.of(workload, subject, "ops"), GOALS[workload]
    if value is None:
        return "–"
    if value >= goal:
        return f"{per_second(value)}, met"
    return f"{per_second(value)}, missed by {100 * (1 - value / goal):.0f} %"


def page(runs, about):
    """The text of golite.md."""
    figures = Figures(runs)
    subjects = sorted({each["subject"] for each in runs},
                      key=lambda name: (name.split("/")[:2], name))
    lines = ["# The workloads of the source document", "",
             "Written by `scripts/versus --golite`; `bench/golite.hpp` says what each workload "
             "is. A million entries, fewer where every insert waits for the disk or for the "
             "system; inserts end with close(), in the timed region. Operations per second, "
             f"median of {about['repeat']} processes in changing order, ± half their range, and in "
             "brackets allocations per operation.", ""]
    lines += machine_table(about) + ["", machine.quiet(runs)]
    goals = [[subject] + [judged(figures, work, subject) for work in GOALS]
             for subject in subjects if subject.endswith(PROMISES)]
    if goals:
        heads = [f"{work} ≥ {per_second(goal)}" for work, goal in GOALS.items()]
        lines += ["", "## Goals", "", "In the document's own shape, keys `users:keyN` and values "
                  "`valueN`, without a sync for each insert.", ""] + table([""] + heads, goals)
    for title, ending in (("In the document's own shape", ""),
                          ("Keys of 16 bytes, values of 100", "_100")):
        rows = [[subject] + [cell(figures, work + ending, subject) for work in WORKLOADS]
                for subject in subjects]
        rows = [each for each in rows if any(one != "–" for one in each[1:])]
        if rows:
            lines += ["", f"## {title}", ""] + table([""] + WORKLOADS, rows)
    return "\n".join(lines) + "\n"
