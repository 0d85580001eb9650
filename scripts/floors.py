#!/usr/bin/env python3
"""Holds the house to its rules: floors, sizes, names, what may be named where, a test per header.

scripts/floors.py          checks everything, the drawn picture included; ends with 1 on a finding
scripts/floors.py --draw   writes the picture of the actual includes into docs/architecture.md

Every exception stands in a table below, with its reason; an exception that excuses nothing any more
is a finding too.
"""

import argparse
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Folder of include/coffer -> its floor. Two folders on one floor are sister wings. TOP is store/
# and include/coffer itself, UMBRELLA the one header that may see everything but extras/.
TOP, UMBRELLA = "store", "coffer.hpp"
FLOORS = {
    "config": 0,
    "core": 1,
    "format": 2,
    "fs": 2,
    "journal": 3,
    "index": 4,
    "durability": 4,
    "storage": 5,
    TOP: 6,
    "adapt": 7,
    "extras": 9,
}

# Axes: from another folder below floor 6, only their concept.hpp may be seen.
AXES = ("fs", "index", "durability", "storage")

COLUMNS, HEADER_LINES, FUNCTION_LINES = 100, 600, 70

# Includes that cross a wing although the rule forbids it.
INCLUDES_ALLOWED = {}

# Headers without tests/<folder>/<stem>_test.cpp: where they are tested; a path must exist.
UNTESTED_ALLOWED = {
    "coffer.hpp": "tests/hygiene/include_first.cpp",
    "config/version.hpp": "scripts/version_test.py",
    "config/platform.hpp": "tests/hygiene/no_exceptions.cpp",
    "config/assert.hpp": "tests/hygiene/own_assert.cpp",
    "core/policy.hpp": "a struct without behaviour",
    # Tested through the one header that is there for it.
    "fs/calls.hpp": "tests/fs/faulty_test.cpp",
    "journal/salvaged_log.hpp": "tests/store/salvage_test.cpp",
    # Tested over every combination by the law suites.
    "store.hpp": "tests/laws/policies_test.cpp",
}

# Headers with a function of more than FUNCTION_LINES lines.
LONG_ALLOWED = {}

# Threads are named in core/threading.hpp, the system in fs/; who else may, and why.
THREADS_ALLOWED = {"core/threading.hpp": "the threading axis itself"}
SYSTEM_ALLOWED = {"core/memory.hpp": "advice on memory is neither a file nor a clock"}

