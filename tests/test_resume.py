#!/usr/bin/env python3
# weir train --resume: runs that are stopped in any way go on as if they had not been.
# SPDX-License-Identifier: Apache-2.0
"""usage: test_resume.py WEIR_PROGRAM [DIE_AT.so]"""
import csv
import json
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

WEIR = DIE_AT = None
# A recurrent layer with dropout; and reviews, each of which an epoch shows once.
WEATHER = ["jena-gru-dropout", "--generated", "--generated-rows", "4000", "--lookback", "60",
           "--step", "6", "--steps", "4", "--val-steps", "2", "--batch-size", "16"]
REVIEWS = ["imdb-gru", "--generated", "--generated-reviews", "60", "--max-len", "20",
           "--max-features", "500", "--batch-size", "8", "--keras", "3"]


def tensors(data):
    """The tensors of a safetensors file by name."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__")
    body = data[8 + length:]
    return {name: body[slice(*about["data_offsets"])] for name, about in header.items()}


def safe_id():
    """Another user, who may not write what root owns."""
    os.setgid(65534)
    os.setuid(65534)


class Resume(unittest.TestCase):
    def setUp(self):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # fsync costs nothing there
        folder = tempfile.TemporaryDirectory(dir=base)
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)

    def start(self, *arguments, **more):
        variables = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
        variables.update(more.pop("env", {}))
        return subprocess.Popen([WEIR, "train", *arguments], env=variables, text=True,
                                cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def weir(self, *arguments, **more):
        run = self.start(*arguments, **more)
        out, err = run.communicate(timeout=120)
        return run.returncode, out, err

    def ok(self, *arguments):
        code, out, err = self.weir(*arguments, "--quiet")
        self.assertEqual(code, 0, err)
        return out

    def refused(self, status, words, *arguments, **more):
        code, _, err = self.weir(*arguments, **more)
        self.assertEqual(code, status, err)
        for word in words:
            self.assertIn(word, err)

    def history(self, name):
        """What does not depend on time."""
        return [row[:4] for row in csv.reader(self.read(name).decode().splitlines())]

    def whole(self, run, epochs):
        """A run that nobody stops: w.safetensors and w.csv."""
        self.ok(*run, "--epochs", str(epochs), "--save", "w.safetensors", "--history", "w.csv")

    def compare(self, name):
        """The files of NAME are those of the whole run: the model byte by byte, the history, and in the
        checkpoint the weights, the optimizer's state and the best weights."""
        self.assertEqual(self.history(f"{name}.csv"), self.history("w.csv"))
        self.assertEqual(self.read(f"{name}.safetensors"), self.read("w.safetensors"))
        now, whole = (tensors(self.read(f"{n}.safetensors.checkpoint")) for n in (name, "w"))
        self.assertEqual(now, whole)
        self.assertIn("weir.optimizer.0", now)
        self.assertIn("weir.best", now)

    def begin(self, run, epochs, name="s"):
        self.ok(*run, "--epochs", str(epochs), "--save", f"{name}.safetensors", "--history",
                f"{name}.csv")
        return f"{name}.safetensors.checkpoint"


