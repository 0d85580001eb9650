#!/usr/bin/env python3
"""Shows that what README.md and docs/*.md tell a reader to do works.

Every ```cpp block with an `int main` is compiled, with warnings as errors, and run in an empty
folder.
In ```sh blocks a line that calls a compiler is run, in a folder with the tree's include/,
single_include/ and examples/ in it, and so is a program that it has made in /tmp; a script that is called must exist and be executable, a preset
must be defined. README.md must show how to compile a program and how to run the tests.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}", "-pthread"]
COMPILER_LINE = re.compile(r"(c\+\+|g\+\+|clang\+\+)(-\d+)? ")


def blocks(text, languages):
    """(line, content) of each fenced block in one of the languages."""
    for match in re.finditer(r"^```(\w+)\n(.*?)^```", text, re.M | re.S):
        if match[1] in languages:
            yield text.count("\n", 0, match.start()) + 1, match[2]


def run(command, folder, **more):
    """What went wrong, or nothing."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **more,
        )
    except subprocess.TimeoutExpired:
        return "still runs after 120 s"
    return f"ended with {done.returncode}:\n{done.stdout}" if done.returncode else None


def check_program(content, compiler):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "program.cpp").write_text(content, "utf-8")
        return run([compiler, *COMPILE, "program.cpp", "-o", "program"], folder) or run(
            [f"{folder}/program"], folder
        )


def check_compile_line(line, compiler, folder):
    """In `folder`, which stands for /tmp, too."""
    for name in ("include", "single_include", "examples"):
        if not (folder / name).exists():
            os.symlink(ROOT / name, folder / name)
    command = COMPILER_LINE.sub(lambda m: compiler + " ", line, count=1)
    return run(command.replace("/tmp/", f"{folder}/"), folder, shell=True)


def check_command(line, folder):
    """What is wrong with a line that runs what another one has made in /tmp, or that names a script
    or a preset; nothing of any other line."""
    if line.startswith("/tmp/"):
        return run([folder / line.removeprefix("/tmp/")], folder)
    presets = json.loads((ROOT / "CMakePresets.json").read_text())
    for word in re.findall(r"(?:^|\s)(?:\./)?((?:scripts|\.ci|tools)/[\w.-]+)", line):
        if not os.access(ROOT / word, os.X_OK):
            return f"{word} is no executable file"
    for kind, word in re.findall(r"cmake (--workflow )?--preset[ =](\w+)", line):
        kind = "workflowPresets" if kind else "configurePresets"
        if word not in {preset["name"] for preset in presets[kind]}:
            return f"{word} is not in {kind}"
    return None


def check_page(page, compiler):
    """(what, finding) for each thing that the page shows."""
    text, name = page.read_text("utf-8"), page.relative_to(ROOT).as_posix()
    for at, content in blocks(text, ("cpp",)):
        if re.search(r"^int main\(", content, re.M):
            yield f"{name}:{at} program", check_program(content, compiler)
    commands = [
        line.split("#")[0].strip()
        for _, content in blocks(text, ("sh", "bash", "console"))
        for line in content.replace("\\\n", " ").split("\n")
    ]
    commands = [line.removeprefix("$ ") for line in commands if line]
    with tempfile.TemporaryDirectory() as folder:
        for line in commands:
            if COMPILER_LINE.match(line) and ".cpp" in line:
                yield f"{name} '{line}'", check_compile_line(line, compiler, Path(folder))
            else:
                yield f"{name} '{line}'", check_command(line, Path(folder))
    if name == "README.md":
        compiles = any(COMPILER_LINE.match(line) for line in commands)
        tests = any(re.match(r"(\./)?scripts/test\b", line) for line in commands)
        yield "README.md how to compile", None if compiles else "no line in a sh block does it"
        yield "README.md how to test", None if tests else "no line in a sh block is scripts/test"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("pages", nargs="*", type=Path, help="README.md and docs/*.md, if none is named")
    options = parser.parse_args()
    passed = failed = 0
    pages = [each.resolve() for each in options.pages]
    for page in pages or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for what, wrong in check_page(page, options.compiler):
            passed, failed = passed + (not wrong), failed + bool(wrong)
            print(f"{'FAILED' if wrong else 'ok    '} {what}" + (f": {wrong}" if wrong else ""))
    print(f"readme: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
