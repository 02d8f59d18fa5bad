#!/usr/bin/env python3
# Completion and man page. SPDX-License-Identifier: Apache-2.0
"""usage: test_shell.py WEIR_PROGRAM COMPLETION_FOLDER MAKE_MAN"""
import os
import re
import shutil
import subprocess
import sys
import unittest

WEIR = COMPLETION = MAKE_MAN = None


def run(*command, **more):
    return subprocess.run(command, text=True, capture_output=True, timeout=60, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}, **more)


class Completion(unittest.TestCase):
    def bash(self, *words):
        script = ('source "$1/weir.bash"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _weir; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = run("bash", "-c", script, "bash", COMPLETION, WEIR, *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def fish(self, line):
        folder = os.path.dirname(WEIR)
        done = run("fish", "--no-config", "-c",
                   f"set -p PATH {folder}; source {COMPLETION}/weir.fish; complete -C '{line}'")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [row.split("\t")[0] for row in done.stdout.splitlines()]

    def test_bash(self):
        commands = self.bash("")
        for name in ("train", "compare", "report", "eval", "predict", "data", "info", "--help"):
            self.assertIn(name, commands)
        self.assertEqual(self.bash("tr"), ["train"])
        self.assertEqual(self.bash("data", "f"), ["fetch"])
        self.assertEqual(self.bash("train", "jena", "--isa", "a"), ["auto", "avx2", "avx512"])
        self.assertEqual(self.bash("train", "jena-gru", "--his"), ["--history"])
        self.assertEqual(self.bash("compare", "i"), ["imdb"])
        self.assertEqual(self.bash("train", "--data", ""), [])  # files, by the shell
        self.assertIn("binary_crossentropy", self.bash("train", "jena-gru", "--loss", ""))
        self.assertEqual(self.bash("compare", "downsampling", "imdb", "--len"), ["--lengths"])
        self.assertEqual(self.bash("compare", "jena", "--len"), [])
        self.assertEqual(self.bash("compare", "d"), ["downsampling"])
        self.assertIn("jena-conv-gru", self.bash("train", "jena-conv"))
        # Of a command that there isn't, files.
        self.assertEqual(self.bash("trian", ""), [])

    @unittest.skipUnless(shutil.which("fish"), "no fish")
    def test_fish(self):
        self.assertIn("train", self.fish("weir "))
        self.assertEqual(self.fish("weir data f"), ["fetch"])
        self.assertEqual(self.fish("weir train jena-gru --his"), ["--history"])
        self.assertEqual(self.fish("weir train jena-gru --isa a"), ["auto", "avx2", "avx512"])
        self.assertIn("binary_crossentropy", self.fish("weir train jena-gru --loss "))
        self.assertIn("jena-conv-gru", self.fish("weir train jena-conv"))
        self.assertIn("downsampling", self.fish("weir compare d"))
        self.assertEqual(self.fish("weir compare downsampling imdb --len"), ["--lengths"])

    @unittest.skipUnless(shutil.which("zsh"), "no zsh")
    def test_zsh(self):
        done = run("zsh", "-fc", f"autoload -Uz compinit bashcompinit; compinit -u; bashcompinit; "
                                 f"source {COMPLETION}/weir.bash && print $_comps[weir]")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("_weir", done.stdout)


class Man(unittest.TestCase):
    def test_page(self):
        done = run(sys.executable, MAKE_MAN, WEIR)
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in (".SH NAME", '.SH "WEIR TRAIN"', '.SH "WEIR COMPARE DOWNSAMPLING"',
                      '.SH "WEIR DATA FETCH"', "NO_COLOR"):
            self.assertIn(words, done.stdout)
        # Every option of every command, with minus signs.
        self.assertIn("\\-\\-history FILE", done.stdout)
        self.assertIsNone(re.search(r"(?<!\\)--", done.stdout))
        if shutil.which("groff"):
            checked = run("groff", "-man", "-Tutf8", "-ww", "-z", input=done.stdout)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    WEIR, COMPLETION, MAKE_MAN = (os.path.abspath(path) for path in sys.argv[1:4])
    del sys.argv[1:4]
    unittest.main()
