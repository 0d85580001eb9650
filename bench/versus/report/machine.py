"""Where it was measured, and how quiet it was."""
import os
import platform
import re
import statistics
import subprocess
import time


def told(command):
    """What a program says, or nothing if there is no such program."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def read(path):
    try:
        with open(path, encoding="utf-8") as of:
            return of.read().strip()
    except OSError:
        return ""


def line_of(path, word):
    found = re.search(rf"^{word}\s*:\s*(.*)$", read(path), re.M)
    return found[1] if found else "unknown"


def disk_of(folder):
    """The file system below a folder, its device, and what that says of its cache."""
    parts = told(["findmnt", "-n", "-o", "FSTYPE,SOURCE,OPTIONS", "-T", folder]).split()
    device = os.stat(folder).st_dev
    block = f"/sys/dev/block/{os.major(device)}:{os.minor(device)}"
    cache = read(f"{block}/queue/write_cache") or read(f"{block}/../queue/write_cache")
    return " ".join(parts) + (f", cache {cache}" if cache else "") if parts else "unknown"


def about(root, folder):
    commit = told(["git", "-C", root, "describe", "--always", "--dirty"])
    virtual = "hypervisor" in read("/proc/cpuinfo")
    huge = re.search(r"\[(\w+)\]", read("/sys/kernel/mm/transparent_hugepage/enabled"))
    return {
        "processor": line_of("/proc/cpuinfo", "model name") + (" (virtual)" if virtual else ""),
        "cores": os.cpu_count(),
        "memory": line_of("/proc/meminfo", "MemTotal"),
        "kernel": f"{platform.system()} {platform.release()}",
        "file system": disk_of(folder),
        "transparent huge pages": huge[1] if huge else "unknown",
        "compiler": (told(["c++", "--version"]).splitlines() or ["unknown"])[0] + ", -O3",
        "commit": commit or "unknown",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def versions(packages):
    """Of each package of the system that is there."""
    said = told(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n"] + packages)
    return dict(line.split() for line in said.splitlines() if len(line.split()) == 2)


def ticks():
    """(stolen, all) ticks of all cores since the start; zeros where the system does not say."""
    numbers = [int(each) for each in read("/proc/stat").partition("\n")[0].split()[1:]]
    return (numbers[7], sum(numbers[:8])) if len(numbers) > 7 else (0, 0)


class Watch:
    """What else there was while something ran: the load before it, the share of time that the host
    took away."""

    def __init__(self):
        self.load = os.getloadavg()[0]
        self.began = ticks()

    def seen(self):
        stolen, whole = (after - before for before, after in zip(self.began, ticks()))
        return {"load": round(self.load, 2), "steal": round(stolen / max(whole, 1), 4)}


def quiet(runs):
    """A sentence about load and steal of all runs."""
    seen = [each for each in runs if "steal" in each]
    if not seen:
        return "Load and steal were not recorded."
    loads, steals = [each["load"] for each in seen], [each["steal"] for each in seen]
    disturbed = sum(each > 0.01 for each in steals)
    return (
        f"Load average before a run: median {statistics.median(loads):.2f}, most {max(loads):.2f}. "
        f"Steal during a run: median {100 * statistics.median(steals):.1f} %, most "
        f"{100 * max(steals):.1f} %; above 1 % in {disturbed} of {len(seen)} runs."
    )