class Going(Resume):
    def test_more_epochs(self):
        for run in (WEATHER, REVIEWS):
            self.whole(run, 5)
            checkpoint = self.begin(run, 2)
            out = self.weir("--resume", checkpoint, "--epochs", "5")[1]
            self.assertIn("2 of 5 epochs are done", out)
            self.assertRegex(out, r"\nepoch 3/5 ")
            self.compare("s")
            # Nothing is left to do, and nothing changes.
            self.assertIn("best epoch", self.ok("--resume", checkpoint))
            self.compare("s")

    def test_files_of_later(self):
        """Stopped after the model was saved and before the checkpoint was."""
        self.whole(WEATHER, 4)
        checkpoint = self.begin(WEATHER, 2)
        before = self.read(checkpoint)
        self.ok("--resume", checkpoint, "--epochs", "4")
        self.write(checkpoint, before)
        self.ok("--resume", checkpoint, "--epochs", "3")
        self.ok("--resume", checkpoint, "--epochs", "4")
        self.compare("s")
        # The best weights are in the checkpoint.
        os.remove(self.path("s.safetensors"))
        os.remove(self.path("s.csv"))
        self.ok("--resume", checkpoint)
        self.compare("s")

    def interrupted(self, *more):
        """A run of three epochs that gets SIGINT after its first: what it printed, and its arguments. On
        a fast machine the signal may come after the end: then there are more steps."""
        for steps in (300, 1200, 4800, 19200):
            run = [*WEATHER, "--steps", str(steps)]
            process = self.start(*run, "--epochs", "3", "--save", "s.safetensors", *more)
            while not process.stdout.readline().startswith("epoch 1/3"):
                self.assertIsNone(process.poll())
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=120)
            if process.returncode != 0:
                break
        self.assertEqual(process.returncode, 130, err)
        return out, run

    def test_interrupt(self):
        out, run = self.interrupted("--history", "s.csv")
        self.assertRegex(out, "interrupted; best epoch [12]")
        self.assertIn("go on with: weir train --resume s.safetensors.checkpoint", out)
        self.ok("--resume", "s.safetensors.checkpoint")
        self.whole(run, 3)
        self.compare("s")

    def test_own_definition(self):
        """The checkpoint has it: the file is not read again."""
        show = subprocess.run([WEIR, "models", "show", "jena-conv-gru"], check=True,
                              stdout=subprocess.PIPE).stdout
        self.write("my.json", show.replace(b"240", b"null"))
        run = ["--model", "my.json", *WEATHER[1:], "--lookback", "120"]
        self.whole(run, 3)
        checkpoint = self.begin(run, 1)
        os.remove(self.path("my.json"))
        self.ok("--resume", checkpoint, "--epochs", "3")
        self.compare("s")

    def test_another_place(self):
        self.whole(WEATHER, 3)
        checkpoint = self.begin(WEATHER, 1)
        os.mkdir(self.path("d"))
        os.rename(self.path(checkpoint), self.path("d/x.checkpoint"))
        self.ok("--resume", "d/x.checkpoint", "--epochs", "3", "--threads", "1", "--isa", "generic")
        self.assertEqual(self.read("d/x"), self.read("w.safetensors"))
        self.assertEqual(self.history("s.csv"), self.history("w.csv"))

    def test_run_that_was_stopped(self):
        """The same command again must not take the place of what can go on."""
        checkpoint = self.begin(WEATHER, 3)
        self.ok("--resume", checkpoint, "--epochs", "3")
        begin = [*WEATHER, "--save", "s.safetensors"]
        self.ok(*begin, "--epochs", "2")  # that one had ended
        self.interrupted()
        before = self.read(checkpoint)
        self.write(checkpoint, before[:-4])
        self.refused(2, [f"{checkpoint} is there and can't be read"], *begin, "--epochs", "3")
        self.write(checkpoint, before)
        self.refused(2, [f"{checkpoint} holds a run that was stopped after ", " of 3 epochs", "--resume"],
                     *begin, "--epochs", "3")
        self.assertEqual(self.read(checkpoint), before)
        self.ok(*begin, "--epochs", "1", "--no-checkpoint")
        self.assertEqual(self.read(checkpoint), before)

    def test_names_of_a_checkpoint(self):
        """What is written is for the command line to say."""
        os.mkdir(self.path("d"))
        self.ok(*WEATHER, "--epochs", "1", "--save", "s.safetensors", "--checkpoint", "c",
                "--history", "d/h.csv")
        run = ["--resume", "c", "--epochs", "2"]
        self.refused(2, ["c does not end in .checkpoint", "--save FILE"], *run)
        self.refused(2, ["has its history in d/h.csv"], *run, "--save", "s.safetensors")
        self.ok(*run, "--save", "s.safetensors", "--history", "h.csv")
        self.write("m.json", subprocess.run([WEIR, "models", "show", "jena-dense"], check=True,
                                            stdout=subprocess.PIPE).stdout.replace(b"240", b"null"))
        self.refused(2, ["m.json is the model definition"], "--model", "m.json", *WEATHER[1:], "--save",
                     "./m.json")
        self.write("v.txt", b"the 1")
        self.refused(2, ["v.txt is the word vectors"], *REVIEWS, "--embeddings", "v.txt", "--checkpoint",
                     "v.txt")
        self.refused(2, ["--save and --checkpoint are both"], *WEATHER, "--save", "new", "--checkpoint",
                     "./new")

    def test_none_kept(self):
        self.ok(*WEATHER, "--epochs", "1", "--no-checkpoint", "--save", "s.safetensors")
        self.assertEqual(os.listdir(self.folder), ["s.safetensors"])


