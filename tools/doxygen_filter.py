#!/usr/bin/env python3
# Hands the comments of a public header to doxygen. SPDX-License-Identifier: Apache-2.0
"""usage: doxygen_filter.py HEADER

A comment in front of a declaration becomes one that doxygen reads, one behind a field describes that
field; the first comment and those of sections describe the file. Lines stay where they are. What doxygen
would take for commands or tags is only text; what is indented between two empty lines is code.
"""
import re
import sys

COMMENT = re.compile(r"/\*.*?\*/", re.S)
BANNER = re.compile(r"/\* -{4} (.*?) -{4}-*$", re.M)
CODE = re.compile(r"^ \*\n((?: \*     .*\n)+) \*\n", re.M)


def escape(text):
    return re.sub(r"([\\@<>#%&])", r"\\\1", text)


def body_of(comment):
    """What is between its ends."""
    out, end = [], 0
    for block in CODE.finditer(comment):
        out += [escape(comment[end:block.start()]), f" * @code{{.c}}\n{block.group(1)} * @endcode\n"]
        end = block.end()
    return ("".join(out) + escape(comment[end:]))[2:-2]


def convert(text):
    out, end = [], 0
    for match in COMMENT.finditer(text):
        comment = match.group()
        line = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
        out.append(text[end:match.start()])
        if match.start() == 0:
            out.append(f"/**{body_of(comment).rstrip()} @file */")
        elif BANNER.match(comment):
            out.append(BANNER.sub(r"/** @par \1", "/*" + body_of(comment)).rstrip() + " @file */")
        else:
            out.append(("/**<" if line.strip() else "/**") + body_of(comment) + "*/")
        end = match.end()
    return "".join(out) + text[end:]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(convert(file.read()))
