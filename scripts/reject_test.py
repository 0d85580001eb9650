#!/usr/bin/env python3
"""Compiles each tests/reject/*.cpp twice: what must compile, and what must not.

The first line of a test is `// expect: <words>`. With -DCOFFER_ACCEPT it must compile, which shows
that the test itself is sound; without, it must not, and the compiler must print the words.

scripts/reject_test.py [--compiler C++]... [--precompiled FOLDER] [file]...
    all compilers of this machine, all files; with what --precompile has left in FOLDER in half the time
scripts/reject_test.py --compiler C++ --precompile FOLDER
    compiles there, for that compiler, what the tests include
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-I", str(ROOT / "include")]
SHARED = "#include <coffer/fs/simulated.hpp>\n#include <coffer/store.hpp>\n"


def run(compiler, *more):
    done = subprocess.run(
        [compiler, *FLAGS, *map(str, more)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode == 0, done.stdout


def precompile(compiler, folder):
    """g++ looks for the one name beside the header, clang++ for the other."""
    folder.mkdir(parents=True, exist_ok=True)
    header = folder / "shared.hpp"
    header.write_text(SHARED, "utf-8")
    for old in folder.glob("shared.hpp.*"):
        old.unlink()
    result = header.with_suffix(".hpp.pch" if "clang" in Path(compiler).name else ".hpp.gch")
    return run(compiler, "-x", "c++-header", header, "-o", result)


def finding(compiler, file, precompiled):
    """What is wrong with this test under this compiler, or nothing."""
    shared = ["-include", precompiled / "shared.hpp", "-Winvalid-pch"] if precompiled else []

    def compile_it(*more):
        return run(compiler, "-fsyntax-only", *shared, *more, file)

    first = file.read_text("utf-8").split("\n", 1)[0]
    if not first.startswith("// expect: ") or not first[11:].strip():
        return "the first line is not '// expect: <words>'"
    words = first[11:].strip()
    compiled, log = compile_it("-DCOFFER_ACCEPT")
    if not compiled:
        return f"does not compile with -DCOFFER_ACCEPT:\n{log}"
    compiled, log = compile_it()
    if compiled:
        return "compiles, and must not"
    if " ".join(words.split()) not in " ".join(log.split()):
        return f"the compiler does not say '{words}':\n{log}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--compiler", action="append", default=[])
    parser.add_argument("--precompile", type=Path)
    parser.add_argument("--precompiled", type=Path)
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    if options.precompile:
        if len(options.compiler) != 1:
            sys.exit("reject: --precompile is for one --compiler")
        compiled, log = precompile(options.compiler[0], options.precompile)
        sys.exit(None if compiled else f"reject: the headers do not compile:\n{log}")
    known = ("g++", "clang++", "clang++-16")
    compilers = options.compiler or [name for name in known if shutil.which(name)]
    files = options.files or sorted((ROOT / "tests/reject").glob("*.cpp"))
    if not compilers or not files:
        sys.exit("reject: no compiler, or no file in tests/reject")
    passed = failed = 0
    for compiler in compilers:
        for file in files:
            wrong = finding(compiler, file, options.precompiled)
            passed, failed = passed + (not wrong), failed + bool(wrong)
            print(
                f"{'FAILED' if wrong else 'ok    '} {compiler} {file.name}"
                + (f": {wrong}" if wrong else "")
            )
    print(f"reject: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
