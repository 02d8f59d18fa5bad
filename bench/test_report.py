#!/usr/bin/env python3
# The page of report.py, from a small run of real programs. SPDX-License-Identifier: Apache-2.0
"""usage: test_report.py BENCH_PROGRAM..."""
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

REPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.py")
PROGRAMS = []
SHAPES = {"bench_conv1d": "N:1 T:19 Cin:3 Cout:8 K:3 P:2\nN:2 T:30 Cin:8 Cout:8 K:5\n",
          "bench_gru": "N:2 T:5 Cin:3 H:4\n", "bench_lstm": "N:2 T:5 Cin:3 H:4\n",
          "bench_rnn": "N:2 T:5 Cin:3 H:4\n", "bench_pool": "N:2 T:9 C:8 P:3\n"}


def report(*arguments):
    return subprocess.run([sys.executable, REPORT, *arguments], capture_output=True, text=True, check=False)


class Tags(html.parser.HTMLParser):
    """Every tag is closed, and nothing is loaded from elsewhere."""
    EMPTY = ("meta", "circle", "rect", "path")

    def __init__(self):
        super().__init__()
        self.open, self.problems = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not value.startswith("#"):
                self.problems.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}>")


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.results = os.path.join(cls.folder.name, "results")
        os.mkdir(cls.results)
        for program in PROGRAMS:
            name = os.path.basename(program)
            more = []
            if name in SHAPES:
                more = ["--shapes", os.path.join(cls.folder.name, name + ".txt")]
                with open(more[1], "w", encoding="utf-8") as file:
                    file.write(SHAPES[name])
            subprocess.run([program, "--quick", *more, "--benchmark_out",
                            os.path.join(cls.results, name + ".json")], check=True, stdout=subprocess.DEVNULL)
        cls.target = os.path.join(cls.folder.name, "page.html")
        cls.made = report(cls.results, cls.target)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def page(self):
        self.assertEqual((self.made.returncode, self.made.stderr), (0, ""))
        with open(self.target, encoding="utf-8") as file:
            return file.read()

    def test_stands_alone_and_is_well_formed(self):
        tags = Tags()
        tags.feed(self.page())
        self.assertEqual((tags.problems, tags.open), ([], []))
        self.assertNotRegex(self.page(), r"url\(|@import|<script")

    def test_has_every_row(self):
        page = self.page()
        for program in PROGRAMS:
            with open(os.path.join(self.results, os.path.basename(program) + ".json"), encoding="utf-8") as file:
                rows = json.load(file)["weir"]["rows"]
            self.assertTrue(rows)
            for row in rows:
                if not row["baseline"]:
                    self.assertIn(f'<td>{row["op"]}/{row["shape"]}</td><td>{row["threads"]}</td>'
                                  f'<td>{row["backend"]}</td>', page)

    def test_has_a_point_for_every_kernel(self):
        page = self.page()
        with open(os.path.join(self.results, "bench_conv1d.json"), encoding="utf-8") as file:
            weir = json.load(file)["weir"]
        if not weir["machine"]["peaks"]:
            self.skipTest("no FMA peak on this machine")
        for row in weir["rows"]:
            if not row["baseline"] and row["peak_flops_per_second"]:
                self.assertRegex(page, rf'<title>{re.escape(row["op"])}/{re.escape(row["shape"])}: ')
        self.assertIn('class="roofline"', page)
        self.assertIn("prefers-color-scheme: dark", page)

    def expect_refusal(self, text, folder, target=None):
        page = target or os.path.join(self.folder.name, "none.html")
        run = report(folder, page)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn(text, run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        self.assertFalse(os.path.exists(page))

    def test_refuses_bad_input(self):
        with tempfile.TemporaryDirectory() as folder:
            self.expect_refusal("run `ninja -C build bench` first", folder)
            self.expect_refusal("run `ninja -C build bench` first", os.path.join(folder, "none"))
            path = os.path.join(folder, "bench_pool.json")
            with open(os.path.join(self.results, "bench_pool.json"), encoding="utf-8") as file:
                whole = file.read()
            cut = json.loads(whole)
            del cut["weir"]["rows"][0]["flops"]
            for content, text in ((whole[:1000], "bench_pool.json: not JSON"), ("", "not JSON"),
                                  ("[]", "not a result of Weir's benchmarks"),
                                  ('{"context": {}, "benchmarks": []}', "not a result of Weir's benchmarks"),
                                  (json.dumps(cut), "no 'flops'")):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(content)
                self.expect_refusal(text, folder)

    def test_refuses_without_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(self.results, "bench_pool.json"), encoding="utf-8") as file:
                content = json.load(file)
            content["weir"]["rows"] = []
            with open(os.path.join(folder, "bench_pool.json"), "w", encoding="utf-8") as file:
                json.dump(content, file)
            self.expect_refusal("no benchmark was timed", folder)

    def test_command_line(self):
        self.expect_refusal("can't be written", self.results, os.path.join(self.folder.name, "no/page.html"))
        self.assertEqual(report("--help").returncode, 0)
        self.assertEqual(report("one").returncode, 2)


if __name__ == "__main__":
    PROGRAMS = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
