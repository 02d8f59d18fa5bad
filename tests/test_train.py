#!/usr/bin/env python3
# weir train, eval and compare from outside. SPDX-License-Identifier: Apache-2.0
"""usage: test_train.py WEIR_PROGRAM"""
import csv
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

WEIR = None
SMALL = ["--generated", "--generated-rows", "9000", "--lookback", "144", "--step", "6"]
COUNTS = {"jena-dense": "107,585", "jena-conv": "12,609", "jena-gru": "4,545",
          "jena-conv-gru": "13,697", "jena-naive": "0"}
MORE_COUNTS = {"jena-gru-dropout": "4,545", "jena-gru-stacked": "23,201",
               "jena-gru-bidir": "9,089", "jena-gru-reversed": "4,545",
               "jena-lstm": "6,049", "jena-conv-gru-dilated": "13,697"}
TEXT_COUNTS = {"imdb-dense": "160,305", "imdb-rnn": "322,113", "imdb-lstm": "328,353",
               "imdb-gru": "326,273", "imdb-bilstm": "336,705", "imdb-conv": "1,315,937",
               "imdb-conv-book": "1,315,937", "imdb-conv-gru": "1,322,177",
               "imdb-conv-lstm": "1,324,257"}
SMALL_TEXT = ["--generated", "--generated-reviews", "300", "--max-len", "60"]


def environment(**variables):
    return {**{k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}, **variables}


class Train(unittest.TestCase):
    def setUp(self):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # fsync costs nothing there
        folder = tempfile.TemporaryDirectory(dir=base)
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def weir(self, *arguments, **variables):
        return subprocess.run([WEIR, *arguments], env=environment(**variables), text=True,
                              cwd=self.folder, capture_output=True, timeout=120, check=False)

    def ok(self, *arguments, **variables):
        run = self.weir(*arguments, **variables)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def refused(self, status, words, *arguments, **variables):
        run = self.weir(*arguments, **variables)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)
        return run

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()

    def losses(self, *arguments, **variables):
        """The columns of the history that do not depend on time."""
        self.ok("train", *arguments, "--history", "h.csv", "--quiet", **variables)
        return [row[:4] for row in csv.reader(self.read("h.csv").splitlines())]

    def write_csv(self, name, columns, minutes=10, rows=3000):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(",".join(["Date Time", *columns]) + "\n")
            for i in range(rows):
                stamp = time.strftime("%d.%m.%Y %H:%M:%S", time.gmtime(1.3e9 + 60 * minutes * i))
                numbers = [str((i * 7919 + 31 * k) % 101 / 10) for k in range(len(columns))]
                file.write(",".join([stamp, *numbers]) + "\n")


class Summary(Train):
    def test_parameters(self):
        for model, count in {**COUNTS, **MORE_COUNTS, **TEXT_COUNTS}.items():
            last = self.ok("train", model, "--summary").splitlines()[-1]
            self.assertEqual(last.split(), ["Total", count])

    def test_keras_3(self):
        text = self.ok("train", "jena-gru", "--summary", "--keras", "3")
        self.assertIn("4,641", text)

    def test_columns_of_the_data(self):
        text = self.ok("train", "jena-gru", "--summary", *SMALL)
        self.assertIn("input (N, 24, 14)", text)
        self.assertEqual(os.listdir(self.folder), [])


