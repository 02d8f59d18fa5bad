#!/usr/bin/env python3
# weir data generate, weir data show and weir info from outside. SPDX-License-Identifier: Apache-2.0
"""usage: test_cli_data.py WEIR_PROGRAM"""
import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zlib

WEIR = None
FOUR_NODES = "node:4 core:16 pu:2"
REAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "shared", "data",
                    "aclImdb_v1.tar.gz")
FILTERS = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " "))


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


def archive_of(files, padding=0):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in files.items():
            member = tarfile.TarInfo("aclImdb/" + name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return gzip.compress(out.getvalue() + bytes(padding), 1)


def some_reviews(count=50):
    files = {}
    for i in range(count):
        for folder, word in (("train/neg", "bad"), ("train/pos", "good"), ("test/neg", "bad"),
                             ("test/pos", "good")):
            files[f"{folder}/{i}_5.txt"] = f"A {word} film, number {i}<br />it's {word}.".encode()
    return files


def unpacks_to_the_same(packed, other):
    """A changed bit may lead to another copy of the same bytes."""
    try:
        return gzip.decompress(packed) == gzip.decompress(other)
    except (OSError, EOFError, zlib.error):
        return False


def reads_archives():
    return "no libarchive" not in weir("data", "show", "imdb", "--data", __file__).stderr


class Show(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def put(self, name, content):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def show(self, *arguments, warning=""):
        run = weir("data", "show", "imdb", *arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn(warning, run.stderr)
        self.assertEqual(bool(warning), bool(run.stderr), run.stderr)
        return run.stdout

    def refused(self, status, word, *arguments):
        run = weir("data", "show", *arguments)
        self.assertEqual((run.returncode, run.stdout), (status, ""))
        self.assertIn(word, run.stderr)

    def test_generated(self):
        arguments = ["--generated", "--generated-reviews", "200", "--frequent", "3", "--threads", "1"]
        out = self.show(*arguments)
        self.assertIn("data       generated (seed 1) (made-up reviews, no real ones): 200 reviews\n", out)
        self.assertRegex(out, r"training   80 reviews, [\d.]+% positive; \d+ words, 0.00% unknown")
        self.assertRegex(out, r"validation 20 reviews, ")
        self.assertRegex(out, r"test       100 reviews, 50.0% positive; \d+ words, [1-9]")
        self.assertEqual(len(re.findall(r"^ +[456]  \w+ +\d+ times$", out, re.M)), 3)
        self.assertEqual(self.show(*arguments, "--threads", "2"), out)
        self.assertNotEqual(self.show(*arguments, "--generated-seed", "2"), out)
        self.assertNotEqual(self.show(*arguments, "--split-seed", "2"), out)
        self.assertIn("0.00% unknown", out)
        self.assertNotIn("0.00% unknown", self.show(*arguments, "--max-features", "100"))
        self.assertIn("training   50 reviews", self.show(*arguments, "--val-fraction", "0.5"))

    def test_a_review(self):
        for name, text in some_reviews().items():
            self.put("aclImdb/" + name, text)
        out = self.show("--data", self.path("aclImdb"), "--review", "test/pos/7_5.txt")
        self.assertIn("\ntest/pos/7_5.txt: positive, 9 tokens\n"
                      "<start> a good film number 7 br it's good\n", out)
        out = self.show("--data", self.path("aclImdb"), "--review", "train/neg/49_5.txt",
                        "--max-features", "7")
        self.assertIn("<start> a bad <unknown> <unknown> <unknown> br <unknown> bad\n", out)
        self.refused(2, '--review is "7_5.txt", but', "imdb", "--data", self.path("aclImdb"),
                     "--review", "7_5.txt")

    def test_bytes_that_are_no_text(self):
        files = some_reviews(2)
        files["train/pos/0_5.txt"] = b"caf\xe9 \x1b[31m \xc2\x9b31m \xc3\x89"
        for name, text in files.items():
            self.put("aclImdb/" + name, text)
        run = subprocess.run([WEIR, "data", "show", "imdb", "--data", self.path(""), "--review",
                              "train/pos/0_5.txt"], capture_output=True, timeout=60, check=True)
        self.assertIn(b"UTF-8      1 bytes in 1 reviews are none", run.stdout)
        self.assertIn(b"<start> caf\xe9 ? 31m ?31m \xc3\xa9\n", run.stdout)

    def test_empty_reviews(self):
        files = some_reviews(2)
        files["test/pos/0_5.txt"] = b" ...\n"
        for name, text in files.items():
            self.put("aclImdb/" + name, text)
        out = self.show("--data", self.path("aclImdb"), "--review", "test/pos/0_5.txt")
        self.assertIn("\n           1 reviews have no word\n", out)
        self.assertIn("positive, 1 tokens\n<start>\n", out)

    def test_bad_options(self):
        self.refused(2, "SET is missing: the data set: imdb")
        self.refused(2, 'data set is "jena", accepted: imdb', "jena")
        self.refused(2, "no data, accepted: --data PATH or --generated", "imdb")
        self.refused(2, "--data x and --generated exclude each other", "imdb", "--generated",
                     "--data", "x")
        self.refused(2, '--max-features is "4", accepted', "imdb", "--max-features", "4")
        self.refused(2, "validation fraction is 1", "imdb", "--generated", "--val-fraction", "1")

    def test_bad_places(self):
        self.refused(1, "no/such: No such file", "imdb", "--data", self.path("no/such"))
        self.refused(1, "has no folder train, test or aclImdb", "imdb", "--data", self.path(""))
        self.put("train/pos/0_1.txt", b"x")
        self.refused(1, "the folder train/neg is missing", "imdb", "--data", self.path(""))
        self.refused(1, "is empty", "imdb", "--data", self.put("empty.tar.gz", b""))
        self.refused(1, "is neither a file nor a folder", "imdb", "--data", "/dev/null")

    def test_cache(self):
        for name, text in some_reviews().items():
            self.put("aclImdb/" + name, text)
        arguments = ["--data", self.path("aclImdb")]
        plain = self.show(*arguments, "--no-cache")
        self.assertEqual(os.listdir(self.folder.name), ["aclImdb"])
        self.assertEqual(self.show(*arguments), plain.replace("reviews\n", "reviews (cache written)\n", 1))
        cached = plain.replace("reviews\n", "reviews (from its cache)\n", 1)
        self.assertEqual(self.show(*arguments), cached)
        os.remove(self.path("aclImdb.weir-cache"))
        os.mkdir(self.path("aclImdb.weir-cache"))
        self.assertEqual(self.show(*arguments, warning="warning: what was read is not kept: "), plain)

    def test_damaged_archives(self):
        if not reads_archives():
            self.skipTest("built without libarchive")
        whole = archive_of(some_reviews())
        out = self.show("--no-cache", "--data", self.put("a.tar.gz", whole))
        self.assertIn("a.tar.gz: 200 reviews", out)
        for i in range(1, 20):
            self.refused(1, "a.tar.gz is damaged or no archive: ", "imdb", "--data",
                         self.put("a.tar.gz", whole[:len(whole) * i // 20]))
        noticed = 0
        for i in range(1, 40):
            bad = bytearray(whole)
            bad[len(whole) * i // 40] ^= 0x10
            if not unpacks_to_the_same(bad, whole):
                noticed += 1
                self.refused(1, "a.tar.gz is damaged or no archive: ", "imdb", "--data",
                             self.put("a.tar.gz", bytes(bad)))
        self.assertGreater(noticed, 20)
        # Length and CRC lie behind the archive's end and, here, zeros that follow it.
        whole = archive_of(some_reviews(2), 1 << 20)
        self.assertIn(": 8 reviews", self.show("--no-cache", "--data", self.put("a.tar.gz", whole)))
        for bad in (whole[:-1], whole[:-8], whole[:-8] + b"\0\0\0\0" + whole[-4:], whole[:-1] + b"\1"):
            self.refused(1, "a.tar.gz is damaged or no archive: ", "imdb", "--data",
                         self.put("a.tar.gz", bad))
        two = gzip.compress(gzip.decompress(whole)[:1000]) + gzip.compress(gzip.decompress(whole)[1000:])
        self.assertIn(": 8 reviews", self.show("--no-cache", "--data", self.put("a.tar.gz", two)))
        self.refused(1, "damaged or no archive: ", "imdb", "--data", self.put("b", b"text\n" * 999))
        self.refused(1, "there is no review in it", "imdb", "--data",
                     self.put("c", archive_of({"README": b"x"})))
        self.refused(1, "there is no review in train/neg", "imdb", "--data",
                     self.put("d", archive_of({"train/pos/0_1.txt": b"x"})))
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["a.tar.gz", "b", "c", "d"])

    def test_archive_without_libarchive(self):
        if reads_archives():
            self.skipTest("built with libarchive")
        self.refused(1, "this build has no libarchive", "imdb", "--data", __file__)

    def test_many_at_once(self):
        """Programs that read and write one cache at the same time do not disturb each other."""
        for name, text in some_reviews(500).items():
            self.put("aclImdb/" + name, text)
        command = [WEIR, "data", "show", "imdb", "--threads", "1", "--data", self.path("aclImdb")]
        expected = self.show("--no-cache", "--data", self.path("aclImdb")).split("\n", 1)[1]
        for _ in range(3):
            runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                    for _ in range(6)]
            for run in runs:
                out, err = run.communicate(timeout=60)
                self.assertEqual((run.returncode, err), (0, ""))
                self.assertEqual(out.split("\n", 1)[1], expected)
            self.assertEqual(sorted(os.listdir(self.folder.name)), ["aclImdb", "aclImdb.weir-cache"])
            os.remove(self.path("aclImdb.weir-cache"))


@unittest.skipUnless(os.path.exists(REAL), "the reviews are not on this machine")
class RealReviews(unittest.TestCase):
    def setUp(self):
        if not reads_archives():
            self.skipTest("built without libarchive")

    def show(self, *arguments):
        run = weir("data", "show", "imdb", "--no-cache", "--data", REAL, *arguments)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return run.stdout

    def test_figures(self):
        """88,582 words: what the book's listing 6.9 prints for the training reviews. The counts are
        those of Python's str.lower, translate and split."""
        out = self.show("--frequent", "8")
        self.assertIn("data       " + REAL + ": 50000 reviews\n", out)
        self.assertIn("training   20000 reviews", out)
        self.assertIn("validation 5000 reviews", out)
        self.assertIn("test       25000 reviews, 50.0% positive; 5808817 words, 6.21% unknown;", out)
        self.assertIn("words      88582 different ones", out)
        words = [(int(n), word, int(count))
                 for n, word, count in re.findall(r"^ +(\d+)  (\S+) +(\d+) times$", out, re.M)]
        self.assertEqual(words, [(4, "the", 336148), (5, "and", 164097), (6, "a", 163040),
                                 (7, "of", 145847), (8, "to", 135708), (9, "is", 107313),
                                 (10, "br", 101871), (11, "in", 93934)])

    def test_words_are_those_of_keras(self):
        with tarfile.open(REAL) as tar:
            for member in tar:
                if not re.search(r"/1\d\d\d_\d+\.txt$", member.name):
                    continue
                text = tar.extractfile(member).read().decode()
                name = member.name.split("/", 1)[1]
                expected = [w for w in text.lower().translate(FILTERS).split(" ") if w]
                shown = self.show("--max-features", "16777216", "--review", name)
                words = shown[shown.index("<start>"):].split()[1:]
                self.assertEqual(len(words), len(expected))
                for word, right in zip(words, expected):
                    self.assertIn(word, (right, "<unknown>"))
                break


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
