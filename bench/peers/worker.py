# What a framework's worker process does, whatever the framework. SPDX-License-Identifier: Apache-2.0
"""Commands come on standard input, a line each; each is answered by a line of JSON, with "error" in it when
it failed. weir_worker.c obeys the same ones.

open MODEL FOLDER       reads FOLDER/x.f32, target.f32 and (Weir: writes) weights.safetensors; says the number
                        of parameters and the variants, ways to train and infer: train:NAME, infer:NAME,
                        and which of them are exact
predict VARIANT         y of the whole batch, without dropout
warm VARIANT N          three calls, after which nothing is compiled any more; of train: their losses
time VARIANT N SECONDS  one call that doesn't count, then calls for so long: the median of their times
"""

import json
import os
import sys
import time

import numpy

from models import BATCH, MODELS

WARM_CALLS = 3  # TorchScript compiles for the last time in the second


def read_weights(path):
    """The tensors of a safetensors file: its length, a JSON header, floats."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: numpy.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
        for name, entry in header.items()
    }


def read_batch(model, folder):
    """x[N][T][C], or tokens [N][T], and target[N][1]."""
    x = numpy.fromfile(os.path.join(folder, "x.f32"), "<f4").reshape(BATCH, model.steps, model.columns)
    target = numpy.fromfile(os.path.join(folder, "target.f32"), "<f4").reshape(BATCH, 1)
    return x[:, :, 0].astype("int32") if model.text else x, target


class Variant:
    """A way to train or to infer: call(N) does it once and returns a loss or y, predict() y of the batch.
    exact: it trains with an optimizer that is defined as Weir's."""

    def __init__(self, call, predict, exact=False):
        self.call, self.predict, self.exact = call, predict, exact


def timed(call, seconds):
    call()
    times, start = [], time.perf_counter()
    before = start
    while not times or before - start < seconds:
        result = call()
        after = time.perf_counter()
        times.append(after - before)
        before = after
    return sorted(times)[len(times) // 2], len(times), result


class Worker:
    """framework.open(model, x, target, weights) gives parameters, {name: Variant, or why there is none}."""

    def __init__(self, framework):
        self.framework, self.variants = framework, {}

    def open(self, name, folder):
        model = MODELS[name]
        self.variants = {}
        weights = read_weights(os.path.join(folder, "weights.safetensors"))
        parameters, made = self.framework.open(model, *read_batch(model, folder), weights)
        self.variants = {key: one for key, one in made.items() if isinstance(one, Variant)}
        notes = [f"{key}: {one}" for key, one in made.items() if not isinstance(one, Variant)]
        exact = [key for key, one in self.variants.items() if one.exact]
        return {"parameters": parameters, "variants": list(self.variants), "exact": exact, "notes": notes}

    def predict(self, variant):
        return {"y": [float(y) for y in self.variants[variant].predict().reshape(-1)]}

    def warm(self, variant, n):
        results = [self.variants[variant].call(int(n)) for _ in range(WARM_CALLS)]
        return {"losses": [float(loss) for loss in results]} if variant.startswith("train:") else {}

    def time(self, variant, n, seconds):
        call = self.variants[variant].call
        median, calls, result = timed(lambda: call(int(n)), float(seconds))
        answer = {"seconds": median, "calls": calls}
        if variant.startswith("train:"):
            answer["loss"] = float(result)
        return answer

    def obey(self, line):
        command, *words = line.split(maxsplit=2 if line.startswith("open ") else -1)
        return {"open": self.open, "predict": self.predict, "warm": self.warm, "time": self.time}[command](
            *words
        )


def attempt(make):
    """A Variant, or in one line why this framework has none."""
    try:
        return make()
    except Exception as error:  # whatever the framework throws
        return one_line(error)


def one_line(error):
    return (f"{type(error).__name__}: " + " ".join(str(error).split()))[:300]


def serve(make_framework):
    """The framework may print what it likes: its standard output is the log."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(content):
        out.write(json.dumps(content) + "\n")
        out.flush()

    try:
        framework = make_framework(int(sys.argv[1]))
    except Exception as error:  # an import that fails inside, for example
        answer({"error": one_line(error)})
        return
    answer(framework.greeting())
    worker = Worker(framework)
    for line in sys.stdin:
        try:
            answer(worker.obey(line.rstrip("\n")))
        except Exception as error:  # whatever the framework throws
            answer({"error": one_line(error)})