class Determinism(Train):
    """The same losses, to the last bit, whatever the machine does."""
    RUN = ["jena-conv-gru", *SMALL, "--epochs", "2", "--steps", "20", "--val-steps", "20"]

    def sets(self):
        info = json.loads(self.ok("info", "--json"))
        names = [name for name in ("generic", "avx2", "avx512")
                 if self.weir("train", "jena-gru", "--summary", "--isa", name).returncode == 0]
        self.assertTrue(info)
        self.assertIn("generic", names)
        return names

    def test_threads_and_instruction_sets(self):
        first = None
        for isa in self.sets():
            for threads in ("1", "2"):
                losses = self.losses(*self.RUN, "--threads", threads, WEIR_ISA=isa)
                self.assertEqual(len(losses), 3)
                first = first or losses
                self.assertEqual(losses, first, f"{isa}, {threads} threads")

    def test_every_model(self):
        """Some steps of each: the same bits on generic with one thread and on AVX2 with two."""
        end = ["--epochs", "1", "--steps", "2", "--val-steps", "2", "--batch-size", "48"]
        runs = [[model, *SMALL, "--step", "3", *end] for model in MORE_COUNTS]
        runs += [[model, *SMALL_TEXT, *end] for model in TEXT_COUNTS]
        for run in runs:
            first = self.losses(*run, "--threads", "1", WEIR_ISA="generic")
            self.assertEqual(first, self.losses(*run, "--threads", "2"), run[0])

    def test_steps_left_out(self):
        run = ["--generated", "--epochs", "1", "--steps", "1", "--val-steps", "1"]
        note = "note     the last 2 of 240 steps fit into no window of convolution and pooling; with 238"
        out = self.ok("train", "jena-conv-gru", *run)
        self.assertIn(f"\n{note} (--lookback 714) all do\n", out)
        for model, more in (("jena-conv-gru", ["--lookback", "714", "--step", "3"]), ("jena-gru", [])):
            self.assertNotIn("note", self.ok("train", model, *run, *more, "--no-checkpoint"))

    def test_seed(self):
        run = [*self.RUN[:-6], "--epochs", "1", "--steps", "3", "--val-steps", "2"]
        once = self.losses(*run, "--seed", "1")
        self.assertEqual(once, self.losses(*run, "--seed", "1"))
        self.assertNotEqual(once, self.losses(*run, "--seed", "2"))

    def test_masks_and_keras(self):
        run = [*self.RUN[:-6], "--epochs", "1", "--steps", "3", "--val-steps", "2"]
        results = [self.losses(*run, *more) for more in
                   ([], ["--dropout-masks", "shared"], ["--keras", "3"],
                    ["--keras", "3", "--dropout-masks", "gate"])]
        self.assertEqual(len({str(r) for r in results}), 4)
        self.assertEqual(results[0], self.losses(*run, "--dropout-masks", "gate"))
        self.assertEqual(results[2],
                         self.losses(*run, "--keras", "3", "--dropout-masks", "shared"))


