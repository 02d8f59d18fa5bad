#!/usr/bin/env python3
# weir data generate and weir info from outside. SPDX-License-Identifier: Apache-2.0
"""usage: test_cli_data.py WEIR_PROGRAM"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

WEIR = None
FOUR_NODES = "node:4 core:16 pu:2"


def weir(*arguments, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("WEIR_", "HWLOC_"))}
    return subprocess.run([WEIR, *arguments], env={**environment, **variables}, text=True,
                          capture_output=True, timeout=60, check=False)


class Generate(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def generate(self, name, *arguments):
        run = weir("data", "generate", "--out", self.path(name), *arguments)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        with open(self.path(name), encoding="ascii") as file:
            return file.read()

    def test_file(self):
        text = self.generate("a.csv", "--rows", "300", "--seed", "5")
        lines = text.splitlines()
        self.assertEqual(len(lines), 301)
        self.assertTrue(lines[0].startswith('"Date Time","p (mbar)","T (degC)","Tpot (K)"'))
        self.assertTrue(lines[1].startswith("01.01.2009 00:10:00,"))
        self.assertTrue(lines[300].startswith("03.01.2009 02:00:00,"))
        self.assertEqual({line.count(",") for line in lines}, {14})
        self.assertEqual(os.listdir(self.folder.name), ["a.csv"])
        self.assertEqual(self.generate("b.csv", "--rows", "300", "--seed", "5"), text)
        self.assertNotEqual(self.generate("a.csv", "--rows", "300", "--seed", "6"), text)

    def refused(self, status, word, *arguments):
        run = weir("data", "generate", *arguments)
        self.assertEqual((run.returncode, run.stdout), (status, ""))
        self.assertIn(word, run.stderr)

    def test_bad_options(self):
        self.refused(2, "--out is missing")
        self.refused(2, '--rows is "0", accepted: a whole number from 1', "--out", "x", "--rows", "0")
        self.refused(2, '--seed is "-1"', "--out", "x", "--seed", "-1")
        self.refused(2, 'unexpected argument "y"', "--out", "x", "y")

    def test_places_that_cannot_be_written(self):
        self.refused(1, "No such file or directory", "--out", self.path("no/such/a.csv"))
        os.mkdir(self.path("folder"))
        self.refused(1, "directory", "--out", self.path("folder"), "--rows", "10")
        self.assertEqual(os.listdir(self.folder.name), ["folder"])

    def test_subcommands(self):
        run = weir("data", "--help")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        for arguments in [[], ["download"]]:
            run = weir("data", *arguments)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertIn("generate", run.stderr)


class Info(unittest.TestCase):
    def info(self, *arguments, **variables):
        run = weir("info", "--json", *arguments, **variables)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return json.loads(run.stdout)

    def test_this_machine(self):
        found = self.info("--threads", "1", "--isa", "generic")
        self.assertEqual(found["isa"], "generic")
        self.assertEqual(found["threads"], 1)
        self.assertEqual(list(found["isas"]), ["scalar", "generic", "avx2", "avx512"])
        self.assertEqual([i for i, isa in found["isas"].items() if isa["in_use"]], ["generic"])
        for isa in found["isas"].values():
            self.assertEqual("why_not" in isa, not isa["available"])
        self.assertFalse(found["machine"]["synthetic"])
        self.assertEqual(len(found["workers"]), 1)

    def test_options_win_over_the_environment(self):
        found = self.info("--threads", "1", "--isa", "scalar", "--bind", "none", WEIR_ISA="generic",
                          WEIR_THREADS="2", WEIR_BIND="spread")
        self.assertEqual((found["isa"], found["threads"], found["bind"]), ("scalar", 1, "none"))

    def test_another_machine(self):
        found = self.info("--threads", "6", "--bind", "spread", HWLOC_SYNTHETIC=FOUR_NODES)
        machine = found["machine"]
        self.assertTrue(machine["synthetic"])
        self.assertEqual((machine["numa_nodes"], machine["cores"], machine["logical_cpus"]),
                         (4, 64, 128))
        nodes = [worker["node"] for worker in found["workers"]]
        self.assertEqual({nodes.count(node) for node in range(4)}, {1, 2})
        found = self.info("--threads", "6", "--bind", "compact", HWLOC_SYNTHETIC=FOUR_NODES)
        self.assertEqual({worker["node"] for worker in found["workers"]}, {0})
        self.assertEqual(len({worker["core"] for worker in found["workers"]}), 6)

    def test_text_of_another_machine(self):
        run = weir("info", "--threads", "2", HWLOC_SYNTHETIC=FOUR_NODES)
        self.assertEqual(run.returncode, 0)
        for line in ["  NUMA nodes    4\n", "  cores         64, of which 64 allowed\n",
                     "  threads       2\n", "nothing is pinned"]:
            self.assertIn(line, run.stdout)


if __name__ == "__main__":
    WEIR = sys.argv.pop(1)
    unittest.main()
