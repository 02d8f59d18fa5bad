#!/usr/bin/env python3
# weir convert, with files in the layouts of Keras. SPDX-License-Identifier: Apache-2.0
"""usage: test_keras.py WEIR_PROGRAM

Exit status 77: h5py, which makes the files, is not installed."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

try:
    import h5py
    import numpy
except ImportError as error:
    print(f"skipped: {error} (Debian: python3-h5py)")
    sys.exit(77)

import keras_files as files
import keras_models as models

WEIR = None


class Convert(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def weir(self, *arguments, **variables):
        return subprocess.run([WEIR, "convert", *arguments, "--threads", "1"], cwd=self.folder,
                              env={**os.environ, **variables}, text=True, capture_output=True,
                              timeout=60, check=False)

    def ok(self, *arguments):
        run = self.weir(*arguments)
        self.assertEqual(run.returncode, 0, run.stderr)

    def refused(self, words, *arguments, status=1, **variables):
        run = self.weir(*arguments, **variables)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)
        self.assertEqual(len(run.stderr.splitlines()), 2 if status == 2 else 1, run.stderr)

    def write(self, name, data):
        with open(self.path(name), "wb" if isinstance(data, bytes) else "w") as file:
            file.write(data)

    def make(self, model="gru_after", form="whole", name="in.h5"):
        weights = files.random_weights(models.MODELS[model])
        files.save(self.path(name), models.MODELS[model], weights, form)
        return weights

    def definition(self, model, keras=3):
        self.write("model.json", files.definition_text(models.MODELS[model], keras))
        return ["--model", "model.json"]

    def check(self, model, weights, name="out.safetensors"):
        """The file holds these weights, to the bit."""
        tensors, metadata = files.read_safetensors(self.path(name))
        expected = dict(zip(sum(models.weir_names(models.MODELS[model]), []), sum(weights, [])))
        self.assertEqual(sorted(tensors), sorted(expected))
        for tensor, values in expected.items():
            numpy.testing.assert_array_equal(tensors[tensor], values, tensor)
        return json.loads(metadata["weir.model"])["config"]["layers"]


class Reading(Convert):
    def test_every_layer_in_every_form(self):
        for model in models.MODELS:
            beside = self.definition(model)
            for form in files.FORMS:
                with self.subTest(model=model, form=form):
                    weights = self.make(model, form)
                    self.ok("in.h5", "out.safetensors", *(beside if form in files.WEIGHTS else []))
                    self.check(model, weights)

    def test_definition_and_weights(self):
        # With a definition beside it the layers of a whole model are those, not its own.
        weights = self.make("gru_after", "zip")
        self.ok("in.h5", "out.safetensors", *self.definition("gru_after"))
        self.check("gru_after", weights)
        self.refused(["conv1d"], "in.h5", "out.safetensors", *self.definition("pools"))

    def test_facts_of_another_model(self):
        """Weights that were trained further elsewhere can be evaluated."""
        def run(*arguments):
            done = subprocess.run([WEIR, *arguments], cwd=self.folder, text=True,
                                  capture_output=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        rows = ["--generated", "--generated-rows", "3000"]
        run("train", "jena-dense", *rows, "--lookback", "24", "--epochs", "1", "--steps", "2",
            "--quiet", "--save", "a.safetensors")
        self.ok("a.safetensors", "x.weights.h5")
        self.ok("x.weights.h5", "b.safetensors", "--model", "a.safetensors")
        with h5py.File(self.path("x.weights.h5"), "r+") as file:
            file["layers/dense_1/vars/1"][...] += 1
        self.ok("x.weights.h5", "c.safetensors", "--model", "a.safetensors")
        a, b, c = (json.loads(run("eval", f"{name}.safetensors", *rows, "--json"))["mae"]
                   for name in "abc")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)

    def test_defaults_follow_the_version(self):
        model = ((6, 2), [("GRU", {"units": 3, "recurrent_activation": "hard_sigmoid",
                                   "reset_after": True})])
        for form, gate in [("whole", "hard_sigmoid"), ("zip", "hard_sigmoid6"),
                           ("zip of 2", "hard_sigmoid")]:
            with self.subTest(form=form):
                files.save(self.path("in"), model, files.random_weights(model), form)
                self.ok("in", "out.safetensors")
                _, metadata = files.read_safetensors(self.path("out.safetensors"))
                config = json.loads(metadata["weir.model"])["config"]["layers"][0]["config"]
                self.assertEqual(config["recurrent_activation"], gate)
                self.assertTrue(config["reset_after"])

    def test_weights_of_other_widths(self):
        for kind in ["f2", "f8", ">f4"]:
            with self.subTest(kind=kind):
                model = models.MODELS["averages"]
                weights = files.random_weights(model)
                files.save(self.path("in.h5"), model, weights, "vars")
                with h5py.File(self.path("in.h5"), "r+") as file:
                    for path, tensor in zip(sum(models.vars_paths(model), []), sum(weights, [])):
                        del file[path]
                        file.create_dataset(path, data=tensor.astype(kind))
                self.ok("in.h5", "out.safetensors", *self.definition("averages"))
                self.check("averages", [[w.astype(kind).astype("<f4") for w in layer]
                                        for layer in weights])

    def test_weights_that_are_packed(self):
        model = models.MODELS["averages"]
        weights = files.random_weights(model)
        with h5py.File(self.path("in.h5"), "w") as file:
            for path, tensor in zip(sum(models.vars_paths(model), []), sum(weights, [])):
                file.create_dataset(path, data=tensor, chunks=True, compression="gzip")
        self.ok("in.h5", "out.safetensors", *self.definition("averages"))
        self.check("averages", weights)


class Writing(Convert):
    def test_every_layer(self):
        for model in models.MODELS:
            with self.subTest(model=model):
                weights = self.make(model, "zip")
                self.ok("in.h5", "model.safetensors")
                self.ok("model.safetensors", "out.weights.h5")
                found, groups = {}, set()
                with h5py.File(self.path("out.weights.h5")) as file:
                    file.visititems(lambda name, item: found.update({name: item[()]})
                                    if isinstance(item, h5py.Dataset) else groups.add(name))
                expected = dict(zip(sum(models.vars_paths(models.MODELS[model]), []),
                                    sum(weights, [])))
                self.assertEqual(sorted(found), sorted(expected))
                for path, values in expected.items():
                    self.assertEqual(found[path].dtype, numpy.dtype("<f4"))
                    numpy.testing.assert_array_equal(found[path], values, path)
                # TensorFlow's Keras opens one for every layer, cell and copy.
                self.assertIn("vars", groups)
                for path in expected:
                    self.assertIn("/".join(path.split("/")[:2]) + "/vars", groups)
                self.assertEqual("layers/bidirectional/layer/cell/vars" in groups,
                                 model == "both_ways")
                self.ok("out.weights.h5", "again.safetensors", *self.definition(model))
                self.check(model, weights, "again.safetensors")

    def test_same_bytes(self):
        self.make()
        for name in ["a.weights.h5", "b.weights.h5"]:
            self.ok("in.h5", name)
        with open(self.path("a.weights.h5"), "rb") as a, open(self.path("b.weights.h5"), "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_nothing_lost(self):
        self.make()
        self.write("kept.weights.h5", "before")
        self.write("broken.h5", b"\x89HDF\r\n\x1a\n" + bytes(2000))
        self.refused(["broken.h5"], "broken.h5", "kept.weights.h5")
        for program in ["/bin/false", "/bin/cat"]: # one ends early, one says something else
            self.refused(["weir-keras"], "in.h5", "kept.weights.h5", WEIR_KERAS_PROGRAM=program)
        with open(self.path("kept.weights.h5"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "before")
        self.assertEqual(sorted(os.listdir(self.folder)), ["broken.h5", "in.h5", "kept.weights.h5"])

    def test_folder_that_is_not_there(self):
        self.make()
        self.refused(["none/out.weights.h5"], "in.h5", "none/out.weights.h5")


class Refusals(Convert):
    def test_command_line(self):
        self.make()
        for out in ["out.h5", "out.keras", ".weights.h5", "out"]:
            self.refused([out, ".safetensors", ".weights.h5"], "in.h5", out, status=2)
        self.refused(["none.h5"], "none.h5", "out.safetensors")
        self.refused(["none.json"], "in.h5", "out.safetensors", "--model", "none.json")
        self.assertEqual(os.listdir(self.folder), ["in.h5"])

    def test_weights_without_a_model(self):
        for form in files.WEIGHTS:
            self.make("pools", form)
            self.refused(["in.h5", "weights only", "--model FILE"], "in.h5", "out.safetensors")

    def test_other_layers(self):
        beside = self.definition("gru_after")
        for model, form, words in [
                ("pools", "layers", ["conv1d", "gru"]),
                ("pools", "vars", ["layers/gru/cell/vars/0 is missing"]),
                ("gru_before", "layers", ["shape is [18]", "[2, 18]", "reset_after"]),
                ("gru_before", "vars", ["shape is [18]", "[2, 18]", "reset_after"])]:
            with self.subTest(model=model, form=form):
                self.make(model, form)
                self.refused(["in.h5", *words], "in.h5", "out.safetensors", *beside)

    def test_more_and_fewer_layers(self):
        full = models.MODELS["gru_after"]
        for form in ["layers", "vars"]:
            for count, words in [(2, ["layer 2", "dense"]), (4, ["dense_1"])]:
                model = (full[0], (full[1] + [("Dense", {"units": 1})])[:count])
                files.save(self.path("in.h5"), model, files.random_weights(model), form)
                self.refused(words, "in.h5", "out.safetensors", *self.definition("gru_after"))

    def test_not_of_keras(self):
        with h5py.File(self.path("in.h5"), "w") as file:
            file.create_dataset("x", data=[1.0])
        self.refused(["in.h5", "not of Keras"], "in.h5", "out.safetensors")
        with zipfile.ZipFile(self.path("in.zip"), "w") as archive:
            archive.writestr("config.json", "{}")
        self.refused(["in.zip", "model.weights.h5"], "in.zip", "out.safetensors")

    def test_no_reader(self):
        self.make()
        self.refused(["in.h5", "/none/weir-keras", "WEIR_KERAS_PROGRAM"], "in.h5",
                     "out.safetensors", WEIR_KERAS_PROGRAM="/none/weir-keras")
        self.refused(["in.h5", "version"], "in.h5", "out.safetensors",
                     WEIR_KERAS_PROGRAM=self.script("echo something else"))
        # Not the file's fault.
        for text, words in (("exit 127", "ended with status 127"), ("kill -9 $$", "ended by signal 9")):
            run = self.weir("in.h5", "out.safetensors", WEIR_KERAS_PROGRAM=self.script(text))
            self.assertEqual(run.returncode, 1)
            self.assertIn(words, run.stderr)
            self.assertNotIn("damaged", run.stderr)

    def script(self, text):
        self.write("script", f"#!/bin/sh\n{text}\n")
        os.chmod(self.path("script"), 0o755)
        return self.path("script")


class Hostile(Convert):
    """Files that were damaged or made to do harm: an error, in time."""

    def replace_first(self, make):
        """The averages' model, the first of its weights by make(file, path, tensor)."""
        model = models.MODELS["averages"]
        weights = files.random_weights(model)
        files.save(self.path("in.h5"), model, weights, "vars")
        path = sum(models.vars_paths(model), [])[0]
        with h5py.File(self.path("in.h5"), "r+") as file:
            del file[path]
            make(file, path, sum(weights, [])[0])
        self.refused(["in.h5", "has no data, or has them in another file"], "in.h5", "out.safetensors",
                     *self.definition("averages"))

    def test_data_never_written(self):
        def make(file, path, tensor):
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            plist.set_alloc_time(h5py.h5d.ALLOC_TIME_LATE)
            space = h5py.h5s.create_simple(tensor.shape)
            group, name = path.rsplit("/", 1)
            h5py.h5d.create(file[group].id, name.encode(), h5py.h5t.IEEE_F32LE, space, plist)

        self.replace_first(make)

    def test_data_elsewhere(self):
        def virtual(file, path, tensor):
            layout = h5py.VirtualLayout(shape=tensor.shape, dtype="<f4")
            layout[...] = h5py.VirtualSource("none.h5", "x", shape=tensor.shape)
            file.create_virtual_dataset(path, layout)

        def external(file, path, tensor):
            file.create_dataset(path, tensor.shape, "<f4", external=[("none.raw", 0, tensor.nbytes)])

        self.replace_first(virtual)
        self.replace_first(external)

    def test_truncated(self):
        for form in ["whole", "zip", "vars"]:
            self.make("both_ways", form)
            with open(self.path("in.h5"), "rb") as file:
                data = file.read()
            for length in range(0, len(data), max(1, len(data) // 15)):
                with self.subTest(form=form, length=length):
                    self.write("short.h5", data[:length])
                    self.refused(["short.h5"], "short.h5", "out.safetensors",
                                 *self.definition("both_ways"))

    def test_huge_shape_without_data(self):
        for shape in [(1 << 40,), (1 << 20, 1 << 20), (1 << 31, 3, 1 << 29)]:
            with h5py.File(self.path("in.h5"), "w") as file:
                file.create_dataset("layers/dense/vars/0", shape=shape, dtype="<f4", chunks=True)
            self.refused(["in.h5", "layers/dense", "the most accepted"], "in.h5", "out.safetensors",
                         *self.definition("averages"))

    def test_huge_layers_in_the_definition(self):
        model = ((24, 3), [("Dense", {"units": 1 << 24}), ("Dense", {"units": 90})])
        with h5py.File(self.path("in.h5"), "w") as file:
            file.attrs["model_config"] = json.dumps(files.definition(model, 2))
            files.set_list(file.create_group("model_weights"), "layer_names", ["x"], 0, False)
            file["model_weights"].create_group("x")
        self.refused(["in.h5"], "in.h5", "out.safetensors")

    def test_packed_zeros(self):
        model = models.MODELS["gru_after"]
        with zipfile.ZipFile(self.path("in.keras"), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", json.dumps(files.definition(model, 3)))
            archive.writestr("model.weights.h5", bytes(200 << 20))
        self.refused(["in.keras", "unpacks"], "in.keras", "out.safetensors")

    def test_many_entries(self):
        with zipfile.ZipFile(self.path("in.keras"), "w") as archive:
            for i in range(2000):
                archive.writestr(f"assets/{i}", "")
        self.refused(["in.keras", "entries"], "in.keras", "out.safetensors")

    def test_other_files(self):
        """Nothing outside the file is read, whoever is told to."""
        self.write("secret", numpy.zeros(70, "<f4").tobytes())
        with h5py.File(self.path("secret.h5"), "w") as file:
            file.create_dataset("x", data=numpy.zeros(10, "<f4"))
        model = models.MODELS["averages"]
        paths = models.vars_paths(model)
        for harm in ["storage", "link"]:
            with self.subTest(harm=harm):
                files.save(self.path("in.h5"), model, files.random_weights(model), "vars")
                with h5py.File(self.path("in.h5"), "r+") as file:
                    del file[paths[0][0]]
                    if harm == "link":
                        file[paths[0][0]] = h5py.ExternalLink(self.path("secret.h5"), "x")
                    else:
                        file.create_dataset(paths[0][0], shape=(2, 5), dtype="<f4",
                                            external=[(self.path("secret"), 0, 40)])
                self.refused(["in.h5", "in another file"], "in.h5", "out.safetensors",
                             *self.definition("averages"))

    def test_circles(self):
        with h5py.File(self.path("in.h5"), "w") as file:
            layers = file.create_group("layers")
            for name in ["a", "b", "c"]:
                layers[name] = layers
        self.refused(["in.h5"], "in.h5", "out.safetensors", *self.definition("averages"))

    def test_text_where_floats_should_be(self):
        with h5py.File(self.path("in.h5"), "w") as file:
            file["layers/dense/vars/0"] = "text"
        self.refused(["in.h5", "layers/dense"], "in.h5", "out.safetensors",
                     *self.definition("averages"))


if __name__ == "__main__":
    WEIR = os.path.abspath(sys.argv.pop(1))
    unittest.main()
