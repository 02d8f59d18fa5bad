#!/usr/bin/env python3
# The weir program from outside: help, bad input, exit statuses. SPDX-License-Identifier: Apache-2.0
"""usage: test_cli.py WEIR_PROGRAM VERSION"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

COMMANDS = ["info", "train", "compare", "eval", "predict", "data"]
WEIR = VERSION = None


def weir(*arguments, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
    return subprocess.run([WEIR, *arguments], env={**environment, **variables}, text=True,
                          capture_output=True, timeout=60, check=False)


class Cli(unittest.TestCase):
    def refused(self, status, words, *arguments, **variables):
        """The call ends with this status, says each word on stderr, and writes nothing to stdout."""
        run = weir(*arguments, **variables)
        self.assertEqual(run.returncode, status, run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)
        self.assertEqual(run.stdout, "")
        return run.stderr


class Frame(Cli):
    def test_help(self):
        run = weir("--help")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        for command in COMMANDS:
            self.assertIn(command, run.stdout)

    def test_help_of_commands(self):
        for command in COMMANDS:
            run = weir(command, "--help")
            self.assertEqual((run.returncode, run.stderr), (0, ""), command)
            self.assertIn(f"weir {command}", run.stdout)

    def test_version(self):
        self.assertIn(VERSION, weir("--version").stdout)

    def test_no_command(self):
        self.refused(2, ["Usage", *COMMANDS])

    def test_unknown_command(self):
        self.refused(2, ["trian", "train"], "trian")

    def test_unknown_option(self):
        for command in COMMANDS:
            self.refused(2, ["--no-such-thing"], command, "--no-such-thing")


class Info(Cli):
    def test_text(self):
        run = weir("info", WEIR_ISA="generic", WEIR_THREADS="1")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        for word in ["avx2", "generic", "hwloc"]:
            self.assertIn(word, run.stdout)

    def test_json(self):
        run = weir("info", "--json", WEIR_ISA="generic")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIsInstance(json.loads(run.stdout), dict)

    def nodes(self, *arguments, **environment):
        run = weir("info", "--json", *arguments, **environment)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        keys = ("first_worker", "workers", "first_sample", "samples", "arena")
        return [tuple(node[key] for key in keys) for node in json.loads(run.stdout)["nodes"]]

    def test_plan_for_another_machine(self):
        plan = [(0, 2, 0, 64, 0), (2, 2, 64, 64, 1)]
        self.assertEqual(self.nodes(HWLOC_SYNTHETIC="node:2 core:2 pu:2"), plan)
        run = weir("info", HWLOC_SYNTHETIC="node:2 core:2 pu:2")
        self.assertRegex(run.stdout, r"(?m)^ +1 +1 GiB +2 +2-3 +64-127 +1$")

    def test_topology_file(self):
        sets = ' cpuset="{0}" complete_cpuset="{0}" nodeset="{0}" complete_nodeset="{0}" gp_index="{1}"'
        machine = sets.format("0x3", 1) + ' allowed_cpuset="0x3" allowed_nodeset="0x3"'
        text = ('<?xml version="1.0"?>\n<!DOCTYPE topology SYSTEM "hwloc2.dtd">\n<topology version="2.0">\n'
                f'<object type="Machine" os_index="0"{machine}>\n')
        for i in range(2):
            def start(kind, number):
                return f'<object type="{kind}" os_index="{i}"{sets.format(hex(1 << i), 10 * i + number)}'
            text += (start("Package", 2) + ">" + start("NUMANode", 3) + ' local_memory="1048576"/>' +
                     start("Core", 4) + ">" + start("PU", 5) + "/></object></object>\n")
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(text + "</object>\n</topology>\n")
            file.flush()
            # The option goes before the environment.
            self.assertEqual(self.nodes("--topology", file.name, HWLOC_SYNTHETIC="node:3 pu:1"),
                             [(0, 1, 0, 64, 0), (1, 1, 64, 64, 1)])
        self.refused(1, ["/no/such.xml", "No such file"], "info", "--topology", "/no/such.xml")
        self.refused(2, ["can't read", __file__], "info", "--topology", __file__)

    def test_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        for command in ("info", "--help", "--version"):
            with open("/dev/full", "w", encoding="ascii") as full:
                run = subprocess.run([WEIR, command], stdout=full, stderr=subprocess.PIPE, check=False)
            self.assertEqual(run.returncode, 1, f"{command}: output was lost in silence")


class Environment(Cli):
    def test_isa(self):
        self.refused(2, ["WEIR_ISA", "sse9", "scalar", "generic", "avx2", "avx512"],
                     "info", WEIR_ISA="sse9")

    def test_threads(self):
        for value in ["0", "-1", "many", "2x", "99999999999999999999"]:
            self.refused(2, ["WEIR_THREADS", value], "info", WEIR_THREADS=value)

    def test_bind(self):
        self.refused(2, ["WEIR_BIND", "loose", "compact", "spread"], "info", WEIR_BIND="loose")

    def test_threading(self):
        self.refused(2, ["WEIR_THREADING", "tbb", "pool", "openmp"], "info", WEIR_THREADING="tbb")


class Train(Cli):
    def test_unknown_model(self):
        self.refused(2, ["jena-grv", "jena-gru"], "train", "jena-grv", "--generated")

    def test_bad_numbers(self):
        for option, value in [("--epochs", "0"), ("--epochs", "many"), ("--steps", "-3"),
                              ("--batch-size", "0"), ("--threads", "-1"), ("--lookback", "x"),
                              ("--seed", "1e3"), ("--step", "0")]:
            self.refused(2, [option, value], "train", "jena-gru", "--generated", option, value)

    def test_no_data(self):
        self.refused(2, ["--data"], "train", "jena-gru")

    def test_missing_file(self):
        self.refused(1, ["/nowhere/jena.csv"], "train", "jena-gru", "--data", "/nowhere/jena.csv")


class Data(Cli):
    """Files that are not what they should be are refused with their name, line and column."""

    HEAD = '"Date Time","p (mbar)","T (degC)"\n'

    def train_on(self, text, words, status=1):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "series.csv")
            with open(path, "wb") as file:
                file.write(text.encode())
            return self.refused(status, ["series.csv", *words], "train", "jena-gru", "--data", path)

    def rows(self, count):
        for i in range(count):
            yield f"01.01.2009 {i // 6 % 24:02}:{i % 6}0:00,996.5,{i % 7}.25\n"

    def test_empty(self):
        self.train_on("", [])

    def test_no_rows(self):
        self.train_on(self.HEAD, [])

    def test_bad_number(self):
        rows = list(self.rows(50))
        rows[20] = "01.01.2009 03:20:00,996.5,warm\n"
        self.train_on(self.HEAD + "".join(rows), ["22", "T (degC)", "warm"])

    def test_short_row(self):
        rows = list(self.rows(50))
        rows[7] = "01.01.2009 01:10:00,996.5\n"
        self.train_on(self.HEAD + "".join(rows), ["9"])

    def test_too_short(self):
        message = self.train_on_ok("".join([self.HEAD, *self.rows(100)]))
        self.assertIn("lookback", message)

    def train_on_ok(self, text):
        """A sound file that is too short for the windows: an error of the options, not of the file."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "series.csv")
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            return self.refused(2, [], "train", "jena-gru", "--data", path)

    def test_folder(self):
        self.refused(1, ["/tmp"], "train", "jena-gru", "--data", "/tmp")


class Eval(Cli):
    def test_missing_file(self):
        self.refused(1, ["/nowhere/model"], "eval", "/nowhere/model", "--generated")

    def test_not_a_model(self):
        self.refused(1, [os.path.basename(__file__)], "eval", __file__, "--generated")


if __name__ == "__main__":
    WEIR, VERSION = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0]])
