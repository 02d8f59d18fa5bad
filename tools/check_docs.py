#!/usr/bin/env python3
# Checks that the documents say what is there. SPDX-License-Identifier: Apache-2.0
"""usage: check_docs.py ROOT [WEIR_PROGRAM]

Links inside the repository lead to files, blocks of C and C++ stand in examples/ (which every build
compiles and runs) or are what a patch in docs/ makes of the sources (tools/check_example.py), and every
`weir COMMAND --option` of a code block is one that the program's own help names.
"""
import os
import re
import subprocess
import sys

from sources import files, report

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|(?:src|href)=\"([^\"#]+)\"")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
# "weir train ...", "weir data fetch ..."; not the word weir in a sentence or a path.
COMMAND = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:\S*/)?weir ((?:data )?[a-z]+)([^|;&>#\n]*)", re.M)


def check_links(root, path, text):
    for match in LINK.finditer(text):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", target):
            continue
        if not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
            yield f"{path}: link to {target}, which is not there"


def compiled(root):
    """The texts that blocks of code may be part of, each as its lines, whatever the indentation."""
    for path in files(os.path.join(root, "examples"), (".c",)):
        with open(os.path.join(root, "examples", path), encoding="utf-8") as file:
            yield [line.strip() for line in file]
    for path in files(os.path.join(root, "docs"), (".patch",)):
        with open(os.path.join(root, "docs", path), encoding="utf-8") as file:
            yield [line[1:].strip() for line in file if line[0] in "+ @"]


def check_code(root, path, code):
    """The lines of a block stand together and in order in one of these texts."""
    wanted = [line.strip() for line in code.strip().splitlines()]
    for lines in compiled(root):
        if any(lines[i:i + len(wanted)] == wanted for i in range(len(lines))):
            return
    yield f"{path}: block of code that is part of no example and no patch: {wanted[0]}"


def help_of(weir, command, cache={}):
    if command not in cache:
        run = subprocess.run([weir, *command.split(), "--help"], capture_output=True, text=True, check=False)
        cache[command] = run.stdout if run.returncode == 0 else None
    return cache[command]


def check_commands(path, code, weir):
    for command, rest in COMMAND.findall(code.replace("\\\n", " ")):
        text = help_of(weir, command)
        if text is None:
            yield f"{path}: weir has no command '{command}'"
            continue
        for option in re.findall(r"(?<=\s)--[a-z-]+", rest):
            if not re.search(re.escape(option) + r"(?![a-z-])", text):
                yield f"{path}: weir {command} has no option {option}"


def check(root, weir=None):
    problems = []
    paths = files(root, (".md",))
    for path in paths:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        problems += check_links(root, path, text)
        for language, code in BLOCK.findall(text):
            if language in ("c", "cpp"):
                problems += check_code(root, path, code)
            elif weir:
                problems += check_commands(path, code, weir)
    return problems, len(paths)


if __name__ == "__main__":
    sys.exit(report("check_docs", *check(*sys.argv[1:])))