class Outputs(Train):
    RUN = ["train", "jena-conv-gru", *SMALL, "--epochs", "3", "--steps", "4"]

    def test_history_and_best(self):
        text = self.ok(*self.RUN, "--history", "h.csv")
        self.assertIn("13,697 parameters", text)
        self.assertIn("made-up weather", text)
        rows = list(csv.DictReader(self.read("h.csv").splitlines()))
        self.assertEqual(self.read("h.csv").split("\n")[0],
                         "epoch,loss,val_loss,val_units,train_seconds,val_seconds")
        self.assertEqual([row["epoch"] for row in rows], ["1", "2", "3"])
        best = min(float(row["val_loss"]) for row in rows)
        # The saved model is that of the best epoch: evaluated anew, the same error.
        result = json.loads(self.ok("eval", "jena-conv-gru.safetensors", *SMALL[:3], "--json"))
        self.assertAlmostEqual(result["mae"], best, delta=1e-8 * best)
        self.assertEqual(result["unit"], "degC")
        test = json.loads(self.ok("eval", "jena-conv-gru.safetensors", *SMALL[:3], "--json",
                                  "--split", "test"))
        self.assertNotEqual(test["mae"], result["mae"])

    def test_json_history(self):
        self.ok(*self.RUN, "--history", "h.json", "--save", "x.safetensors")
        history = json.loads(self.read("h.json"))
        self.assertEqual(history["parameters"], 13697)
        self.assertEqual(len(history["epochs"]), 3)
        self.assertEqual(len(history["data"]["mean"]), 14)
        self.assertEqual(sorted(os.listdir(self.folder)), ["h.json", "x.safetensors", "x.safetensors.checkpoint"])

    def test_model_file(self):
        """Read with nothing but the format's definition."""
        self.ok(*self.RUN, "--save", "x.safetensors")
        with open(os.path.join(self.folder, "x.safetensors"), "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
            data = file.read()
        metadata = header.pop("__metadata__")
        self.assertTrue(all(isinstance(value, str) for value in metadata.values()))
        layers = json.loads(metadata["weir.model"])["config"]["layers"]
        self.assertEqual([layer["class_name"] for layer in layers],
                         ["Conv1D", "MaxPooling1D", "Conv1D", "GRU", "Dense"])
        self.assertEqual(json.loads(metadata["data"])["lookback"], 144)
        self.assertEqual(json.loads(metadata["training"])["seed"], 0)
        end = 0
        for name, tensor in header.items():
            begin, next_end = tensor["data_offsets"]
            size = 4
            for n in tensor["shape"]:
                size *= n
            self.assertEqual((begin, next_end, tensor["dtype"]), (end, end + size, "F32"), name)
            end = next_end
        self.assertEqual(end, len(data))

    def test_naive(self):
        text = self.ok("train", "jena-naive", *SMALL)
        mae = re.search(r"validation MAE (\S+)", text).group(1)
        self.assertIn(f"MAE {mae}", self.ok("eval", "jena-naive.safetensors", *SMALL[:3]))
        # A series that is too short for the splits of the training.
        new = ["eval", "jena-naive.safetensors", "--generated", "--generated-rows", "1000"]
        self.refused(2, ["1000"], *new)
        self.assertIn(f"on {1000 - 144 - 144} windows of", self.ok(*new, "--split", "all"))

    def test_quiet(self):
        lines = self.ok(*self.RUN, "--quiet").splitlines()
        self.assertEqual(len(lines), 1)
        self.assertIn("best epoch", lines[0])


class Text(Train):
    """Reviews in the place of weather."""
    RUN = ["train", "imdb-gru", *SMALL_TEXT, "--epochs", "2", "--batch-size", "32"]

    def test_accuracy(self):
        text = self.ok(*self.RUN, "--history", "h.csv")
        self.assertIn("made-up reviews", text)
        self.assertIn("the last 60 tokens", text)
        rows = list(csv.DictReader(self.read("h.csv").splitlines()))
        self.assertEqual(list(rows[0]), ["epoch", "loss", "val_loss", "val_accuracy",
                                         "train_seconds", "val_seconds"])
        best = max(float(row["val_accuracy"]) for row in rows)
        self.assertIn(f"validation accuracy {best:.5f}", text)
        result = json.loads(self.ok("eval", "imdb-gru.safetensors", *SMALL_TEXT[:3], "--json"))
        self.assertAlmostEqual(result["accuracy"], best, delta=1e-8)
        self.assertEqual(result["reviews"], 30)
        self.refused(2, ["--split is all"], "eval", "imdb-gru.safetensors", *SMALL_TEXT[:3], "--split", "all")
        test = json.loads(self.ok("eval", "imdb-gru.safetensors", *SMALL_TEXT[:3], "--json",
                                  "--split", "test"))
        self.assertEqual(test["reviews"], 150)

    def test_every_review_once(self):
        """120 training reviews: 3 batches of 32 and one of 24."""
        history = json.loads((self.ok(*self.RUN, "--history", "h.json"), self.read("h.json"))[1])
        self.assertEqual(history["steps"], 4)
        self.assertEqual(history["data"]["task"], "imdb")
        self.refused(2, ["steps is 5, accepted: 1 to 4"], *self.RUN, "--steps", "5")

    def test_other_words(self):
        self.ok(*self.RUN)
        self.refused(2, ["most frequent words", "checksum"], "eval", "imdb-gru.safetensors",
                     *SMALL_TEXT[:3], "--generated-seed", "9")

    def test_compare(self):
        run = ["compare", "imdb", *SMALL_TEXT, "--models", "imdb-dense,imdb-lstm,imdb-conv-gru",
               "--epochs", "1", "--steps", "2", "--batch-size", "32", "--quiet"]
        text = self.ok(*run)
        for word in ("LSTM", "accuracy", "328,353", "made up", "words in one shuffled order"):
            self.assertIn(word, text)
        rows = list(csv.DictReader(self.ok(*run, "--csv").splitlines()))
        self.assertEqual([row["recurrent_steps"] for row in rows], ["0", "60", "4"])
        # A bag of words does not see the order.
        self.assertEqual(rows[0]["val_accuracy"], rows[0]["permuted_accuracy"])
        # Outputs of a sigmoid round to the class that they are nearer to.
        self.assertEqual({row["val_accuracy_rounded"] for row in rows}, {""})

    def test_rounded_accuracy(self):
        """Outputs beyond [-0.5, 1.5] round to no class: few are left right at such a rate."""
        self.ok("train", "imdb-conv-book", *SMALL_TEXT, "--epochs", "2", "--steps", "3", "--lr", "0.3",
                "--batch-size", "32", "--history", "h.csv", "--quiet")
        with open(os.path.join(self.folder, "h.csv"), encoding="ascii") as file:
            for row in csv.DictReader(file):
                self.assertLess(float(row["val_accuracy_rounded"]), float(row["val_accuracy"]) - 0.1)


class WordVectors(Train):
    RUN = ["train", "imdb-lstm", *SMALL_TEXT, "--epochs", "1", "--steps", "1", "--batch-size", "8",
           "--embeddings", "v.txt"]

    def write(self, text):
        with open(os.path.join(self.folder, "v.txt"), "w", encoding="utf-8") as file:
            file.write(text)

    def vector(self, word, first="0.5", count=32):
        return " ".join([word, first] + ["-1e-2"] * (count - 1)) + "\n"

    def test_coverage(self):
        known, other = self.vector("the"), self.vector("no-such-word")
        blanks = ". . " + self.vector("x")
        for text in (known + other + blanks, "3 32\n" + known + other):
            self.write(text)
            out = self.ok(*self.RUN, "--freeze-embeddings")
            self.assertRegex(out, r"v.txt: 1 of \d+ words have one, the others zeros; not trained")
        with open(os.path.join(self.folder, "imdb-lstm.safetensors"), "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
            data = file.read()
        begin, end = header["embedding/embeddings"]["data_offsets"]
        values = struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
        self.assertEqual(sum(value == 0.5 for value in values), 1)
        self.assertEqual(sum(value != 0 for value in values), 32)

    def test_refusals(self):
        good = self.vector("the")
        for text, words in (("", "empty"), (good + self.vector("a", count=31), "v.txt:2: 31 numbers"),
                            (self.vector("the", count=33), "v.txt:1: 33 numbers, the embedding has 32"),
                            ("9 50\n" + good, "v.txt:1: 50 numbers"),
                            (good + "a 0.1 0.2", "v.txt:2: 2 numbers"),
                            (self.vector("the", first="0.5x"), 'v.txt:1: "0.5x" is not a number'),
                            (self.vector("the", first="nan"), 'v.txt:1: "nan" is not a number')):
            self.write(text)
            self.refused(1, [words], *self.RUN)
        self.refused(1, ["none.txt"], *self.RUN[:-1], "none.txt")
        self.refused(2, ["jena-gru has no embedding"], "train", "jena-gru", *SMALL, "--mask-zero")
        self.refused(2, ["imdb-dense has no embedding"], "train", "imdb-dense", *self.RUN[2:])
        self.refused(2, ["imdb-dense has no embedding"], "train", "imdb-dense", *SMALL_TEXT,
                     "--freeze-embeddings")
        for model in ("imdb-dense", "imdb-conv-gru"):
            self.refused(2, [f"--mask-zero: {model} has no recurrent layer right behind"], "train", model,
                         *SMALL_TEXT, "--mask-zero")


class Downsampling(Train):
    RUN = ["compare", "downsampling"]
    END = ["--epochs", "1", "--steps", "2", "--val-steps", "1", "--quiet", "--csv",
           "--batch-size", "16"]

    def test_weather(self):
        rows = list(csv.DictReader(self.ok(*self.RUN, "jena", *SMALL[:3], "--lengths",
                                           "240,480,1920", *self.END).splitlines()))
        self.assertEqual([(r["steps"], r["lookback"], r["row_step"]) for r in rows[::2]],
                         [("240", "1440", "6"), ("480", "1440", "3"), ("1920", "1920", "1")])
        self.assertEqual([r["recurrent_steps"] for r in rows[:2]], ["240", "74"])
        self.assertTrue(all(float(r["step_ms"]) > 0 for r in rows))
        self.assertTrue(all(float(r["faster"]) > 0 for r in rows[1::2]))

    def test_reviews(self):
        rows = list(csv.DictReader(self.ok(*self.RUN, "imdb", *SMALL_TEXT[:3], "--lengths",
                                           "240,480", *self.END).splitlines()))
        self.assertEqual([r["model"] for r in rows], ["imdb-gru", "imdb-conv-gru"] * 2)

    def test_refusals(self):
        for lengths in ("", "0", "240,", "240,240", "480,240", "240;480", "9"):
            self.refused(2, ["--lengths", "ascending"], *self.RUN, "jena", *SMALL[:3],
                         "--lengths", lengths)
        self.refused(2, ["follow from --lengths"], *self.RUN, "jena", *SMALL)
        self.refused(2, ["sine", "jena, imdb"], *self.RUN, "sine", *SMALL[:3])
        self.refused(2, ["as long as the longest"], *self.RUN, "jena", *SMALL[:3], "--lengths",
                     "240,4000")


class Refusals(Train):
    def test_options(self):
        self.refused(2, ["'jena-grru' is not known, did you mean jena-gru? accepted: jena-naive, "],
                     "train", "jena-grru", *SMALL)
        self.refused(2, ["'lenet' is not known, accepted: jena-naive, "], "train", "lenet", *SMALL)
        self.refused(2, ["--data FILE or --generated"], "train", "jena-gru")
        self.refused(2, ["exclude"], "train", "jena-gru", *SMALL, "--data", "x.csv")
        self.refused(2, ["h.txt", ".csv or .json"], "train", "jena-gru", *SMALL, "--history",
                     "h.txt")
        self.refused(1, ["/no/such/x"], "train", "jena-gru", *SMALL, "--save", "/no/such/x")
        self.refused(1, ["nothing.csv"], "train", "jena-gru", "--data", "nothing.csv")
        self.refused(2, ["a divisor of lookback 7"], "train", "jena-gru", "--lookback", "7", "--summary")
        self.refused(2, ["too few for P 3"], "train", "jena-conv", *SMALL)
        self.refused(2, ["avx1024"], "train", "jena-gru", *SMALL, WEIR_ISA="avx1024")
        self.refused(2, ["imbd", "jena, imdb"], "compare", "imbd", *SMALL)
        self.refused(2, ["jena-gru", "models of imdb"], "compare", "imdb", "--generated",
                     "--models", "imdb-dense,jena-gru")
        self.refused(2, ["imdb-dense twice"], "compare", "imdb", "--generated", "--models",
                     "imdb-dense,imdb-lstm,imdb-dense")
        for name, value in (("lookback", "9"), ("generated-rows", "2000"), ("missing", "0"),
                            ("missing-policy", "error")):
            self.refused(2, [f"--{name} is not an option of reviews"], "train", "imdb-dense",
                         "--generated", "--" + name, value)
        self.refused(2, ["--generated-reviews is not an option of the weather"], "train", "jena-gru",
                     *SMALL, "--generated-reviews", "500")
        self.refused(2, ["--max-len is not an option of the weather"], "train", "jena-gru", *SMALL,
                     "--max-len", "9")
        self.assertEqual(os.listdir(self.folder), [])

    def test_files_that_must_stay(self):
        """The data, and what is no plain file: a device would be replaced by a rename too."""
        path = os.path.join(self.folder, "data.csv")
        with open(path, "w", encoding="ascii") as file:
            file.write("time,T (degC)\n01.01.2009 00:00:00,1\n")
        os.mkfifo(os.path.join(self.folder, "pipe"))
        os.symlink("data.csv", os.path.join(self.folder, "link"))
        before = sorted(os.listdir(self.folder))
        run = ["train", "jena-gru", "--data", "data.csv"]
        self.refused(2, ["./data.csv is the data"], *run, "--save", "./data.csv")
        self.refused(2, ["data.csv is the data"], *run, "--history", "data.csv")
        self.refused(2, ["both x.csv"], *run, "--save", "x.csv", "--history", "x.csv")
        self.refused(2, ["at most 1023"], *run, "--save", "x/" * 1000)
        for name, kind in (("pipe", "pipe"), ("link", "link"), (".", "directory"), ("", "empty")):
            self.refused(1, [kind], "train", "jena-gru", *SMALL, "--save", name)
            self.refused(1, [kind], "data", "generate", "--rows", "9", "--out", name)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_loss_that_is_no_number(self):
        run = self.refused(1, ["training loss is", "epoch 1"], "train", "jena-dense", *SMALL,
                           "--lr", "1e30", "--epochs", "2", "--steps", "20")
        self.assertNotIn("best epoch", run.stdout)

    def test_order_of_rows(self):
        self.write_csv("a.csv", ["p", "T (degC)"])
        lines = self.read("a.csv").splitlines()
        for name, rows in (("reversed.csv", lines[:0:-1]), ("same.csv", [lines[1]] * 3000)):
            with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
                file.write("\n".join([lines[0], *rows]) + "\n")
            self.refused(2, [name, "in the order of their times"], "train", "jena-dense", "--data", name)

    def test_name_that_is_no_utf8(self):
        with open(os.path.join(self.folder, "l.csv"), "wb") as file:
            file.write(b"time,p,T (\xb0C)\n01.01.2009 00:00:00,1,2\n")
        self.refused(1, ["l.csv:1:8", "column 3 is no UTF-8", "iconv"], "train", "jena-dense", "--data",
                     "l.csv", "--target", "p")

    def test_name_with_blanks(self):
        self.write_csv("a.csv", ["p", '" T (degC)"'])
        self.ok("train", "jena-dense", "--data", "a.csv", "--lookback", "60", "--step", "6", "--epochs",
                "1", "--steps", "2", "--save", "m.safetensors", "--target", " T (degC)")
        self.ok("eval", "m.safetensors", "--data", "a.csv")

    def test_options_without_effect(self):
        self.write_csv("a.csv", ["p", "T (degC)"])
        self.refused(2, ["--generated-seed is for --generated", "--data a.csv"], "train", "jena-dense",
                     "--data", "a.csv", "--generated-seed", "3")
        self.refused(2, ["--history: jena-naive has nothing to train"], "train", "jena-naive", *SMALL,
                     "--history", "h.csv")
        self.ok("train", "jena-dense", *SMALL, "--epochs", "1", "--steps", "2")
        self.refused(2, ["--val-rows with --split all"], "eval", "jena-dense.safetensors", *SMALL[:3],
                     "--split", "all", "--val-rows", "9")

    def test_name_with_a_comma(self):
        self.write_csv("a.csv", ["p", "T (degC)", '"wind, gusts"'])
        self.ok("train", "jena-gru", "--data", "a.csv", "--lookback", "60", "--step", "6",
                "--epochs", "1", "--steps", "2", "--save", "m.safetensors")
        self.ok("eval", "m.safetensors", "--data", "a.csv")

    def test_columns_of_another_file(self):
        self.write_csv("a.csv", ["p", "T (degC)", "wv"])
        self.write_csv("same.csv", ["wv", "p", "T (degC)"])
        self.write_csv("other.csv", ["p", "T (degC)", "rain"])
        self.write_csv("hourly.csv", ["p", "T (degC)", "wv"], minutes=60)
        self.ok("train", "jena-gru", "--data", "a.csv", "--lookback", "60", "--step", "6",
                "--epochs", "1", "--steps", "2", "--save", "m.safetensors")
        self.ok("eval", "m.safetensors", "--data", "a.csv")
        self.ok("eval", "m.safetensors", "--data", "same.csv")
        self.refused(2, ["wv"], "eval", "m.safetensors", "--data", "other.csv")
        self.refused(2, ["rain", "p,T (degC),wv"], "eval", "m.safetensors", "--data", "other.csv",
                     "--columns", "p,T (degC),rain")
        self.refused(2, ["every 60 min", "every 10 min"], "eval", "m.safetensors", "--data",
                     "hourly.csv")
        self.refused(2, ["wv"], "eval", "m.safetensors", "--generated")
        self.refused(1, ["a.csv", "not a safetensors file"], "eval", "a.csv", "--data", "a.csv")


class Windows(Train):
    """The book's times, whatever the time between rows."""

    def windows(self, model, minutes, rows, *more):
        self.write_csv("a.csv", ["p", "T (degC)"], minutes, rows)
        text = self.ok("train", model, "--data", "a.csv", "--epochs", "1", "--steps", "1",
                       "--val-steps", "1", "--batch-size", "2", *more)
        return " ".join(re.search(r"windows  (.*)\n +(\d+ steps);", text).groups())

    def test_defaults(self):
        for minutes, rows, lookback, step, delay in (
                (10, 7000, 1440, 6, 144), (20, 4000, 720, 3, 72), (30, 2500, 480, 2, 48),
                (60, 1500, 240, 1, 24)):
            book = f"(10 days), step {step} (60 min), delay {delay} (24 h) 240 steps"
            self.assertEqual(self.windows("jena-naive", minutes, rows),
                             f"lookback {lookback} rows {book}")

    def test_of_conv_gru(self):
        half = "(5 days), step {} (30 min), delay {} (24 h) 240 steps"
        for minutes, lookback, step, delay in ((10, 720, 3, 144), (30, 240, 1, 48)):
            self.assertEqual(self.windows("jena-conv-gru", minutes, 7000),
                             f"lookback {lookback} rows {half.format(step, delay)}")
        # No finer step: those of the others.
        self.assertIn("lookback 240 rows (10 days), step 1 (60 min), delay 24",
                      self.windows("jena-conv-gru", 60, 1500))

    def test_rounding_is_said(self):
        self.assertEqual(self.windows("jena-naive", 7, 9500),
                         "lookback 2061 rows (10.0188 days), step 9 (63 min), delay 206 "
                         "(24.0333 h) 229 steps")
        self.assertIn("lookback 10 rows (10 days), step 1 (1440 min), delay 1 (24 h)",
                      self.windows("jena-naive", 1440, 300))
        self.assertIn("lookback 60 rows (1.25 days), step 2 (60 min)",
                      self.windows("jena-naive", 30, 2500, "--lookback", "60"))


class ModelFilesOfOthers(Train):
    """What is in a file need not come from weir train."""
    EVAL = ["eval", "m.safetensors", *SMALL[:3], "--quiet"]

    def change(self, edit):
        """edit(header, data) changes the saved model; returns with the file written anew."""
        self.ok("train", "jena-gru", *SMALL, "--epochs", "1", "--steps", "1", "--val-steps", "1",
                "--save", "m.safetensors")
        path = os.path.join(self.folder, "m.safetensors")
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
            data = bytearray(file.read())
        del header["__metadata__"]["weir.checksum"]
        edit(header, data)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text + data)

    def test_weights_that_are_no_numbers(self):
        def edit(header, data):
            begin = header["dense/bias"]["data_offsets"][0]
            data[begin:begin + 4] = struct.pack("<f", float("nan"))

        self.change(edit)
        for more in ([], ["--json"]):
            run = self.refused(1, ["m.safetensors", "nan", "weights"], *self.EVAL, *more)
            self.assertEqual(run.stdout, "")

    def test_control_characters(self):
        def edit(header, data):
            model = json.loads(header["__metadata__"]["weir.model"])
            model["config"]["name"] = "a\x1b]0;b\x07\x9bc\u00e9"
            header["__metadata__"]["weir.model"] = json.dumps(model)

        self.change(edit)
        self.assertTrue(self.ok(*self.EVAL).startswith("a?]0;b??c\u00e9 on "))
        with open(os.path.join(self.folder, "a.csv"), "w", encoding="ascii") as file:
            file.write("time,p,\x1b]0;mine\x07\n01.01.2009 00:00:00,1,2\n")
        run = self.refused(2, ['"?]0;mine?"'], "train", "jena-gru", "--data", "a.csv", "--target",
                           "nosuch")
        self.assertNotIn("\x1b", run.stderr)


class Interrupt(Train):
    SIGNALS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]

    def start(self, *arguments):
        return subprocess.Popen([WEIR, *arguments], env=environment(), text=True, cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait_for(self, stream, words):
        for line in stream:
            if words in line:
                return
        self.fail(f"the program ended without a line with {words!r}")

    def test_after_an_epoch(self):
        for number, status, word in self.SIGNALS:
            run = self.start("train", "jena-conv-gru", *SMALL, "--epochs", "1000", "--steps", "10",
                             "--val-steps", "2", "--history", "h.csv")
            self.addCleanup(run.kill)
            self.wait_for(run.stdout, "epoch 2/")
            run.send_signal(number)
            out, err = run.communicate(timeout=60)
            self.assertEqual(run.returncode, status, err)
            self.assertIn(f"{word}; best epoch", out)
            self.assertGreaterEqual(len(self.read("h.csv").splitlines()), 3)
            self.ok("eval", "jena-conv-gru.safetensors", *SMALL[:3])
            self.assertEqual(sorted(os.listdir(self.folder)),
                             ["h.csv", "jena-conv-gru.safetensors",
                              "jena-conv-gru.safetensors.checkpoint"])
            # A new run would be refused beside it.
            os.remove(os.path.join(self.folder, "jena-conv-gru.safetensors.checkpoint"))

    def interrupt_first_epoch(self):
        run = self.start("train", "jena-gru", *SMALL, "--steps", "1000000")
        self.addCleanup(run.kill)
        self.wait_for(run.stdout, "machine")
        time.sleep(0.3)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130, err)
        self.assertIn("before the first validation", out)
        return out

    def test_in_the_first_epoch(self):
        self.interrupt_first_epoch()
        self.ok("eval", "jena-gru.safetensors", *SMALL[:3])

    def test_in_the_first_epoch_beside_an_earlier_model(self):
        path = os.path.join(self.folder, "jena-gru.safetensors")
        with open(path, "w", encoding="ascii") as file:
            file.write("earlier")
        self.assertIn("stays as it was", self.interrupt_first_epoch())
        self.assertEqual(self.read("jena-gru.safetensors"), "earlier")

    def test_data_generate(self):
        for number, status, word in self.SIGNALS:
            run = self.start("data", "generate", "--rows", "1000000", "--out", "x.csv")
            self.addCleanup(run.kill)
            end = time.monotonic() + 60
            while not os.listdir(self.folder) and time.monotonic() < end:
                time.sleep(0.01)
            self.assertIn(".part-", os.listdir(self.folder)[0])
            run.send_signal(number)
            _, err = run.communicate(timeout=60)
            self.assertEqual(run.returncode, status, err)
            self.assertIn(f"{word}; x.csv was not written", err)
            self.assertEqual(os.listdir(self.folder), [])

    def test_compare(self):
        run = self.start("compare", "jena", "--generated", "--generated-rows", "12000", "--epochs",
                         "100000", "--steps", "2", "--val-steps", "1")
        self.addCleanup(run.kill)
        self.wait_for(run.stderr, "jena-dense  epoch 1/")
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130, err)
        self.assertIn("jena-naive", out)
        self.assertNotIn("jena-conv ", out)


