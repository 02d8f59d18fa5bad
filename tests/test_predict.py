#!/usr/bin/env python3
# weir predict from outside. SPDX-License-Identifier: Apache-2.0
"""usage: test_predict.py WEIR_PROGRAM"""
import csv
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
import unittest

WEIR = None
LOOKBACK, STEP, DELAY = 72, 6, 144
WINDOW = ["--lookback", str(LOOKBACK), "--step", str(STEP), "--delay", str(DELAY)]
BRIEF = ["--epochs", "1", "--steps", "10", "--val-steps", "1", "--quiet"]


def weir(folder, *arguments, text=True, **options):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
    return subprocess.run([WEIR, *arguments], env=clean, cwd=folder, text=text, capture_output=True,
                          timeout=120, check=False, **options)


class Predict(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = cls.temporary.name

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def make(cls, *arguments):
        run = weir(cls.folder, *arguments)
        if run.returncode != 0:
            raise RuntimeError(run.stderr)
        return run.stdout

    def ok(self, *arguments, **options):
        run = weir(self.folder, *arguments, **options)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def refused(self, status, words, *arguments, **options):
        run = weir(self.folder, *arguments, **options)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)
        return run

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)


class Weather(Predict):
    """A week of made-up weather behind a model that has learned a little."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make("data", "generate", "--rows", "3000", "--out", "long.csv")
        for model in ("jena-gru", "jena-naive"):
            cls.make("train", model, "--data", "long.csv", *WINDOW, *BRIEF)
        with open(cls.path("long.csv"), encoding="utf-8") as file:
            cls.table = list(csv.reader(file))
        cls.target = cls.table[0].index("T (degC)")

    def write(self, name, rows):
        with open(self.path(name), "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return name

    def forecast(self, data, model="jena-gru", *more):
        return json.loads(self.ok("predict", model + ".safetensors", "--data", data, "--json", *more))

    def rolling(self, data, model="jena-gru", *more):
        return list(csv.DictReader(self.ok("predict", model + ".safetensors", "--data", data,
                                           *(more or ["--rolling"])).splitlines()))

    @staticmethod
    def seconds(stamp):
        return time.mktime(time.strptime(stamp, "%d.%m.%Y %H:%M:%S"))

    def test_rolling_is_what_eval_sees(self):
        """The errors of the test's windows have the mean that weir eval prints."""
        rows = self.rolling("long.csv")
        self.assertEqual(len(rows), 3000 - LOOKBACK + 1)
        result = json.loads(self.ok("eval", "jena-gru.safetensors", "--data", "long.csv", "--split",
                                    "test", "--json"))
        train, val = 3000 * 200000 // 420551, 3000 * 100000 // 420551
        test = rows[train + val:3000 - DELAY - 1 - LOOKBACK]
        self.assertEqual(len(test), result["windows"])
        mean = sum(abs(float(r["forecast"]) - float(r["actual"])) for r in test) / len(test)
        self.assertAlmostEqual(mean, result["mae_units"], delta=1e-5)

    def test_times_and_what_came(self):
        rows = self.rolling("long.csv")
        for i in (0, 17, len(rows) - DELAY - 2):
            row = self.table[1 + LOOKBACK + i + DELAY]
            self.assertEqual(rows[i]["time"], row[0])
            self.assertEqual(float(rows[i]["actual"]), float(row[self.target]))
        self.assertEqual({r["actual"] for r in rows[-DELAY - 1:]}, {""})
        end = self.seconds(self.table[-1][0])
        self.assertEqual(self.seconds(rows[-1]["time"]) - end, (DELAY + 1) * 600)

    def test_naive(self):
        """The naive forecast is the window's last row: nothing is shifted, the unit is the file's."""
        rows = self.rolling("long.csv", "jena-naive")
        for i in (0, 1, 500, len(rows) - 1):
            self.assertAlmostEqual(float(rows[i]["forecast"]),
                                   float(self.table[1 + LOOKBACK + i - STEP][self.target]), delta=1e-5)

    def test_one(self):
        one = self.forecast("long.csv")
        last = self.rolling("long.csv")[-1]
        self.assertEqual(f"{one['forecast']:.7g}", last["forecast"])
        day, clock = last["time"].split()
        self.assertEqual(one["time"], "-".join(reversed(day.split("."))) + "T" + clock)
        self.assertEqual((one["target"], one["unit"], one["generated"]), ("T (degC)", "degC", False))
        text = self.ok("predict", "jena-gru.safetensors", "--data", "long.csv")
        self.assertEqual(text, f"T (degC) at {last['time']}: {last['forecast']}\n")

    def test_last(self):
        lines = self.ok("predict", "jena-gru.safetensors", "--data", "long.csv", "--last", "400",
                        "--json").splitlines()
        rows = self.rolling("long.csv")[-400:]
        self.assertEqual([f"{json.loads(line)['forecast']:.7g}" for line in lines],
                         [row["forecast"] for row in rows])
        self.assertEqual([json.loads(line)["actual"] is None for line in lines],
                         [row["actual"] == "" for row in rows])
        self.assertEqual(rows, self.rolling("long.csv", "jena-gru", "--last", "400"))

    def test_the_future_is_not_seen(self):
        """A file that ends earlier gives what the whole file gave for that row."""
        rows = self.rolling("long.csv")
        for end in (LOOKBACK, LOOKBACK + 1, 1234):
            one = self.forecast(self.write("short.csv", self.table[:1 + end]))
            self.assertEqual(f"{one['forecast']:.7g}", rows[end - LOOKBACK]["forecast"])

    def test_too_few_rows(self):
        short = self.write("short.csv", self.table[:LOOKBACK])
        self.refused(2, [f"{LOOKBACK - 1} rows", f"window of {LOOKBACK} rows"], "predict",
                     "jena-gru.safetensors", "--data", short)
        self.refused(2, ["--last is 2930", "1 to 2929"], "predict", "jena-gru.safetensors", "--data",
                     "long.csv", "--last", "2930")
        self.refused(1, ["no row"], "predict", "jena-gru.safetensors", "--data",
                     self.write("short.csv", self.table[:1]))

    def test_columns(self):
        order = [0] + random.Random(1).sample(range(1, len(self.table[0])), len(self.table[0]) - 1)
        moved = [[row[i] for i in order] + [str(n)] for n, row in enumerate(self.table)]
        self.assertEqual(self.forecast(self.write("moved.csv", moved))["forecast"],
                         self.forecast("long.csv")["forecast"])
        less = [row[:-1] for row in self.table]
        self.refused(2, ["jena-gru.safetensors needs", self.table[0][-1], "no such column"], "predict", "jena-gru.safetensors",
                     "--data", self.write("less.csv", less))
        hourly = [self.table[0]] + self.table[1::6]
        self.refused(2, ["every 60 min", "every 10 min"], "predict", "jena-gru.safetensors", "--data",
                     self.write("hourly.csv", hourly))

    def test_missing(self):
        """Held from the row before, as in training, or by the other policies."""
        held, empty, marked = ([row[:] for row in self.table] for _ in range(3))
        held[-STEP], hole = held[-STEP - 1][:1] + held[-STEP - 1][1:], len(self.table) - STEP
        held[hole][0] = self.table[hole][0]
        empty[hole][1:] = [""] * (len(empty[hole]) - 1)
        marked[hole][1:] = ["-9999"] * (len(marked[hole]) - 1)
        wanted = self.forecast(self.write("held.csv", held))["forecast"]
        self.assertNotEqual(wanted, self.forecast("long.csv")["forecast"])
        self.assertEqual(self.forecast(self.write("empty.csv", empty))["forecast"], wanted)
        self.assertEqual(self.forecast(self.write("marked.csv", marked))["forecast"], wanted)
        self.assertNotEqual(self.forecast("marked.csv", "jena-gru", "--missing-policy",
                                          "none")["forecast"], wanted)
        self.refused(1, ["marked.csv:", "missing"], "predict", "jena-gru.safetensors", "--data",
                     "marked.csv", "--missing-policy", "error")

    def test_generated(self):
        self.refused(2, ["exclude"], "predict", "jena-gru.safetensors", "--data", "long.csv",
                     "--generated")
        text = self.ok("predict", "jena-gru.safetensors", "--generated", "--generated-rows", "500")
        self.assertIn("made-up", text)
        # 14 columns, the model has 2.
        rows = [[row[0], row[self.target], row[self.target]] for row in self.table]
        rows[0] = ["time", "T (degC)", "b"]
        self.write("two.csv", rows)
        self.make("train", "jena-gru", "--data", "two.csv", *WINDOW, *BRIEF, "--save", "two.safetensors")
        self.refused(2, ["does not fit the data"], "predict", "two.safetensors", "--generated",
                     "--generated-rows", "500")

    def test_refusals(self):
        self.refused(2, ["no data"], "predict", "jena-gru.safetensors")
        self.refused(2, ["FILE is missing"], "predict")
        self.refused(1, ["none.safetensors"], "predict", "none.safetensors", "--data", "long.csv")
        self.refused(1, ["none.csv"], "predict", "jena-gru.safetensors", "--data", "none.csv")
        self.refused(1, ["not a safetensors file"], "predict", "long.csv", "--data", "long.csv")

    def test_bad_weights(self):
        with open(self.path("jena-gru.safetensors"), "rb") as file:
            model = bytearray(file.read().replace(b"weir.checksum", b"weir.none    "))
        model[-4:] = struct.pack("<f", float("nan"))
        start = struct.unpack("<Q", model[:8])[0] + 8
        model[start:] = struct.pack("<f", float("nan")) * ((len(model) - start) // 4)
        with open(self.path("nan.safetensors"), "wb") as file:
            file.write(model)
        for more in ([], ["--rolling"]):
            self.refused(1, ["nan.safetensors", "finite"], "predict", "nan.safetensors", "--data",
                         "long.csv", *more)


class Stream(Predict):
    """Rows as they come, beside what the file gives."""
    STEP, T, STRIDE = 3, 40, 3  # conv-gru pools by three

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make("data", "generate", "--rows", "3000", "--out", "long.csv")
        window = ["--lookback", str(cls.STEP * cls.T), "--step", str(cls.STEP), "--delay", "144"]
        for model in ("jena-conv-gru", "jena-naive", "jena-gru-bidir"):
            cls.make("train", model, "--data", "long.csv", *window, *BRIEF)
        with open(cls.path("long.csv"), encoding="utf-8") as file:
            cls.lines = file.read().splitlines()

    def stream(self, lines, *more, model="jena-conv-gru"):
        return self.ok("predict", model + ".safetensors", "--stream", *more, input="\n".join(lines))

    def first(self, lines, *more):
        return self.stream(lines, *more).splitlines()[1]

    def windows(self):
        """Time and forecast of every row, from the file."""
        text = self.ok("predict", "jena-conv-gru.safetensors", "--data", "long.csv", "--rolling")
        return [line.rsplit(",", 1)[0] for line in text.splitlines()[1:]]

    def test_first_forecast(self):
        """After a window's rows the forecast is the window's, from wherever they begin."""
        windows = self.windows()
        needed = (self.T - 1) * self.STEP + 1
        for begin in (0, 1, 500):
            lines = [self.lines[0]] + self.lines[1 + begin:1 + begin + needed]
            self.assertEqual(self.stream(lines).splitlines(), ["time,forecast", windows[begin]])

    def test_it_goes_on(self):
        """A line for each output of the layers, at the times that windows would have."""
        windows = self.windows()
        lines = self.stream(self.lines).splitlines()[1:]
        self.assertEqual(len(lines), (1000 - self.T) // self.STRIDE + 1)
        every = windows[::self.STEP * self.STRIDE]
        self.assertEqual([line.split(",")[0] for line in lines], [w.split(",")[0] for w in every])
        # An older state is another one, but what it says stays near.
        pairs = [(float(a.split(",")[1]), float(b.split(",")[1])) for a, b in zip(lines, every)]
        self.assertNotEqual(pairs[9][0], pairs[9][1])
        self.assertLess(max(abs(a - b) for a, b in pairs), 5)

    def test_without_state(self):
        """The naive model has none: every line is a window's."""
        text = self.ok("predict", "jena-naive.safetensors", "--data", "long.csv", "--rolling")
        windows = [line.rsplit(",", 1)[0] for line in text.splitlines()[1:]]
        lines = self.stream(self.lines, model="jena-naive").splitlines()[1:]
        self.assertEqual(lines, windows[::self.STEP])

    def test_header(self):
        """None, with columns moved and added, with a mark and other line ends: all the same."""
        wanted = self.stream(self.lines)
        self.assertEqual(self.stream(self.lines[1:]), wanted)
        self.assertEqual(self.stream([line + "\r" for line in self.lines] + ["", ""]), wanted)
        self.assertEqual(self.stream(["\ufeff" + self.lines[0]] + self.lines[1:]), wanted)
        cells = [line.split(",") for line in self.lines]
        moved = [",".join([c[0], str(i), *reversed(c[1:])]) for i, c in enumerate(cells)]
        self.assertEqual(self.stream(moved), wanted)
        less = [",".join(c[:-1]) for c in cells]
        self.refused(2, [cells[0][-1], "jena-conv-gru.safetensors needs"], "predict",
                     "jena-conv-gru.safetensors", "--stream", input="\n".join(less))
        self.refused(1, ["standard input:1:", "14 cells", "15"], "predict",
                     "jena-conv-gru.safetensors", "--stream", input="\n".join(less[1:]))

    def test_json(self):
        lines = self.stream(self.lines).splitlines()[1:]
        for line, text in zip(lines, self.stream(self.lines, "--json").splitlines()):
            row = json.loads(text)
            self.assertEqual(line.split(",")[1], f"{row['forecast']:.7g}")
            gap = (time.mktime(time.strptime(row["time"], "%Y-%m-%dT%H:%M:%S")) -
                   time.mktime(time.strptime(row["row"], "%Y-%m-%dT%H:%M:%S")))
            self.assertEqual(gap, (144 + self.STEP) * 600)

    def test_missing(self):
        """Held from the row before; before there is one, rows do not count."""
        needed = (self.T - 1) * self.STEP + 1
        lines = self.lines[:1 + needed]
        last = lines[needed].split(",")
        held = lines[:needed] + [",".join([last[0], *lines[needed - 1].split(",")[1:]])]
        empty = lines[:needed] + [last[0] + "," * (len(last) - 1)]
        marked = lines[:needed] + [",".join([last[0]] + ["-9999"] * (len(last) - 1))]
        self.assertNotEqual(self.first(held), self.first(lines))
        self.assertEqual(self.first(empty), self.first(held))
        self.assertEqual(self.first(marked), self.first(held))
        run = weir(self.folder, "predict", "jena-conv-gru.safetensors", "--stream",
                   input="\n".join([lines[0], lines[1].split(",")[0] + "," * (len(last) - 1)] +
                                   self.lines[2:2 + needed]))
        self.assertEqual(run.stdout.splitlines()[1], self.windows()[1])
        self.assertIn("passed over, as a column had no value yet: 1", run.stderr)
        self.refused(1, [f"standard input:{needed + 1}:", "missing"], "predict",
                     "jena-conv-gru.safetensors", "--stream", "--missing-policy", "error",
                     input="\n".join(marked))

    def test_bad_lines(self):
        bad = self.lines[:200]
        bad[150] = bad[150].replace(",", ",x", 1)
        run = self.refused(1, ["standard input:151:", "is not a number"], "predict",
                           "jena-conv-gru.safetensors", "--stream", input="\n".join(bad))
        self.assertGreater(len(run.stdout.splitlines()), 3)
        few = self.lines[:100]
        self.refused(1, ["ended after 99 rows", "needs 118"], "predict", "jena-conv-gru.safetensors",
                     "--stream", input="\n".join(few))
        gap = self.lines[:130] + self.lines[140:150]
        run = weir(self.folder, "predict", "jena-conv-gru.safetensors", "--stream", input="\n".join(gap))
        self.assertEqual(run.returncode, 0)
        self.assertIn("not 10 min after the one before: 1, the first in line 131", run.stderr)

    def test_a_row_at_a_time(self):
        """The forecast is there before the next row comes."""
        needed = (self.T - 1) * self.STEP + 1
        with subprocess.Popen([WEIR, "predict", self.path("jena-conv-gru.safetensors"), "--stream"],
                              text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
            self.assertEqual(run.stdout.readline(), "time,forecast\n")
            for line in self.lines[:1 + needed]:
                run.stdin.write(line + "\n")
                run.stdin.flush()
            self.assertEqual(run.stdout.readline().strip(), self.windows()[0])
            run.stdin.close()
            self.assertEqual(run.stdout.read(), "")

    def test_refusals(self):
        for option in (["--rolling"], ["--last", "3"], ["--generated"]):
            self.refused(2, ["--stream", option[0], "exclude"], "predict", "jena-conv-gru.safetensors",
                         "--stream", *option)
        self.refused(2, ["--missing-policy interpolate"], "predict", "jena-conv-gru.safetensors",
                     "--stream", "--missing-policy", "interpolate")
        self.refused(2, ["(bidirectional) can't stream"], "predict", "jena-gru-bidir.safetensors",
                     "--stream")


class Reviews(Predict):
    """A folder of short reviews in which one word decides."""
    RUN = ["--data", "aclImdb", "--max-len", "60", "--max-features", "60", "--no-cache",
           "--batch-size", "8", "--epochs", "2", "--quiet"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        draw = random.Random(5)
        filler = [b"the", b"a", b"film", "caf\u00e9".encode(), b"d\xff\xfej\xe0", b"don't", b"x\x01y"]
        filler = 3 * filler + [b"w%d" % i for i in range(60)]
        cls.test = []
        for split in ("train", "test"):
            for mood, word in (("neg", b"awful"), ("pos", b"superb")):
                os.makedirs(cls.path(f"aclImdb/{split}/{mood}"))
                for i in range(40):
                    words = [draw.choice(filler) for _ in range(draw.randrange(1, 40))] + [word]
                    draw.shuffle(words)
                    with open(cls.path(f"aclImdb/{split}/{mood}/{i}_5.txt"), "wb") as file:
                        file.write(b" ".join(words))
                    if split == "test":
                        cls.test.append((b" ".join(words), mood == "pos"))
        for model in ("imdb-gru", "imdb-conv"):
            cls.make("train", model, *cls.RUN, "--lr", "0.01")

    def answers(self, lines, model="imdb-gru", *more):
        run = weir(self.folder, "predict", model + ".safetensors", *more, input=lines, text=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout.decode().splitlines()

    def details(self, lines, model="imdb-gru"):
        return [json.loads(line) for line in self.answers(lines, model, "--json")]

    def test_what_eval_sees(self):
        """The accuracy on the test's files is what weir eval prints; of logits too."""
        for model in ("imdb-gru", "imdb-conv"):
            rows = self.details(b"\n".join(text for text, _ in self.test), model)
            self.assertEqual([row["line"] for row in rows], list(range(1, 81)))
            right = sum((row["positive"] > 0.5) == good for row, (_, good) in zip(rows, self.test))
            result = json.loads(self.ok("eval", model + ".safetensors", "--data", "aclImdb",
                                        "--no-cache", "--split", "test", "--json"))
            self.assertAlmostEqual(right / 80, result["accuracy"], places=6)
            self.assertGreater(len({row["positive"] for row in rows}), 40)
            self.assertTrue(all(0 < row["positive"] < 1 for row in rows))

    def test_text(self):
        lines = b"\n".join(text for text, _ in self.test)
        for line, row in zip(self.answers(lines), self.details(lines)):
            word = "positive" if row["positive"] > 0.5 else "negative"
            self.assertEqual(line, f"{row['positive']:.5f} {word}")

    def test_the_file_is_enough(self):
        """Another folder, no reviews, no cache: the words are in the model."""
        with tempfile.TemporaryDirectory() as elsewhere:
            run = weir(elsewhere, "predict", self.path("imdb-gru.safetensors"), input="superb film\n")
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertEqual(run.stdout.splitlines(), self.answers(b"superb film"))

    def test_words(self):
        """Read as in training: letters, marks, bytes that are no UTF-8."""
        first = self.answers(b"the superb film a caf\xc3\xa9 don't d\xff\xfej\xe0 x\x01y")
        same = self.answers(b'THE Superb<film>a, (caf\xc3\x89) "Don\'t"  D\xff\xfeJ\xe0\tX\x01y!\r\n')
        self.assertEqual(first, same)
        row = self.details(b"the superb film a caf\xc3\xa9 don't never seen")[0]
        self.assertEqual((row["words"], row["unknown"]), (8, 2))

    def test_header_is_utf8(self):
        with open(self.path("imdb-gru.safetensors"), "rb") as file:
            header = file.read(struct.unpack("<Q", file.read(8))[0]).decode("utf-8")
        words = json.loads(header)["__metadata__"]["vocabulary"].split(" ")
        self.assertEqual(len(words), 56)
        self.assertTrue({"superb", "awful", "d%FF%FEj%E0", "x%01y"} <= set(words))

    def test_lines(self):
        """One answer for each line, whatever is in it and however it ends."""
        self.assertEqual(self.answers(b""), [])
        plain = self.answers(b"superb\n\nawful")
        self.assertEqual(len(plain), 3)
        self.assertEqual(self.answers(b"superb\r\n\r\nawful\r\n"), plain)
        self.assertEqual(self.answers(b"\xef\xbb\xbfsuperb\n\nawful\n"), plain)
        self.assertEqual(self.answers(b"superb\n<br />,\nawful\n")[0::2], plain[0::2])
        many = [text for text, _ in self.test] * 5
        self.assertEqual(self.answers(b"\n".join(many)),
                         5 * self.answers(b"\n".join(many[:80])))
        for i in range(0, 80, 20):
            self.assertEqual(self.answers(many[i]), self.answers(b"\n".join(many))[i:i + 1])

    def test_long_lines(self):
        million = b"awful " * 200_000 + b"the superb film " * 20
        self.assertEqual(self.answers(million + b"\nsuperb"),
                         self.answers(b"the superb film " * 20 + b"\nsuperb"))
        run = weir(self.folder, "predict", "imdb-gru.safetensors", text=False,
                   input=b"superb\n" + b"a" * ((1 << 24) + 1) + b"\nsuperb\n")
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"line 2 has more than 16777216 bytes", run.stderr)
        self.assertEqual(run.stdout.decode().splitlines(), self.answers(b"superb"))

    def test_remarks(self):
        run = weir(self.folder, "predict", "imdb-gru.safetensors", text=False,
                   input=b"superb\n\nd\xff\xfe\n...\n")
        self.assertEqual(run.returncode, 0)
        self.assertIn(b"without a word: 2, the first is line 2", run.stderr)
        self.assertIn(b"no UTF-8: 2, the first in line 3", run.stderr)

    def test_binary(self):
        run = weir(self.folder, "predict", "imdb-gru.safetensors", text=False, input=b"superb\na\0b\n")
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"line 2 has a zero byte", run.stderr)
        self.assertEqual(len(run.stdout.splitlines()), 1)

    def test_file(self):
        with open(self.path("lines.txt"), "w", encoding="utf-8") as file:
            file.write("superb\nawful\n")
        self.assertEqual(self.answers(b"", "imdb-gru", "--data", "lines.txt"),
                         self.answers(b"superb\nawful", "imdb-gru", "--data", "-"))
        self.refused(1, ["none.txt", "No such file"], "predict", "imdb-gru.safetensors", "--data",
                     "none.txt")
        self.refused(1, ["aclImdb", "directory"], "predict", "imdb-gru.safetensors", "--data", "aclImdb")

    def test_answers_at_once(self):
        """Someone who types gets the answer before the next line."""
        with subprocess.Popen([WEIR, "predict", self.path("imdb-gru.safetensors")], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
            for word in ("superb", "awful"):
                run.stdin.write(word + "\n")
                run.stdin.flush()
                self.assertEqual([run.stdout.readline().strip()], self.answers(word.encode()))
            run.stdin.close()
            self.assertEqual(run.stdout.read(), "")

    def test_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with open("/dev/full", "w", encoding="utf-8") as full:
            run = subprocess.run([WEIR, "predict", self.path("imdb-gru.safetensors")], text=True,
                                 input="superb\n" * 1000, stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("could not be written", run.stderr)

    def edit(self, name, change):
        """A copy of the model whose metadata were changed."""
        with open(self.path("imdb-gru.safetensors"), "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
            data = file.read()
        del header["__metadata__"]["weir.checksum"]
        change(header["__metadata__"])
        text = json.dumps(header).encode()
        with open(self.path(name), "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text + data)

    def test_files_without_words(self):
        self.edit("old.safetensors", lambda m: m.pop("vocabulary"))
        self.refused(1, ["does not hold the words", "train it again"], "predict", "old.safetensors",
                     input="superb")
        self.edit("other.safetensors", lambda m: m.update(vocabulary="superb awful"))
        self.refused(1, ["2 words", "checksum"], "predict", "other.safetensors", input="superb")
        self.edit("twice.safetensors", lambda m: m.update(vocabulary="a b a"))
        self.refused(1, ["twice"], "predict", "twice.safetensors", input="superb")

    def test_foreign_options(self):
        for option in (["--rolling"], ["--last", "3"], ["--stream"], ["--generated"]):
            self.refused(2, [option[0], "reviews"], "predict", "imdb-gru.safetensors", *option)


if __name__ == "__main__":
    WEIR = os.path.abspath(sys.argv.pop(1))
    unittest.main()