CONCEPTS = "concept.hpp"  # tested by its law suite in tests/laws and by tests/reject
THREAD_HEADERS = {
    "atomic",
    "condition_variable",
    "future",
    "latch",
    "barrier",
    "mutex",
    "semaphore",
    "shared_mutex",
    "stop_token",
    "thread",
}
THREAD_NAMES = re.compile(
    r"\bstd::(\w*mutex|atomic\w*|thread|jthread|condition_variable\w*|async)\b"
)
SYSTEM_HEADERS = re.compile(r"sys/.*|unistd\.h|fcntl\.h|dirent\.h|windows\.h|io\.h|cstdio|stdio\.h")
SYSTEM_NAMES = re.compile(
    r"(?<![\w>:])::(?!coffer|std)[a-z_]\w*\(|\bstd::(filesystem|fopen)\b|\bfopen\("
)
HEAVY_HEADERS = {"filesystem", "fstream", "functional", "iostream", "map", "ranges", "regex"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


class House:
    def __init__(self, root: Path):
        self.root, self.include = root, root / "include/coffer"
        self.findings, self.used = [], set()
        self.headers = {}
        for path in sorted(self.include.rglob("*.hpp")):
            self.headers[path.relative_to(self.include).as_posix()] = path.read_text("utf-8")
        self.code = {name: without_comments(text) for name, text in self.headers.items()}
        self.includes = {
            name: re.findall(r"^\s*#\s*include\s*<coffer/([^>]+)>", text, re.M)
            for name, text in self.code.items()
        }

    def found(self, name, what, line=None):
        self.findings.append(f"{name}:{line}: {what}" if line else f"{name}: {what}")

    def allowed(self, table, key):
        self.used.add((id(table), key))
        return key in table

    def check(self):
        for name in self.headers:
            self.check_includes(name)
            self.check_text(name)
            self.check_code(name)
            self.check_test(name)
        self.check_cycles()
        self.check_tests()
        for table in (
            INCLUDES_ALLOWED,
            UNTESTED_ALLOWED,
            LONG_ALLOWED,
            THREADS_ALLOWED,
            SYSTEM_ALLOWED,
        ):
            for key in table:
                if (id(table), key) not in self.used:
                    self.found(str(key), "scripts/floors.py excuses it, and it needs no excuse")

    # ---- floors --------------------------------------------------------------------------------

    def check_includes(self, name):
        folder = folder_of(name)
        if folder not in FLOORS:
            self.found(name, f"folder {folder}/ is on no floor")
            return
        for target in self.includes[name]:
            other = folder_of(target)
            if target not in self.headers and other in FLOORS:
                continue  # the compiler says it better
            wrong = self.crossing(name, folder, target, other)
            if wrong and not self.allowed(INCLUDES_ALLOWED, (name, target)):
                self.found(name, f"includes {target}: {wrong}")
        for quoted in re.findall(r'^\s*#\s*include\s*"[^"]*"', self.headers[name], re.M):
            self.found(name, f"{quoted.strip()}: write <coffer/...>")

    @staticmethod
    def crossing(name, folder, target, other):
        """What is wrong with this include, or nothing."""
        if other not in FLOORS:
            return f"folder {other}/ is on no floor"
        if target == UMBRELLA:
            return None if folder == "extras" else "nothing below includes the umbrella"
        if name == UMBRELLA:
            return "the umbrella leaves extras/ out" if other == "extras" else None
        if other == folder:
            return None
        if FLOORS[other] > FLOORS[folder]:
            return f"upward, from floor {FLOORS[folder]} to floor {FLOORS[other]}"
        if FLOORS[other] == FLOORS[folder]:
            return "its sister wing"
        if other in AXES and FLOORS[folder] < FLOORS[TOP] and not target.endswith("/" + CONCEPTS):
            return f"a concrete policy; below floor {FLOORS[TOP]} only {other}/{CONCEPTS} is seen"
        return None

    def check_cycles(self):
        done, path = set(), []

        def visit(name):
            if name in path:
                circle = path[path.index(name) :] + [name]
                self.found(name, "cycle: " + " -> ".join(circle))
            elif name not in done and name in self.includes:
                path.append(name)
                for target in self.includes[name]:
                    visit(target)
                path.pop()
                done.add(name)

        for name in self.includes:
            visit(name)

    # ---- one header ----------------------------------------------------------------------------

    def check_text(self, name):
        lines = self.headers[name].split("\n")
        if len(lines) - 1 > HEADER_LINES:
            self.found(name, f"{len(lines) - 1} lines; at most {HEADER_LINES}")
        if not lines[0].startswith(f"// coffer/{name}: "):
            self.found(name, f"begins with '// coffer/{name}: ' and its purpose", 1)
        for at, line in enumerate(lines, 1):
            if not line.isascii():
                self.found(name, "a character that is not ASCII", at)
            if len(line) > COLUMNS and not line.lstrip(" /").startswith("|"):  # tables are wide
                self.found(name, f"{len(line)} columns; at most {COLUMNS}", at)
            if UNFINISHED.search(line):
                self.found(name, "a mark of something unfinished", at)

    def check_code(self, name):
        code, folder = self.code[name], folder_of(name)
        guard = "COFFER_" + re.sub(r"[/.]", "_", name).upper()
        if not re.search(rf"^#ifndef {guard}\n#define {guard}\n", code, re.M):
            self.found(name, f"the guard is {guard}")
        for match in re.finditer(r"^\s*#\s*define\s+(\w+)", code, re.M):
            if match[1] == guard:
                continue
            if FLOORS.get(folder) != 0:
                self.found(
                    name, f"defines {match[1]}; macros live on floor 0", line_of(code, match)
                )
            elif not match[1].startswith("COFFER_"):
                self.found(name, f"{match[1]} does not begin with COFFER_", line_of(code, match))
        for match in re.finditer(r"\busing\s+namespace\b", code):
            self.found(name, "using namespace", line_of(code, match))
        for match in re.finditer(r"^\s*#\s*include\s*<([^>]+)>", code, re.M):
            self.check_system_include(name, folder, match[1], line_of(code, match))
        for match in THREAD_NAMES.finditer(code):
            if folder != "extras" and not self.allowed(THREADS_ALLOWED, name):
                self.found(name, f"{match[0]}; ask the threading policy", line_of(code, match))
        for match in SYSTEM_NAMES.finditer(code):
            if folder not in ("fs", "extras") and not self.allowed(SYSTEM_ALLOWED, name):
                self.found(name, f"{match[0]}; all I/O goes through fs/", line_of(code, match))
        for at, size in long_functions(code):
            if not self.allowed(LONG_ALLOWED, name):
                self.found(name, f"a function of {size} lines; at most {FUNCTION_LINES}", at)

    def check_system_include(self, name, folder, target, at):
        if folder == "extras":
            return
        if target in HEAVY_HEADERS:
            self.found(name, f"<{target}> is too dear for every user", at)
        if target in THREAD_HEADERS and not self.allowed(THREADS_ALLOWED, name):
            self.found(name, f"<{target}>; use <coffer/core/threading.hpp>", at)
        if SYSTEM_HEADERS.fullmatch(target) and folder != "fs":
            if not self.allowed(SYSTEM_ALLOWED, name):
                self.found(name, f"<{target}>; the system is seen in fs/ alone", at)

    # ---- tests ---------------------------------------------------------------------------------

    def check_test(self, name):
        """hash_test.cpp is the test of hash.hpp and of its parts, hash_words.hpp and the like."""
        path, folder = Path(name), self.root / "tests" / folder_of(name)
        words = path.stem.split("_")
        tests = [folder / ("_".join(words[:n]) + "_test.cpp") for n in range(len(words), 0, -1)]
        test = tests[0]
        if path.name == CONCEPTS or any(each.exists() for each in tests):
            return
        if not self.allowed(UNTESTED_ALLOWED, name):
            self.found(name, f"has no {test.relative_to(self.root).as_posix()}")
        elif "/" in (where := UNTESTED_ALLOWED[name]) and not (self.root / where).exists():
            self.found(name, f"is said to be tested by {where}, which does not exist")

    def check_tests(self):
        """Every test is compiled: builds take tests/<folder>/*_test.cpp. None of them sleeps. Those
        of a folder are one program, so types with one name are one type, or hidden in their file.
        """
        types = {}
        for path in sorted((self.root / "tests").rglob("*_test.cpp")):
            name = path.relative_to(self.root).as_posix()
            if len(path.relative_to(self.root / "tests").parts) != 2:
                self.found(name, "no build takes it; tests are tests/<folder>/<name>_test.cpp")
            text = path.read_text("utf-8")
            code = without_comments(text)
            for match in re.finditer(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", code):
                self.found(name, f"{match[0]}; wait for the event", line_of(code, match))
            for type_name, at in shared_types(text):
                first = types.setdefault((path.parent, type_name), name)
                if first != name:
                    self.found(name, f"{first} has a {type_name} too; use namespace {{ }}", at)

    # ---- the picture ---------------------------------------------------------------------------

    def picture(self):
        """One row per folder, from the top floor down: its headers and the folders it rests on."""
        rows, last = [], None
        for folder in sorted(FLOORS, key=lambda f: (-FLOORS[f], f)):
            mine = [n for n in self.headers if folder_of(n) == folder and n != UMBRELLA]
            if not mine:
                continue
            seen = {}
            for name in mine:
                for target in self.includes[name]:
                    if folder_of(target) not in (folder, None) and target in self.headers:
                        seen.setdefault(folder_of(target), set()).add(Path(target).name)
            below = []
            for other in sorted(seen, key=lambda f: (-FLOORS[f], f)):
                only_concept = other in AXES and seen[other] == {CONCEPTS}
                below.append(f"{other}/{CONCEPTS}" if only_concept else f"{other}/")
            floor = "" if FLOORS[folder] == last else f"{FLOORS[folder]}"
            last = FLOORS[folder]
            cells = textwrap.wrap(
                "  ".join(sorted(Path(n).stem for n in mine)), 42, break_on_hyphens=False
            )
            notes = textwrap.wrap("  ".join(below), 36, break_on_hyphens=False)
            for at in range(max(len(cells), len(notes))):
                cell = cells[at] if at < len(cells) else ""
                note = notes[at] if at < len(notes) else ""
                head = f"{floor:<3}{folder + '/':<13}" if at == 0 else " " * 16
                rows.append(f"{head}{cell:<44}{note}".rstrip())
        head = f"{'':<3}{'folder':<13}{'headers':<44}rests on"
        return "\n".join([BEGIN, "```text", head, *rows, "```", END])


BEGIN = "<!-- drawn by scripts/floors.py --draw -->"
END = "<!-- end of the drawing -->"


def folder_of(name):
    return name.split("/")[0] if "/" in name else TOP


def line_of(text, match):
    start = match.start() + len(match[0]) - len(match[0].lstrip())
    return text.count("\n", 0, start) + 1


def without_comments(text):
    """The code with comments and the contents of literals blanked; lines stay where they are."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S
    )

    def blank(match):
        if match[0].startswith("/"):
            return re.sub(r"[^\n]", " ", match[0])
        return match[0][0] + " " * (len(match[0]) - 2) + match[0][-1]

    quoted = re.compile(r"^\s*#\s*include.*$", re.M)
    kept = {m.start(): m[0] for m in quoted.finditer(text)}
    out = token.sub(blank, text)
    for start, line in kept.items():
        plain = line.split("//")[0]
        out = out[:start] + plain.ljust(len(line)) + out[start + len(line) :]
    return out


def shared_types(text):
    """(name, line) of each type that other files of the same program could mean too."""
    declared = r"^(?:struct|class|union|enum(?: class)?) (\w+)(?: final)? (?::[^:]|\{)"
    for match in re.finditer(declared, text, re.M):
        before = text[: match.start()]
        opened = len(re.findall(r"^namespace \{", before, re.M))
        if opened == len(re.findall(r"^\}  // namespace$", before, re.M)):
            yield match[1], line_of(text, match)


def long_functions(code):
    """(line, size) of each outermost function body of more than FUNCTION_LINES lines: a guess by
    the text before its brace, good for code that clang-format laid out."""
    code = re.sub(r"^\s*#.*(\\\n.*)*", lambda m: re.sub(r"[^\n]", " ", m[0]), code, flags=re.M)
    depth, start, inside, statement = 0, 0, None, 0
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        if match[0] == "{":
            head = code[statement:at]
            while (shorter := re.sub(r"<[^<>(){};]*>", " ", head)) != head:
                head = shorter
            scope = re.search(r"\b(namespace|class|struct|union|enum)\b", head)
            if inside is None and "(" in head and not scope:
                inside, start = depth, at
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if inside == depth:
                first, size = code.count("\n", 0, start) + 1, code.count("\n", start, at) + 1
                inside = None
                if size > FUNCTION_LINES:
                    yield first, size
        statement = at + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--draw", action="store_true", help="write the picture")
    parser.add_argument("--check", action="store_true", help="check everything (the default)")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args()
    house = House(options.root)
    page = options.root / "docs/architecture.md"
    text = page.read_text("utf-8") if page.exists() else ""
    if BEGIN not in text or END not in text:
        sys.exit(f"floors: {page} has no place for the picture: '{BEGIN}' ... '{END}'")
    drawn = text[: text.index(BEGIN)] + house.picture() + text[text.index(END) + len(END) :]
    if options.draw:
        page.write_text(drawn, "utf-8")
        print(f"floors: drew {len(house.headers)} headers into {page}")
        return
    house.check()
    if drawn != text:
        house.found("docs/architecture.md", "the picture is stale; run scripts/floors.py --draw")
    for finding in house.findings:
        print(finding)
    print(f"floors: {len(house.headers)} headers, {len(house.findings)} findings")
    sys.exit(1 if house.findings else 0)


if __name__ == "__main__":
    main()