class Compare(Train):
    RUN = ["compare", "jena", "--generated", "--generated-rows", "12000", "--epochs", "2",
           "--steps", "2", "--val-steps", "2", "--quiet"]

    def test_table(self):
        text = self.ok(*self.RUN)
        self.assertIn("made-up weather", text)
        for model, count in COUNTS.items():
            self.assertRegex(text, rf"\n{model} +{count} ")
        self.assertEqual(os.listdir(self.folder), [])

    def test_json_and_csv(self):
        result = json.loads(self.ok(*self.RUN, "--json", "--seeds", "2"))
        self.assertTrue(result["generated"])
        runs = result["runs"]
        self.assertEqual([r["model"] for r in runs].count("jena-gru"), 2)
        self.assertEqual({r["model"] for r in runs}, set(COUNTS))
        steps = {r["model"]: r["recurrent_steps"] for r in runs}
        self.assertEqual((steps["jena-gru"], steps["jena-conv-gru"]), (240, 74))
        step = {r["model"]: r["step"] for r in runs}
        self.assertEqual((step["jena-gru"], step["jena-conv-gru"]), (6, 3))
        rows = list(csv.DictReader(self.ok(*self.RUN, "--csv").splitlines()))
        for row, run in zip(rows[1:2], runs[1:2]):
            self.assertAlmostEqual(float(row["val_mae"]), run["val_mae"], delta=1e-8)
        self.assertEqual(len(rows), 5)

    def test_one_window_for_all(self):
        rows = csv.DictReader(self.ok(*self.RUN, "--csv", "--lookback", "720").splitlines())
        self.assertEqual({(r["lookback"], r["step"]) for r in rows}, {("720", "6")})

    def definition(self, name, model, old="", new=""):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(self.ok("models", "show", model).replace(old, new))

    def test_own_definitions(self):
        """A copy has the numbers of its original; an edited one has its own steps."""
        self.definition("copy.json", "jena-conv-gru")
        self.definition("short.json", "jena-conv-gru", "240", "120")
        run = [*self.RUN, "--json", "--models"]
        runs = json.loads(self.ok(*run, "jena-conv-gru,copy.json,./short.json"))["runs"]
        self.assertEqual([r["model"] for r in runs], ["jena-conv-gru", "copy.json", "short.json"])
        for key in ("val_mae", "test_mae", "permuted_mae", "parameters", "lookback"):
            self.assertEqual(runs[0][key], runs[1][key])
        self.assertEqual([r["recurrent_steps"] for r in runs], [74, 74, 34])
        self.assertEqual([r["lookback"] for r in runs], [720, 720, 360])

    def test_own_definitions_refused(self):
        self.definition("w.json", "jena-gru")
        self.definition("r.json", "imdb-gru")
        self.definition("square.json", "jena-gru", '"mae"', '"mse"')
        jena, imdb = (["compare", name, "--generated", "--models"] for name in ("jena", "imdb"))
        self.refused(2, ["r.json", "models of jena"], *jena, "r.json")
        self.refused(2, ["w.json", "models of imdb"], *imdb, "w.json")
        self.refused(2, ["w.json twice"], *jena, "w.json,./w.json")
        self.refused(2, ["square.json is mse", "mae"], *jena, "square.json")
        self.refused(2, ["numbered to 20000", "--max-features 10000, or less"], *imdb, "r.json",
                     "--max-features", "20000")
        self.refused(2, ["--dropout-masks", "w.json"], *jena, "w.json", "--dropout-masks", "gate")
        self.refused(1, ["none.json", "No such file"], *jena, "none.json")
        # Said before the first of them is trained.
        run = self.refused(2, ["w.json", "T is 240", "120"], *jena, "jena-gru,w.json", "--lookback",
                           "120", "--step", "1")
        self.assertNotIn("epoch", run.stderr)
        run = self.refused(2, ["imdb-dense: steps is 3, accepted: 1 to 1"], *imdb, "imdb-gru,imdb-dense",
                           "--generated-reviews", "1000", "--steps", "3", "--epochs", "1")
        self.assertNotIn("epoch 1", run.stderr)

    def test_keras_of_a_definition(self):
        """The numbers of weir train, whose RMSprop is that of the definition's Keras too."""
        self.definition("jena-gru.json", "jena-gru", '"2.2.4"', '"3.5.0"')
        run = ["--generated-rows", "12000", "--steps", "2", "--val-steps", "2", "--epochs", "2"]
        self.ok("train", "--model", "jena-gru.json", "--generated", *run, "--history", "h.csv", "--quiet")
        expected = min(float(row["val_loss"]) for row in csv.DictReader(self.read("h.csv").splitlines()))
        result = json.loads(self.ok("compare", "jena", "--generated", *run, "--quiet", "--json",
                                    "--models", "jena-gru,jena-gru.json"))
        self.assertEqual([r["keras"] for r in result["runs"]], [2, 3])
        self.assertAlmostEqual(result["runs"][1]["val_mae"], expected, delta=1e-7)
        # A definition that is called as a built-in model is not what times are set beside.
        text = self.ok("compare", "jena", "--generated", *run, "--quiet", "--models", "jena-gru.json")
        self.assertIn("jena-gru.json as in Keras 3", text)
        self.assertRegex(text, r"\njena-gru.json +4,545 +240 +[0-9.]+ +[0-9.]+ +- ")

    def test_one_that_diverges(self):
        self.definition("hot.json", "jena-dense", '"rate": 0.001', '"rate": 1e30')
        run = self.refused(1, ["hot.json with seed 0 is left out"], *self.RUN, "--csv", "--models",
                           "hot.json,jena-dense")
        self.assertIn("\njena-dense,", run.stdout)


if __name__ == "__main__":
    WEIR = os.path.abspath(sys.argv.pop(1))
    unittest.main()
