"""The tables of README.md as SVG."""
import os

from . import asked
from .figures import Figures
from .peers import short


def colour(plt, subject, place):
    """coffer is black where it stands for one subject, the others each have their own."""
    return "black" if subject == "coffer" else plt.get_cmap("tab20").colors[place % 20]


def bars(plt, figures, rows, subjects, path):
    fig, axes = plt.subplots(figsize=(11, 5))
    width = 0.8 / len(subjects)
    for s, subject in enumerate(subjects):
        heights = []
        for each in rows:
            own = (each.workload, each.subject) if subject == "coffer" else (each.of_peers, subject)
            heights.append(figures.of(*own) or 0)
        if any(heights):
            axes.bar([i + s * width for i in range(len(rows))], heights, width, label=subject,
                     color=colour(plt, subject, s))
    axes.set_yscale("log")
    axes.set_ylabel("ns per operation")
    axes.set_xticks([i + 0.4 for i in range(len(rows))])
    axes.set_xticklabels([each.title.replace(", ", ",\n") for each in rows], fontsize=7,
                         rotation=25, ha="right")
    finish(plt, fig, axes, path)


def group_commit(plt, figures, path):
    """Writes per second of 1, 2, 4 and 8 writers that wait for the disk."""
    fig, axes = plt.subplots(figsize=(7, 5))
    for subject in asked.GROUP_COMMIT:
        points = [(n, 1e9 / figures.of(f"durable_{n}", subject)) for n in asked.WRITERS
                  if figures.of(f"durable_{n}", subject)]
        if points:
            axes.plot(*zip(*points), marker="o", label=subject)
    axes.set_xlabel("writers, each waiting for the disk")
    axes.set_xticks(asked.WRITERS)
    axes.set_ylabel("writes per second")
    axes.set_ylim(bottom=0)
    finish(plt, fig, axes, path)


def puts(plt, figures, workload, subjects, path):
    """The distribution of single puts."""
    fig, axes = plt.subplots(figsize=(9, 5))
    names = ("p50", "p99", "p999", "max")
    for s, subject in enumerate(subjects):
        found = [figures.of(workload, subject, name) for name in names]
        if all(found):
            axes.plot(range(len(names)), found, marker="o", label=short(subject),
                      color=colour(plt, subject, s))
    axes.set_yscale("log")
    axes.set_ylabel("ns")
    axes.set_xticks(range(len(names)))
    axes.set_xticklabels(["p50", "p99", "p99.9", "max"])
    finish(plt, fig, axes, path)


def finish(plt, fig, axes, path):
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=7, ncol=3)
    fig.tight_layout()
    fig.savefig(path, metadata={"Date": None})
    plt.close(fig)


def draw(runs, about, out):
    """All plots, into the folder `out`; their names. None where there is no matplotlib."""
    try:
        import matplotlib
    except ImportError:
        print("versus: no matplotlib here, so no plots")
        return []
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    plt.rcParams["svg.hashsalt"] = "coffer"
    figures = Figures([each for each in runs if each["n"] != 10 * about["entries"]])
    sections = asked.SECTIONS
    groups = {
        "inserts": sections["Writes without a sync"],
        "durable": sections["Writes that wait for the disk"],
        "reads": sections["Reads"],
        "ycsb": sections["YCSB, writes without a sync"],
    }
    names = []
    for group, rows in groups.items():
        rows = [each for each in rows if figures.of(each.workload, each.subject)]
        if rows:
            names.append(f"{group}.svg")
            subjects = ["coffer"] + asked.DISK + [asked.POSTGRESQL] + (
                asked.MEMORY if group in ("inserts", "reads") else [])
            bars(plt, figures, rows, subjects, os.path.join(out, names[-1]))
    if any(figures.of(f"durable_{n}", asked.SYNC) for n in asked.WRITERS):
        names.append("group_commit.svg")
        group_commit(plt, figures, os.path.join(out, names[-1]))
    for workload in ("put_latency", "overwrite"):
        if figures.of(workload, asked.HASH):
            names.append(f"{workload}.svg")
            puts(plt, figures, workload, asked.OVERWRITTEN, os.path.join(out, names[-1]))
    return names
