"""Building the programs of bench/ and running them."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

from . import machine

TIMEOUT = 1800
CANNOT = 3  # exit code: the subject cannot do that


def configure(root, build):
    subprocess.run(["cmake", "-S", root, "-B", build, "-G", "Ninja",
                    "-DCMAKE_BUILD_TYPE=Release", "-DCOFFER_BUILD_BENCH=ON",
                    "-DCOFFER_BUILD_TESTS=OFF", "-DCOFFER_BUILD_EXAMPLES=OFF"],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", build], check=True)


def programs(build):
    """The program of each subject."""
    folder = os.path.join(build, "bench", "versus")
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.startswith("versus_") and os.access(path, os.X_OK) and os.path.isfile(path):
            told = subprocess.run([path], capture_output=True, text=True).stdout
            found.update({subject: path for subject in told.split()})
    return found


class Cannot(Exception):
    """This will not work in another turn either."""


def measure(asked, repeat, run_one, folder):
    """`run_one` for all of `asked`, so many times, each time in another order, so that a slow
    minute of the machine hits all alike. An interrupt ends it early; what there is is shown."""
    found, hopeless = [], set()
    todo = [(turn, each) for turn in range(repeat) for each in random.sample(asked, len(asked))]
    began = time.time()
    try:
        for at, (turn, each) in enumerate(todo):
            if each not in hopeless:
                found += run_alone(turn, each, run_one, folder, hopeless)
            left = (time.time() - began) / (at + 1) * (len(todo) - at - 1)
            words = " ".join(str(word) for word in each if word)
            print(f"\r[{at + 1}/{len(todo)}] {left / 60:4.0f} min left  {words}".ljust(79)[:79],
                  end="", flush=True)
    except KeyboardInterrupt:
        pass
    print()
    shutil.rmtree(folder, ignore_errors=True)
    return found


def run_alone(turn, each, run_one, folder, hopeless):
    """One run in an empty folder, with nothing of the one before it left to write."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    os.sync()
    watch = machine.Watch()
    try:
        return [{**one, "turn": turn, **watch.seen()} for one in run_one(each)]
    except Cannot:
        hopeless.add(each)
    except (OSError, RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
        print(f"\nversus: {' '.join(map(str, each))}: {error}", file=sys.stderr)
    return []


def json_lines(command):
    """What a program of bench/versus reports."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    if done.returncode == CANNOT:
        raise Cannot()
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def versus(asked, where, repeat, folder, sharing):
    """The runs of (workload, subject, entries, key bytes, value bytes, how many percent of a value
    are random); of `sharing`, those of one subject in one process, each time in another order."""
    processes = {}
    for workload, subject, *shape in asked:
        if subject in where:
            alone = "" if workload in sharing else workload
            processes.setdefault((subject, alone, *shape), []).append(workload)

    def run_one(each):
        subject, _, entries, key_bytes, value_bytes, random_percent = each
        workloads = random.sample(processes[each], len(processes[each]))
        return json_lines([where[subject], subject, ",".join(workloads), str(entries),
                           os.path.join(folder, "run"), str(value_bytes), str(key_bytes),
                           str(random_percent)])
    return measure(list(processes), repeat, run_one, folder)


def golite(program, repeat, folder, only):
    """The runs of bench/golite.hpp: one process of Google Benchmark for each."""
    listed = subprocess.run([program, "--benchmark_list_tests"], capture_output=True, text=True,
                            check=True, cwd=folder).stdout.split()

    def run_one(each):
        name = f"--benchmark_filter=^{re.escape(each[0])}$"
        done = subprocess.run([program, name, "--benchmark_format=json"], capture_output=True,
                              text=True, timeout=TIMEOUT, cwd=folder)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return [golite_run(one) for one in json.loads(done.stdout)["benchmarks"]]
    return measure([(each,) for each in listed if only.search(each)], repeat, run_one, folder)


def golite_run(one):
    """insert_batch/file_log/hash/async/real_time: the workload and its store."""
    workload, rest = one["name"].split("/", 1)
    return {"workload": workload, "subject": rest.removesuffix("/real_time"),
            "ops": one["items_per_second"], "allocs": one["allocs_per_op"]}


def keep(found, about, path):
    """One run in a line."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as to:
        to.write(json.dumps({"about": about}, ensure_ascii=False)[:-1] + ', "runs": [\n')
        to.write(",\n".join(json.dumps(each) for each in found) + "\n]}\n")


def kept(path):
    with open(path, encoding="utf-8") as of:
        old = json.load(of)
    return old["runs"], old["about"]
