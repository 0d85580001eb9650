"""ycsb.md: the mixes of YCSB, with values of one size."""
from . import asked, peers
from .figures import Figures, section


def page(runs, about):
    """The text of ycsb.md."""
    figures, verdict = Figures(runs), peers.Verdict()
    lines = peers.head(runs, about)
    lines[0] = f"# YCSB, values of {about['value bytes']} bytes"
    lines += section("## coffer and its peers", "Nanoseconds per operation; "
                     "`bench/versus/ycsb.hpp` says what the mixes are. Keys are drawn by a zipfian "
                     "distribution, but where they are uniform. With two threads: of one of them.",
                     peers.against_peers(figures, verdict, asked.YCSB))
    lines += ["## Kept and missed", "", verdict.count()] + verdict.lines()
    works = [each.workload for rows in asked.YCSB.values() for each in rows]
    subjects = [asked.HASH, asked.SORTED] + asked.DISK + asked.MEMORY
    lines += section("## All figures", "Nanoseconds per operation.", peers.grid(
        figures, "", works, subjects, "ns", peers.short))
    return "\n".join(lines) + "\n"
