# One model in all frameworks: checked, then timed in turns. SPDX-License-Identifier: Apache-2.0
import array
import math
import os
import random
import statistics
import sys

from models import BATCH, WORDS
from process import Failed

CELLS = [("train", BATCH), ("infer", 1), ("infer", BATCH)]
SECONDS = {("train", BATCH): 0.25, ("infer", 1): 0.1, ("infer", BATCH): 0.15}  # of a turn, or one call
TRY_SECONDS = 0.3  # for each variant, to find the fastest ones
CLOSE = 1.15  # variants that were this close to the fastest one all take part in the rounds
TOLERANCE = 1e-4  # of the largest |y|, or of the loss: float32, sums in other orders over 240 or 500 steps
LAST_TOLERANCE = 0.05  # of the third loss: RMSprop is not the same everywhere


def write_batch(model, folder):
    """x and target, the same for all. Words are as frequent as Zipf's law has them, without padding: that
    would be fewer distinct words, and less work for Weir only."""
    generator = random.Random(1)
    if model.text:
        weights = [1 / rank for rank in range(1, WORDS)]
        x = generator.choices(range(1, WORDS), weights, k=BATCH * model.steps)
        target = [generator.randrange(2) for _ in range(BATCH)]
    else:
        x = [generator.gauss(0, 1) for _ in range(BATCH * model.steps * model.columns)]
        target = [generator.gauss(0, 1) for _ in range(BATCH)]
    for name, numbers in (("x.f32", x), ("target.f32", target)):
        floats = array.array("f", numbers)
        if sys.byteorder == "big":
            floats.byteswap()
        with open(os.path.join(folder, name), "wb") as file:
            floats.tofile(file)


def is_weir(worker):
    return worker.framework == "Weir"


