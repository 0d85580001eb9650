#!/usr/bin/env python3
"""Tests amalgamate.py and floors.py on small houses that break one rule each, and the verdicts of
instructions."""

import contextlib
import importlib.machinery
import importlib.util
import io
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import amalgamate  # noqa: E402
import floors  # noqa: E402


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


if __name__ == "__main__":
    unittest.main()
