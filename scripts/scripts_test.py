#!/usr/bin/env python3
"""Tests amalgamate.py and floors.py on small houses that break one rule each, the verdicts of
instructions, and what versus makes of a few runs."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import re
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
VERSUS = SCRIPTS.parent / "bench/versus"
sys.path[:0] = [str(SCRIPTS), str(VERSUS)]
import amalgamate  # noqa: E402
import floors  # noqa: E402
from report import (asked, combinations, figures, golite, machine, peers, runs,  # noqa: E402
                    shapes, ycsb)


def script(name):
    """A script without the ending of a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(Path(__file__).with_name(name)))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


instructions = script("instructions")

LICENSE = "MIT License\n\nCopyright (c) nobody\n\nText.\n"
VERSION = "".join(
    f"#define COFFER_VERSION_{part} {number}\n"
    for part, number in (("MAJOR", 1), ("MINOR", 2), ("PATCH", 3))
)
VERSION += "#define COFFER_VERSION 10203\n"


def header(name, body):
    guard = "COFFER_" + name.upper().replace("/", "_").replace(".", "_")
    return f"// coffer/{name}: a test.\n#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n"


def house(folder, **files):
    """A tree below `folder`; the keyword core_a is the file core/a.hpp."""
    files.setdefault("config_version", VERSION)
    files.setdefault(
        "coffer",
        "".join(f"#include <coffer/{n.replace('_', '/', 1)}.hpp>\n" for n in sorted(files)),
    )
    root = Path(folder)
    for name, body in files.items():
        name = name.replace("_", "/", 1) + ".hpp"
        path = root / "include/coffer" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header(name, body))
    (root / "LICENSE").write_text(LICENSE)
    (root / "tests").mkdir()
    return root


