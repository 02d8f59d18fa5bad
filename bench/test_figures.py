#!/usr/bin/env python3
# The programs without Google Benchmark from outside. SPDX-License-Identifier: Apache-2.0
"""usage: test_figures.py PROGRAM..."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAMS = {}
MEMBERS = {"bench_idle", "bench_speedup", "bench_contention"}  # with other processes, one for each threading


def run(program, *arguments):
    return subprocess.run([PROGRAMS[program], *arguments], capture_output=True, text=True, check=False)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class CommandLine(unittest.TestCase):
    def refused(self, program, text, *arguments):
        made = run(program, *arguments)
        self.assertEqual((made.returncode, made.stdout), (2, ""), made.stderr)
        self.assertIn(text, made.stderr)
        self.assertTrue(made.stderr.startswith(program + ": "), made.stderr)

    def test_refuses(self):
        for program in PROGRAMS:
            self.refused(program, "unknown option --sideways", "--sideways")
        for program in MEMBERS & PROGRAMS.keys():
            self.refused(program, "--backend: 'tbb', accepted: pool", "--backend", "tbb")
            self.refused(program, "--backend: none, accepted: pool", "--backend", "")
            self.refused(program, "--threads: '0', accepted: numbers above 0", "--threads=0")
            self.refused(program, "--threads needs a value", "--threads")
            self.refused(program, "--serve: 'x'", "--serve", "x")

    def test_refuses_in_their_own_ways(self):
        if "bench_idle" in PROGRAMS:
            self.refused("bench_idle", "--rests: '0'", "--rests", "0")
        if "bench_contention" in PROGRAMS:
            self.refused("bench_contention", "--steps: '1e3'", "--steps", "1e3")
            self.refused("bench_contention", "--neighbour: 99999, accepted: 0 to ", "--neighbour", "99999")
        if "bench_speedup" in PROGRAMS:
            self.refused("bench_speedup", "--rounds: '0'", "--rounds", "0")
        for program in {"bench_speedup", "bench_contention"} & PROGRAMS.keys():
            self.refused(program, "--model: 'none-such', accepted: jena-naive,", "--model", "none-such")
            self.refused(program, "--model needs a name", "--model", "")
            self.refused(program, "--batch: '-1'", "--batch", "-1")
            self.refused(program, "--caller: 99999, accepted: 0 to ", "--caller", "99999")
        if "bench_scaling" in PROGRAMS:
            self.refused("bench_scaling", "none-such", "--model", "none-such")
            self.refused("bench_scaling", "--nodes: 65, accepted: 1 to 64", "--nodes", "1,65")
            self.refused("bench_scaling", "--nodes: 'two', accepted: numbers above 0", "--nodes", "two")
            self.refused("bench_scaling", "--cores: '0'", "--cores", "0")
            for other in ("--backend", "--threads", "--serve"):
                self.refused("bench_scaling", f"unknown option {other}", other, "3")

    def test_helps(self):
        for program in PROGRAMS:
            made = run(program, "--help")
            self.assertEqual((made.returncode, made.stderr), (0, ""))
            self.assertIn(f"Usage: {program} ", made.stdout)

    def test_a_file_that_cannot_be_written(self):
        for program in PROGRAMS:
            few = ["--backend", "pool"] if program in MEMBERS else ["--nodes", "1"]
            made = run(program, "--quick", *few, "--benchmark_out", "/none/such.json")
            self.assertEqual(made.returncode, 2)
            self.assertIn("/none/such.json: can't be written", made.stderr)


class Figures(unittest.TestCase):
    def rows(self, program, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out.json")
            made = run(program, "--quick", *arguments, "--benchmark_out", path)
            self.assertEqual((made.returncode, made.stderr), (0, ""))
            with open(path, encoding="utf-8") as file:
                rows = json.load(file)["weir"]["rows"]
        for row in rows:
            self.assertIn(row["backend"], made.stdout)
        return [(row, {f["name"]: f["value"] for f in row["figures"]}) for row in rows]

    def test_idle(self):
        if "bench_idle" not in PROGRAMS:
            self.skipTest("not built")
        for row, figures in self.rows("bench_idle", "--threads", "2"):
            passive = row["backend"] == "pool" or row["backend"].endswith(" passive")
            self.assertEqual(figures["wake us"] > 0, passive)
            self.assertLessEqual(figures["wake us"], figures["wake p99"])
            self.assertLessEqual(figures["call us"], figures["call p99"])
            if row["backend"] == "pool":
                self.assertLess(figures["CPU ms/s"], 10)
                self.assertLess(figures["later ms/s"], 0.1)

    def test_contention(self):
        if "bench_contention" not in PROGRAMS:
            self.skipTest("not built")
        rows = self.rows("bench_contention", "--model", "jena-dense,jena-conv", "--threads", "2")
        self.assertEqual({row["op"] for row, _ in rows},
                         {"train_step_contended/jena-dense", "train_step_contended/jena-conv"})
        for row, figures in rows:
            self.assertGreaterEqual(figures["steps"], 20)
            self.assertAlmostEqual(figures["fair ms"], figures["alone ms"] * 2 / 1.5, delta=1e-5)
            self.assertAlmostEqual(row["seconds"] * 1e3, figures["median ms"], delta=1e-5)
            self.assertLessEqual(figures["median ms"], figures["p99 ms"])
            self.assertLessEqual(figures["p99 ms"], figures["max ms"])
        self.assertGreater(sum(figures["other %"] for _, figures in rows), 0)

    def test_speedup(self):
        if "bench_speedup" not in PROGRAMS:
            self.skipTest("not built")
        for row, figures in self.rows("bench_speedup", "--model", "jena-dense", "--threads", "2"):
            self.assertEqual((row["op"], row["threads"]), ("train_step_speedup/jena-dense", 2))
            for name in ("1 thread ms", "all ms", "speed-up", "attainable"):
                self.assertGreater(figures[name], 0)
            self.assertAlmostEqual(figures["of it %"], 100 * figures["speed-up"] / figures["attainable"], delta=1e-3)

    def test_scaling(self):
        if "bench_scaling" not in PROGRAMS:
            self.skipTest("not built")
        for row, figures in self.rows("bench_scaling", "--nodes", "1,2,4", "--cores", "2"):
            nodes = int(row["backend"].partition(":")[2])
            self.assertEqual(row["threads"], 2 * nodes)
            # The whole work lies between the critical path and as much of it for each worker.
            self.assertLessEqual(figures["critical ms"], figures["work ms"])
            self.assertLessEqual(figures["work ms"], figures["critical ms"] * row["threads"] * 1.0001)
            self.assertGreater(figures["MB used"], 0)
            if nodes == 1:
                self.assertEqual((figures["MB crossing"], figures["unplanned"]), (0, 0))
            else:
                self.assertTrue(0 < figures["MB crossing"] < figures["unplanned"] < figures["MB used"])

    def test_traffic_repeats(self):
        """What is touched does not depend on how long it takes."""
        if "bench_scaling" not in PROGRAMS:
            self.skipTest("not built")
        runs = [[(row["op"], f["calls"], f["MB used"], f["MB crossing"], f["unplanned"])
                 for row, f in self.rows("bench_scaling", "--nodes", "2")] for _ in range(2)]
        self.assertEqual(*runs)

    def test_nothing_is_left_behind(self):
        """Neither the neighbour nor a process that stands still outlives its parent."""
        if "bench_contention" not in PROGRAMS or not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
            self.skipTest("not built, or a system that does not say whose child a process is")
        for how in (signal.SIGTERM, signal.SIGKILL):
            with subprocess.Popen([PROGRAMS["bench_contention"], "--backend", "pool", "--seconds", "60"],
                                  stdout=subprocess.DEVNULL) as program:
                try:
                    self.assertTrue(wait_until(lambda: len(children(program.pid)) == 2))
                    left = children(program.pid)
                    time.sleep(0.3)
                finally:
                    program.send_signal(how)
                program.wait()
            self.assertTrue(wait_until(lambda: not any(alive(pid) for pid in left)), f"{left} live on")


if __name__ == "__main__":
    PROGRAMS = {os.path.basename(path): path for path in sys.argv[1:]}
    unittest.main(argv=sys.argv[:1])
