#!/usr/bin/env python3
# Checks the house rules that clang-format does not know. SPDX-License-Identifier: Apache-2.0
"""usage: check_style.py [ROOT]"""
import os
import re
import sys

from sources import CODE, TEXT, files, report

LINES_OF_A_FUNCTION = 75
LONGEST_LINE = 110  # clang-format keeps code within 100; a comment may need a few more
LARGEST_FILE = 200_000

# Pattern in code, and what is wrong with it.
FORBIDDEN = [
    (r"\btypedef\b[^;{(]*\w+_t\s*;", "typedef of a name that ends in _t (POSIX owns those)"),
    (r"\b(struct|enum|union)\s+\w+_t\b", "name that ends in _t (POSIX owns those)"),
    (r"^\}\s*\w+_t\s*;", "name that ends in _t (POSIX owns those)"),
    (r"\btypedef\b[^;{]*\*\s*\w+\s*;", "typedef of a pointer"),
    (r"\btypedef\b[^;{]*\(\s*\*", "typedef of a pointer to a function: name the function type"),
    (r"^\}\s*\*\s*\w+\s*;", "typedef of a pointer"),
    (r"^\s*#\s*if\s+0\b", "dead code"),
]
NOTE_TO_SELF = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b")
FUNCTION = re.compile(r"^[A-Za-z_].*[)\w]\s*\{$")
NOT_FUNCTION = re.compile(r"^(typedef|struct|enum|union|extern|namespace|static const|const)\b.*[^)]\s*\{$")


def check_text(path, lines):
    for number, line in enumerate(lines, 1):
        if NOTE_TO_SELF.search(line):
            yield number, "note to self: open an issue instead"
        if line != line.rstrip():
            yield number, "white space at the end of the line"
        if "\t" in line:
            yield number, "tab"
        if re.search(r"/work[/]|\.\./sh[a]red", line) and not path.startswith("tests/"):
            yield number, "path that only exists on one machine"


def check_header(path, lines):
    head = "\n".join(lines[:5])
    if not lines[0].startswith(("/*", "//")):
        yield 1, "the first line must be a comment that says the file's subject"
    if "SPDX-License-Identifier: Apache-2.0" not in head:
        yield 1, "no SPDX line at the top"
    if path.endswith(".h") and not re.search(r"^#ifndef WEIR_\w*H$", "\n".join(lines), re.M):
        yield 1, "no include guard WEIR_..._H"


def check_functions(lines):
    start = None
    for number, line in enumerate(lines, 1):
        if FUNCTION.match(line) and not NOT_FUNCTION.match(line):
            start = number
        elif line.startswith("}") and start:
            if number - start + 1 > LINES_OF_A_FUNCTION:
                yield start, f"function of {number - start + 1} lines, at most {LINES_OF_A_FUNCTION}"
            start = None


def check_code(path, lines):
    yield from check_header(path, lines)
    yield from check_functions(lines)
    vectors = re.match(r"kernels/(vec.*\.h|vmath\.h|\w+_simd\.c)", path)
    for number, line in enumerate(lines, 1):
        for pattern, what in FORBIDDEN:
            if re.search(pattern, line):
                yield number, what
        if vectors and re.search(r"\binline\b", line) and not re.match(r"\s*(#|/?\*|static\b)", line):
            yield number, "non-static inline function: the linker may keep the AVX-512 copy"
        if len(line) > LONGEST_LINE and "http" not in line:
            yield number, f"line of {len(line)} characters, at most {LONGEST_LINE}"


def check(root):
    problems = []
    paths = files(root, TEXT)
    for path in paths:
        full = os.path.join(root, path)
        if os.path.getsize(full) > LARGEST_FILE:
            problems.append(f"{path}:1: larger than {LARGEST_FILE} bytes: is it generated?")
        with open(full, encoding="utf-8") as file:
            text = file.read()
        lines = text.splitlines() or [""]
        found = list(check_text(path, lines))
        if path.endswith(CODE):
            found += check_code(path, lines)
        if not text.endswith("\n"):
            found.append((len(lines), "no newline at the end"))
        problems += [f"{path}:{number}: {what}" for number, what in sorted(found)]
    return problems, len(paths)


if __name__ == "__main__":
    sys.exit(report("check_style", *check(sys.argv[1] if len(sys.argv) > 1 else ".")))