class Killed(Resume):
    """SIGKILL at random moments, until the run has ended."""

    def at_least_five(self, run, epochs, seed):
        """A machine that is fast gets more epochs."""
        while self.kill_and_resume(run, epochs, seed) < 5:
            epochs *= 2
            self.assertLess(epochs, 10000)
            for name in os.listdir(self.folder):
                os.remove(self.path(name))

    def kill_and_resume(self, run, epochs, seed):
        chance = random.Random(seed)
        self.whole(run, epochs)
        begin = [*run, "--epochs", str(epochs), "--save", "s.safetensors", "--history", "s.csv"]
        kills, most = 0, 0.03
        for _ in range(300):
            there = os.path.exists(self.path("s.safetensors.checkpoint"))
            process = self.start(*(["--resume", "s.safetensors.checkpoint"] if there else begin))
            while not process.stdout.readline().startswith("machine"):
                self.assertIsNone(process.poll())
            time.sleep(chance.uniform(0, most))
            process.kill()
            err = process.communicate()[1]
            if process.returncode == 0:
                break
            self.assertEqual(process.returncode, -signal.SIGKILL, err)
            kills += 1
            most *= 1.03  # a machine that is slow gets more time
            for name in ("s.safetensors", "s.safetensors.checkpoint"):
                if os.path.exists(self.path(name)):
                    tensors(self.read(name))
        self.assertEqual(process.returncode, 0, f"not at its end after {kills} kills")
        self.compare("s")
        return kills

    def test_every_call(self):
        """At each write, fsync and rename of two epochs: before it, in its middle, after it."""
        if not DIE_AT:
            self.skipTest("no module to preload")
        self.whole(WEATHER, 3)
        checkpoint = self.begin(WEATHER, 1)
        names = ("s.safetensors", "s.csv", checkpoint)
        before = {name: self.read(name) for name in names}
        resume = ["--resume", checkpoint, "--epochs", "3"]
        for call in range(1, 200):
            for name in names:
                self.write(name, before[name])
            code, _, err = self.weir(*resume, env={"LD_PRELOAD": DIE_AT, "WEIR_DIE_AT": str(call)})
            if code == 0:
                break
            self.assertEqual(code, -signal.SIGKILL, err)
            for name in (names[0], checkpoint):
                tensors(self.read(name))
            self.ok(*resume)
            self.compare("s")
        self.assertGreater(call, 30)
        self.assertEqual(code, 0)

    def test_weather(self):
        self.at_least_five(WEATHER, 400, 1)

    def test_reviews(self):
        self.at_least_five(REVIEWS, 60, 2)