class Comparison:
    """variants: those of each worker that are still in. notes: what couldn't take part and why. wrong: what
    computed something else."""

    def __init__(self, model, workers, folder):
        self.model, self.notes, self.wrong, self.variants = model, [], [], {}
        self.exact = {}  # variants whose optimizer is Weir's too
        write_batch(model, folder)
        for group in ([w for w in workers if is_weir(w)], [w for w in workers if not is_weir(w)]):
            asked = {(worker, None): ("open", model.name, folder) for worker in group}
            for (worker, _), answer in self.ask_together(asked):  # Weir writes the weights for the others
                self.variants[worker], self.exact[worker] = answer["variants"], answer["exact"]
                self.notes += [f"{worker.framework} {note}" for note in answer["notes"]]
                if answer["parameters"] != model.expected_parameters:
                    why = f"{answer['parameters']} parameters, expected {model.expected_parameters}"
                    self.refuse(worker, None, why)

    # ---- asking ----

    def remove(self, worker, variant):
        """None: all of them."""
        self.variants[worker] = [v for v in self.variants.get(worker, []) if variant not in (None, v)]

    def refuse(self, worker, variant, why):
        self.wrong.append(f"{self.model.name}: {worker.framework} {variant or ''}: {why}")
        self.remove(worker, variant)

    def fail(self, worker, variant, failure):
        """A peer goes on without the variant; without Weir there is nothing to compare."""
        if is_weir(worker):
            raise failure
        self.notes.append(f"{failure} ({variant})" if variant else str(failure))
        self.remove(worker, None if failure.ended else variant)

    def ask(self, worker, variant, *words):
        """None when it failed."""
        try:
            return worker.ask(*words)
        except Failed as failure:
            self.fail(worker, variant, failure)
            return None

    def ask_together(self, asked):
        """{(worker, variant): words}, one for each worker: at the same time, for nothing here is timed."""
        for (worker, _), words in asked.items():
            worker.tell(*words)
        for worker, variant in asked:
            try:
                yield (worker, variant), worker.answer()
            except Failed as failure:
                self.fail(worker, variant, failure)

    def ask_all(self, command, op, *words):
        """Every worker about each of its variants for `op`."""
        lists = {worker: [v for v in names if v.startswith(op)] for worker, names in self.variants.items()}
        for i in range(max(map(len, lists.values()), default=0)):
            turn = [(w, names[i]) for w, names in lists.items() if i < len(names)]
            yield from self.ask_together({(worker, variant): (command, variant, *words)
                                          for worker, variant in turn if variant in self.variants[worker]})

    # ---- the same results ----

    def check(self):
        """Predictions on equal weights, then where no mask is drawn the losses of the first steps."""
        answers = list(self.ask_all("predict", ""))
        expected = next(answer["y"] for (worker, _), answer in answers if is_weir(worker))
        scale = max(map(abs, expected))
        for (worker, variant), answer in answers:
            errors = [abs(a - b) / scale for a, b in zip(answer["y"], expected, strict=True)]
            # One by one: the largest of numbers and NaN is a number.
            wrong = [error for error in errors if not error <= TOLERANCE]
            if wrong:
                why = f"y differs from Weir's by {wrong[0]:.2g} of the largest, accepted: {TOLERANCE:g}"
                self.refuse(worker, variant, why)
        answers = list(self.ask_all("warm", "train", BATCH))
        expected = next(answer["losses"] for (worker, _), answer in answers if is_weir(worker))
        for (worker, variant), answer in answers:
            last = TOLERANCE if variant in self.exact[worker] else LAST_TOLERANCE
            same = [abs(loss / own - 1) <= limit for loss, own, limit in
                    zip(answer["losses"], expected, (TOLERANCE, math.inf, last), strict=True)]
            if not self.model.masks and not all(same):
                self.refuse(worker, variant, f"the first losses are {answer['losses']}, Weir's {expected}")
        for n in (1, BATCH):
            for _ in self.ask_all("warm", "infer", n):
                pass

    # ---- times ----

    def seconds(self, worker, variant, n, limit):
        answer = self.ask(worker, variant, "time", variant, n, limit)
        if answer and not math.isfinite(answer.get("loss", 0)):
            self.refuse(worker, variant, f"the loss became {answer['loss']}")
            answer = None
        return answer["seconds"] if answer else None

    def finalists(self, op, n, quick):
        """Every worker's fastest variants."""
        chosen = []
        for worker, names in self.variants.items():
            names = [v for v in names if v.startswith(op)]
            limit = 0 if quick else TRY_SECONDS
            tries = {v: self.seconds(worker, v, n, limit) for v in names}
            best = min(filter(None, tries.values()), default=0)
            chosen += [(worker, v) for v, seconds in tries.items() if seconds and seconds <= CLOSE * best]
        return chosen

    def run(self, rounds, quick):
        """Times of each round: {(op, N, threads, framework, variant): [seconds]}."""
        chosen = {cell: self.finalists(*cell, quick) for cell in CELLS}
        threads = sorted({worker.threads for worker in self.variants})
        times = {}
        for _ in range(rounds):
            for cell, finalists in chosen.items():
                for count in threads:
                    for worker, variant in finalists:
                        if worker.threads != count or variant not in self.variants[worker]:
                            continue
                        got = self.seconds(worker, variant, cell[1], 0 if quick else SECONDS[cell])
                        times.setdefault((*cell, count, worker.framework, variant), []).append(got)
        return {key: list_ for key, list_ in times.items() if None not in list_}


def rows(model, times):
    """Medians over the rounds, for each op, N and number of threads: Weir's, and each peer's best."""
    made = []
    for op, n, threads, framework, weir in times:
        if framework != "Weir":
            continue
        own = times[op, n, threads, framework, weir]
        peers = {}
        for (*cell, name, variant), list_ in times.items():
            if cell != [op, n, threads] or name == "Weir":
                continue
            ratio = statistics.median(peer / mine for peer, mine in zip(list_, own, strict=True))
            if name not in peers or ratio < peers[name]["ratio"]:
                variant = variant.partition(":")[2]
                peers[name] = {"variant": variant, "ratio": ratio, "seconds": statistics.median(list_)}
        made.append({"model": model, "op": op, "N": n, "threads": threads,
                     "seconds": statistics.median(own), "peers": peers})
    return made
