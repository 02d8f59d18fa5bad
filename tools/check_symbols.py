#!/usr/bin/env python3
# Checks what the libraries export and call. SPDX-License-Identifier: Apache-2.0
"""usage: check_symbols.py HEADERS SHARED_LIBRARY STATIC_LIBRARY [KERNEL_LIBRARY...]

HEADERS: the public headers of this build, with commas between.

The shared library exports exactly the functions that the public headers mark WEIR_API; the static
one puts only weir_* into the linker's name space; neither prints, exits or aborts. A library of
kernels (libkernels_<isa>.a) defines functions named _<isa> only and nothing weak, so no code of an
instruction set can be picked for a machine without it.
"""
import re
import subprocess
import sys

FORBIDDEN = """printf vprintf puts putchar perror exit _exit _Exit quick_exit abort __assert_fail stdout stderr
               __printf_chk __vprintf_chk""".split()


def symbols(path, *options):
    """Lines of nm as (letter, name)."""
    out = subprocess.run(["nm", *options, path], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^(?:[0-9a-f]+)?\s+([A-Za-z])\s+([\w.]+)", out, re.M)
    # A sanitizer's or a profiler's own symbols are not ours.
    return [(letter, name) for letter, name in found if not re.match(r"_*(asan|ubsan|tsan|odr|gcov)", name)]


def declared(headers):
    names = set()
    for header in headers.split(","):
        with open(header, encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        names |= set(re.findall(r"\bWEIR_API\b[^;{]*?\b(weir_\w+)\s*\(", text))
    return names


def check_shared(headers, path):
    public = declared(headers)
    exported = {name for letter, name in symbols(path, "-D", "--defined-only") if letter not in "Aw"}
    yield from (f"{path}: exports {name}, which no public header declares" for name in sorted(exported - public))
    yield from (f"{path}: does not export {name}, which a header declares" for name in sorted(public - exported))
    if not public:
        yield f"{headers}: declare nothing"


def check_calls(path):
    used = {name.split("@")[0] for _, name in symbols(path, "--undefined-only")}
    yield from (f"{path}: calls {name}" for name in sorted(used & set(FORBIDDEN)))


def check_static(path):
    names = {name for _, name in symbols(path, "-g", "--defined-only")}
    yield from (f"{path}: global name {name} lacks weir_" for name in sorted(names) if not name.startswith("weir_"))
    if not names:
        yield f"{path}: defines nothing"


def check_kernels(path):
    isa = re.search(r"kernels_(\w+)\.a$", path).group(1)
    defined = symbols(path, "-g", "--defined-only")
    for letter, name in defined:
        if letter in "WVu":
            yield f"{path}: weak symbol {name}"
        elif not name.endswith("_" + isa):
            yield f"{path}: {name} does not end in _{isa}"
    if not defined:
        yield f"{path}: defines nothing"


def main(headers, shared, static, *kernels):
    problems = list(check_shared(headers, shared))
    problems += check_calls(shared)
    problems += check_calls(static)
    problems += check_static(static)
    for path in kernels:
        problems += check_kernels(path)
    for problem in problems:
        print(problem)
    print(f"check_symbols: {2 + len(kernels)} libraries, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