class Refused(Resume):
    def test_what_differs(self):
        checkpoint = self.begin(WEATHER, 2)
        before = self.read(checkpoint)
        for words, more in (
                (["MODEL is jena-gru", "of jena-gru-dropout"], ["jena-gru"]),
                (["--lr is 0.01", checkpoint, "0.001"], ["--lr", "0.01"]),
                (["--seed is 1", "0"], ["--seed", "1"]),
                (["--batch-size is 8", "16"], ["--batch-size", "8"]),
                (['--keras is "3"', '"2"'], ["--keras", "3"]),
                (["--generated-rows is 4001"], ["--generated-rows", "4001"]),
                (["--model is", "not given"], ["--model", "my.json"]),
                (["--epochs is 1", "has finished 2"], ["--epochs", "1"]),
                (["exclude each other"], ["--data", "x.csv"])):
            self.refused(2, words, "--resume", checkpoint, *more)
        # Those that are the same may be given.
        self.ok("jena-gru-dropout", "--resume", checkpoint, "--lr", "1e-3", "--keras", "2")
        self.assertEqual(tensors(self.read(checkpoint)), tensors(before))

    def write_csv(self, name, factor):
        lines = ["time,T (degC),p"]
        lines += [f"2009-01-{1 + i // 144:02} {i // 6 % 24:02}:{i % 6}0:00,{i * factor % 31},{i * 7 % 13}"
                  for i in range(2000)]
        self.write(name, "\n".join(lines).encode() + b"\n")

    def test_data(self):
        self.write_csv("a.csv", 7919)
        self.write_csv("same.csv", 7919)
        self.write_csv("other.csv", 7907)
        run = [WEATHER[0], "--data", "a.csv", *WEATHER[4:]]
        self.whole(run, 3)
        checkpoint = self.begin(run, 1)
        self.refused(2, ["other data", "checksum"], "--resume", checkpoint, "--data", "other.csv")
        self.refused(1, ["none.csv"], "--resume", checkpoint, "--data", "none.csv")
        self.ok("--resume", checkpoint, "--epochs", "2")
        self.ok("--resume", checkpoint, "--epochs", "3", "--data", "same.csv")
        self.assertEqual(tensors(self.read("s.safetensors")), tensors(self.read("w.safetensors")))
        os.rename(self.path("other.csv"), self.path("a.csv"))
        self.refused(2, ["other data", "checksum"], "--resume", checkpoint, "--data", "a.csv")

    def test_damaged(self):
        checkpoint = self.begin(WEATHER, 1)
        good, model = self.read(checkpoint), self.read("s.safetensors")
        (length,) = struct.unpack("<Q", good[:8])
        chance = random.Random(3)
        for size in (0, 7, 8, 100, 8 + length, len(good) // 2, len(good) - 1):
            self.write(checkpoint, good[:size])
            self.refused(1, [checkpoint], "--resume", checkpoint)
        for _ in range(20):
            bad = bytearray(good)
            bad[chance.randrange(8 + length, len(good))] ^= 1 << chance.randrange(8)
            self.write(checkpoint, bad)
            self.refused(1, [checkpoint, "damaged"], "--resume", checkpoint)
        # What is changed on purpose, checksum and all, is not trusted either.
        for old, new in ((b'\\"epoch\\":1,\\"best_epoch', b'\\"epoch\\":2,\\"best_epoch'),
                         (b'\\"best_epoch\\":1', b'\\"best_epoch\\":7'),
                         (b'\\"history\\"', b'\\"History\\"'), (b'\\"recipe\\"', b'\\"Recipe\\"'),
                         (b'\\"batch-size\\":16', b'\\"batch-sizE\\":16')):
            self.assertIn(old, good)
            self.write(checkpoint, good.replace(old, new, 1).replace(b"weir.checksum", b"weir.Checksum"))
            self.refused(1, [checkpoint, "no checkpoint of weir train"], "--resume", checkpoint,
                         "--epochs", "9")
        self.write(checkpoint, b"time,T (degC)\n")
        self.refused(1, [checkpoint, "not a safetensors file"], "--resume", checkpoint)
        self.refused(1, ["no checkpoint of weir train"], "--resume", "s.safetensors")
        self.refused(1, ["none", "No such file"], "--resume", "none")
        self.assertEqual(self.read("s.safetensors"), model)

    def test_full_disk(self):
        self.whole(WEATHER, 3)
        checkpoint = self.begin(WEATHER, 1)
        before, size = self.read(checkpoint), os.path.getsize(self.path("s.safetensors"))

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, size + 1000))

        files = sorted(os.listdir(self.folder))
        self.refused(1, [checkpoint, "File too large"], "--resume", checkpoint, "--epochs", "3",
                     preexec_fn=limit)
        self.assertEqual(self.read(checkpoint), before)
        self.assertEqual(sorted(os.listdir(self.folder)), files)
        self.refused(1, ["x.safetensors.checkpoint", "File too large"], *WEATHER, "--save",
                     "x.safetensors", preexec_fn=limit)
        self.ok("--resume", checkpoint, "--epochs", "3")
        self.compare("s")

    def test_no_permission(self):
        self.refused(1, ["none/x", "No such file"], *WEATHER, "--checkpoint", "none/x")
        self.refused(2, ["--save and --checkpoint are both s"], *WEATHER, "--checkpoint", "s", "--save",
                     "s")
        checkpoint = self.begin(WEATHER, 1)
        before = self.read(checkpoint)
        os.chmod(self.folder, 0o555)
        other = {"preexec_fn": safe_id} if os.getuid() == 0 else {}
        try:
            self.refused(1, ["s.safetensors", "Permission denied"], "--resume", checkpoint, "--epochs",
                         "2", **other)
        except PermissionError:
            self.skipTest("another user can't run the program")
        finally:
            os.chmod(self.folder, 0o755)
        self.assertEqual(self.read(checkpoint), before)


if __name__ == "__main__":
    WEIR = os.path.abspath(sys.argv.pop(1))
    if len(sys.argv) > 1 and sys.argv[1].endswith(".so"):
        DIE_AT = os.path.abspath(sys.argv.pop(1))
    unittest.main()
