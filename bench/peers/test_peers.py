#!/usr/bin/env python3
# The comparison with other frameworks, without any. SPDX-License-Identifier: Apache-2.0
"""usage: test_peers.py [--quick] WEIR_WORKER

Weir itself plays the other framework, behind a filter that changes what it says. --quick instead runs the
real ones that are installed, each call once; exit status 77 where there is none."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

from comparison import rows
from models import MODELS
from process import HERE

WORKER = None
PEERS = [sys.executable, "-B", os.path.join(HERE, "peers.py")]
NONE = ["--torch", "none", "--keras", "none"]
# Takes the place of a Python with torch: has every module, and its worker is Weir's with another name.
IMPOSTOR = """#!/bin/sh
[ "$1" = -c ] && exit 0
for threads; do :; done
"{worker}" "$threads" | sed -u -e 's/"name": "Weir"/"name": "torch"/' -e '{filter}'
"""


def run(*arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
    return subprocess.run([*PEERS, *arguments], env=environment, capture_output=True, text=True, check=False)


def state(pid):
    """R, S, T (stopped), Z, ...; None: it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class CommandLine(unittest.TestCase):
    def refused(self, words, *arguments):
        made = run(*arguments)
        self.assertEqual((made.returncode, made.stdout), (2, ""), made.stderr)
        self.assertIn(words, made.stderr)

    def test_usage(self):
        self.refused("WEIR_WORKER")
        self.refused("/none/such is not a program", "/none/such")
        self.refused("'jena', accepted: jena-conv-gru,", "--models", "jena", WORKER)
        self.refused("'0', accepted: numbers above 0", "--rounds", "0", WORKER)
        self.refused("'x', accepted: numbers above 0", "--threads", "1,x", WORKER)
        self.refused("--round", "--round", "3", WORKER)

    def test_help(self):
        made = run("--help")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        for option in ("--models", "--threads", "--rounds", "--torch", "--keras", "--json", "--quick"):
            self.assertIn(option, made.stdout)

    def test_nothing_to_compare_with(self):
        made = run(*NONE, WORKER)
        self.assertEqual((made.returncode, made.stdout), (1, ""))
        self.assertIn("torch: left out", made.stderr)
        made = run("--torch", "/none/python", "--keras", "none", WORKER)
        self.assertEqual(made.returncode, 1)
        self.assertIn("torch: /none/python is not a program", made.stderr)


