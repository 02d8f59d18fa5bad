#!/usr/bin/env python3
# Damages Keras files at random and has them read. SPDX-License-Identifier: Apache-2.0
"""usage: fuzz_keras.py WEIR_PROGRAM [SEED [COUNT]]

Each file must be converted or refused with a message, within seconds. COUNT files, numbered from SEED
on: the same number is the same file. What ended the reader, as HDF5 may, is counted: libweir must have
said so. Exit status 77: no h5py."""
import collections
import os
import random
import subprocess
import sys
import tempfile

try:
    import keras_files as files
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

import keras_models as models

NUMBERS = [0, 1, 2, 0x7f, 0xff, 0x7fff, 0xffff, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1,
           1 << 40, 1 << 62, (1 << 63) - 1, (1 << 64) - 1]
MARKS = [b"TREE", b"HEAP", b"SNOD", b"GCOL", b"OHDR", b"PK\1\2", b"PK\3\4", b"PK\5\6", b"\x89HDF",
         b"layer", b"names", b"{"]
SECONDS = 40


def place(data, choose):
    """Near something that matters, or anywhere."""
    if choose.random() < 0.5:
        mark = choose.choice(MARKS)
        found = [i for i in range(len(data)) if data.startswith(mark, i)]
        if found:
            return min(len(data) - 1, max(0, choose.choice(found) + choose.randrange(-8, 64)))
    return choose.randrange(len(data))


def mutate(data, choose):
    data = bytearray(data)
    for _ in range(choose.choice([1, 1, 2, 3, 8])):
        at, how = place(bytes(data), choose), choose.randrange(7)
        if how == 0:
            data[at] ^= 1 << choose.randrange(8)
        elif how == 1:
            data[at] = choose.randrange(256)
        elif how == 2:
            width = choose.choice([1, 2, 4, 8])
            data[at:at + width] = (choose.choice(NUMBERS) & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        elif how == 3:
            del data[at:at + choose.choice([1, 4, 8, 100])]
        elif how == 4:
            length = choose.choice([1, 8, 64, 512])
            source = choose.randrange(len(data))
            data[at:at + length] = data[source:source + length]
        elif how == 5:
            data[at:at + choose.choice([8, 64, 512])] = bytes(choose.choice([8, 64]))
        elif len(data) > 16:
            del data[choose.randrange(16, len(data)):]
    return bytes(data)


def originals(folder):
    out = []
    for model in ["both_ways", "lstm"]:
        for form in ["whole", "whole, fixed", "zip", "zip, packed", "layers", "vars"]:
            path = os.path.join(folder, "original")
            files.save(path, models.MODELS[model], files.random_weights(models.MODELS[model]), form)
            with open(path, "rb") as file:
                out.append((model, form, file.read()))
    return out


def run(weir, folder, model):
    try:
        return subprocess.run([weir, "convert", "in", "out.safetensors", "--threads", "1", *model],
                              cwd=folder, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None


def main(weir, seed=1, count=200):
    weir, outcomes, bad = os.path.abspath(weir), collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        for model in models.MODELS:
            with open(os.path.join(folder, f"{model}.json"), "w", encoding="utf-8") as file:
                file.write(files.definition_text(models.MODELS[model], 3))
        start = originals(folder)
        for number in range(int(seed), int(seed) + int(count)):
            choose = random.Random(number)
            model, form, data = choose.choice(start)
            data = mutate(data, choose)
            with open(os.path.join(folder, "in"), "wb") as file:
                file.write(data)
            done = run(weir, folder, ["--model", f"{model}.json"] if form in files.WEIGHTS else [])
            words = done.stderr.decode(errors="replace") if done else "no end"
            good = done and (done.returncode == 0 or done.returncode == 1 and words.startswith("weir convert: "))
            outcomes["read" if done and done.returncode == 0 else
                     "reader ended" if "weir-keras, which does it" in words else "refused"] += 1
            if not good:
                bad += 1
                print(f"FAILED: {weir} with file {number} ({model}, {form}): "
                      f"status {done.returncode if done else None}\n{words}")
    print(", ".join(f"{outcomes[k]} {k}" for k in sorted(outcomes)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
