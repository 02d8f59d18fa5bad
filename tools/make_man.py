#!/usr/bin/env python3
# Makes the man page of weir from its --help texts. SPDX-License-Identifier: Apache-2.0
"""usage: make_man.py WEIR_PROGRAM > weir.1"""
import os
import re
import subprocess
import sys

# Commands that have commands of their own.
GROUPS = ("data", "models")


def text_of(program, *arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
    return subprocess.run([program, *arguments], env=environment, text=True, check=True,
                          stdout=subprocess.PIPE).stdout


def roff(text):
    """Text as troff prints it: no request at the start of a line, no hyphen for a minus."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in lines)


def commands(program, *path):
    listing = text_of(program, *path, "--help").split("Commands:\n", 1)
    if len(listing) < 2:
        return []
    return re.findall(r"^  ([a-z][a-z-]*)  +(\S.*)$", listing[1], re.M)


def all_commands(program):
    for name, about in commands(program):
        inner = commands(program, name) if name in GROUPS else []
        yield from (((name, sub), words) for sub, words in inner)
        if not inner or name == "models":  # without one it lists
            yield (name,), about
        if name == "compare":
            yield ("compare", "downsampling"), "what a convolution in front of a GRU buys"


def main(program):
    version = text_of(program, "--version").split()[1]
    print(f'.TH WEIR 1 "" "weir {version}" "User commands"')
    print(".SH NAME\nweir \\- train and use small sequence models on CPUs")
    print(".SH SYNOPSIS\n.B weir\n.I command\n[options]")
    print(".SH COMMANDS")
    every = list(all_commands(program))
    for path, about in every:
        print(f".TP\n.B {roff(' '.join(path))}\n{roff(about)}")
    for path, _ in every:
        print(f'.SH "WEIR {roff(" ".join(path).upper())}"\n.nf\n{roff(text_of(program, *path, "--help")).rstrip()}\n.fi')
    print(".SH ENVIRONMENT\n.TP\n.B WEIR_THREADS, WEIR_ISA, WEIR_THREADING, WEIR_BIND\nDefaults of the "
          "options \\-\\-threads, \\-\\-isa, \\-\\-threading and \\-\\-bind.\n.TP\n.B WEIR_KERAS_PROGRAM\nThe program "
          "weir\\-keras, which reads files of Keras.\n.TP\n.B NO_COLOR\nWhen set, "
          "progress is shown without colours.")
    print(".SH EXIT STATUS\n0: done. 1: failed. 2: wrong command line. 130, 143: interrupted by SIGINT or "
          "SIGTERM, with what was finished kept.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