class WeirWorker(unittest.TestCase):
    def ask(self, *lines):
        made = subprocess.run(
            [WORKER, "1"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False
        )
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        return [json.loads(line) for line in made.stdout.splitlines()]

    def test_refuses(self):
        greeting, *answers = self.ask(
            "predict x", "open none-such /none", "open jena-gru /none", "time x 1", "help"
        )
        self.assertEqual(greeting["name"], "Weir")
        for answer, words in zip(
            answers, ("no model is open", "none-such", "/none/x.f32", "no model", "no model")
        ):
            self.assertIn(words, answer["error"])

    def test_usage(self):
        for arguments in ([], ["0"], ["x"], ["1", "2"]):
            made = subprocess.run([WORKER, *arguments], capture_output=True, text=True, check=False)
            self.assertEqual((made.returncode, made.stdout), (2, ""))


def make_impostor(folder, change):
    python = os.path.join(folder, "python")
    with open(python, "w", encoding="utf-8") as file:
        file.write(IMPOSTOR.format(worker=WORKER, filter=change))
    os.chmod(python, 0o755)
    return python


class Impostor(unittest.TestCase):
    def compare(self, change, *more):
        with tempfile.TemporaryDirectory() as folder:
            python, path = make_impostor(folder, change), os.path.join(folder, "new", "out.json")
            made = run(
                "--quick",
                "--models",
                "jena-gru",
                "--threads",
                "1",
                "--torch",
                python,
                "--keras",
                "none",
                "--json",
                path,
                *more,
                WORKER,
            )
            content = None
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    content = json.load(file)
        return made, content

    def refused(self, change, words):
        made, _ = self.compare(change)
        self.assertEqual(made.returncode, 1, made.stdout)
        self.assertIn(words, made.stdout + made.stderr)

    def test_the_same(self):
        made, content = self.compare("")
        self.assertEqual(made.returncode, 0, made.stderr)
        lines = [line for line in made.stdout.splitlines() if line.startswith("| jena-gru")]
        self.assertEqual(
            [line.split(" | ")[1] for line in lines], ["train_step N:128", "predict N:1", "predict N:128"]
        )
        self.assertIn("missing: keras: left out", made.stdout)
        listed = content["weir"]["rows"]
        self.assertEqual([row["baseline"] for row in listed], [False, True] * 3)
        for own, peer in zip(listed[::2], listed[1::2]):
            self.assertAlmostEqual(own["ratio"], peer["seconds"] / own["seconds"], delta=1e-5)

    def test_another_network(self):
        self.refused('s/"parameters": 4641/"parameters": 4545/', "4545 parameters, expected 4641")

    def test_other_results(self):
        self.refused('s/"y": \\[[^,]*/"y": [9/', "y differs from Weir")
        self.refused('s/"losses": \\[[^,]*/"losses": [0.5/', "the first losses are [0.5,")
        self.refused('s/\\("losses": .*\\)[0-9]\\{5\\}\\]/\\1]/', "the first losses are")
        self.refused(
            's/"calls": \\([0-9]*\\), "loss": [^}]*/"calls": \\1, "loss": NaN/', "the loss became nan"
        )

    def test_failures(self):
        self.refused('s/.*"y": .*/{"error": "no such op"}/', "no such op")
        self.refused('/"parameters"/q', "ended with status 0")
        self.refused(
            's/"name": "torch"/"unfair": "a slow BLAS", "name": "torch"/', "no fair peer: a slow BLAS"
        )


class Killed(unittest.TestCase):
    def test_nothing_is_left(self):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as temporary:
            command = [*PEERS, "--models", "jena-gru", "--threads", "1", "--rounds", "100000", "--torch",
                       make_impostor(folder, ""), "--keras", "none", WORKER]
            with subprocess.Popen(command, env=dict(os.environ, TMPDIR=temporary), text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as parent:
                self.assertIn("compiled", parent.stderr.readline())
                self.assertNotEqual(os.listdir(temporary), [])
                parent.terminate()
                self.assertEqual((parent.wait(), os.listdir(temporary)), (143, []))

    def test_no_worker_is_left(self):
        """Also not one that stands still."""
        command = ["-c", "import sys; from process import Worker; w = Worker([sys.argv[1]], 1, sys.argv[2]); "
                         "w.greet(); print(w.process.pid, flush=True); sys.stdin.read()"]
        with tempfile.TemporaryDirectory() as folder:
            parent = subprocess.Popen([sys.executable, *command, WORKER, folder], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, cwd=HERE)
            worker = int(parent.stdout.readline())
            self.assertTrue(wait_until(lambda: state(worker) == "T"))
            parent.kill()
            parent.communicate()
            self.assertTrue(wait_until(lambda: state(worker) in ("Z", None)))


class Medians(unittest.TestCase):
    def test_ratios_are_of_each_round(self):
        """A disturbed round hits all: the median of the ratios is not the ratio of the medians."""
        times = {
            ("train", 128, 1, "Weir", "train:step"): [1, 10, 3],
            ("train", 128, 1, "a", "train:x"): [8, 90, 21],
            ("train", 128, 1, "a", "train:y"): [9, 95, 30],
            ("train", 128, 2, "a", "train:y"): [1, 1, 1],
        }
        (row,) = rows("jena-gru", times)
        self.assertEqual(row["seconds"], 3)
        self.assertEqual(row["peers"], {"a": {"variant": "x", "ratio": 8, "seconds": 21}})

    def test_parameters(self):
        self.assertEqual(MODELS["jena-conv-gru"].expected_parameters, 13_697 + 96)
        self.assertEqual(MODELS["imdb-lstm"].expected_parameters, 328_353)


def quick():
    """Every kind of layer, in the frameworks that there are."""
    made = run("--quick", "--threads", "1", "--models", "jena-conv-gru,imdb-lstm", WORKER)
    print(made.stdout, made.stderr, sep="\n")
    return 77 if "nothing to compare Weir with" in made.stderr else made.returncode


if __name__ == "__main__":
    WORKER = os.path.abspath(sys.argv.pop())
    if sys.argv[1:] == ["--quick"]:
        sys.exit(quick())
    unittest.main()
