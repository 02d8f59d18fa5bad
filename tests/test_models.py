#!/usr/bin/env python3
# weir models, and weir train --model. SPDX-License-Identifier: Apache-2.0
"""usage: test_models.py WEIR_PROGRAM"""
import csv
import json
import os
import subprocess
import sys
import tempfile
import unittest

WEIR = None
WEATHER = ["--generated", "--generated-rows", "9000", "--train-rows", "4500",
           "--val-rows", "2200"]
REVIEWS = ["--generated", "--generated-reviews", "200"]
SHORT = ["--epochs", "1", "--steps", "2", "--val-steps", "2", "--batch-size", "16"]


class Models(unittest.TestCase):
    def setUp(self):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # fsync costs nothing there
        folder = tempfile.TemporaryDirectory(dir=base)
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def weir(self, *arguments):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
        return subprocess.run([WEIR, *arguments], env=environment, text=True, cwd=self.folder,
                              capture_output=True, timeout=120, check=False)

    def ok(self, *arguments):
        run = self.weir(*arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def refused(self, status, words, *arguments):
        run = self.weir(*arguments)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)

    def show(self, name):
        return json.loads(self.ok("models", "show", name))

    def write(self, model, name="my.json"):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            json.dump(model, file)

    def losses(self, *arguments):
        self.ok("train", *arguments, "--history", "h.csv", "--quiet")
        with open(os.path.join(self.folder, "h.csv"), encoding="utf-8") as file:
            return [row[:4] for row in csv.reader(file)]

    def test_list(self):
        rows = {row["name"]: row for row in json.loads(self.ok("models", "--json"))}
        self.assertEqual(len(rows), 20)
        row = rows["jena-conv-gru"]
        self.assertEqual((row["task"], row["parameters"], row["step_minutes"]), ("jena", 13697, 30))
        self.assertEqual(rows["imdb-dense"]["batch_size"], 512)
        text = self.ok("models")
        for name, row in rows.items():
            self.assertRegex(text, rf"\n{name} +{row['task']} +{row['parameters']:,}  ")

    def test_shown_and_trained(self):
        """The definition of a built-in model is that model, bit for bit."""
        for name, data in (("jena-conv-gru", WEATHER), ("jena-gru-bidir", WEATHER),
                           ("imdb-conv", REVIEWS)):
            self.write(self.show(name))
            self.assertEqual(self.losses("--model", "my.json", *data, *SHORT),
                             self.losses(name, *data, *SHORT))
            self.ok("eval", "my.safetensors", *data[:3], "--quiet")

    def test_edited(self):
        model = self.show("jena-gru")
        model["config"]["layers"][1]["config"]["units"] = 16
        model["weir"] |= {"loss": "mse", "epochs": 2}
        self.write(model)
        self.assertIn("1,505", self.ok("train", "--model", "my.json", "--summary"))
        end = ["--steps", "2", "--val-steps", "2", "--batch-size", "16"]
        text = self.ok("train", "--model", "my.json", *WEATHER, *end)
        self.assertIn("epoch 2/2", text)
        self.assertRegex(text, r"MSE \S+ \(RMSE \S+ degC\), saved in my.safetensors")
        result = json.loads(self.ok("eval", "my.safetensors", *WEATHER[:3], "--json"))
        self.assertIn("mse", result)
        text = self.ok("train", "--model", "my.json", *WEATHER, *end, "--loss", "mae")
        self.assertIn("MAE", text)
        # The definition has 240 steps: windows are as long as --step makes them.
        text = self.ok("train", "--model", "my.json", *WEATHER, *end, "--step", "3")
        self.assertIn("lookback 720 rows (5 days), step 3", text)

    def test_without_recipe(self):
        """Task, loss and steps by the layers; --task where they don't tell."""
        model = self.show("imdb-gru")
        del model["weir"]
        model["config"]["layers"][0]["config"]["batch_input_shape"] = [None, None]
        model["config"]["layers"][1]["config"]["input_dim"] = 80
        self.write(model)
        text = self.ok("train", "--model", "my.json", *REVIEWS, *SHORT, "--max-len", "40")
        self.assertIn("the last 40 tokens", text)
        self.assertIn("76 known", text)
        self.refused(2, ["--max-features is 81", "80 tokens"], "train", "--model", "my.json",
                     *REVIEWS, "--max-features", "81")
        self.refused(2, ["reads tokens"], "train", "--model", "my.json", *WEATHER, "--task", "jena")
        model = self.show("jena-conv")
        del model["weir"]
        model["config"]["layers"][0]["config"]["batch_input_shape"] = [None, None, None]
        self.write(model)
        self.assertIn("the last 90 tokens", self.ok("train", "--model", "my.json", *REVIEWS, *SHORT,
                                                    "--task", "imdb", "--max-len", "90"))

    def test_keras_version(self):
        model = self.show("jena-gru")
        gru = model["config"]["layers"][1]["config"]
        del gru["reset_after"], gru["recurrent_activation"]
        self.write(model)
        self.refused(2, ["--keras is 3", "my.json is of Keras 2"], "train", "--model", "my.json",
                     "--summary", "--keras", "3")
        del model["keras_version"], model["module"]
        self.write(model)
        run = ["train", "--model", "my.json", "--summary"]
        self.assertIn("4,545", self.ok(*run))
        self.assertIn("4,641", self.ok(*run, "--keras", "3"))
        model["module"] = "keras"
        self.write(model)
        self.assertIn("4,641", self.ok(*run))
        self.refused(2, ["--dropout-masks", "implementation"], *run, "--dropout-masks", "gate")

    def test_refusals(self):
        self.refused(2, ["no-such", "jena-gru"], "models", "show", "no-such")
        self.refused(2, ["show NAME"], "models", "list")
        self.refused(2, ["NAME is missing"], "models", "show")
        self.refused(2, ["no model", "--model FILE"], "train", *WEATHER)
        self.refused(2, ["exclude each other"], "train", "jena-gru", "--model", "my.json", *WEATHER)
        self.refused(1, ["my.json", "No such file"], "train", "--model", "my.json", *WEATHER)
        self.refused(2, ["--task is imdb"], "train", "jena-gru", *WEATHER, "--task", "imdb")
        self.refused(2, ["mae, mse"], "train", "jena-gru", *WEATHER, "--loss", "binary_crossentropy")
        model = self.show("jena-gru")
        self.write(model)
        self.refused(2, ["T is 240", "has 24"], "train", "--model", "my.json", *WEATHER,
                     "--lookback", "144", "--step", "6")
        model["config"]["layers"][2]["config"]["units"] = 2
        self.write(model)
        self.refused(2, ["2 numbers", "accepted: 1"], "train", "--model", "my.json", *WEATHER)
        model["config"]["layers"][2]["config"]["activation"] = "softmax"
        self.write(model)
        self.refused(1, ["my.json", "config.layers[2].config.activation"], "train", "--model",
                     "my.json", *WEATHER)
        with open(os.path.join(self.folder, "my.json"), "w", encoding="utf-8") as file:
            file.write("{")
        self.refused(1, ["my.json", "not JSON from byte"], "train", "--model", "my.json", *WEATHER)
        self.refused(1, ["can't be read"], "train", "--model", ".", *WEATHER)


if __name__ == "__main__":
    WEIR = os.path.abspath(sys.argv.pop(1))
    unittest.main()
