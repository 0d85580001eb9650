#!/usr/bin/env python3
"""Writes single_include/coffer/coffer.hpp from include/coffer, or compares it (--check).

Each header stands in the result behind what it includes, with its own guard around it: so the
single header and headers of the folder may meet in one translation unit. A system header that a
file includes unconditionally moves to the top, once. What stands inside an #if stays there: a
system header counts for nothing elsewhere, and a header of ours that is reached in no other way is
written out at that place, with the system headers that it needs. Private macros are undefined at
the end, together with the guards of the files that define them, which may hold nothing but
preprocessor lines.

Wrong, and said so: a cycle, a header that the umbrella does not reach (extras/ is apart: it needs
other libraries), a missing header, a byte that is not ASCII, #pragma once, a guard that is none.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UMBRELLA = "coffer/coffer.hpp"
APART = "coffer/extras/"
PUBLIC = re.compile(r"COFFER_VERSION(_\w+)?|COFFER_FORMAT_VERSION|COFFER_ASSERT")
DIRECTIVE = re.compile(r"\s*#\s*(\w+)\s*(.*)")


class Wrong(Exception):
    pass


class Header:
    """A header taken apart. `body` holds its lines, and a Local where another one belongs."""

    def __init__(self, include: Path, name: str):
        self.name = name
        try:
            text = (include / name).read_bytes().decode("ascii")
        except FileNotFoundError:
            raise Wrong(f"{name} is included but does not exist")
        except UnicodeDecodeError as error:
            raise Wrong(f"{name}: byte {error.start} is not ASCII")
        self.guard = "COFFER_" + re.sub(r"[/.]", "_", name.removeprefix("coffer/")).upper()
        self.needs = []  # our headers, included unconditionally
        self.may_need = []  # our headers, included inside an #if
        self.systems = []  # system headers, included unconditionally
        self.macros = []
        self.body = []
        self.only_directives = True
        self.read(text.replace("\r\n", "\n").rstrip("\n").split("\n"))

    def read(self, lines):
        start = next((i for i, line in enumerate(lines) if line == f"#ifndef {self.guard}"), None)
        if start is None or lines[start + 1] != f"#define {self.guard}" or lines[-1] != "#endif":
            raise Wrong(f"{self.name}: the guard is not '#ifndef {self.guard}' ... '#endif'")
        self.intro, depth, continued = lines[:start], 0, False
        for line in lines[start + 2 : -1]:
            directive = None if continued else DIRECTIVE.match(line)
            if directive:
                depth += self.directive(directive[1], directive[2], depth, line)
            else:
                self.body.append(line)
                self.only_directives &= continued or not line or line.startswith("//")
            continued = line.endswith("\\") and (continued or bool(directive))
        if depth != 0:
            raise Wrong(f"{self.name}: #if and #endif do not pair")

    def directive(self, word, rest, depth, line):
        if word == "pragma" and rest.startswith("once"):
            raise Wrong(f"{self.name}: #pragma once; use the guard")
        if word == "define":
            self.macros.append(re.match(r"\w+", rest)[0])
        if word != "include":
            self.body.append(line)
            return {"if": 1, "ifdef": 1, "ifndef": 1, "endif": -1}.get(word, 0)
        target = re.match(r'[<"]([^>"]+)[>"]', rest)
        if not target:
            raise Wrong(f"{self.name}: cannot read '{line}'")
        if target[1].startswith("coffer/"):
            (self.may_need if depth else self.needs).append(target[1])
            if depth:
                self.body.append(Local(target[1]))
        elif depth:
            self.body.append(line)
        else:
            self.systems.append(target[1])
        return 0


class Local(str):
    """The name of a header of ours that is included at this line, inside an #if."""


