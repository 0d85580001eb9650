#!/usr/bin/env python3
"""Shows that every file which must repeat the version repeats that of config/version.hpp.

scripts/version_test.py --print   only says what the version is (meson.build asks)
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def version():
    text = (ROOT / "include/coffer/config/version.hpp").read_text("utf-8")
    return ".".join(
        re.search(rf"#define COFFER_VERSION_{part} (\d+)", text)[1]
        for part in ("MAJOR", "MINOR", "PATCH")
    )


def mentions(name, *patterns):
    """(where, version) for each match of the patterns in a file."""
    path = ROOT / name
    text = path.read_text("utf-8") if path.exists() else ""
    found = [(name, match) for pattern in patterns for match in re.findall(pattern, text, re.M)]
    return found or [(name, "no version")]


def main():
    expected = version()
    if sys.argv[1:] == ["--print"]:
        print(expected)
        return
    minor = expected.rpartition(".")[0]
    full = [
        *mentions("include/coffer/config/version.hpp", r'COFFER_VERSION_STRING "([^"]+)"'),
        *mentions("single_include/coffer/coffer.hpp", r"^// coffer (\d+\.\d+\.\d+):"),
        *mentions("CHANGELOG.md", r"\A(?:.|\n)*?^## \[(\d[^\]]*)\]"),
        *mentions("packaging/coffer.wrap", r"^directory = coffer-(.+)$"),
        (
            "vcpkg.json",
            json.loads((ROOT / "packaging/vcpkg/ports/coffer/vcpkg.json").read_text())["version"],
        ),
    ]
    short = [
        *mentions("packaging/consumers/find_package/CMakeLists.txt", r"COFFER_WANTED (\d+\.\d+)\b")
    ]
    for page in [*ROOT.glob("README.md"), *sorted((ROOT / "docs").glob("*.md"))]:
        name, text = page.relative_to(ROOT).as_posix(), page.read_text("utf-8")
        full += [
            (name, m)
            for m in re.findall(r"coffer[/-](\d+\.\d+\.\d+)|GIT_TAG v(\d+\.\d+\.\d+)", text)
        ]
        short += [(name, m) for m in re.findall(r"find_package\(coffer (\d+\.\d+)\b", text)]
    wrong = 0
    for (where, found), right in [(m, expected) for m in full] + [(m, minor) for m in short]:
        found = "".join(found)
        if found != right:
            wrong += 1
            print(f"{where}: says {found}, and the version is {right}")
    print(f"version: {expected} in {len(full) + len(short)} places, {wrong} of them wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
