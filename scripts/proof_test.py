#!/usr/bin/env python3
"""Tests what proof, fidelity, coverage and sabotage make of what programs print."""
import array
import importlib.machinery
import importlib.util
import io
import os
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent


def script(name):
    """A script without the ending of a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(SCRIPTS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


sys.dont_write_bytecode = True
proof, fidelity, coverage, sabotage = map(script, ("proof", "fidelity", "coverage", "sabotage"))


class Proof(unittest.TestCase):
    SAID = """
before
proof | S3 failing calls | file_log sync hash multi | 10 runs | 0 violations | 2.000 s | 0
some test: proof | S3 no line | x | 1 runs | 0 violations | 1.000 s | 0
proof | S10 killed writers | mmap | 20 kills | 0 violations | 1.000 s | 7
12: proof | S3 failing calls | mmap sync hash, 5 edges | 30 runs | 1 violations | 2.000 s | 3
proof | S3 failing calls | mmap sync hash, 6 edges | 30 runs | 0 violations | 4.000 s | 3
"""

    def test_lines_of_a_suite_are_added_up(self):
        sums = proof.sums_of(self.SAID)
        self.assertEqual(set(sums), {"S3 failing calls", "S10 killed writers"})
        faults = sums["S3 failing calls"]
        self.assertEqual((faults.unit, faults.cases, faults.violations, faults.seconds, faults.seeds),
                         ("runs", 70, 1, 8.0, {3}))
        self.assertEqual(faults.subjects, {"file_log sync hash multi", "mmap sync hash"})

    def test_the_table_is_in_the_order_of_the_suites(self):
        lines = proof.table(self.SAID, 0).splitlines()
        self.assertEqual(lines[2], "| S3 failing calls | runs | 2 | 70 | 1 | 8.8 | 3 |")
        self.assertEqual(lines[3], "| S10 killed writers | kills | 1 | 20 | 0 | 20 | 7 |")

    def test_images_that_subjects_share_count_once(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, hashes in (("file_log sync hash", [1, 2, 3]), ("file_log sync sorted", [3, 1, 2**64 - 1])):
                Path(folder, name).write_bytes(array.array("Q", hashes).tobytes())
            self.assertEqual(proof.distinct_images(folder), 4)
        self.assertEqual(proof.distinct_images("/no/such/folder"), 0)
        said = "proof | S1 crash states | file_log sync hash | 3 images | 0 violations | 2.000 s | 9\n"
        lines = proof.table(said + said.replace("hash", "sorted"), 4).splitlines()
        self.assertEqual(lines[2], "| S1 crash states | images | 2 | 6 | 0 | 1.5 | 9 |")
        self.assertEqual(lines[3], "| S1 crash states of all subjects | distinct images | 2 | 4 | 0 | 1 | 9 |")

    def test_every_suite_has_settings_for_each_tier(self):
        for each in proof.SUITES:
            for tier in ("t2", "t3"):
                self.assertIsNotNone(getattr(each, tier), each)

    def test_a_program_that_fails_is_told_with_its_command(self):
        job = proof.Job([sys.executable, "-c", "import sys; print('why'); sys.exit(3)"], {"SEED": "4"}, ".")
        log = io.StringIO()
        with unittest.mock.patch("builtins.print") as printed:
            self.assertEqual(proof.run(job, log), (False, "why\n"))
        self.assertEqual(log.getvalue(), "why\n")
        said = "\n".join(str(call.args[0]) for call in printed.call_args_list)
        self.assertIn("why", said)
        self.assertIn("FAILED: SEED=4 ", said)


class Fidelity(unittest.TestCase):
    def calls(self, *lines):
        seen = fidelity.Strace("/t/s")
        for line in lines:
            seen.take(line)
        return seen.calls

    def test_system_calls_are_those_of_the_simulated_disk(self):
        self.assertEqual(
            self.calls('mkdir("/t/s", 0700)                    = 0',
                       'openat(3</t/s>, "STORE.new", O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 4</t/s/STORE.new>',
                       'pwrite64(4</t/s/STORE.new>, ""..., 512, 64) = 512',
                       'fdatasync(4</t/s/STORE.new>)            = 0',
                       'renameat(3</t/s>, "STORE.new", 3</t/s>, "STORE") = 0',
                       'fsync(3</t/s>)                          = 0',
                       'fallocate(5</t/s/1.log>, 0, 0, 65536)   = 0',
                       'ftruncate(5</t/s/1.log>, 4096)          = 0',
                       'unlinkat(3</t/s>, "1.log", 0)           = 0'),
            ["make_directory . - 0 0", "create STORE.new - 0 0", "write STORE.new - 64 512",
             "sync STORE.new - 0 0", "rename STORE.new STORE 0 0", "sync_directory . - 0 0",
             "reserve 1.log - 0 65536", "resize 1.log - 4096 0", "remove 1.log - 0 0"])

    def test_files_elsewhere_are_left_out(self):
        self.assertEqual(
            self.calls('openat(AT_FDCWD</t>, "/proc/sys/kernel/random/boot_id", O_RDONLY|O_CLOEXEC) = 3</proc/x>',
                       'pread64(3</proc/x>, ""..., 10, 0) = 10', 'write(1</dev/null>, ""..., 4) = 4'), [])

    def test_a_read_that_comes_short_goes_on(self):
        self.assertEqual(
            self.calls('pread64(4</t/s/a>, ""..., 4096, 0) = 100', 'pread64(4</t/s/a>, ""..., 3996, 100) = 0',
                       'pread64(4</t/s/a>, ""..., 8, 100) = 0'),
            ["read a - 0 4096", "read a - 100 8"])

    def test_a_sync_of_a_map_is_by_the_page(self):
        self.assertEqual(
            self.calls('mmap(NULL, 65536, PROT_READ|PROT_WRITE, MAP_SHARED, 4</t/s/a>, 0) = 0x10000',
                       'msync(0x12000, 8192, MS_SYNC) = 0', 'munmap(0x10000, 65536) = 0'),
            ["sync_map a - 8192 8192"])
        self.assertEqual(fidelity.canonical("sync_map", "a", "-", 8200, 100), "sync_map a - 8192 4096")


class Coverage(unittest.TestCase):
    def test_lines_are_counted_as_llvm_counts_them(self):
        segments = [[2, 5, 7, True, True, False], [3, 9, 0, True, True, False], [3, 20, 7, True, False, False],
                    [5, 2, 0, False, False, False]]
        self.assertEqual(coverage.lines_of(segments), {2: 7, 3: 7, 4: 7, 5: 7})
        nested = [[1, 1, 3, True, True, False], [2, 3, 0, True, True, False], [4, 3, 3, True, False, False],
                  [6, 1, 0, False, False, False]]
        self.assertEqual(coverage.lines_of(nested), {1: 3, 2: 3, 3: 0, 4: 0, 5: 3, 6: 3})

    def test_branches_of_all_instances_count_together(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.hpp")
            Path(path).write_text("if (a) b();\nif constexpr (c) d();\n")
            header = coverage.Header({"filename": path, "segments": [[1, 1, 2, True, True, False],
                                                                     [1, 11, 0, False, False, False]],
                                      "branches": [[1, 5, 1, 6, 0, 2, 0, 0, 4], [1, 5, 1, 6, 3, 0, 0, 0, 4],
                                                   [1, 8, 1, 9, 0, 1, 0, 0, 4],
                                                   [2, 15, 2, 16, 0, 0, 0, 0, 4]]})
        self.assertEqual(header.missed_branches(), [(1, 8, "true")])
        self.assertEqual(header.missed_lines(), [])


class Sabotage(unittest.TestCase):
    def test_each_kind_of_bug_is_planted_behind_its_switch(self):
        bug = sabotage.BUGS[0]._replace(file="x", old="a + b", new="a")
        for kind, planted in (("value", "(COFFER_SEEDED(9) ? (a) : (a + b))"), ("text", "a"),
                              ("skip", "if (!COFFER_SEEDED(9)) { a + b }"),
                              ("code", "if (COFFER_SEEDED(9)) { a } else { a + b }")):
            self.assertEqual(sabotage.planted("x = a + b;", bug._replace(kind=kind), 9), f"x = {planted};")

    def test_each_bug_has_one_place_in_the_headers(self):
        found = dict(sabotage.planted_headers(SCRIPTS.parent / "include"))
        for number, bug in enumerate(sabotage.BUGS, 1):
            self.assertIn(f"COFFER_SEEDED({number})", found[bug.file], bug.name)

    def test_a_bug_without_a_place_is_refused(self):
        bug = sabotage.BUGS[0]._replace(old="a")
        for text in ("", "a a"):
            with self.assertRaises(SystemExit):
                sabotage.planted(text, bug, 1)

    def test_each_bug_is_in_one_part_and_most_parts_need_one_program(self):
        parts = [sabotage.part_of(part, 12) for part in range(1, 13)]
        self.assertEqual(sorted(sum(parts, [])), list(range(1, len(sabotage.BUGS) + 1)))
        needed = [{program for number in part for program in sabotage.programs_of(sabotage.BUGS[number - 1])}
                  for part in parts]
        self.assertGreaterEqual(sum(len(each) == 1 for each in needed), 8)

    def test_there_are_bugs_enough_for_every_pitfall_or_a_reason(self):
        from bugs import ABSENT, BUGS
        self.assertGreaterEqual(len(BUGS), 40)
        self.assertEqual(set(range(1, 36)) - {bug.pitfall for bug in BUGS}, set(ABSENT))
        self.assertEqual(len({bug.name for bug in BUGS}), len(BUGS))


if __name__ == "__main__":
    unittest.main()