class House:
    """Every header that the umbrella reaches."""

    def __init__(self, include: Path):
        self.headers, self.order = {}, []
        self.load(include, UMBRELLA, [])
        everything = {p.relative_to(include).as_posix() for p in include.glob("coffer/**/*.hpp")}
        lost = sorted(n for n in everything - set(self.headers) if not n.startswith(APART))
        if lost:
            raise Wrong(f"{UMBRELLA} does not reach {', '.join(lost)}")
        used = sorted(n for n in self.headers if n.startswith(APART))
        if used:
            raise Wrong(f"{UMBRELLA} reaches {', '.join(used)}, which need other libraries")
        always = set()
        self.reach(UMBRELLA, always)
        self.order = [self.headers[name] for name in self.order if name in always]
        self.order.sort(key=lambda header: not header.name.startswith("coffer/config/"))

    def load(self, include, name, path):
        """Reads `name` and all below it; `order` has every header behind what it includes."""
        if name in path:
            raise Wrong("cycle: " + " -> ".join(path[path.index(name) :] + [name]))
        if name in self.headers:
            return
        header = Header(include, name)
        for each in header.needs + header.may_need:
            self.load(include, each, path + [name])
        self.headers[name] = header
        self.order.append(name)

    def reach(self, name, reached):
        if name not in reached:
            reached.add(name)
            for each in self.headers[name].needs:
                self.reach(each, reached)

    def write(self, header, written, inside):
        """The lines of `header`; `inside` an #if, with its system headers and what it needs."""
        written.add(header.name)
        before = []
        if inside:
            for each in header.needs:
                if each not in written:
                    before += self.write(self.headers[each], written, True)
        out = before + ["", f"// begin file {header.name}"] + header.intro
        out += [f"#ifndef {header.guard}", f"#define {header.guard}"]
        out += [f"#include <{name}>" for name in header.systems] if inside else []
        for line in header.body:
            if not isinstance(line, Local):
                out.append(line)
            elif line not in written:
                # Its own copy of `written`: what is written inside this #if is unknown outside it.
                out += self.write(self.headers[line], set(written), True)
        return out + ["#endif", f"// end file {header.name}"]


def version_of(headers):
    text = "\n".join(line for header in headers for line in header.body)
    return tuple(
        int(re.search(rf"COFFER_VERSION_{part} (\d+)", text)[1])
        for part in ("MAJOR", "MINOR", "PATCH")
    )


def amalgamate(root: Path) -> str:
    house = House(root / "include")
    headers = house.order
    licence = (root / "LICENSE").read_text(encoding="ascii").rstrip("\n").split("\n")
    owner = next(line for line in licence if line.startswith("Copyright"))
    major, minor, patch = version_of(headers)
    version = f"{major}.{minor}.{patch}"
    out = [
        f"// coffer {version}: header-only C++20 embedded key-value store, in one file.",
        "//",
        f"// SPDX-FileCopyrightText: {owner}",
        "// SPDX-License-Identifier: MIT (the text is at the end)",
        "//",
        "// Generated by scripts/amalgamate.py: change include/coffer, not this file.",
        f"#if defined(COFFER_VERSION) && COFFER_VERSION != {major * 10000 + minor * 100 + patch}",
        f'#error "coffer {version} is included after another version of coffer"',
        "#endif",
        "#ifndef COFFER_COFFER_HPP",
        "",
    ]
    out += [f"#include <{name}>" for name in sorted({s for h in headers for s in h.systems})]
    written = set()
    for header in headers:
        out += house.write(header, written, False)
    private, readable_again = set(), set()
    for header in house.headers.values():
        macros = {m for m in header.macros if not PUBLIC.fullmatch(m)}
        if macros and not header.only_directives:
            raise Wrong(f"{header.name} defines {', '.join(sorted(macros))} and holds declarations")
        private |= macros
        readable_again |= {header.guard} if macros else set()
    out += ["", "// The private macros; the files that define them may be read again."]
    out += [f"#undef {name}" for name in sorted(private) + sorted(readable_again)]
    out += ["", "#endif", ""] + [("// " + line).rstrip() for line in licence]
    lines = [line for i, line in enumerate(out) if line or (i and out[i - 1])]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args()
    target = options.root / "single_include" / UMBRELLA
    try:
        text = amalgamate(options.root)
    except Wrong as wrong:
        sys.exit(f"amalgamate: {wrong}")
    if options.check:
        if not target.exists() or target.read_bytes() != text.encode("ascii"):
            sys.exit("amalgamate: single_include is stale; run scripts/amalgamate.py")
        print("amalgamate: single_include is up to date")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text.encode("ascii"))
    print(f"amalgamate: wrote {target}")


if __name__ == "__main__":
    main()