class Amalgamation(unittest.TestCase):
    def of(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            return amalgamate.amalgamate(house(folder, **files))

    def refused(self, words, **files):
        with self.assertRaisesRegex(amalgamate.Wrong, words):
            self.of(**files)

    def test_unconditional_system_headers_move_to_the_top_once(self):
        text = self.of(core_a="#include <span>\nint a;", core_b="#include <span>\nint b;")
        self.assertEqual(text.count("#include <span>"), 1)
        self.assertLess(text.index("#include <span>"), text.index("begin file"))

    def test_a_conditional_system_header_stays_and_is_not_counted_as_seen(self):
        text = self.of(
            core_a="#if FIRST\n#include <span>\n#endif", core_b="#include <span>\nint b;"
        )
        self.assertEqual(text.count("#include <span>"), 2)
        self.assertIn("#if FIRST\n#include <span>\n#endif", text)
        text = self.of(
            core_a="#if X\n#include <span>\n#endif", core_b="#if Y\n#include <span>\n#endif"
        )
        self.assertEqual(text.count("#include <span>"), 2)

    def test_a_header_reached_under_a_condition_stands_there_with_what_it_needs(self):
        text = self.of(
            coffer="#include <coffer/config/version.hpp>\n#include <coffer/fs/os.hpp>",
            fs_os="#if WINDOWS\n#include <coffer/fs/win.hpp>\n"
            "#else\n#include <coffer/fs/posix.hpp>\n#endif",
            fs_win="#include <io.h>\n#include <coffer/fs/shared.hpp>\nint win;",
            fs_posix="#include <unistd.h>\n#include <coffer/fs/shared.hpp>\nint posix;",
            fs_shared="#include <coffer/core/a.hpp>\nint shared;",
            core_a="int a;",
        )
        above, _, windows = text.partition("#if WINDOWS")
        windows, _, posix = windows.partition("\n#else")
        self.assertNotIn("<io.h>", above)
        self.assertIn("#include <io.h>", windows)
        self.assertIn("int shared;", windows)
        self.assertIn("#include <unistd.h>", posix)
        self.assertIn("int shared;", posix)

    def test_private_macros_go_and_their_files_may_be_read_again(self):
        text = self.of(
            config_p="#define COFFER_P 1\n", core_a="#include <coffer/config/p.hpp>\nint a;"
        )
        self.assertIn("#undef COFFER_P\n#undef COFFER_CONFIG_P_HPP\n", text)
        self.assertNotIn("#undef COFFER_VERSION", text)
        self.refused("holds declarations", config_p="#define COFFER_P 1\nint p;")

    def test_the_result_is_one_guarded_file_with_its_licence(self):
        text = self.of(core_a="int a;")
        self.assertIn("COFFER_VERSION != 10203", text)
        self.assertTrue(text.endswith("// Text.\n"))
        self.assertNotIn("\n\n\n", text)

    def test_what_is_wrong_is_said(self):
        self.refused(
            "cycle: .*core/a.hpp -> coffer/core/b.hpp -> coffer/core/a.hpp",
            core_a="#include <coffer/core/b.hpp>",
            core_b="#include <coffer/core/a.hpp>",
        )
        self.refused(
            "does not reach coffer/core/b.hpp",
            core_b="int b;",
            coffer="#include <coffer/config/version.hpp>",
        )
        self.refused("does not exist", core_a="#include <coffer/core/none.hpp>")
        self.refused("extras/x.hpp, which need other libraries", extras_x="int x;")
        self.refused("not ASCII", core_a="// \u00e9")
        self.refused("pragma once", core_a="#pragma once")
        self.refused("do not pair", core_a="#if 1")

    def test_extras_may_stay_out(self):
        self.assertNotIn(
            "int x;", self.of(extras_x="int x;", coffer="#include <coffer/config/version.hpp>")
        )

    def test_it_compiles_alone_and_beside_the_folder_in_either_order(self):
        with tempfile.TemporaryDirectory() as folder:
            root = house(
                folder,
                config_p="#define COFFER_P 1\n",
                core_a="#include <coffer/config/p.hpp>\ninline int a() { return COFFER_P; }",
            )
            (root / "single.hpp").write_text(amalgamate.amalgamate(root))
            part, whole = "#include <coffer/core/a.hpp>\n", '#include "single.hpp"\n'
            for lines in (whole, whole + part, part + whole, whole + whole):
                program = lines + "int main() { return a() - 1; }\n"
                done = subprocess.run(
                    [
                        "c++",
                        "-std=c++20",
                        "-fsyntax-only",
                        "-I",
                        str(root / "include"),
                        "-I",
                        folder,
                        "-x",
                        "c++",
                        "-",
                    ],
                    input=program,
                    text=True,
                )
                self.assertEqual(done.returncode, 0, lines)


class Floors(unittest.TestCase):
    def setUp(self):
        """Tables of exceptions of the tests' own."""
        for table in ("INCLUDES", "UNTESTED", "LONG", "THREADS", "SYSTEM"):
            untested = ("coffer.hpp", "config/version.hpp", "core/policy.hpp")
            excused = dict.fromkeys(untested, "a reason") if table == "UNTESTED" else {}
            patch = unittest.mock.patch.object(floors, f"{table}_ALLOWED", excused)
            patch.start()
            self.addCleanup(patch.stop)

    def findings(self, tests=(), **files):
        with tempfile.TemporaryDirectory() as folder:
            root = house(folder, coffer="", **files)
            for name, text in tests:
                (root / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
                (root / "tests" / name).write_text(text)
            checked = floors.House(root)
            checked.check()
            return [
                f
                for f in checked.findings
                if "excuse" not in f and "has no tests/" not in f and "is said to be" not in f
            ]

    def finds(self, words, **files):
        found = self.findings(**files)
        self.assertEqual(len(found), 1, found)
        self.assertRegex(found[0], words)

    def test_a_house_in_order(self):
        self.assertEqual(
            self.findings(
                core_a="#include <span>\nint a;",
                journal_j="#include <coffer/core/a.hpp>\n#include <coffer/fs/concept.hpp>",
                fs_concept="",
            ),
            [],
        )

    def test_includes(self):
        up = "#include <coffer/journal/j.hpp>"
        self.finds("upward, from floor 1 to floor 3", core_a=up, journal_j="")
        self.finds("sister wing", format_a="#include <coffer/fs/concept.hpp>", fs_concept="")
        self.finds(
            "sister wing", index_a="#include <coffer/durability/concept.hpp>", durability_concept=""
        )
        self.finds("a concrete policy", journal_j="#include <coffer/fs/native.hpp>", fs_native="")
        self.finds("on no floor", cellar_a="")
        self.finds("nothing below includes the umbrella", store="#include <coffer/coffer.hpp>")
        self.finds("write <coffer/...>", core_a='#include "b.hpp"')
        self.finds(
            "cycle", core_a="#include <coffer/core/b.hpp>", core_b="#include <coffer/core/a.hpp>"
        )

    def test_text(self):
        self.finds("101 columns", core_a="//" + "x" * 99)
        self.assertEqual(self.findings(core_a="// |" + "x" * 99), [])
        self.finds("not ASCII", core_a="// \u00e9")
        self.finds("601 lines", core_a="\n" * 595)
        self.finds("unfinished", core_a="// TO" + "DO: all")

    def test_code(self):
        self.finds("macros live on floor 0", core_a="#define A 1")
        self.finds("does not begin with COFFER_", config_a="#define A 1")
        self.finds("using namespace", core_a="using namespace std;")
        self.finds("<mutex>; use", core_a="#include <mutex>")
        self.finds("ask the threading policy", core_a="std::atomic<int> a;")
        self.finds("seen in fs/ alone", core_a="#include <unistd.h>")
        self.finds("all I/O goes through fs/", core_a="int a = ::open(p, 0);")
        self.finds("too dear", core_a="#include <regex>")
        self.assertEqual(
            self.findings(
                core_a="// std::mutex, using namespace std\n"
                'auto a = "::open(x)"; auto b = detail::open(a);'
            ),
            [],
        )

    def test_functions(self):
        body = "    a();\n" * 70
        self.finds("core/a.hpp:5: a function of 72 lines", core_a="void f() {\n" + body + "}")
        self.finds(
            "of 72 lines",
            core_a="class c {\n    template <class T>\n    void f(T t) const {\n" + body + "}\n};",
        )
        self.assertEqual(
            self.findings(
                core_a="namespace n {\nstruct c {\n" + "    void f() { a(); }\n" * 80 + "};\n}"
            ),
            [],
        )

    def test_every_header_has_a_test_or_a_reason(self):
        with tempfile.TemporaryDirectory() as folder:
            root = house(
                folder,
                coffer="",
                core_a="",
                core_a_part="",
                core_b="",
                core_policy="",
                fs_concept="",
            )
            (root / "tests/core").mkdir()
            (root / "tests/core/a_test.cpp").touch()
            checked = floors.House(root)
            checked.check()
            self.assertEqual(
                [f for f in checked.findings if "has no tests/" in f],
                ["core/b.hpp: has no tests/core/b_test.cpp"],
            )

    def test_tests(self):
        found = self.findings(tests=[("core/deep/a_test.cpp", "")])
        self.assertRegex(found[0], "no build takes it")
        found = self.findings(tests=[("core/a_test.cpp", "std::this_thread::sleep_" "for(1s);")])
        self.assertRegex(found[0], "wait for the event")
        shown, hidden = "struct t {\n};\n", "namespace {\nstruct t {\n};\n}  // namespace\n"
        found = self.findings(tests=[("core/a_test.cpp", shown), ("core/b_test.cpp", shown)])
        self.assertRegex(found[0], "core/b_test.cpp:1: tests/core/a_test.cpp has a t too")
        self.assertEqual(
            self.findings(tests=[("core/a_test.cpp", shown), ("core/b_test.cpp", hidden)]), []
        )


class Instructions(unittest.TestCase):
    HERE = {"compiler": "g++ 12.2.0", "flags": "-O2", "library": "glibc 2.36", "machine": "x86_64"}
    KEPT = {("map/hash", "get"): 400.0, ("map/hash", "put"): 1200.0}

    def run_with(self, counts, *arguments, compiler="g++ 12.2.0"):
        """(exit code, what it said, the file afterwards) where KEPT was kept."""
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as patched:
            path, said = Path(folder) / "kept.txt", io.StringIO()
            path.write_text(instructions.written({**self.HERE, "compiler": compiler}, self.KEPT))
            for name, answer in {"surroundings": self.HERE, "count_all": counts}.items():
                patch = unittest.mock.patch.object(instructions, name, return_value=answer)
                patched.enter_context(patch)
            for name in ("install", "build"):
                patched.enter_context(unittest.mock.patch.object(instructions, name))
            patched.enter_context(contextlib.redirect_stdout(said))
            code = instructions.main([*arguments, "--kept", str(path)])
            return code, said.getvalue(), path.read_text()

    def check(self, change=(), **more):
        code, said, after = self.run_with({**self.KEPT, **dict(change)}, "--check", **more)
        self.assertEqual(instructions.read(after)[1], self.KEPT)
        return code, said

    def test_equal_counts_pass(self):
        self.assertEqual(self.check(), (0, "instructions: 2 calls counted, 0 findings\n"))

    def test_a_call_may_grow_by_2_percent_and_not_by_4(self):
        self.assertEqual(self.check({("map/hash", "get"): 408.0})[0], 0)
        code, said = self.check({("map/hash", "get"): 416.0})
        self.assertEqual(code, 1)
        self.assertIn("map/hash get: 400.0 instructions kept, 416.0 now: 4.0 % more\n", said)
        self.assertIn("1 findings", said)
        self.assertIn("run scripts/instructions and commit", said)

    def test_a_call_that_shrank_passes_with_a_hint(self):
        code, said = self.check({("map/hash", "put"): 1140.0})
        self.assertEqual(code, 0)
        self.assertIn("map/hash put: 1200.0 instructions kept, 1140.0 now: 5.0 % fewer\n", said)
        self.assertIn("run scripts/instructions and commit", said)

    def test_the_file_and_the_program_name_the_same_calls(self):
        code, said = self.check({("map/hash", "erase"): 900.0})
        self.assertEqual(code, 1)
        self.assertIn("map/hash erase: 900.0 instructions, and the file does not name it", said)
        code, said, _ = self.run_with({("map/hash", "get"): 400.0}, "--check")
        self.assertEqual(code, 1)
        self.assertIn("map/hash put: in the file, and nothing counts it any more", said)

    def test_counts_of_another_compiler_are_refused(self):
        self.assertEqual(self.check(compiler="g++ 12.3.0")[0], 0)
        for compiler in ("g++ 13.2.0", "clang++ 12.0.1"):
            code, said = self.check({("map/hash", "get"): 300.0}, compiler=compiler)
            self.assertEqual(code, 3)
            self.assertIn(f"compiler: {compiler} in the file, g++ 12.2.0 here\n", said)

    def test_without_check_the_file_is_written_anew(self):
        counts = {("map/hash", "get"): 416.5}
        code, _, after = self.run_with(counts, compiler="g++ 13.2.0")
        self.assertEqual(code, 0)
        self.assertEqual(instructions.read(after), (self.HERE, counts))

    def test_a_program_that_counts_nothing_is_an_error(self):
        def silent(command, **_):
            profile = next(each for each in command if each.startswith("--callgrind-out-file="))
            Path(profile.partition("=")[2]).write_text("events: Ir\ntotals: 0\n")

        with tempfile.TemporaryDirectory() as folder:
            with unittest.mock.patch.object(instructions, "PROFILES", folder):
                with unittest.mock.patch.object(instructions, "run", silent):
                    with self.assertRaisesRegex(instructions.Wrong, "next to nothing"):
                        instructions.count_one([], "program", "map/hash", "get")


class Versus(unittest.TestCase):
    """The pages of scripts/versus, from runs that were made up."""

    ABOUT = {"commit": "abc", "entries": 1000, "repeat": 3, "value bytes": 100}

    @staticmethod
    def run_of(workload, subject, turn=0, n=1000, **values):
        return {"workload": workload, "subject": subject, "n": n, "turn": turn, **values}

    def times(self, workload, subject, *all_ns, **more):
        """One run for each of the times, in turns that follow each other."""
        return [
            self.run_of(workload, subject, turn, ns=ns, **more) for turn, ns in enumerate(all_ns)
        ]

    def line(self, text, start):
        found = [line for line in text.splitlines() if line.startswith(f"| {start} |")]
        self.assertEqual(len(found), 1, f"{start}\n{text}")
        return [cell.strip() for cell in found[0].strip("|").split("|")]

    def test_what_is_asked_exists(self):
        text = (VERSUS / "workloads.hpp").read_text("utf-8")
        known = set(re.findall(r'^ *\{"(\w+)",', text, re.M))
        known |= {f"durable_{n}" for n in (1, 2, 4, 8)}
        known |= {f"ycsb_{letter}{draw}{more}" for letter in "ABCDEF" for more in ("", "_2")
                  for draw in ("", "_uniform") if letter != "D" or not draw}
        wanted = {work for work, subject in asked.pairs() if subject != "floor"}
        self.assertLessEqual(wanted, known)
        self.assertEqual(known - {"insert_bulk"}, set(asked.WORKLOADS))
        self.assertEqual(len(asked.WORKLOADS), len(set(asked.WORKLOADS)))
        self.assertLessEqual(asked.SINGLE_PUTS, known)
        for work in known - {"durable_1", "durable_2", "durable_4", "durable_8"}:
            documented = re.sub(r"_[A-F](\w*)$", r"_A\1", work)
            self.assertRegex(text, rf"// \|.*\b{documented}\b", work)

    def test_coffer_subjects_have_one_name(self):
        own = [each for each in vars(asked).values() if isinstance(each, str)]
        own = {each for each in own if each.startswith("coffer/")}
        self.assertLessEqual(own, {*asked.COMBINATIONS, asked.NUMBERS})
        self.assertEqual(len(asked.COMBINATIONS), 2 * 2 * 2 * 4 + 2 * 2)

    def test_ratios_compare_what_ran_in_the_same_turn(self):
        # The second turn was slow for both.
        found = self.times("insert_in_order", asked.HASH, 100, 300, 120)
        found += self.times("insert_in_order", "lmdb", 400, 1000, 400)
        found += self.times("insert_in_order", "leveldb", 900, 900, 900)
        found += self.times("insert_in_order", "absl/btree_map", 100, 300, 100)
        line = self.line(peers.page(found, self.ABOUT), "insert in order")
        self.assertEqual(line[1], "120 ± 83 %")
        self.assertEqual(line[2:4], ["400 lmdb", "0.30 (0.25 to 0.30), ≤ 0.5 ✓"])
        self.assertEqual(line[4:], ["100 absl/btree_map", "1.00 (1.00 to 1.20), ≤ 1 ✓"])

    def test_what_is_missed_is_said_with_its_note(self):
        found = self.times("durable_8", asked.SYNC, 30) + self.times("durable_8", "leveldb", 40)
        found += self.times("scan", asked.SORTED, 20) + self.times("scan", "lmdb", 10)
        row = "durable insert, 8 threads"
        with unittest.mock.patch.dict(asked.NOTES, {row: "The disk is slow."}, clear=True):
            text = peers.page(found, self.ABOUT)
        self.assertIn("≤ 0.5 ✗", self.line(text, row)[3])
        self.assertIn("0 limits are met, 2 are missed.", text)
        missed = f"- {row}, over leveldb (disk): 0.75 in place of 0.5, 50 % too much. The disk is slow."
        self.assertIn(missed, text)
        self.assertRegex(text, r"full scan in key order.*2.00 in place of 1, 100 %.*Not looked")

    def test_an_interrupt_is_said(self):
        found = self.times("durable_8", asked.SYNC, 30, 30, 30)
        self.assertNotIn("interrupted", peers.page(found, self.ABOUT))
        found += self.times("durable_8", "leveldb", 40, 40)
        self.assertIn("interrupted: 1 of 2 figures are of 2 runs or more in place of 3.",
                      peers.page(found, self.ABOUT))

    def test_classes_of_durability_are_not_mixed(self):
        for title, rows in asked.SECTIONS.items():
            durable = title == "Writes that wait for the disk"
            for each in rows:
                for work in (each.workload, each.of_peers):
                    self.assertEqual(work.startswith("durable_"), durable, each.title)
                self.assertEqual(each.subject == asked.SYNC, durable, each.title)

    def test_what_did_not_run_is_left_out(self):
        text = peers.page(self.times("get_hot", asked.HASH, 50), self.ABOUT)
        self.assertEqual(self.line(text, "get, 1000 hot keys")[2:], ["–"] * 4)
        for heading in ("Loading", "Ten times", "Writers that wait", "Space", "Limits"):
            self.assertNotIn(f"## {heading}", text)

    def test_loading_and_group_commit(self):
        found = self.times("insert_batch", "postgresql", 1000, synced_ns=2000)
        found += self.times("insert_bulk", "postgresql", 500, synced_ns=4000)
        found += self.times("insert_batch", asked.HASH, 100, synced_ns=200)
        found += self.times("durable_2", asked.SYNC, 50_000)
        found += self.times("durable_2", "rocksdb", 100_000)
        text = peers.page(found, self.ABOUT)
        line = self.line(text, "postgresql")
        self.assertEqual(line[1:], ["1000 k", "500 k", "2000 k", "250 k", "–"])
        self.assertEqual(self.line(text, "2")[1:], ["20000", "–", "10000"])

    def test_ycsb_has_a_page_of_its_own(self):
        found = self.times("ycsb_A_uniform_2", asked.HASH, 300) + self.times("ycsb_A_uniform_2", "lmdb", 200)
        found += self.times("ycsb_E", asked.SORTED, 100) + self.times("ycsb_E", "lmdb", 400)
        text = ycsb.page(found, {**self.ABOUT, "value bytes": 1000})
        self.assertIn("values of 1000 bytes", text.splitlines()[0])
        self.assertEqual(self.line(text, "A, uniform, 2 threads")[3], "1.50, ≤ 1 ✗")
        self.assertEqual(self.line(text, "E")[3], "0.25, ≤ 1 ✓")
        self.assertIn("1 limits are met, 1 are missed.", text)

    def test_shapes_are_told_apart_by_their_number_of_entries(self):
        self.assertEqual(len({each.times for each in shapes.SHAPES}), len(shapes.SHAPES))
        self.assertIn(("scan", "lmdb", 5000, 24, 150, 50), shapes.asked_for(1000))
        self.assertIn(("get_16", asked.HASH, 30_000, 16, 100, 50), shapes.asked_for(1000))
        self.assertIn(("space", "rocksdb", 2000, 16, 100, 100), shapes.asked_for(1000))
        self.assertIn(("scan", asked.NUMBERS, 1000, 8, 8, 50), shapes.asked_for(1000))
        known = set(asked.WORKLOADS)
        for work, subject, entries, *_ in shapes.asked_for(1000):
            self.assertIn(work, known)
            self.assertFalse(entries == 30_000 and subject in asked.MEMORY, subject)
        found = self.times("scan", asked.SORTED, 30) + self.times("scan", "lmdb", 20)
        found += [self.run_of("scan", asked.SORTED, n=5000, ns=10),
                  self.run_of("scan", "lmdb", n=5000, ns=40)]
        text = shapes.page(found, self.ABOUT)
        small, five = text.split("## Keys of 24 bytes and values of 150, 5000 entries")
        self.assertIn("## Keys and values of 8 bytes, 1000 entries", small)
        row = "full scan in key order, per entry"
        self.assertEqual(self.line(small, row)[3], "1.50, ≤ 1 ✗")
        self.assertEqual(self.line(five.split("##")[0], row)[3], "0.25, ≤ 1 ✓")
        self.assertNotIn("30000 entries", text)

    def test_shapes_have_sizes_of_their_own(self):
        done = subprocess.run([SCRIPTS / "versus", "--shapes", "--value-bytes", "8"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("leave --value-bytes out", done.stderr)

    def test_ten_times_the_entries(self):
        found = self.times("insert_at_random", asked.HASH, 100, 200, memory=5000)
        found += [
            self.run_of("insert_at_random", asked.HASH, turn, 10_000, ns=ns, memory=30,
                        index=200_000, buffers=50_000, p999=4000, max=7_000_000)
            for turn, ns in enumerate((300, 400))
        ]
        text = peers.page(found, self.ABOUT)
        line = self.line(text, "file_log/hash: insert_at_random")
        self.assertEqual(line[1:3], ["150", "350"])
        self.assertEqual(line[3], "2.50 (2.00 to 3.00), ≤ 2.5 ✓")
        self.assertEqual(line[4:], ["4.00", "7.00, ≤ 5 ✗", "20", "0.3", "0.25", "1.20, ≤ 1.1 ✗"])
        self.assertIn("ten times the entries: memory: 1.20 in place of 1.1", text)

    def test_latencies_space_memory_and_allocations(self):
        found = [
            self.run_of("put_latency", asked.HASH, ns=90, p50=80, p99=900, p999=9000, max=99000),
            self.run_of("overwrite", "lmdb", ns=90, p50=70, p99=800, p999=8000, max=88000,
                        space=1.5, written=2),
            self.run_of("compact", "lmdb", ns=10, loaded=1.1, before=3.1, after=1.2),
            self.run_of("insert_at_random", asked.HASH, ns=1, allocs=0.25, memory=40, index=18000),
        ]
        text = peers.page(found, self.ABOUT)
        self.assertIn("| file_log/hash | 80 | 900 | 9000 | 99000 | 90 |", text)
        self.assertIn("| lmdb | 70 | 800 | 8000 | 88000 | 90 |", text)
        self.assertIn("| lmdb | – | 1.10 | 3.10 | 1.20 | 1.50 | 2.00 |", text)
        self.assertIn("| file_log/hash | 40 | 18 | – |", text)
        self.assertIn("| file_log/hash | – | 0.25 | – | – | – |", text)
        self.assertIn("≤ 20 ✓", self.line(text, "index bytes per key, hash")[3])
        self.assertEqual(
            self.line(text, "longest put while the index grows: ms")[1:], ["0.099", "–", "≤ 5 ✓"]
        )

    def test_every_peer_says_its_options(self):
        said = dict(line[2:].split(": ", 1) for line in peers.options())
        self.assertEqual(len(said), len(peers.SOURCES))
        self.assertIn("fsync=off", said["`postgresql.cpp`"])
        for each in said.values():
            self.assertGreater(len(each.split()), 5)

    def test_the_machine(self):
        about = machine.about(str(SCRIPTS.parent), str(SCRIPTS))
        for name in ("processor", "kernel", "file system", "transparent huge pages", "commit"):
            self.assertTrue(about[name], name)
        noisy = [{"load": 0.5, "steal": 0.0}, {"load": 1.5, "steal": 0.25}]
        self.assertIn("25.0 %; above 1 % in 1 of 2 runs", machine.quiet(noisy))
        self.assertIn("not recorded", machine.quiet([{}]))

    def test_combinations(self):
        self.assertEqual(asked.entries_for("put_latency", asked.SYNC, 1_000_000), 20_000)
        self.assertEqual(asked.entries_for("get_hot", asked.SYNC, 1_000_000), 1_000_000)
        self.assertEqual(asked.entries_for("put_latency", asked.HASH, 1_000_000), 1_000_000)
        subject = "coffer/mmap/sorted/single/async"
        found = [
            self.run_of("insert_in_order", subject, ns=70, allocs=0.5, memory=30, index=17000),
            self.run_of("space", subject, bytes=129),
            self.run_of("put_latency", subject, ns=60, p50=50, p99=500, p999=5000, max=50000),
            self.run_of("scan", "coffer/map/sorted/buffered", ns=25),
        ]
        text = combinations.page(found, self.ABOUT)
        self.assertIn("## mmap, `single` threading", text)
        self.assertNotIn("## mmap, `multi` threading", text)
        self.assertIn("|  | hash/buffered | sorted/buffered |", text)
        self.assertIn("| scan | – | 25 |", text)
        self.assertEqual(self.line(text, "space").count("129"), 1)
        self.assertIn("| mmap/sorted/single/async | 129 | 17 |", text)
        self.assertIn("| mmap/sorted/single/async | 50 | 500 | 5000 | 50000 | 60 |", text)

    def test_golite(self):
        told = {"name": "insert_batch_100/mmap/hash/async/real_time", "items_per_second": 5.0,
                "allocs_per_op": 0.5}
        self.assertEqual(
            runs.golite_run(told),
            {"workload": "insert_batch_100", "subject": "mmap/hash/async", "ops": 5.0,
             "allocs": 0.5},
        )
        found = [
            {"workload": work, "subject": subject, "turn": 0, "ops": ops, "allocs": 0.001}
            for work, subject, ops in (
                ("insert_sequential", "file_log/hash/buffered", 2.5e6),
                ("get_sequential", "file_log/hash/buffered", 5e6),
                ("insert_sequential", "file_log/hash/sync", 2000),
                ("get_concurrent_100", "file_log/hash/sync", 3e6),
            )
        ]
        text = golite.page(found, {"repeat": 1})
        goals, _, shapes = text.partition("## In the document's own shape")
        self.assertIn("insert_sequential ≥ 2.00 M", goals)
        self.assertEqual(
            self.line(goals, "file_log/hash/buffered")[1:],
            ["2.50 M, met", "–", "–", "5.00 M, missed by 50 %"],
        )
        self.assertNotIn("| file_log/hash/sync |", goals)
        self.assertIn("| file_log/hash/sync | 2000 ± 0 % (0.001) |", shapes)
        self.assertIn("## Keys of 16 bytes", shapes)

    def test_a_run_that_fails_does_not_end_the_others(self):
        tried = []

        def run_one(each):
            tried.append(each)
            if each == ("cannot",):
                raise runs.Cannot()
            if each == ("fails",):
                raise RuntimeError("a reason")
            if len(tried) > 8:
                raise KeyboardInterrupt()
            return [{"ns": 1}]

        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(
            io.StringIO()
        ), contextlib.redirect_stderr(io.StringIO()) as complaints:
            found = runs.measure([("cannot",), ("fails",), ("works",)], 100, run_one, folder + "/d")
        self.assertEqual(tried.count(("cannot",)), 1)
        self.assertIn("a reason", complaints.getvalue())
        self.assertEqual([each["turn"] for each in found], list(range(len(found))))
        self.assertLess(len(tried), 20)
        self.assertGreater(len(found), 1)
        self.assertIn("steal", found[0])

    def test_kept_runs_are_shown_again(self):
        found = self.times("get_in_order", asked.HASH, 50, 60)
        with tempfile.TemporaryDirectory() as folder:
            for page, name in (("results", "README.md"), ("combinations", "combinations.md")):
                path = f"{folder}/{page}.json"
                runs.keep(found, {"page": page, **self.ABOUT}, path)
                self.assertEqual(json.loads(Path(path).read_text("utf-8"))["runs"], found)
                subprocess.run(
                    [sys.executable, SCRIPTS / "versus", "--keep", path, "--out", folder],
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
                text = Path(folder, name).read_text("utf-8")
                self.assertIn("55", text)

    def test_figures(self):
        of = figures.Figures(
            [self.run_of("w", "s", turn, ns=turn, max=turn) for turn in range(5)]
        ).of
        self.assertEqual((of("w", "s"), of("w", "s", "max"), of("w", "none")), (2, 4, None))
        self.assertEqual(figures.shown(None), "–")
        self.assertEqual(
            [figures.shown(each) for each in (0, 0.00123, 1.234, 9.999, 12345.6)],
            ["0", "0.0012", "1.23", "10.00", "12346"],
        )


if __name__ == "__main__":
    unittest.main()
