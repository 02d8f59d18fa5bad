#!/usr/bin/env python3
# weir compare --report and weir report from outside. SPDX-License-Identifier: Apache-2.0
"""usage: test_report.py WEIR_PROGRAM"""
import html.parser
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

WEIR = None
SMALL = ["--generated", "--generated-rows", "9000", "--lookback", "144", "--step", "6", "--quiet",
         "--models", "jena-naive,jena-dense,jena-conv-gru", "--epochs", "2", "--steps", "2",
         "--val-steps", "2", "--seeds", "2"]
HOSTILE = '<script>alert(1)</script>"\n$(touch pwned)`touch pwned`'


class Page(html.parser.HTMLParser):
    """Counts elements, and gathers what a browser would fetch."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text = {}, [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attrs:
            if name in ("href", "src", "xlink:href") and not value.startswith("#"):
                self.links.append(value)

    def handle_data(self, data):
        self.text += data


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def weir(self, *arguments, **variables):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
        return subprocess.run([WEIR, *arguments], env={**environment, **variables}, text=True,
                              cwd=self.folder, capture_output=True, timeout=120, check=False)

    def refused(self, status, words, *arguments, **variables):
        run = self.weir(*arguments, **variables)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def page(self, name="r"):
        with open(self.path(name, "index.html"), encoding="utf-8") as file:
            return Page(file.read())

    def write(self, name, value):
        os.makedirs(self.path("r"), exist_ok=True)
        with open(self.path("r", name), "w", encoding="utf-8") as file:
            file.write(value if isinstance(value, str) else json.dumps(value))

    def test_compare(self):
        for arguments in (["jena", *SMALL], ["downsampling", "jena", *SMALL[:3], "--lengths", "24,48",
                                             "--epochs", "1", "--steps", "1", "--val-steps", "1"]):
            run = self.weir("compare", *arguments, "--report", "r")
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn("r/index.html", run.stderr)
        page = self.page()
        self.assertEqual(page.tags["svg"], 6)
        self.assertEqual(page.tags["tr"], 1 + 3 + 1 + 4)
        self.assertEqual(page.links, [])
        for words in ("jena-conv-gru", "13,697".replace(",", ""), "weir compare downsampling jena",
                      "Made-up data", "--models jena-naive,jena-dense,jena-conv-gru"):
            self.assertIn(words, page.text)
        with open(self.path("r", "compare-jena.json"), encoding="utf-8") as file:
            results = json.load(file)
        # A model without parameters runs once; the others with each seed.
        self.assertEqual([len(run["epochs"]) for run in results["runs"]], [0, 2, 2, 2, 2])
        run = results["runs"][1]
        self.assertEqual(run["val_mae"], min(epoch["val_loss"] for epoch in run["epochs"]))
        # The page alone, from what is kept.
        os.remove(self.path("r", "index.html"))
        self.assertEqual(self.weir("report", "r").stdout, "r/index.html\n")
        self.assertEqual(self.page().text, page.text)

    def test_hostile_results(self):
        epochs = [{"epoch": 1, "loss": 1, "val_loss": 2}, {"epoch": 2, "loss": 0.5, "val_loss": 1}]
        run = {"model": HOSTILE, "parameters": 1, "train_seconds": 1, "val_seconds": 1, "best_epoch": 2,
               "val_mae": 1, "test_mae": 1, "permuted_mae": 1, "epochs": epochs}
        self.write("compare-jena.json", {"cpu": HOSTILE, "data": HOSTILE, "command": HOSTILE,
                                         "runs": [run, {**run, "model": "b", "epochs": "none"},
                                                  {"model": 3}, [], "x"]})
        done = self.weir("report", "r")
        self.assertEqual(done.returncode, 0, done.stderr)
        page = self.page()
        self.assertNotIn("script", page.tags)
        self.assertIn(HOSTILE.split("\n", maxsplit=1)[0], page.text)
        self.assertFalse(os.path.exists(self.path("pwned")))

    def test_refusals(self):
        self.refused(2, ["DIR is missing"], "report")
        self.refused(2, ["none has no results"], "report", "none")
        for text, words in (("{", "not JSON from byte"), ("{}", "runs is missing"), ("[]", "runs is missing"),
                            ('{"runs": []}', "runs is missing")):
            self.write("compare-imdb.json", text)
            self.refused(1, ["r/compare-imdb.json", words], "report", "r")
            self.assertFalse(os.path.exists(self.path("r", "index.html")))
        # What lies beside it is looked at before anything is trained.
        self.write("compare-imdb.json", "{")
        self.refused(1, ["r/compare-imdb.json", "not JSON"], "compare", "jena", *SMALL, "--report", "r")
        self.assertFalse(os.path.exists(self.path("r", "compare-jena.json")))
        self.write("compare-imdb.json", "")  # somebody is about to write it
        self.write(".gnuplot", "set output 'elsewhere.svg'\n")
        run = self.weir("compare", "jena", *SMALL, "--report", "r", HOME=self.path("r"))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertGreaterEqual(self.page().tags["svg"], 3)
        self.write("file", "")
        # Before anything is trained.
        self.refused(1, ["r/file is no folder"], "compare", "jena", *SMALL, "--report", "r/file")
        self.refused(1, ["no/such", "No such file"], "compare", "jena", *SMALL, "--report", "no/such")
        self.refused(1, ["apt-get install gnuplot-nox"], "compare", "jena", *SMALL, "--report", "r",
                     PATH="/nowhere")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    WEIR = os.path.abspath(sys.argv.pop(1))
    if not shutil.which("gnuplot"):
        print("skipped: no gnuplot")
        sys.exit(77)
    unittest.main()
