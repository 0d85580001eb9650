"""Medians, spreads and ratios of runs, and tables of them."""
import statistics


class Figures:
    """All runs; a figure has a workload, a subject and a name, and a value for each turn."""

    def __init__(self, runs):
        self.all = {}
        for each in runs:
            key = (each["workload"], each["subject"])
            values = dict(each)
            if "index" in each:
                values["index_per_key"] = each["index"] / each["n"]
            for name, value in values.items():
                if name in ("subject", "workload", "n", "turn", "load", "steal"):
                    continue
                turns = self.all.setdefault(key + (name,), {})
                turns[each.get("turn", len(turns))] = value

    def turns(self, workload, subject, name="ns"):
        return self.all.get((workload, subject, name), {})

    def of(self, workload, subject, name="ns"):
        """The median; of what is the longest, the longest of all runs."""
        values = self.turns(workload, subject, name).values()
        if not values:
            return None
        return max(values) if name == "max" else statistics.median(values)

    def spread(self, workload, subject, name="ns"):
        """Half the range, as a share of the median."""
        values = self.turns(workload, subject, name).values()
        middle = self.of(workload, subject, name)
        return (max(values) - min(values)) / 2 / middle if middle else 0

    def best(self, workload, subjects, name="ns"):
        found = [(self.of(workload, each, name), each) for each in subjects]
        found = [each for each in found if each[0] is not None]
        return min(found) if found else (None, None)

    def ratios(self, mine, theirs, name="ns"):
        """Of two (workload, subject), turn by turn: what ran in the same minutes is compared."""
        own, other = self.turns(*mine, name), self.turns(*theirs, name)
        return [own[turn] / other[turn] for turn in own if other.get(turn)]


def shown(value, scale=1):
    if value is None:
        return "–"
    value *= scale
    if value == 0:
        return "0"
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.2g}"


def range_shown(ratios):
    """The median, and from where to where."""
    middle = statistics.median(ratios)
    if len(ratios) == 1:
        return f"{middle:.2f}"
    return f"{middle:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |",
             "|" + "|".join("---" if i == 0 else "--:" for i in range(len(header))) + "|"]
    return lines + ["| " + " | ".join(each) + " |" for each in rows]


def grid(figures, title, workloads, subjects, name="ns", short=str, scale=1):
    """A table with a row for each workload, of those that were run."""
    rows = [[work] + [shown(figures.of(work, each, name), scale) for each in subjects]
            for work in workloads]
    rows = [each for each in rows if any(cell != "–" for cell in each[1:])]
    return table([title] + [short(each) for each in subjects], rows) if rows else []


def columns(figures, title, subjects, wanted, short=str):
    """A table with a row for each subject; `wanted`: (heading, workload, figure, scale)."""
    rows = [[short(each)] + [shown(figures.of(work, each, name), scale)
                             for _, work, name, scale in wanted] for each in subjects]
    rows = [each for each in rows if any(cell != "–" for cell in each[1:])]
    return table([title] + [each[0] for each in wanted], rows) if rows else []


def section(heading, words, lines):
    """Nothing if there is nothing to show."""
    return ["", heading, "", words, ""] + lines if lines else []


def machine_table(about):
    return table(["", ""], [[name, str(value)] for name, value in about.items()
                            if not isinstance(value, dict) and name != "page"])
