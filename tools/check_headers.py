#!/usr/bin/env python3
# Checks that every header compiles alone. SPDX-License-Identifier: Apache-2.0
"""usage: check_headers.py ROOT CC [CXX]

Public headers as C11 and as C++17, the others as C11 (those of bench/ as C++17), without warnings.
CC and CXX may hold options, separated by blanks.
"""
import os
import platform
import subprocess
import sys

from sources import files, report

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror",
            "-Wno-unused-function"]  # templates of a kernel, of which a source uses some

STAND_INS = ["validate/simde/immintrin.h"]  # takes the place of a compiler's header and needs SIMDe


def options(root, path):
    found = ["-fsyntax-only", "-I", root, "-I", os.path.join(root, "include"), *WARNINGS]
    if not path.startswith("include/"):
        found.append("-D_GNU_SOURCE")  # the sources that include them define it
    if "avx" in path:
        found += ["-mavx2", "-mfma", "-mavx512f"]
    return found


def compiles(root, path, command, language, standard):
    """Returns the compiler's message, or None."""
    name = path[len("include/"):] if path.startswith("include/") else path
    run = subprocess.run(
        [*command, "-x", language, f"-std={standard}", *options(root, path), "-"],
        input=f'#include "{name}"\n', capture_output=True, text=True, check=False)
    return None if run.returncode == 0 else f"{path}: not alone as {standard}:\n{run.stderr}"


def main(root, cc, cxx=None):
    cc, cxx = cc.split(), cxx.split() if cxx else None
    problems = []
    headers = [path for path in files(root, (".h",)) if path not in STAND_INS]
    if platform.machine() not in ("x86_64", "AMD64"):
        headers = [path for path in headers if "avx" not in path]
    for path in headers:
        if not path.startswith("bench/"):
            problems.append(compiles(root, path, cc, "c", "c11"))
        if cxx and path.startswith(("include/", "bench/")):
            problems.append(compiles(root, path, cxx, "c++", "c++17"))
    return report("check_headers", [p for p in problems if p], len(headers))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
